//! When to look again. The one polling loop of the code base lives in the run; this says when it turns.

use super::reads::Moment;
use std::{
    hash::{BuildHasher, RandomState},
    sync::{Mutex, PoisonError},
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

/// How the pauses between looks grow: quick while something is young, so that the last look is never much too late.
pub(super) fn next_look(waited: Duration) -> Duration {
    let most = if waited < Duration::from_secs(60) {
        COARSEST / 2
    } else {
        COARSEST
    };
    (waited / 2).clamp(FINEST * 2, most)
}
