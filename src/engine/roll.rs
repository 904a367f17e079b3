//! The order in which machines of another make take the places of those that stand.

use super::{
    graph::{Graph, Order, Slot},
    journal::Journal,
    object::Cloud,
    schedule::{Job, Jobs, Progress},
};
use std::collections::BTreeMap;

#[derive(Default)]
struct Place {
    new: Vec<Job>,
    stale: Vec<Job>,
}

/// In a group where something is stale, one slot after the other is changed. The very first of them shows for all groups
/// that what is new works: the other groups wait for it, so that a make that fails has cost nothing yet.
pub(super) fn roll<C: Cloud>(jobs: &mut Jobs<C>, graph: &Graph<C>, journal: &Journal) {
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
    let mut rows: Vec<Vec<(Vec<Job>, Vec<Job>)>> = Vec::new();
    for (order, places) in groups.into_values() {
        let (mut changing, mut leaving): (Vec<_>, Vec<_>) = places
            .into_values()
            .filter(|place| !place.stale.is_empty())
            .partition(|place| !place.new.is_empty());
        // Machines that are no longer wanted go when the others are in.
        changing.append(&mut leaving);
        let row = changing.into_iter().map(|Place { new, stale }| {
            let (first, then) = match order {
                Order::MakeFirst => (new, stale),
                Order::RemoveFirst => (stale, new),
            };
            match first.is_empty() {
                true => (then, Vec::new()),
                false => (first, then),
            }
        });
        rows.push(row.collect());
    }
    // What a place owes itself comes before the wish for turns: of edges that close a circle the later one is left out, and
    // neighbours know each other.
    for (first, then) in rows.iter().flatten() {
        all_after(jobs, first, then);
    }
    let mut pioneer: &[Job] = &[];
    for row in &rows {
        let mut before = pioneer.to_vec();
        for (first, then) in row {
            all_after(jobs, &before, first);
            if pioneer.is_empty() {
                pioneer = first;
            }
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

#[cfg(test)]
mod tests {
    use super::super::{
        Pace, Run, converge,
        toy::{Carton, Shelf},
    };
    use super::*;
    use std::time::Duration;

    fn run() -> Run {
        Run::lasting(Duration::from_secs(600))
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_place_of_the_first_group_goes_before_all_others() {
        let (shelf, pace, journal) = (Shelf::default(), Pace::new(), Journal::new());
        for make in ["1", "2"] {
            let mut graph = Graph::new();
            // by name they would come in the other order
            for (group, name) in [("a", "y"), ("a", "z"), ("b", "b")] {
                let slot = Slot {
                    group: group.to_owned(),
                    index: u32::from(name == "z"),
                    order: Order::MakeFirst,
                };
                let name = format!("{name}-{make}");
                graph.slot(slot, |graph| {
                    graph.add(name.clone(), Carton::new(&name));
                });
            }
            let outcome = converge(&shelf, &pace, &graph, &journal, &run()).await;
            assert!(outcome.complete, "{:?}", outcome.errors);
        }
        let boxes = shelf.boxes().clone();
        assert_eq!(boxes.keys().collect::<Vec<_>>(), ["b-2", "y-2", "z-2"]);
        assert!(boxes["y-2"] < boxes["b-2"], "{boxes:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_make_that_fails_at_its_first_place_costs_none_of_the_old_ones() {
        let (shelf, pace, journal) = (Shelf::default(), Pace::new(), Journal::new());
        for make in ["1", "2"] {
            let mut graph = Graph::new();
            let slot = |group: &str, index| Slot {
                group: group.to_owned(),
                index,
                order: Order::MakeFirst,
            };
            // machines that know each other's ports
            let mut ports = Vec::new();
            for index in 0..2 {
                let name = format!("port-{index}-{make}");
                let port = graph.slot(slot("a", index), |graph| {
                    graph.add(name.clone(), Carton::new(&name))
                });
                ports.push(port.made());
            }
            for (group, index, name) in [("a", 0, "a-0"), ("a", 1, "a-1"), ("b", 0, "b-0")] {
                let name = format!("{name}-{make}");
                let machine = Carton {
                    beside: ports.clone(),
                    ..Carton::new(&name)
                };
                graph.slot(slot(group, index), |graph| graph.add(name, machine));
            }
            *shelf.refused.lock().unwrap() = Some("a-0-2");
            let outcome = converge(&shelf, &pace, &graph, &journal, &run()).await;
            assert_eq!(outcome.complete, make == "1", "{:?}", outcome.errors);
        }
        let boxes = shelf.boxes().clone();
        for old in ["a-0-1", "a-1-1", "b-0-1", "port-0-1", "port-1-1"] {
            assert!(boxes.contains_key(old), "{old} is gone: {boxes:?}");
        }
        assert!(!boxes.contains_key("a-1-2") && !boxes.contains_key("b-0-2"));
    }
}
