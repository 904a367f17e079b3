//! Nothing is lost: every change, every way it can go wrong, and then on until done. Counts what must be 0.

use super::{
    cast,
    world::{LATENCY, Strike, World, run},
};
use crate::terraform::tally::{Found, Tally};
use futures::FutureExt;
use invenioils::{
    engine::{Journal, Writing},
    platform::{
        Platform,
        simulator::{Effect, Shown, Verb},
    },
    site::Thing,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

/// What the user asks for when it goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Doing {
    Create,
    Update,
    Replace,
    Delete,
    /// A create that goes wrong, after which the user changes his mind.
    Amend,
    /// A create that fails, after which Terraform removes what was made and begins anew.
    Taint,
}

/// How it goes wrong at the chosen change.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Wrong {
    Call(Effect),
    /// The process dies just before or after the journal is written.
    Journal(Writing),
    /// The user interrupts while the call is under way.
    Interrupt,
}

/// What is left of the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// As it was when it went wrong.
    Kept,
    /// As it was before: the process died before it could tell.
    Prior,
    /// Nothing: Terraform died while it wrote its file.
    Emptied,
}

/// What keeps data.
const KEEPERS: [&str; 4] = ["address", "bucket", "port", "volume"];

const WRONGS: [Wrong; 13] = [
    Wrong::Call(Effect::Hangs),
    Wrong::Call(Effect::HangsAfter),
    Wrong::Journal(Writing::Before),
    Wrong::Journal(Writing::After),
    Wrong::Call(Effect::Busy),
    Wrong::Call(Effect::Refused),
    Wrong::Call(Effect::Missing),
    Wrong::Call(Effect::Cut),
    Wrong::Call(Effect::Lost),
    Wrong::Call(Effect::Slow(Duration::from_secs(7200))),
    Wrong::Call(Effect::Stuck),
    Wrong::Call(Effect::Breaks),
    Wrong::Interrupt,
];

impl Wrong {
    fn name(self) -> &'static str {
        match self {
            Self::Call(Effect::Hangs) => "dies before the call",
            Self::Call(Effect::HangsAfter) => "dies before the answer",
            Self::Journal(Writing::Before) => "dies before the journal",
            Self::Journal(Writing::After) => "dies after the journal",
            Self::Call(Effect::Busy) => "busy",
            Self::Call(Effect::Refused) => "refused",
            Self::Call(Effect::Missing) => "not found",
            Self::Call(Effect::Cut) => "connection cut",
            Self::Call(Effect::Lost) => "answer lost",
            Self::Call(Effect::Slow(_)) => "call ends too late",
            Self::Call(Effect::Stuck) => "wait ends too late",
            Self::Call(Effect::Breaks) => "breaks while waited for",
            Self::Interrupt => "interrupted",
        }
    }
    fn kills(self) -> bool {
        matches!(
            self,
            Self::Call(Effect::Hangs | Effect::HangsAfter) | Self::Journal(_)
        )
    }
    fn effect(self) -> Effect {
        match self {
            Self::Call(effect) => effect,
            // The call itself goes well; what is wrong happens around it.
            Self::Journal(_) | Self::Interrupt => Effect::Slow(Duration::from_millis(1)),
        }
    }
}

#[derive(Default, Clone, Copy, PartialEq, Eq)]
struct Counts {
    cases: usize,
    lost: usize,
    twins: usize,
    destroyed: usize,
    leftovers: usize,
    unclean: usize,
    stuck: usize,
    /// Applies that it took at most.
    applies: usize,
}

impl Counts {
    fn add(&mut self, other: Self) {
        self.cases += other.cases;
        self.lost += other.lost;
        self.twins += other.twins;
        self.destroyed += other.destroyed;
        self.leftovers += other.leftovers;
        self.unclean += other.unclean;
        self.stuck += other.stuck;
        self.applies = self.applies.max(other.applies);
    }
    fn bad(&self) -> usize {
        self.lost + self.twins + self.destroyed + self.leftovers + self.unclean + self.stuck
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            cases,
            lost,
            twins,
            destroyed,
            leftovers,
            unclean,
            stuck,
            ..
        } = self;
        write!(
            f,
            "{cases:>7} {lost:>6} {twins:>6} {destroyed:>10} {leftovers:>10} {unclean:>10} {stuck:>11}"
        )
    }
}

/// One case, from a cloud in which stands what the thing needs, back to the same cloud.
struct Case<'a> {
    world: &'a World,
    old: &'a Thing,
    new: &'a Thing,
    doing: Doing,
    strike: usize,
    wrong: Wrong,
    state: State,
}

impl Case<'_> {
    /// How many changes an undisturbed run makes.
    async fn changes(&self) -> usize {
        let journal = self.before().await;
        self.world.order(None);
        self.attempt(&journal).await;
        let changes = self.world.changes();
        let _ = self.world.remove(self.wanted(), &journal).await;
        let _ = self.world.remove(self.old, &journal).await;
        changes
    }

    fn wanted(&self) -> &Thing {
        match self.doing {
            Doing::Update | Doing::Amend => self.new,
            _ => self.old,
        }
    }

    fn creates(&self) -> bool {
        matches!(self.doing, Doing::Create | Doing::Amend | Doing::Taint)
    }
    /// What is asked for when it goes wrong.
    fn asked(&self) -> &Thing {
        if self.doing == Doing::Amend {
            self.old
        } else {
            self.wanted()
        }
    }

    /// The journal as the state holds it before the case begins.
    async fn before(&self) -> Journal {
        self.world.order(None);
        let journal = Journal::new();
        if !self.creates() {
            let outcome = self.world.converge(self.old, &journal).await;
            assert!(outcome.complete, "{}: {:?}", self.old.id(), outcome.errors);
            tokio::time::sleep(LATENCY * 10).await;
        }
        journal
    }

    /// What Terraform asks of the provider, as far as it comes. True: done.
    async fn attempt(&self, journal: &Journal) -> bool {
        match self.doing {
            Doing::Create | Doing::Amend | Doing::Taint => {
                self.world.converge(self.old, journal).await.complete
            }
            Doing::Update => self.world.converge(self.new, journal).await.complete,
            Doing::Delete => self.world.remove(self.old, journal).await.complete,
            Doing::Replace => {
                self.world.remove(self.old, journal).await.complete
                    && self.world.converge(self.old, journal).await.complete
            }
        }
    }

    /// The attempt with the fault in it.
    async fn struck(&self, journal: &Journal) {
        let (world, site) = (self.world, self.world.site(self.asked()).await);
        world.order(Some(Strike {
            at: self.strike,
            effect: self.wrong.effect(),
        }));
        let run = run();
        // Whoever died before is dead: only a death in this case counts.
        while world.death.notified().now_or_never().is_some() {}
        let interrupt = async {
            match self.wrong {
                Wrong::Interrupt => loop {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                    if world.changes() > self.strike {
                        run.stop.cancel();
                        std::future::pending::<()>().await;
                    }
                },
                _ => world.death.notified().await,
            }
        };
        let provider = world.provider();
        let work = async {
            if matches!(self.doing, Doing::Delete | Doing::Replace)
                && !provider.remove(&site, journal, &run).await.complete
            {
                return;
            }
            if self.doing != Doing::Delete {
                provider.converge(&site, journal, &run).await;
            }
        };
        tokio::select! {
            biased;
            () = interrupt => {}
            () = work => {}
        }
    }

    async fn run(&self, base: &BTreeMap<String, Shown>) -> Counts {
        let world = self.world;
        let mut journal = self.before().await;
        let prior = journal.to_bytes();
        let kept = Arc::new(Mutex::new(None::<Vec<u8>>));
        if let Wrong::Journal(when) = self.wrong {
            journal = self.dying_at(journal, when, &kept);
        }
        self.struck(&journal).await;
        let struck = world.script.lock().expect("script").struck.clone();
        assert!(
            struck.is_some(),
            "{} {:?} change {}: nothing went wrong",
            self.old.id(),
            self.doing,
            self.strike
        );
        let mut log = world.log();
        // The cloud gets over it: what hung goes on, what was stuck is mended.
        world.cloud.recover(&[]).await.expect("a recovery");
        let frozen = kept.lock().expect("kept").take();
        let bytes = match self.state {
            State::Kept => frozen.unwrap_or_else(|| journal.to_bytes()),
            State::Prior => prior,
            State::Emptied => Vec::new(),
        };
        let journal = Journal::from_bytes(&bytes).expect("a journal");
        world.order(None);
        if self.doing == Doing::Taint && self.state != State::Emptied {
            for _ in 0..3 {
                if world.remove(self.old, &journal).await.complete {
                    break;
                }
            }
        }
        let done = self.go_on(&journal).await;
        log.extend(world.log());

        let mut tally = Counts {
            cases: 1,
            stuck: usize::from(done.is_none()),
            applies: done.unwrap_or_default(),
            ..Counts::default()
        };
        if self.doing != Doing::Delete {
            self.judge(&journal, &mut tally).await;
        }
        tally.destroyed = self.destroyed(&log, struck.as_deref());
        if self.doing == Doing::Delete && self.state == State::Emptied {
            // Nobody asks for what nobody remembers: the user applies again and destroys that.
            world.converge(self.old, &journal).await;
        }
        for _ in 0..3 {
            if world.remove(self.wanted(), &journal).await.complete {
                break;
            }
        }
        tally.leftovers = self.leftovers(base).await;
        tally
    }

    /// The same journal, which freezes what it holds and ends the process when the struck step is written.
    fn dying_at(
        &self,
        journal: Journal,
        when: Writing,
        kept: &Arc<Mutex<Option<Vec<u8>>>>,
    ) -> Journal {
        let (script, death, kept) = (
            self.world.script.clone(),
            self.world.death.clone(),
            kept.clone(),
        );
        let plain = journal.clone();
        journal.witnessed(move |step, _, writing| {
            let struck = script.lock().expect("script").struck.as_deref() == Some(step);
            if struck && writing == when {
                kept.lock()
                    .expect("kept")
                    .get_or_insert_with(|| plain.to_bytes());
                death.notify_one();
            }
        })
    }

    /// Applies (or destroys) again until the next plan is empty, as users do.
    async fn go_on(&self, journal: &Journal) -> Option<usize> {
        for attempt in 1..=6 {
            if self.attempt_again(journal).await {
                return Some(attempt);
            }
            // What keeps data and has failed is not made anew: the error says so, and the operator mends it.
            self.world
                .cloud
                .recover(&KEEPERS)
                .await
                .expect("a recovery");
        }
        None
    }
    async fn attempt_again(&self, journal: &Journal) -> bool {
        if self.doing == Doing::Delete {
            return self.world.remove(self.old, journal).await.complete;
        }
        // What was being replaced is made by now, or on its way: Terraform goes on with making it.
        let complete = self.world.converge(self.wanted(), journal).await.complete;
        tokio::time::sleep(LATENCY * 10).await;
        complete && self.world.inspect(self.wanted(), journal).await.clean()
    }

    async fn judge(&self, journal: &Journal, tally: &mut Counts) {
        let there = self.world.of(self.wanted()).await;
        let known: BTreeSet<String> = journal
            .entries()
            .into_iter()
            .filter_map(|(_, entry)| entry.facts?.get("id")?.as_str().map(str::to_owned))
            .collect();
        let mut marks = BTreeSet::new();
        for object in &there {
            tally.lost += usize::from(!known.contains(&object.id));
            tally.twins += usize::from(!marks.insert(object.step.clone()));
        }
        tally.unclean += usize::from(!self.world.inspect(self.wanted(), journal).await.clean());
    }

    /// Deletions of what the plan wants and what has not failed.
    fn destroyed(&self, log: &[(Verb, String)], struck: Option<&str>) -> usize {
        if matches!(self.doing, Doing::Delete | Doing::Replace | Doing::Taint) {
            return 0;
        }
        let site = cast::site(
            self.wanted().clone(),
            &[invenioils::site::Record {
                owner: String::new(),
                thing: Thing::Environment(cast::environment()),
                outputs: Default::default(),
            }],
        );
        let graph = invenioils::platform::Host::plan(&*self.world.cloud, &site).expect("a plan");
        let wanted: BTreeSet<&str> = graph.names().collect();
        let described = graph.describe();
        let stands_on = |step: &str, under: &str| {
            described[step]["spec"]
                .to_string()
                .contains(&format!("{{\"$ref\":\"{under}\"}}"))
        };
        // What has failed goes, and what stands on it.
        let mut failed: Vec<&str> = struck
            .filter(|_| self.wrong == Wrong::Call(Effect::Breaks))
            .into_iter()
            .collect();
        for step in graph.names() {
            if failed.iter().any(|under| stands_on(step, under)) {
                failed.push(step);
            }
        }
        let healthy = |step: &str| wanted.contains(step) && !failed.contains(&step);
        log.iter()
            .filter(|(verb, step)| *verb == Verb::Delete && healthy(step))
            .count()
    }

    async fn leftovers(&self, base: &BTreeMap<String, Shown>) -> usize {
        let after = self.world.cloud.inventory().await.expect("an inventory");
        let new = after.iter().filter(|it| !base.contains_key(&it.id)).count();
        let gone = base
            .keys()
            .filter(|id| !after.iter().any(|it| it.id == **id))
            .count();
        new + gone
    }
}

/// Every `stride`th of the cases of one thing.
async fn all_of(old: Thing, new: Thing, stride: usize) -> BTreeMap<(Doing, &'static str), Counts> {
    let mut table: BTreeMap<(Doing, &'static str), Counts> = BTreeMap::new();
    let mut world = World::new();
    world.lay(&old).await;
    let mut base = inventory(&world).await;
    let number = AtomicUsize::new(0);
    for doing in [
        Doing::Create,
        Doing::Update,
        Doing::Replace,
        Doing::Delete,
        Doing::Amend,
        Doing::Taint,
    ] {
        let dry = Case {
            world: &world,
            old: &old,
            new: &new,
            doing,
            strike: usize::MAX,
            wrong: WRONGS[0],
            state: State::Kept,
        };
        let changes = dry.changes().await;
        assert!(changes > 0, "{} {doing:?}", old.id());
        for strike in 0..changes {
            for wrong in WRONGS {
                for state in [State::Kept, State::Prior, State::Emptied] {
                    // Only who dies loses the state.
                    if state != State::Kept && !wrong.kills()
                        || !number
                            .fetch_add(1, Ordering::Relaxed)
                            .is_multiple_of(stride)
                    {
                        continue;
                    }
                    let case = Case {
                        world: &world,
                        old: &old,
                        new: &new,
                        doing,
                        strike,
                        wrong,
                        state,
                    };
                    let tally = case.run(&base).await;
                    if tally.bad() > 0 {
                        eprintln!(
                            "{} {doing:?} change {strike}: {} ({state:?}): {tally}",
                            old.id(),
                            wrong.name()
                        );
                        // What one case left behind must not spoil the next.
                        world = World::new();
                        world.lay(&old).await;
                        base = inventory(&world).await;
                    }
                    table.entry((doing, wrong.name())).or_default().add(tally);
                }
            }
        }
    }
    table
}

async fn inventory(world: &World) -> BTreeMap<String, Shown> {
    let all = world.cloud.inventory().await.expect("an inventory");
    all.into_iter().map(|it| (it.id.clone(), it)).collect()
}

/// All cases in a drill, else a sample of them.
fn stride() -> usize {
    if std::env::var_os("DRILL").is_some() {
        1
    } else {
        11
    }
}

fn on_virtual_time<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build();
    runtime.expect("a runtime").block_on(work)
}

#[test]
fn nothing_is_lost_whatever_goes_wrong_at_whatever_change() {
    let workers: Vec<_> = cast::things()
        .into_iter()
        .map(|(old, new)| std::thread::spawn(move || on_virtual_time(all_of(old, new, stride()))))
        .collect();
    let mut table: BTreeMap<(Doing, &'static str), Counts> = BTreeMap::new();
    for worker in workers {
        for (key, tally) in worker.join().expect("a worker") {
            table.entry(key).or_default().add(tally);
        }
    }
    let mut sum = Counts::default();
    println!(
        "{:<8} {:<24} {:>7} {:>6} {:>6} {:>10} {:>10} {:>10} {:>11}",
        "", "", "cases", "lost", "twins", "destroyed", "leftovers", "not empty", "never done"
    );
    for ((doing, wrong), tally) in &table {
        println!(
            "{:<8} {wrong:<24} {tally}",
            format!("{doing:?}").to_lowercase()
        );
        sum.add(*tally);
    }
    println!("{:<8} {:<24} {sum}", "all", "");
    assert!(sum.cases > 500, "{} cases", sum.cases);
    let number = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
    Tally {
        what: "Each change of each thing: the process dies, the call fails, its answer is lost, it comes too late, the object breaks",
        platform: "simulator, virtual time",
        cases: number(sum.cases),
        applies: sum.applies,
        refused: 0,
        found: Found {
            lost: number(sum.lost),
            twins: number(sum.twins),
            destroyed: number(sum.destroyed),
            left: number(sum.leftovers),
        },
    }
    .tell();
    assert_eq!(sum.bad(), 0);
}
