//! How a call is run: in a span of its own, on a task that a lost connection does not end, behind a fence for panics.

use super::{Inner, Server, to_wire};
use crate::plugin::{
    Diag, Diags, log, panics,
    wire::tfplugin6::{self as wire, Diagnostic},
};
use std::{future::Future, sync::Arc};
use tonic::{Response, Status};
use tracing::Instrument;

/// An answer that can carry diagnostics and nothing else.
pub(super) trait Answer: Default + Send + 'static {
    fn diagnostics(&mut self) -> &mut Vec<Diagnostic>;

    fn failed(diags: Diags) -> Self {
        let mut answer = Self::default();
        *answer.diagnostics() = to_wire::diagnostics(diags);
        answer
    }
}

macro_rules! answers {
    ($($module:ident)*) => {$(
        impl Answer for wire::$module::Response {
            fn diagnostics(&mut self) -> &mut Vec<Diagnostic> {
                &mut self.diagnostics
            }
        }
    )*};
}

answers! {
    get_metadata get_provider_schema get_resource_identity_schemas validate_provider_config
    validate_resource_config validate_data_resource_config upgrade_resource_state upgrade_resource_identity
    configure_provider read_resource plan_resource_change apply_resource_change import_resource_state
    move_resource_state read_data_source generate_resource_config validate_ephemeral_resource_config
    open_ephemeral_resource renew_ephemeral_resource close_ephemeral_resource validate_list_resource_config
    get_functions validate_action_config plan_action validate_state_store_config configure_state_store
    write_state_bytes lock_state unlock_state get_states delete_state
}

impl Server {
    /// Runs one call. `work` gets the request's id; its `Err` becomes an answer of diagnostics only.
    pub(super) async fn answer<A, W, F>(
        &self,
        rpc: &'static str,
        type_name: &str,
        work: W,
    ) -> Result<Response<A>, Status>
    where
        A: Answer,
        W: FnOnce(Arc<Inner>, String) -> F + Send + 'static,
        F: Future<Output = Result<A, Diags>> + Send + 'static,
    {
        let (span, id) = log::request(rpc, type_name);
        let inner = self.inner.clone();
        let task = async move {
            tracing::trace!("called");
            match panics::guard(work(inner, id)).await {
                Ok(Ok(answer)) => answer,
                Ok(Err(diags)) => A::failed(diags),
                Err(panic) => A::failed(panic.diag("answered Terraform").into()),
            }
        };
        // On a task of its own a call comes to its end, and its objects into the state, whatever becomes of the
        // connection's future.
        let answer = tokio::spawn(task.instrument(span)).await;
        Ok(Response::new(answer.unwrap_or_else(|_| {
            A::failed(Diag::error("The provider is ending; the call was given up").into())
        })))
    }
}
