//! Servers and flavors as Nova tells of them.

use super::super::Of;
use crate::engine::Standing;
use crate::platform::openstack::{lists::Marked, mark::OURS};
use crate::site::Node;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Machine {
    pub id: String,
    #[serde(default)]
    pub zone: String,
    #[serde(default)]
    pub state: String,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Listed {
    pub id: String,
    #[serde(default)]
    pub name: String,
    pub status: String,
    #[serde(default)]
    pub metadata: BTreeMap<String, String>,
    #[serde(default)]
    pub flavor: Value,
    #[serde(default)]
    pub image: Value,
    #[serde(default)]
    pub fault: Option<Fault>,
    #[serde(default, rename = "OS-EXT-STS:task_state")]
    pub task: Option<String>,
    #[serde(default, rename = "OS-EXT-AZ:availability_zone")]
    pub zone: Option<String>,
    #[serde(default, rename = "os-extended-volumes:volumes_attached")]
    pub volumes: Vec<Of>,
    #[serde(default)]
    pub server_groups: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Fault {
    #[serde(default)]
    pub message: String,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Flavor {
    pub id: String,
    pub name: String,
    pub vcpus: u32,
    pub ram: u32,
    pub disk: u32,
}

impl Marked for Listed {
    fn id(&self) -> &str {
        &self.id
    }
    fn mark(&self) -> &str {
        self.metadata.get(OURS).map_or("", String::as_str)
    }
}

impl Listed {
    pub fn is_leaving(&self) -> bool {
        self.standing() == Standing::Leaving
    }
    pub(super) fn standing(&self) -> Standing {
        if self.task.as_deref() == Some("deleting") {
            return Standing::Leaving;
        }
        match self.status.as_str() {
            "ACTIVE" if self.task.is_none() => Standing::Ready,
            // These are differences that can be mended.
            "SHUTOFF" | "PAUSED" | "SUSPENDED" | "VERIFY_RESIZE" if self.task.is_none() => {
                Standing::Ready
            }
            "ERROR" => Standing::Broken(self.fault.as_ref().map_or_else(
                || "ERROR".to_owned(),
                |fault| format!("ERROR: {}", fault.message),
            )),
            "DELETED" | "SOFT_DELETED" => Standing::Leaving,
            status => Standing::Pending(
                self.task
                    .as_ref()
                    .map_or_else(|| status.to_owned(), |task| format!("{status} ({task})")),
            ),
        }
    }
    pub(super) fn machine(&self) -> Machine {
        let state = if self.status == "ACTIVE" {
            Node::READY.to_owned()
        } else {
            self.status.to_lowercase()
        };
        Machine {
            id: self.id.clone(),
            zone: self.zone.clone().unwrap_or_default(),
            state,
        }
    }
}
