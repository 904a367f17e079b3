//! Reads the environment, builds the provider, serves; nothing else.

use invenioils::{plugin, provider};
use std::process::ExitCode;

fn main() -> ExitCode {
    plugin::serve::run(provider::InvenioIls::new)
}
