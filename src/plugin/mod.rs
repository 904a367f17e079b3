//! The Terraform plugin protocol: wire, values, schema, plan, docs. Knows no library system; could be a crate of its own.

pub mod log;
pub mod panics;
pub mod secrets;
pub mod serve;
pub mod wire;
