//! The corner provider under real command lines: the Terraform on the PATH, a newer one, and OpenTofu.

mod newer;
mod runs;
mod stable;

pub use runs::{Cli, Folder};
