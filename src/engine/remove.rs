//! Taking objects away, dependents first, until they are gone.

use super::{
    error::{Error, Kind, Result},
    graph::Graph,
    journal::{Entry, Journal, Phase},
    object::{Cloud, Standing},
    reads::Moment,
    run::{Left, Outcome, Run},
    schedule::{Jobs, Task},
    step::Step,
    survey::survey,
    wait::{Backoff, Pace, next_look},
    works::{At, Works},
};
use serde_json::Value;
use std::{sync::Arc, time::Duration};
use tokio::time::Instant;

/// How long an object may look as if nobody had asked for its end before it is asked again.
const UNMOVED: Duration = Duration::from_secs(15);

/// The first look whether something has gone: going is quicker than coming.
const QUICK: Duration = Duration::from_millis(500);

/// Takes away what the journal and the graph name; what the journal does not know is found by its mark. May run twice.
pub async fn remove<C: Cloud>(
    cloud: &C,
    pace: &Pace,
    graph: &Graph<C>,
    journal: &Journal,
    run: &Run,
) -> Outcome {
    if let Err(error) = graph.check() {
        return Outcome::failed(error);
    }
    graph.remember(journal);
    let mut works = Works::new(cloud, pace, journal, run);
    works.all_goes = true;
    let mut errors = Vec::new();
    let mut jobs = Jobs::default();
    let surveyed = works.reported(survey(&works, graph)).await;
    for (name, entry) in journal.entries() {
        match surveyed.get(&name) {
            // Nothing bears its mark: there is nothing to remove.
            Some(Ok(None)) => journal.forget(&name),
            Some(Err(error)) => errors.push(error.clone()),
            Some(Ok(Some(_))) | None => match planned_or_revived(graph, &name, &entry) {
                Ok(step) if step.outlives() => journal.forget(&name),
                Ok(step) => drop(jobs.add(Task::Remove(name, step))),
                Err(error) => errors.push(error),
            },
        }
    }
    jobs.removals_in_order(journal);
    if let Some(seal) = &graph.seal {
        jobs.first(seal);
    }
    errors.extend(works.reported(jobs.run(&works, graph)).await);
    let left = left(journal, |_| true);
    let (waiting, slow) = works.into_board();
    Outcome {
        complete: errors.is_empty() && journal.is_empty(),
        errors: told_once(errors),
        waiting,
        slow,
        left,
    }
}

/// What is still in the journal of the steps that should be gone.
pub(super) fn left<'a>(journal: &Journal, stale: impl Fn(&str) -> bool + 'a) -> Vec<Left> {
    let left = |(step, entry): (String, Entry)| {
        let id = entry.facts.as_ref().map(id_of);
        stale(&step).then(|| Left {
            step: entry.called(&step).to_owned(),
            kind: entry.kind,
            id,
        })
    };
    journal.entries().into_iter().filter_map(left).collect()
}

/// The id in facts of whatever type: every platform calls it so.
fn id_of(facts: &Value) -> String {
    facts
        .get("id")
        .and_then(Value::as_str)
        .map_or_else(|| facts.to_string(), str::to_owned)
}

pub(super) fn planned_or_revived<C: Cloud>(
    graph: &Graph<C>,
    name: &str,
    entry: &Entry,
) -> Result<Arc<dyn Step<C>>> {
    match graph.steps.get(name) {
        Some(planned) if planned.step.kind() == entry.kind => Ok(planned.step.clone()),
        _ => Ok(C::revive(&entry.kind, entry.spec.clone())?.into()),
    }
}

/// An interrupt or the deadline met many steps at once: it is told once, with all of them.
pub(super) fn told_once(errors: Vec<Error>) -> Vec<Error> {
    let (cut_off, mut rest): (Vec<_>, Vec<_>) = errors
        .into_iter()
        .partition(|error| matches!(error.kind, Kind::Late | Kind::Stopped));
    let mut cut_off = cut_off.into_iter();
    if let Some(mut first) = cut_off.next() {
        for other in cut_off {
            first.why = format!("{}\n{}: {}", first.why, other.doing, other.why);
        }
        rest.push(first);
    }
    rest
}

impl<C: Cloud> Works<'_, C> {
    /// Ends an object and waits until nothing bears its mark any more. The journal's entry stays, without facts.
    pub async fn unmake(&self, name: &str, step: &dyn Step<C>) -> Result<()> {
        let at = self.at("remove", step.kind(), name);
        let mut backoff = Backoff::default();
        let mut since = self.start;
        let mut known = self.journal.get(name).and_then(|entry| entry.facts);
        loop {
            let facts = match known.take() {
                Some(facts) => facts,
                None => match self.look(&at, step, None, since).await? {
                    Some(seen) => seen.facts,
                    None => break,
                },
            };
            self.journal.found(name, &facts, Phase::Made);
            self.note(&at, Some(step.id_in(&facts)), "being deleted");
            match self.change(&at, step.end(&self.cx(since), &facts)).await {
                Ok(()) if step.instant() => break,
                Ok(()) => {}
                Err(error) if error.kind == Kind::Gone => {}
                Err(error) if matches!(error.kind, Kind::Busy | Kind::Unsure) => {
                    self.note(&at, None, &error.to_string());
                    self.pause(&at, backoff.pause()).await?;
                    since = Moment::now();
                    continue;
                }
                Err(error) => return Err(error),
            }
            let Some(still) = self.leaving(&at, step, &facts).await? else {
                break;
            };
            known = Some(still);
        }
        self.journal.lost(name);
        Ok(())
    }

    /// Waits until the object is gone. Some facts: it does not seem to go, or another one bears the same mark.
    async fn leaving(
        &self,
        at: &At<'_>,
        step: &dyn Step<C>,
        facts: &Value,
    ) -> Result<Option<Value>> {
        let asked = Instant::now();
        let mut since = self.first_beat(at, step.usually().min(QUICK)).await?;
        loop {
            let Some(seen) = self.look(at, step, Some(facts), since).await? else {
                return Ok(None);
            };
            let other = step.id_in(&seen.facts) != step.id_in(facts);
            match seen.standing {
                Standing::Leaving | Standing::Pending(_) if !other => {
                    self.note(at, None, "on its way out")
                }
                Standing::Broken(why) if !other && asked.elapsed() < UNMOVED => {
                    self.note(at, None, &why)
                }
                Standing::Ready if !other && asked.elapsed() < UNMOVED => {
                    self.note(at, None, "does not go yet")
                }
                _ => return Ok(Some(seen.facts)),
            }
            since = self.beat(at, next_look(asked.elapsed())).await?;
        }
    }
}
