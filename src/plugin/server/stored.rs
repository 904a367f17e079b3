//! Objects as they were stored: upgraded from older versions of the schema, moved from other types.

use super::{Inner, ManagedResource, described, to_wire};
use crate::plugin::{
    Diag, Diags, Dynamic, MoveSource, Private, json, rules,
    wire::tfplugin6::{
        RawState, ResourceIdentityData, move_resource_state, upgrade_resource_identity,
        upgrade_resource_state,
    },
};
use serde_json::Value as Json;

impl Inner {
    pub(super) fn upgrade(
        &self,
        request: &upgrade_resource_state::Request,
    ) -> Result<upgrade_resource_state::Response, Diags> {
        let entry = self.resource(&request.type_name)?;
        let json = json_of(request.raw_state.as_ref(), entry.schema.name)?;
        let version = entry.schema.schema.version;
        let json = match request.version.cmp(&version) {
            std::cmp::Ordering::Equal => json,
            std::cmp::Ordering::Less => entry.item.any_upgrade(request.version, json)?,
            std::cmp::Ordering::Greater => {
                return Err(newer("object", entry.schema.name, request.version, version));
            }
        };
        let state = entry.stored(&json)?;
        if state.is_known() {
            entry.item.any_met(&state)?;
        }
        Ok(upgrade_resource_state::Response {
            upgraded_state: entry.schema.encode(&state),
            diagnostics: Vec::new(),
        })
    }

    pub(super) fn upgrade_identity(
        &self,
        request: &upgrade_resource_identity::Request,
    ) -> Result<upgrade_resource_identity::Response, Diags> {
        let entry = self.resource(&request.type_name)?;
        let Some((identity, ty)) = &entry.identity else {
            return Err(
                Diag::error(format!("`{}` has no identity", entry.schema.name))
                    .detail("A newer version of the provider stored one.")
                    .into(),
            );
        };
        let json = json_of(request.raw_identity.as_ref(), entry.schema.name)?;
        let json = match request.version.cmp(&identity.version) {
            std::cmp::Ordering::Equal => json,
            std::cmp::Ordering::Less => entry.item.any_upgrade_identity(request.version, json)?,
            std::cmp::Ordering::Greater => {
                let (name, known) = (entry.schema.name, identity.version);
                return Err(newer("identity", name, request.version, known));
            }
        };
        let read = json::decode(&json, ty, json::Fit::Stored).map_err(|error| {
            Diags::from(error.diag(&format!("the stored identity of `{}`", entry.schema.name)))
        })?;
        Ok(upgrade_resource_identity::Response {
            upgraded_identity: Some(ResourceIdentityData {
                identity_data: Some(described::encode(&read, ty)),
            }),
            diagnostics: Vec::new(),
        })
    }

    pub(super) fn move_state(
        &self,
        request: &move_resource_state::Request,
    ) -> Result<move_resource_state::Response, Diags> {
        let entry = self.resource(&request.target_type_name)?;
        let identity = request
            .source_identity
            .as_ref()
            .filter(|raw| !raw.json.is_empty())
            .map(|raw| json_of(Some(raw), &request.source_type_name))
            .transpose()?;
        let source = MoveSource {
            provider: &request.source_provider_address,
            type_name: &request.source_type_name,
            version: request.source_schema_version,
            state: json_of(request.source_state.as_ref(), &request.source_type_name)?,
            private: &request.source_private,
            identity,
        };
        let Some(moved) = entry.item.any_moved(&source)? else {
            return Err(Diag::error(format!(
                "`{}` cannot be made of `{}`",
                request.target_type_name, request.source_type_name
            ))
            .detail("This resource takes no objects over from that type. Remove the `moved` block, or import.")
            .into());
        };
        let state = entry.schema.conform(moved).map_err(|error| {
            Diags::from(error.diag(&format!("what `{}` was moved to", entry.schema.name)))
        })?;
        let mut diags = Diags::new();
        if let Some(broken) = rules::wholly_known("M", &state) {
            diags.push(broken.diag(entry.schema.name));
        }
        if !state.is_known() {
            diags.push(Diag::error(format!(
                "The provider broke rule M for `{}`: it moved an object to nothing",
                entry.schema.name
            )));
        }
        diags.settle(&mut Diags::new())?;
        let identity = entry.identity_of(&state);
        Ok(move_resource_state::Response {
            target_state: entry.schema.encode(&state),
            target_private: Private::default().encode(),
            target_identity: entry.encode_identity(identity.as_ref()),
            diagnostics: to_wire::diagnostics(Diags::new()),
        })
    }
}

impl ManagedResource {
    /// A stored object of the current version, whichever release of the provider stored it.
    fn stored(&self, json: &Json) -> Result<Dynamic, Diags> {
        json::stored(json, &self.schema.schema.fields).map_err(|error| {
            Diags::from(error.diag(&format!("the stored object of `{}`", self.schema.name)))
        })
    }
}

fn json_of(raw: Option<&RawState>, name: &str) -> Result<Json, Diags> {
    let unusable = |why: String| {
        Diags::from(Diag::error(format!("Cannot read what is stored for `{name}`")).detail(why))
    };
    let raw = raw.ok_or_else(|| unusable("Terraform sent nothing.".into()))?;
    if raw.json.is_empty() && !raw.flatmap.is_empty() {
        return Err(unusable(
            "It was stored by Terraform 0.11 or older. Upgrade Terraform step by step first."
                .into(),
        ));
    }
    let json: Json =
        serde_json::from_slice(&raw.json).map_err(|_| unusable("It is no JSON.".into()))?;
    // An upgrade may count on members that it can look up and change.
    if !json.is_object() && !json.is_null() {
        return Err(unusable("It is no object.".into()));
    }
    Ok(json)
}

/// U3: what a newer release stored cannot be read.
fn newer(what: &str, name: &str, stored: i64, known: i64) -> Diags {
    Diag::error(format!("The {what} of `{name}` was stored by a newer version of the provider"))
        .detail(format!(
            "It has version {stored} of the schema, and this release knows up to {known}. Use the newer release."
        ))
        .into()
}
