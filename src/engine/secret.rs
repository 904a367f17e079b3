//! Secrets in memory: no `Debug`, no `Display`, no serde, wiped on drop.

use std::collections::BTreeMap;
use zeroize::Zeroizing;

/// A password, key or token. The only way to its text is [`Secret::expose`], so that every use can be searched for.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// What the user gave through write-only attributes for this one run, by dotted attribute path without `_wo`
/// (`admin.password`, `imported.private_key_pem`). Lives only as long as the run.
#[derive(Clone, Default)]
pub struct Secrets(BTreeMap<String, Secret>);

impl Secrets {
    pub fn put(&mut self, path: impl Into<String>, secret: Secret) {
        self.0.insert(path.into(), secret);
    }
    pub fn get(&self, path: &str) -> Option<&Secret> {
        self.0.get(path)
    }
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}
