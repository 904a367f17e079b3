//! The kinds of object that the simulated cloud has. A field is what the cloud shows; a reference is what it stands on.

use super::{
    Simulator, catalog,
    item::{Item, Outside, Placed, To},
    outputs,
};
use crate::engine::{Cx, Error, Made, Mend, Result, Secret};
use crate::site::Thing;
use ipnet::Ipv4Net;
use ring::rand::{SecureRandom, SystemRandom};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

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

/// An entry of the secret store. Its text is in the secret store's table and nowhere else.
#[derive(Debug, Serialize, Deserialize)]
pub struct SecretEntry {
    pub label: String,
    /// The path under which the user (or the maker of a certificate) gives it; none: made here.
    pub given: Option<String>,
    /// Which version of it, or what it belongs to; another one means another text.
    pub version: String,
}
impl Item for SecretEntry {
    const KIND: &'static str = "secret";
    const FIELDS: &'static [(&'static str, Mend)] = &[
        ("label", Mend::Replace),
        ("given", Mend::Update),
        ("version", Mend::Update),
    ];
    fn secret(&self, cx: &Cx<'_, Simulator>, old: bool) -> Result<Option<Secret>> {
        let Some(path) = &self.given else {
            // What was made here once stays: others may use it.
            return if old { Ok(None) } else { made_up().map(Some) };
        };
        match cx.secrets.get(path) {
            Some(secret) => Ok(Some(secret.clone())),
            None if old => Ok(None),
            None => Err(Error::fatal(format!("store secret `{}`", self.label), "its text was not given")
                .at(path.clone())
                .remedy("write-only values are passed on only when their version changes: raise the `_wo_version`")),
        }
    }
}

fn made_up() -> Result<Secret> {
    let mut bytes = [0_u8; 24];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| Error::fatal("make up a password", "the system has no random numbers"))?;
    let text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(Secret::new(text))
}

/// A login that can read these secrets and nothing else.
#[derive(Debug, Serialize, Deserialize)]
pub struct Credential {
    pub reads: Vec<To<SecretEntry>>,
    pub reads_outside: Vec<Outside>,
}
impl Item for Credential {
    const KIND: &'static str = "credential";
    const FIELDS: &'static [(&'static str, Mend)] =
        &[("reads", Mend::Update), ("reads_outside", Mend::Update)];
    fn secret(&self, _cx: &Cx<'_, Simulator>, old: bool) -> Result<Option<Secret>> {
        if old { Ok(None) } else { made_up().map(Some) }
    }
}

#[derive(Debug, Serialize, Deserialize)]
pub struct Bucket {
    pub bucket: String,
    pub outlives: bool,
}
impl Item for Bucket {
    const KIND: &'static str = "bucket";
    const FIELDS: &'static [(&'static str, Mend)] =
        &[("bucket", Mend::Replace), ("outlives", Mend::Update)];
    fn keeps_data(&self) -> bool {
        true
    }
    fn outlives(&self) -> bool {
        self.outlives
    }
    fn takes(&self) -> Vec<(&'static str, u64)> {
        vec![("buckets", 1)]
    }
}

/// What guests fetch and apply by themselves.
#[derive(Debug, Serialize, Deserialize)]
pub struct Document {
    pub content: Value,
}
impl Item for Document {
    const KIND: &'static str = "document";
    const FIELDS: &'static [(&'static str, Mend)] = &[("content", Mend::Update)];
}

/// What the cloud keeps about the whole thing; made last.
#[derive(Debug, Serialize, Deserialize)]
pub struct Finished {
    pub owner: String,
    pub thing: Thing,
}
impl Item for Finished {
    const KIND: &'static str = "record";
    const FIELDS: &'static [(&'static str, Mend)] = &[
        ("owner", Mend::Update),
        ("thing", Mend::Update),
        ("outputs", Mend::Update),
    ];
    fn late_fields(&self, cx: &Cx<'_, Simulator>) -> Result<Map<String, Value>> {
        let outputs = serde_json::to_value(outputs::of(&self.thing, cx.journal))
            .map_err(|why| Error::fatal("write the record", why.to_string()))?;
        Ok(Map::from_iter([("outputs".to_owned(), outputs)]))
    }
}
