//! What each thing is made of: plans from a site, pure. Knows objects and their edges; makes no call.

pub mod backup;
mod certificate;
mod environment;
mod instance;
mod service;

use super::{
    Offers, OpenStack,
    mark::{self, Mark},
    object::{Link, port::Port, record::Kept, secret::Store, subnet},
    tags::Tags,
};
use crate::engine::{Error, Graph, Result};
use crate::site::{Environment, Id, Outputs, Role, Site, Sort, Thing};
use ipnet::Ipv4Net;
use serde_json::json;
use sha2::{Digest, Sha256};
use std::net::Ipv4Addr;

/// The seal of every plan.
pub const RECORD: &str = "record";

/// One plan in the making.
pub struct Draft<'a> {
    pub site: &'a Site,
    pub id: Id,
    pub offers: &'a Offers,
    pub graph: Graph<OpenStack>,
}

/// Makes the plan of a site's thing.
pub fn plan(site: &Site, offers: &Offers) -> Result<Graph<OpenStack>> {
    let mut draft = Draft {
        site,
        id: site.thing.id(),
        offers,
        graph: Graph::new(),
    };
    match &site.thing {
        Thing::Environment(it) => draft.environment(it)?,
        Thing::Service(it) => draft.service(it)?,
        Thing::Certificate(it) => draft.certificate(it),
        Thing::Instance(it) => draft.instance(it)?,
        Thing::BackupPolicy(it) => draft.backup(it),
    }
    draft.seal()
}

impl Draft<'_> {
    pub fn mark(&self, step: &str) -> Mark {
        Mark::new(&self.id, step)
    }
    pub fn name(&self, rest: &str) -> String {
        mark::name(&self.id, rest)
    }

    /// The environment that the thing lives in.
    pub fn surroundings(&self) -> Result<(&Environment, Outputs)> {
        let missing = || {
            Error::fatal(
                format!("plan `{}`", self.id),
                "its environment is not known",
            )
        };
        let environment = self.site.environment().ok_or_else(missing)?;
        let id = Id::environment(self.id.environment.clone());
        let outputs = self
            .site
            .around
            .get(&id)
            .map(|record| record.outputs.clone())
            .unwrap_or_default();
        Ok((environment, outputs))
    }

    pub fn store(&self) -> Store {
        if self.offers.keys {
            Store::Barbican
        } else {
            Store::Glance
        }
    }

    /// The tags of the thing over those of the provider.
    pub fn tags(&self, own: &Tags) -> Tags {
        let mut tags = self.site.default_tags.clone();
        tags.extend(own.clone());
        tags
    }

    /// A port for one machine. In a network of our own it asks for an address that follows from its mark, so that a port
    /// that was lost comes back with the address that others know.
    pub fn port(
        &self,
        step: &str,
        name: String,
        role: Role,
        environment: &Environment,
        outputs: &Outputs,
    ) -> Port {
        let mark = self.mark(step);
        let (network, subnet) = match &environment.network.existing {
            Some(existing) => (existing.network_id.clone(), existing.subnet_id.clone()),
            None => (
                outputs.network_id.clone().unwrap_or_default(),
                outputs.subnet_id.clone().unwrap_or_default(),
            ),
        };
        let wishes = if environment.network.existing.is_some() {
            Vec::new()
        } else {
            wishes(&mark, environment.network.cidr)
        };
        Port {
            mark,
            name,
            network: Link::Id(network),
            subnet,
            group: Link::Id(link(outputs, &group_link(role))),
            wishes,
        }
    }

    /// The record comes last and tells of all the others.
    fn seal(mut self) -> Result<Graph<OpenStack>> {
        let of = self
            .graph
            .names()
            .map(|step| json!({ "$made": step }))
            .collect();
        let thing = serde_json::to_value(&self.site.thing)
            .map_err(|why| Error::fatal("write the record", why.to_string()))?;
        let name = format!("invenioils {} {}", self.id.sort.as_str(), self.id);
        let environment = self
            .site
            .around
            .get(&Id::environment(self.id.environment.clone()));
        let public_address = environment
            .and_then(|record| record.outputs.public_address.clone())
            .filter(|_| self.id.sort == Sort::Instance);
        let kept = Kept {
            mark: self.mark(RECORD),
            name,
            owner: self.site.owner.clone(),
            thing,
            public_address,
            of,
        };
        self.graph.seal(RECORD, kept);
        Ok(self.graph)
    }
}

/// What neighbours of a thing find in its outputs under that name; empty while it is only planned.
pub fn link(outputs: &Outputs, name: &str) -> String {
    outputs.links.get(name).cloned().unwrap_or_default()
}

pub fn group_link(role: Role) -> String {
    format!("group.{}", role.as_str())
}
pub fn server_group_link(role: Role) -> String {
    format!("servers.{}", role.as_str())
}

/// Three addresses of the range that is ours, chosen by the mark.
fn wishes(mark: &Mark, cidr: Ipv4Net) -> Vec<Ipv4Addr> {
    let (first, last) = subnet::own_addresses(cidr);
    if last < first {
        return Vec::new();
    }
    let digest = Sha256::digest(mark.as_str().as_bytes());
    let wish = |four: &[u8]| {
        let number = four
            .iter()
            .fold(0_u32, |sum, byte| sum << 8 | u32::from(*byte));
        Ipv4Addr::from(first + number % (last - first + 1))
    };
    let mut wishes: Vec<_> = digest.chunks(4).take(3).map(wish).collect();
    wishes.dedup();
    wishes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_always_wishes_for_the_same_addresses_of_our_half() {
        let mark = Mark::new(
            &Id::parse(crate::site::Sort::Service, "library/database").unwrap(),
            "port-0",
        );
        let cidr: Ipv4Net = "10.20.0.0/24".parse().unwrap();
        assert_eq!(wishes(&mark, cidr), wishes(&mark, cidr));
        for wish in wishes(&mark, cidr) {
            assert!(
                cidr.contains(&wish) && !subnet::pool(cidr).contains(&wish) && wish.octets()[3] > 1
            );
        }
        assert!(wishes(&mark, "10.0.0.0/30".parse().unwrap()).is_empty());
    }
}
