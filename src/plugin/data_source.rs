//! What a data source is to the runtime: something that is only read.

use super::{Context, Diags, Schema};
use serde::{Serialize, de::DeserializeOwned};
use std::{future::Future, time::Instant};

/// One call of a data source, an ephemeral resource or an action: what the user wrote, with defaults filled in.
pub struct Ask<'a, M> {
    pub config: &'a M,
    /// The moment at which the operation is to give up, from the user's `timeouts` or the schema's default.
    pub deadline: Instant,
    pub context: &'a Context,
}

impl<M> std::ops::Deref for Ask<'_, M> {
    type Target = Context;

    fn deref(&self) -> &Context {
        self.context
    }
}

pub trait DataSource: Send + Sync + 'static {
    type Model: Serialize + DeserializeOwned + Clone + Send + Sync + 'static;

    /// The full name of the type, with the provider's prefix.
    fn name(&self) -> &'static str;

    fn schema(&self) -> Schema;

    /// Looks for mistakes, offline; any part may be unknown.
    fn validate(&self, config: &Self::Model, diags: &mut Diags) {
        let _ = (config, diags);
    }

    /// The configuration, with everything else filled in.
    fn read(
        &self,
        ask: &Ask<'_, Self::Model>,
    ) -> impl Future<Output = Result<Self::Model, Diags>> + Send;
}
