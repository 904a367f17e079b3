//! A cloud in one SQLite file, for trying out and for tests of modules: sizes, quotas, slowness and faults to order. Goes
//! through the same engine, journal and resources as the real platforms.

mod catalog;
mod clock;
mod fault;
mod file;
mod item;
mod items;
mod offer;
mod outputs;
mod placed;
mod plan;
mod preflight;
mod world;

pub use fault::{Call, Effect, Fault, Verb};
pub use offer::OFFER;
pub use world::Shown;

use super::{Host, Preflight};
use crate::engine::{Cloud, Entry, Error, Graph, Journal, Kind, Object, Result, Step, revive};
use crate::site::{Id, Outputs, Record, Site, Thing};
use async_trait::async_trait;
use file::File;
use item::{Facts, Placed};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    future::Future,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::time::sleep;

/// What the provider block says about it.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Its file; made where there is none.
    pub path: PathBuf,
    pub region: String,
    /// How long things take: a machine three of it, a load balancer four, a volume one; a call takes a hundredth.
    pub latency: Duration,
    /// Limits by quota: `machines`, `cores`, `ram_mib`, `volumes`, `gigabytes`, `networks`, `ports`, `addresses`,
    /// `balancers`, `buckets`. What is not named has no limit.
    pub quota: BTreeMap<String, u64>,
    pub faults: Vec<Fault>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            path: ".invenioils/simulator.sqlite".into(),
            region: catalog::REGIONS[0].to_owned(),
            latency: Duration::ZERO,
            quota: BTreeMap::new(),
            faults: Vec::new(),
        }
    }
}

/// Decides whether a call goes wrong: for tests that choose as they go.
type Trap = Arc<dyn Fn(&Call<'_>) -> Option<Effect> + Send + Sync>;

/// The simulated cloud.
pub struct Simulator {
    file: File,
    settings: Settings,
    trap: Option<Trap>,
    calls: AtomicU64,
}

/// Opens the simulator's file.
///
/// # Errors
/// An unknown region; a file that is locked, damaged, of a newer release, or another program's.
pub async fn open(settings: Settings) -> Result<Simulator> {
    known_region(&settings)?;
    Ok(Simulator {
        file: File::open(&settings.path).await?,
        settings,
        trap: None,
        calls: AtomicU64::new(0),
    })
}

fn known_region(settings: &Settings) -> Result<()> {
    if catalog::REGIONS.contains(&settings.region.as_str()) {
        return Ok(());
    }
    let why = format!(
        "there is no region `{}`; there are {}",
        settings.region,
        catalog::REGIONS.join(", ")
    );
    Err(Error::fatal("reach the simulator", why).at("simulator.region"))
}

impl Simulator {
    /// A cloud that lives as long as this value.
    pub fn in_memory(settings: Settings) -> Result<Self> {
        known_region(&settings)?;
        Ok(Self {
            file: File::in_memory()?,
            settings,
            trap: None,
            calls: AtomicU64::new(0),
        })
    }

    /// Calls go wrong as `trap` says, before any fault to order.
    #[must_use]
    pub fn trapped(
        mut self,
        trap: impl Fn(&Call<'_>) -> Option<Effect> + Send + Sync + 'static,
    ) -> Self {
        self.trap = Some(Arc::new(trap));
        self
    }

    /// Every object there is, in the order in which they were made: the cloud's own view, without a call.
    pub async fn inventory(&self) -> Result<Vec<Shown>> {
        self.file
            .read(|db| world::all(db, self.region(), None, clock::now()))
            .await
    }

    /// Changes a field of an object behind everybody's back.
    pub async fn tamper(&self, id: &str, field: &str, value: &Value) -> Result<()> {
        self.file
            .change(|tx| world::tamper(tx, id, field, value))
            .await
    }

    /// Deletes an object behind everybody's back, whoever uses it.
    pub async fn destroy(&self, id: &str) -> Result<()> {
        self.file.change(|tx| world::destroy(tx, id)).await
    }

    /// What is stuck goes on, as if an operator had mended it; what is broken too, if it is of one of these kinds.
    pub async fn recover(&self, mended: &[&str]) -> Result<()> {
        self.file
            .change(|tx| world::recover(tx, clock::now(), mended))
            .await
    }

    /// Calls made through this value.
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    fn region(&self) -> &str {
        &self.settings.region
    }

    /// One call over the simulated wire: it takes its time, and it may go wrong.
    async fn call<T, F>(
        &self,
        call: Call<'_>,
        doing: &str,
        work: impl FnOnce(Option<Effect>) -> F,
    ) -> Result<T>
    where
        F: Future<Output = Result<T>>,
    {
        let number = self.calls.fetch_add(1, Ordering::Relaxed) + 1;
        let way = self.settings.latency / 200;
        sleep(way).await;
        let effect = self.effect(&call).await?;
        tracing::debug!(
            verb = call.verb.as_str(),
            kind = call.kind,
            thing = call.thing,
            step = call.step,
            ?effect,
            "call"
        );
        let fails = |kind, why: &str| {
            Err(Error::new(kind, doing, why).request_id(format!("req-{number:06}")))
        };
        match effect {
            Some(Effect::Busy) => return fails(Kind::Busy, "the cloud is busy"),
            Some(Effect::Refused) => return fails(Kind::Fatal, "the cloud refuses"),
            Some(Effect::Cut) => return fails(Kind::Unsure, "the connection was cut"),
            Some(Effect::Missing) => return fails(Kind::Gone, "there is no such object"),
            Some(Effect::Hangs) => std::future::pending().await,
            Some(Effect::Slow(length)) => sleep(length).await,
            _ => {}
        }
        let done = work(effect).await;
        sleep(way).await;
        match effect {
            Some(Effect::Lost) => fails(
                Kind::Unsure,
                "the connection was cut while the answer was awaited",
            ),
            Some(Effect::HangsAfter) => std::future::pending().await,
            _ => done.map_err(|error| match error.request_id {
                Some(_) => error,
                None => error.request_id(format!("req-{number:06}")),
            }),
        }
    }

    async fn effect(&self, call: &Call<'_>) -> Result<Option<Effect>> {
        if let Some(effect) = self.trap.as_ref().and_then(|trap| trap(call)) {
            return Ok(Some(effect));
        }
        for (index, fault) in self
            .settings
            .faults
            .iter()
            .enumerate()
            .filter(|(_, it)| it.meets(call))
        {
            let key = format!("{index} {fault:?}");
            let met = self.file.change(|tx| world::met(tx, &key)).await?;
            if fault.strikes(met) {
                return Ok(Some(fault.effect));
            }
        }
        Ok(None)
    }
}

impl Cloud for Simulator {
    fn revive(kind: &str, spec: Value) -> Result<Box<dyn Step<Self>>> {
        revived(kind, spec).unwrap_or_else(|| {
            Err(Error::fatal(
                "read the journal",
                format!("the simulator has no object of kind `{kind}`"),
            )
            .remedy("use the release of the provider that wrote it"))
        })
    }
}

/// THE list of kinds.
macro_rules! kinds {
    ($($kind:ident),*) => {
        fn revived(kind: &str, spec: Value) -> Option<Result<Box<dyn Step<Simulator>>>> {
            $(if kind == <items::$kind as item::Item>::KIND {
                return Some(revive::<Simulator, Placed<items::$kind>>(spec));
            })*
            None
        }

        /// What a planned or journalled object takes from quotas.
        fn takes_of(kind: &str, spec: Value) -> Vec<(&'static str, u64)> {
            $(if kind == <items::$kind as item::Item>::KIND {
                let placed = serde_json::from_value::<Placed<items::$kind>>(spec);
                return placed.map(|it| item::Item::takes(&it.item)).unwrap_or_default();
            })*
            Vec::new()
        }
    };
}
kinds!(
    Network,
    Subnet,
    Router,
    Firewall,
    Zone,
    Balancer,
    Address,
    Port,
    Volume,
    Machine,
    Attachment,
    Listener,
    Pool,
    Member,
    DnsRecord,
    SecretEntry,
    Credential,
    Bucket,
    Document,
    Finished
);

#[async_trait]
impl Host for Simulator {
    const NAME: &'static str = "simulator";

    async fn records(&self) -> Result<Vec<Record>> {
        let kind = <Placed<items::Finished> as Object<Self>>::KIND;
        let found = self
            .file
            .read(|db| world::of_kind(db, self.region(), kind, clock::now()))
            .await?;
        // A record that does not read was written by a newer release; its name is not ours to judge.
        let mut records: Vec<Record> = found
            .into_iter()
            .filter_map(|it| serde_json::from_value(Value::Object(it.fields)).ok())
            .collect();
        let addresses: BTreeMap<Id, Option<String>> = records
            .iter()
            .map(|it| (it.thing.id(), it.outputs.public_address.clone()))
            .collect();
        for record in &mut records {
            if let Thing::Instance(it) = &record.thing {
                let environment = Id::environment(it.environment.clone());
                record.outputs.public_address = addresses.get(&environment).cloned().flatten();
            }
        }
        Ok(records)
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
        plan::plan(site)
    }

    fn outputs(&self, site: &Site, journal: &Journal) -> Outputs {
        let mut outputs = outputs::of(&site.thing, journal);
        if let Thing::Instance(it) = &site.thing {
            let environment = Id::environment(it.environment.clone());
            outputs.public_address = site
                .around
                .get(&environment)
                .and_then(|it| it.outputs.public_address.clone());
        }
        outputs
    }

    async fn strays(&self, site: &Site) -> Result<Vec<(String, Entry)>> {
        let mark = plan::thing_mark(&site.thing.id());
        let found = self
            .file
            .read(|db| world::all(db, self.region(), Some(&mark), clock::now()))
            .await?;
        let entry = |it: Shown| {
            let facts = serde_json::json!(Facts {
                id: it.id,
                address: it.address
            });
            (
                it.step,
                Entry::asked(it.kind, it.spec, None).with_facts(facts),
            )
        };
        Ok(found.into_iter().map(entry).collect())
    }
}
