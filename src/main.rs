//! Builds the provider and serves it; nothing else.

use invenioils::plugin::{Server, serve};
use invenioils::provider::{INFO, InvenioIls};
use std::process::ExitCode;

fn main() -> ExitCode {
    serve::run(INFO, |stop| Server::new(InvenioIls::default(), stop))
}
