//! What is in the simulator's file of a workspace, and what its state knows of it.

use super::Workspace;
use base64::{Engine, engine::general_purpose::STANDARD};
use flate2::read::GzDecoder;
use invenioils::platform::simulator::{self, Shown, Simulator};
use serde_json::Value;
use std::{collections::BTreeSet, future::Future, io::Read};

/// The file that [`Workspace`]s use unless they say another one.
const FILE: &str = ".invenioils/simulator.sqlite";

/// Runs something on the workspace's cloud.
pub fn with<T, F: Future<Output = T>>(
    workspace: &Workspace,
    run: impl FnOnce(Simulator) -> F,
) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.expect("a runtime").block_on(async {
        let settings = simulator::Settings {
            path: workspace.path(FILE),
            ..Default::default()
        };
        run(simulator::open(settings)
            .await
            .expect("the simulator's file"))
        .await
    })
}

/// Every object of the cloud, by its own view.
pub fn objects(workspace: &Workspace) -> Vec<Shown> {
    if !workspace.path(FILE).exists() {
        return Vec::new();
    }
    with(workspace, |cloud| async move {
        cloud.inventory().await.expect("an inventory")
    })
}

/// The ids that the journals in the state have. Terraform makes the state's file when it locks it, empty: who is interrupted
/// before anything is written knows of nothing.
pub fn recorded(workspace: &Workspace) -> BTreeSet<String> {
    let text = workspace.read("terraform.tfstate");
    if text.is_empty() {
        return BTreeSet::new();
    }
    let state: Value = serde_json::from_str(&text).expect("a state");
    let mut ids = BTreeSet::new();
    let instances = state["resources"].as_array().into_iter().flatten();
    for instance in instances.flat_map(|it| it["instances"].as_array().into_iter().flatten()) {
        let Some(private) = instance["private"].as_str() else {
            continue;
        };
        let private = STANDARD.decode(private).expect("base64");
        let private: Value = serde_json::from_slice(&private).expect("private state is JSON");
        for bytes in private
            .as_object()
            .into_iter()
            .flat_map(|it| it.values())
            .filter_map(Value::as_str)
        {
            let bytes = STANDARD.decode(bytes).expect("base64");
            let mut text = Vec::new();
            // The journal is packed, for it may be long.
            let bytes = match GzDecoder::new(bytes.as_slice()).read_to_end(&mut text) {
                Ok(_) => text,
                Err(_) => bytes,
            };
            if let Ok(value) = serde_json::from_slice::<Value>(&bytes) {
                texts(&value, &mut ids);
            }
        }
    }
    ids
}

fn texts(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => drop(found.insert(text.clone())),
        Value::Array(list) => list.iter().for_each(|it| texts(it, found)),
        Value::Object(map) => map.values().for_each(|it| texts(it, found)),
        _ => {}
    }
}
