//! One test binary: one module per boundary.

// What a test takes for granted may end it: that is how it fails. The lint knows only functions marked as tests.
#![allow(clippy::unwrap_used)]

mod docs;
mod engine;
mod guest;
mod layers;
mod openstack;
mod plugin;
mod terraform;
mod tidy;
