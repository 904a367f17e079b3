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

/// The control plane for one test alone, or for this one beside others. Ends with this value.
pub struct Turn {
    _lock: std::fs::File,
}

/// The control plane for one test alone: others wait, in other processes too. For whoever counts, has faults come or services
/// go, and for machines that boot. None: it cannot be had, which was said loudly.
pub fn cloud() -> Option<Turn> {
    let turn = turn(std::fs::File::lock)?;
    calls::tidy();
    Some(turn)
}

/// The control plane beside others who each have a project of their own and disturb nobody.
pub fn shared() -> Option<Turn> {
    turn(std::fs::File::lock_shared)
}

fn turn(lock: fn(&std::fs::File) -> std::io::Result<()>) -> Option<Turn> {
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
    let file = std::fs::File::create(calls::folder().join("turn.lock")).expect("a file");
    lock(&file).expect("a turn");
    Some(Turn { _lock: file })
}

/// Whether all is run that takes longer than a test may.
pub fn drilling() -> bool {
    std::env::var_os("DRILL").is_some()
}

/// Whether this is left to a drill, of which this run is none; says so.
pub fn left_to_a_drill(what: &str) -> bool {
    if !drilling() {
        terraform::workspace::loud(&format!(
            "SKIPPED: {what} on OpenStack; `make drill` runs it"
        ));
    }
    !drilling()
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
