//! What a machine is told while it runs, and how it travels.

use super::user_data::node_name;
use crate::site::{
    Backend, BackupPolicy, Endpoint, Id, Name, Packages, Record, Role, ServiceKind, Site, Tags,
    Thing, secrets,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use flate2::{Compression, write::GzEncoder};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, io::Write};

/// Everything about one machine that may change without replacing it. Holds no secret.
///
/// Made from the site alone, except for `nodes`, `volume` and `secrets`, which the platform fills in when it knows them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Document {
    /// Grows when older programs could not read it.
    pub format: u32,
    /// The service or instance as it was declared, without tags.
    pub thing: Thing,
    /// The network that machines of this environment are in.
    pub cidr: String,
    /// All nodes of this role, this one included, in order.
    #[serde(default)]
    pub nodes: Vec<Neighbour>,
    /// The volume's id at the cloud, for machines that keep data.
    #[serde(default)]
    pub volume: Option<String>,
    /// References of secrets by bundle name, where they come from a store.
    #[serde(default)]
    pub secrets: BTreeMap<String, String>,
    /// The services that the application uses.
    #[serde(default)]
    pub services: BTreeMap<ServiceKind, Reach>,
    #[serde(default)]
    pub packages: Packages,
    #[serde(default)]
    pub ssh_public_key: Option<String>,
    #[serde(default)]
    pub alert_email: Option<String>,
}

/// A machine next door.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Neighbour {
    pub name: String,
    pub address: String,
}

/// How the application reaches a service.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reach {
    /// With names that the service's certificate is for; of an external service the name is its host.
    pub hosts: Vec<Neighbour>,
    pub port: u16,
    /// Database, virtual host or bucket.
    pub name: String,
    pub tls: bool,
    pub external: bool,
    #[serde(default)]
    pub version: Option<String>,
    #[serde(default)]
    pub backend: Option<Backend>,
}

/// What a backup policy tells the machines of a service. Travels beside the main document.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BackupDocument {
    pub format: u32,
    pub policy: BackupPolicy,
    /// Filled in by the platform where the user gave none.
    #[serde(default)]
    pub bucket: Option<String>,
    #[serde(default)]
    pub endpoint: Option<String>,
    #[serde(default)]
    pub region: Option<String>,
    /// Object stores of the policy that this service's first node backs up, for they have no machine of their own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<FileStore>,
    /// The reference of the bundle with `access_key` and `secret_key`, under the name `backup`.
    #[serde(default)]
    pub secrets: BTreeMap<String, String>,
}

/// Where the application keeps its files, for whoever copies them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileStore {
    pub service: Name,
    pub bucket: String,
    /// Where the backups themselves do not go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
}

/// What this machine of a service or instance is told. None for things that have no machines, or without an environment.
pub fn document(site: &Site, role: Role) -> Option<Document> {
    let environment = site.environment()?;
    let mut thing = site.thing.clone();
    let services = match &mut thing {
        Thing::Service(service) => {
            service.tags = Tags::default();
            BTreeMap::new()
        }
        Thing::Instance(instance) => {
            instance.tags = Tags::default();
            let reached =
                |(kind, id): (&ServiceKind, &Id)| Some((*kind, reach(site.around.get(id)?)?));
            instance.services.iter().filter_map(reached).collect()
        }
        _ => return None,
    };
    debug_assert!(role != Role::Balancer);
    Some(Document {
        format: 1,
        thing,
        cidr: environment.network.cidr.to_string(),
        nodes: Vec::new(),
        volume: None,
        secrets: BTreeMap::new(),
        services,
        packages: environment.packages.clone(),
        ssh_public_key: environment.access.ssh_public_key.clone(),
        alert_email: environment.alerts.email.clone(),
    })
}

/// What a backup policy tells machines.
pub fn backup_document(policy: &BackupPolicy) -> BackupDocument {
    BackupDocument {
        format: 1,
        policy: policy.clone(),
        bucket: policy.target.bucket.clone(),
        endpoint: policy.target.endpoint.clone(),
        region: policy.target.region.clone(),
        files: Vec::new(),
        secrets: BTreeMap::new(),
    }
}

/// A node by its place: its host name, and the name that its service's certificate is for.
pub fn neighbour(thing: &Id, role: Role, index: u32, address: impl Into<String>) -> Neighbour {
    Neighbour {
        name: node_name(thing, role, index),
        address: address.into(),
    }
}

fn reach(record: &Record) -> Option<Reach> {
    let Thing::Service(service) = &record.thing else {
        return None;
    };
    let role = Role::from(service.kind);
    if let Some(external) = &service.external {
        return Some(Reach {
            hosts: vec![Neighbour {
                name: external.host.clone(),
                address: external.host.clone(),
            }],
            port: external.port,
            name: external
                .name
                .clone()
                .unwrap_or_else(|| secrets::USER.to_owned()),
            tls: external.tls,
            external: true,
            version: service.version.clone(),
            backend: service.backend,
        });
    }
    let Endpoint {
        host,
        port,
        hosts,
        name,
        tls,
    } = record.outputs.endpoint.clone()?;
    let zone = secrets::internal_zone(service);
    let named = |(index, address): (usize, String)| Neighbour {
        name: format!(
            "{}.{zone}",
            node_name(
                &service.id(),
                role,
                u32::try_from(index).unwrap_or_default()
            )
        ),
        address,
    };
    let hosts: Vec<_> = if service.backend == Some(Backend::Object) {
        vec![Neighbour {
            name: host.clone(),
            address: host,
        }]
    } else {
        hosts.into_iter().enumerate().map(named).collect()
    };
    Some(Reach {
        hosts,
        port,
        name,
        tls,
        external: false,
        version: service.version.clone(),
        backend: service.backend,
    })
}

/// Cuts a document to pieces that fit a server's metadata (255 letters a value): `<part>.0`, `<part>.1`, … The first tells
/// how many there are, so that pieces of an older, longer document do no harm. `part` is `main` or `backup.<name>`.
pub fn pack(part: &str, document: &impl Serialize) -> BTreeMap<String, String> {
    const ROOM: usize = 250;
    let json = serde_json::to_vec(document).unwrap_or_default();
    let mut packed = GzEncoder::new(Vec::new(), Compression::best());
    // writing to memory cannot fail
    let bytes = packed
        .write_all(&json)
        .and_then(|()| packed.finish())
        .unwrap_or_default();
    let text = STANDARD.encode(bytes);
    let pieces: Vec<&str> = text
        .as_bytes()
        .chunks(ROOM)
        .filter_map(|piece| std::str::from_utf8(piece).ok())
        .collect();
    let count = pieces.len();
    let piece = |(index, piece): (usize, &str)| {
        let value = if index == 0 {
            format!("{count}:{piece}")
        } else {
            piece.to_owned()
        };
        (format!("{part}.{index}"), value)
    };
    pieces.into_iter().enumerate().map(piece).collect()
}
