//! Waiting: deadlines to the second, interrupts, what is said meanwhile, and in which order machines are replaced.

use super::{
    cast,
    world::{LATENCY, Strike, World},
};
use invenioils::{
    engine::{Journal, Kind, Phase, Run},
    platform::{
        Platform,
        simulator::{Effect, Settings, Verb},
    },
    site::{ServiceKind, Thing},
};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::time::Instant;
use tracing_subscriber::{Layer, layer::SubscriberExt};

fn database() -> Thing {
    Thing::Service(cast::service(ServiceKind::Database, 1))
}

/// A service whose machine never becomes ready.
async fn stuck() -> World {
    let world = World::new();
    world.lay(&database()).await;
    let journal = Journal::new();
    world.order(None);
    assert!(world.converge(&database(), &journal).await.complete);
    let at = world
        .log()
        .iter()
        .position(|(_, step)| step.ends_with("/machine"))
        .expect("a machine");
    assert!(world.remove(&database(), &journal).await.complete);
    world.order(Some(Strike {
        at,
        effect: Effect::Stuck,
    }));
    world
}

#[tokio::test(start_paused = true)]
async fn the_deadline_is_kept_to_the_second_and_says_what_was_waited_for() {
    let world = stuck().await;
    let (site, journal) = (world.site(&database()).await, Journal::new());
    let began = Instant::now();
    let outcome = world
        .provider()
        .converge(&site, &journal, &Run::lasting(Duration::from_secs(300)))
        .await;
    assert!(
        (300..301).contains(&began.elapsed().as_secs()),
        "{:?}",
        began.elapsed()
    );
    assert!(!outcome.complete && outcome.only_late());
    let error = outcome.errors.first().expect("an error").to_string();
    assert!(
        error.contains("/machine` ") || error.contains("/machine`"),
        "{error}"
    );
    assert!(error.contains("BUILD"), "{error}");
    let waiting: Vec<String> = outcome.waiting.iter().map(ToString::to_string).collect();
    assert_eq!(waiting.len(), 1, "{waiting:?}");
    assert!(
        waiting[0].contains("machine-") && waiting[0].contains("BUILD (2"),
        "{waiting:?}"
    );
    // What was reached is kept, and the next run goes on with the same machine.
    let machine = world
        .of(&database())
        .await
        .into_iter()
        .find(|it| it.kind == "machine")
        .expect("a machine")
        .id;
    world.cloud.recover(&[]).await.expect("a recovery");
    assert!(world.converge(&database(), &journal).await.complete);
    assert!(
        world
            .of(&database())
            .await
            .iter()
            .any(|it| it.id == machine)
    );
}

#[tokio::test(start_paused = true)]
async fn an_interrupt_drops_waits_at_once_and_starts_nothing_more() {
    let world = stuck().await;
    let (site, journal, run) = (
        world.site(&database()).await,
        Journal::new(),
        Run::lasting(Duration::from_secs(300)),
    );
    let provider = world.provider();
    let stop = run.stop.clone();
    let interrupt = async {
        tokio::time::sleep(Duration::from_secs(100)).await;
        stop.cancel();
        Instant::now()
    };
    let (outcome, asked) = tokio::join!(provider.converge(&site, &journal, &run), interrupt);
    assert_eq!(asked.elapsed(), Duration::ZERO);
    assert!(outcome.only_late());
    assert_eq!(
        outcome.errors.iter().map(|it| it.kind).collect::<Vec<_>>(),
        [Kind::Stopped]
    );
    let known = journal
        .entries()
        .into_iter()
        .filter(|(_, entry)| entry.facts.is_some())
        .count();
    assert_eq!(
        known,
        world.of(&database()).await.len(),
        "everything that exists is known"
    );
}

#[tokio::test(start_paused = true)]
async fn an_interrupt_lets_a_creating_call_end() {
    let world = World::new();
    let thing = Thing::Environment(cast::environment());
    world.order(Some(Strike {
        at: 0,
        effect: Effect::Slow(Duration::from_secs(7)),
    }));
    let (site, journal, run) = (
        world.site(&thing).await,
        Journal::new(),
        Run::lasting(Duration::from_secs(300)),
    );
    let provider = world.provider();
    let stop = run.stop.clone();
    let interrupt = async {
        tokio::time::sleep(Duration::from_secs(3)).await;
        stop.cancel();
        (Instant::now(), world.changes())
    };
    let (outcome, (asked, changes)) =
        tokio::join!(provider.converge(&site, &journal, &run), interrupt);
    assert!(
        (3..5).contains(&asked.elapsed().as_secs()),
        "{:?}",
        asked.elapsed()
    );
    assert!(outcome.only_late());
    assert_eq!(
        world.changes(),
        changes,
        "nothing was begun after the interrupt"
    );
    assert!(
        journal
            .get("network")
            .is_some_and(|entry| entry.facts.is_some()),
        "the network that was under way is known"
    );
}

#[tokio::test(start_paused = true)]
async fn a_call_that_never_ends_is_given_up_after_an_interrupt_and_looked_for_next_time() {
    let world = World::new();
    let thing = Thing::Environment(cast::environment());
    let length = Duration::from_secs(200);
    world.order(Some(Strike {
        at: 0,
        effect: Effect::Slow(length),
    }));
    let (site, journal) = (world.site(&thing).await, Journal::new());
    let (run, provider) = (Run::lasting(length * 9), world.provider());
    let stop = run.stop.clone();
    let interrupt = async {
        tokio::time::sleep(Duration::from_secs(3)).await;
        stop.cancel();
        Instant::now()
    };
    let (outcome, asked) = tokio::join!(provider.converge(&site, &journal, &run), interrupt);
    assert_eq!(asked.elapsed().as_secs(), 30);
    assert!(outcome.only_late());
    let entry = journal.get("network").expect("it was asked for");
    assert_eq!((entry.phase, entry.facts), (Phase::Asked, None));
    world.order(None);
    assert!(world.converge(&thing, &journal).await.complete);
}

#[tokio::test(start_paused = true)]
async fn what_takes_long_is_said_every_ten_seconds_and_at_the_end() {
    let lines = Lines::default();
    let _guard =
        tracing::subscriber::set_default(tracing_subscriber::registry().with(lines.clone()));
    let world = World::with(Settings {
        latency: Duration::from_secs(60),
        ..Settings::default()
    });
    let environment = Thing::Environment(cast::environment());
    assert!(world.converge(&environment, &Journal::new()).await.complete);
    // Tests beside this one come and go with subscribers of their own.
    tracing::callsite::rebuild_interest_cache();
    let site = world.site(&database()).await;
    let outcome = world
        .provider()
        .converge(
            &site,
            &Journal::new(),
            &Run::lasting(Duration::from_secs(330)),
        )
        .await;
    assert!(outcome.complete, "{:?}", outcome.errors);
    let slow: Vec<&str> = outcome.slow.iter().map(|it| it.kind.as_str()).collect();
    assert_eq!(slow, ["machine"], "three minutes of the five and a half");
    let lines = lines.0.lock().expect("lines");
    let told: Vec<_> = lines
        .iter()
        .filter(|it| it.contains("waiting for") && it.contains("/machine`: BUILD"))
        .collect();
    assert!(
        (16..=18).contains(&told.len()),
        "{} of {} lines: {told:?}",
        told.len(),
        lines.len()
    );
}

#[tokio::test(start_paused = true)]
async fn what_could_not_be_removed_is_listed_by_kind_name_and_id() {
    let world = World::new();
    let thing = Thing::Environment(cast::environment());
    let journal = Journal::new();
    assert!(world.converge(&thing, &journal).await.complete);
    world.order(None);
    // The record goes first, so the second deletion is the first of something that others stand on or not; refuse it.
    world.order(Some(Strike {
        at: 1,
        effect: Effect::Refused,
    }));
    let outcome = world.remove(&thing, &journal).await;
    assert!(!outcome.complete);
    let left: Vec<_> = outcome
        .left
        .iter()
        .map(|it| (it.kind.clone(), it.step.clone(), it.id.clone()))
        .collect();
    let there: Vec<_> = world
        .of(&thing)
        .await
        .into_iter()
        .map(|it| (it.kind, it.step, Some(it.id)))
        .collect();
    assert!(!left.is_empty());
    assert_eq!(sorted(left), sorted(there));
    world.order(None);
    assert!(world.remove(&thing, &journal).await.complete);
    assert!(world.of(&thing).await.is_empty());
}

fn sorted<T: Ord>(mut list: Vec<T>) -> Vec<T> {
    list.sort();
    list
}

#[tokio::test(start_paused = true)]
async fn web_machines_are_replaced_one_by_one_the_new_one_first() {
    let world = World::new();
    let thing = Thing::Instance(cast::instance());
    world.lay(&thing).await;
    let journal = Journal::new();
    assert!(world.converge(&thing, &journal).await.complete);
    world.order(None);
    let mut changed = cast::instance();
    changed.web.processes = 8;
    assert!(
        world
            .converge(&Thing::Instance(changed), &journal)
            .await
            .complete
    );
    let order: Vec<String> = world
        .log()
        .into_iter()
        .filter(|(_, step)| step.starts_with("web-"))
        .map(told)
        .collect();
    let turn = |slot: &str| {
        [
            "create SLOT machine",
            "create SLOT member",
            "delete SLOT member",
            "delete SLOT machine",
        ]
        .map(|it| it.replace("SLOT", slot))
    };
    assert_eq!(order, [turn("web-0"), turn("web-1")].concat());
}

#[tokio::test(start_paused = true)]
async fn machines_that_keep_data_go_before_the_new_one_comes_and_their_data_stays() {
    let world = World::new();
    let thing = Thing::Service(cast::service(ServiceKind::Database, 2));
    world.lay(&thing).await;
    let journal = Journal::new();
    assert!(world.converge(&thing, &journal).await.complete);
    let keeps = async || {
        let all = world.of(&thing).await.into_iter();
        all.filter(|it| it.kind == "volume" || it.kind == "port")
            .map(|it| it.id)
            .collect::<Vec<_>>()
    };
    let before = keeps().await;
    world.order(None);
    let mut changed = cast::service(ServiceKind::Database, 2);
    changed.machine.flavor = Some("c4-r8".to_owned());
    assert!(
        world
            .converge(&Thing::Service(changed), &journal)
            .await
            .complete
    );
    let order: Vec<String> = world
        .log()
        .into_iter()
        .filter(|(_, step)| step.contains('/'))
        .map(told)
        .collect();
    let turn = |slot: &str| {
        [
            "delete SLOT attachment",
            "delete SLOT machine",
            "create SLOT machine",
            "create SLOT attachment",
        ]
        .map(|it| it.replace("SLOT", slot))
    };
    assert_eq!(order, [turn("database-0"), turn("database-1")].concat());
    assert_eq!(keeps().await, before);
    tokio::time::sleep(LATENCY).await;
}

/// `create web-0 machine`: without what the machine is made of.
fn told((verb, step): (Verb, String)) -> String {
    let (place, object) = step.split_once('/').unwrap_or((&step, ""));
    let slot = place.rsplit_once('-').map_or(place, |(slot, _)| slot);
    format!("{} {slot} {object}", verb.as_str())
}

/// Every line of the log.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<String>>>);

impl<S: tracing::Subscriber> Layer<S> for Lines {
    fn on_event(&self, event: &tracing::Event<'_>, _: tracing_subscriber::layer::Context<'_, S>) {
        struct Text(String);
        impl tracing::field::Visit for Text {
            fn record_debug(&mut self, _: &tracing::field::Field, value: &dyn std::fmt::Debug) {
                self.0 = format!("{}{value:?}", self.0);
            }
        }
        let mut text = Text(String::new());
        event.record(&mut text);
        self.0.lock().expect("lines").push(text.0);
    }
}
