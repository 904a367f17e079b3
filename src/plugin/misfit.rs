//! The error of everything that converts values: where, what was expected, what was there. Never shows a value.

use super::{Diag, Path, path::Step};
use std::fmt;

/// A value that does not fit, with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misfit {
    /// From the innermost step outwards, as it is collected on the way up.
    steps: Vec<Step>,
    message: String,
}

impl Misfit {
    pub fn new(message: impl Into<String>) -> Misfit {
        Misfit {
            steps: Vec::new(),
            message: message.into(),
        }
    }

    /// `expected` and `found` are kinds of values ("a list"), not values.
    pub(super) fn expected(expected: impl fmt::Display, found: impl fmt::Display) -> Misfit {
        Misfit::new(format!("expected {expected}, found {found}"))
    }

    #[must_use]
    pub(super) fn within(mut self, step: Step) -> Misfit {
        self.steps.push(step);
        self
    }

    #[must_use]
    pub(super) fn in_attr(self, name: &str) -> Misfit {
        self.within(Step::Attr(name.to_owned()))
    }

    #[must_use]
    pub(super) fn in_key(self, key: &str) -> Misfit {
        self.within(Step::Key(key.to_owned()))
    }

    #[must_use]
    pub(super) fn in_item(self, index: usize) -> Misfit {
        self.within(Step::Index(index as i64))
    }

    pub fn path(&self) -> Path {
        self.steps
            .iter()
            .rev()
            .fold(Path::root(), |path, step| path.step(step.clone()))
    }

    pub fn message(&self) -> &str {
        &self.message
    }

    /// For the user; `what` is what could not be read ("the configuration").
    pub fn diag(&self, what: &str) -> Diag {
        let path = self.path();
        let place = if path.is_root() {
            String::new()
        } else {
            format!(" at `{path}`")
        };
        Diag::error(format!("Cannot use {what}{place}"))
            .detail(format!("{}.", self.message))
            .at(path)
    }
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path();
        if !path.is_root() {
            write!(f, "{path}: ")?;
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for Misfit {}

impl serde::de::Error for Misfit {
    fn custom<T: fmt::Display>(message: T) -> Misfit {
        Misfit::new(message.to_string())
    }

    fn invalid_type(
        found: serde::de::Unexpected<'_>,
        expected: &dyn serde::de::Expected,
    ) -> Misfit {
        Misfit::expected(expected, kind(&found))
    }

    fn invalid_value(
        found: serde::de::Unexpected<'_>,
        expected: &dyn serde::de::Expected,
    ) -> Misfit {
        Misfit::new(format!("{} is no {expected}", kind(&found)))
    }

    fn unknown_variant(_: &str, expected: &'static [&'static str]) -> Misfit {
        let expected: Vec<String> = expected.iter().map(|name| format!("`{name}`")).collect();
        Misfit::new(format!("expected one of {}", expected.join(", ")))
    }
}

impl serde::ser::Error for Misfit {
    fn custom<T: fmt::Display>(message: T) -> Misfit {
        Misfit::new(message.to_string())
    }
}

/// What kind of thing it is, without showing it.
fn kind(found: &serde::de::Unexpected<'_>) -> &'static str {
    use serde::de::Unexpected as U;
    match found {
        U::Bool(_) => "a bool",
        U::Unsigned(_) | U::Signed(_) => "a whole number",
        U::Float(_) => "a number with a fraction",
        U::Char(_) | U::Str(_) => "a string",
        U::Bytes(_) => "bytes",
        U::Unit | U::Option => "null",
        U::Seq => "a list",
        U::Map => "an object",
        _ => "something else",
    }
}
