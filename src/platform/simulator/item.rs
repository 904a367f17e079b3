//! What is particular to one kind of simulated object, and what all have: a mark, tags, facts.

use super::Simulator;
use crate::engine::{Cx, Mend, Ref, Result, Secret};
use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// What is particular to one kind of object. Its serialised fields are what the cloud shows of it, references resolved.
pub trait Item: Serialize + DeserializeOwned + Send + Sync + 'static {
    const KIND: &'static str;
    /// Every field, and what it takes to change it.
    const FIELDS: &'static [(&'static str, Mend)];
    /// How many latencies it takes to come and to go; none: at once.
    const WEIGHT: u32 = 0;

    fn keeps_data(&self) -> bool {
        false
    }
    fn awaited(&self) -> bool {
        true
    }
    fn outlives(&self) -> bool {
        false
    }
    /// What it takes from quotas.
    fn takes(&self) -> Vec<(&'static str, u64)> {
        Vec::new()
    }
    /// Where it gets an address from.
    fn pool(&self) -> Option<Ipv4Net> {
        None
    }
    /// What is kept in the secret store for it. `old`: whether there is a secret already.
    fn secret(&self, _cx: &Cx<'_, Simulator>, _old: bool) -> Result<Option<Secret>> {
        Ok(None)
    }
    /// Fields that only the run knows.
    fn late_fields(&self, _cx: &Cx<'_, Simulator>) -> Result<Map<String, Value>> {
        Ok(Map::new())
    }
}

/// Whose an object is: which thing's, and which step of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Mark {
    /// `service:library/database`
    pub thing: String,
    pub step: String,
}

/// An item with its mark and tags.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Placed<T> {
    pub mark: Mark,
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
    pub item: T,
}

/// A reference to such an object.
pub type To<T> = Ref<Placed<T>>;

/// An object of another thing, by its mark: there is no step of ours to refer to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outside {
    #[serde(rename = "$outside")]
    pub mark: Mark,
}

/// What is known of a made object.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Facts {
    pub id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
}
