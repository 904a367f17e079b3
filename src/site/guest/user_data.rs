//! `user_data` for cloud-init: JSON, which is YAML, compressed.

use super::files;
use crate::site::{Id, Name, Role, Sealed, Site, Thing};
use flate2::{Compression, write::GzEncoder};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, io::Write};
use zeroize::Zeroizing;

/// Who a machine is. Nothing here changes during its life, and nothing is secret.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Guest {
    pub environment: Name,
    /// The service or instance it is part of.
    pub thing: Id,
    pub role: Role,
    pub index: u32,
    pub source: DocumentSource,
}

/// Where a machine is told what to be: see [`super::Document`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DocumentSource {
    /// In the server's metadata, cut to pieces by [`super::pack`].
    Metadata,
    /// In files of this folder: `main.json`, `backup.<name>.json`.
    Folder { path: String },
}

/// How a machine gets its secrets: bundles by name (see [`crate::site::secrets`]).
#[derive(Clone)]
pub enum Access {
    /// From Barbican, with an application credential that can read these secrets and nothing else. Their references are in
    /// the document, so that new ones replace no machine.
    Barbican {
        auth_url: String,
        region: Option<String>,
        credential_id: String,
        credential_secret: Sealed,
        /// The authority that the cloud's own certificates come from, PEM.
        ca_pem: Option<String>,
    },
    /// In `user_data` itself, where a cloud has no store: bundles as JSON, by name.
    Inline(BTreeMap<String, Sealed>),
    /// In a file of the machine: one JSON object of bundles by name.
    File { path: String },
}

impl Guest {
    /// The machine of a service or an instance. None for things that have no machines.
    pub fn of(site: &Site, role: Role, index: u32, source: DocumentSource) -> Option<Self> {
        matches!(site.thing, Thing::Service(_) | Thing::Instance(_)).then(|| {
            let thing = site.thing.id();
            Self {
                environment: thing.environment.clone(),
                thing,
                role,
                index,
                source,
            }
        })
    }

    /// Its host name: `database-0`, `ils-web-0`.
    pub fn name(&self) -> String {
        node_name(&self.thing, self.role, self.index)
    }
}

/// The host name of a node: of a service `<name>-<index>`, of an instance `<name>-<role>-<index>`.
pub(super) fn node_name(thing: &Id, role: Role, index: u32) -> String {
    let name = thing.name.as_ref().unwrap_or(&thing.environment);
    if role.keeps_data() {
        format!("{name}-{index}")
    } else {
        format!("{name}-{}-{index}", role.as_str())
    }
}

/// What a server is created with. It may hold a secret (see [`Access`]), and so has no `Debug`.
#[derive(Clone)]
pub struct UserData(Zeroizing<Vec<u8>>);

impl UserData {
    /// As the machine receives it.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
    /// As Nova and EC2 take it. Nova accepts 65535 bytes of this.
    pub fn base64(&self) -> Zeroizing<String> {
        use base64::{Engine, engine::general_purpose::STANDARD};
        Zeroizing::new(STANDARD.encode(&*self.0))
    }
}

/// The boot files of one machine. The same guest and access give the same bytes.
pub fn user_data(guest: &Guest, access: &Access) -> UserData {
    let identity = serde_json::json!({
        "environment": guest.environment,
        "thing": guest.thing.to_string(),
        "name": guest.name(),
        "role": guest.role,
        "index": guest.index,
        "source": guest.source,
    });
    let mut written = vec![file(
        "/etc/invenioils/machine.json",
        &identity.to_string(),
        "0644",
    )];
    let access = Zeroizing::new(access_json(access));
    written.push(file("/etc/invenioils/access.json", &access, "0600"));
    written.extend(files::of(guest.role).map(|it| file(it.path, &it.text(), it.mode)));

    let config = serde_json::json!({
        "hostname": guest.name(),
        "fqdn": format!("{}.{}.internal", guest.name(), guest.environment),
        "preserve_hostname": false,
        "locale": "C.UTF-8",
        "ssh_pwauth": false,
        "disable_root": true,
        "write_files": written,
        "runcmd": [["/bin/sh", "/usr/local/lib/invenioils/install"]],
    });
    let text = Zeroizing::new(format!("#cloud-config\n{config}\n"));
    let mut packed = GzEncoder::new(Vec::new(), Compression::best());
    // writing to memory cannot fail
    let done = packed
        .write_all(text.as_bytes())
        .and_then(|()| packed.finish());
    UserData(Zeroizing::new(done.unwrap_or_default()))
}

fn file(path: &str, text: &str, mode: &str) -> serde_json::Value {
    serde_json::json!({ "path": path, "content": text, "permissions": mode, "owner": "root:root" })
}

fn access_json(access: &Access) -> String {
    let value = match access {
        Access::Barbican {
            auth_url,
            region,
            credential_id,
            credential_secret,
            ca_pem,
        } => serde_json::json!({
            "kind": "barbican",
            "auth_url": auth_url,
            "region": region,
            "credential_id": credential_id,
            "credential_secret": credential_secret.expose(),
            "ca_pem": ca_pem,
        }),
        Access::Inline(bundles) => {
            let plain: BTreeMap<_, _> = bundles
                .iter()
                .map(|(name, bundle)| (name, bundle.expose()))
                .collect();
            serde_json::json!({ "kind": "inline", "bundles": plain })
        }
        Access::File { path } => serde_json::json!({ "kind": "file", "path": path }),
    };
    value.to_string()
}
