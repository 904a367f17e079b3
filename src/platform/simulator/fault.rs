//! Faults to order: which call goes wrong, how, and how often. What was met is counted in the file, so that "twice" means
//! twice over all processes.

use serde::{Deserialize, Serialize};
use std::time::Duration;

/// One fault, as the user orders it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fault {
    /// Objects of this kind; none: of any.
    #[serde(default)]
    pub kind: Option<String>,
    /// Objects whose step name contains this; none: any.
    #[serde(default)]
    pub step: Option<String>,
    pub verb: Verb,
    pub effect: Effect,
    /// How often, over all processes that share the file; none: always.
    #[serde(default)]
    pub times: Option<u32>,
    /// So many calls pass before the first that goes wrong.
    #[serde(default)]
    pub skip: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verb {
    Find,
    Create,
    Update,
    Delete,
}

impl Verb {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Find => "find",
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// "Try again later", nothing done.
    Busy,
    /// Refused for good, nothing done.
    Refused,
    /// The connection is cut before anything is done.
    Cut,
    /// Done, but the answer is lost.
    Lost,
    /// The object that the call is about does not exist (any more), says the cloud.
    Missing,
    /// The call never comes back, and nothing is done.
    Hangs,
    /// The call never comes back, but it is done.
    HangsAfter,
    /// The call takes so long.
    Slow(Duration),
    /// The object is made and never becomes ready.
    Stuck,
    /// The object is made and fails by itself before it is ready.
    Breaks,
}

impl Effect {
    /// As users write it; `slow` takes its length from elsewhere.
    pub fn parse(word: &str, length: Duration) -> Option<Self> {
        Some(match word {
            "busy" => Self::Busy,
            "refused" => Self::Refused,
            "cut" => Self::Cut,
            "lost" => Self::Lost,
            "missing" => Self::Missing,
            "hangs" => Self::Hangs,
            "hangs_after" => Self::HangsAfter,
            "slow" => Self::Slow(length),
            "stuck" => Self::Stuck,
            "breaks" => Self::Breaks,
            _ => return None,
        })
    }
}

/// A call that is about to be made.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    pub verb: Verb,
    pub kind: &'a str,
    pub thing: &'a str,
    pub step: &'a str,
}

impl Fault {
    pub fn meets(&self, call: &Call<'_>) -> bool {
        self.verb == call.verb
            && self.kind.as_deref().is_none_or(|kind| kind == call.kind)
            && self
                .step
                .as_deref()
                .is_none_or(|step| call.step.contains(step))
    }
    /// The `met`th call (from 0) that it meets: does it go wrong?
    pub fn strikes(&self, met: u32) -> bool {
        met >= self.skip && self.times.is_none_or(|times| met - self.skip < times)
    }
}
