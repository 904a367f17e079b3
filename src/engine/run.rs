//! What a run is given, and what it hands back.

use super::{
    error::{Error, Kind},
    object::Difference,
    secret::Secrets,
};
use std::{fmt, time::Duration};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// The bounds of one operation.
#[derive(Clone)]
pub struct Run {
    /// The moment after which nothing is waited for. Set once per operation from the user's `timeouts`.
    pub deadline: Instant,
    /// Cancelled when the user interrupts: no new call starts, calls that change something are allowed to end.
    pub stop: CancellationToken,
    /// What the user gave through write-only attributes.
    pub secrets: Secrets,
}

impl Run {
    /// A run that may take so long from now.
    pub fn lasting(length: Duration) -> Self {
        Self {
            deadline: Instant::now() + length,
            stop: CancellationToken::new(),
            secrets: Secrets::default(),
        }
    }
    #[must_use]
    pub fn stopped_by(mut self, stop: CancellationToken) -> Self {
        self.stop = stop;
        self
    }
    #[must_use]
    pub fn with_secrets(mut self, secrets: Secrets) -> Self {
        self.secrets = secrets;
        self
    }
}

/// How a run that changes things ended.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    pub errors: Vec<Error>,
    /// Everything was done: all is made and nothing stale is left, or all is gone.
    pub complete: bool,
    /// What was still waited for when the run ended.
    pub waiting: Vec<Waiting>,
    /// Steps that took more than half of the time allowed.
    pub slow: Vec<Slow>,
    /// What should have gone and is still there.
    pub left: Vec<Left>,
}

impl Outcome {
    /// A run that could not begin.
    pub fn failed(error: Error) -> Self {
        Self {
            errors: vec![error],
            ..Self::default()
        }
    }
    /// Nothing went wrong but the time: what exists is on its way, and the next apply goes on.
    pub fn only_late(&self) -> bool {
        let patient = |error: &Error| matches!(error.kind, Kind::Late | Kind::Stopped);
        !self.complete && self.errors.iter().all(patient)
    }
}

/// A step that was waited for, and its last state in the cloud's word. Here and below a step is called as its object is in the
/// cloud, where that has a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    pub step: String,
    pub kind: String,
    pub id: Option<String>,
    pub state: String,
    pub waited: Duration,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slow {
    pub step: String,
    pub kind: String,
    pub took: Duration,
}

/// An object that is still there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    pub step: String,
    pub kind: String,
    /// None if it was never seen: its creating call was cut off.
    pub id: Option<String>,
}

/// What exists, compared with the plan.
#[derive(Debug, Clone, Default)]
pub struct Inspection {
    /// How many of the plan's objects exist.
    pub found: usize,
    pub missing: Vec<Absent>,
    pub drifts: Vec<Drift>,
    /// Objects that have failed by themselves; `state` says how.
    pub broken: Vec<Waiting>,
    /// Objects that are waited for and are on their way.
    pub pending: Vec<Waiting>,
    /// Journalled objects that the plan no longer has: an update was cut off.
    pub stale: Vec<Left>,
}

impl Inspection {
    /// Everything is there and as planned.
    pub fn clean(&self) -> bool {
        self.missing.is_empty()
            && self.drifts.is_empty()
            && self.broken.is_empty()
            && self.pending.is_empty()
            && self.stale.is_empty()
    }
    /// Nothing of it is left: the whole was deleted behind our back.
    pub fn gone(&self) -> bool {
        self.found == 0 && !self.missing.is_empty()
    }
}

/// A step whose object is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Absent {
    pub step: String,
    pub kind: String,
    /// The id that it had, if it was ever known.
    pub id: Option<String>,
}

/// A field that is not as planned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drift {
    pub step: String,
    pub kind: String,
    pub id: String,
    pub difference: Difference,
}

impl fmt::Display for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} `{}`{}: {}",
            self.kind,
            self.step,
            Named(self.id.as_deref()),
            self.state
        )?;
        match self.waited.as_secs() {
            0 => Ok(()),
            seconds => write!(f, " ({seconds} s)"),
        }
    }
}
impl fmt::Display for Slow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} `{}`: {} s",
            self.kind,
            self.step,
            self.took.as_secs()
        )
    }
}
impl fmt::Display for Left {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} `{}`{}",
            self.kind,
            self.step,
            Named(self.id.as_deref())
        )
    }
}
impl fmt::Display for Absent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} `{}`{}",
            self.kind,
            self.step,
            Named(self.id.as_deref())
        )
    }
}
impl fmt::Display for Drift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Difference {
            field,
            wanted,
            found,
            ..
        } = &self.difference;
        write!(
            f,
            "{} `{}` ({}): {field} is {found}, wanted {wanted}",
            self.kind, self.step, self.id
        )
    }
}

/// An id in parentheses, if there is one.
struct Named<'a>(Option<&'a str>);

impl fmt::Display for Named<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |id| write!(f, " ({id})"))
    }
}
