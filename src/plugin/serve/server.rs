//! The gRPC server, and how long running calls are waited for when it ends.

use std::future::Future;
use std::io;
use std::time::Duration;

use futures::{Stream, StreamExt, stream};
use tokio::task::JoinSet;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;

use super::companions::{Broker, Controller, Stdio};
use super::connection::{Connection, Socket};
use super::process::{Came, Parent, Signals};
use super::{ServeInfo, by_hand, handshake, tls::Identity};
use crate::plugin::wire::plugin::grpc_broker_server::GrpcBrokerServer;
use crate::plugin::wire::plugin::grpc_controller_server::GrpcControllerServer;
use crate::plugin::wire::plugin::grpc_stdio_server::GrpcStdioServer;
use crate::plugin::wire::tfplugin6::provider_server::{Provider, ProviderServer};

/// What Go's providers take and give. A plan carries a value three times.
const LARGEST_MESSAGE: usize = 256 << 20;

/// Enough for a large state to travel without waiting for the reader's word after each bit.
const WINDOW: u32 = 4 << 20;

/// Why a server ends, and with it how long running calls may still take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    /// The host said so; after two seconds it kills us.
    Asked,
    /// A signal: whoever sent it usually grants ten seconds and more.
    Terminated,
    /// Nobody is left to take an answer, but what a call has begun it may bring to a point that the next run understands.
    Orphaned,
}

impl Ending {
    fn patience(self) -> Duration {
        match self {
            Self::Asked => Duration::from_millis(1500),
            Self::Terminated => Duration::from_secs(8),
            Self::Orphaned => Duration::from_secs(5),
        }
    }
}

/// Serves the Terraform that started this process, until it is told to end.
///
/// # Errors
/// When no socket can be opened, or the host's certificate cannot be read.
pub async fn serve_terraform<S, B>(info: &ServeInfo, build: B, parent: Parent) -> io::Result<()>
where
    S: Provider,
    B: Fn(CancellationToken) -> S,
{
    let mut signals = Signals::listen()?;
    let identity = handshake::client_certificate()
        .map(|pem| Identity::for_client(&pem))
        .transpose()?;
    let (tls, certificate) = match identity {
        Some(identity) => (Some(identity.acceptor), identity.certificate),
        None => (None, String::new()),
    };
    let socket = Socket::open()?;
    handshake::announce(&socket.path(), &certificate)?;
    if !handshake::host_speaks_our_version() {
        tracing::error!(
            "the host does not speak version {} of the protocol",
            handshake::PROTOCOL
        );
    }
    tracing::debug!(version = info.version, tls = tls.is_some(), "serving");

    let (_folder, connections) = socket.connections(tls);
    let (stop, asked) = (CancellationToken::new(), CancellationToken::new());
    let serving = serve(
        build(stop.clone()),
        ReceiverStream::new(connections),
        asked.clone(),
    );
    let ending = async {
        tokio::select! {
            () = asked.cancelled() => Ending::Asked,
            () = terminated(&mut signals) => Ending::Terminated,
            () = parent.gone() => Ending::Orphaned,
        }
    };
    until_ended(serving, ending, &stop, &asked).await;
    Ok(())
}

/// Serves any number of Terraform commands, each with a provider of its own, until a signal comes.
///
/// # Errors
/// When no socket can be opened.
pub async fn serve_for_debugging<S, B>(info: &ServeInfo, build: B) -> io::Result<()>
where
    S: Provider,
    B: Fn(CancellationToken) -> S,
{
    let mut signals = Signals::listen()?;
    let socket = Socket::open()?;
    by_hand::say(&by_hand::attach(info, &socket.path().display().to_string()));
    let (_folder, mut connections) = socket.connections(None);
    let (stop, end) = (CancellationToken::new(), CancellationToken::new());
    let mut commands = JoinSet::new();
    loop {
        tokio::select! {
            Some(connection) = connections.recv() => {
                // One command's end, or its interrupt, is no other command's business.
                let (stop, end) = (stop.child_token(), end.child_token());
                let connection = connection.cancels_at_its_end(end.clone());
                let only = stream::iter([connection]).chain(stream::pending());
                commands.spawn(serve(build(stop), only, end));
            }
            Some(_) = commands.join_next() => {}
            _ = signals.next() => break,
        }
    }
    stop.cancel();
    end.cancel();
    let all = async { while commands.join_next().await.is_some() {} };
    // What takes longer than that was told to stop and did not.
    let _ = tokio::time::timeout(Ending::Terminated.patience(), all).await;
    Ok(())
}

/// An interrupt is for Terraform, which tells us through `StopProvider` what to make of it; the terminal sends it to us too.
async fn terminated(signals: &mut Signals) {
    while signals.next().await == Came::Interrupt {
        tracing::debug!("left an interrupt to the host");
    }
}

/// Runs the server until something ends it, tells running calls to stop, and gives them the time they may take.
async fn until_ended(
    serving: impl Future<Output = ()>,
    ending: impl Future<Output = Ending>,
    stop: &CancellationToken,
    asked: &CancellationToken,
) {
    tokio::pin!(serving);
    let ending = tokio::select! {
        () = &mut serving => return,
        ending = ending => ending,
    };
    tracing::debug!(?ending, "the server ends");
    stop.cancel();
    asked.cancel();
    if tokio::time::timeout(ending.patience(), serving)
        .await
        .is_err()
    {
        tracing::warn!(?ending, "calls that did not end in time are given up");
    }
}

/// Serves until the clients are gone or `end` is cancelled; then takes no new calls and ends with the last running one.
fn serve<S, C>(
    service: S,
    clients: C,
    end: CancellationToken,
) -> impl Future<Output = ()> + Send + 'static
where
    S: Provider,
    C: Stream<Item = Connection> + Send + 'static,
{
    let provider = ProviderServer::new(service)
        .max_decoding_message_size(LARGEST_MESSAGE)
        .max_encoding_message_size(LARGEST_MESSAGE);
    let router = tonic::transport::Server::builder()
        .initial_stream_window_size(WINDOW)
        .initial_connection_window_size(WINDOW)
        .add_service(provider)
        .add_service(GrpcControllerServer::new(Controller { end: end.clone() }))
        .add_service(GrpcStdioServer::new(Stdio { end: end.clone() }))
        .add_service(GrpcBrokerServer::new(Broker { end: end.clone() }));
    async move {
        let clients = clients.map(Ok::<_, io::Error>);
        let serving = router.serve_with_incoming_shutdown(clients, end.cancelled_owned());
        if let Err(why) = serving.await {
            tracing::error!(%why, "the server failed");
        }
    }
}
