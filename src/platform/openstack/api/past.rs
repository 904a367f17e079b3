//! What this process has done so far, as far as it matters for how old lists may be.

use super::service::Service;
use crate::engine::Moment;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

#[derive(Default)]
pub struct Past(Mutex<Done>);

struct Done {
    /// Who has answered so far: somebody who does is away for a while when no answer comes.
    answered: BTreeSet<Service>,
    last_change: Moment,
    changes: BTreeMap<Service, Moment>,
    /// When an answer was lost or something removed: lists from before may miss a twin, or show what is gone.
    doubt: Moment,
    doubted: Option<Instant>,
}

impl Default for Done {
    fn default() -> Self {
        Self {
            answered: BTreeSet::new(),
            last_change: Moment::START,
            changes: BTreeMap::new(),
            doubt: Moment::START,
            doubted: None,
        }
    }
}

/// How long after a lost answer nothing but fresh lists will do.
const DOUBT: Duration = Duration::from_secs(60);

impl Past {
    pub fn answered(&self, service: Service) {
        self.done().answered.insert(service);
    }
    pub fn has_answered(&self, service: Service) -> bool {
        self.done().answered.contains(&service)
    }

    /// The last moment at which this process changed something in the cloud.
    pub fn last_change(&self) -> Moment {
        self.done().last_change
    }
    /// The last change of one service's objects.
    pub fn last_change_of(&self, service: Service) -> Moment {
        self.done()
            .changes
            .get(&service)
            .copied()
            .unwrap_or(Moment::START)
    }
    /// How old a list may be in which a mark is looked for that nobody has seen yet, by somebody who asks for `since`.
    pub fn doubt(&self, since: Moment) -> Moment {
        let done = self.done();
        let lately = done.doubted.is_some_and(|when| when.elapsed() < DOUBT);
        if lately {
            since.max(done.doubt)
        } else {
            done.doubt
        }
    }
    pub fn changed(&self, service: Service, doubtful: bool) {
        let now = Moment::now();
        let mut done = self.done();
        done.last_change = now;
        done.changes.insert(service, now);
        if doubtful {
            done.doubt = now;
            done.doubted = Some(Instant::now());
        }
    }
    fn done(&self) -> MutexGuard<'_, Done> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
