//! Machines, and what outlives them: their addresses and their volumes.

use super::{Credential, On, Subnet};
use crate::engine::Mend;
use crate::platform::simulator::{
    catalog,
    item::{Item, Outside, To},
};
use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};

/// A fixed address inside, for a machine that others know by it.
#[derive(Debug, Serialize, Deserialize)]
pub struct Port {
    pub subnet: On<Subnet>,
    pub firewall: Outside,
    pub cidr: Ipv4Net,
}
impl Item for Port {
    const KIND: &'static str = "port";
    const FIELDS: &'static [(&'static str, Mend)] = &[
        ("subnet", Mend::Replace),
        ("firewall", Mend::Update),
        ("cidr", Mend::Replace),
    ];
    fn keeps_data(&self) -> bool {
        true
    }
    fn pool(&self) -> Option<Ipv4Net> {
        Some(self.cidr)
    }
    fn takes(&self) -> Vec<(&'static str, u64)> {
        vec![("ports", 1)]
    }
}

#[derive(Debug, Serialize, Deserialize)]
pub struct Volume {
    pub size_gib: u32,
    pub disk_type: Option<String>,
}
impl Item for Volume {
    const KIND: &'static str = "volume";
    const FIELDS: &'static [(&'static str, Mend)] =
        &[("size_gib", Mend::Update), ("disk_type", Mend::Update)];
    const WEIGHT: u32 = 1;
    fn keeps_data(&self) -> bool {
        true
    }
    fn takes(&self) -> Vec<(&'static str, u64)> {
        vec![("volumes", 1), ("gigabytes", u64::from(self.size_gib))]
    }
}

#[derive(Debug, Serialize, Deserialize)]
pub struct Machine {
    pub role: String,
    pub flavor: String,
    pub image: String,
    /// What it boots as: a hash of its boot files' inputs.
    pub boot: String,
    /// Its fixed address; none: it gets one of its own.
    pub port: Option<To<Port>>,
    pub credential: Option<To<Credential>>,
    pub subnet: On<Subnet>,
    pub firewall: Outside,
    pub cidr: Ipv4Net,
}
impl Item for Machine {
    const KIND: &'static str = "machine";
    const FIELDS: &'static [(&'static str, Mend)] = &[
        ("role", Mend::Replace),
        ("flavor", Mend::Replace),
        ("image", Mend::Replace),
        ("boot", Mend::Replace),
        ("port", Mend::Replace),
        ("credential", Mend::Replace),
        ("subnet", Mend::Replace),
        ("firewall", Mend::Update),
        ("cidr", Mend::Replace),
    ];
    const WEIGHT: u32 = 3;
    fn pool(&self) -> Option<Ipv4Net> {
        self.port.is_none().then_some(self.cidr)
    }
    fn takes(&self) -> Vec<(&'static str, u64)> {
        let mut takes = vec![("machines", 1)];
        if let Some(flavor) = catalog::flavor_named(&self.flavor) {
            takes.extend([
                ("cores", u64::from(flavor.vcpus)),
                ("ram_mib", u64::from(flavor.ram_mib)),
            ]);
        }
        takes
    }
}

#[derive(Debug, Serialize, Deserialize)]
pub struct Attachment {
    pub machine: To<Machine>,
    pub volume: To<Volume>,
}
impl Item for Attachment {
    const KIND: &'static str = "attachment";
    const FIELDS: &'static [(&'static str, Mend)] =
        &[("machine", Mend::Replace), ("volume", Mend::Replace)];
    const WEIGHT: u32 = 1;
}
