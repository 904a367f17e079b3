//! What a resource may see and say while a change is planned. The rules of planning themselves are in `draft`.

use super::{Context, Diag, Path, Private};

/// A change being planned: the runtime has filled `planned` in as the schema says, and the resource may refine it.
///
/// Attributes that users set must stay as they are in `config`; computed ones may be set to anything, known or unknown.
pub struct Plan<'a, M> {
    /// As the user wrote it.
    pub config: &'a M,
    /// The stored object; `None` if it is to be created (or created anew after a replacement).
    pub prior: Option<&'a M>,
    /// What the object shall be. Unknown attributes are "known after apply".
    pub planned: M,
    /// Stored with the plan and given to `create` or `update`.
    pub private: Private,
    /// What the first plan stored, when Terraform plans once more at apply and is new enough to tell.
    pub planned_private: Option<Private>,
    /// Whether the provider's configuration was wholly known; if not, ask no cloud.
    pub provider_known: bool,
    pub context: &'a Context,
    pub(super) replace: Vec<Path>,
    pub(super) touched: bool,
    pub(super) changed: bool,
    pub(super) can_defer: bool,
    pub(super) deferred: Option<DeferReason>,
}

/// Why a change cannot be planned yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeferReason {
    /// The resource's configuration is not known yet.
    ResourceConfigUnknown,
    /// The provider's configuration is not known yet.
    ProviderConfigUnknown,
    /// Something that it needs is not there yet.
    AbsentPrerequisite,
}

impl<M> Plan<'_, M> {
    /// Whether the object is to be created, changed or replaced, as far as the runtime and earlier [`Plan::touch`]es know.
    pub fn changed(&self) -> bool {
        self.changed || self.touched || !self.replace.is_empty()
    }

    /// Whether the object is to be replaced, as far as is known.
    pub fn replaces(&self) -> bool {
        !self.replace.is_empty()
    }

    pub fn creates(&self) -> bool {
        self.prior.is_none()
    }

    /// Something must change though no attribute did: computed attributes that are neither set here nor kept become
    /// unknown, so that Terraform calls `update`. Name the attribute that shows the change by setting it in `planned`.
    pub fn touch(&mut self) {
        self.touched = true;
    }

    /// The object must be replaced because of this attribute.
    pub fn replace(&mut self, path: impl Into<Path>) {
        let path = path.into();
        if !self.replace.contains(&path) {
            self.replace.push(path);
        }
    }

    /// A warning, or an error (which lets the plan fail, after whatever else is found).
    pub fn warn(&self, diag: Diag) {
        self.context.warn(diag);
    }

    /// The same, for readers who expect an error.
    pub fn err(&self, diag: Diag) {
        self.context.warn(diag);
    }

    pub fn can_defer(&self) -> bool {
        self.can_defer
    }

    /// Puts the change off to a later run; returns false, and does nothing, if Terraform cannot.
    pub fn defer(&mut self, reason: DeferReason) -> bool {
        if self.can_defer {
            self.deferred = Some(reason);
        }
        self.can_defer
    }
}
