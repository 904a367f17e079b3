//! The engine's promises, on the simulator, in virtual time.

mod cast;
mod faults;
mod promises;
mod world;
