//! The provider's own settings and THE list of what it offers.

use crate::platform::{Common, Given, OFFERS, Offer, Setting, Shape};
use crate::plugin::serve::ServeInfo;
use crate::plugin::{
    AnyResource, Attr, Configure, Diag, Diags, Dynamic, Provider, Schema, Type, boolean, int, list,
    list_of, map, object, text,
};
use crate::resource::{
    Connected, Lifecycle, Setup, backup_policy, certificate, count_attr, environment, instance,
    service,
};
use crate::site::Tags;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What it is called where providers are found.
pub const INFO: ServeInfo = ServeInfo {
    name: "invenioils",
    address: "registry.terraform.io/inveniosoftware/invenioils",
    version: env!("CARGO_PKG_VERSION"),
};

/// The provider `invenioils`.
#[derive(Default)]
pub struct InvenioIls {
    setup: Arc<Setup>,
}

impl Provider for InvenioIls {
    /// The platform attributes are the platforms' own affair, so there is no struct of them here.
    type Config = Dynamic;

    fn name(&self) -> &'static str {
        "invenioils"
    }

    fn version(&self) -> &str {
        INFO.version
    }

    fn schema(&self) -> Schema {
        let platforms: Vec<&str> = OFFERS.iter().map(|it| it.name).collect();
        let schema = Schema::new(
            0,
            "Brings up, changes, heals and removes whole InvenioILS installations. Exactly one platform attribute says where.",
        );
        OFFERS
            .iter()
            .fold(schema, |schema, offer| schema.attr(offer.name, platform(offer)))
            .attr("owner", text().optional().doc("Who owns the objects. Objects found by their mark are adopted if they are of the same owner, or were never finished. Default: `INVENIOILS_OWNER`, else `TFC_WORKSPACE_SLUG`, else empty."))
            .attr("adopt", list(Type::String).optional().doc("Names of environments to take over although they are finished and their state was lost. Default: `INVENIOILS_ADOPT`, separated by commas."))
            .attr("default_tags", map(Type::String).optional().doc("Tags on every object that can carry them."))
            .attr("max_parallel_requests", count_attr("Calls at a time towards the cloud. Default: 16."))
            .attr("preflight", boolean().optional().doc("Check names, sizes, images, networks and quotas online at plan. Default: true."))
            .exactly_one_of(&platforms)
    }

    async fn configure(&self, configure: &Configure<'_, Dynamic>) -> Result<(), Diags> {
        let config = configure.config;
        // Until everything is known nobody can sign in; plans then say "known after apply".
        if !configure.known {
            return Ok(());
        }
        let Some(offer) = OFFERS.iter().find(|it| !config.get(it.name).is_null()) else {
            return Err(Diag::error("No platform is given")
                .detail(format!("One of {} must say where.", names()))
                .into());
        };
        let default_tags: Tags = texts(config.get("default_tags"));
        let owner = config
            .get("owner")
            .as_str()
            .map(str::to_owned)
            .or_else(|| variable("INVENIOILS_OWNER"));
        let owner = owner
            .or_else(|| variable("TFC_WORKSPACE_SLUG"))
            .unwrap_or_default();
        let parallel = config
            .get("max_parallel_requests")
            .as_number()
            .and_then(|it| it.as_u64());
        let common = Common {
            owner: owner.clone(),
            default_tags: default_tags.clone(),
            max_parallel_requests: parallel
                .and_then(|it| usize::try_from(it).ok())
                .unwrap_or(16),
        };
        let given = Given::new(config.get(offer.name).to_json());
        let platform = (offer.connect)(given, common).await?;
        self.setup.connect(Connected {
            platform,
            owner,
            adopt: adopted(config.get("adopt")),
            default_tags,
            preflight: config.get("preflight").as_bool().unwrap_or(true),
        });
        Ok(())
    }

    fn resources(&self) -> Vec<Box<dyn AnyResource>> {
        let setup = &self.setup;
        vec![
            Box::new(Lifecycle::<environment::Model>::new(setup)),
            Box::new(Lifecycle::<service::Model>::new(setup)),
            Box::new(Lifecycle::<certificate::Model>::new(setup)),
            Box::new(Lifecycle::<instance::Model>::new(setup)),
            Box::new(Lifecycle::<backup_policy::Model>::new(setup)),
        ]
    }
}

fn names() -> String {
    OFFERS
        .iter()
        .map(|it| format!("`{}`", it.name))
        .collect::<Vec<_>>()
        .join(", ")
}

fn platform(offer: &Offer) -> Attr {
    object(offer.settings.iter().map(setting))
        .optional()
        .doc(offer.doc)
}

fn setting(setting: &Setting) -> (&'static str, Attr) {
    let attr = match setting.shape {
        Shape::Text => text(),
        Shape::Hidden => text().sensitive(),
        Shape::OneOf(choices) => text().one_of(choices),
        Shape::Bool => boolean(),
        Shape::Whole => int(),
        Shape::TextMap => map(Type::String),
        Shape::WholeMap => map(Type::Number),
        Shape::List(inner) => list_of(inner.iter().map(self::setting)),
    };
    (setting.name, attr.optional().doc(setting.doc))
}

fn texts(value: &Dynamic) -> BTreeMap<String, String> {
    let entries = value.entries().into_iter().flatten();
    entries
        .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
        .collect()
}

fn adopted(value: &Dynamic) -> BTreeSet<String> {
    match value.items() {
        Some(items) => items
            .iter()
            .filter_map(|it| it.as_str().map(str::to_owned))
            .collect(),
        None => {
            let given = variable("INVENIOILS_ADOPT").unwrap_or_default();
            given
                .split(',')
                .map(|it| it.trim().to_owned())
                .filter(|it| !it.is_empty())
                .collect()
        }
    }
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|it| !it.is_empty())
}
