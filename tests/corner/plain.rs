//! Resources that exist in the state alone: whatever is configured comes true, whatever is computed is made up.

use std::marker::PhantomData;

use invenioils::plugin::{Call, Diags, Found, Resource, Saved, Schema};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A shape of attributes, and what a provider would make of the computed ones.
pub trait Shape: Serialize + DeserializeOwned + Clone + Send + Sync + 'static {
    const NAME: &'static str;
    fn schema() -> Schema;
    /// Fills in what is unknown. `config` still has the write-only values.
    fn fill(&mut self, config: &Self);
}

pub struct Plain<S>(PhantomData<fn(S)>);

impl<S> Plain<S> {
    pub fn new() -> Self {
        Self(PhantomData)
    }
}

impl<S: Shape> Resource for Plain<S> {
    type Model = S;

    fn name(&self) -> &'static str {
        S::NAME
    }

    fn schema(&self) -> Schema {
        S::schema()
    }

    async fn create(&self, call: &Call<'_, S>, saved: &mut Saved<S>) -> Result<(), Diags> {
        let mut made = call.planned.clone();
        made.fill(call.config);
        saved.put(made);
        Ok(())
    }

    async fn read(&self, _: &Call<'_, S>, _: &mut Saved<S>) -> Result<Found, Diags> {
        Ok(Found::Here)
    }

    async fn update(&self, call: &Call<'_, S>, saved: &mut Saved<S>) -> Result<(), Diags> {
        self.create(call, saved).await
    }

    async fn delete(&self, _: &Call<'_, S>, saved: &mut Saved<S>) -> Result<(), Diags> {
        saved.clear();
        Ok(())
    }
}
