//! `PlanResourceChange`: the runtime's draft, the resource's refinement, and what follows from both.

use super::{Inner, ManagedResource, can_defer, to_wire};
use crate::plugin::{
    Context, DeferReason, Diag, Diags, Dynamic, Path, Private, conform, draft,
    draft::Computed,
    erased::{PlanAsked, PlanMade},
    rules,
    wire::tfplugin6::plan_resource_change::{Request, Response},
};

/// The objects of one plan, and what the runtime makes of them.
struct Drafts<'a> {
    config: &'a Dynamic,
    prior: &'a Dynamic,
    /// With computed attributes as they are stored.
    carried: Dynamic,
    /// With computed attributes unknown.
    fresh: Dynamic,
    changed: bool,
}

impl<'a> Drafts<'a> {
    fn new(entry: &ManagedResource, config: &'a Dynamic, prior: &'a Dynamic) -> Drafts<'a> {
        let fields = &entry.schema.schema.fields;
        let carried = draft::draft(fields, config, prior, Computed::Carried);
        let changed = prior.is_null() || carried != *prior;
        Drafts {
            fresh: draft::draft(fields, config, prior, Computed::Fresh),
            config,
            prior,
            carried,
            changed,
        }
    }

    fn base(&self) -> &Dynamic {
        if self.changed {
            &self.fresh
        } else {
            &self.carried
        }
    }

    /// The plan after the resource has made `made` of the draft: if it began a change, the computed attributes that it
    /// left alone become unknown; if it undid the only one, nothing changes.
    fn settle(&self, made: Dynamic, touched: bool) -> Dynamic {
        if !self.changed && (touched || made != self.carried) {
            return conform::restore(made, &self.carried, &self.fresh);
        }
        let undone = self.changed
            && !touched
            && self.prior.is_known()
            && conform::restore(made.clone(), &self.fresh, &self.carried) == *self.prior;
        if undone { self.prior.clone() } else { made }
    }
}

impl Inner {
    pub(super) async fn plan(&self, request: &Request, id: String) -> Result<Response, Diags> {
        let entry = self.resource(&request.type_name)?;
        let prior = entry
            .schema
            .decode(request.prior_state.as_ref(), "the stored object")?;
        let config = entry
            .schema
            .decode(request.config.as_ref(), "the configuration")?;
        let private = Private::decode(&request.prior_private).map_err(|error| {
            Diags::from(Diag::error("Cannot read the stored object").detail(error))
        })?;
        let context = self.context(id);
        if config.is_null() {
            return Ok(entry
                .plan_destroy(request, &prior, &private, &context)
                .await);
        }
        let config = entry.schema.required(config, "The configuration")?;
        let mut drafts = Drafts::new(entry, &config, &prior);
        let client = request.client_capabilities.as_ref();
        if self.puts_off(client) {
            let mut response = entry.encode_plan(drafts.base(), &private);
            response.deferred = Some(to_wire::deferred(DeferReason::ProviderConfigUnknown));
            let identity = entry.identity_of(drafts.base());
            let identity = identity.filter(Dynamic::is_wholly_known);
            response.planned_identity = entry.encode_identity(identity.as_ref());
            return Ok(response);
        }
        let planned_private = Private::decode(&request.planned_private).ok();
        let planned_private = planned_private.filter(|private| !private.is_empty());
        let mut touched = false;
        let mut made = loop {
            let asked = PlanAsked {
                config: &config,
                prior: prior.is_known().then_some(&prior),
                planned: drafts.base(),
                changed: drafts.changed,
                replace: draft::replaced(&entry.schema.schema.fields, &drafts.carried, &prior),
                private: private.clone(),
                planned_private: planned_private.clone(),
                can_defer: can_defer(client),
                context: &context,
            };
            let made = entry.item.any_plan(asked).await;
            // What begins a change by itself is asked once more, with the draft of a change: only so is what it set told
            // from what it left alone.
            if drafts.changed || !made.touched || made.diags.has_errors() {
                break made;
            }
            touched = true;
            drafts.changed = true;
            context.take_warnings();
        };
        made.touched |= touched;
        Ok(entry.finish_plan(request, &drafts, made, &context))
    }
}

impl ManagedResource {
    async fn plan_destroy(
        &self,
        request: &Request,
        prior: &Dynamic,
        private: &Private,
        context: &Context,
    ) -> Response {
        let mut diags = Diags::new();
        if prior.is_known() {
            diags = self.item.any_plan_destroy(prior, private).await;
        }
        diags.extend(context.take_warnings());
        Response {
            planned_identity: request.prior_identity.clone(),
            diagnostics: to_wire::diagnostics(diags),
            ..self.encode_plan(&Dynamic::Null, private)
        }
    }

    fn encode_plan(&self, planned: &Dynamic, private: &Private) -> Response {
        Response {
            planned_state: self.schema.encode(planned),
            planned_private: private.encode(),
            ..Response::default()
        }
    }

    fn finish_plan(
        &self,
        request: &Request,
        drafts: &Drafts<'_>,
        made: PlanMade,
        context: &Context,
    ) -> Response {
        let fields = &self.schema.schema.fields;
        let mut diags = context.take_warnings();
        diags.extend(made.diags);
        let conformed = self.schema.conform(made.planned).unwrap_or_else(|error| {
            diags.push(error.diag(&format!("what `{}` planned", self.schema.name)));
            drafts.base().clone()
        });
        let as_stored = conform::restore(conformed.clone(), drafts.base(), &drafts.carried);
        let planned = drafts.settle(conformed, made.touched);
        if made.touched && planned == *drafts.prior {
            diags.push(
                Diag::error(format!("The provider cannot plan the change of `{}`", self.schema.name))
                    .detail(
                        "It says that the object must change, but no attribute can show it. This is a mistake in the \
                         provider; please report it.",
                    ),
            );
        }
        for broken in rules::plan(fields, drafts.config, drafts.prior, &planned) {
            diags.push(broken.diag(self.schema.name));
        }
        let mut replace = made.replace;
        for path in draft::replaced(fields, &as_stored, drafts.prior) {
            if !replace.contains(&path) {
                replace.push(path);
            }
        }
        // A change that was undone replaces nothing.
        if planned == *drafts.prior || drafts.prior.is_null() {
            replace.clear();
        }
        self.check_replace(&replace, &planned, drafts.prior, &mut diags);
        let identity =
            self.plan_identity(request, drafts, &planned, !replace.is_empty(), &mut diags);
        Response {
            requires_replace: replace.iter().map(to_wire::path).collect(),
            deferred: made.deferred.map(to_wire::deferred),
            planned_identity: self.encode_identity(identity.as_ref()),
            diagnostics: to_wire::diagnostics(diags),
            ..self.encode_plan(&planned, &made.private)
        }
    }

    /// P9: what replaces the object must exist.
    fn check_replace(
        &self,
        replace: &[Path],
        planned: &Dynamic,
        prior: &Dynamic,
        diags: &mut Diags,
    ) {
        for path in replace {
            if !leads_somewhere(planned, path) && !leads_somewhere(prior, path) {
                diags.push(
                    Diag::error(format!(
                        "The provider broke rule P9 for `{}` at `{path}`",
                        self.schema.name
                    ))
                    .detail(
                        "It wants to replace the object because of an attribute that does not exist. This is a \
                         mistake in the provider; please report it.",
                    )
                    .at(path),
                );
            }
        }
    }

    /// P13: an object that stays keeps its identity, which is known.
    fn plan_identity(
        &self,
        request: &Request,
        drafts: &Drafts<'_>,
        planned: &Dynamic,
        replaced: bool,
        diags: &mut Diags,
    ) -> Option<Dynamic> {
        let identity = self.identity_of(planned);
        if drafts.prior.is_null() || replaced {
            // Half an identity may be sent, but helps nobody: OpenTofu 1.12 cannot write a plan that has one.
            return identity.filter(Dynamic::is_wholly_known);
        }
        let before = self
            .decode_identity(request.prior_identity.as_ref())
            .unwrap_or_default();
        self.same_identity("P13", before.as_ref(), identity.as_ref(), diags);
        if identity
            .as_ref()
            .is_some_and(|identity| !identity.is_wholly_known())
        {
            diags.push(
                Diag::error(format!(
                    "The provider broke rule P13 for `{}`",
                    self.schema.name
                ))
                .detail(
                    "An update would make the identity of the object unknown. This is a mistake in the provider; \
                     please report it.",
                ),
            );
            return before;
        }
        identity.or(before)
    }
}

/// Whether a path leads to something, or into what is not known yet.
fn leads_somewhere(value: &Dynamic, path: &Path) -> bool {
    if value.at(path).is_some() {
        return true;
    }
    let mut above = path.parent();
    while let Some(place) = above {
        if value.at(&place).is_some_and(Dynamic::is_unknown) {
            return true;
        }
        above = place.parent();
    }
    false
}
