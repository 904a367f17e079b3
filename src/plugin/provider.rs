//! What a provider is to the runtime: its settings, and all that it offers.

use super::{
    Context, Diags, Schema,
    erased::{AnyAction, AnyDataSource, AnyEphemeral, AnyFunction, AnyResource},
};
use serde::{Serialize, de::DeserializeOwned};
use std::future::Future;

/// The provider block of a run.
pub struct Configure<'a, C> {
    /// Parts may be unknown while planning.
    pub config: &'a C,
    /// Whether all of it is known.
    pub known: bool,
    pub terraform_version: &'a str,
    pub context: &'a Context,
}

/// A provider. One value serves one process; resources share what `configure` made through whatever the provider gave
/// them when they were made.
pub trait Provider: Send + Sync + 'static {
    type Config: Serialize + DeserializeOwned + Clone + Send + Sync + 'static;

    /// The prefix of its types.
    fn name(&self) -> &'static str;

    fn version(&self) -> &str;

    fn schema(&self) -> Schema;

    /// Looks for mistakes, offline; any part may be unknown.
    fn validate(&self, config: &Self::Config, diags: &mut Diags) {
        let _ = (config, diags);
    }

    /// Called once per run before anything is read or planned, with unknown parts possibly. Where Terraform can put
    /// changes off, the runtime does so while the configuration is not wholly known (see [`Provider::defers`]).
    fn configure(
        &self,
        configure: &Configure<'_, Self::Config>,
    ) -> impl Future<Output = Result<(), Diags>> + Send;

    /// Whether changes are put off while this configuration, which has unknown parts, is not wholly known.
    fn defers(&self, config: &Self::Config) -> bool {
        let _ = config;
        true
    }

    /// `vec![Box::new(Thing), …]`.
    fn resources(&self) -> Vec<Box<dyn AnyResource>> {
        Vec::new()
    }

    fn data_sources(&self) -> Vec<Box<dyn AnyDataSource>> {
        Vec::new()
    }

    fn ephemerals(&self) -> Vec<Box<dyn AnyEphemeral>> {
        Vec::new()
    }

    fn functions(&self) -> Vec<Box<dyn AnyFunction>> {
        Vec::new()
    }

    fn actions(&self) -> Vec<Box<dyn AnyAction>> {
        Vec::new()
    }
}
