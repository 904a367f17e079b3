//! Changes in place, one after another, each followed by an empty plan; and what must be a replacement, or refused.

use super::{Workspace, library::simulated, missing};

/// Applies, and says what was changed and replaced.
fn change(workspace: &Workspace) -> Vec<(String, Vec<String>)> {
    let (changes, _) = workspace.planned();
    workspace.apply();
    workspace.settled();
    changes
}

fn only(changes: &[(String, Vec<String>)], address: &str, actions: &[&str]) {
    let wanted: Vec<String> = actions.iter().map(|it| (*it).to_owned()).collect();
    let found = changes.iter().find(|(it, _)| it == address);
    assert_eq!(
        found.map(|(_, actions)| actions),
        Some(&wanted),
        "{changes:?}"
    );
    assert_eq!(changes.len(), 1, "nothing else changes: {changes:?}");
}

#[test]
fn what_can_change_in_place_does() {
    if missing() {
        return;
    }
    let workspace = Workspace::new(&simulated());
    workspace.apply();
    workspace.settled();
    let address = workspace.attributes("invenioils_environment.this")["public_address"].clone();

    let instance = "invenioils_instance.this";
    workspace.edit(
        "certificate_id      = ",
        "web = { nodes = 3 }\n  certificate_id      = ",
    );
    only(&change(&workspace), instance, &["update"]);
    assert_eq!(web_nodes(&workspace), 3);
    workspace.edit(
        "web = { nodes = 3 }",
        "web = { nodes = 1, size = \"medium\" }",
    );
    only(&change(&workspace), instance, &["update"]);
    assert_eq!(web_nodes(&workspace), 1);
    workspace.edit(
        "web = {",
        "config = { INVENIO_ILS_CIRCULATION_LOAN_WILL_EXPIRE_DAYS = \"7\" }\n  web = {",
    );
    only(&change(&workspace), instance, &["update"]);
    workspace.edit("web = {", "tags = { shelf = \"b\" }\n  web = {");
    only(&change(&workspace), instance, &["update"]);

    workspace.edit(
        "name = \"library\"",
        "name = \"library\"\n  tags = { floor = \"2\" }",
    );
    only(
        &change(&workspace),
        "invenioils_environment.this",
        &["update"],
    );
    workspace.edit(
        "name = \"library\"",
        "name = \"library\"\n  access = { allowed_cidrs = [\"192.0.2.0/24\"] }",
    );
    only(
        &change(&workspace),
        "invenioils_environment.this",
        &["update"],
    );

    workspace.edit("0 3 * * *", "30 4 * * *");
    only(
        &change(&workspace),
        "invenioils_backup_policy.this",
        &["update"],
    );
    workspace.edit("{ daily = 7 }", "{ daily = 3, monthly = 2 }");
    only(
        &change(&workspace),
        "invenioils_backup_policy.this",
        &["update"],
    );

    assert_eq!(
        workspace.attributes("invenioils_environment.this")["public_address"],
        address
    );
    workspace.destroy();
}

fn web_nodes(workspace: &Workspace) -> usize {
    let nodes = workspace.attributes("invenioils_instance.this")["node_status"].clone();
    nodes
        .as_array()
        .expect("nodes")
        .iter()
        .filter(|node| node["role"] == "web")
        .count()
}

const DATABASE: &str = r#"
provider "invenioils" {
  simulator = {}
}
resource "invenioils_environment" "this" {
  name = "library"
}
resource "invenioils_service" "database" {
  environment_id      = invenioils_environment.this.id
  kind                = "database"
  nodes               = 1
  size                = "small"
  disk_gib            = 20
  deletion_protection = false
}
"#;

#[test]
fn a_service_grows_in_place() {
    if missing() {
        return;
    }
    let workspace = Workspace::new(DATABASE);
    workspace.apply();
    workspace.settled();
    let service = "invenioils_service.database";
    for (from, to) in [
        ("disk_gib            = 20", "disk_gib            = 30"),
        (
            "size                = \"small\"",
            "size                = \"medium\"",
        ),
        ("nodes               = 1", "nodes               = 2"),
        (
            "nodes               = 2",
            "nodes               = 2\n  settings = { max_connections = \"200\" }",
        ),
        (
            "nodes               = 2",
            "nodes               = 2\n  tags = { a = \"b\" }",
        ),
    ] {
        workspace.edit(from, to);
        only(&change(&workspace), service, &["update"]);
    }
    let made = workspace.attributes(service);
    assert_eq!(made["node_status"].as_array().expect("nodes").len(), 2);
    assert_eq!(made["disk_gib"], 30);

    workspace.edit("disk_gib            = 30", "disk_gib            = 10");
    let said = workspace.run(&["plan"]).refused();
    assert!(said.contains("disk_gib"), "{said}");
    workspace.edit("disk_gib            = 10", "disk_gib            = 30");
    workspace.settled();
}

#[test]
fn who_uses_a_service_is_told_of_its_new_nodes_by_the_same_apply() {
    if missing() {
        return;
    }
    let workspace = Workspace::new(&simulated());
    workspace.apply();
    let database = "invenioils_service.this[\"database\"]";
    let machine = |of: &str| workspace.attributes(of)["node_status"][0]["platform_id"].clone();
    let first = machine(database);
    workspace.edit(
        "  kind                = each.key\n",
        "  kind                = each.key\n  nodes               = each.key == \"database\" ? 3 : 1\n",
    );
    let mut changed: Vec<_> = change(&workspace).into_iter().map(|it| it.0).collect();
    changed.sort();
    assert_eq!(changed, ["invenioils_instance.this", database]);
    assert_eq!(machine(database), first, "it is told, not replaced");
    workspace.destroy();
}

#[test]
fn a_new_name_replaces_and_the_certificate_follows_its_names() {
    if missing() {
        return;
    }
    let workspace = Workspace::new(&simulated());
    workspace.apply();
    let database =
        workspace.attributes("invenioils_service.this[\"database\"]")["node_status"].clone();
    let address = workspace.attributes("invenioils_environment.this")["public_address"].clone();

    // Another host name: a new certificate, and the instance goes on with it.
    workspace.edit("library.example.org", "books.example.org");
    workspace.apply();
    workspace.settled();
    let outputs = workspace.attributes("invenioils_instance.this");
    assert_eq!(outputs["url"], "https://books.example.org");

    // Replacing the instance touches neither its services nor the address.
    workspace
        .run(&[
            "apply",
            "-auto-approve",
            "-replace=invenioils_instance.this",
        ])
        .ok();
    workspace.settled();
    assert_eq!(
        workspace.attributes("invenioils_service.this[\"database\"]")["node_status"],
        database
    );
    assert_eq!(
        workspace.attributes("invenioils_environment.this")["public_address"],
        address
    );

    workspace.edit(
        "hostname            = \"books.example.org\"",
        "hostname            = \"books.example.org\"\n  name = \"other\"",
    );
    only(
        &change(&workspace),
        "invenioils_instance.this",
        &["delete", "create"],
    );
    workspace.destroy();
}

#[test]
fn what_is_protected_is_not_destroyed() {
    if missing() {
        return;
    }
    let workspace = Workspace::new(&DATABASE.replace("  deletion_protection = false\n", ""));
    workspace.apply();
    let before = workspace.addresses();
    let said = workspace.run(&["destroy", "-auto-approve"]).refused();
    assert!(said.contains("deletion_protection"), "{said}");
    assert_eq!(workspace.addresses(), before, "nothing was destroyed");
    workspace.settled();
    workspace.edit(
        "disk_gib            = 20",
        "disk_gib            = 20\n  deletion_protection = false",
    );
    workspace.apply();
    workspace.destroy();
}
