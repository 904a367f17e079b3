//! What an environment's network consists of.

use crate::engine::Mend;
use crate::platform::simulator::item::{Item, Outside, To};
use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};

/// An object of this plan, one of another thing, or one that existed before us, by its id.
#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged, bound = "")]
pub enum On<T> {
    Step(To<T>),
    Outside(Outside),
    Existing(String),
}

impl<T> Clone for On<T> {
    fn clone(&self) -> Self {
        match self {
            Self::Step(step) => Self::Step(step.clone()),
            Self::Outside(outside) => Self::Outside(outside.clone()),
            Self::Existing(id) => Self::Existing(id.clone()),
        }
    }
}

#[derive(Debug, Serialize, Deserialize)]
pub struct Network {
    pub cidr: Ipv4Net,
}
impl Item for Network {
    const KIND: &'static str = "network";
    const FIELDS: &'static [(&'static str, Mend)] = &[("cidr", Mend::Replace)];
    fn takes(&self) -> Vec<(&'static str, u64)> {
        vec![("networks", 1)]
    }
}

#[derive(Debug, Serialize, Deserialize)]
pub struct Subnet {
    pub network: To<Network>,
    pub cidr: Ipv4Net,
    pub dns_nameservers: Vec<String>,
}
impl Item for Subnet {
    const KIND: &'static str = "subnet";
    const FIELDS: &'static [(&'static str, Mend)] = &[
        ("network", Mend::Replace),
        ("cidr", Mend::Replace),
        ("dns_nameservers", Mend::Update),
    ];
}

#[derive(Debug, Serialize, Deserialize)]
pub struct Router {
    pub subnet: To<Subnet>,
    pub external_network: String,
}
impl Item for Router {
    const KIND: &'static str = "router";
    const FIELDS: &'static [(&'static str, Mend)] = &[
        ("subnet", Mend::Replace),
        ("external_network", Mend::Update),
    ];
    const WEIGHT: u32 = 1;
}

/// Which connections one role accepts: `443 from 0.0.0.0/0`.
#[derive(Debug, Serialize, Deserialize)]
pub struct Firewall {
    pub role: String,
    pub rules: Vec<String>,
}
impl Item for Firewall {
    const KIND: &'static str = "firewall";
    const FIELDS: &'static [(&'static str, Mend)] =
        &[("role", Mend::Replace), ("rules", Mend::Update)];
}

#[derive(Debug, Serialize, Deserialize)]
pub struct Zone {
    pub zone: String,
}
impl Item for Zone {
    const KIND: &'static str = "zone";
    const FIELDS: &'static [(&'static str, Mend)] = &[("zone", Mend::Replace)];
}
