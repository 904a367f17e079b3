//! A service: a thing that keeps data.

use super::{Id, Name, Settings, Tags, Window};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ServiceKind {
    Database,
    Search,
    Cache,
    Queue,
    Storage,
}

impl ServiceKind {
    pub const ALL: [Self; 5] = [
        Self::Database,
        Self::Search,
        Self::Cache,
        Self::Queue,
        Self::Storage,
    ];
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Database => "database",
            Self::Search => "search",
            Self::Cache => "cache",
            Self::Queue => "queue",
            Self::Storage => "storage",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Service {
    pub environment: Name,
    pub kind: ServiceKind,
    pub name: Name,
    /// Filled in at creation where it was not given, and kept. None for `external` and object storage.
    #[serde(default)]
    pub version: Option<String>,
    pub machine: Machine,
    pub nodes: u32,
    pub disk_gib: u32,
    #[serde(default)]
    pub disk_type: Option<String>,
    /// Storage only.
    #[serde(default)]
    pub backend: Option<Backend>,
    #[serde(default)]
    pub external: Option<External>,
    #[serde(default)]
    pub settings: Settings,
    #[serde(default)]
    pub maintenance_window: Option<Window>,
    pub deletion_protection: bool,
    #[serde(default)]
    pub tags: Tags,
}

impl Service {
    pub fn id(&self) -> Id {
        Id::within(
            super::Sort::Service,
            self.environment.clone(),
            self.name.clone(),
        )
    }
    /// Machines of its own: not for what exists elsewhere, nor for an object store.
    pub fn machines(&self) -> u32 {
        match (&self.external, self.backend) {
            (Some(_), _) | (_, Some(Backend::Object)) => 0,
            _ => self.nodes,
        }
    }
    /// Whether its machines make backups: a cache keeps nothing that is worth one.
    pub fn is_backed_up(&self) -> bool {
        self.machines() > 0 && self.kind != ServiceKind::Cache
    }
}

/// What a node is: a size of ours, or the cloud's own flavor. `flavor` is filled in at creation and kept.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    #[serde(default)]
    pub size: Option<Size>,
    #[serde(default)]
    pub flavor: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Size {
    Small,
    Medium,
    Large,
}

impl Size {
    pub const ALL: [Self; 3] = [Self::Small, Self::Medium, Self::Large];
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Small => "small",
            Self::Medium => "medium",
            Self::Large => "large",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Backend {
    Object,
    File,
}

/// A service that exists already. The password is the secret `external.password`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct External {
    pub host: String,
    pub port: u16,
    #[serde(default)]
    pub username: Option<String>,
    #[serde(default)]
    pub password_wo_version: Option<i64>,
    pub tls: bool,
    #[serde(default)]
    pub ca_pem: Option<String>,
    /// Database, virtual host or bucket.
    #[serde(default)]
    pub name: Option<String>,
}
