//! The Terraform plugin protocol: wire, values, schema, plan, docs. Knows no library system; could be a crate of its own.
//!
//! A provider is a [`Provider`] with [`Resource`]s, [`DataSource`]s, [`EphemeralResource`]s, [`Function`]s and
//! [`Action`]s. Each has a [`Schema`] and a model: a struct of [`Value`]s. The runtime owns whatever Terraform demands
//! of every provider alike: defaults, unknown values, replacement, write-only values, identity, private data, time
//! limits, and it holds each answer against Terraform's rules before it is sent.

mod action;
mod call;
mod conform;
mod data_source;
mod de;
mod diag;
pub mod docs;
mod draft;
mod dynamic;
mod ephemeral;
mod erased;
mod fit;
mod function;
mod json;
mod list;
pub mod log;
mod misfit;
mod msgpack;
mod number;
pub mod panics;
mod path;
mod planning;
mod private;
mod provider;
mod resource;
mod rules;
mod schema;
pub mod secrets;
mod ser;
pub mod serve;
mod server;
mod types;
mod validate;
mod value;
pub mod wire;

pub use action::{Action, Progress};
pub use call::{Call, Context, Found, ImportKey, MoveSource, Saved};
pub use data_source::{Ask, DataSource};
pub use diag::{Diag, Diags, Severity};
pub use dynamic::Dynamic;
pub use ephemeral::{EphemeralResource, Opened};
pub use erased::{AnyAction, AnyDataSource, AnyEphemeral, AnyFunction, AnyResource};
pub use function::{Function, FunctionError, Parameter, Signature};
pub use list::{Listing, Query};
pub use misfit::Misfit;
pub use number::Number;
pub use path::{Path, Step};
pub use planning::{DeferReason, Plan};
pub use private::Private;
pub use provider::{Configure, Provider};
pub use resource::Resource;
pub use schema::{
    Attr, BlockNesting, Fields, IdentityAttr, IdentitySchema, Kind, Nesting, Rule, Schema,
    SchemaBlock, Timeouts, boolean, dynamic, int, list, list_of, map, map_of, number, object,
    parse_duration, set, set_of, text, timeouts,
};
pub use server::Server;
pub use types::Type;
pub use value::Value;
