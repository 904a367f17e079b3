//! An instance: the application itself, with its web and worker machines.

use super::{Id, Machine, Name, ServiceKind, Settings, Tags, Window};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Instance {
    pub environment: Name,
    pub name: Name,
    pub hostname: String,
    #[serde(default)]
    pub additional_hostnames: Vec<String>,
    pub services: BTreeMap<ServiceKind, Id>,
    #[serde(default)]
    pub certificate: Option<Id>,
    #[serde(default)]
    pub insecure_http: bool,
    /// Filled in at creation where it was not given, and kept.
    pub version: String,
    pub application: Application,
    #[serde(default)]
    pub frontend: Frontend,
    pub web: Web,
    pub worker: Worker,
    pub load_balancer: InstanceBalancer,
    #[serde(default)]
    pub site: SiteSettings,
    #[serde(default)]
    pub admin: Admin,
    #[serde(default)]
    pub mail: Option<Mail>,
    #[serde(default)]
    pub monitoring: Monitoring,
    /// `INVENIO_…` settings of the user's own.
    #[serde(default)]
    pub config: Settings,
    #[serde(default)]
    pub maintenance_window: Option<Window>,
    pub deletion_protection: bool,
    #[serde(default)]
    pub tags: Tags,
}

impl Instance {
    pub fn id(&self) -> Id {
        Id::within(
            super::Sort::Instance,
            self.environment.clone(),
            self.name.clone(),
        )
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Application {
    pub package: String,
    #[serde(default)]
    pub extra_packages: Vec<String>,
    #[serde(default)]
    pub constraints: Option<String>,
    #[serde(default)]
    pub image: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Frontend {
    #[serde(default)]
    pub archive_url: Option<String>,
    #[serde(default)]
    pub sha256: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Web {
    pub nodes: u32,
    pub machine: Machine,
    pub server: WebServer,
    pub processes: u32,
    pub threads: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WebServer {
    Uwsgi,
    Gunicorn,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Worker {
    pub nodes: u32,
    pub machine: Machine,
    pub concurrency: u32,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InstanceBalancer {
    pub max_body_mib: u32,
    /// As written: "60s".
    pub idle_timeout: String,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SiteSettings {
    #[serde(default)]
    pub name: Option<String>,
    #[serde(default)]
    pub support_email: Option<String>,
    #[serde(default)]
    pub timezone: Option<String>,
    #[serde(default)]
    pub languages: Vec<String>,
}

/// The password is the secret `admin.password`; not given: made and kept in the secret store.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Admin {
    #[serde(default)]
    pub email: Option<String>,
    #[serde(default)]
    pub password_wo_version: Option<i64>,
}

/// The password is the secret `mail.password`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Mail {
    pub host: String,
    pub port: u16,
    pub tls: bool,
    #[serde(default)]
    pub username: Option<String>,
    #[serde(default)]
    pub password_wo_version: Option<i64>,
    #[serde(default)]
    pub sender: Option<String>,
}

/// The DSN is the secret `monitoring.sentry_dsn`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Monitoring {
    #[serde(default)]
    pub sentry_dsn_wo_version: Option<i64>,
    #[serde(default)]
    pub sentry_environment: Option<String>,
    #[serde(default)]
    pub metrics: bool,
}
