//! Makes the world what the graph says: one run of makes and removals in one order.

use super::{
    graph::{Graph, Order, Slot},
    journal::Journal,
    object::Cloud,
    remove::{left, planned_or_revived, told_once},
    run::{Outcome, Run},
    schedule::{Job, Jobs, Progress, Task},
    wait::Pace,
    works::Works,
};
use std::collections::BTreeMap;

/// Makes the graph real. Create, resume, adopt and update are this one verb. What the journal has and the graph has
/// not is stale and goes.
pub async fn converge<C: Cloud>(
    cloud: &C,
    pace: &Pace,
    graph: &Graph<C>,
    journal: &Journal,
    run: &Run,
) -> Outcome {
    if let Err(error) = graph.check() {
        return Outcome::failed(error);
    }
    let works = Works::new(cloud, pace, journal, run);
    let (jobs, mut errors) = jobs(graph, journal);
    errors.extend(works.reported(jobs.run(&works, graph)).await);
    let left = left(journal, |name| !graph.steps.contains_key(name));
    let (waiting, slow) = works.into_board();
    let complete = errors.is_empty() && left.is_empty();
    Outcome {
        errors: told_once(errors),
        complete,
        waiting,
        slow,
        left,
    }
}

fn jobs<C: Cloud>(graph: &Graph<C>, journal: &Journal) -> (Jobs<C>, Vec<super::Error>) {
    let mut jobs = Jobs::default();
    let mut errors = Vec::new();
    for (name, planned) in &graph.steps {
        let job = jobs.add(Task::Make(name.clone()));
        for need in &planned.needs {
            if let Some(needed) = jobs.make_of(&need.step) {
                jobs.order(
                    needed,
                    if need.ready {
                        Progress::Done
                    } else {
                        Progress::Made
                    },
                    job,
                );
            }
        }
    }
    for (name, entry) in journal.entries() {
        if graph.steps.contains_key(&name) {
            continue;
        }
        match planned_or_revived(graph, &name, &entry) {
            Ok(step) if step.outlives() => journal.forget(&name),
            Ok(step) => drop(jobs.add(Task::Remove(name, step))),
            Err(error) => errors.push(error),
        }
    }
    jobs.removals_in_order(journal);
    seal_last(&mut jobs, graph);
    roll(&mut jobs, graph, journal);
    stale_after_makes(&mut jobs, graph, journal);
    (jobs, errors)
}

/// The seal says that all is done: it is made after everything, removals included.
fn seal_last<C: Cloud>(jobs: &mut Jobs<C>, graph: &Graph<C>) {
    let Some(seal) = graph.seal.as_deref().and_then(|seal| jobs.make_of(seal)) else {
        return;
    };
    for job in jobs.makes().chain(jobs.removals()).collect::<Vec<_>>() {
        jobs.order(job, Progress::Done, seal);
    }
}

/// Stale steps outside of slots go when all that is wanted is there.
fn stale_after_makes<C: Cloud>(jobs: &mut Jobs<C>, graph: &Graph<C>, journal: &Journal) {
    for (name, entry) in journal.entries() {
        let Some(removal) = jobs.removal_of(&name) else {
            continue;
        };
        if entry.slot.is_none() {
            for make in jobs.makes().collect::<Vec<_>>() {
                jobs.order(make, Progress::Done, removal);
            }
        }
    }
    // Who used a stale step stops using it first.
    for (name, entry) in journal.entries() {
        let Some(user) = jobs
            .make_of(&name)
            .filter(|_| graph.steps.contains_key(&name))
        else {
            continue;
        };
        for need in &entry.needs {
            if let Some(removal) = jobs.removal_of(&need.step) {
                jobs.order(user, Progress::Done, removal);
            }
        }
    }
}

#[derive(Default)]
struct Place {
    new: Vec<Job>,
    stale: Vec<Job>,
}

/// In a group where something is stale, one slot after the other is changed.
fn roll<C: Cloud>(jobs: &mut Jobs<C>, graph: &Graph<C>, journal: &Journal) {
    let mut groups: BTreeMap<String, (Order, BTreeMap<u32, Place>)> = BTreeMap::new();
    let place = |groups: &mut BTreeMap<String, (Order, BTreeMap<u32, Place>)>,
                 slot: &Slot,
                 new: bool,
                 job: Job| {
        let group = groups
            .entry(slot.group.clone())
            .or_insert_with(|| (slot.order, BTreeMap::new()));
        let place = group.1.entry(slot.index).or_default();
        if new {
            place.new.push(job)
        } else {
            place.stale.push(job)
        }
    };
    for (name, planned) in &graph.steps {
        if let (Some(slot), Some(job)) = (&planned.slot, jobs.make_of(name)) {
            place(&mut groups, slot, true, job);
        }
    }
    for (name, entry) in journal.entries() {
        if let (Some(slot), Some(job)) = (&entry.slot, jobs.removal_of(&name)) {
            place(&mut groups, slot, false, job);
        }
    }
    for (order, places) in groups.into_values() {
        let (mut changing, mut leaving): (Vec<_>, Vec<_>) = places
            .into_values()
            .filter(|place| !place.stale.is_empty())
            .partition(|place| !place.new.is_empty());
        // Machines that are no longer wanted go when the others are in.
        changing.append(&mut leaving);
        let mut before: Vec<Job> = Vec::new();
        for Place { new, stale } in changing {
            let (first, then) = match order {
                Order::MakeFirst => (new, stale),
                Order::RemoveFirst => (stale, new),
            };
            let first = if first.is_empty() { &then } else { &first };
            all_after(jobs, &before, first);
            all_after(jobs, first, &then);
            before = then.iter().chain(first).copied().collect();
        }
    }
}

fn all_after<C: Cloud>(jobs: &mut Jobs<C>, earlier: &[Job], later: &[Job]) {
    for first in earlier {
        for then in later {
            jobs.order(*first, Progress::Done, *then);
        }
    }
}
