//! OpenStack: one signed-in cloud as a [`Host`](super::Host). Knows its objects, plans and checks; says nothing of Terraform.

pub mod api;
mod clouds;
mod lists;
mod mark;
mod object;
mod settings;
mod tags;
mod vault;

pub use settings::{Common, Settings};

use crate::engine::{Cloud, Error, Kind, Moment, Result, Step};
use api::{Api, Service};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};
use tokio::sync::OnceCell;

/// One cloud, signed in to.
pub struct OpenStack {
    pub api: Api,
    lists: lists::Lists,
    vault: vault::Vault,
    user_id: String,
    project_id: String,
    offers: Offers,
    /// Whether Octavia lets us give the balancer's ports security groups of our own.
    own_vip_groups: OnceCell<bool>,
    /// Each balancer takes one change at a time.
    turns: Mutex<BTreeMap<String, Arc<tokio::sync::Mutex<()>>>>,
    epoch: Mutex<(Instant, Moment)>,
}

/// Which optional services the cloud has, and what this login may do there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offers {
    pub balancer: bool,
    pub dns: bool,
    pub keys: bool,
    pub objects: bool,
    /// Machines can be given a credential of their own: not by a login that is itself an application credential.
    pub credentials: bool,
}

/// How long a look that changes nothing is content with a list.
const FRESH: Duration = Duration::from_secs(10);

/// Signs in: one call.
///
/// # Errors
/// Wrong credentials, an unreachable cloud, a missing endpoint: `at` is the attribute's path in the provider block.
pub async fn connect(settings: Settings, common: Common) -> Result<OpenStack> {
    let login = settings.resolve(&|name| std::env::var(name).ok().filter(|value| !value.is_empty()))?;
    let api = Api::new(login, &common)?;
    let token = api.token().await?;
    for service in [Service::Compute, Service::Network, Service::Image, Service::Volume] {
        api.base(service).await?;
    }
    let offers = Offers {
        balancer: api.has(Service::Balancer).await?,
        dns: api.has(Service::Dns).await?,
        keys: api.has(Service::Keys).await?,
        objects: api.has(Service::Objects).await?,
        credentials: !api.is_delegated(),
    };
    Ok(OpenStack {
        user_id: token.user_id.clone(),
        project_id: token.project_id.clone(),
        api,
        lists: lists::Lists::default(),
        vault: vault::Vault::default(),
        offers,
        own_vip_groups: OnceCell::new(),
        turns: Mutex::default(),
        epoch: Mutex::new((Instant::now(), Moment::now())),
    })
}

impl OpenStack {
    /// How old a list may be for a look on behalf of a step. Where nothing is known of the object, its mark is looked for:
    /// any list of this process serves for that, unless a call was doubtful or something was removed since.
    fn since(&self, known: bool, since: Moment) -> Moment {
        if known { since } else { self.api.doubt(since) }
    }

    /// One change of a balancer at a time, each when it has done with the one before.
    async fn turn(&self, balancer: &str) -> Result<tokio::sync::OwnedMutexGuard<()>> {
        let turn = {
            let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
            turns.entry(balancer.to_owned()).or_default().clone()
        };
        let guard = turn.lock_owned().await;
        object::load_balancer::settled(self, balancer).await?;
        Ok(guard)
    }

    /// Octavia's API is 2.29 or newer. One call, once.
    async fn own_vip_groups(&self) -> Result<bool> {
        let ask = || async {
            let body = self.api.get(Service::Balancer, "/", "read Octavia's versions").at_root().json_answer().await?;
            let ids = body["versions"].as_array().into_iter().flatten().filter_map(|version| version["id"].as_str());
            let newer = |id: &str| id.strip_prefix("v2.").and_then(|minor| minor.parse::<u32>().ok()).is_some_and(|minor| minor >= 29);
            Ok::<_, Error>(ids.into_iter().any(newer))
        };
        self.own_vip_groups.get_or_try_init(ask).await.copied()
    }
}

impl Cloud for OpenStack {
    fn revive(kind: &str, spec: serde_json::Value) -> Result<Box<dyn Step<Self>>> {
        object::revive(kind, spec)
    }

    fn recent(&self) -> Moment {
        let mut epoch = self.epoch.lock().unwrap_or_else(PoisonError::into_inner);
        if epoch.0.elapsed() > FRESH {
            *epoch = (Instant::now(), Moment::now());
        }
        epoch.1.max(self.api.last_change())
    }
}

/// What an error of ours says when the cloud lacks a service.
fn lacking(service: Service, doing: &str) -> Error {
    Error::new(Kind::Fatal, doing, format!("the cloud has no {}", service.project()))
}
