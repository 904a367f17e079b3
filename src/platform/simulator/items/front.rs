//! The way in: the balancer, its public address and what it serves.

use super::{Machine, On, Subnet};
use crate::engine::{Made, Mend};
use crate::platform::simulator::item::{Item, Outside, Placed, To};
use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize)]
pub struct Balancer {
    pub subnet: On<Subnet>,
    pub provider: Option<String>,
    pub flavor: Option<String>,
}
impl Item for Balancer {
    const KIND: &'static str = "balancer";
    const FIELDS: &'static [(&'static str, Mend)] = &[
        ("subnet", Mend::Replace),
        ("provider", Mend::Replace),
        ("flavor", Mend::Replace),
    ];
    const WEIGHT: u32 = 4;
    /// It takes longest; whoever puts listeners on it waits for it.
    fn awaited(&self) -> bool {
        false
    }
    fn takes(&self) -> Vec<(&'static str, u64)> {
        vec![("balancers", 1)]
    }
}

/// A public address: users' DNS points to it, so it stays.
#[derive(Debug, Serialize, Deserialize)]
pub struct Address {
    pub balancer: Made<Placed<Balancer>>,
    pub external_network: String,
}
impl Item for Address {
    const KIND: &'static str = "address";
    const FIELDS: &'static [(&'static str, Mend)] = &[
        ("balancer", Mend::Update),
        ("external_network", Mend::Replace),
    ];
    fn keeps_data(&self) -> bool {
        true
    }
    fn pool(&self) -> Option<Ipv4Net> {
        Ipv4Net::new([203, 0, 113, 0].into(), 24).ok()
    }
    fn takes(&self) -> Vec<(&'static str, u64)> {
        vec![("addresses", 1)]
    }
}

#[derive(Debug, Serialize, Deserialize)]
pub struct Listener {
    pub balancer: Outside,
    pub protocol: String,
    pub port: u16,
    pub certificate: Option<Outside>,
    pub idle_timeout: String,
}
impl Item for Listener {
    const KIND: &'static str = "listener";
    const FIELDS: &'static [(&'static str, Mend)] = &[
        ("balancer", Mend::Replace),
        ("protocol", Mend::Replace),
        ("port", Mend::Replace),
        ("certificate", Mend::Update),
        ("idle_timeout", Mend::Update),
    ];
    const WEIGHT: u32 = 1;
}

/// The machines behind a listener, and how their health is asked for.
#[derive(Debug, Serialize, Deserialize)]
pub struct Pool {
    pub listener: To<Listener>,
    pub health_path: String,
}
impl Item for Pool {
    const KIND: &'static str = "pool";
    const FIELDS: &'static [(&'static str, Mend)] =
        &[("listener", Mend::Replace), ("health_path", Mend::Update)];
    const WEIGHT: u32 = 1;
}

#[derive(Debug, Serialize, Deserialize)]
pub struct Member {
    pub pool: To<Pool>,
    pub machine: To<Machine>,
    pub port: u16,
}
impl Item for Member {
    const KIND: &'static str = "member";
    const FIELDS: &'static [(&'static str, Mend)] = &[
        ("pool", Mend::Replace),
        ("machine", Mend::Replace),
        ("port", Mend::Replace),
    ];
    const WEIGHT: u32 = 1;
}

#[derive(Debug, Serialize, Deserialize)]
pub struct DnsRecord {
    pub zone: String,
    pub hostname: String,
    /// The address that it points to.
    pub address: Outside,
}
impl Item for DnsRecord {
    const KIND: &'static str = "dns_record";
    const FIELDS: &'static [(&'static str, Mend)] = &[
        ("zone", Mend::Replace),
        ("hostname", Mend::Replace),
        ("address", Mend::Update),
    ];
}
