//! The cloud objects that things are made of, one file each: its fields, and how it is found, made, changed and removed.

pub mod boot;
pub mod container;
pub mod credential;
pub mod document;
pub mod floating_ip;
pub mod image;
pub mod interface;
pub mod key_pair;
pub mod listener;
pub mod load_balancer;
pub mod member;
pub mod monitor;
pub mod network;
pub mod policy;
pub mod pool;
pub mod port;
pub mod record;
pub mod recordset;
pub mod router;
pub mod rules;
pub mod s3_key;
pub mod secret;
pub mod security_group;
pub mod server;
pub mod server_group;
pub mod subnet;
pub mod volume;
pub mod zone;

use super::OpenStack;
use crate::engine::{Cx, Difference, Error, Object, Ref, Result, Seen, Standing, Step};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What most objects leave behind: their id.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Of {
    pub id: String,
}

impl From<&str> for Of {
    fn from(id: &str) -> Self {
        Self { id: id.to_owned() }
    }
}

/// An object of this very plan, or one that stands already and is known by its id.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(untagged)]
pub enum Link<T> {
    Id(String),
    Step(Ref<T>),
}

impl<T> Default for Link<T> {
    fn default() -> Self {
        Self::Id(String::new())
    }
}

impl<T> From<&Ref<T>> for Link<T> {
    fn from(step: &Ref<T>) -> Self {
        Self::Step(step.clone())
    }
}

impl<T: Object<OpenStack>> Link<T> {
    pub fn id(&self, cx: &Cx<'_, OpenStack>) -> Result<String> {
        match self {
            Self::Id(id) => Ok(id.clone()),
            Self::Step(step) => Ok(T::id(&cx.facts(step)?)),
        }
    }
}

/// Brings a journalled step back. One line per kind.
pub fn revive(kind: &str, spec: Value) -> Result<Box<dyn Step<OpenStack>>> {
    fn one<T: Object<OpenStack>>(spec: Value) -> Result<Box<dyn Step<OpenStack>>> {
        crate::engine::revive::<OpenStack, T>(spec)
    }
    match kind {
        network::Network::KIND => one::<network::Network>(spec),
        subnet::Subnet::KIND => one::<subnet::Subnet>(spec),
        router::Router::KIND => one::<router::Router>(spec),
        interface::Interface::KIND => one::<interface::Interface>(spec),
        security_group::SecurityGroup::KIND => one::<security_group::SecurityGroup>(spec),
        rules::Rules::KIND => one::<rules::Rules>(spec),
        port::Port::KIND => one::<port::Port>(spec),
        floating_ip::FloatingIp::KIND => one::<floating_ip::FloatingIp>(spec),
        key_pair::KeyPair::KIND => one::<key_pair::KeyPair>(spec),
        server_group::ServerGroup::KIND => one::<server_group::ServerGroup>(spec),
        server::Server::KIND => one::<server::Server>(spec),
        document::Document::KIND => one::<document::Document>(spec),
        volume::Volume::KIND => one::<volume::Volume>(spec),
        load_balancer::LoadBalancer::KIND => one::<load_balancer::LoadBalancer>(spec),
        listener::Listener::KIND => one::<listener::Listener>(spec),
        policy::Redirect::KIND => one::<policy::Redirect>(spec),
        pool::Pool::KIND => one::<pool::Pool>(spec),
        monitor::Monitor::KIND => one::<monitor::Monitor>(spec),
        member::Member::KIND => one::<member::Member>(spec),
        zone::Zone::KIND => one::<zone::Zone>(spec),
        recordset::Recordset::KIND => one::<recordset::Recordset>(spec),
        secret::Stored::KIND => one::<secret::Stored>(spec),
        credential::Credential::KIND => one::<credential::Credential>(spec),
        s3_key::S3Key::KIND => one::<s3_key::S3Key>(spec),
        container::Container::KIND => one::<container::Container>(spec),
        record::Kept::KIND => one::<record::Kept>(spec),
        _ => Err(Error::fatal(
            format!("read the journal's {kind}"),
            "this release knows no such kind of object",
        )
        .remedy("use the release of the provider that wrote the state, or a newer one")),
    }
}

/// The differences found while comparing field by field.
#[derive(Default)]
pub struct Compared(Vec<Difference>);

impl Compared {
    /// A field that can be changed where it is.
    pub fn field<T: PartialEq + std::fmt::Debug + ?Sized>(
        &mut self,
        field: &'static str,
        wanted: &T,
        found: &T,
    ) {
        if wanted != found {
            self.0
                .push(Difference::update(field, shown(wanted), shown(found)));
        }
    }
    /// A field that only a new object can have.
    pub fn fixed<T: PartialEq + std::fmt::Debug + ?Sized>(
        &mut self,
        field: &'static str,
        wanted: &T,
        found: &T,
    ) {
        if wanted != found {
            self.0
                .push(Difference::replace(field, shown(wanted), shown(found)));
        }
    }
    pub fn seen<F>(self, facts: F, standing: Standing) -> Option<Seen<F>> {
        Some(Seen {
            facts,
            standing,
            differences: self.0,
        })
    }
}

fn shown<T: std::fmt::Debug + ?Sized>(value: &T) -> String {
    format!("{value:?}").trim_matches('"').to_owned()
}

/// Where everything that exists is ready.
pub fn ready<F>(facts: F) -> Option<Seen<F>> {
    Compared::default().seen(facts, Standing::Ready)
}
