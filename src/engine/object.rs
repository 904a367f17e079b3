//! What one cloud object must be able to do, so that the engine can do the rest.

use super::{Error, Result, graph::{Made, Ref}, journal::Journal, secret::Secrets};
use serde::{Serialize, de::DeserializeOwned};
use std::{future::Future, time::Instant};

/// A cloud's client, with the way back from a journal's entry to a step.
pub trait Cloud: Send + Sync + Sized + 'static {
    /// Brings a journalled step back to life, so that what no longer stands in the plan can be removed.
    fn revive(kind: &str, spec: serde_json::Value) -> Result<Box<dyn Step<Self>>>;
}

/// One cloud object as the plan wants it. Holds no secret: it ends up in the state.
///
/// Every verb may run twice. The mark that [`Object::find`] looks for is set by the creating call itself.
pub trait Object<C: Cloud>: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// `server`, `port`, … : the cloud's word, also the journal's tag.
    const KIND: &'static str;
    /// What others need of the object once it is made: its id, an address. Not secret; ends up in the state.
    type Facts: Serialize + DeserializeOwned + Clone + Send + Sync + 'static;

    /// The cloud's id, for people and messages.
    fn id(facts: &Self::Facts) -> String;
    /// Looks the object up by what is known of it, else by its mark, in answers no older than [`Cx::since`].
    /// `None`: there is none. An object that is going away counts as [`Standing::Pending`].
    fn find(&self, cx: &Cx<'_, C>, known: Option<&Self::Facts>) -> impl Future<Output = Result<Option<Seen<Self::Facts>>>> + Send;
    /// Makes it, marked. Returns as soon as the id is known; does not wait.
    fn create(&self, cx: &Cx<'_, C>) -> impl Future<Output = Result<Self::Facts>> + Send;
    /// Mends the differences in place.
    fn update(&self, cx: &Cx<'_, C>, facts: &Self::Facts, differences: &[Difference]) -> impl Future<Output = Result<()>> + Send;
    /// Asks for its end; does not wait. Succeeds where there is none.
    fn delete(&self, cx: &Cx<'_, C>, facts: &Self::Facts) -> impl Future<Output = Result<()>> + Send;

    /// Data lives here: never removed to mend a difference or a failure.
    fn keeps_data(&self) -> bool {
        false
    }
    /// Whether the run waits until it is ready. Whoever holds a [`Ref`] to it waits all the same.
    fn awaited(&self) -> bool {
        true
    }
}

/// How an object stands in the cloud.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    Ready,
    /// On its way; the text is the cloud's word for it (`BUILD`, `PENDING_UPDATE`).
    Pending(String),
    /// It has failed by itself and will not recover.
    Broken(String),
    /// On its way out.
    Leaving,
}

/// An object as found.
#[derive(Debug, Clone)]
pub struct Seen<F> {
    pub facts: F,
    pub standing: Standing,
    pub differences: Vec<Difference>,
}

/// A field that is not as the plan wants it. Never holds a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    pub field: &'static str,
    pub wanted: String,
    pub found: String,
    pub mend: Mend,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mend {
    Update,
    /// Only a new object can have it. Refused for objects that keep data.
    Replace,
}

/// What a verb may use.
pub struct Cx<'a, C> {
    pub cloud: &'a C,
    /// Lists that were asked for before this moment are too old.
    pub since: Instant,
    pub secrets: &'a Secrets,
    pub journal: &'a Journal,
}

impl<C: Cloud> Cx<'_, C> {
    /// What a needed step left behind. An error if it has not been made, which is the engine's own mistake.
    pub fn facts<T: Object<C>>(&self, of: &Ref<T>) -> Result<T::Facts> {
        self.journal.facts::<C, T>(of.step())
    }
    pub fn made<T: Object<C>>(&self, of: &Made<T>) -> Result<T::Facts> {
        self.journal.facts::<C, T>(of.step())
    }
}
