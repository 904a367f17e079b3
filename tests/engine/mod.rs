//! The engine's promises, on the simulator, in virtual time.

mod cast;
mod drift;
mod faults;
mod files;
mod promises;
mod together;
mod waits;
mod world;
