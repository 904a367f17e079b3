//! What an InvenioILS site consists of: roles, sizes, settings, names, guest files. Pure: no network, no clock, no files.
//!
//! These are plain, wholly known types, made once from what the user wrote; defaults are filled in. Field names are the
//! attribute names of `SURFACE`, so a dotted path of fields is an attribute path. No field holds a secret: of a
//! write-only attribute only its version is here. They are what a record in the cloud keeps, so they must stay readable:
//! add fields with `#[serde(default)]`, never rename.

mod backup;
mod certificate;
mod environment;
mod id;
mod instance;
mod service;
mod thing;

pub use backup::*;
pub use certificate::*;
pub use environment::*;
pub use id::*;
pub use instance::*;
pub use service::*;
pub use thing::*;
