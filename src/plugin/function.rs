//! What a function is to the runtime: pure, offline, the same answer to the same arguments.

use super::Type;
use serde::{Serialize, de::DeserializeOwned};

/// What a function takes and returns.
#[derive(Clone, Debug)]
pub struct Signature {
    pub(super) summary: String,
    pub(super) doc: String,
    pub(super) deprecated: Option<String>,
    pub(super) parameters: Vec<Parameter>,
    pub(super) variadic: Option<Parameter>,
    pub(super) returns: Type,
}

#[derive(Clone, Debug)]
pub struct Parameter {
    pub(super) name: String,
    pub(super) ty: Type,
    pub(super) doc: String,
    pub(super) nullable: bool,
    pub(super) unknowable: bool,
}

impl Parameter {
    pub fn new(name: &str, ty: Type, doc: &str) -> Parameter {
        Parameter {
            name: name.to_owned(),
            ty,
            doc: doc.to_owned(),
            nullable: false,
            unknowable: false,
        }
    }

    /// Null may be given; else Terraform refuses it.
    #[must_use]
    pub fn nullable(mut self) -> Parameter {
        self.nullable = true;
        self
    }

    /// Unknown values may be given; else Terraform answers for the function that the result is unknown.
    #[must_use]
    pub fn unknowable(mut self) -> Parameter {
        self.unknowable = true;
        self
    }
}

impl Signature {
    /// `summary` is one line; `returns` the type of the result.
    pub fn new(summary: &str, returns: Type) -> Signature {
        Signature {
            summary: summary.to_owned(),
            doc: summary.to_owned(),
            deprecated: None,
            parameters: Vec::new(),
            variadic: None,
            returns,
        }
    }

    #[must_use]
    pub fn doc(mut self, doc: &str) -> Signature {
        self.doc = doc.to_owned();
        self
    }

    #[must_use]
    pub fn parameter(mut self, parameter: Parameter) -> Signature {
        self.parameters.push(parameter);
        self
    }

    /// Any number of further arguments; they arrive as the last argument, a `Vec`.
    #[must_use]
    pub fn variadic(mut self, parameter: Parameter) -> Signature {
        self.variadic = Some(parameter);
        self
    }

    #[must_use]
    pub fn deprecated(mut self, why: &str) -> Signature {
        self.deprecated = Some(why.to_owned());
        self
    }
}

/// Why a function has no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionError {
    pub text: String,
    /// Which argument is to blame, counted from 0.
    pub argument: Option<usize>,
}

impl FunctionError {
    pub fn new(text: impl Into<String>) -> FunctionError {
        FunctionError {
            text: text.into(),
            argument: None,
        }
    }

    #[must_use]
    pub fn argument(mut self, index: usize) -> FunctionError {
        self.argument = Some(index);
        self
    }
}

pub trait Function: Send + Sync + 'static {
    /// A tuple with one element per parameter (`(String,)` for one): plain types where null and unknown are excluded,
    /// `Value<T>` else. `()` for none.
    type Args: DeserializeOwned + Send;
    type Output: Serialize + Send;

    /// Without the provider's prefix: users write `provider::…::name`.
    fn name(&self) -> &'static str;

    fn signature(&self) -> Signature;

    /// # Errors
    /// If there is no answer to these arguments.
    fn call(&self, args: Self::Args) -> Result<Self::Output, FunctionError>;
}
