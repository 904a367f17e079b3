//! OpenStack: one signed-in cloud as a [`Host`](super::Host). Knows its objects, plans and checks; says nothing of Terraform.

pub mod api;
mod clouds;
mod lists;
mod mark;
mod object;
mod observe;
mod offer;
mod outputs;
mod plan;
mod preflight;
mod settings;
mod strays;
mod tags;
mod vault;

pub use offer::OFFER;
pub use settings::{Common, Settings};

use super::{Host, Preflight};
use crate::engine::{Cloud, Entry, Error, Graph, Journal, Moment, Result, Step, waits_for};
use crate::site::{Id, Outputs, Record, Site};
use api::{Api, Service};
use async_trait::async_trait;
use std::{
    collections::{BTreeMap, BTreeSet},
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
    /// What is left of the quotas, as read at the start of the run.
    room: OnceCell<BTreeMap<&'static str, (u64, u64)>>,
    /// Each balancer takes one change at a time.
    turns: Mutex<BTreeMap<String, Arc<tokio::sync::Mutex<Turn>>>>,
    /// Held while servers' metadata is written. Nova reads all of a server's, changes its copy and writes all of it back: of
    /// two writers at the same time, such as two policies, one would undo the other.
    metadata: tokio::sync::Mutex<()>,
    /// Children of balancers whose end was taken on: they go, nobody need look.
    ended: Mutex<BTreeSet<String>>,
    /// Members of pools that this process has put in, and when.
    put_in: Mutex<BTreeMap<String, Instant>>,
    /// Servers that this process has made and that have not yet said that they are ready, and of which thing they are.
    begun: Mutex<BTreeMap<String, String>>,
    /// Records that this process has written or removed a moment ago, by the image's id.
    fresh_records: Mutex<BTreeMap<String, (Instant, Option<Record>)>>,
    epoch: Mutex<(Instant, Moment)>,
    /// The same for what machines say of themselves.
    heard: Mutex<(Instant, Moment)>,
}

/// Which optional services the cloud has, and what this login may do there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offers {
    pub balancer: bool,
    pub dns: bool,
    pub keys: bool,
    pub objects: bool,
    /// Machines can be given a credential of their own: not by a login that is itself an application credential.
    pub credentials: bool,
    /// Keys for the object store's S3 interface: the same.
    pub ec2: bool,
    pub s3_endpoint: Option<String>,
    pub region: Option<String>,
}

impl Offers {
    /// Host and port of the S3 interface, and whether it speaks TLS.
    fn s3_host(&self) -> (String, u16, bool) {
        let url = self
            .s3_endpoint
            .as_deref()
            .and_then(|it| reqwest::Url::parse(it).ok());
        let host = url
            .as_ref()
            .and_then(|it| it.host_str())
            .unwrap_or_default()
            .to_owned();
        let tls = url.as_ref().is_none_or(|it| it.scheme() != "http");
        (
            host,
            url.and_then(|it| it.port_or_known_default()).unwrap_or(443),
            tls,
        )
    }
}

/// One balancer's turn to be changed.
struct Turn {
    changed: Option<Instant>,
    /// How long it is busy with one change, as far as seen: nobody looks earlier.
    settles: Duration,
}

impl Default for Turn {
    fn default() -> Self {
        Self {
            changed: None,
            settles: Duration::from_millis(700),
        }
    }
}

impl Turn {
    /// It was busy for so long, or for less where it had settled at the first look.
    fn learn(&mut self, took: Duration, busy: bool) {
        let settles = if busy { took } else { self.settles * 7 / 8 };
        self.settles = settles.clamp(Duration::from_millis(250), Duration::from_secs(3));
    }
}

/// How long a look that changes nothing is content with a list.
const FRESH: Duration = Duration::from_secs(10);
/// How long with what a machine said, or with its silence: it looks at itself every half minute, and a console that does not
/// answer is not waited for once by each of those who want to hear it.
const HEARD: Duration = Duration::from_secs(30);

/// The moment that a window of time goes back to; a new window begins when it is over.
fn since(window: &Mutex<(Instant, Moment)>, long: Duration) -> Moment {
    let mut window = window.lock().unwrap_or_else(PoisonError::into_inner);
    if window.0.elapsed() > long {
        *window = (Instant::now(), Moment::now());
    }
    window.1
}

/// Signs in: one call.
///
/// # Errors
/// Wrong credentials, an unreachable cloud, a missing endpoint: `at` is the attribute's path in the provider block.
pub async fn connect(settings: Settings, common: Common) -> Result<OpenStack> {
    let login =
        settings.resolve(&|name| std::env::var(name).ok().filter(|value| !value.is_empty()))?;
    let api = Api::new(login, &common)?;
    let token = api.token().await?;
    for service in [
        Service::Compute,
        Service::Network,
        Service::Image,
        Service::Volume,
    ] {
        api.base(service).await?;
    }
    let objects = api.has(Service::Objects).await?;
    // Swift's S3 interface stands beside its own, without a path.
    let s3_endpoint = match objects {
        true => reqwest::Url::parse(&api.base(Service::Objects).await?)
            .ok()
            .map(|url| url.origin().ascii_serialization()),
        false => None,
    };
    let offers = Offers {
        balancer: api.has(Service::Balancer).await?,
        dns: api.has(Service::Dns).await?,
        keys: api.has(Service::Keys).await?,
        objects,
        credentials: !api.is_delegated(),
        ec2: !api.is_delegated(),
        s3_endpoint,
        region: api.region().map(str::to_owned),
    };
    Ok(OpenStack {
        user_id: token.user_id.clone(),
        project_id: token.project_id.clone(),
        api,
        lists: lists::Lists::default(),
        vault: vault::Vault::default(),
        offers,
        own_vip_groups: OnceCell::new(),
        room: OnceCell::new(),
        turns: Mutex::default(),
        metadata: tokio::sync::Mutex::default(),
        ended: Mutex::default(),
        put_in: Mutex::default(),
        begun: Mutex::default(),
        fresh_records: Mutex::default(),
        epoch: Mutex::new((Instant::now(), Moment::now())),
        heard: Mutex::new((Instant::now(), Moment::now())),
    })
}

impl OpenStack {
    /// How old a list may be for a look on behalf of a step. Where nothing is known of the object, its mark is looked for:
    /// any list of this process serves for that, unless a call was doubtful or something was removed since.
    fn since(&self, known: bool, since: Moment) -> Moment {
        if known {
            since
        } else {
            self.api.past.doubt(since)
        }
    }

    /// Lists from after this moment are recent, as long as we change nothing.
    fn epoch(&self) -> Moment {
        since(&self.epoch, FRESH)
    }

    /// Since when the word of a machine counts that is asked for in a refresh.
    fn heard(&self) -> Moment {
        since(&self.heard, HEARD).max(self.api.past.last_change())
    }

    /// One change of a balancer at a time, each when it has done with the one before.
    async fn turn(&self, balancer: &str) -> Result<tokio::sync::OwnedMutexGuard<Turn>> {
        let turn = {
            let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
            turns.entry(balancer.to_owned()).or_default().clone()
        };
        let waits = waits_for(format!(
            "load balancer {balancer}: another change is under way"
        ));
        let mut guard = turn.lock_owned().await;
        if let Some(changed) = guard.changed {
            tokio::time::sleep(guard.settles.saturating_sub(changed.elapsed())).await;
        }
        let busy = object::load_balancer::settled(self, balancer).await?;
        if let Some(changed) = guard.changed {
            guard.learn(changed.elapsed(), busy);
        }
        drop(waits);
        guard.changed = Some(Instant::now());
        Ok(guard)
    }

    /// Octavia's API is 2.29 or newer. One call, once.
    async fn own_vip_groups(&self) -> Result<bool> {
        let ask = || async {
            let body = self
                .api
                .get(Service::Balancer, "/", "read Octavia's versions")
                .at_root()
                .json_answer()
                .await?;
            let ids = body["versions"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|version| version["id"].as_str());
            let newer = |id: &str| {
                id.strip_prefix("v2.")
                    .and_then(|minor| minor.parse::<u32>().ok())
                    .is_some_and(|minor| minor >= 29)
            };
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
        self.epoch().max(self.api.past.last_change())
    }
}

#[async_trait]
impl Host for OpenStack {
    const NAME: &'static str = "openstack";

    async fn records(&self) -> Result<Vec<Record>> {
        self.all_records().await
    }
    async fn preflight(
        &self,
        site: &mut Site,
        before: Option<&Record>,
        journal: &Journal,
    ) -> Result<Preflight> {
        preflight::preflight(self, site, before, journal).await
    }
    fn plan(&self, site: &Site) -> Result<Graph<Self>> {
        plan::plan(site, &self.offers)
    }
    fn outputs(&self, site: &Site, journal: &Journal) -> Outputs {
        let environment = site
            .around
            .get(&Id::environment(site.thing.id().environment));
        let public_address =
            environment.and_then(|record| record.outputs.public_address.as_deref());
        self.outputs_of(&site.thing, public_address, journal)
    }
    async fn observe(&self, site: &Site, outputs: &mut Outputs) {
        self.observed(site, outputs).await;
    }
    async fn strays(&self, site: &Site) -> Result<Vec<(String, Entry)>> {
        self.strays_of(site).await
    }
}
