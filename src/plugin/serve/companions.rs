//! The services that go-plugin expects beside the provider's own: ending the process, its output, further connections.

use std::pin::Pin;

use futures::{Stream, StreamExt, stream};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, Streaming};

use crate::plugin::wire::plugin::conn_info::Knock;
use crate::plugin::wire::plugin::grpc_broker_server::GrpcBroker;
use crate::plugin::wire::plugin::grpc_controller_server::GrpcController;
use crate::plugin::wire::plugin::grpc_stdio_server::GrpcStdio;
use crate::plugin::wire::plugin::{ConnInfo, Empty, StdioData};

type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// Ends the server when the host says so.
pub struct Controller {
    pub end: CancellationToken,
}

#[tonic::async_trait]
impl GrpcController for Controller {
    async fn shutdown(&self, _: Request<Empty>) -> Result<Response<Empty>, Status> {
        tracing::debug!("the host asks the process to end");
        self.end.cancel();
        Ok(Response::new(Empty {}))
    }
}

/// Output goes to the process's own standard error, which the host reads anyway: the stream stays open and silent.
pub struct Stdio {
    pub end: CancellationToken,
}

#[tonic::async_trait]
impl GrpcStdio for Stdio {
    type StreamStdioStream = Answers<StdioData>;

    async fn stream_stdio(
        &self,
        _: Request<()>,
    ) -> Result<Response<Self::StreamStdioStream>, Status> {
        let silent = stream::pending().take_until(self.end.clone().cancelled_owned());
        Ok(Response::new(Box::pin(silent)))
    }
}

/// A provider opens no further connections; who knocks for one is told so.
pub struct Broker {
    pub end: CancellationToken,
}

#[tonic::async_trait]
impl GrpcBroker for Broker {
    type StartStreamStream = Answers<ConnInfo>;

    async fn start_stream(
        &self,
        asked: Request<Streaming<ConnInfo>>,
    ) -> Result<Response<Self::StartStreamStream>, Status> {
        let answers = asked
            .into_inner()
            .filter_map(|asked| async { refusal(asked.ok()?) })
            .take_until(self.end.clone().cancelled_owned());
        Ok(Response::new(Box::pin(answers)))
    }
}

fn refusal(asked: ConnInfo) -> Option<Result<ConnInfo, Status>> {
    asked.knock?.knock.then(|| {
        Ok(ConnInfo {
            service_id: asked.service_id,
            knock: Some(Knock {
                knock: false,
                ack: false,
                error: "this provider opens no further connections".to_owned(),
            }),
            ..ConnInfo::default()
        })
    })
}
