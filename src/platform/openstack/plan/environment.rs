//! An environment: network, firewall by role, the balancer with its address.

use super::{
    super::object::{
        Link,
        floating_ip::FloatingIp,
        interface::Interface,
        key_pair::KeyPair,
        load_balancer::LoadBalancer,
        network::Network,
        router::Router,
        rules::{From, Ingress, Range, Rules},
        secret::{Content, Stored},
        security_group::SecurityGroup,
        server_group::ServerGroup,
        subnet::{self, Subnet},
        zone::Zone,
    },
    Draft,
};
use crate::engine::{Ref, Result, generation};
use crate::site::{Environment, Origin, Role, flows};
use ipnet::Ipv4Net;
use std::collections::BTreeMap;

type Groups = BTreeMap<Role, Ref<SecurityGroup>>;

impl Draft<'_> {
    pub(super) fn environment(&mut self, environment: &Environment) -> Result<()> {
        let (subnet, interface) = self.network(environment);
        let groups = self.groups();
        if self.offers.balancer {
            self.balancer(environment, subnet, interface, &groups);
        }
        self.rules(environment, &groups);
        for role in Role::ALL.into_iter().filter(|role| *role != Role::Balancer) {
            let step = format!("servers-{}", role.as_str());
            let mark = self.mark(&step);
            self.graph.add(step, ServerGroup { mark });
        }
        if let Some(public_key) = &environment.access.ssh_public_key {
            self.graph.add(
                "key",
                KeyPair {
                    name: format!("invenioils-{}", environment.name),
                    public_key: public_key.clone(),
                },
            );
        }
        if let (Some(zone), true) = (&environment.dns.zone, environment.dns.manage_zone) {
            let email = environment
                .alerts
                .email
                .clone()
                .unwrap_or_else(|| format!("hostmaster@{}", zone.trim_end_matches('.')));
            let zone = Zone {
                mark: self.mark("zone"),
                name: zone.clone(),
                email,
            };
            self.graph.add("zone", zone);
        }
        self.alerts(environment);
        Ok(())
    }

    fn network(&mut self, environment: &Environment) -> (Link<Subnet>, Option<Ref<Interface>>) {
        if let Some(existing) = &environment.network.existing {
            return (Link::Id(existing.subnet_id.clone()), None);
        }
        let name = self.name("");
        let network = Network {
            mark: self.mark("network"),
            name: name.clone(),
        };
        let network = self.graph.add("network", network);
        let subnet = Subnet {
            mark: self.mark("subnet"),
            name: name.clone(),
            network: Some(network),
            cidr: environment.network.cidr,
            nameservers: environment.network.dns_nameservers.clone(),
        };
        let subnet = self.graph.add("subnet", subnet);
        let external_network = environment
            .network
            .external_network
            .clone()
            .unwrap_or_default();
        let router = Router {
            mark: self.mark("router"),
            name,
            external_network,
        };
        let router = self.graph.add("router", router);
        let interface = self.graph.add(
            "interface",
            Interface {
                router: Some(router),
                subnet: Some(subnet.clone()),
            },
        );
        (Link::from(&subnet), Some(interface))
    }

    fn groups(&mut self) -> Groups {
        let mut groups = Groups::new();
        for role in Role::ALL {
            let step = format!("group-{}", role.as_str());
            let group = SecurityGroup {
                mark: self.mark(&step),
                name: self.name(role.as_str()),
            };
            groups.insert(role, self.graph.add(step, group));
        }
        groups
    }

    fn balancer(
        &mut self,
        environment: &Environment,
        subnet: Link<Subnet>,
        interface: Option<Ref<Interface>>,
        groups: &Groups,
    ) {
        let balancer = LoadBalancer {
            mark: self.mark("balancer"),
            name: self.name(""),
            subnet,
            group: groups.get(&Role::Balancer).cloned(),
            provider: environment.load_balancer.provider.clone(),
            flavor: environment.load_balancer.flavor.clone(),
            tags: self.tags(&environment.tags),
        };
        let balancer = self.graph.add("balancer", balancer);
        if let Some(external_network) = environment.network.external_network.clone() {
            let address = FloatingIp {
                mark: self.mark("address"),
                external_network,
                balancer: Some(balancer.made()),
                reached_through: interface,
            };
            self.graph.add("address", address);
        }
    }

    /// What `site` says may flow, as rules of each role's group.
    fn rules(&mut self, environment: &Environment, groups: &Groups) {
        let everyone = vec![Ipv4Net::default()];
        let world = if environment.access.allowed_cidrs.is_empty() {
            &everyone
        } else {
            &environment.access.allowed_cidrs
        };
        for role in Role::ALL {
            let mut ingress = Vec::new();
            for flow in flows().iter().filter(|flow| flow.to == role) {
                let mut open = |from: From| {
                    ingress.push(Ingress {
                        port: flow.port,
                        purpose: flow.purpose.to_owned(),
                        from,
                    })
                };
                match flow.from {
                    Origin::World => world.iter().copied().map(From::Range).for_each(open),
                    Origin::Admins => environment
                        .access
                        .ssh_cidrs
                        .iter()
                        .copied()
                        .map(From::Range)
                        .for_each(open),
                    Origin::Role(Role::Balancer) => {
                        let otherwise = match &environment.network.existing {
                            Some(existing) => Range::OfSubnet {
                                subnet: existing.subnet_id.clone(),
                            },
                            None => Range::Known(subnet::pool(environment.network.cidr)),
                        };
                        open(From::Balancer {
                            group: groups[&Role::Balancer].clone(),
                            otherwise,
                        });
                    }
                    Origin::Role(from) => open(From::Group(groups[&from].clone())),
                    Origin::Same => open(From::Group(groups[&role].clone())),
                }
            }
            let rules = Rules {
                name: self.name(role.as_str()),
                group: groups.get(&role).cloned(),
                ingress,
            };
            self.graph.add(format!("rules-{}", role.as_str()), rules);
        }
    }

    fn alerts(&mut self, environment: &Environment) {
        let alerts = &environment.alerts;
        let versions = (
            alerts.webhook_url_wo_version,
            alerts.grafana_oncall_url_wo_version,
        );
        if versions == (None, None) {
            return;
        }
        let step = format!("alerts-{}", generation(&versions));
        let paths = vec![
            "alerts.webhook_url".to_owned(),
            "alerts.grafana_oncall_url".to_owned(),
        ];
        let stored = Stored {
            mark: self.mark(&step),
            content: Content::Given { paths },
            store: self.store(),
        };
        self.graph.add(step, stored);
    }
}
