//! What a managed resource is to the runtime. Everything that Terraform demands of all resources is done elsewhere.

use super::{
    Call, Diag, Diags, Found, IdentitySchema, ImportKey, Listing, MoveSource, Plan, Private, Query,
    Saved, Schema,
};
use serde::{Serialize, de::DeserializeOwned};
use std::future::Future;

/// A managed resource. Implement the asynchronous methods as plain `async fn`.
///
/// The model is a struct of [`Value`](super::Value)s with a field for each attribute of the schema. The runtime owns
/// defaults, unknowns, replacement, write-only and identity; a verb only acts.
pub trait Resource: Send + Sync + 'static {
    type Model: Serialize + DeserializeOwned + Clone + Send + Sync + 'static;

    /// The full name of the type, with the provider's prefix.
    fn name(&self) -> &'static str;

    fn schema(&self) -> Schema;

    /// What identifies an object. Its values are taken from the state's attributes of the same names.
    fn identity(&self) -> Option<IdentitySchema> {
        None
    }

    /// Looks for mistakes in what the user wrote, offline; any part of it may be unknown, and unknown is no mistake.
    fn validate(&self, config: &Self::Model, diags: &mut Diags) {
        let _ = (config, diags);
    }

    /// Refines the plan that the runtime has made. May ask the cloud, changes nothing in it.
    fn plan(
        &self,
        plan: &mut Plan<'_, Self::Model>,
    ) -> impl Future<Output = Result<(), Diags>> + Send {
        let _ = plan;
        async { Ok(()) }
    }

    /// A destruction is planned: the place to refuse it (an error) or to say what it means (a warning).
    fn plan_destroy(
        &self,
        prior: &Self::Model,
        private: &Private,
        diags: &mut Diags,
    ) -> impl Future<Output = ()> + Send {
        let _ = (prior, private, diags);
        async {}
    }

    fn create(
        &self,
        call: &Call<'_, Self::Model>,
        saved: &mut Saved<Self::Model>,
    ) -> impl Future<Output = Result<(), Diags>> + Send;

    /// Brings `saved` up to date with the cloud.
    fn read(
        &self,
        call: &Call<'_, Self::Model>,
        saved: &mut Saved<Self::Model>,
    ) -> impl Future<Output = Result<Found, Diags>> + Send;

    fn update(
        &self,
        call: &Call<'_, Self::Model>,
        saved: &mut Saved<Self::Model>,
    ) -> impl Future<Output = Result<(), Diags>> + Send;

    /// Succeeds if the object is gone already. After an error what is in `saved` is stored.
    fn delete(
        &self,
        call: &Call<'_, Self::Model>,
        saved: &mut Saved<Self::Model>,
    ) -> impl Future<Output = Result<(), Diags>> + Send;

    /// Finds the object that the user named and puts as much of it into `saved` as `read` needs to fill in the rest.
    /// `saved` starts with a model of nulls.
    fn import(
        &self,
        key: &ImportKey,
        saved: &mut Saved<Self::Model>,
    ) -> impl Future<Output = Result<(), Diags>> + Send {
        let _ = (key, saved);
        let name = self.name();
        async move {
            Err(Diag::error(format!("`{name}` cannot be imported"))
                .detail("This resource has no import.")
                .into())
        }
    }

    /// Turns a state that an older version stored into one of the current version. Shape only, nothing is looked up.
    ///
    /// # Errors
    /// Says why the state cannot be used.
    fn upgrade(
        &self,
        from_version: i64,
        state: serde_json::Value,
    ) -> Result<serde_json::Value, Diags> {
        let _ = state;
        Err(Diag::error(format!("`{}` cannot upgrade this state", self.name()))
            .detail(format!(
                "It was stored with version {from_version} of the schema, which this version of the provider does not \
                 know. Upgrade the provider step by step."
            ))
            .into())
    }

    /// The same for a stored identity.
    ///
    /// # Errors
    /// Says why the identity cannot be used.
    fn upgrade_identity(
        &self,
        from_version: i64,
        identity: serde_json::Value,
    ) -> Result<serde_json::Value, Diags> {
        let _ = identity;
        Err(
            Diag::error(format!("`{}` cannot upgrade this identity", self.name()))
                .detail(format!(
                    "It was stored with version {from_version} of the identity's schema."
                ))
                .into(),
        )
    }

    /// Called once for every stored object, before anything else is done with it in a run.
    fn met(&self, state: &Self::Model) {
        let _ = state;
    }

    /// Makes an object of this type out of one of another type; `None` if it does not know that type.
    ///
    /// # Errors
    /// Says why that very object cannot be moved.
    fn moved(&self, source: &MoveSource<'_>) -> Result<Option<Self::Model>, Diags> {
        let _ = source;
        Ok(None)
    }

    /// The schema of a `list` block's configuration, if objects can be listed. Needs an identity.
    fn list_schema(&self) -> Option<Schema> {
        None
    }

    /// Gives every object to `found`, until that says that it is enough.
    fn list(
        &self,
        query: &Query,
        found: &mut Listing<Self::Model>,
    ) -> impl Future<Output = Result<(), Diags>> + Send {
        let _ = (query, found);
        async { Ok(()) }
    }
}
