//! What an action is to the runtime: something done once, that leaves nothing in the state.

use super::{Ask, Diags, Schema};
use serde::{Serialize, de::DeserializeOwned};
use std::future::Future;
use tokio::sync::mpsc;

/// Tells the user how an action gets on, while it does.
pub struct Progress(pub(super) mpsc::Sender<String>);

impl Progress {
    pub async fn say(&self, message: impl Into<String> + Send) {
        // Nobody listens any more only when the call was dropped; the action goes on to its end all the same.
        let _ = self.0.send(message.into()).await;
    }
}

pub trait Action: Send + Sync + 'static {
    type Model: Serialize + DeserializeOwned + Clone + Send + Sync + 'static;

    /// The full name of the type, with the provider's prefix.
    fn name(&self) -> &'static str;

    fn schema(&self) -> Schema;

    /// Looks for mistakes, offline; any part may be unknown.
    fn validate(&self, config: &Self::Model, diags: &mut Diags) {
        let _ = (config, diags);
    }

    /// Asks whether it could be done; any part may be unknown. Changes nothing.
    fn plan(&self, ask: &Ask<'_, Self::Model>) -> impl Future<Output = Result<(), Diags>> + Send {
        let _ = ask;
        async { Ok(()) }
    }

    fn invoke(
        &self,
        ask: &Ask<'_, Self::Model>,
        progress: &Progress,
    ) -> impl Future<Output = Result<(), Diags>> + Send;
}
