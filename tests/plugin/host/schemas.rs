//! All schemas of a provider, read and checked once after its start.

use std::collections::BTreeMap;

use crate::plugin::messages6 as pb;
use crate::plugin::rules::Broken;
use crate::plugin::schema::{Shape, Ty};
use crate::plugin::value::Val;

/// A resource type: its stored version, its shape, and the identity if it has one.
#[derive(Debug, Clone)]
pub struct Kind {
    pub version: i64,
    pub shape: Shape,
    pub identity: Option<Identity>,
}

#[derive(Debug, Clone)]
pub struct Identity {
    pub version: i64,
    pub ty: Ty,
}

#[derive(Debug, Clone)]
pub struct Signature {
    pub parameters: Vec<Parameter>,
    pub variadic: Option<Parameter>,
    pub returns: Ty,
}

#[derive(Debug, Clone)]
pub struct Parameter {
    pub ty: Ty,
    pub null: bool,
    pub unknown: bool,
}

#[derive(Debug, Clone, Default)]
pub struct Schemas {
    pub provider: Shape,
    pub resources: BTreeMap<String, Kind>,
    pub data_sources: BTreeMap<String, Shape>,
    pub ephemeral: BTreeMap<String, Shape>,
    pub lists: BTreeMap<String, Shape>,
    pub actions: BTreeMap<String, Shape>,
    pub functions: BTreeMap<String, Signature>,
    pub capabilities: pb::ServerCapabilities,
}

impl Schemas {
    pub fn read(
        answer: &pb::get_provider_schema::Response,
        identities: &pb::get_resource_identity_schemas::Response,
        broken: &mut Broken,
    ) -> Self {
        let shapes = |all: &std::collections::HashMap<String, pb::Schema>, broken: &mut Broken| {
            let read = all
                .iter()
                .map(|(name, schema)| (name.clone(), Shape::read(schema, name, broken)));
            read.collect::<BTreeMap<_, _>>()
        };
        let mut resources = BTreeMap::new();
        for (name, schema) in &answer.resource_schemas {
            let identity = identities
                .identity_schemas
                .get(name)
                .map(|schema| identity(schema, name, broken));
            let shape = Shape::read(schema, name, broken);
            resources.insert(
                name.clone(),
                Kind {
                    version: schema.version,
                    shape,
                    identity,
                },
            );
        }
        for name in identities
            .identity_schemas
            .keys()
            .filter(|name| !resources.contains_key(*name))
        {
            broken.add("S9", name, "an identity without a resource");
        }
        for name in answer.list_resource_schemas.keys() {
            if resources
                .get(name)
                .is_none_or(|kind| kind.identity.is_none())
            {
                broken.add("S9", name, "a list of a resource without identity");
            }
        }
        let mut actions = BTreeMap::new();
        for (name, action) in &answer.action_schemas {
            match &action.schema {
                Some(schema) => {
                    actions.insert(name.clone(), Shape::read(schema, name, broken));
                }
                None => {
                    broken.add("S1", name, "an action without a schema");
                }
            }
        }
        let functions = answer.functions.iter();
        let functions = functions
            .map(|(name, function)| (name.clone(), signature(function, name, broken)))
            .collect();
        Self {
            provider: answer
                .provider
                .as_ref()
                .map(|schema| Shape::read(schema, "provider", broken))
                .unwrap_or_default(),
            data_sources: shapes(&answer.data_source_schemas, broken),
            ephemeral: shapes(&answer.ephemeral_resource_schemas, broken),
            lists: shapes(&answer.list_resource_schemas, broken),
            capabilities: answer.server_capabilities.unwrap_or_default(),
            resources,
            actions,
            functions,
        }
    }
}

impl Signature {
    /// A function that gave a result must have been called in the way that it says it can be. (N)
    pub fn takes(&self, arguments: &[Val], broken: &mut Broken) {
        let rest = arguments.len().saturating_sub(self.parameters.len());
        if arguments.len() < self.parameters.len() || (rest > 0 && self.variadic.is_none()) {
            broken.add("N", "", &format!("took {} arguments", arguments.len()));
        }
        let parameters = self.parameters.iter().chain(self.variadic.iter().cycle());
        for (index, (argument, parameter)) in arguments.iter().zip(parameters).enumerate() {
            let path = format!("argument {index}");
            if argument.is_null() && !parameter.null {
                broken.add("N", &path, "took a null that it says it does not");
            }
            if !argument.wholly_known() && !parameter.unknown {
                broken.add("N", &path, "took an unknown that it says it does not");
            }
            parameter.ty.fit(argument.clone(), &path, "N", broken);
        }
    }
}

impl Identity {
    pub fn fit(&self, value: Val, rule: &str, broken: &mut Broken) -> Val {
        self.ty.fit(value, "identity", rule, broken)
    }
}

fn identity(schema: &pb::ResourceIdentitySchema, name: &str, broken: &mut Broken) -> Identity {
    let mut members = BTreeMap::new();
    for attribute in &schema.identity_attributes {
        let path = format!("{name}.identity.{}", attribute.name);
        if attribute.required_for_import == attribute.optional_for_import {
            broken.add(
                "S9",
                &path,
                "must be either required or optional for import",
            );
        }
        match Ty::parse(&attribute.r#type) {
            Ok(ty) => {
                members.insert(attribute.name.clone(), ty);
            }
            Err(why) => {
                broken.add("S9", &path, &why);
            }
        }
    }
    if schema.version < 0 || members.is_empty() {
        broken.add(
            "S8",
            name,
            "an identity without attributes, or of a negative version",
        );
    }
    Identity {
        version: schema.version,
        ty: Ty::Object(members),
    }
}

fn signature(function: &pb::Function, name: &str, broken: &mut Broken) -> Signature {
    let mut names = Vec::new();
    if !identifier(name) {
        broken.add("S8", name, "no good name for a function");
    }
    let mut parameter = |parameter: &pb::function::Parameter, broken: &mut Broken| {
        if !identifier(&parameter.name) || names.contains(&parameter.name) {
            broken.add(
                "S8",
                name,
                &format!("no good name for a parameter: {:?}", parameter.name),
            );
        }
        names.push(parameter.name.clone());
        Parameter {
            ty: ty(&parameter.r#type, name, broken),
            null: parameter.allow_null_value,
            unknown: parameter.allow_unknown_values,
        }
    };
    let parameters = function
        .parameters
        .iter()
        .map(|one| parameter(one, broken))
        .collect();
    let variadic = function
        .variadic_parameter
        .as_ref()
        .map(|one| parameter(one, broken));
    let returns = function
        .r#return
        .as_ref()
        .map(|returns| ty(&returns.r#type, name, broken));
    Signature {
        parameters,
        variadic,
        returns: returns.unwrap_or(Ty::Dynamic),
    }
}

fn ty(json: &[u8], name: &str, broken: &mut Broken) -> Ty {
    Ty::parse(json).unwrap_or_else(|why| {
        broken.add("S8", name, &why);
        Ty::Dynamic
    })
}

fn identifier(name: &str) -> bool {
    let first = |c: char| c.is_ascii_alphabetic() || c == '_';
    let rest = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    name.starts_with(first) && name.chars().all(rest)
}
