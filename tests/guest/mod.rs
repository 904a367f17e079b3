//! The boot files, run: each role in one machine, second boot included.

mod bed;
mod files;
mod services;
mod site;
