//! What the five kinds have in common, what others may know of them, and the record that the cloud keeps.

use super::{
    BackupPolicy, Certificate, Environment, Id, Instance, Latest, Service, ServiceKind, Sort,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

pub type Tags = BTreeMap<String, String>;
pub type Settings = BTreeMap<String, String>;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Window {
    /// `monday` … `sunday`
    pub day: String,
    pub hour: u32,
    pub timezone: String,
}

/// One thing that the user declared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(
    clippy::large_enum_variant,
    reason = "there are a handful of these, and none is copied in a loop"
)]
pub enum Thing {
    Environment(Environment),
    Service(Service),
    Certificate(Certificate),
    Instance(Instance),
    BackupPolicy(BackupPolicy),
}

impl Thing {
    pub fn id(&self) -> Id {
        match self {
            Self::Environment(it) => Id::environment(it.name.clone()),
            Self::Service(it) => it.id(),
            Self::Certificate(it) => {
                Id::within(Sort::Certificate, it.environment.clone(), it.name.clone())
            }
            Self::Instance(it) => it.id(),
            Self::BackupPolicy(it) => it.id(),
        }
    }
    /// The services, certificate and environment that it is made on.
    pub fn needs(&self) -> Vec<Id> {
        let id = self.id();
        let mut needs = Vec::new();
        if id.sort != Sort::Environment {
            needs.push(Id::environment(id.environment.clone()));
        }
        match self {
            Self::Instance(it) => {
                needs.extend(it.services.values().chain(&it.certificate).cloned())
            }
            Self::BackupPolicy(it) => needs.extend(it.services.iter().cloned()),
            _ => {}
        }
        needs
    }
}

/// What a thing shows once it is made: computed attributes, and what its neighbours need of it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Outputs {
    #[serde(default)]
    pub network_id: Option<String>,
    #[serde(default)]
    pub subnet_id: Option<String>,
    #[serde(default)]
    pub public_address: Option<String>,
    #[serde(default)]
    pub secret_store: Option<String>,
    #[serde(default)]
    pub endpoint: Option<Endpoint>,
    /// Where the thing's main secret lies: a reference, not the secret.
    #[serde(default)]
    pub secret_id: Option<String>,
    #[serde(default)]
    pub nodes: Vec<Node>,
    #[serde(default)]
    pub bucket: Option<String>,
    #[serde(default)]
    pub installed_version: Option<String>,
    /// A policy's newest backup. Not recorded: it changes without us.
    #[serde(skip)]
    pub latest: Option<Latest>,
    /// Nobody could be asked for it: what was known of it holds.
    #[serde(skip)]
    pub latest_unheard: bool,
    /// What is wrong with its machines by their own word, a sentence each.
    #[serde(skip)]
    pub ills: Vec<String>,
    /// The platform's own ids that neighbours build on (`balancer`, `group.web`): not shown, not secret.
    #[serde(default)]
    pub links: BTreeMap<String, String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Endpoint {
    pub host: String,
    pub port: u16,
    /// Every node's address, the first one first.
    pub hosts: Vec<String>,
    /// Database, virtual host or bucket.
    pub name: String,
    /// Whether it speaks TLS. Object stores of some clouds do not.
    #[serde(default = "yes")]
    pub tls: bool,
}

const fn yes() -> bool {
    true
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Node {
    pub name: String,
    pub role: String,
    pub address: String,
    pub platform_id: String,
    pub zone: String,
    /// [`Node::READY`], or what it is instead: by its own word where it has given one, else by the cloud's.
    pub state: String,
}

impl Node {
    pub const READY: &str = "ready";

    pub fn is_ready(&self) -> bool {
        self.state == Self::READY
    }
}

/// What the cloud keeps about a thing so that a lost state can be had back. It is written last when the thing is made
/// and removed first when it goes: where there is a record, the thing was finished once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    pub owner: String,
    pub thing: Thing,
    pub outputs: Outputs,
}

/// A thing with everything around it that its plan needs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Site {
    pub owner: String,
    pub default_tags: Tags,
    pub thing: Thing,
    /// The records of what it needs, by id; `outputs` are empty where only planned so far.
    #[serde(with = "as_list")]
    pub around: BTreeMap<Id, Record>,
}

/// Ids are no JSON keys, and a record knows its own.
mod as_list {
    use super::{BTreeMap, Id, Record};
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(
        around: &BTreeMap<Id, Record>,
        out: S,
    ) -> Result<S::Ok, S::Error> {
        out.collect_seq(around.values())
    }
    pub fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<BTreeMap<Id, Record>, D::Error> {
        let records = Vec::<Record>::deserialize(from)?;
        Ok(records.into_iter().map(|it| (it.thing.id(), it)).collect())
    }
}

impl Site {
    pub fn environment(&self) -> Option<&Environment> {
        if let Thing::Environment(it) = &self.thing {
            return Some(it);
        }
        let id = Id::environment(self.thing.id().environment);
        match &self.around.get(&id)?.thing {
            Thing::Environment(it) => Some(it),
            _ => None,
        }
    }
    /// How many machines each of an instance's services shall have. It is known before they have addresses, so a plan tells
    /// that the instance follows when a service is given more.
    pub fn machines_behind(&self, instance: &Instance) -> BTreeMap<String, u32> {
        let machines = |(kind, id): (&ServiceKind, &Id)| match &self.around.get(id)?.thing {
            Thing::Service(it) => Some((kind.as_str().to_owned(), it.machines())),
            _ => None,
        };
        instance.services.iter().filter_map(machines).collect()
    }
}
