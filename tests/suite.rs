//! One test binary: one module per boundary.

mod plugin;
