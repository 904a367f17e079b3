//! What a resource keeps about an object beside its state, hidden from users. Not encrypted: no place for secrets.

use base64::{Engine, engine::general_purpose::STANDARD};
use std::{collections::BTreeMap, fmt};

/// Bytes by key. Stored by Terraform with the object's state and given back with every call.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Private(BTreeMap<String, Vec<u8>>);

impl Private {
    pub fn get(&self, key: &str) -> Option<&[u8]> {
        self.0.get(key).map(Vec::as_slice)
    }

    pub fn set(&mut self, key: impl Into<String>, bytes: impl Into<Vec<u8>>) {
        self.0.insert(key.into(), bytes.into());
    }

    pub fn remove(&mut self, key: &str) -> Option<Vec<u8>> {
        self.0.remove(key)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        if self.0.is_empty() {
            return Vec::new();
        }
        let entries: serde_json::Map<_, _> = self
            .0
            .iter()
            .map(|(key, bytes)| (key.clone(), STANDARD.encode(bytes).into()))
            .collect();
        serde_json::Value::Object(entries).to_string().into_bytes()
    }

    /// # Errors
    /// If these bytes were not written by [`Private::encode`].
    pub(super) fn decode(bytes: &[u8]) -> Result<Private, String> {
        if bytes.is_empty() {
            return Ok(Private::default());
        }
        let entries: BTreeMap<String, String> = serde_json::from_slice(bytes)
            .map_err(|_| "the private data was not written by this provider".to_owned())?;
        entries
            .into_iter()
            .map(|(key, text)| match STANDARD.decode(text) {
                Ok(bytes) => Ok((key, bytes)),
                Err(_) => Err(format!("the private data `{key}` is damaged")),
            })
            .collect::<Result<_, _>>()
            .map(Private)
    }
}

impl fmt::Debug for Private {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_set_comes_back() {
        let mut private = Private::default();
        assert!(private.encode().is_empty());
        private.set("journal", b"\x00\xff".to_vec());
        let back = Private::decode(&private.encode()).unwrap();
        assert_eq!(back.get("journal"), Some(&b"\x00\xff"[..]));
        assert!(Private::decode(b"{\"a\":\"!\"}").is_err());
        assert!(Private::decode(b"\x00").is_err());
    }
}
