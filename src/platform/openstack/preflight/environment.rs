//! An environment: networks, zone, and which of the optional services are there.

use super::{
    super::{
        api::Service,
        mark::{Mark, OURS},
        object::{network, subnet},
    },
    Check,
};
use crate::engine::Result;
use crate::site::{Environment, ExistingNetwork, Id, Thing};
use ipnet::Ipv4Net;

impl Check<'_> {
    pub(super) async fn environment(&mut self, environment: &mut Environment) -> Result<()> {
        let before = match self.before {
            Some(Thing::Environment(it)) => Some(it.clone()),
            _ => None,
        };
        if !self.cloud.offers.balancer {
            self.lacks(Service::Balancer, "load_balancer", "The site's front door is an Octavia load balancer; there is no other on OpenStack.");
        }
        if before.is_none() {
            self.secret_store();
        }
        self.networks(environment, before.as_ref()).await?;
        self.image(environment, before.as_ref()).await?;
        self.zone(environment, before.as_ref()).await?;
        if environment.load_balancer != before.map(|it| it.load_balancer).unwrap_or_default() {
            self.balancer(environment).await?;
        }
        Ok(())
    }

    fn secret_store(&mut self) {
        let offers = &self.cloud.offers;
        if !offers.keys {
            self.warn(
                "",
                "This cloud has no Barbican: machines get their secrets in user_data",
                "The provider keeps them in the properties of private images, which every member of the project can read; the guests close the metadata service to everyone but root. `secret_store` shows \"user_data\".",
            );
        } else if !offers.credentials {
            self.warn(
                "",
                "Machines get their secrets in user_data",
                "This login is an application credential and may not make others, so machines cannot be given credentials of their own to read Barbican with. Use a login by user and password for that. `secret_store` shows \"user_data\".",
            );
        }
    }

    async fn networks(
        &mut self,
        environment: &mut Environment,
        before: Option<&Environment>,
    ) -> Result<()> {
        let all = self.cloud.networks(self.cloud.epoch()).await?;
        if let Some(existing) = environment.network.existing.clone() {
            self.existing(&existing, &all).await?;
        } else {
            self.range(environment, before).await?;
        }
        let externals: Vec<_> = all.iter().filter(|network| network.external).collect();
        let names = externals
            .iter()
            .map(|network| format!("`{}`", network.name))
            .collect::<Vec<_>>()
            .join(", ");
        let at = "network.external_network";
        match environment.network.external_network.as_deref() {
            Some(wanted) => {
                let found: Vec<_> = externals
                    .iter()
                    .filter(|network| network.id == wanted || network.name == wanted)
                    .collect();
                match (
                    found.len(),
                    all.iter()
                        .any(|network| network.id == wanted || network.name == wanted),
                ) {
                    (1, _) => {}
                    (0, true) => self.refuse(
                        at,
                        format!("`{wanted}` is no external network"),
                        format!("The external networks are: {names}"),
                    ),
                    (0, false) => self.refuse(
                        at,
                        format!("There is no network `{wanted}`"),
                        format!("The external networks of this cloud are: {names}"),
                    ),
                    _ => self.refuse(
                        at,
                        format!("Several external networks are called `{wanted}`"),
                        "Give the id of the right one.",
                    ),
                }
            }
            None => {
                let kept = before.and_then(|it| it.network.external_network.clone());
                match (kept, externals.as_slice()) {
                    (Some(kept), _) => environment.network.external_network = Some(kept),
                    (None, [only]) => environment.network.external_network = Some(only.name.clone()),
                    (None, []) if environment.network.existing.is_some() => {}
                    (None, []) => self.refuse(at, "This cloud has no external network", "Without one nothing can be reached. Live in a network that exists: `network.existing`."),
                    (None, _) => self.refuse(at, "There are several external networks", format!("Choose one of {names}.")),
                }
            }
        }
        Ok(())
    }

    async fn existing(
        &mut self,
        existing: &ExistingNetwork,
        all: &[network::Listed],
    ) -> Result<()> {
        if !all.iter().any(|network| network.id == existing.network_id) {
            self.refuse(
                "network.existing.network_id",
                format!("There is no network {}", existing.network_id),
                "It must be a network of this project, or one that is shared with it.",
            );
            return Ok(());
        }
        let subnets = self.cloud.subnets(self.cloud.epoch()).await?;
        match subnets
            .iter()
            .find(|subnet| subnet.id == existing.subnet_id)
        {
            None => self.refuse(
                "network.existing.subnet_id",
                format!("There is no subnet {}", existing.subnet_id),
                "It must be a subnet of that network.",
            ),
            Some(subnet) if subnet.network_id != existing.network_id => {
                self.refuse(
                    "network.existing.subnet_id",
                    "The subnet is of another network",
                    format!("{} belongs to network {}.", subnet.id, subnet.network_id),
                );
            }
            Some(subnet) if subnet.cidr.parse::<Ipv4Net>().is_err() => self.refuse(
                "network.existing.subnet_id",
                "The subnet is no IPv4 subnet",
                format!("Its range is {}.", subnet.cidr),
            ),
            Some(_) => {}
        }
        Ok(())
    }

    /// Our own range must hold a site, and must not meet another of the same name's leftovers or of a router that we share.
    async fn range(
        &mut self,
        environment: &Environment,
        before: Option<&Environment>,
    ) -> Result<()> {
        if before.is_some() {
            return Ok(());
        }
        let cidr = environment.network.cidr;
        if cidr.prefix_len() > 28 {
            self.refuse(
                "network.cidr",
                format!("{cidr} is too small"),
                "A site needs at least a /28; a /24 is usual.",
            );
            return Ok(());
        }
        let mark = Mark::new(&Id::environment(environment.name.clone()), "subnet");
        let subnets = self.cloud.subnets(self.cloud.epoch()).await?;
        let overlaps = |it: &&subnet::Listed| {
            let meets = it
                .cidr
                .parse::<Ipv4Net>()
                .is_ok_and(|other| other.contains(&cidr) || cidr.contains(&other));
            meets && it.description != mark.as_str()
        };
        let externals = self.cloud.networks(self.cloud.epoch()).await?;
        for other in subnets.iter().filter(overlaps) {
            let external = externals
                .iter()
                .any(|network| network.external && network.id == other.network_id);
            let place = format!("Subnet {} ({}) has {}.", other.id, other.name, other.cidr);
            if external {
                self.refuse(
                    "network.cidr",
                    format!("{cidr} overlaps with an external network"),
                    format!("{place} Machines could not tell the two apart: choose another range."),
                );
            } else if other.description.starts_with(OURS) && other.cidr == cidr.to_string() {
                // Two environments with the default range: their own routers keep them apart.
                self.warn(
                    "network.cidr",
                    format!("{cidr} is the range of another environment, too"),
                    format!("{place} They work side by side, and can never be joined."),
                );
            } else {
                self.refuse(
                    "network.cidr",
                    format!("{cidr} overlaps with another network of this project"),
                    format!(
                        "{place} Choose another range, or live in that network: `network.existing`."
                    ),
                );
            }
        }
        Ok(())
    }

    async fn zone(
        &mut self,
        environment: &Environment,
        before: Option<&Environment>,
    ) -> Result<()> {
        let Some(zone) = &environment.dns.zone else {
            return Ok(());
        };
        if !self.cloud.offers.dns {
            self.lacks(
                Service::Dns,
                "dns.zone",
                "Leave out `dns` and have the host name lead to `public_address` yourself.",
            );
            return Ok(());
        }
        if before.is_some_and(|it| it.dns == environment.dns) {
            return Ok(());
        }
        let zones = self.cloud.zones(self.cloud.epoch()).await?;
        let mark = Mark::new(&Id::environment(environment.name.clone()), "zone");
        match (
            zones.iter().find(|it| it.name == *zone),
            environment.dns.manage_zone,
        ) {
            (None, false) => {
                let names = zones
                    .iter()
                    .map(|it| it.name.as_str())
                    .collect::<Vec<_>>()
                    .join(", ");
                let names = if names.is_empty() {
                    "none".to_owned()
                } else {
                    names
                };
                self.refuse("dns.zone", format!("There is no zone `{zone}`"), format!("Zones of this project: {names}. Set `dns.manage_zone = true` to have it made."));
            }
            (Some(found), true) if found.description.as_deref() != Some(mark.as_str()) => {
                self.refuse("dns.zone", format!("The zone `{zone}` exists already"), "It was not made by this environment: set `dns.manage_zone = false` to use it as it is.");
            }
            _ => {}
        }
        Ok(())
    }

    async fn balancer(&mut self, environment: &Environment) -> Result<()> {
        if !self.cloud.offers.balancer {
            return Ok(());
        }
        if let Some(wanted) = &environment.load_balancer.provider {
            let providers = self
                .cloud
                .api
                .list::<Named>(Service::Balancer, "/providers", "providers", None)
                .await?;
            if !providers.iter().any(|it| it.name == *wanted) {
                let names = providers
                    .iter()
                    .map(|it| it.name.as_str())
                    .collect::<Vec<_>>()
                    .join(", ");
                self.refuse(
                    "load_balancer.provider",
                    format!("Octavia has no provider `{wanted}`"),
                    format!("It has: {names}"),
                );
            }
        }
        if let Some(wanted) = &environment.load_balancer.flavor {
            let flavors = self.cloud.balancer_flavors().await?;
            if !flavors.contains(wanted) {
                self.refuse(
                    "load_balancer.flavor",
                    format!("Octavia has no flavor `{wanted}`"),
                    format!("It has: {}", flavors.join(", ")),
                );
            }
        }
        Ok(())
    }
}

#[derive(serde::Deserialize)]
struct Named {
    name: String,
}
