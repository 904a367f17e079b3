//! Resources of all models behind one type each: the step from [`Dynamic`] to a model and back, and the fence around
//! an author's code. Decides nothing about values.

mod provider;
mod resource;
mod verbs;

pub use provider::AnyProvider;
pub use resource::{AnyResource, PlanAsked, PlanMade};
pub use verbs::{AnyAction, AnyDataSource, AnyEphemeral, AnyFunction};

use super::{Context, Diag, Diags, Dynamic, Misfit, Private, de, panics::Panic};
use serde::{Serialize, de::DeserializeOwned};
use std::{future::Future, pin::Pin, time::Instant};

pub type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The verbs that act on an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    Create,
    Read,
    Update,
    Delete,
}

impl Verb {
    pub fn name(self) -> &'static str {
        match self {
            Verb::Create => "create",
            Verb::Read => "read",
            Verb::Update => "update",
            Verb::Delete => "delete",
        }
    }
}

/// What a verb is to act on.
pub struct Asked<'a> {
    pub verb: Verb,
    pub config: &'a Dynamic,
    pub planned: &'a Dynamic,
    pub prior: Option<&'a Dynamic>,
    pub private: Private,
    pub deadline: Instant,
    pub context: &'a Context,
}

/// What a verb left behind, however it ended.
pub struct Done {
    pub object: Option<Dynamic>,
    pub private: Private,
    /// `read` only: the object is there no more.
    pub gone: bool,
    pub diags: Diags,
}

/// Reads a model; a misfit here is the model's fault, for the value fits the schema already.
fn model<M: DeserializeOwned>(value: &Dynamic, what: &str) -> Result<M, Diags> {
    de::model(value).map_err(|error| error.diag(what).into())
}

/// What the model makes of a value: with it, a lossy field (an `f64`, say) is told from a changed one.
fn through<M: Serialize>(model: &M) -> Dynamic {
    super::ser::dynamic(model).unwrap_or_default()
}

/// A model's own mistake, as a diagnostic that does not lose the object.
fn written(error: &Misfit, what: &str) -> Diag {
    error.diag(what)
}

fn panicked(panic: &Panic, doing: &str) -> Diags {
    panic.diag(doing).into()
}
