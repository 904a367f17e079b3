//! What an ephemeral resource is to the runtime: a value for one run, stored nowhere.

use super::{Ask, Context, Diags, Private, Schema};
use serde::{Serialize, de::DeserializeOwned};
use std::{
    future::Future,
    time::{Duration, SystemTime},
};

/// An ephemeral resource that was opened.
pub struct Opened<M> {
    /// The configuration, with everything else filled in.
    pub result: M,
    /// Given to `renew` and `close`. Kept in memory only.
    pub private: Private,
    /// When it must be renewed to stay good; `None`: never.
    pub renew_at: Option<SystemTime>,
}

impl<M> Opened<M> {
    pub fn new(result: M) -> Opened<M> {
        Opened {
            result,
            private: Private::default(),
            renew_at: None,
        }
    }

    #[must_use]
    pub fn renew_in(mut self, length: Duration) -> Opened<M> {
        self.renew_at = Some(SystemTime::now() + length);
        self
    }
}

pub trait EphemeralResource: Send + Sync + 'static {
    type Model: Serialize + DeserializeOwned + Clone + Send + Sync + 'static;

    /// The full name of the type, with the provider's prefix.
    fn name(&self) -> &'static str;

    fn schema(&self) -> Schema;

    /// Looks for mistakes, offline; any part may be unknown.
    fn validate(&self, config: &Self::Model, diags: &mut Diags) {
        let _ = (config, diags);
    }

    fn open(
        &self,
        ask: &Ask<'_, Self::Model>,
    ) -> impl Future<Output = Result<Opened<Self::Model>, Diags>> + Send;

    /// Prolongs it; returns when that must be done again.
    fn renew(
        &self,
        private: &mut Private,
        context: &Context,
    ) -> impl Future<Output = Result<Option<SystemTime>, Diags>> + Send {
        let _ = (private, context);
        async { Ok(None) }
    }

    /// Called once for whatever was opened.
    fn close(
        &self,
        private: &Private,
        context: &Context,
    ) -> impl Future<Output = Result<(), Diags>> + Send {
        let _ = (private, context);
        async { Ok(()) }
    }
}
