//! From the start of the process to its end: the handshake with Terraform, the server, and every way in which it is told to
//! stop. Knows nothing of what the provider does.

mod by_hand;
mod companions;
mod connection;
mod handshake;
mod process;
mod server;
mod tls;

use std::process::ExitCode;

use tokio_util::sync::CancellationToken;

use super::wire::tfplugin6::provider_server::Provider;
use super::{log, panics};
use by_hand::Wish;

/// What a provider is called.
#[derive(Clone, Copy)]
pub struct ServeInfo {
    /// The type in its short form, as it begins the names of resources.
    pub name: &'static str,
    /// The address in a registry: host, namespace, type.
    pub address: &'static str,
    pub version: &'static str,
}

impl ServeInfo {
    fn binary(&self) -> String {
        format!("terraform-provider-{}", self.name)
    }

    /// The address as people write it: the default registry goes without saying.
    fn source(&self) -> &'static str {
        self.address
            .strip_prefix("registry.terraform.io/")
            .unwrap_or(self.address)
    }
}

/// The whole life of a provider's process: reads the command line and the environment, serves until it is told to end, and
/// gives the exit code. Call it first thing in `main`, outside of any runtime.
///
/// `build` makes the service. It is called after the handshake, so that Terraform does not wait for it; once in the usual case,
/// and once for each connection in debug mode, where every command expects a fresh provider. The token it is given tells
/// running calls to come to an end: it is to be cancelled by `StopProvider`, and is when the process is asked to end.
pub fn run<S, B>(info: ServeInfo, build: B) -> ExitCode
where
    S: Provider,
    B: Fn(CancellationToken) -> S,
{
    // Asked first: the sooner we know our parent, the smaller the chance that it has gone already.
    let parent = process::Parent::now();
    let wish = by_hand::read(std::env::args_os().skip(1));
    let debug = match wish {
        Wish::Debug => true,
        Wish::Serve if handshake::started_by_terraform() => false,
        other => return by_hand::answer(&info, &other),
    };

    log::start(info.name);
    panics::install_hook();
    let served = process::runtime().and_then(|runtime| {
        let served = runtime.block_on(async {
            if debug {
                server::serve_for_debugging(&info, build).await
            } else {
                server::serve_terraform(&info, build, parent).await
            }
        });
        // Whatever still runs has had its time.
        runtime.shutdown_background();
        served
    });
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => by_hand::failed(&info, &why),
    }
}
