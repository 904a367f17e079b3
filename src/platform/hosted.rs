//! A platform made of a host: its plans, run by the engine. The same for every cloud.

use super::{Finding, Host, Platform, Preflight};
use crate::engine::{
    self, Entry, Inspection, Journal, Need, Order, Outcome, Pace, Result, Run, Slot,
};
use crate::site::{Outputs, Record, Site, Sort};
use async_trait::async_trait;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Any [`Host`] as a [`Platform`]. All things on one host wait at one pace, so that they share list calls.
pub struct Hosted<H> {
    host: Arc<H>,
    pace: Pace,
}

impl<H: Host> Hosted<H> {
    pub fn new(host: impl Into<Arc<H>>) -> Self {
        Self {
            host: host.into(),
            pace: Pace::new(),
        }
    }
    pub fn host(&self) -> &Arc<H> {
        &self.host
    }

    /// With an empty journal (an import, or a state that was lost), what the cloud itself remembers of the thing is
    /// taken for it, so that what an earlier make of it left behind is found and goes. A certificate's key is another one in
    /// each run, so no later plan names what a killed run stored: that is looked for whatever the journal knows.
    async fn remember(&self, site: &Site, journal: &Journal) -> Result<()> {
        let id = site.thing.id();
        let lost = journal.is_empty();
        if !lost && id.sort != Sort::Certificate {
            return Ok(());
        }
        if lost
            && let Some(record) = self
                .host
                .records()
                .await?
                .into_iter()
                .find(|record| record.thing.id() == id)
        {
            let before = Site {
                thing: record.thing,
                ..site.clone()
            };
            // A record that this release can no longer plan is no reason to stop: marks still find what is wanted.
            if let Ok(graph) = self.host.plan(&before) {
                graph.remember(journal);
            }
        }
        let strays = self.host.strays(site).await?;
        if strays.is_empty() {
            return Ok(());
        }
        let graph = self.host.plan(site).ok();
        // What no plan knows any more: whatever came later in the list may stand on what came before.
        let mut unplanned: Vec<(String, String)> = Vec::new();
        for (name, mut entry) in strays {
            if journal.get(&name).is_some() {
                continue;
            }
            let planned = graph.as_ref().and_then(|graph| graph.asked(&name));
            if let Some(planned) = planned.filter(|it| it.kind == entry.kind) {
                let facts = entry.facts.take();
                journal.put(&name, facts.into_iter().fold(planned, Entry::with_facts));
                continue;
            }
            let below = unplanned.iter().filter(|(kind, _)| *kind != entry.kind);
            entry.needs.extend(below.map(|(_, step)| Need {
                step: step.clone(),
                ready: true,
            }));
            unplanned.push((entry.kind.clone(), name.clone()));
            journal.put(&name, entry);
        }
        Ok(())
    }
}

#[async_trait]
impl<H: Host> Platform for Hosted<H> {
    fn name(&self) -> &'static str {
        H::NAME
    }
    async fn records(&self) -> Result<Vec<Record>> {
        self.host.records().await
    }
    async fn preflight(
        &self,
        site: &mut Site,
        before: Option<&Record>,
        journal: &Journal,
    ) -> Result<Preflight> {
        self.host.preflight(site, before, journal).await
    }
    async fn converge(&self, site: &Site, journal: &Journal, run: &Run) -> Outcome {
        let graph = match self.host.plan(site) {
            Ok(graph) => graph,
            Err(error) => return Outcome::failed(error),
        };
        if let Err(error) = self.remember(site, journal).await {
            return Outcome::failed(error);
        }
        engine::converge(&*self.host, &self.pace, &graph, journal, run).await
    }
    async fn inspect(&self, site: &Site, journal: &Journal, run: &Run) -> Result<Inspection> {
        let graph = self.host.plan(site)?;
        engine::inspect(&*self.host, &self.pace, &graph, journal, run).await
    }
    async fn remove(&self, site: &Site, journal: &Journal, run: &Run) -> Outcome {
        let graph = match self.host.plan(site) {
            Ok(graph) => graph,
            Err(error) => return Outcome::failed(error),
        };
        if let Err(error) = self.remember(site, journal).await {
            return Outcome::failed(error);
        }
        engine::remove(&*self.host, &self.pace, &graph, journal, run).await
    }
    fn outputs(&self, site: &Site, journal: &Journal) -> Outputs {
        self.host.outputs(site, journal)
    }
    async fn observe(&self, site: &Site, outputs: &mut Outputs) {
        self.host.observe(site, outputs).await;
    }
    fn same(&self, one: &Site, other: &Site) -> bool {
        match (self.host.plan(one), self.host.plan(other)) {
            (Ok(one), Ok(other)) => one.describe() == other.describe(),
            // What cannot be planned any more is not the same as anything.
            _ => false,
        }
    }
    fn disruptions(&self, before: &Site, after: &Site) -> Vec<Finding> {
        let (Ok(before), Ok(after)) = (self.host.plan(before), self.host.plan(after)) else {
            return Vec::new();
        };
        let lost: BTreeSet<Slot> = before
            .slots()
            .filter(|(step, _)| !after.names().any(|name| name == *step))
            .map(|(_, slot)| slot.clone())
            .collect();
        let kept = |slot: &Slot| {
            after
                .slots()
                .any(|(_, it)| it.group == slot.group && it.index == slot.index)
        };
        lost.iter()
            .map(|slot| disruption(slot, kept(slot)))
            .collect()
    }
}

fn disruption(slot: &Slot, kept: bool) -> Finding {
    let machine = format!("`{}-{}`", slot.group, slot.index);
    let (summary, detail) = match (kept, slot.order) {
        (false, _) => (
            format!("Machine {machine} will be removed"),
            "It is taken out of service first; what it does is left to the others.",
        ),
        (true, Order::MakeFirst) => (
            format!("Machine {machine} will be replaced"),
            "A new one is made and put in before the old one is taken out, one machine after the other.",
        ),
        (true, Order::RemoveFirst) => (
            format!("Machine {machine} will be replaced"),
            "Its data and its address stay, but it does not answer until the new machine is ready; the next of several nodes goes only \
             then. Users notice it unless other nodes stand in.",
        ),
    };
    Finding {
        at: String::new(),
        refuses: false,
        summary,
        detail: detail.to_owned(),
    }
}
