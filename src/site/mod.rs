//! What an InvenioILS site consists of: roles, sizes, settings, names, guest files. Pure: no network, no clock, no files.
//!
//! These are plain, wholly known types, made once from what the user wrote; defaults are filled in. Field names are the
//! attribute names of `SURFACE`, so a dotted path of fields is an attribute path. No field holds a secret: of a
//! write-only attribute only its version is here. They are what a record in the cloud keeps, so they must stay readable:
//! add fields with `#[serde(default)]`, never rename.

mod backup;
mod certificate;
pub mod check;
mod environment;
mod finding;
pub mod guest;
mod id;
mod instance;
mod latest;
pub mod role;
pub mod schedule;
mod sealed;
pub mod secrets;
mod service;
pub mod sizes;
mod thing;
pub mod tls;
pub mod version;

pub use backup::*;
pub use certificate::*;
pub use environment::*;
pub use finding::Finding;
pub use id::*;
pub use instance::*;
pub use latest::{Backup, Latest, Lying};
pub use role::{Flow, Origin, Role, flows};
pub use schedule::Schedule;
pub use sealed::Sealed;
pub use service::*;
pub use sizes::{Needs, needs_of};
pub use thing::*;
