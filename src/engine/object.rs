//! What one cloud object must be able to do, so that the engine can do the rest.

use super::{
    error::Result,
    journal::Journal,
    reads::Moment,
    reference::{Made, Ref},
    secret::Secrets,
    step::Step,
};
use serde::{Serialize, de::DeserializeOwned};
use std::{future::Future, time::Duration};

/// A cloud's client, with the way back from a journal's entry to a step.
pub trait Cloud: Send + Sync + Sized + 'static {
    /// Brings a journalled step back to life, so that what no longer stands in the plan can be removed.
    /// One line per kind: `Server::KIND => engine::revive::<Self, Server>(spec)`.
    fn revive(kind: &str, spec: serde_json::Value) -> Result<Box<dyn Step<Self>>>;
    /// Since when lists must be for the first looks of a run. A cloud that knows when it was last changed by us may let
    /// several runs share lists.
    fn recent(&self) -> Moment {
        Moment::now()
    }
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
    /// `None`: there is none. Something known that is not there is looked for by its mark too.
    fn find(
        &self,
        cx: &Cx<'_, C>,
        known: Option<&Self::Facts>,
    ) -> impl Future<Output = Result<Option<Seen<Self::Facts>>>> + Send;
    /// Makes it, marked. Returns as soon as the id is known; does not wait.
    fn create(&self, cx: &Cx<'_, C>) -> impl Future<Output = Result<Self::Facts>> + Send;
    /// Mends the differences in place.
    fn update(
        &self,
        cx: &Cx<'_, C>,
        facts: &Self::Facts,
        differences: &[Difference],
    ) -> impl Future<Output = Result<()>> + Send;
    /// Asks for its end; does not wait. Succeeds where there is none.
    fn delete(
        &self,
        cx: &Cx<'_, C>,
        facts: &Self::Facts,
    ) -> impl Future<Output = Result<()>> + Send;

    /// Data lives here: never removed to mend a difference or a failure.
    fn keeps_data(&self) -> bool {
        false
    }
    /// Whether the run waits until it is ready. Whoever holds a [`Ref`] to it waits all the same, and so does who must mend it.
    fn awaited(&self) -> bool {
        true
    }
    /// Ready as soon as it is made and gone as soon as its end was asked for: nobody looks again.
    fn instant(&self) -> bool {
        false
    }
    /// How long it usually takes until it is ready: nobody looks earlier.
    fn usually(&self) -> Duration {
        Duration::from_millis(500)
    }
    /// Left where it is when the thing goes (a bucket with the backups).
    fn outlives(&self) -> bool {
        false
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

impl Difference {
    /// The field can be changed where it is.
    pub fn update(field: &'static str, wanted: impl ToString, found: impl ToString) -> Self {
        let (wanted, found) = (wanted.to_string(), found.to_string());
        Self {
            field,
            wanted,
            found,
            mend: Mend::Update,
        }
    }
    /// Only a new object can have the field as wanted.
    pub fn replace(field: &'static str, wanted: impl ToString, found: impl ToString) -> Self {
        Self {
            mend: Mend::Replace,
            ..Self::update(field, wanted, found)
        }
    }
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
    pub since: Moment,
    pub secrets: &'a Secrets,
    pub journal: &'a Journal,
    /// The whole thing is going: what goes with another of its objects need not be removed by itself.
    pub all_goes: bool,
}

impl<C: Cloud> Cx<'_, C> {
    /// What a needed step left behind. [`Kind::Gone`](super::Kind::Gone) if it has not been made: who looks for something inside it finds nothing.
    pub fn facts<T: Object<C>>(&self, of: &Ref<T>) -> Result<T::Facts> {
        self.journal.facts::<C, T>(of.step())
    }
    pub fn made<T: Object<C>>(&self, of: &Made<T>) -> Result<T::Facts> {
        self.journal.facts::<C, T>(of.step())
    }
}
