//! An environment: network, firewalls, the balancer with its public address, the zone.

use super::Plan;
use crate::platform::simulator::{
    catalog,
    items::{Address, Balancer, Firewall, Network, On, Router, SecretEntry, Subnet, Zone},
};
use crate::site::{Environment, Flow, Origin, Role, flows};
use ipnet::Ipv4Net;

pub fn plan(plan: &mut Plan<'_>, it: &Environment) {
    let external = it
        .network
        .external_network
        .clone()
        .unwrap_or_else(|| catalog::EXTERNAL_NETWORKS[0].to_owned());
    let subnet = match &it.network.existing {
        Some(existing) => On::Existing(existing.subnet_id.clone()),
        None => {
            let network = plan.add(
                "network",
                Network {
                    cidr: it.network.cidr,
                },
            );
            let nameservers = it.network.dns_nameservers.clone();
            let subnet = plan.add(
                "subnet",
                Subnet {
                    network,
                    cidr: it.network.cidr,
                    dns_nameservers: nameservers,
                },
            );
            plan.add(
                "router",
                Router {
                    subnet: subnet.clone(),
                    external_network: external.clone(),
                },
            );
            On::Step(subnet)
        }
    };
    let (provider, flavor) = (
        it.load_balancer.provider.clone(),
        it.load_balancer.flavor.clone(),
    );
    let balancer = plan.add(
        "balancer",
        Balancer {
            subnet,
            provider,
            flavor,
        },
    );
    plan.add(
        "address",
        Address {
            balancer: balancer.made(),
            external_network: external,
        },
    );
    for role in Role::ALL {
        let rules = flows()
            .iter()
            .filter(|flow| flow.to == role)
            .flat_map(|flow| rules(flow, it))
            .collect();
        plan.add(
            format!("firewall-{}", role.as_str()),
            Firewall {
                role: role.as_str().to_owned(),
                rules,
            },
        );
    }
    if let (Some(zone), true) = (&it.dns.zone, it.dns.manage_zone) {
        plan.add("zone", Zone { zone: zone.clone() });
    }
    let hooks = [
        ("webhook_url", it.alerts.webhook_url_wo_version),
        (
            "grafana_oncall_url",
            it.alerts.grafana_oncall_url_wo_version,
        ),
    ];
    for (name, version) in hooks {
        if let Some(version) = version {
            let given = Some(format!("alerts.{name}"));
            plan.add(
                format!("secret-{name}"),
                SecretEntry {
                    label: name.to_owned(),
                    given,
                    version: version.to_string(),
                },
            );
        }
    }
}

fn rules(flow: &Flow, it: &Environment) -> Vec<String> {
    let from = |nets: &[Ipv4Net]| {
        nets.iter()
            .map(|net| format!("{} from {net}", flow.port))
            .collect::<Vec<_>>()
    };
    match flow.from {
        Origin::World if it.access.allowed_cidrs.is_empty() => {
            vec![format!("{} from 0.0.0.0/0", flow.port)]
        }
        Origin::World => from(&it.access.allowed_cidrs),
        Origin::Admins => from(&it.access.ssh_cidrs),
        Origin::Role(role) => vec![format!("{} from {}", flow.port, role.as_str())],
        Origin::Same => vec![format!("{} from {}", flow.port, flow.to.as_str())],
    }
}
