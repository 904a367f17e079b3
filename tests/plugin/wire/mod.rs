//! The host's side of the protocol, generated for tests alone: the product only serves.

#[rustfmt::skip]
#[allow(clippy::all, clippy::unwrap_used, dead_code)]
pub mod plugin;

#[rustfmt::skip]
#[allow(clippy::all, clippy::unwrap_used, dead_code)]
pub mod tfplugin6;
