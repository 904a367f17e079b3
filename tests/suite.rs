//! One test binary: one module per boundary.

mod docs;
mod engine;
mod guest;
mod layers;
mod openstack;
mod plugin;
mod terraform;
mod tidy;
