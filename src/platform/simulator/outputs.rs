//! What a thing shows of itself, from what its steps left in the journal.

use super::item::Facts;
use crate::engine::{Entry, Journal, Phase};
use crate::site::{Endpoint, Node, Outputs, Service, ServiceKind, Thing};

/// The outputs that the thing's own objects give. What it shows of its environment's is added by who knows that.
pub fn of(thing: &Thing, journal: &Journal) -> Outputs {
    let facts = |step: &str| journal.get(step).as_ref().and_then(facts);
    let id = |step: &str| facts(step).map(|facts| facts.id);
    match thing {
        Thing::Environment(it) => Outputs {
            network_id: it
                .network
                .existing
                .as_ref()
                .map(|it| it.network_id.clone())
                .or_else(|| id("network")),
            subnet_id: it
                .network
                .existing
                .as_ref()
                .map(|it| it.subnet_id.clone())
                .or_else(|| id("subnet")),
            public_address: facts("address").and_then(|facts| facts.address),
            secret_store: Some("simulator".to_owned()),
            ..Outputs::default()
        },
        Thing::Service(it) => {
            let nodes = nodes(journal);
            Outputs {
                endpoint: endpoint(it, &nodes, facts("bucket")),
                secret_id: id("secret"),
                bucket: facts("bucket").map(|facts| facts.id),
                nodes,
                ..Outputs::default()
            }
        }
        Thing::Certificate(_) => Outputs {
            secret_id: id("key"),
            ..Outputs::default()
        },
        Thing::Instance(it) => Outputs {
            secret_id: id("secret-admin"),
            nodes: nodes(journal),
            installed_version: Some(it.version.clone()),
            ..Outputs::default()
        },
        Thing::BackupPolicy(it) => Outputs {
            bucket: it.target.bucket.clone().or_else(|| id("bucket")),
            secret_id: id("key"),
            ..Outputs::default()
        },
    }
}

fn facts(entry: &Entry) -> Option<Facts> {
    serde_json::from_value(entry.facts.clone()?).ok()
}

/// The machines, by group and number. While one is replaced by another, the newer one stands for both.
fn nodes(journal: &Journal) -> Vec<Node> {
    let mut nodes: Vec<((String, u32), Node)> = Vec::new();
    for (name, entry) in journal.entries() {
        let (Some(slot), Some(made)) = (&entry.slot, facts(&entry)) else {
            continue;
        };
        if entry.kind != "machine" {
            continue;
        }
        let port = entry
            .needs
            .iter()
            .filter_map(|need| journal.get(&need.step))
            .find(|it| it.kind == "port");
        let address = made
            .address
            .or_else(|| port.as_ref().and_then(facts)?.address)
            .unwrap_or_default();
        let node = Node {
            name: name.split('/').next().unwrap_or(&name).to_owned(),
            role: slot.group.clone(),
            address,
            platform_id: made.id,
            zone: "zone-1".to_owned(),
            state: if entry.phase == Phase::Ready {
                Node::READY
            } else {
                "pending"
            }
            .to_owned(),
        };
        let place = (slot.group.clone(), slot.index);
        nodes.retain(|(other, _)| *other != place);
        nodes.push((place, node));
    }
    nodes.sort_by(|one, other| one.0.cmp(&other.0));
    nodes.into_iter().map(|(_, node)| node).collect()
}

fn endpoint(service: &Service, nodes: &[Node], bucket: Option<Facts>) -> Option<Endpoint> {
    if let Some(it) = &service.external {
        let name = it
            .name
            .clone()
            .unwrap_or_else(|| default_name(service.kind).to_owned());
        return Some(Endpoint {
            host: it.host.clone(),
            port: it.port,
            hosts: vec![it.host.clone()],
            name,
            tls: it.tls,
        });
    }
    if let Some(bucket) = bucket {
        let host = "objects.simulator.invalid".to_owned();
        return Some(Endpoint {
            hosts: vec![host.clone()],
            host,
            port: 443,
            name: bucket.id,
            tls: true,
        });
    }
    let hosts: Vec<String> = nodes.iter().map(|node| node.address.clone()).collect();
    let port = match service.kind {
        ServiceKind::Database => 5432,
        ServiceKind::Search => 9200,
        ServiceKind::Cache => 6379,
        ServiceKind::Queue => 5671,
        ServiceKind::Storage => 2049,
    };
    Some(Endpoint {
        host: hosts.first()?.clone(),
        port,
        hosts,
        name: default_name(service.kind).to_owned(),
        tls: true,
    })
}

fn default_name(kind: ServiceKind) -> &'static str {
    match kind {
        ServiceKind::Database | ServiceKind::Queue => "ils",
        ServiceKind::Search => "ils-",
        ServiceKind::Cache => "0",
        ServiceKind::Storage => "files",
    }
}
