//! Whole libraries on a real OpenStack control plane, judged by the services' own APIs and by what they counted.

mod api;
mod breaks;
pub mod calls;
mod changes;
mod daemons;
mod direct;
mod drift;
mod examples;
mod faults;
mod firewall;
mod imports;
mod inventory;
mod machines;
mod marked;
mod north_star;
mod observed;
mod project;
mod refused;
mod tamper;

use crate::terraform::{self, Workspace};
pub use project::Project;

/// The control plane for one test alone; others wait, in other processes too. Ends with this value.
pub struct Turn {
    _lock: std::fs::File,
}

/// The control plane, if it can be had; said loudly where not. One installation at a time: two processors serve all of
/// OpenStack, and figures of runs that get in each other's way mean nothing.
pub fn cloud() -> Option<Turn> {
    if terraform::missing() {
        return None;
    }
    if std::env::var_os("SKIP_CLOUD").is_some() {
        terraform::workspace::loud("SKIPPED: the tests against OpenStack (SKIP_CLOUD is set)");
        return None;
    }
    if std::net::TcpStream::connect("127.0.0.1:5000").is_err() {
        terraform::workspace::loud(
            "SKIPPED: no OpenStack on 127.0.0.1; `tests/openstack/openstack-up` brings one up",
        );
        return None;
    }
    let lock = std::fs::File::create(calls::folder().join("turn.lock")).expect("a file");
    lock.lock().expect("a turn");
    calls::tidy();
    Some(Turn { _lock: lock })
}

/// A workspace that signs in to this project, as users do: by clouds.yaml and OS_CLOUD.
pub fn workspace(project: &Project, configuration: &str) -> Workspace {
    settle(project, Workspace::new(configuration))
}

pub fn example(project: &Project, name: &str) -> Workspace {
    // Spelled out, so that the test that looks for a test of each example finds it.
    let workspace = match name {
        "openstack" => Workspace::example("openstack"),
        "existing-network" => Workspace::example("existing-network"),
        "large" => Workspace::example("large"),
        other => Workspace::example(other),
    };
    settle(project, workspace)
}

fn settle(project: &Project, mut workspace: Workspace) -> Workspace {
    workspace.write("clouds.yaml", &project.clouds_yaml());
    let file = workspace.path("clouds.yaml").display().to_string();
    workspace.set("OS_CLIENT_CONFIG_FILE", &file);
    workspace.set("OS_CLOUD", "library");
    // What this project's runs ask for is told from what others ask for by it.
    workspace.set("TF_APPEND_USER_AGENT", &project.name);
    workspace.set("TF_VAR_external_network", "public");
    workspace
}

/// The example that the README shows, with nothing protected.
pub fn north_star(project: &Project) -> Workspace {
    let mut workspace = example(project, "openstack");
    workspace.set("TF_VAR_deletion_protection", "false");
    workspace
}
