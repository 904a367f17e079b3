//! What private state keeps of a thing between runs: its journal, and the site it was made from.

use crate::engine::{Journal, Result};
use crate::plugin::{Private, Saved};
use crate::site::Site;

/// What private state keeps between runs.
pub struct Kept {
    /// Which objects the thing is made of.
    pub journal: Result<Journal>,
    /// The site as it was made last, or tried.
    pub last: Option<Site>,
    /// The site as it was finished last: what serves, while a later attempt has not come to its end.
    pub served: Option<Site>,
    /// The site as planned; only between plan and apply.
    pub planned: Option<Site>,
    /// It was finished once.
    pub finished: bool,
    /// The last attempt was finished too, and nothing was missing since.
    pub whole: bool,
}

pub const JOURNAL: &str = "journal";
pub const LAST: &str = "site";
pub const SERVED: &str = "served";
pub const PLANNED: &str = "planned";
pub const FINISHED: &str = "finished";
pub const WHOLE: &str = "whole";

impl Kept {
    pub fn read(private: &Private) -> Self {
        let site = |key: &str| {
            private
                .get(key)
                .and_then(|bytes| serde_json::from_slice(bytes).ok())
        };
        Self {
            journal: private
                .get(JOURNAL)
                .map_or_else(|| Ok(Journal::default()), Journal::from_bytes),
            last: site(LAST),
            served: site(SERVED),
            planned: site(PLANNED),
            finished: private.get(FINISHED).is_some(),
            whole: private.get(WHOLE).is_some(),
        }
    }

    pub fn plan(private: &mut Private, site: &Site) {
        if let Ok(bytes) = serde_json::to_vec(site) {
            private.set(PLANNED, bytes);
        }
    }
}

/// Writes a site under a key.
pub fn keep<M>(saved: &mut Saved<M>, key: &str, site: &Site) {
    if let Ok(bytes) = serde_json::to_vec(site) {
        saved.private().set(key, bytes);
    }
}
