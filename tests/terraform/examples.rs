//! Every example does what it says: it is applied, found unchanged, and taken away.

use super::{Workspace, missing};
use std::{fs, path::Path};

fn there_and_back(workspace: &Workspace) {
    workspace.run(&["validate"]).ok();
    workspace.apply();
    workspace.settled();
    workspace.destroy();
    assert_eq!(workspace.addresses(), Vec::<String>::new());
}

#[test]
fn the_quickstart_comes_up_and_goes_away() {
    if missing() {
        return;
    }
    let workspace = Workspace::example("quickstart");
    workspace.run(&["validate"]).ok();
    workspace.apply();
    workspace.settled();
    let outputs = workspace.json(&["output", "-json"]);
    assert_eq!(outputs["url"]["value"], "https://library.example.org");
    assert_eq!(outputs["status"]["value"]["environment"], "ready");
    assert_eq!(outputs["status"]["value"]["instance"], "ready");
    for (kind, status) in outputs["status"]["value"]["services"]
        .as_object()
        .expect("five services")
    {
        assert_eq!(status, "ready", "{kind}");
    }
    let address = outputs["public_address"]["value"]
        .as_str()
        .expect("an address");
    assert!(address.parse::<std::net::Ipv4Addr>().is_ok(), "{address}");
    workspace.destroy();
    assert_eq!(workspace.addresses(), Vec::<String>::new());
}

#[test]
fn every_resource_example_is_applied() {
    if missing() {
        return;
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/resources");
    let mut applied = 0;
    for entry in fs::read_dir(folder).expect("examples") {
        let name = entry
            .expect("an entry")
            .file_name()
            .to_string_lossy()
            .into_owned();
        let workspace = Workspace::example(&format!("resources/{name}"));
        workspace.write(
            "provider.tf",
            "provider \"invenioils\" {\n  simulator = {}\n}\n",
        );
        there_and_back(&workspace);
        let import = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("examples/resources")
            .join(&name)
            .join("import.sh");
        let import = fs::read_to_string(import).expect("each resource says how it is imported");
        assert!(
            import.contains(&format!("terraform import {name}.")),
            "{import}"
        );
        applied += 1;
    }
    assert_eq!(applied, 5);
}

#[test]
fn the_provider_example_is_valid() {
    if missing() {
        return;
    }
    Workspace::example("provider").run(&["validate"]).ok();
}

/// What can be said of the examples for a cloud without one: they are valid, without credentials and without a call.
#[test]
fn the_cloud_examples_are_valid_without_a_cloud() {
    if missing() {
        return;
    }
    for name in ["openstack", "existing-network", "large"] {
        let done = Workspace::example(name).run(&["validate"]).ok();
        assert!(done.stdout.contains("Success"), "{name}: {done}");
    }
}
