//! Secrets that this process has written or read, so that it need not ask for them again. Wiped when it ends.

use crate::site::Sealed;
use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

#[derive(Default)]
pub struct Vault(Mutex<BTreeMap<String, Sealed>>);

impl Vault {
    pub fn get(&self, id: &str) -> Option<Sealed> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(id)
            .cloned()
    }
    pub fn put(&self, id: &str, text: Sealed) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(id.to_owned(), text);
    }
}
