//! The plugin protocol across the wire: the generated code, a host's side of it, and the rules that Terraform enforces.

mod cli;
mod fuzz;
mod generated;
mod host;
mod lives;
mod product;
mod rules;
mod schema;
mod things;
mod transport;
mod trouble;
mod value;
mod wire;

use invenioils::plugin::wire::plugin as messages;
use invenioils::plugin::wire::tfplugin6 as messages6;
