//! The provider as a library, so that tests and benches link the same code as the binary.
//!
//! Arrows point down only: `main -> provider -> resource -> platform -> engine`; `site` and `plugin` use none of them.

pub mod engine;
pub mod platform;
pub mod plugin;
pub mod provider;
pub mod resource;
pub mod site;
