//! One test binary: one module per boundary.

mod layers;
mod plugin;
mod terraform;
mod tidy;
