//! The ground that all steps of a run work on: when they may call, how they look and wait, and who waits for what.

use super::{
    error::{Error, Kind, Result},
    journal::Journal,
    object::{Cloud, Cx, Seen},
    reads::Moment,
    run::{Run, Slow, Waiting},
    step::Step,
    wait::{Backoff, Idle, Pace},
};
use indexmap::IndexMap;
use serde_json::Value;
use std::{
    future::Future,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::time::{Instant, sleep, sleep_until};

/// How much longer than the deadline a call that changes something may take, so that its answer is not lost.
const GRACE: Duration = Duration::from_secs(5);
/// How much longer than an interrupt.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often it is looked whether a call whose time is over has come to a point where it can be left.
const GLANCE: Duration = Duration::from_millis(50);
/// How often the log says what is waited for.
const REPORT: Duration = Duration::from_secs(10);

pub(super) struct Works<'a, C> {
    pub cloud: &'a C,
    pub pace: &'a Pace,
    pub journal: &'a Journal,
    pub run: &'a Run,
    /// First looks are content with lists that the cloud calls recent.
    pub start: Moment,
    /// The run removes the whole thing.
    pub all_goes: bool,
    began: Instant,
    board: Mutex<Board>,
}

#[derive(Default)]
struct Board {
    at_work: IndexMap<String, (Instant, Waiting)>,
    slow: Vec<Slow>,
}

impl<'a, C: Cloud> Works<'a, C> {
    pub fn new(cloud: &'a C, pace: &'a Pace, journal: &'a Journal, run: &'a Run) -> Self {
        Self {
            cloud,
            pace,
            journal,
            run,
            start: cloud.recent(),
            all_goes: false,
            began: Instant::now(),
            board: Mutex::default(),
        }
    }

    pub fn cx(&self, since: Moment) -> Cx<'_, C> {
        Cx {
            cloud: self.cloud,
            since,
            secrets: &self.run.secrets,
            journal: self.journal,
            all_goes: self.all_goes,
        }
    }

    /// Whether another call may start.
    pub fn go_on(&self, at: &At<'_>) -> Result<()> {
        if self.run.stop.is_cancelled() {
            return Err(self.stopped(at));
        }
        if Instant::now() >= self.run.deadline {
            return Err(self.late(at));
        }
        Ok(())
    }

    /// A call that changes something: it is not begun after an interrupt, and once begun it is allowed to end, within
    /// bounds. One that is given up leaves its step asked for in the journal, so its mark is looked for next time.
    pub async fn change<T>(&self, at: &At<'_>, call: impl Future<Output = Result<T>>) -> Result<T> {
        self.go_on(at)?;
        let idle = Idle::default();
        tokio::select! {
            biased;
            done = idle.within(call) => done,
            error = self.given_up(at, &idle) => Err(error),
        }
    }

    /// Waits for the interrupt or the deadline, and then for the end of the grace that a call in flight has.
    async fn given_up(&self, at: &At<'_>, idle: &Idle) -> Error {
        let stop = &self.run.stop;
        tokio::select! {
            biased;
            () = stop.cancelled() => {}
            () = sleep_until(self.run.deadline) => {}
        }
        let grace = self.run.deadline + GRACE;
        let patience = Instant::now() + PATIENCE;
        let state = loop {
            let now = Instant::now();
            let state = idle.state();
            if state.is_some() || now >= grace || stop.is_cancelled() && now >= patience {
                break state;
            }
            sleep(GLANCE).await;
        };
        if let Some(state) = state {
            self.note(at, None, &state);
        }
        if stop.is_cancelled() {
            self.stopped(at)
        } else {
            self.late(at)
        }
    }

    /// A look, repeated while the cloud is busy. Dropped at once by an interrupt or the deadline.
    pub async fn look(
        &self,
        at: &At<'_>,
        step: &dyn Step<C>,
        known: Option<&Value>,
        mut since: Moment,
    ) -> Result<Option<Seen<Value>>> {
        let mut backoff = Backoff::default();
        loop {
            self.go_on(at)?;
            let cx = self.cx(since);
            let looked = tokio::select! {
                biased;
                () = self.run.stop.cancelled() => return Err(self.stopped(at)),
                () = sleep_until(self.run.deadline) => return Err(self.late(at)),
                looked = step.look(&cx, known) => looked,
            };
            match looked {
                Err(error) if matches!(error.kind, Kind::Busy | Kind::Unsure) => {
                    self.note(at, None, &error.to_string());
                    self.pause(at, backoff.pause()).await?;
                    since = Moment::now();
                }
                // What it would stand in is not there, so neither is it.
                Err(error) if error.kind == Kind::Gone => return Ok(None),
                answer => return answer,
            }
        }
    }

    /// Waits for the next beat; `about` says how coarse.
    pub async fn beat(&self, at: &At<'_>, about: Duration) -> Result<Moment> {
        tokio::select! {
            biased;
            () = self.run.stop.cancelled() => Err(self.stopped(at)),
            () = sleep_until(self.run.deadline) => Err(self.late(at)),
            moment = self.pace.beat(about) => Ok(moment),
        }
    }

    /// The first wait for something just asked for; none for what usually happens at once.
    pub async fn first_beat(&self, at: &At<'_>, usually: Duration) -> Result<Moment> {
        if usually.is_zero() {
            Ok(Moment::now())
        } else {
            self.beat(at, usually).await
        }
    }

    /// Waits before the same call is tried again.
    pub fn at<'s>(&self, verb: &'static str, kind: &'s str, name: &'s str) -> At<'s> {
        At {
            verb,
            kind,
            name,
            called: self.journal.called(name),
        }
    }

    pub async fn pause(&self, at: &At<'_>, length: Duration) -> Result<()> {
        tokio::select! {
            biased;
            () = self.run.stop.cancelled() => Err(self.stopped(at)),
            () = sleep_until(self.run.deadline) => Err(self.late(at)),
            () = sleep(length) => Ok(()),
        }
    }

    pub fn begin(&self, at: &At<'_>) {
        let waiting = Waiting {
            step: at.called.clone(),
            kind: at.kind.to_owned(),
            id: None,
            state: "asked for".to_owned(),
            waited: Duration::ZERO,
        };
        self.board()
            .at_work
            .insert(at.name.to_owned(), (Instant::now(), waiting));
    }
    pub fn note(&self, at: &At<'_>, id: Option<String>, state: &str) {
        if let Some((_, waiting)) = self.board().at_work.get_mut(at.name) {
            waiting.id = id.or(waiting.id.take());
            state.clone_into(&mut waiting.state);
        }
    }
    /// The step is done with; those that ran out of time stay on the board.
    pub fn end(&self, at: &At<'_>, result: &Result<()>) {
        let cut_off =
            matches!(result, Err(error) if matches!(error.kind, Kind::Late | Kind::Stopped));
        let allowed = self.run.deadline.saturating_duration_since(self.began);
        let mut board = self.board();
        let Some((since, waiting)) = board.at_work.get_mut(at.name) else {
            return;
        };
        let took = since.elapsed();
        waiting.waited = took;
        if cut_off {
            return;
        }
        board.at_work.shift_remove(at.name);
        if took > allowed / 2 {
            board.slow.push(Slow {
                step: at.called.clone(),
                kind: at.kind.to_owned(),
                took,
            });
        }
    }
    pub fn into_board(self) -> (Vec<Waiting>, Vec<Slow>) {
        let board = self
            .board
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        let waiting = board.at_work.into_values().map(|(_, waiting)| waiting);
        (waiting.collect(), board.slow)
    }

    /// Runs `work`, and says every ten seconds in the log what is waited for.
    pub async fn reported<T>(&self, work: impl Future<Output = T>) -> T {
        let reports = async {
            loop {
                sleep(REPORT).await;
                self.report();
            }
        };
        tokio::select! {
            biased;
            done = work => done,
            never = reports => never,
        }
    }
    fn report(&self) {
        let board = self.board();
        let line = |(since, it): &(Instant, Waiting)| {
            format!(
                "{} `{}`: {} ({} s)",
                it.kind,
                it.step,
                it.state,
                since.elapsed().as_secs()
            )
        };
        let waiting: Vec<String> = board.at_work.values().map(line).collect();
        let elapsed = self.began.elapsed().as_secs();
        tracing::info!("after {elapsed} s still waiting for {}", waiting.join(", "));
    }

    fn stopped(&self, at: &At<'_>) -> Error {
        Error::new(Kind::Stopped, at.to_string(), "interrupted")
            .remedy("apply again: it goes on from here")
    }
    fn late(&self, at: &At<'_>) -> Error {
        let state = self.board().at_work.get(at.name).map_or_else(
            || "not begun".to_owned(),
            |(_, waiting)| waiting.state.clone(),
        );
        Error::new(
            Kind::Late,
            at.to_string(),
            format!("the time allowed is over; its last state was: {state}"),
        )
        .remedy("apply again: it goes on from here; a longer `timeouts` leaves more room")
    }
    fn board(&self) -> MutexGuard<'_, Board> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Which step is at work, and at what: "make server `library-web-0`".
pub(super) struct At<'a> {
    pub verb: &'static str,
    pub kind: &'a str,
    pub name: &'a str,
    /// What people call it: the object's own name, or the step's where it has none.
    called: String,
}

impl std::fmt::Display for At<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} `{}`", self.verb, self.kind, self.called)
    }
}
