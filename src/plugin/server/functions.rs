//! Functions: described, and called. Pure, so needing no configuration.

use super::{Inner, described, to_wire};
use crate::plugin::{
    Diags, Dynamic, FunctionError, Parameter, Signature, conform, secrets,
    wire::tfplugin6::{self as wire, call_function, get_functions},
};

impl Inner {
    pub(super) fn get_functions(&self) -> get_functions::Response {
        get_functions::Response {
            functions: self
                .functions
                .iter()
                .map(|(name, (_, signature))| ((*name).to_owned(), signature.to_wire()))
                .collect(),
            diagnostics: to_wire::diagnostics(Diags::new()),
        }
    }

    pub(super) fn call_function(
        &self,
        request: &call_function::Request,
    ) -> call_function::Response {
        match self.called(request) {
            Ok((result, ty)) => call_function::Response {
                result: Some(described::encode(&result, &ty)),
                error: None,
            },
            Err(error) => call_function::Response {
                result: None,
                error: Some(wire::FunctionError {
                    text: secrets::mask(&error.text).into_owned(),
                    function_argument: error.argument.map(|index| index as i64),
                }),
            },
        }
    }

    fn called(
        &self,
        request: &call_function::Request,
    ) -> Result<(Dynamic, crate::plugin::Type), FunctionError> {
        let Some((function, signature)) = self.functions.get(request.name.as_str()) else {
            return Err(FunctionError::new(format!(
                "this provider has no function `{}`",
                request.name
            )));
        };
        let fixed = signature.parameters.len();
        let given = request.arguments.len();
        if given < fixed || (given > fixed && signature.variadic.is_none()) {
            return Err(FunctionError::new(format!(
                "`{}` takes {fixed} arguments, and {given} were given",
                request.name
            )));
        }
        let mut args = Vec::with_capacity(fixed + 1);
        let mut more = Vec::new();
        for (index, argument) in request.arguments.iter().enumerate() {
            let parameter = signature
                .parameters
                .get(index)
                .or(signature.variadic.as_ref());
            let Some(parameter) = parameter else { break };
            let value = parameter
                .read(argument)
                .map_err(|error| error.argument(index))?;
            if !parameter.unknowable && !value.is_wholly_known() {
                // Terraform does not call in this case; the answer is what it would have said.
                return Ok((Dynamic::Unknown, signature.returns.clone()));
            }
            if index < fixed {
                args.push(value);
            } else {
                more.push(value);
            }
        }
        if signature.variadic.is_some() {
            args.push(Dynamic::Tuple(more));
        }
        let result = function
            .any_call(Dynamic::Tuple(args))
            .map_err(|error| signature.blame(error))?;
        let result = conform::value(result, &signature.returns)
            .map_err(|error| FunctionError::new(format!("the result is wrong: {error}")))?;
        Ok((result, signature.returns.clone()))
    }
}

impl Parameter {
    fn read(&self, argument: &wire::DynamicValue) -> Result<Dynamic, FunctionError> {
        let value = described::decode(Some(argument), &self.ty)
            .map_err(|error| FunctionError::new(format!("`{}`: {error}", self.name)))?;
        if value.is_null() && !self.nullable {
            return Err(FunctionError::new(format!(
                "`{}` must not be null",
                self.name
            )));
        }
        Ok(value)
    }

    fn to_wire(&self) -> wire::function::Parameter {
        wire::function::Parameter {
            name: self.name.clone(),
            r#type: self.ty.to_bytes(),
            allow_null_value: self.nullable,
            allow_unknown_values: self.unknowable,
            description: self.doc.clone(),
            description_kind: wire::StringKind::Markdown.into(),
        }
    }
}

impl Signature {
    pub(super) fn to_wire(&self) -> wire::Function {
        wire::Function {
            parameters: self.parameters.iter().map(Parameter::to_wire).collect(),
            variadic_parameter: self.variadic.as_ref().map(Parameter::to_wire),
            r#return: Some(wire::function::Return {
                r#type: self.returns.to_bytes(),
            }),
            summary: self.summary.clone(),
            description: self.doc.clone(),
            description_kind: wire::StringKind::Markdown.into(),
            deprecation_message: self.deprecated.clone().unwrap_or_default(),
        }
    }

    /// An error at an argument keeps to the arguments that there are.
    fn blame(&self, mut error: FunctionError) -> FunctionError {
        let last = self.parameters.len() + usize::from(self.variadic.is_some());
        error.argument = error
            .argument
            .filter(|index| *index < last || self.variadic.is_some());
        error
    }

    /// What is wrong with it (S8).
    pub(super) fn lint(&self) -> Vec<String> {
        let mut found = Vec::new();
        if self.summary.is_empty() || self.doc.is_empty() {
            found.push("has no description".to_owned());
        }
        let all: Vec<&Parameter> = self.parameters.iter().chain(&self.variadic).collect();
        for (index, parameter) in all.iter().enumerate() {
            let name = &parameter.name;
            let valid = name.starts_with(|c: char| c.is_ascii_alphabetic())
                && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
            if !valid {
                found.push(format!("S8: `{name}` is no parameter name"));
            }
            if all[..index].iter().any(|other| other.name == *name) {
                found.push(format!("S8: the parameter `{name}` is there twice"));
            }
            if parameter.doc.is_empty() {
                found.push(format!("the parameter `{name}` has no description"));
            }
        }
        found
    }
}
