//! What each thing is made of here. Pure: the same site gives the same graph, without a call.

mod backup;
mod certificate;
mod environment;
mod instance;
mod service;

use super::{
    Simulator,
    item::{Item, Mark, Outside, Placed, To},
    items::{Finished, On, Subnet},
};
use crate::engine::{Error, Graph, Result, Slot};
use crate::site::{Environment, Id, Site, Sort, Tags, Thing};

pub fn plan(site: &Site) -> Result<Graph<Simulator>> {
    let mut plan = Plan::new(site);
    match &site.thing {
        Thing::Environment(it) => environment::plan(&mut plan, it),
        Thing::Service(it) => service::plan(&mut plan, it)?,
        Thing::Certificate(it) => certificate::plan(&mut plan, it)?,
        Thing::Instance(it) => instance::plan(&mut plan, it)?,
        Thing::BackupPolicy(it) => backup::plan(&mut plan, it),
    }
    Ok(plan.finish())
}

/// The text by which a thing's objects are marked.
pub fn thing_mark(id: &Id) -> String {
    format!("{}:{id}", id.sort.as_str())
}

/// A graph under way, with what all its steps have in common.
struct Plan<'a> {
    graph: Graph<Simulator>,
    site: &'a Site,
    thing: String,
    tags: Tags,
}

impl<'a> Plan<'a> {
    fn new(site: &'a Site) -> Self {
        let own = match &site.thing {
            Thing::Environment(it) => it.tags.clone(),
            Thing::Service(it) => it.tags.clone(),
            Thing::Instance(it) => it.tags.clone(),
            Thing::Certificate(_) | Thing::BackupPolicy(_) => Tags::new(),
        };
        let mut tags = site.default_tags.clone();
        tags.extend(own);
        Self {
            graph: Graph::new(),
            site,
            thing: thing_mark(&site.thing.id()),
            tags,
        }
    }

    fn add<T: Item>(&mut self, step: impl Into<String>, item: T) -> To<T> {
        let step = step.into();
        let mark = Mark {
            thing: self.thing.clone(),
            step: step.clone(),
        };
        self.graph.add(
            step,
            Placed {
                mark,
                tags: self.tags.clone(),
                item,
            },
        )
    }

    /// What `add` adds here belongs to one slot.
    fn slot<R>(&mut self, slot: Slot, add: impl FnOnce(&mut Self) -> R) -> R {
        let outer = self.graph.enter(Some(slot));
        let result = add(self);
        self.graph.enter(outer);
        result
    }

    fn finish(mut self) -> Graph<Simulator> {
        let mark = Mark {
            thing: self.thing,
            step: "record".to_owned(),
        };
        let item = Finished {
            owner: self.site.owner.clone(),
            thing: self.site.thing.clone(),
        };
        self.graph.seal(
            "record",
            Placed {
                mark,
                tags: Tags::new(),
                item,
            },
        );
        self.graph
    }

    fn environment(&self) -> Result<&'a Environment> {
        self.site.environment().ok_or_else(|| {
            let id = self.site.thing.id();
            Error::fatal(
                format!("plan `{id}`"),
                format!("its environment `{}` is not there", id.environment),
            )
            .at("environment_id")
        })
    }

    /// An object of this thing's environment.
    fn of_environment(&self, step: &str) -> Outside {
        outside(&Id::environment(self.site.thing.id().environment), step)
    }

    /// The subnet that machines of this thing stand in.
    fn subnet(&self) -> Result<On<Subnet>> {
        Ok(match &self.environment()?.network.existing {
            Some(existing) => On::Existing(existing.subnet_id.clone()),
            None => On::Outside(self.of_environment("subnet")),
        })
    }
}

/// An object of another thing.
fn outside(id: &Id, step: &str) -> Outside {
    Outside {
        mark: Mark {
            thing: thing_mark(id),
            step: step.to_owned(),
        },
    }
}

/// The step that holds the main secret of what an instance uses.
fn secret_of(id: &Id) -> Outside {
    outside(
        id,
        if id.sort == Sort::Certificate {
            "key"
        } else {
            "secret"
        },
    )
}

/// A service that exists elsewhere and takes no password has none.
fn has_secret(thing: &Thing) -> bool {
    match thing {
        Thing::Service(it) => it
            .external
            .as_ref()
            .is_none_or(|external| external.password_wo_version.is_some()),
        _ => true,
    }
}
