//! One step made real: found or created, waited for, mended, made once more where that loses nothing.

use super::{
    error::{Error, Kind, Result},
    graph::{Graph, Planned},
    journal::{Entry, Journal, Phase},
    object::{Cloud, Difference, Mend, Seen, Standing},
    reads::Moment,
    schedule::{Progress, Signal},
    wait::{Backoff, next_look},
    works::{At, Works},
};
use serde_json::Value;
use std::time::Duration;
use tokio::time::Instant;

/// An object that keeps nothing is made again because it failed or cannot be changed: so often, and what failed after these
/// pauses. Its making may have failed because a service that the cloud itself needs was away for some seconds.
const REMAKES: [Duration; 2] = [Duration::from_secs(5), Duration::from_secs(30)];
/// How often the same differences are mended before we believe that something else changes them back.
const UPDATES: u32 = 4;
/// How many looks must find nothing after a lost answer before another object is made.
const LOOKS_AFTER_LOST: u32 = 2;
/// How long something just made may be missing from lists.
const UNSEEN: Duration = Duration::from_secs(30);

/// One step being made.
pub(super) struct Making<'a, C: Cloud> {
    pub works: &'a Works<'a, C>,
    pub graph: &'a Graph<C>,
    pub name: &'a str,
    pub planned: &'a Planned<C>,
    /// Whether somebody needs it ready.
    pub awaited: bool,
    pub signal: &'a Signal,
    /// Which steps of this run have begun: what stands on this one may be cleared away only while it has not.
    pub begun: &'a (dyn Fn(&str) -> bool + Sync),
}

/// What the attempts so far have shown.
struct Tries {
    since: Moment,
    backoff: Backoff,
    remakes: usize,
    updates: u32,
    looks_owed: u32,
    made: Option<Instant>,
    waiting: Instant,
}

enum Next {
    Done,
    Again,
}

impl<C: Cloud> Making<'_, C> {
    fn at(&self) -> At<'_> {
        self.works.at("make", self.planned.step.kind(), self.name)
    }

    pub async fn make(&self) -> Result<()> {
        self.works.go_on(&self.at())?;
        self.enter().await?;
        let mut tries = Tries {
            since: self.works.start,
            backoff: Backoff::default(),
            remakes: 0,
            updates: 0,
            looks_owed: 0,
            made: None,
            waiting: Instant::now(),
        };
        loop {
            let known = self
                .works
                .journal
                .get(self.name)
                .and_then(|entry| entry.facts);
            let step = &*self.planned.step;
            let seen = self
                .works
                .look(&self.at(), step, known.as_ref(), tries.since)
                .await?;
            let next = match seen {
                None => self.absent(known.as_ref(), &mut tries).await?,
                Some(seen) => self.present(&seen, &mut tries).await?,
            };
            if let Next::Done = next {
                return Ok(());
            }
        }
    }

    /// Writes the step into the journal as it is wanted now. Another kind of object under the same name goes first.
    async fn enter(&self) -> Result<()> {
        let journal = self.works.journal;
        let mut entry = Entry::asked(
            self.planned.step.kind(),
            self.planned.spec.clone(),
            self.planned.slot.clone(),
        );
        if let Some(old) = journal.get(self.name) {
            if old.kind == entry.kind {
                entry.facts = old.facts;
                entry.phase = old.phase;
            } else {
                let step = C::revive(&old.kind, old.spec.clone())?;
                self.works.unmake(self.name, &*step).await?;
            }
        }
        if journal.get(self.name).as_ref() != Some(&entry) {
            journal.put(self.name, entry);
        }
        Ok(())
    }

    async fn absent(&self, known: Option<&Value>, tries: &mut Tries) -> Result<Next> {
        if let (Some(_), Some(made)) = (known, tries.made)
            && made.elapsed() < UNSEEN
        {
            self.works.note(&self.at(), None, "made, not listed yet");
            tries.since = self
                .works
                .beat(&self.at(), next_look(made.elapsed()))
                .await?;
            return Ok(Next::Again);
        }
        if tries.looks_owed > 0 {
            tries.looks_owed -= 1;
            self.works.pause(&self.at(), tries.backoff.pause()).await?;
            tries.since = Moment::now();
            return Ok(Next::Again);
        }
        if known.is_some() {
            self.works.journal.lost(self.name);
        }
        self.create(tries).await
    }

    async fn create(&self, tries: &mut Tries) -> Result<Next> {
        let (works, at, step) = (self.works, self.at(), &*self.planned.step);
        works.note(&at, None, "being created");
        match works.change(&at, step.make(&works.cx(tries.since))).await {
            Ok(facts) => {
                works.note(&at, Some(step.id_in(&facts)), "created");
                let phase = if step.instant() {
                    Phase::Ready
                } else {
                    Phase::Made
                };
                works.journal.found(self.name, &facts, phase);
                tries.made = Some(Instant::now());
                tries.waiting = Instant::now();
                self.signal.set(Progress::Made);
                if step.instant() || !self.awaited {
                    return Ok(Next::Done);
                }
                tries.since = works.first_beat(&at, step.usually()).await?;
                Ok(Next::Again)
            }
            Err(error) if matches!(error.kind, Kind::Busy | Kind::Unsure) => {
                if error.kind == Kind::Unsure {
                    tries.looks_owed = LOOKS_AFTER_LOST;
                }
                works.note(&at, None, &error.to_string());
                works.pause(&at, tries.backoff.pause()).await?;
                tries.since = Moment::now();
                Ok(Next::Again)
            }
            Err(error) => Err(error),
        }
    }

    async fn present(&self, seen: &Seen<Value>, tries: &mut Tries) -> Result<Next> {
        let (works, at, step) = (self.works, self.at(), &*self.planned.step);
        let id = step.id_in(&seen.facts);
        tries.looks_owed = 0;
        let replaced = seen
            .differences
            .iter()
            .find(|difference| difference.mend == Mend::Replace);
        match &seen.standing {
            Standing::Leaving => {
                works.note(&at, Some(id), "on its way out");
                tries.since = works.beat(&at, next_look(tries.waiting.elapsed())).await?;
                tries.made = None;
                Ok(Next::Again)
            }
            Standing::Broken(why) => {
                works.journal.found(self.name, &seen.facts, Phase::Made);
                self.remake(&id, why, Kind::Broken, tries).await
            }
            _ if replaced.is_some() => {
                works.journal.found(self.name, &seen.facts, Phase::Made);
                self.remake(&id, &told(&seen.differences), Kind::Fatal, tries)
                    .await
            }
            Standing::Pending(state) => {
                works.journal.found(self.name, &seen.facts, Phase::Made);
                self.signal.set(Progress::Made);
                // What is not as wanted can be mended only when it is ready: then this run waits, whoever else does not.
                if !self.awaited && seen.differences.is_empty() {
                    return Ok(Next::Done);
                }
                works.note(&at, Some(id), state);
                tries.since = works.beat(&at, next_look(tries.waiting.elapsed())).await?;
                Ok(Next::Again)
            }
            Standing::Ready if seen.differences.is_empty() => {
                works.journal.found(self.name, &seen.facts, Phase::Ready);
                Ok(Next::Done)
            }
            Standing::Ready => {
                works.journal.found(self.name, &seen.facts, Phase::Made);
                self.signal.set(Progress::Made);
                self.update(&id, seen, tries).await
            }
        }
    }

    async fn update(&self, id: &str, seen: &Seen<Value>, tries: &mut Tries) -> Result<Next> {
        let (works, at, step) = (self.works, self.at(), &*self.planned.step);
        if tries.updates == UPDATES {
            let why = format!(
                "{id} was changed {UPDATES} times and is still not as wanted: {}",
                told(&seen.differences)
            );
            return Err(Error::fatal(at.to_string(), why)
                .remedy("see whether something else changes it back"));
        }
        works.note(&at, Some(id.to_owned()), "being updated");
        let cx = works.cx(tries.since);
        match works
            .change(&at, step.mend(&cx, &seen.facts, &seen.differences))
            .await
        {
            Ok(()) => {
                tries.updates += 1;
                if step.instant() {
                    works.journal.found(self.name, &seen.facts, Phase::Ready);
                    return Ok(Next::Done);
                }
                tries.waiting = Instant::now();
                tries.since = works.first_beat(&at, step.usually()).await?;
            }
            Err(error) if matches!(error.kind, Kind::Busy | Kind::Unsure | Kind::Gone) => {
                works.note(&at, None, &error.to_string());
                works.pause(&at, tries.backoff.pause()).await?;
                tries.since = Moment::now();
            }
            Err(error) => return Err(error),
        }
        Ok(Next::Again)
    }

    /// Takes the object away so that the next turn makes another: only where no data is lost by it.
    async fn remake(&self, id: &str, why: &str, kind: Kind, tries: &mut Tries) -> Result<Next> {
        let at = self.at();
        // What this run has made and nobody has seen ready holds no data yet.
        let fresh = kind == Kind::Broken && tries.made.is_some();
        if self.planned.step.keeps_data() && !fresh {
            let why = format!("{id} keeps data and is therefore not made anew: {why}");
            return Err(Error::new(kind, at.to_string(), why).remedy(
                "mend it with the cloud's own tools; or, after a backup, have the whole replaced",
            ));
        }
        let Some(pause) = REMAKES.get(tries.remakes) else {
            return Err(
                Error::new(kind, at.to_string(), format!("{id}: {why}")).remedy(format!(
                    "it was made {} times; see the cloud's own logs for this object",
                    REMAKES.len() + 1
                )),
            );
        };
        tries.remakes += 1;
        tracing::warn!("{at} ({id}) again: {why}");
        self.clear(why, kind).await?;
        if kind == Kind::Broken {
            self.works.pause(&at, *pause).await?;
        }
        tries.made = None;
        tries.since = Moment::now();
        tries.waiting = Instant::now();
        Ok(Next::Again)
    }

    /// Removes the object and before it what stands on it, all of which comes back later in this run if it is wanted.
    async fn clear(&self, why: &str, kind: Kind) -> Result<()> {
        let standing_on = standing_on(self.name, self.works.journal);
        let mut steps = Vec::new();
        for name in &standing_on {
            let Some(entry) = self.works.journal.get(name) else {
                continue;
            };
            let step = C::revive(&entry.kind, entry.spec)?;
            if step.keeps_data() || (self.begun)(name) {
                let why = format!(
                    "{why}; it is not made anew while {} `{}` stands on it",
                    entry.kind,
                    self.works.journal.called(name)
                );
                return Err(Error::new(kind, self.at().to_string(), why).remedy("apply again"));
            }
            steps.push((name, step));
        }
        for (name, step) in steps {
            self.works.unmake(name, &*step).await?;
            if !self.graph.steps.contains_key(name) {
                // It was stale and would have gone later in this run.
                self.works.journal.forget(name);
            }
        }
        self.works.unmake(self.name, &*self.planned.step).await
    }
}

/// The journalled steps that need this one ready, and those that need these: what stands on top comes first.
fn standing_on(name: &str, journal: &Journal) -> Vec<String> {
    fn climb(name: &str, entries: &[(String, Entry)], above: &mut Vec<String>) {
        for (other, entry) in entries {
            let stands = entry
                .needs
                .iter()
                .any(|need| need.ready && need.step == name);
            if stands && entry.facts.is_some() && !above.contains(other) {
                climb(other, entries, above);
                above.push(other.clone());
            }
        }
    }
    let mut above = Vec::new();
    climb(name, &journal.entries(), &mut above);
    above
}

pub(super) fn told(differences: &[Difference]) -> String {
    let tell = |it: &Difference| format!("{} is {}, wanted {}", it.field, it.found, it.wanted);
    differences.iter().map(tell).collect::<Vec<_>>().join("; ")
}
