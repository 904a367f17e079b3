//! The identity of objects: taken from their state, and never changing.

use super::{ManagedResource, described};
use crate::plugin::{Diag, Diags, Dynamic, conform, wire::tfplugin6::ResourceIdentityData};

impl ManagedResource {
    /// The identity that an object's attributes make, parts of which may be unknown; `None` if it has none (yet).
    pub(super) fn identity_of(&self, object: &Dynamic) -> Option<Dynamic> {
        let (identity, ty) = self.identity.as_ref()?;
        if !object.is_known() {
            return None;
        }
        let parts = identity
            .attrs
            .keys()
            .map(|name| (name.clone(), object.get(name).clone()))
            .collect();
        let made = conform::value(Dynamic::Object(parts), ty).ok()?;
        let missing = identity
            .attrs
            .iter()
            .any(|(name, part)| part.required && made.get(name).is_null());
        (!missing).then_some(made)
    }

    /// Reads an identity that Terraform holds; null parts and all.
    pub(super) fn decode_identity(
        &self,
        data: Option<&ResourceIdentityData>,
    ) -> Result<Option<Dynamic>, Diags> {
        let (Some((_, ty)), Some(data)) = (&self.identity, data) else {
            return Ok(None);
        };
        let what = format!("the identity of `{}`", self.schema.name);
        let identity = described::decode(data.identity_data.as_ref(), ty)
            .map_err(|error| Diags::from(error.diag(&what)))?;
        Ok(identity.is_known().then_some(identity))
    }

    pub(super) fn encode_identity(
        &self,
        identity: Option<&Dynamic>,
    ) -> Option<ResourceIdentityData> {
        let (_, ty) = self.identity.as_ref()?;
        Some(ResourceIdentityData {
            identity_data: Some(described::encode(identity?, ty)),
        })
    }

    /// Reports an identity that is not what it was. Parts that were null or unknown may become anything.
    pub(super) fn same_identity(
        &self,
        rule: &str,
        before: Option<&Dynamic>,
        now: Option<&Dynamic>,
        diags: &mut Diags,
    ) {
        let (Some(before), Some(now)) = (before, now) else {
            return;
        };
        for (name, value) in before.entries().into_iter().flatten() {
            if value.is_known() && now.get(name) != value {
                diags.push(
                    Diag::error(format!(
                        "The provider broke rule {rule} for `{}` at `{name}`",
                        self.schema.name
                    ))
                    .detail(
                        "The identity of an object changed. It must stay the same as long as the object exists. This \
                         is a mistake in the provider; please report it.",
                    )
                    .at(name.as_str()),
                );
            }
        }
    }
}
