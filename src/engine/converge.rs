//! Makes the world what the graph says: one run of makes and removals in one order.

use super::{
    graph::Graph,
    journal::Journal,
    object::Cloud,
    remove::{left, planned_or_revived, told_once},
    roll::roll,
    run::{Outcome, Run},
    schedule::{Jobs, Progress, Task},
    wait::Pace,
    works::Works,
};

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
    let (jobs, mut errors) = jobs(graph, journal);
    let works = Works::new(cloud, pace, journal, run);
    // What cannot be read cannot be rid of: rather nothing is begun.
    if errors.is_empty() {
        errors = works.reported(jobs.run(&works, graph)).await;
    }
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

#[cfg(test)]
mod tests {
    use super::super::{
        Journal, Phase, inspect, remove,
        toy::{Carton, Shelf},
    };
    use super::*;
    use std::time::Duration;

    fn run() -> Run {
        Run::lasting(Duration::from_secs(600))
    }

    fn nested() -> Graph<Shelf> {
        let mut graph = Graph::new();
        let outer = graph.add("outer", Carton::new("outer"));
        let inner = graph.add("inner", Carton::inside("inner", &outer));
        graph.add("beside", Carton::beside("beside", &inner));
        graph.seal("seal", Carton::new("seal"));
        graph
    }

    #[tokio::test(start_paused = true)]
    async fn a_graph_is_made_in_order_and_sealed_last() {
        let (shelf, pace, journal) = (Shelf::default(), Pace::new(), Journal::new());
        let outcome = converge(&shelf, &pace, &nested(), &journal, &run()).await;
        assert!(outcome.complete, "{:?}", outcome.errors);
        let boxes = shelf.boxes().clone();
        assert_eq!(
            boxes.keys().collect::<Vec<_>>(),
            ["beside", "inner", "outer", "seal"]
        );
        assert!(
            boxes["outer"] < boxes["inner"]
                && boxes["inner"] < boxes["beside"]
                && boxes["beside"] < boxes["seal"]
        );
        assert!(
            journal
                .entries()
                .iter()
                .all(|(_, entry)| entry.phase == Phase::Ready)
        );
        assert_eq!(
            journal.facts::<Shelf, Carton>("inner").unwrap(),
            boxes["inner"]
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_lost_journal_is_had_back_from_marks_and_nothing_is_made_twice() {
        let (shelf, pace) = (Shelf::default(), Pace::new());
        assert!(
            converge(&shelf, &pace, &nested(), &Journal::new(), &run())
                .await
                .complete
        );
        let before = shelf.boxes().clone();
        let journal = Journal::new();
        assert!(
            inspect(&shelf, &pace, &nested(), &journal, &run())
                .await
                .unwrap()
                .clean()
        );
        assert_eq!(
            journal
                .entries()
                .iter()
                .filter(|(_, entry)| entry.facts.is_some())
                .count(),
            4
        );
        let journal = Journal::new();
        assert!(
            converge(&shelf, &pace, &nested(), &journal, &run())
                .await
                .complete
        );
        assert_eq!(*shelf.boxes(), before);
        assert!(
            remove(&shelf, &pace, &nested(), &Journal::new(), &run())
                .await
                .complete
        );
        assert!(shelf.boxes().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn what_the_plan_no_longer_has_goes_and_is_brought_back_to_life_for_that() {
        let (shelf, pace, journal) = (Shelf::default(), Pace::new(), Journal::new());
        assert!(
            converge(&shelf, &pace, &nested(), &journal, &run())
                .await
                .complete
        );
        let mut less = Graph::new();
        less.add("outer", Carton::new("outer"));
        let journal = Journal::from_bytes(&journal.to_bytes()).unwrap();
        assert!(
            converge(&shelf, &pace, &less, &journal, &run())
                .await
                .complete
        );
        assert_eq!(shelf.boxes().keys().collect::<Vec<_>>(), ["outer"]);
        assert_eq!(journal.len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_journal_with_kinds_of_a_newer_release_is_told_and_nothing_is_changed() {
        let (shelf, pace, journal) = (Shelf::default(), Pace::new(), Journal::new());
        journal.put(
            "new",
            super::super::Entry::asked("hologram", serde_json::json!({}), None)
                .with_facts(7.into()),
        );
        let outcome = converge(&shelf, &pace, &nested(), &journal, &run()).await;
        assert!(!outcome.complete);
        assert_eq!(outcome.errors[0].why, "hologram");
        assert_eq!(outcome.left.len(), 1, "{:?}", outcome.left);
        assert!(journal.get("new").is_some(), "it is not forgotten");
        assert!(shelf.boxes().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn a_plan_with_a_mistake_in_it_touches_nothing() {
        let (shelf, pace, journal) = (Shelf::default(), Pace::new(), Journal::new());
        let mut graph = nested();
        graph.add("outer", Carton::new("again"));
        assert_eq!(
            converge(&shelf, &pace, &graph, &journal, &run())
                .await
                .errors
                .len(),
            1
        );
        assert_eq!(
            remove(&shelf, &pace, &graph, &journal, &run())
                .await
                .errors
                .len(),
            1
        );
        assert!(
            inspect(&shelf, &pace, &graph, &journal, &run())
                .await
                .is_err()
        );
        assert_eq!((shelf.boxes().len(), journal.len()), (0, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn what_nobody_waits_for_is_waited_for_where_it_must_be_mended() {
        let (shelf, pace, journal) = (Shelf::default(), Pace::new(), Journal::new());
        let slow = Carton {
            unhurried: true,
            ..Carton::new("slow")
        };
        let mut graph = Graph::new();
        graph.add("slow", slow);
        let on_the_way = |looks| {
            let mut boxes = shelf.on_the_way.lock().unwrap();
            boxes.insert("slow".to_owned(), looks).unwrap_or_default()
        };
        assert!(
            converge(&shelf, &pace, &graph, &journal, &run())
                .await
                .complete
        );
        on_the_way(5);
        assert!(
            converge(&shelf, &pace, &graph, &journal, &run())
                .await
                .complete
        );
        assert_eq!(on_the_way(5), 4, "as wanted: one look, and no wait");

        shelf.dented.lock().unwrap().insert("slow".to_owned());
        let outcome = converge(&shelf, &pace, &graph, &journal, &run()).await;
        assert!(outcome.complete, "{:?}", outcome.errors);
        assert_eq!(on_the_way(0), 0);
        assert!(shelf.dented.lock().unwrap().is_empty());
    }
}
