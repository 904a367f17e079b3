//! `ReadResource` and `ReadDataSource`: what there is.

use super::{Inner, ManagedResource, configure::with_defaults, to_wire};
use crate::plugin::{
    Context, DeferReason, Diag, Diags, Dynamic, Private, conform, draft,
    erased::{Asked, Done, Verb},
    rules,
    wire::tfplugin6::{read_data_source, read_resource},
};

impl Inner {
    pub(super) async fn read(
        &self,
        request: &read_resource::Request,
        id: String,
    ) -> Result<read_resource::Response, Diags> {
        let unchanged = || read_resource::Response {
            new_state: request.current_state.clone(),
            private: request.private.clone(),
            new_identity: request.current_identity.clone(),
            ..read_resource::Response::default()
        };
        let entry = self.resource(&request.type_name)?;
        let current = entry
            .schema
            .decode(request.current_state.as_ref(), "the stored object")?;
        if current.is_null() {
            return Ok(unchanged());
        }
        if self.puts_off(request.client_capabilities.as_ref()) {
            return Ok(read_resource::Response {
                deferred: Some(to_wire::deferred(DeferReason::ProviderConfigUnknown)),
                ..unchanged()
            });
        }
        let private = Private::decode(&request.private).map_err(|error| {
            Diags::from(Diag::error("Cannot read the stored object").detail(error))
        })?;
        let context = self.context(id);
        let asked = Asked {
            verb: Verb::Read,
            config: &current,
            planned: &current,
            prior: Some(&current),
            private,
            deadline: entry.schema.deadline("read", &current),
            context: &context,
        };
        let done = entry.item.any_act(asked).await;
        let failed = done.diags.has_errors();
        let mut response = entry.finish_read(request, &current, done, &context);
        if failed {
            response.new_state = request.current_state.clone();
            response.new_identity = request.current_identity.clone();
        }
        Ok(response)
    }

    pub(super) async fn read_data_source(
        &self,
        request: &read_data_source::Request,
        id: String,
    ) -> Result<read_data_source::Response, Diags> {
        let entry = self.data_source(&request.type_name)?;
        let schema = &entry.schema;
        let config = schema.decode(request.config.as_ref(), "the configuration")?;
        let config = schema.required(config, "The configuration")?;
        if self.puts_off(request.client_capabilities.as_ref()) {
            let fields = &schema.schema.fields;
            let nothing = &Dynamic::Null;
            let planned = draft::draft(fields, &config, nothing, draft::Computed::Fresh);
            return Ok(read_data_source::Response {
                state: schema.encode(&planned),
                deferred: Some(to_wire::deferred(DeferReason::ProviderConfigUnknown)),
                diagnostics: Vec::new(),
            });
        }
        let context = self.context(id);
        let asked = with_defaults(schema, &config);
        let deadline = schema.deadline("read", &asked);
        let read = entry.item.any_read(&asked, deadline, &context).await;
        let mut diags = context.take_warnings();
        let mut state = Dynamic::Null;
        match read {
            Ok(read) => {
                state = checked(schema, &config, read, ("D", "R1"), &mut diags);
            }
            Err(failed) => diags.extend(failed),
        }
        Ok(read_data_source::Response {
            state: schema.encode(&state),
            diagnostics: to_wire::diagnostics(diags),
            deferred: None,
        })
    }
}

/// What was read, in the schema's form: what the user wrote is unchanged in it, and nothing is unknown. `unknown` is
/// the rule that a value left unknown breaks.
pub(super) fn checked(
    schema: &super::Described,
    config: &Dynamic,
    read: Dynamic,
    (misfit, unknown): (&'static str, &'static str),
    diags: &mut Diags,
) -> Dynamic {
    let fields = &schema.schema.fields;
    let read = match schema.conform(read.clone()) {
        Ok(read) => read,
        Err(error) => {
            diags.push(error.diag(&format!("what `{}` returned (rule {misfit})", schema.name)));
            conform::salvage(&read, fields, config)
        }
    };
    let read = draft::spelled(fields, read, config);
    for broken in rules::plan(fields, config, &Dynamic::Null, &read) {
        diags.push(broken.diag(schema.name));
    }
    if let Some(broken) = rules::wholly_known(unknown, &read) {
        diags.push(broken.diag(schema.name));
    }
    conform::settled(read)
}

impl ManagedResource {
    fn finish_read(
        &self,
        request: &read_resource::Request,
        current: &Dynamic,
        done: Done,
        context: &Context,
    ) -> read_resource::Response {
        let mut diags = context.take_warnings();
        diags.extend(done.diags);
        let object = match done.object {
            Some(object) if !done.gone && !object.is_null() => {
                self.read_object(object, current, &mut diags)
            }
            _ => Dynamic::Null,
        };
        let before = self
            .decode_identity(request.current_identity.as_ref())
            .unwrap_or_default();
        let identity = self.identity_of(&object);
        self.same_identity("R5", before.as_ref(), identity.as_ref(), &mut diags);
        let identity = identity.or(before.filter(|_| object.is_known()));
        read_resource::Response {
            new_state: self.schema.encode(&object),
            private: done.private.encode(),
            diagnostics: to_wire::diagnostics(diags),
            new_identity: self.encode_identity(identity.as_ref()),
            deferred: None,
        }
    }

    /// What was read, spelled as it was stored, and wholly known.
    fn read_object(&self, object: Dynamic, current: &Dynamic, diags: &mut Diags) -> Dynamic {
        let fields = &self.schema.schema.fields;
        let object = match self.schema.conform(object.clone()) {
            Ok(object) => object,
            Err(error) => {
                diags.push(error.diag(&format!("what `{}` read (rule R1)", self.schema.name)));
                conform::salvage(&object, fields, current)
            }
        };
        if let Some(broken) = rules::wholly_known("R1", &object) {
            diags.push(broken.diag(self.schema.name));
        }
        conform::settled(draft::spelled(fields, object, current))
    }
}
