//! An environment: where everything of one site lives.

use super::{Name, Tags};
use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Environment {
    pub name: Name,
    pub network: Network,
    #[serde(default)]
    pub load_balancer: EnvironmentBalancer,
    #[serde(default)]
    pub access: Access,
    #[serde(default)]
    pub dns: Dns,
    #[serde(default)]
    pub image: Image,
    #[serde(default)]
    pub packages: Packages,
    #[serde(default)]
    pub alerts: Alerts,
    #[serde(default)]
    pub tags: Tags,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Network {
    pub cidr: Ipv4Net,
    /// Name or id as written; the platform fills it in at creation where it was not.
    #[serde(default)]
    pub external_network: Option<String>,
    #[serde(default)]
    pub dns_nameservers: Vec<String>,
    #[serde(default)]
    pub existing: Option<ExistingNetwork>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExistingNetwork {
    pub network_id: String,
    pub subnet_id: String,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct EnvironmentBalancer {
    #[serde(default)]
    pub provider: Option<String>,
    #[serde(default)]
    pub flavor: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Access {
    /// Who reaches the site; empty: everyone.
    #[serde(default)]
    pub allowed_cidrs: Vec<Ipv4Net>,
    /// Who may log in to the machines; empty: nobody.
    #[serde(default)]
    pub ssh_cidrs: Vec<Ipv4Net>,
    #[serde(default)]
    pub ssh_public_key: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Dns {
    /// `example.org.`, with the dot.
    #[serde(default)]
    pub zone: Option<String>,
    #[serde(default)]
    pub manage_zone: bool,
}

/// What machines boot from. `id` is filled in at creation and kept.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Image {
    #[serde(default)]
    pub name: Option<String>,
    #[serde(default)]
    pub id: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Packages {
    #[serde(default)]
    pub index_url: Option<String>,
    #[serde(default)]
    pub apt_mirror: Option<String>,
    #[serde(default)]
    pub opensearch_url: Option<String>,
    #[serde(default)]
    pub ca_pem: Option<String>,
}

/// Who hears of failed backups, expiring certificates and ill machines. The web hooks themselves are secrets
/// (`alerts.webhook_url`, `alerts.grafana_oncall_url`).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Alerts {
    #[serde(default)]
    pub webhook_url_wo_version: Option<i64>,
    #[serde(default)]
    pub grafana_oncall_url_wo_version: Option<i64>,
    #[serde(default)]
    pub email: Option<String>,
}
