//! A plugin host as Terraform is one: starts a real binary, shakes hands, speaks gRPC over mutual TLS, and ends it. Every
//! request and its answer are held against the rules on the way.

mod checked;
mod core;
mod extras;
pub mod pki;
mod process;
mod schemas;

pub use checked::{Diag, Import, PlanInput, Provider, errors};
pub use core::{Managed, proposed};
pub use extras::Listed;
pub use process::{Handshake, Launch, PATIENCE, Process, connect, corner_binary, signal};
