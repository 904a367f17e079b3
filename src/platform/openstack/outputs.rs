//! What a thing shows of itself, read from what its steps left in the journal.

use super::{
    OpenStack,
    object::{
        credential::Credential, floating_ip::FloatingIp, key_pair::KeyPair,
        load_balancer::LoadBalancer, network::Network, port::Port, secret::Stored,
        security_group::SecurityGroup, server::Server, server_group::ServerGroup, subnet::Subnet,
        zone::Zone,
    },
    plan::{group_link, server_group_link},
};
use crate::engine::{Journal, Object};
use crate::site::{
    Backend, BackupPolicy, Endpoint, Environment, Node, Outputs, Role, Service, Thing, secrets,
};

/// Machines read their secrets from Barbican, each with a credential for its own.
pub const BARBICAN: &str = "barbican";
/// Machines are given their secrets when they are made.
pub const USER_DATA: &str = "user_data";

fn facts<T: Object<OpenStack>>(journal: &Journal, step: &str) -> Option<T::Facts> {
    journal.facts::<OpenStack, T>(step).ok()
}

impl OpenStack {
    pub(super) fn outputs_of(
        &self,
        thing: &Thing,
        public_address: Option<&str>,
        journal: &Journal,
    ) -> Outputs {
        match thing {
            Thing::Environment(it) => self.environment_outputs(it, journal),
            Thing::Service(it) => self.service_outputs(it, journal),
            Thing::Certificate(_) => certificate_outputs(journal),
            Thing::Instance(it) => {
                let mut outputs = Outputs {
                    public_address: public_address.map(str::to_owned),
                    installed_version: Some(it.version.clone()),
                    secret_id: reference(journal, "secrets-"),
                    ..Outputs::default()
                };
                outputs.nodes = nodes(journal, Role::Web)
                    .into_iter()
                    .chain(nodes(journal, Role::Worker))
                    .collect();
                outputs
            }
            Thing::BackupPolicy(it) => backup_outputs(it, journal),
        }
    }

    fn environment_outputs(&self, environment: &Environment, journal: &Journal) -> Outputs {
        let existing = environment.network.existing.as_ref();
        let balancer = facts::<LoadBalancer>(journal, "balancer");
        let floating = facts::<FloatingIp>(journal, "address").map(|it| it.address);
        let store = if self.offers.keys && self.offers.credentials {
            BARBICAN
        } else {
            USER_DATA
        };
        let mut outputs = Outputs {
            network_id: existing
                .map(|it| it.network_id.clone())
                .or_else(|| Some(facts::<Network>(journal, "network")?.id)),
            subnet_id: existing
                .map(|it| it.subnet_id.clone())
                .or_else(|| Some(facts::<Subnet>(journal, "subnet")?.id)),
            public_address: floating.or_else(|| {
                Some(balancer.as_ref()?.vip_address.clone())
                    .filter(|_| environment.network.external_network.is_none())
            }),
            secret_store: Some(store.to_owned()),
            ..Outputs::default()
        };
        let links = &mut outputs.links;
        let mut note = |name: String, id: Option<String>| links.extend(id.map(|id| (name, id)));
        note("balancer".to_owned(), balancer.map(|it| it.id));
        for role in Role::ALL {
            note(
                group_link(role),
                facts::<SecurityGroup>(journal, &format!("group-{}", role.as_str()))
                    .map(|it| it.id),
            );
            note(
                server_group_link(role),
                facts::<ServerGroup>(journal, &format!("servers-{}", role.as_str()))
                    .map(|it| it.id),
            );
        }
        note(
            "key_pair".to_owned(),
            facts::<KeyPair>(journal, "key").map(|it| it.id),
        );
        note(
            "zone".to_owned(),
            facts::<Zone>(journal, "zone").map(|it| it.id),
        );
        note("alerts".to_owned(), reference(journal, "alerts-"));
        outputs
    }

    fn service_outputs(&self, service: &Service, journal: &Journal) -> Outputs {
        let role = Role::from(service.kind);
        let mut outputs = Outputs {
            secret_id: reference(journal, "client-"),
            installed_version: service.version.clone(),
            ..Outputs::default()
        };
        if let Some(external) = &service.external {
            outputs.endpoint = Some(Endpoint {
                host: external.host.clone(),
                port: external.port,
                hosts: vec![external.host.clone()],
                name: external
                    .name
                    .clone()
                    .unwrap_or_else(|| secrets::USER.to_owned()),
                tls: external.tls,
            });
            return outputs;
        }
        if service.backend == Some(Backend::Object) {
            outputs.bucket = super::object::container::found(journal);
            let (host, port, tls) = self.offers.s3_host();
            outputs.endpoint = Some(Endpoint {
                hosts: vec![host.clone()],
                host,
                port,
                name: outputs.bucket.clone().unwrap_or_default(),
                tls,
            });
            return outputs;
        }
        outputs.nodes = nodes(journal, role);
        let hosts: Vec<String> = (0..service.nodes)
            .filter_map(|index| Some(facts::<Port>(journal, &format!("port-{index}"))?.address))
            .collect();
        if let (Some(first), Some(port)) = (hosts.first(), role.port()) {
            outputs.endpoint = Some(Endpoint {
                host: first.clone(),
                port,
                hosts: hosts.clone(),
                name: secrets::USER.to_owned(),
                tls: true,
            });
        }
        outputs
            .links
            .extend(reference(journal, "server-").map(|it| ("server_secret".to_owned(), it)));
        outputs.links.extend(
            facts::<Credential>(journal, "credential-1").map(|it| ("credential".to_owned(), it.id)),
        );
        outputs
    }
}

fn certificate_outputs(journal: &Journal) -> Outputs {
    Outputs {
        secret_id: reference(journal, "bundle-"),
        ..Outputs::default()
    }
}

fn backup_outputs(policy: &BackupPolicy, journal: &Journal) -> Outputs {
    let bucket = policy
        .target
        .bucket
        .clone()
        .or_else(|| super::object::container::found(journal));
    Outputs {
        bucket,
        ..Outputs::default()
    }
}

/// The reference of the newest secret whose step begins so.
fn reference(journal: &Journal, prefix: &str) -> Option<String> {
    let entries = journal.entries();
    let steps = entries
        .iter()
        .rev()
        .filter(|(step, entry)| step.starts_with(prefix) && entry.kind == Stored::KIND);
    steps
        .into_iter()
        .find_map(|(step, _)| facts::<Stored>(journal, step))
        .map(|it| it.reference)
}

/// The machines of one role, in order. Of a machine that is being replaced, the one that serves last counts.
fn nodes(journal: &Journal, role: Role) -> Vec<Node> {
    let mut nodes = std::collections::BTreeMap::new();
    for (step, entry) in journal.entries() {
        let Some(slot) = entry.slot.as_ref().filter(|_| entry.kind == Server::KIND) else {
            continue;
        };
        if !(slot.group == role.as_str() || slot.group == "node" && role.keeps_data()) {
            continue;
        }
        let Some(machine) = facts::<Server>(journal, &step) else {
            continue;
        };
        let spec = |field: &str| entry.spec[field].as_str().unwrap_or_default().to_owned();
        let port = entry.spec["port"]["$ref"]
            .as_str()
            .and_then(|port| facts::<Port>(journal, port));
        let node = Node {
            name: spec("name"),
            role: role.as_str().to_owned(),
            address: port.map(|it| it.address).unwrap_or_default(),
            platform_id: machine.id,
            zone: machine.zone,
            state: machine.state,
        };
        nodes.insert(slot.index, node);
    }
    nodes.into_values().collect()
}
