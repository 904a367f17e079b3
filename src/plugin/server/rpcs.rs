//! The list of all RPCs, each with where it is answered.

use super::{Server, actions, answer::Answer, lists, to_wire};
use crate::plugin::{
    Diag, Diags, log, panics,
    wire::tfplugin6::{self as wire, provider_server},
};
use futures::Stream;
use std::pin::Pin;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming, async_trait};
use tracing::Instrument;

type Streamed<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;
type Answered<T> = Result<Response<T>, Status>;

/// What every RPC about state stores answers: this provider has none.
fn no_state_store<A: Answer>(name: &str) -> Result<A, Diags> {
    Err(
        Diag::error(format!("This provider has no state store `{name}`"))
            .detail("It keeps no state. Use a backend of Terraform's own.")
            .into(),
    )
}

#[async_trait]
impl provider_server::Provider for Server {
    async fn get_metadata(
        &self,
        _: Request<wire::get_metadata::Request>,
    ) -> Answered<wire::get_metadata::Response> {
        self.answer(
            "GetMetadata",
            "",
            |inner, _| async move { Ok(inner.metadata()) },
        )
        .await
    }

    async fn get_provider_schema(
        &self,
        _: Request<wire::get_provider_schema::Request>,
    ) -> Answered<wire::get_provider_schema::Response> {
        self.answer("GetProviderSchema", "", |inner, _| async move {
            Ok(inner.provider_schema().clone())
        })
        .await
    }

    async fn get_resource_identity_schemas(
        &self,
        _: Request<wire::get_resource_identity_schemas::Request>,
    ) -> Answered<wire::get_resource_identity_schemas::Response> {
        self.answer("GetResourceIdentitySchemas", "", |inner, _| async move {
            Ok(inner.identity_schemas())
        })
        .await
    }

    async fn validate_provider_config(
        &self,
        request: Request<wire::validate_provider_config::Request>,
    ) -> Answered<wire::validate_provider_config::Response> {
        let request = request.into_inner();
        self.answer("ValidateProviderConfig", "", |inner, _| async move {
            inner.validate_provider(&request)
        })
        .await
    }

    async fn validate_resource_config(
        &self,
        request: Request<wire::validate_resource_config::Request>,
    ) -> Answered<wire::validate_resource_config::Response> {
        let request = request.into_inner();
        let name = request.type_name.clone();
        self.answer("ValidateResourceConfig", &name, |inner, _| async move {
            inner.validate_resource(&request)
        })
        .await
    }

    async fn validate_data_resource_config(
        &self,
        request: Request<wire::validate_data_resource_config::Request>,
    ) -> Answered<wire::validate_data_resource_config::Response> {
        let request = request.into_inner();
        let name = request.type_name.clone();
        self.answer("ValidateDataResourceConfig", &name, |inner, _| async move {
            inner.validate_data_source(&request)
        })
        .await
    }

    async fn upgrade_resource_state(
        &self,
        request: Request<wire::upgrade_resource_state::Request>,
    ) -> Answered<wire::upgrade_resource_state::Response> {
        let request = request.into_inner();
        let name = request.type_name.clone();
        self.answer("UpgradeResourceState", &name, |inner, _| async move {
            inner.upgrade(&request)
        })
        .await
    }

    async fn upgrade_resource_identity(
        &self,
        request: Request<wire::upgrade_resource_identity::Request>,
    ) -> Answered<wire::upgrade_resource_identity::Response> {
        let request = request.into_inner();
        let name = request.type_name.clone();
        self.answer("UpgradeResourceIdentity", &name, |inner, _| async move {
            inner.upgrade_identity(&request)
        })
        .await
    }

    async fn configure_provider(
        &self,
        request: Request<wire::configure_provider::Request>,
    ) -> Answered<wire::configure_provider::Response> {
        let request = request.into_inner();
        self.answer("ConfigureProvider", "", |inner, id| async move {
            inner.configure(&request, id).await
        })
        .await
    }

    async fn read_resource(
        &self,
        request: Request<wire::read_resource::Request>,
    ) -> Answered<wire::read_resource::Response> {
        let request = request.into_inner();
        let name = request.type_name.clone();
        self.answer("ReadResource", &name, |inner, id| async move {
            inner.read(&request, id).await
        })
        .await
    }

    async fn plan_resource_change(
        &self,
        request: Request<wire::plan_resource_change::Request>,
    ) -> Answered<wire::plan_resource_change::Response> {
        let request = request.into_inner();
        let name = request.type_name.clone();
        self.answer("PlanResourceChange", &name, |inner, id| async move {
            inner.plan(&request, id).await
        })
        .await
    }

    async fn apply_resource_change(
        &self,
        request: Request<wire::apply_resource_change::Request>,
    ) -> Answered<wire::apply_resource_change::Response> {
        let request = request.into_inner();
        let name = request.type_name.clone();
        self.answer("ApplyResourceChange", &name, |inner, id| async move {
            inner.apply(&request, id).await
        })
        .await
    }

    async fn import_resource_state(
        &self,
        request: Request<wire::import_resource_state::Request>,
    ) -> Answered<wire::import_resource_state::Response> {
        let request = request.into_inner();
        let name = request.type_name.clone();
        self.answer("ImportResourceState", &name, |inner, _| async move {
            inner.import(&request).await
        })
        .await
    }

    async fn move_resource_state(
        &self,
        request: Request<wire::move_resource_state::Request>,
    ) -> Answered<wire::move_resource_state::Response> {
        let request = request.into_inner();
        let name = request.target_type_name.clone();
        self.answer("MoveResourceState", &name, |inner, _| async move {
            inner.move_state(&request)
        })
        .await
    }

    async fn read_data_source(
        &self,
        request: Request<wire::read_data_source::Request>,
    ) -> Answered<wire::read_data_source::Response> {
        let request = request.into_inner();
        let name = request.type_name.clone();
        self.answer("ReadDataSource", &name, |inner, id| async move {
            inner.read_data_source(&request, id).await
        })
        .await
    }

    async fn generate_resource_config(
        &self,
        request: Request<wire::generate_resource_config::Request>,
    ) -> Answered<wire::generate_resource_config::Response> {
        let request = request.into_inner();
        let name = request.type_name.clone();
        self.answer("GenerateResourceConfig", &name, |inner, _| async move {
            inner.generate(&request)
        })
        .await
    }

    async fn validate_ephemeral_resource_config(
        &self,
        request: Request<wire::validate_ephemeral_resource_config::Request>,
    ) -> Answered<wire::validate_ephemeral_resource_config::Response> {
        let request = request.into_inner();
        let name = request.type_name.clone();
        self.answer(
            "ValidateEphemeralResourceConfig",
            &name,
            |inner, _| async move { inner.validate_ephemeral(&request) },
        )
        .await
    }

    async fn open_ephemeral_resource(
        &self,
        request: Request<wire::open_ephemeral_resource::Request>,
    ) -> Answered<wire::open_ephemeral_resource::Response> {
        let request = request.into_inner();
        let name = request.type_name.clone();
        self.answer("OpenEphemeralResource", &name, |inner, id| async move {
            inner.open_ephemeral(&request, id).await
        })
        .await
    }

    async fn renew_ephemeral_resource(
        &self,
        request: Request<wire::renew_ephemeral_resource::Request>,
    ) -> Answered<wire::renew_ephemeral_resource::Response> {
        let request = request.into_inner();
        let name = request.type_name.clone();
        self.answer("RenewEphemeralResource", &name, |inner, id| async move {
            inner.renew_ephemeral(&request, id).await
        })
        .await
    }

    async fn close_ephemeral_resource(
        &self,
        request: Request<wire::close_ephemeral_resource::Request>,
    ) -> Answered<wire::close_ephemeral_resource::Response> {
        let request = request.into_inner();
        let name = request.type_name.clone();
        self.answer("CloseEphemeralResource", &name, |inner, id| async move {
            inner.close_ephemeral(&request, id).await
        })
        .await
    }

    type ListResourceStream = Streamed<wire::list_resource::Event>;

    async fn list_resource(
        &self,
        request: Request<wire::list_resource::Request>,
    ) -> Answered<Self::ListResourceStream> {
        let request = request.into_inner();
        let (span, id) = log::request("ListResource", &request.type_name);
        let inner = self.inner.clone();
        let (events, stream) = mpsc::channel(16);
        let work = async move {
            let said = panics::guard(inner.list(&request, id, &events)).await;
            let diags = said.unwrap_or_else(|panic| panic.diag("listed what exists").into());
            if let Some(last) = lists::last(diags) {
                let _ = events.send(Ok(last)).await;
            }
        };
        tokio::spawn(work.instrument(span));
        Ok(Response::new(Box::pin(ReceiverStream::new(stream))))
    }

    async fn validate_list_resource_config(
        &self,
        request: Request<wire::validate_list_resource_config::Request>,
    ) -> Answered<wire::validate_list_resource_config::Response> {
        let request = request.into_inner();
        let name = request.type_name.clone();
        self.answer("ValidateListResourceConfig", &name, |inner, _| async move {
            inner.validate_list(&request)
        })
        .await
    }

    async fn get_functions(
        &self,
        _: Request<wire::get_functions::Request>,
    ) -> Answered<wire::get_functions::Response> {
        self.answer("GetFunctions", "", |inner, _| async move {
            Ok(inner.get_functions())
        })
        .await
    }

    async fn call_function(
        &self,
        request: Request<wire::call_function::Request>,
    ) -> Answered<wire::call_function::Response> {
        let request = request.into_inner();
        let (span, _) = log::request("CallFunction", &request.name);
        let called = span.in_scope(|| panics::catch(|| self.inner.call_function(&request)));
        Ok(Response::new(called.unwrap_or_else(|panic| {
            wire::call_function::Response {
                result: None,
                error: Some(wire::FunctionError {
                    text: panic.diag("computed a function").to_string(),
                    function_argument: None,
                }),
            }
        })))
    }

    async fn validate_action_config(
        &self,
        request: Request<wire::validate_action_config::Request>,
    ) -> Answered<wire::validate_action_config::Response> {
        let request = request.into_inner();
        let name = request.action_type.clone();
        self.answer("ValidateActionConfig", &name, |inner, _| async move {
            inner.validate_action(&request)
        })
        .await
    }

    async fn plan_action(
        &self,
        request: Request<wire::plan_action::Request>,
    ) -> Answered<wire::plan_action::Response> {
        let request = request.into_inner();
        let name = request.action_type.clone();
        self.answer("PlanAction", &name, |inner, id| async move {
            inner.plan_action(&request, id).await
        })
        .await
    }

    type InvokeActionStream = Streamed<wire::invoke_action::Event>;

    async fn invoke_action(
        &self,
        request: Request<wire::invoke_action::Request>,
    ) -> Answered<Self::InvokeActionStream> {
        let request = request.into_inner();
        let (span, id) = log::request("InvokeAction", &request.action_type);
        let inner = self.inner.clone();
        let (events, stream) = mpsc::channel(16);
        let work = async move {
            let ended = panics::guard(inner.invoke_action(&request, id, &events)).await;
            let diags = ended.unwrap_or_else(|panic| panic.diag("ran the action").into());
            let _ = events.send(Ok(actions::completed(diags))).await;
        };
        tokio::spawn(work.instrument(span));
        Ok(Response::new(Box::pin(ReceiverStream::new(stream))))
    }

    async fn validate_state_store_config(
        &self,
        request: Request<wire::validate_state_store_config::Request>,
    ) -> Answered<wire::validate_state_store_config::Response> {
        let name = request.into_inner().type_name;
        self.answer(
            "ValidateStateStoreConfig",
            &name.clone(),
            |_, _| async move { no_state_store(&name) },
        )
        .await
    }

    async fn configure_state_store(
        &self,
        request: Request<wire::configure_state_store::Request>,
    ) -> Answered<wire::configure_state_store::Response> {
        let name = request.into_inner().type_name;
        self.answer("ConfigureStateStore", &name.clone(), |_, _| async move {
            no_state_store(&name)
        })
        .await
    }

    type ReadStateBytesStream = Streamed<wire::read_state_bytes::ResponseChunk>;

    async fn read_state_bytes(
        &self,
        request: Request<wire::read_state_bytes::Request>,
    ) -> Answered<Self::ReadStateBytesStream> {
        let name = request.into_inner().type_name;
        let none = no_state_store::<wire::get_states::Response>(&name).err();
        let chunk = wire::read_state_bytes::ResponseChunk {
            diagnostics: to_wire::diagnostics(none.unwrap_or_default()),
            ..Default::default()
        };
        let stream = futures::stream::once(async move { Ok(chunk) });
        Ok(Response::new(Box::pin(stream)))
    }

    async fn write_state_bytes(
        &self,
        request: Request<Streaming<wire::write_state_bytes::RequestChunk>>,
    ) -> Answered<wire::write_state_bytes::Response> {
        // The first chunk names the store; nothing of the rest is read.
        let first = request.into_inner().message().await?;
        let name = first
            .and_then(|chunk| chunk.meta)
            .map(|meta| meta.type_name)
            .unwrap_or_default();
        self.answer("WriteStateBytes", &name.clone(), |_, _| async move {
            no_state_store(&name)
        })
        .await
    }

    async fn lock_state(
        &self,
        request: Request<wire::lock_state::Request>,
    ) -> Answered<wire::lock_state::Response> {
        let name = request.into_inner().type_name;
        self.answer("LockState", &name.clone(), |_, _| async move {
            no_state_store(&name)
        })
        .await
    }

    async fn unlock_state(
        &self,
        request: Request<wire::unlock_state::Request>,
    ) -> Answered<wire::unlock_state::Response> {
        let name = request.into_inner().type_name;
        self.answer("UnlockState", &name.clone(), |_, _| async move {
            no_state_store(&name)
        })
        .await
    }

    async fn get_states(
        &self,
        request: Request<wire::get_states::Request>,
    ) -> Answered<wire::get_states::Response> {
        let name = request.into_inner().type_name;
        self.answer("GetStates", &name.clone(), |_, _| async move {
            no_state_store(&name)
        })
        .await
    }

    async fn delete_state(
        &self,
        request: Request<wire::delete_state::Request>,
    ) -> Answered<wire::delete_state::Response> {
        let name = request.into_inner().type_name;
        self.answer("DeleteState", &name.clone(), |_, _| async move {
            no_state_store(&name)
        })
        .await
    }

    async fn stop_provider(
        &self,
        _: Request<wire::stop_provider::Request>,
    ) -> Answered<wire::stop_provider::Response> {
        let (span, _) = log::request("StopProvider", "");
        span.in_scope(|| tracing::info!("asked to stop: running calls end as soon as they can"));
        self.inner.stop.cancel();
        Ok(Response::new(wire::stop_provider::Response::default()))
    }
}
