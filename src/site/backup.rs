//! A backup policy: what is kept, when, for how long, and where.

use super::{Id, Name};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BackupPolicy {
    pub environment: Name,
    pub name: Name,
    pub services: Vec<Id>,
    /// Five fields, as written.
    pub schedule: String,
    pub timezone: String,
    pub paused: bool,
    pub retention: Retention,
    pub point_in_time_days: u32,
    #[serde(default)]
    pub target: Target,
    #[serde(default)]
    pub encryption: Encryption,
    #[serde(default)]
    pub verify_schedule: Option<String>,
    pub keep_on_destroy: bool,
}

impl BackupPolicy {
    pub fn id(&self) -> Id {
        Id::within(
            super::Sort::BackupPolicy,
            self.environment.clone(),
            self.name.clone(),
        )
    }

    /// Where a service's backups lie in the bucket: as `guest/files/backup.py` calls it.
    pub fn folder(&self, service: &Name) -> String {
        let prefix = self.target.prefix.as_deref().unwrap_or_default();
        [
            prefix.trim_matches('/'),
            self.environment.as_str(),
            service.as_str(),
        ]
        .into_iter()
        .filter(|part| !part.is_empty())
        .fold(String::new(), |path, part| path + part + "/")
    }
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Retention {
    #[serde(default)]
    pub last: Option<u32>,
    #[serde(default)]
    pub hourly: Option<u32>,
    #[serde(default)]
    pub daily: Option<u32>,
    #[serde(default)]
    pub weekly: Option<u32>,
    #[serde(default)]
    pub monthly: Option<u32>,
    #[serde(default)]
    pub yearly: Option<u32>,
}

/// Where backups go. No bucket given: one is made and kept. The key is the secret `target.secret_key`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Target {
    #[serde(default)]
    pub bucket: Option<String>,
    #[serde(default)]
    pub prefix: Option<String>,
    #[serde(default)]
    pub endpoint: Option<String>,
    #[serde(default)]
    pub region: Option<String>,
    #[serde(default)]
    pub access_key: Option<String>,
    #[serde(default)]
    pub secret_key_wo_version: Option<i64>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Encryption {
    #[serde(default)]
    pub recipients: Vec<String>,
}
