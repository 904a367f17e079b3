//! What the resources of one run share: the platform, who the owner is, and what this run has met and planned so far.

use crate::engine::{Error, Result};
use crate::platform::{Demand, Platform};
use crate::site::{Id, Outputs, Record, Site, Tags, Thing};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// A platform that is signed in to, and the provider's own settings.
pub struct Connected {
    pub platform: Arc<dyn Platform>,
    /// Empty: nobody in particular.
    pub owner: String,
    pub adopt: BTreeSet<String>,
    pub default_tags: Tags,
    pub preflight: bool,
}

/// Shared by all resources; filled in when the provider is configured.
#[derive(Default)]
pub struct Setup {
    connected: OnceLock<Connected>,
    run: Mutex<Met>,
}

#[derive(Default)]
struct Met {
    /// Ids that stand in the state: one's own, whatever else is said about them.
    stored: BTreeSet<Id>,
    /// What this run has planned, by id.
    planned: BTreeMap<Id, Record>,
    demands: BTreeMap<Id, Vec<Demand>>,
}

/// One quota that the whole plan does not fit into.
pub struct Excess {
    pub demand: Demand,
    /// Over all resources planned so far.
    pub needed: u64,
}

impl Setup {
    pub fn connect(&self, connected: Connected) {
        // A second configuration in one process would be Terraform's mistake; the first stands.
        let _ = self.connected.set(connected);
    }

    /// None while the provider's configuration is not known yet.
    pub fn connected(&self) -> Option<&Connected> {
        self.connected.get()
    }

    /// For verbs that Terraform calls only with a known configuration.
    pub fn must(&self) -> Result<&Connected> {
        self.connected.get().ok_or_else(|| {
            Error::fatal(
                "reach the platform",
                "the provider's configuration depends on values that are not known yet",
            )
            .remedy("Apply what those values come from first, for instance with -target")
        })
    }

    pub fn stored(&self, id: &Id) -> bool {
        self.lock().stored.contains(id)
    }
    pub fn store(&self, id: Id) {
        self.lock().stored.insert(id);
    }
    pub fn removed(&self, id: &Id) {
        self.lock().stored.remove(id);
    }

    /// Keeps what was planned, so that what is planned on top of it can be checked.
    pub fn plan(&self, record: Record) {
        self.lock().planned.insert(record.thing.id(), record);
    }

    /// Adds a thing's demands and says which quotas the plan does not fit into by now. Planning a thing twice counts once.
    pub fn demand(&self, id: &Id, demands: Vec<Demand>) -> Vec<Excess> {
        let mut met = self.lock();
        met.demands.insert(id.clone(), demands.clone());
        let sum = |quota: &str| {
            met.demands
                .values()
                .flatten()
                .filter(|it| it.quota == quota)
                .map(|it| it.amount)
                .sum::<u64>()
        };
        demands
            .into_iter()
            .filter_map(|demand| {
                let needed = sum(demand.quota);
                let over = demand.amount > 0 && demand.free.is_some_and(|free| needed > free);
                over.then_some(Excess { demand, needed })
            })
            .collect()
    }

    /// The thing with its neighbours: what this run plans for them, else their records, else what they were last time.
    /// `applying`: what stands in the cloud comes before what was planned.
    pub async fn site(&self, thing: Thing, last: Option<&Site>, applying: bool) -> Result<Site> {
        let connected = self.must()?;
        let mut around = BTreeMap::new();
        let records = if thing.needs().is_empty() {
            Vec::new()
        } else {
            connected.platform.records().await?
        };
        for id in thing.needs() {
            let record = records.iter().find(|it| it.thing.id() == id).cloned();
            let planned = self.lock().planned.get(&id).cloned();
            let found = match applying {
                true => record.or(planned),
                false => merge(planned, record),
            };
            if let Some(found) = found.or_else(|| last.and_then(|it| it.around.get(&id).cloned())) {
                around.insert(id, found);
            }
        }
        Ok(Site {
            owner: connected.owner.clone(),
            default_tags: connected.default_tags.clone(),
            thing,
            around,
        })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Met> {
        self.run.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is planned, with the outputs that stand.
fn merge(planned: Option<Record>, record: Option<Record>) -> Option<Record> {
    match (planned, record) {
        (Some(planned), Some(record)) if planned.outputs == Outputs::default() => Some(Record {
            outputs: record.outputs,
            ..planned
        }),
        (planned, record) => planned.or(record),
    }
}
