//! `ImportResourceState`: by id or by identity.

use super::{Inner, ManagedResource, described, to_wire};
use crate::plugin::{
    DeferReason, Diag, Diags, Dynamic, ImportKey, rules,
    wire::tfplugin6::import_resource_state::{ImportedResource, Request, Response},
};

impl Inner {
    pub(super) async fn import(&self, request: &Request) -> Result<Response, Diags> {
        let entry = self.resource(&request.type_name)?;
        let key = entry.import_key(request)?;
        if self.puts_off(request.client_capabilities.as_ref()) {
            let nothing_yet = ImportedResource {
                type_name: request.type_name.clone(),
                state: entry.schema.encode(&Dynamic::Unknown),
                private: Vec::new(),
                identity: request.identity.clone(),
            };
            return Ok(Response {
                imported_resources: vec![nothing_yet],
                diagnostics: Vec::new(),
                deferred: Some(to_wire::deferred(DeferReason::ProviderConfigUnknown)),
            });
        }
        let blank = entry.schema.schema.blank();
        let done = entry.item.any_import(&key, &blank).await;
        let mut diags = done.diags;
        if diags.has_errors() {
            return Err(diags);
        }
        let object = match done.object.filter(Dynamic::is_known) {
            Some(object) => entry.schema.conform(object).map_err(|error| {
                Diags::from(error.diag(&format!("what `{}` imported (rule I1)", entry.schema.name)))
            })?,
            None => {
                return Err(Diag::error(format!(
                    "`{}` found nothing to import",
                    entry.schema.name
                ))
                .detail("Check the id or identity.")
                .into());
            }
        };
        if let Some(broken) = rules::wholly_known("I1", &object) {
            diags.push(broken.diag(entry.schema.name));
            return Err(diags);
        }
        let given = match key {
            ImportKey::Identity(identity) => Some(identity),
            ImportKey::Id(_) => None,
        };
        let identity = entry.identity_of(&object);
        entry.same_identity("I1", given.as_ref(), identity.as_ref(), &mut diags);
        let identity = identity.or(given);
        let imported = ImportedResource {
            type_name: request.type_name.clone(),
            state: entry.schema.encode(&object),
            private: done.private.encode(),
            identity: entry.encode_identity(identity.as_ref()),
        };
        Ok(Response {
            imported_resources: vec![imported],
            diagnostics: to_wire::diagnostics(diags),
            deferred: None,
        })
    }
}

impl ManagedResource {
    fn import_key(&self, request: &Request) -> Result<ImportKey, Diags> {
        let given = request
            .identity
            .as_ref()
            .and_then(|data| data.identity_data.as_ref());
        let (Some(data), Some((identity, ty))) = (given, &self.identity) else {
            if request.id.is_empty() {
                return Err(Diag::error("Nothing says what to import")
                    .detail("Give an id, or an identity.")
                    .into());
            }
            return Ok(ImportKey::Id(request.id.clone()));
        };
        let read = described::decode(Some(data), ty).map_err(|error| {
            Diags::from(error.diag(&format!("the identity of `{}`", self.schema.name)))
        })?;
        if !read.is_known() && !request.id.is_empty() {
            return Ok(ImportKey::Id(request.id.clone()));
        }
        let missing: Diags = identity
            .attrs
            .iter()
            .filter(|(name, part)| part.required && !read.get(name).is_known())
            .map(|(name, _)| {
                Diag::error(format!("The identity lacks `{name}`"))
                    .detail(format!(
                        "To import `{}`, `{name}` must be given.",
                        self.schema.name
                    ))
                    .at(name.as_str())
            })
            .collect();
        missing.settle(&mut Diags::new())?;
        Ok(ImportKey::Identity(read))
    }
}
