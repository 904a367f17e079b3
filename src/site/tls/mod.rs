//! Certificates offline: what they say, whether they fit a key and a host name, and how they are made. No network, no
//! clock: the moment is given.

mod key;
mod leaf;
mod pkcs12;
mod rules;

pub use key::{make_key, request, self_signed};
pub use leaf::{Leaf, read, read_chain};
pub use pkcs12::pkcs12;
pub use rules::check_material;
#[cfg(test)]
mod tests;
