//! Objects without their types: what the run works with. Facts are JSON here, as the journal keeps them.

use super::{
    error::{Error, Result},
    object::{Cloud, Cx, Difference, Object, Seen},
};
use async_trait::async_trait;
use serde_json::Value;
use std::time::Duration;

/// An [`Object`] of any type. The verbs have names of their own so that both traits can be in scope.
#[async_trait]
pub trait Step<C: Cloud>: Send + Sync {
    fn kind(&self) -> &'static str;
    fn keeps_data(&self) -> bool;
    fn awaited(&self) -> bool;
    fn instant(&self) -> bool;
    fn usually(&self) -> Duration;
    fn outlives(&self) -> bool;
    /// The cloud's id in these facts; a question mark if they are not of this kind.
    fn id_in(&self, facts: &Value) -> String;
    async fn look(&self, cx: &Cx<'_, C>, known: Option<&Value>) -> Result<Option<Seen<Value>>>;
    async fn make(&self, cx: &Cx<'_, C>) -> Result<Value>;
    async fn mend(&self, cx: &Cx<'_, C>, facts: &Value, differences: &[Difference]) -> Result<()>;
    async fn end(&self, cx: &Cx<'_, C>, facts: &Value) -> Result<()>;
}

/// Brings an object of a known type back from the journal: for [`Cloud::revive`].
pub fn revive<C: Cloud, T: Object<C>>(spec: Value) -> Result<Box<dyn Step<C>>> {
    let object: T =
        serde_json::from_value(spec).map_err(|why| unreadable(T::KIND, "spec", &why))?;
    Ok(Box::new(object))
}

#[async_trait]
impl<C: Cloud, T: Object<C>> Step<C> for T {
    fn kind(&self) -> &'static str {
        T::KIND
    }
    fn keeps_data(&self) -> bool {
        Object::keeps_data(self)
    }
    fn awaited(&self) -> bool {
        Object::awaited(self)
    }
    fn instant(&self) -> bool {
        Object::instant(self)
    }
    fn usually(&self) -> Duration {
        Object::usually(self)
    }
    fn outlives(&self) -> bool {
        Object::outlives(self)
    }
    fn id_in(&self, facts: &Value) -> String {
        serde_json::from_value::<T::Facts>(facts.clone())
            .map_or_else(|_| "?".to_owned(), |facts| T::id(&facts))
    }

    async fn look(&self, cx: &Cx<'_, C>, known: Option<&Value>) -> Result<Option<Seen<Value>>> {
        // Facts of an older release that no longer read are as good as none: the mark finds the object.
        let known = known.and_then(|facts| serde_json::from_value::<T::Facts>(facts.clone()).ok());
        let Some(seen) = self.find(cx, known.as_ref()).await? else {
            return Ok(None);
        };
        let facts = to_json::<T::Facts>(T::KIND, &seen.facts)?;
        Ok(Some(Seen {
            facts,
            standing: seen.standing,
            differences: seen.differences,
        }))
    }
    async fn make(&self, cx: &Cx<'_, C>) -> Result<Value> {
        to_json::<T::Facts>(T::KIND, &self.create(cx).await?)
    }
    async fn mend(&self, cx: &Cx<'_, C>, facts: &Value, differences: &[Difference]) -> Result<()> {
        self.update(cx, &from_json::<T::Facts>(T::KIND, facts)?, differences)
            .await
    }
    async fn end(&self, cx: &Cx<'_, C>, facts: &Value) -> Result<()> {
        self.delete(cx, &from_json::<T::Facts>(T::KIND, facts)?)
            .await
    }
}

fn to_json<F: serde::Serialize>(kind: &str, facts: &F) -> Result<Value> {
    serde_json::to_value(facts).map_err(|why| unreadable(kind, "facts", &why))
}

pub(super) fn from_json<F: serde::de::DeserializeOwned>(kind: &str, facts: &Value) -> Result<F> {
    serde_json::from_value(facts.clone()).map_err(|why| unreadable(kind, "facts", &why))
}

fn unreadable(kind: &str, what: &str, why: &serde_json::Error) -> Error {
    let remedy = "the state may have been written by a newer release of the provider: use that one";
    Error::fatal(
        format!("read the {what} of a journalled {kind}"),
        why.to_string(),
    )
    .remedy(remedy)
}
