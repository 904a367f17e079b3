//! Listing what exists, for `list` blocks and `terraform query`. Streams; holds no list.

use super::{Context, Diags, Dynamic, de};
use serde::de::DeserializeOwned;
use std::marker::PhantomData;
use tokio::sync::mpsc;

/// What a user asked for in a `list` block.
pub struct Query {
    pub(super) config: Dynamic,
    /// At most so many objects are wanted; the runtime stops the listing there.
    pub limit: Option<u64>,
    /// Whether whole objects are wanted, or only their identities.
    pub with_objects: bool,
    pub context: Context,
}

impl Query {
    /// The block's configuration as a struct of `Value`s.
    ///
    /// # Errors
    /// If the struct does not fit the list schema.
    pub fn config<C: DeserializeOwned>(&self) -> Result<C, Diags> {
        de::model(&self.config).map_err(|error| error.diag("the list block").into())
    }
}

/// Where found objects go.
pub struct Listing<M> {
    pub(super) sink: mpsc::Sender<(String, Result<Dynamic, Diags>)>,
    pub(super) left: u64,
    pub(super) model: PhantomData<fn(M)>,
}

impl<M: serde::Serialize> Listing<M> {
    /// Tells of one object, under a name that people know it by. False: that was enough, return.
    pub async fn push(&mut self, display_name: impl Into<String> + Send, object: M) -> bool
    where
        M: Send,
    {
        if self.left == 0 {
            return false;
        }
        self.left -= 1;
        let object =
            super::ser::dynamic(&object).map_err(|error| error.diag("a listed object").into());
        self.sink.send((display_name.into(), object)).await.is_ok() && self.left > 0
    }
}
