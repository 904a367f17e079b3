//! One graph of jobs, makes and removals alike, run side by side as far as its edges allow.

use super::{
    error::Error, error::Result as EngineResult, graph::Graph, journal::Journal, make::Making,
    object::Cloud, step::Step, works::Works,
};
use futures::{StreamExt, stream::FuturesUnordered};
use indexmap::IndexMap;
use std::{collections::BTreeSet, sync::Arc};
use tokio::sync::watch;

/// How far a job has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Progress {
    Waiting,
    Begun,
    /// The object exists (makes only).
    Made,
    Done,
    /// It failed, or was never begun because another did.
    Failed,
}

pub(super) struct Signal(watch::Sender<Progress>);

impl Signal {
    fn new() -> Self {
        Self(watch::Sender::new(Progress::Waiting))
    }
    /// Progress never goes back.
    pub fn set(&self, progress: Progress) {
        self.0.send_if_modified(|now| {
            let forward = progress > *now;
            if forward {
                *now = progress;
            }
            forward
        });
    }
    fn get(&self) -> Progress {
        *self.0.borrow()
    }
    /// Waits until the job is so far. False: it will never be.
    async fn reaches(&self, wanted: Progress) -> bool {
        let mut seen = self.0.subscribe();
        let reached = seen.wait_for(|now| *now >= wanted).await.map(|now| *now);
        matches!(reached, Ok(now) if now != Progress::Failed)
    }
}

pub(super) enum Task<C: Cloud> {
    Make(String),
    Remove(String, Arc<dyn Step<C>>),
}

/// One job's place among the others: its number.
pub(super) type Job = usize;

struct Node<C: Cloud> {
    task: Task<C>,
    after: IndexMap<Job, Progress>,
    signal: Signal,
}

pub(super) struct Jobs<C: Cloud> {
    nodes: Vec<Node<C>>,
    made_by: IndexMap<String, Job>,
    removed_by: IndexMap<String, Job>,
}

impl<C: Cloud> Default for Jobs<C> {
    fn default() -> Self {
        Self {
            nodes: Vec::new(),
            made_by: IndexMap::new(),
            removed_by: IndexMap::new(),
        }
    }
}

impl<C: Cloud> Jobs<C> {
    pub fn add(&mut self, task: Task<C>) -> Job {
        let job = self.nodes.len();
        match &task {
            Task::Make(name) => self.made_by.insert(name.clone(), job),
            Task::Remove(name, _) => self.removed_by.insert(name.clone(), job),
        };
        self.nodes.push(Node {
            task,
            after: IndexMap::new(),
            signal: Signal::new(),
        });
        job
    }
    pub fn make_of(&self, step: &str) -> Option<Job> {
        self.made_by.get(step).copied()
    }
    pub fn removal_of(&self, step: &str) -> Option<Job> {
        self.removed_by.get(step).copied()
    }
    pub fn removals(&self) -> impl Iterator<Item = Job> {
        self.removed_by.values().copied()
    }
    pub fn makes(&self) -> impl Iterator<Item = Job> {
        self.made_by.values().copied()
    }

    /// `later` begins when `earlier` is so far. Left out where it would close a circle: such an edge is a wish for
    /// order, what must be so comes from references, and these make no circle.
    pub fn order(&mut self, earlier: Job, progress: Progress, later: Job) {
        if earlier == later || self.leads(later, earlier) {
            return;
        }
        let wanted = self.nodes[later].after.entry(earlier).or_insert(progress);
        *wanted = (*wanted).max(progress);
    }

    /// Whether `to` waits, directly or not, for `from`.
    fn leads(&self, from: Job, to: Job) -> bool {
        let mut met = BTreeSet::new();
        let mut open = vec![to];
        while let Some(job) = open.pop() {
            if job == from {
                return true;
            }
            if met.insert(job) {
                open.extend(self.nodes[job].after.keys());
            }
        }
        false
    }

    /// Dependents go before what they depend on, as the journal knows it.
    pub fn removals_in_order(&mut self, journal: &Journal) {
        for (name, entry) in journal.entries() {
            let Some(dependent) = self.removal_of(&name) else {
                continue;
            };
            for need in &entry.needs {
                if let Some(needed) = self.removal_of(&need.step) {
                    self.order(dependent, Progress::Done, needed);
                }
            }
        }
    }

    /// This removal goes before all others.
    pub fn first(&mut self, step: &str) {
        let Some(first) = self.removal_of(step) else {
            return;
        };
        for job in self.removals().collect::<Vec<_>>() {
            self.order(first, Progress::Done, job);
        }
    }

    /// Runs all jobs; returns what went wrong. A job whose forerunner failed is not begun.
    pub async fn run(&self, works: &Works<'_, C>, graph: &Graph<C>) -> Vec<Error> {
        let mut errors = Vec::new();
        let mut under_way: FuturesUnordered<_> = (0..self.nodes.len())
            .map(|job| self.run_one(job, works, graph))
            .collect();
        while let Some(result) = under_way.next().await {
            errors.extend(result.err());
        }
        errors
    }

    async fn run_one(&self, job: Job, works: &Works<'_, C>, graph: &Graph<C>) -> EngineResult<()> {
        let node = &self.nodes[job];
        for (earlier, wanted) in &node.after {
            if !self.nodes[*earlier].signal.reaches(*wanted).await {
                node.signal.set(Progress::Failed);
                return Ok(());
            }
        }
        node.signal.set(Progress::Begun);
        let result = match &node.task {
            Task::Make(name) => self.make(name, node, works, graph).await,
            Task::Remove(name, step) => {
                let at = works.at("remove", step.kind(), name);
                works.begin(&at);
                let result = works.unmake(name, &**step).await;
                if result.is_ok() {
                    works.journal.forget(name);
                }
                works.end(&at, &result);
                result
            }
        };
        node.signal.set(if result.is_ok() {
            Progress::Done
        } else {
            Progress::Failed
        });
        result
    }

    async fn make(
        &self,
        name: &str,
        node: &Node<C>,
        works: &Works<'_, C>,
        graph: &Graph<C>,
    ) -> EngineResult<()> {
        let Some(planned) = graph.steps.get(name) else {
            return Ok(());
        };
        let needed_ready = |other: &super::graph::Planned<C>| {
            other
                .needs
                .iter()
                .any(|need| need.ready && need.step == name)
        };
        let at = works.at("make", planned.step.kind(), name);
        let begun = |step: &str| {
            self.make_of(step)
                .is_some_and(|job| self.nodes[job].signal.get() != Progress::Waiting)
        };
        let making = Making {
            works,
            graph,
            name,
            planned,
            awaited: planned.step.awaited() || graph.steps.values().any(needed_ready),
            signal: &node.signal,
            begun: &begun,
        };
        works.begin(&at);
        let result = making.make().await;
        works.end(&at, &result);
        result
    }
}
