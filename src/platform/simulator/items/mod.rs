//! The kinds of object that the simulated cloud has. A field is what the cloud shows; a reference is what it stands on.

mod front;
mod machine;
mod network;
mod store;

pub use front::*;
pub use machine::*;
pub use network::*;
pub use store::*;
