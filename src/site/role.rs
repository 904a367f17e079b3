//! What runs where, on which ports, and who may reach it: the single source for every platform's firewall.

use super::ServiceKind;
use serde::{Deserialize, Serialize};

/// What a machine (or pod) is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    Balancer,
    Web,
    Worker,
    Database,
    Search,
    Cache,
    Queue,
    Storage,
}

impl Role {
    pub const ALL: [Self; 8] = [
        Self::Balancer,
        Self::Web,
        Self::Worker,
        Self::Database,
        Self::Search,
        Self::Cache,
        Self::Queue,
        Self::Storage,
    ];
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Balancer => "balancer",
            Self::Web => "web",
            Self::Worker => "worker",
            Self::Database => "database",
            Self::Search => "search",
            Self::Cache => "cache",
            Self::Queue => "queue",
            Self::Storage => "storage",
        }
    }
    /// The port that this role's users connect to.
    pub fn port(self) -> Option<u16> {
        match self {
            Self::Balancer => Some(443),
            Self::Web => Some(8080),
            Self::Worker => None,
            Self::Database => Some(5432),
            Self::Search => Some(9200),
            Self::Cache => Some(6379),
            Self::Queue => Some(5671),
            Self::Storage => Some(2049),
        }
    }
    /// Whether its machines have a volume of their own.
    pub fn keeps_data(self) -> bool {
        matches!(
            self,
            Self::Database | Self::Search | Self::Cache | Self::Queue | Self::Storage
        )
    }
}

impl From<ServiceKind> for Role {
    fn from(kind: ServiceKind) -> Self {
        match kind {
            ServiceKind::Database => Self::Database,
            ServiceKind::Search => Self::Search,
            ServiceKind::Cache => Self::Cache,
            ServiceKind::Queue => Self::Queue,
            ServiceKind::Storage => Self::Storage,
        }
    }
}

/// Where a connection comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// `access.allowed_cidrs`, or everyone.
    World,
    /// `access.ssh_cidrs`, or nobody.
    Admins,
    Role(Role),
    /// The other nodes of the same service.
    Same,
}

/// One TCP port that one role offers to one source. What is not listed is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flow {
    pub from: Origin,
    pub to: Role,
    pub port: u16,
    pub purpose: &'static str,
}

const fn flow(from: Origin, to: Role, port: u16, purpose: &'static str) -> Flow {
    Flow {
        from,
        to,
        port,
        purpose,
    }
}

const FLOWS: &[Flow] = {
    use Role::*;
    &[
        flow(
            Origin::World,
            Balancer,
            80,
            "redirect to HTTPS, ACME challenges",
        ),
        flow(Origin::World, Balancer, 443, "the site"),
        flow(
            Origin::Role(Balancer),
            Web,
            8080,
            "the site, behind the load balancer",
        ),
        flow(Origin::Role(Web), Database, 5432, "PostgreSQL"),
        flow(Origin::Role(Worker), Database, 5432, "PostgreSQL"),
        flow(Origin::Same, Database, 5432, "PostgreSQL replication"),
        flow(Origin::Same, Database, 8008, "Patroni"),
        flow(Origin::Same, Database, 2379, "etcd clients"),
        flow(Origin::Same, Database, 2380, "etcd peers"),
        flow(Origin::Role(Web), Search, 9200, "OpenSearch"),
        flow(Origin::Role(Worker), Search, 9200, "OpenSearch"),
        flow(Origin::Same, Search, 9300, "OpenSearch cluster"),
        flow(Origin::Role(Web), Cache, 6379, "Redis"),
        flow(Origin::Role(Worker), Cache, 6379, "Redis"),
        flow(Origin::Same, Cache, 6379, "Redis replication"),
        flow(Origin::Same, Cache, 26379, "Redis Sentinel"),
        flow(Origin::Role(Web), Queue, 5671, "RabbitMQ"),
        flow(Origin::Role(Worker), Queue, 5671, "RabbitMQ"),
        flow(Origin::Same, Queue, 4369, "Erlang port mapper"),
        flow(Origin::Same, Queue, 25672, "RabbitMQ cluster"),
        flow(Origin::Role(Web), Storage, 2049, "NFS"),
        flow(Origin::Role(Worker), Storage, 2049, "NFS"),
        flow(Origin::Admins, Web, 22, "SSH"),
        flow(Origin::Admins, Worker, 22, "SSH"),
        flow(Origin::Admins, Database, 22, "SSH"),
        flow(Origin::Admins, Search, 22, "SSH"),
        flow(Origin::Admins, Cache, 22, "SSH"),
        flow(Origin::Admins, Queue, 22, "SSH"),
        flow(Origin::Admins, Storage, 22, "SSH"),
    ]
};

/// Every connection that a site needs.
pub fn flows() -> &'static [Flow] {
    FLOWS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_world_reaches_the_balancer_only() {
        for flow in flows() {
            if flow.from == Origin::World {
                assert_eq!(flow.to, Role::Balancer, "{}", flow.purpose);
            }
        }
    }

    #[test]
    fn every_role_that_is_used_offers_its_port() {
        for role in Role::ALL {
            let Some(port) = role.port() else { continue };
            assert!(
                flows()
                    .iter()
                    .any(|flow| flow.to == role && flow.port == port),
                "{}",
                role.as_str()
            );
        }
    }
}
