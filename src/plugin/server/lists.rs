//! Listing: objects one by one as they are found, each with its identity.

use super::{Inner, ManagedResource, configure::with_defaults, described::Described, to_wire};
use crate::plugin::{
    Diag, Diags, Dynamic, Query, conform, rules,
    wire::tfplugin6::list_resource::{Event, Request},
};
use tokio::sync::mpsc;

impl Inner {
    /// A resource that can be listed, with the schema of its `list` block.
    pub(super) fn list_of(&self, name: &str) -> Result<(&ManagedResource, &Described), Diags> {
        let entry = self.resource(name)?;
        match &entry.list {
            Some(list) => Ok((entry, list)),
            None => Err(Diag::error(format!("`{name}` cannot be listed")).into()),
        }
    }

    /// Lists; what is said at last, warnings included, is the answer.
    pub(super) async fn list(
        &self,
        request: &Request,
        id: String,
        events: &mpsc::Sender<Result<Event, tonic::Status>>,
    ) -> Diags {
        let read = self.list_of(&request.type_name).and_then(|(entry, list)| {
            let config = list.decode(request.config.as_ref(), "the list block")?;
            let config = if config.is_null() {
                list.schema.blank()
            } else {
                config
            };
            if !config.is_wholly_known() {
                return Err(Diag::error("The list block is not known yet").into());
            }
            Ok((entry, with_defaults(list, &config)))
        });
        let (entry, config) = match read {
            Ok(read) => read,
            Err(diags) => return diags,
        };
        let query = Query {
            config,
            limit: u64::try_from(request.limit).ok().filter(|limit| *limit > 0),
            with_objects: request.include_resource_object,
            context: self.context(id),
        };
        let (sink, mut found) = mpsc::channel(16);
        let work = entry.item.any_list(&query, sink);
        let tell = async {
            while let Some((name, object)) = found.recv().await {
                let event = entry.listed(name, object, query.with_objects);
                if events.send(Ok(event)).await.is_err() {
                    // Nobody reads on; closing the channel tells the resource.
                    found.close();
                }
            }
        };
        let (ended, ()) = futures::join!(work, tell);
        let mut diags = query.context.take_warnings();
        if let Err(failed) = ended {
            diags.extend(failed);
        }
        diags
    }
}

/// What ends a listing that has something to say.
pub(super) fn last(diags: Diags) -> Option<Event> {
    (!diags.is_empty()).then(|| Event {
        diagnostic: to_wire::diagnostics(diags),
        ..Event::default()
    })
}

impl ManagedResource {
    fn listed(&self, name: String, object: Result<Dynamic, Diags>, whole: bool) -> Event {
        let made = object.and_then(|object| {
            let object = self.schema.conform(object).map_err(|error| {
                Diags::from(error.diag(&format!("what `{}` listed (rule L)", self.schema.name)))
            })?;
            let Some(identity) = self.identity_of(&object).filter(Dynamic::is_wholly_known) else {
                return Err(Diag::error(format!(
                    "The provider broke rule L for `{}`: it listed an object without its identity",
                    self.schema.name
                ))
                .into());
            };
            Ok((object, identity))
        });
        match made {
            Ok((object, identity)) => Event {
                identity: self.encode_identity(Some(&identity)),
                display_name: name,
                resource_object: whole
                    .then(|| self.schema.encode(&conform::settled(object.clone())))
                    .flatten(),
                diagnostic: rules::wholly_known("L", &object)
                    .filter(|_| whole)
                    .map(|broken| to_wire::diagnostics(broken.diag(self.schema.name).into()))
                    .unwrap_or_default(),
            },
            Err(diags) => Event {
                display_name: name,
                diagnostic: to_wire::diagnostics(diags),
                ..Event::default()
            },
        }
    }
}
