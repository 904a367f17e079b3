//! A platform made of a host: its plans, run by the engine. The same for every cloud.

use super::{Host, Platform, Preflight};
use crate::engine::{self, Inspection, Journal, Outcome, Pace, Result, Run};
use crate::site::{Outputs, Record, Site};
use async_trait::async_trait;
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
    /// taken for it, so that what an earlier make of it left behind is found and goes.
    async fn remember(&self, site: &Site, journal: &Journal) -> Result<()> {
        if !journal.is_empty() {
            return Ok(());
        }
        let id = site.thing.id();
        let record = self
            .host
            .records()
            .await?
            .into_iter()
            .find(|record| record.thing.id() == id);
        if let Some(record) = record {
            let before = Site {
                thing: record.thing,
                ..site.clone()
            };
            // A record that this release can no longer plan is no reason to stop: marks still find what is wanted.
            if let Ok(graph) = self.host.plan(&before) {
                graph.remember(journal);
            }
        }
        for (name, entry) in self.host.strays(site).await? {
            if journal.get(&name).is_none() {
                journal.put(&name, entry);
            }
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
}
