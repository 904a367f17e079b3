//! What the resources of one run share: the platform, who the owner is, and what this run has met and planned so far.

use crate::engine::{Error, Result};
use crate::platform::{Demand, Platform};
use crate::site::{Id, Record, Site, Tags, Thing};
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

    /// The thing with its neighbours as they stand in the cloud: what it can be made on.
    pub async fn standing(&self, thing: Thing) -> Result<Site> {
        let records = self.records(&thing).await?;
        let needs = thing.needs();
        let around = records
            .into_iter()
            .filter(|it| needs.contains(&it.thing.id()));
        self.site(thing, around)
    }

    /// The thing with its neighbours as this run plans them; those that it has not met, as they stand.
    pub async fn planned(&self, thing: Thing) -> Result<Site> {
        let mut around: BTreeMap<Id, Record> = self
            .records(&thing)
            .await?
            .into_iter()
            .map(|it| (it.thing.id(), it))
            .collect();
        let needs = thing.needs();
        around.retain(|id, _| needs.contains(id));
        for id in needs {
            if let Some(planned) = self.lock().planned.get(&id).cloned() {
                let outputs = around.remove(&id).map(|it| it.outputs).unwrap_or_default();
                around.insert(id, Record { outputs, ..planned });
            }
        }
        self.site(thing, around.into_values())
    }

    /// What stands, and what this run has planned so far, by the side of a thing.
    pub async fn all(&self, beside: &Thing) -> Result<Vec<Thing>> {
        let records = self.records(beside).await?;
        let mut all: BTreeMap<Id, Thing> = records
            .into_iter()
            .map(|it| (it.thing.id(), it.thing))
            .collect();
        let planned = self.lock().planned.clone();
        all.extend(planned.into_iter().map(|(id, it)| (id, it.thing)));
        Ok(all.into_values().collect())
    }

    async fn records(&self, thing: &Thing) -> Result<Vec<Record>> {
        match thing.needs().is_empty() {
            true => Ok(Vec::new()),
            false => self.must()?.platform.records().await,
        }
    }

    fn site(&self, thing: Thing, around: impl Iterator<Item = Record>) -> Result<Site> {
        let connected = self.must()?;
        Ok(Site {
            owner: connected.owner.clone(),
            default_tags: connected.default_tags.clone(),
            thing,
            around: around.map(|it| (it.thing.id(), it)).collect(),
        })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Met> {
        self.run.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
