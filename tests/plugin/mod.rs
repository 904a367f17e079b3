//! The plugin protocol across the wire: the generated code, a host's side of it, and the rules that Terraform enforces.

mod generated;
mod wire;
