//! The service that Terraform calls: every RPC decoded, answered by the rules, and encoded. Knows nothing of transport.

mod actions;
mod answer;
mod apply;
mod configure;
mod described;
mod ephemerals;
mod functions;
mod generate;
mod identity;
mod import;
mod lists;
mod plan;
mod read;
mod rpcs;
mod schemas;
mod stored;
#[cfg(test)]
mod tests;
mod to_wire;

use super::{
    AnyAction, AnyDataSource, AnyEphemeral, AnyFunction, AnyResource, Context, Diag, Diags,
    IdentitySchema, Provider, Signature, Type,
    erased::AnyProvider,
    wire::tfplugin6::{ClientCapabilities, get_provider_schema},
};
use described::Described;
use std::{
    collections::BTreeMap,
    sync::{Arc, OnceLock, RwLock},
};
use tokio_util::sync::CancellationToken;

/// A provider as a gRPC service.
#[derive(Clone)]
pub struct Server {
    inner: Arc<Inner>,
}

struct Inner {
    provider: Box<dyn AnyProvider>,
    config: Described,
    resources: BTreeMap<&'static str, ManagedResource>,
    data_sources: BTreeMap<&'static str, Entry<dyn AnyDataSource>>,
    ephemerals: BTreeMap<&'static str, Entry<dyn AnyEphemeral>>,
    actions: BTreeMap<&'static str, Entry<dyn AnyAction>>,
    functions: BTreeMap<&'static str, (Box<dyn AnyFunction>, Signature)>,
    schema: OnceLock<get_provider_schema::Response>,
    stop: CancellationToken,
    configured: RwLock<Configured>,
}

struct Entry<T: ?Sized> {
    item: Box<T>,
    schema: Described,
}

struct ManagedResource {
    item: Box<dyn AnyResource>,
    schema: Described,
    identity: Option<(IdentitySchema, Type)>,
    list: Option<Described>,
}

/// What is known since `ConfigureProvider`.
#[derive(Clone, Copy)]
struct Configured {
    known: bool,
    /// Changes are put off where Terraform can, because the configuration is not known.
    defers: bool,
}

impl Server {
    /// `stop` is what every call sees as its [`Context::stop`]; `StopProvider` cancels it.
    pub fn new(provider: impl Provider, stop: CancellationToken) -> Server {
        let provider: Box<dyn AnyProvider> = Box::new(provider);
        let inner = Inner {
            config: Described::new(provider.any_name(), provider.any_schema()),
            resources: by_name(provider.any_resources(), |item| {
                let schema = Described::new(item.any_name(), item.any_schema());
                let identity = item.any_identity().map(|identity| {
                    let ty = identity.object_type();
                    (identity, ty)
                });
                let list = item
                    .any_list_schema()
                    .map(|schema| Described::new(item.any_name(), schema));
                let entry = ManagedResource {
                    schema,
                    identity,
                    list,
                    item,
                };
                (entry.item.any_name(), entry)
            }),
            data_sources: by_name(provider.any_data_sources(), |item| {
                let schema = Described::new(item.any_name(), item.any_schema());
                (item.any_name(), Entry { item, schema })
            }),
            ephemerals: by_name(provider.any_ephemerals(), |item| {
                let schema = Described::new(item.any_name(), item.any_schema());
                (item.any_name(), Entry { item, schema })
            }),
            actions: by_name(provider.any_actions(), |item| {
                let schema = Described::new(item.any_name(), item.any_schema());
                (item.any_name(), Entry { item, schema })
            }),
            functions: by_name(provider.any_functions(), |item| {
                let signature = item.any_signature();
                (item.any_name(), (item, signature))
            }),
            schema: OnceLock::new(),
            stop,
            configured: RwLock::new(Configured {
                known: true,
                defers: false,
            }),
            provider,
        };
        Server {
            inner: Arc::new(inner),
        }
    }

    /// Everything that is wrong with the schemas, and wherever a model does not fit its schema. Empty for a good
    /// provider; a debug build refuses to serve another.
    pub fn problems(&self) -> Vec<String> {
        self.inner.problems()
    }
}

fn by_name<I, E>(
    items: Vec<I>,
    entry: impl Fn(I) -> (&'static str, E),
) -> BTreeMap<&'static str, E> {
    items.into_iter().map(entry).collect()
}

impl Inner {
    fn context(&self, request_id: String) -> Context {
        Context::new(self.stop.clone(), request_id, self.configured().known)
    }

    fn configured(&self) -> Configured {
        *self
            .configured
            .read()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Whether this call is to be put off because the provider's configuration is not known.
    fn puts_off(&self, client: Option<&ClientCapabilities>) -> bool {
        self.configured().defers && can_defer(client)
    }

    fn resource(&self, name: &str) -> Result<&ManagedResource, Diags> {
        self.resources
            .get(name)
            .ok_or_else(|| unknown("resource", name))
    }

    fn data_source(&self, name: &str) -> Result<&Entry<dyn AnyDataSource>, Diags> {
        self.data_sources
            .get(name)
            .ok_or_else(|| unknown("data source", name))
    }

    fn ephemeral(&self, name: &str) -> Result<&Entry<dyn AnyEphemeral>, Diags> {
        self.ephemerals
            .get(name)
            .ok_or_else(|| unknown("ephemeral resource", name))
    }

    fn action(&self, name: &str) -> Result<&Entry<dyn AnyAction>, Diags> {
        self.actions
            .get(name)
            .ok_or_else(|| unknown("action", name))
    }

    fn problems(&self) -> Vec<String> {
        let mut found = Vec::new();
        let mut add = |kind: &str, name: &str, problems: Vec<String>| {
            found.extend(
                problems
                    .into_iter()
                    .map(|what| format!("{kind}{name}: {what}")),
            );
        };
        let fields = &self.config.schema.fields;
        add("provider ", self.config.name, self.config.schema.lint());
        add("provider ", self.config.name, self.provider.any_fit(fields));
        for (name, entry) in &self.resources {
            let schema = &entry.schema.schema;
            add("", name, schema.lint());
            add("", name, entry.item.any_fit(&schema.fields));
            match (&entry.identity, &entry.list) {
                (Some((identity, _)), _) => add("", name, schema.lint_identity(identity)),
                (None, Some(_)) => add("", name, vec!["S9: listed without an identity".into()]),
                (None, None) => {}
            }
            if let Some(list) = &entry.list {
                add("list ", name, list.schema.lint());
            }
        }
        for (name, entry) in &self.data_sources {
            add("data ", name, entry.schema.schema.lint());
            add(
                "data ",
                name,
                entry.item.any_fit(&entry.schema.schema.fields),
            );
        }
        for (name, entry) in &self.ephemerals {
            add("ephemeral ", name, entry.schema.schema.lint());
            add(
                "ephemeral ",
                name,
                entry.item.any_fit(&entry.schema.schema.fields),
            );
        }
        for (name, entry) in &self.actions {
            add("action ", name, entry.schema.schema.lint());
            add(
                "action ",
                name,
                entry.item.any_fit(&entry.schema.schema.fields),
            );
        }
        for (name, (_, signature)) in &self.functions {
            add("function ", name, signature.lint());
        }
        found
    }
}

fn can_defer(client: Option<&ClientCapabilities>) -> bool {
    client.is_some_and(|client| client.deferral_allowed)
}

fn unknown(kind: &str, name: &str) -> Diags {
    Diag::error(format!("This provider has no {kind} `{name}`"))
        .detail("The configuration or the state names a type that this version of the provider does not have.")
        .into()
}
