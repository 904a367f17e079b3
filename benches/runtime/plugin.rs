//! What the tests of the protocol have, for a bench to use: generated code, values, and the start of a provider as a host does
//! it. Nothing of it looks at the rules: only the provider's time counts here.

pub use invenioils::plugin::wire::plugin as messages;
pub use invenioils::plugin::wire::tfplugin6 as messages6;

#[path = "../../tests/plugin/value.rs"]
pub mod value;
#[path = "../../tests/plugin/wire/mod.rs"]
pub mod wire;

#[path = "host.rs"]
pub mod host;
