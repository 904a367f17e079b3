//! What a verb of a resource is given, and what it gives back. Knows no verb.

use super::{Diag, Diags, Dynamic, Private};
use std::{sync::Mutex, time::Instant};
use tokio_util::sync::CancellationToken;

/// One call of `create`, `read`, `update` or `delete`.
///
/// For `read` and `delete`, which Terraform calls without a configuration, all three objects are the stored one.
pub struct Call<'a, M> {
    /// As the user wrote it; the only place where write-only values are.
    pub config: &'a M,
    /// What was promised in the plan. What is unknown in it is to be found out; what is known must come out so.
    pub planned: &'a M,
    /// The stored object; `None` for `create`.
    pub prior: Option<&'a M>,
    /// The moment at which the operation is to give up, from the user's `timeouts` or the schema's default.
    pub deadline: Instant,
    pub context: &'a Context,
}

impl<M> std::ops::Deref for Call<'_, M> {
    type Target = Context;

    fn deref(&self) -> &Context {
        self.context
    }
}

/// What every call has, whatever it is about.
pub struct Context {
    /// Cancelled when the user interrupts the run: begin nothing new, return what exists.
    pub stop: CancellationToken,
    /// Stands in every log line of this call.
    pub request_id: String,
    /// Whether the provider's configuration was wholly known when it was configured.
    pub provider_known: bool,
    warnings: Mutex<Diags>,
}

impl Context {
    pub(super) fn new(stop: CancellationToken, request_id: String, provider_known: bool) -> Self {
        Context {
            stop,
            request_id,
            provider_known,
            warnings: Mutex::new(Diags::new()),
        }
    }

    /// Tells the user something without failing. An error given here fails the call all the same.
    pub fn warn(&self, diag: Diag) {
        self.warnings
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
            .push(diag);
    }

    pub(super) fn take_warnings(&self) -> Diags {
        let mut warnings = self
            .warnings
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        std::mem::take(&mut *warnings)
    }
}

/// What goes back to Terraform, after `Err` as well as after `Ok`, and after a panic.
///
/// `create` and `import` start without an object, all others with the stored one. Put the object in as soon as
/// something exists: whatever is here when the verb ends, however it ends, is stored. Attributes that are still
/// unknown after an error are stored as null.
pub struct Saved<M> {
    model: Option<M>,
    private: Private,
}

impl<M> Saved<M> {
    pub(super) fn new(model: Option<M>, private: Private) -> Saved<M> {
        Saved { model, private }
    }

    pub fn put(&mut self, model: M) {
        self.model = Some(model);
    }

    pub fn get(&self) -> Option<&M> {
        self.model.as_ref()
    }

    pub fn get_mut(&mut self) -> Option<&mut M> {
        self.model.as_mut()
    }

    /// There is nothing (any more). After a failed `delete`: it is gone all the same.
    pub fn clear(&mut self) {
        self.model = None;
    }

    /// Bytes that are stored with the object.
    pub fn private(&mut self) -> &mut Private {
        &mut self.private
    }

    pub(super) fn into_parts(self) -> (Option<M>, Private) {
        (self.model, self.private)
    }
}

/// Whether an object is still there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    Here,
    /// Terraform forgets it and plans to make it anew.
    Gone,
}

/// What a user named for import: an id (`terraform import`, `id = …`), or an identity.
#[derive(Clone, Debug)]
pub enum ImportKey {
    Id(String),
    Identity(Dynamic),
}

impl ImportKey {
    /// An attribute of the identity; where the user gave an id instead, that id.
    pub fn text(&self, name: &str) -> Option<&str> {
        match self {
            ImportKey::Id(id) => Some(id),
            ImportKey::Identity(identity) => identity.get(name).as_str(),
        }
    }
}

/// An object of another type or provider that a `moved` block turns into one of this type.
pub struct MoveSource<'a> {
    /// `registry.terraform.io/hashicorp/null`.
    pub provider: &'a str,
    pub type_name: &'a str,
    pub version: i64,
    /// As it was stored; `Null` if it was stored in a form older than JSON.
    pub state: serde_json::Value,
    pub private: &'a [u8],
    pub identity: Option<serde_json::Value>,
}
