//! `ApplyResourceChange`: create, update and delete. Whatever exists when the verb ends goes back to Terraform.

use super::{Inner, ManagedResource, to_wire};
use crate::plugin::{
    Context, Diag, Diags, Dynamic, Private, conform, draft,
    erased::{Asked, Done, Verb},
    rules,
    wire::tfplugin6::apply_resource_change::{Request, Response},
};

impl Inner {
    pub(super) async fn apply(&self, request: &Request, id: String) -> Result<Response, Diags> {
        let entry = self.resource(&request.type_name)?;
        let (change, private) = match entry.decode_change(request) {
            Ok(read) => read,
            // Nothing has been done: what is stored stays stored.
            Err(diags) => {
                return Ok(Response {
                    new_state: request.prior_state.clone(),
                    private: request.planned_private.clone(),
                    diagnostics: to_wire::diagnostics(diags),
                    ..Response::default()
                });
            }
        };
        let context = self.context(id);
        let done = entry.act(&change, private, &context).await;
        Ok(entry.finish_apply(request, &change, done, &context))
    }
}

struct Change {
    config: Dynamic,
    planned: Dynamic,
    prior: Dynamic,
    verb: Verb,
}

impl ManagedResource {
    fn decode_change(&self, request: &Request) -> Result<(Change, Private), Diags> {
        let schema = &self.schema;
        let prior = schema.decode(request.prior_state.as_ref(), "the stored object")?;
        let planned = schema.decode(request.planned_state.as_ref(), "the planned object")?;
        let config = schema.decode(request.config.as_ref(), "the configuration")?;
        let private = Private::decode(&request.planned_private)
            .map_err(|error| Diags::from(Diag::error("Cannot read the plan").detail(error)))?;
        let verb = match (prior.is_null(), planned.is_null()) {
            (_, true) => Verb::Delete,
            (true, false) => Verb::Create,
            (false, false) => Verb::Update,
        };
        let change = Change {
            config,
            planned,
            prior,
            verb,
        };
        Ok((change, private))
    }

    async fn act(&self, change: &Change, private: Private, context: &Context) -> Done {
        if change.verb == Verb::Delete && change.prior.is_null() {
            return Done {
                object: None,
                private,
                gone: true,
                diags: Diags::new(),
            };
        }
        let (config, planned) = match change.verb {
            Verb::Delete => (&change.prior, &change.prior),
            _ => (&change.config, &change.planned),
        };
        let limits = if config.get("timeouts").is_known() {
            config
        } else {
            planned
        };
        let asked = Asked {
            verb: change.verb,
            config,
            planned,
            prior: change.prior.is_known().then_some(&change.prior),
            private,
            deadline: self.schema.deadline(change.verb.name(), limits),
            context,
        };
        self.item.any_act(asked).await
    }

    fn finish_apply(
        &self,
        request: &Request,
        change: &Change,
        done: Done,
        context: &Context,
    ) -> Response {
        let mut diags = context.take_warnings();
        diags.extend(done.diags);
        let failed = diags.has_errors();
        let object = match (change.verb, done.object) {
            (Verb::Delete, _) if !failed => None,
            (_, object) => object.filter(|object| !object.is_null()),
        };
        let Some(object) = object else {
            if !failed && change.verb != Verb::Delete {
                diags.push(self.missing(change.verb));
            }
            return Response {
                new_state: self.schema.encode(&Dynamic::Null),
                private: done.private.encode(),
                diagnostics: to_wire::diagnostics(diags),
                new_identity: None,
                legacy_type_system: false,
            };
        };
        let object = self.result(change, object, failed, &mut diags);
        let identity = self.identity_of(&object);
        let planned = self
            .decode_identity(request.planned_identity.as_ref())
            .unwrap_or_default();
        if !diags.has_errors() {
            self.same_identity("A11", planned.as_ref(), identity.as_ref(), &mut diags);
        }
        let identity = identity.or_else(|| planned.filter(Dynamic::is_wholly_known));
        Response {
            new_state: self.schema.encode(&object),
            private: done.private.encode(),
            diagnostics: to_wire::diagnostics(diags),
            new_identity: self.encode_identity(identity.as_ref()),
            legacy_type_system: false,
        }
    }

    /// The object in a form that Terraform will store, held against the plan unless it failed anyway.
    fn result(&self, change: &Change, object: Dynamic, failed: bool, diags: &mut Diags) -> Dynamic {
        let fields = &self.schema.schema.fields;
        let expected = match change.verb {
            Verb::Delete => &change.prior,
            _ => &change.planned,
        };
        let object = match self.schema.conform(object.clone()) {
            Ok(object) => object,
            Err(error) => {
                diags.push(error.diag(&format!("what `{}` returned (rule A9)", self.schema.name)));
                conform::salvage(&object, fields, expected)
            }
        };
        let object = draft::spelled(fields, object, expected);
        if !failed {
            for broken in rules::applied(expected, &object) {
                diags.push(broken.diag(self.schema.name));
            }
            if let Some(broken) = rules::wholly_known("A2", &object) {
                diags.push(broken.diag(self.schema.name));
            }
        }
        conform::settled(object)
    }

    fn missing(&self, verb: Verb) -> Diag {
        Diag::error(format!(
            "The provider broke rule A8 for `{}`",
            self.schema.name
        ))
        .detail(format!(
            "Its `{}` succeeded but returned no object. This is a mistake in the provider; please report it.",
            verb.name()
        ))
    }
}
