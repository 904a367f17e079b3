//! A provider of corner cases, for tests alone: one resource for each thing that providers get wrong. It keeps its objects
//! as files in the folder that its configuration names, or nowhere.
#![allow(clippy::unwrap_used)]

mod bench;
mod extras;
mod plain;
mod shapes;
mod store;
mod thing;
mod trouble;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use invenioils::plugin::serve::{ServeInfo, run};
use invenioils::plugin::{
    AnyAction, AnyDataSource, AnyEphemeral, AnyFunction, AnyResource, Configure, Diag, Diags,
    Provider, Schema, Server, Value, text,
};
use serde::{Deserialize, Serialize};

use plain::Plain;
use store::Store;

fn main() -> ExitCode {
    let info = ServeInfo {
        name: "corner",
        address: "registry.terraform.io/tests/corner",
        version: "1.2.3",
    };
    run(info, |stop| Server::new(Corner::default(), stop))
}

#[derive(Default)]
struct Corner {
    store: Arc<Store>,
}

#[derive(Clone, Serialize, Deserialize)]
struct Config {
    folder: Value<String>,
    token: Value<String>,
}

impl Provider for Corner {
    type Config = Config;

    fn name(&self) -> &'static str {
        "corner"
    }

    fn version(&self) -> &str {
        "1.2.3"
    }

    fn schema(&self) -> Schema {
        Schema::new(0, "Corner cases.")
            .attr(
                "folder",
                text()
                    .optional()
                    .doc("Where objects are kept. None: they are only in the state."),
            )
            .attr(
                "token",
                text()
                    .optional()
                    .sensitive()
                    .doc("A secret that no log may show."),
            )
    }

    fn validate(&self, config: &Config, diags: &mut Diags) {
        if config
            .folder
            .known()
            .is_some_and(|folder| !folder.starts_with('/'))
        {
            diags.push(Diag::error("`folder` must be an absolute path").at("folder"));
        }
    }

    async fn configure(&self, configure: &Configure<'_, Config>) -> Result<(), Diags> {
        if let Some(folder) = configure.config.folder.known() {
            self.store.open(PathBuf::from(folder));
        }
        if let Some(token) = configure.config.token.known() {
            invenioils::plugin::secrets::register(token);
            tracing::info!(%token, "configured with {token}");
        }
        Ok(())
    }

    fn resources(&self) -> Vec<Box<dyn AnyResource>> {
        let store = &self.store;
        vec![
            Box::new(thing::Thing(store.clone())),
            Box::new(thing::Other(store.clone())),
            Box::new(Plain::<shapes::Numbers>::new()),
            Box::new(Plain::<shapes::Dynamics>::new()),
            Box::new(Plain::<shapes::Collections>::new()),
            Box::new(Plain::<shapes::Nested>::new()),
            Box::new(Plain::<shapes::Blocks>::new()),
            Box::new(Plain::<shapes::Spelling>::new()),
            Box::new(Plain::<shapes::WriteOnly>::new()),
            Box::new(Plain::<shapes::Big>::new()),
            Box::new(Plain::<bench::Bench>::new()),
            Box::new(trouble::Trouble),
            Box::new(trouble::Slow),
            Box::new(trouble::Deferring),
            Box::new(trouble::Liar),
        ]
    }

    fn data_sources(&self) -> Vec<Box<dyn AnyDataSource>> {
        vec![Box::new(extras::Echo), Box::new(extras::SlowData)]
    }

    fn ephemerals(&self) -> Vec<Box<dyn AnyEphemeral>> {
        vec![Box::new(extras::Token(self.store.clone()))]
    }

    fn functions(&self) -> Vec<Box<dyn AnyFunction>> {
        vec![
            Box::new(extras::Join),
            Box::new(extras::Describe),
            Box::new(extras::Divide),
            Box::new(extras::Nothing),
        ]
    }

    fn actions(&self) -> Vec<Box<dyn AnyAction>> {
        vec![Box::new(extras::Ring(self.store.clone()))]
    }
}
