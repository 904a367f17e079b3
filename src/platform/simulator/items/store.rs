//! What is kept: secrets, logins, buckets, documents, and the record of the whole.

use crate::engine::{Cx, Error, Mend, Result, Secret};
use crate::platform::simulator::{
    Simulator,
    item::{Item, Outside, To},
    outputs,
};
use crate::site::Thing;
use ring::rand::{SecureRandom, SystemRandom};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// An entry of the secret store. Its text is in the secret store's table and nowhere else.
#[derive(Debug, Serialize, Deserialize)]
pub struct SecretEntry {
    pub label: String,
    /// The path under which the user (or the maker of a certificate) gives it; none: made here.
    pub given: Option<String>,
    /// Which version of it, or what it belongs to; another one means another text.
    pub version: String,
}
impl Item for SecretEntry {
    const KIND: &'static str = "secret";
    const FIELDS: &'static [(&'static str, Mend)] = &[
        ("label", Mend::Replace),
        ("given", Mend::Update),
        ("version", Mend::Update),
    ];
    fn secret(&self, cx: &Cx<'_, Simulator>, old: bool) -> Result<Option<Secret>> {
        let Some(path) = &self.given else {
            // What was made here once stays: others may use it.
            return if old { Ok(None) } else { made_up().map(Some) };
        };
        match cx.secrets.get(path) {
            Some(secret) => Ok(Some(secret.clone())),
            None if old => Ok(None),
            None => Err(Error::fatal(format!("store secret `{}`", self.label), "its text was not given")
                .at(path.clone())
                .remedy("write-only values are passed on only when their version changes: raise the `_wo_version`")),
        }
    }
}

fn made_up() -> Result<Secret> {
    let mut bytes = [0_u8; 24];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| Error::fatal("make up a password", "the system has no random numbers"))?;
    let text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(Secret::new(text))
}

/// A login that can read these secrets and nothing else.
#[derive(Debug, Serialize, Deserialize)]
pub struct Credential {
    pub reads: Vec<To<SecretEntry>>,
    pub reads_outside: Vec<Outside>,
}
impl Item for Credential {
    const KIND: &'static str = "credential";
    const FIELDS: &'static [(&'static str, Mend)] =
        &[("reads", Mend::Update), ("reads_outside", Mend::Update)];
    fn secret(&self, _cx: &Cx<'_, Simulator>, old: bool) -> Result<Option<Secret>> {
        if old { Ok(None) } else { made_up().map(Some) }
    }
}

#[derive(Debug, Serialize, Deserialize)]
pub struct Bucket {
    pub bucket: String,
    pub outlives: bool,
}
impl Item for Bucket {
    const KIND: &'static str = "bucket";
    const FIELDS: &'static [(&'static str, Mend)] =
        &[("bucket", Mend::Replace), ("outlives", Mend::Update)];
    fn keeps_data(&self) -> bool {
        true
    }
    fn outlives(&self) -> bool {
        self.outlives
    }
    fn takes(&self) -> Vec<(&'static str, u64)> {
        vec![("buckets", 1)]
    }
}

/// What guests fetch and apply by themselves.
#[derive(Debug, Serialize, Deserialize)]
pub struct Document {
    pub content: Value,
}
impl Item for Document {
    const KIND: &'static str = "document";
    const FIELDS: &'static [(&'static str, Mend)] = &[("content", Mend::Update)];
}

/// What the cloud keeps about the whole thing; made last.
#[derive(Debug, Serialize, Deserialize)]
pub struct Finished {
    pub owner: String,
    pub thing: Thing,
}
impl Item for Finished {
    const KIND: &'static str = "record";
    const FIELDS: &'static [(&'static str, Mend)] = &[
        ("owner", Mend::Update),
        ("thing", Mend::Update),
        ("outputs", Mend::Update),
    ];
    fn late_fields(&self, cx: &Cx<'_, Simulator>) -> Result<Map<String, Value>> {
        let outputs = serde_json::to_value(outputs::of(&self.thing, cx.journal))
            .map_err(|why| Error::fatal("write the record", why.to_string()))?;
        Ok(Map::from_iter([("outputs".to_owned(), outputs)]))
    }
}
