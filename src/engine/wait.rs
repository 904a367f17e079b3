//! When to look again. The one polling loop of the code base lives in the run; this says when it turns.

use super::reads::Moment;
use std::{
    future::Future,
    hash::{BuildHasher, RandomState},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// Growing pauses between attempts at the same call, spread so that many who failed together do not return together.
#[derive(Debug, Clone)]
pub struct Backoff {
    next: Duration,
    most: Duration,
}

impl Default for Backoff {
    /// Half a second, doubled up to eight.
    fn default() -> Self {
        Self::new(Duration::from_millis(500), Duration::from_secs(8))
    }
}

impl Backoff {
    pub fn new(first: Duration, most: Duration) -> Self {
        Self { next: first, most }
    }
    /// The next pause: between three quarters and the whole of its length.
    pub fn pause(&mut self) -> Duration {
        let whole = self.next;
        self.next = (whole * 2).min(self.most);
        let chance = (RandomState::new().hash_one(0) % 256) as u32;
        whole * 3 / 4 + whole / 4 * chance / 256
    }
}

tokio::task_local! {
    static IDLE: Idle;
}

/// What the call that is under way waits for before it changes anything.
#[derive(Clone, Default)]
pub(super) struct Idle(Arc<Mutex<Option<String>>>);

impl Idle {
    pub fn within<F: Future>(&self, call: F) -> impl Future<Output = F::Output> {
        IDLE.scope(self.clone(), call)
    }
    pub fn state(&self) -> Option<String> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
    fn set(&self, state: Option<String>) -> Option<String> {
        std::mem::replace(
            &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner),
            state,
        )
    }
}

/// As long as this lives, the call under way has nothing in flight and only waits. Holds what it waited for before, for
/// waits lie within waits.
#[must_use]
pub struct Waits(Option<String>);

/// Says that the call under way waits for something, and for what ("the load balancer is PENDING_UPDATE"), before it asks
/// the cloud for the change itself. While it does, an interrupt or the deadline ends it at once: nothing can be lost.
pub fn waits_for(what: impl Into<String>) -> Waits {
    Waits(
        IDLE.try_with(|idle| idle.set(Some(what.into())))
            .ok()
            .flatten(),
    )
}

impl Drop for Waits {
    fn drop(&mut self) {
        let _ = IDLE.try_with(|idle| idle.set(self.0.take()));
    }
}

/// The beat to which all who wait for one cloud look: they wake together, so one list answers them all.
pub struct Pace {
    start: Instant,
    beat: Mutex<(Duration, Moment)>,
}

impl Default for Pace {
    fn default() -> Self {
        Self::new()
    }
}

const FINEST: Duration = Duration::from_millis(250);
const COARSEST: Duration = Duration::from_secs(4);

impl Pace {
    pub fn new() -> Self {
        Self {
            start: Instant::now(),
            beat: Mutex::new((Duration::ZERO, Moment::now())),
        }
    }

    /// Sleeps for about `about`, at least until the next beat of that coarseness, and says since when an answer must be.
    pub async fn beat(&self, about: Duration) -> Moment {
        let due = self.due(about);
        tokio::time::sleep_until(self.start + due).await;
        let mut beat = self.beat.lock().unwrap_or_else(PoisonError::into_inner);
        if beat.0 < due {
            *beat = (due, Moment::now());
        }
        beat.1
    }

    /// Beats lie on a grid whose meshes double, so that slow lookers meet the quick ones.
    fn due(&self, about: Duration) -> Duration {
        let mut mesh = FINEST;
        while mesh * 2 <= about && mesh < COARSEST {
            mesh *= 2;
        }
        let wish = self.start.elapsed() + about.max(FINEST) / 2;
        let meshes = wish.as_millis() / mesh.as_millis() + 1;
        mesh * u32::try_from(meshes).unwrap_or(u32::MAX)
    }
}

/// How the pauses between looks grow: quick while something is young, and then so that the last look is late by a twentieth
/// of the whole at most. Clouds answer for every look, and machines that boot take minutes.
pub(super) fn next_look(waited: Duration) -> Duration {
    let long = (waited / 20).clamp(COARSEST / 2, COARSEST * 4);
    (waited / 4).clamp(FINEST * 2, long)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_call_says_what_it_waits_for_and_when_it_does_not() {
        let idle = Idle::default();
        let said = || idle.state();
        idle.within(async {
            assert_eq!(said(), None);
            let outer = waits_for("a turn");
            let inner = waits_for("the balancer is PENDING_UPDATE");
            assert_eq!(said().as_deref(), Some("the balancer is PENDING_UPDATE"));
            drop(inner);
            assert_eq!(said().as_deref(), Some("a turn"));
            drop(outer);
            assert_eq!(said(), None);
        })
        .await;
        // Outside of a change nobody asks.
        drop(waits_for("nothing"));
    }

    #[test]
    fn pauses_grow_and_are_spread() {
        let mut backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(4));
        for whole in [1, 2, 4, 4] {
            let pause = backoff.pause();
            assert!(
                (Duration::from_millis(750 * whole)..=Duration::from_secs(whole)).contains(&pause),
                "{pause:?}"
            );
        }
        let pauses: std::collections::BTreeSet<_> =
            (0..50).map(|_| Backoff::default().pause()).collect();
        assert!(pauses.len() > 10, "{}", pauses.len());
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_together_wakes_together() {
        let pace = Pace::new();
        let late = async |ahead: u64, about: u64| {
            tokio::time::sleep(Duration::from_millis(ahead)).await;
            let moment = pace.beat(Duration::from_millis(about)).await;
            (pace.start.elapsed(), moment)
        };
        let woken = futures::future::join_all([
            late(0, 1000),
            late(90, 1000),
            late(310, 1000),
            late(420, 500),
        ])
        .await;
        assert_eq!(
            woken.iter().map(|it| it.0.as_millis()).collect::<Vec<_>>(),
            [1000; 4]
        );
        assert!(
            woken.iter().all(|it| it.1 == woken[0].1),
            "one moment, so one list answers all"
        );
        let next = pace.beat(Duration::from_millis(1000)).await;
        assert!(next > woken[0].1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_moment_is_later_than_what_was_done_before_the_wait() {
        let pace = Pace::new();
        for about in [1, 100, 500, 700, 2000, 4000, 9000] {
            let (done, began) = (Moment::now(), tokio::time::Instant::now());
            assert!(pace.beat(Duration::from_millis(about)).await > done);
            let waited = began.elapsed().as_millis();
            assert!(
                waited > 0 && waited <= 4000 + u128::from(about),
                "{waited} for {about}"
            );
        }
    }

    #[test]
    fn looks_become_rarer_but_never_rare() {
        let look = |waited| next_look(Duration::from_secs(waited)).as_millis();
        assert_eq!(
            [0, 1, 2, 3, 10, 59, 60, 600].map(look),
            [500, 500, 500, 750, 2000, 2950, 3000, 16000]
        );
    }
}
