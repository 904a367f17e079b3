//! What a platform asks of the user who wants to sign in, and the way in. Knows settings by name, no schema language.

use super::Platform;
use crate::engine::{Result, Secret};
use crate::site::Tags;
use futures::future::BoxFuture;
use serde_json::Value;
use std::{collections::BTreeMap, sync::Arc};

/// Signs in.
pub type Connect = fn(Given, Common) -> BoxFuture<'static, Result<Arc<dyn Platform>>>;

/// A platform as the provider block shows it: one attribute, with these settings inside.
pub struct Offer {
    /// Also the attribute's name.
    pub name: &'static str,
    pub doc: &'static str,
    pub settings: &'static [Setting],
    pub connect: Connect,
}

/// One setting. All are optional; what is missing comes from the files and variables that users of the cloud have.
pub struct Setting {
    pub name: &'static str,
    pub shape: Shape,
    pub doc: &'static str,
}

impl Setting {
    pub const fn new(name: &'static str, shape: Shape, doc: &'static str) -> Self {
        Self { name, shape, doc }
    }
}

/// What a setting holds.
#[derive(Clone, Copy)]
pub enum Shape {
    Text,
    /// A text that is hidden wherever it is shown.
    Hidden,
    OneOf(&'static [&'static str]),
    Bool,
    Whole,
    TextMap,
    WholeMap,
    /// A list of objects with settings of their own.
    List(&'static [Setting]),
}

/// What does not depend on the platform.
#[derive(Debug, Clone)]
pub struct Common {
    pub owner: String,
    pub default_tags: Tags,
    pub max_parallel_requests: usize,
}

/// What the user gave, by setting. Holds secrets, so it cannot be shown.
#[derive(Clone, Default)]
pub struct Given(Value);

impl Given {
    /// From an object; null stands for what was not given.
    pub fn new(given: Value) -> Self {
        Self(given)
    }
    pub fn text(&self, name: &str) -> Option<String> {
        self.0.get(name)?.as_str().map(str::to_owned)
    }
    pub fn secret(&self, name: &str) -> Option<Secret> {
        self.text(name).map(Secret::new)
    }
    pub fn flag(&self, name: &str) -> Option<bool> {
        self.0.get(name)?.as_bool()
    }
    pub fn whole(&self, name: &str) -> Option<u64> {
        self.0.get(name)?.as_u64()
    }
    pub fn texts(&self, name: &str) -> BTreeMap<String, String> {
        self.map(name, |it| it.as_str().map(str::to_owned))
    }
    pub fn wholes(&self, name: &str) -> BTreeMap<String, u64> {
        self.map(name, Value::as_u64)
    }
    pub fn list(&self, name: &str) -> Vec<Given> {
        let items = self
            .0
            .get(name)
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        items.cloned().map(Self).collect()
    }

    fn map<T>(&self, name: &str, read: impl Fn(&Value) -> Option<T>) -> BTreeMap<String, T> {
        let entries = self
            .0
            .get(name)
            .and_then(Value::as_object)
            .into_iter()
            .flatten();
        entries
            .filter_map(|(key, value)| Some((key.clone(), read(value)?)))
            .collect()
    }
}
