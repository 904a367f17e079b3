//! The part of the tests' host that starts a provider and connects to it.

#[path = "../../tests/plugin/host/pki.rs"]
pub mod pki;
#[path = "../../tests/plugin/host/process.rs"]
mod process;

pub use process::{Launch, Process, corner_binary};
