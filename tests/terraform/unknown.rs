//! Unknown values anywhere never fail a plan, and validating needs neither a cloud nor credentials.

use super::{Workspace, library::simulated, missing};

/// `terraform_data` gives a value that is known only after the apply.
const LATER: &str = r#"
resource "terraform_data" "later" {
  input = {
    name     = "library"
    hostname = "library.example.org"
    cidr     = "10.30.0.0/24"
    nodes    = 1
    schedule = "0 3 * * *"
    daily    = 7
    tag      = "x"
    path     = ".invenioils/simulator.sqlite"
    kinds    = "database"
  }
}
locals {
  later = terraform_data.later.output
}
"#;

#[test]
fn unknown_values_in_attributes_do_not_fail_a_plan() {
    if missing() {
        return;
    }
    let configuration = simulated()
        .replace("name = \"library\"", "name = local.later.name\n  network = { cidr = local.later.cidr }\n  tags = { a = local.later.tag }")
        .replace("\"library.example.org\"", "local.later.hostname")
        .replace("\"0 3 * * *\"", "local.later.schedule")
        .replace("daily = 7", "daily = local.later.daily")
        .replace("certificate_id      = ", "web = { nodes = local.later.nodes }\n  certificate_id      = ");
    let workspace = Workspace::new(&format!("{configuration}{LATER}"));
    workspace.run(&["validate"]).ok();
    workspace.run(&["plan"]).ok();
    workspace.apply();
    workspace.settled();
    assert_eq!(
        workspace.attributes("invenioils_instance.this")["hostname"],
        "library.example.org"
    );
    workspace.destroy();
}

#[test]
fn an_unknown_provider_block_does_not_fail_a_plan() {
    if missing() {
        return;
    }
    let configuration = simulated().replace("\".invenioils/simulator.sqlite\"", "local.later.path");
    let workspace = Workspace::new(&format!("{configuration}{LATER}"));
    workspace.run(&["plan"]).ok();
    workspace.apply();
    workspace.settled();
    workspace.destroy();
}

#[test]
fn validating_needs_neither_a_cloud_nor_credentials() {
    if missing() {
        return;
    }
    for platform in [
        "openstack = { auth_url = \"http://127.0.0.1:9/v3\", cloud = \"no-such-cloud\" }",
        "openstack = {}",
        "simulator = { path = \"/no/such/folder/simulator.sqlite\" }",
    ] {
        let configuration = simulated().replace(
            "simulator = { path = \".invenioils/simulator.sqlite\" }",
            platform,
        );
        let done = Workspace::new(&configuration).run(&["validate"]).ok();
        assert!(done.stdout.contains("Success"), "{done}");
    }
}
