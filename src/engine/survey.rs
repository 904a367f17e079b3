//! Looking without touching: what of a graph exists, and how it differs from the plan.

use super::{
    error::{Error, Result},
    graph::Graph,
    journal::{Entry, Journal, Phase},
    object::{Cloud, Seen, Standing},
    remove::{left, planned_or_revived},
    run::{Absent, Drift, Inspection, Run, Waiting},
    step::Step,
    wait::Pace,
    works::Works,
};
use futures::{StreamExt, stream::FuturesUnordered};
use indexmap::{IndexMap, IndexSet};
use serde_json::Value;
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// Compares the graph with what exists, and brings the journal's facts up to date. Changes nothing in the cloud.
pub async fn inspect<C: Cloud>(
    cloud: &C,
    pace: &Pace,
    graph: &Graph<C>,
    journal: &Journal,
    run: &Run,
) -> Result<Inspection> {
    graph.check()?;
    let works = Works::new(cloud, pace, journal, run);
    graph.remember(journal);
    let before: BTreeMap<String, Option<Value>> = journal
        .entries()
        .into_iter()
        .map(|(name, entry)| (name, entry.facts))
        .collect();
    let mut looked = look_at_all(&works, graph, |_, _| true).await;
    let mut inspection = Inspection::default();
    let mut of_seal = Vec::new();
    for (name, planned) in &graph.steps {
        let step = &*planned.step;
        let kind = step.kind().to_owned();
        let Some(answer) = looked.shift_remove(name) else {
            continue;
        };
        let Some(seen) = answer? else {
            let id = before
                .get(name)
                .and_then(Option::as_ref)
                .map(|facts| step.id_in(facts));
            journal.lost(name);
            inspection.missing.push(Absent {
                step: journal.called(name),
                kind,
                id,
            });
            continue;
        };
        inspection.found += 1;
        let id = step.id_in(&seen.facts);
        let standing = |state: &str| Waiting {
            step: journal.called(name),
            kind: kind.clone(),
            id: Some(id.clone()),
            state: state.to_owned(),
            waited: Duration::ZERO,
        };
        match &seen.standing {
            Standing::Ready => {}
            Standing::Pending(state) if step.awaited() => inspection.pending.push(standing(state)),
            Standing::Pending(_) => {}
            Standing::Leaving => inspection.pending.push(standing("on its way out")),
            Standing::Broken(why) => inspection.broken.push(standing(why)),
        }
        let drift = |difference| Drift {
            step: journal.called(name),
            kind: kind.clone(),
            id: id.clone(),
            difference,
        };
        let drifts = match graph.seal.as_ref() == Some(name) {
            true => &mut of_seal,
            false => &mut inspection.drifts,
        };
        drifts.extend(seen.differences.into_iter().map(drift));
    }
    for (name, answer) in looked {
        if answer?.is_none() {
            journal.forget(&name);
        }
    }
    // What the seal says of the others follows from them: only alone is it news.
    if inspection.clean() {
        inspection.drifts = of_seal;
    }
    inspection.stale = left(journal, |name| !graph.steps.contains_key(name));
    Ok(inspection)
}

/// Looks for those journalled steps whose facts are not known; the answers go into the journal.
pub(super) async fn survey<C: Cloud>(works: &Works<'_, C>, graph: &Graph<C>) -> Looked {
    look_at_all(works, graph, |_, entry| entry.facts.is_none()).await
}

pub(super) type Looked = IndexMap<String, Result<Option<Seen<Value>>>>;

/// Looks for the chosen steps of the journal, each after those that it needs, side by side.
async fn look_at_all<C: Cloud>(
    works: &Works<'_, C>,
    graph: &Graph<C>,
    chosen: impl Fn(&str, &Entry) -> bool,
) -> Looked {
    let mut open: IndexMap<String, Entry> = works
        .journal
        .entries()
        .into_iter()
        .filter(|(name, entry)| chosen(name, entry))
        .collect();
    let mut looked = Looked::new();
    let mut under_way: IndexSet<String> = IndexSet::new();
    let mut looks = FuturesUnordered::new();
    loop {
        let now: Vec<String> = open
            .iter()
            .filter(|(name, entry)| {
                // The seal may tell of all the others, so it is looked at when these are known.
                if graph.seal.as_ref() == Some(*name) {
                    return open.len() == 1 && under_way.is_empty();
                }
                let pending = |step: &String| open.contains_key(step) || under_way.contains(step);
                !entry.needs.iter().any(|need| pending(&need.step))
            })
            .map(|(name, _)| name.clone())
            .collect();
        for name in now {
            let Some(entry) = open.shift_remove(&name) else {
                continue;
            };
            under_way.insert(name.clone());
            looks.push(look_at(works, graph, name, entry));
        }
        let Some((name, answer)) = looks.next().await else {
            return looked;
        };
        under_way.shift_remove(&name);
        looked.insert(name, answer);
    }
}

async fn look_at<C: Cloud>(
    works: &Works<'_, C>,
    graph: &Graph<C>,
    name: String,
    entry: Entry,
) -> (String, Result<Option<Seen<Value>>>) {
    let step: Result<Arc<dyn Step<C>>, Error> = planned_or_revived(graph, &name, &entry);
    let answer = match step {
        Err(error) => Err(error),
        Ok(step) => {
            let at = works.at("look at", &entry.kind, &name);
            let looked = works
                .look(&at, &*step, entry.facts.as_ref(), works.start)
                .await;
            if let Ok(Some(seen)) = &looked {
                let ready = seen.standing == Standing::Ready && seen.differences.is_empty();
                works.journal.found(
                    &name,
                    &seen.facts,
                    if ready { Phase::Ready } else { Phase::Made },
                );
            }
            looked
        }
    };
    (name, answer)
}
