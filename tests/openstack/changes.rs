//! One installation lives through every change, each followed by an empty plan.

use super::{Project, project::text, shared, workspace};
use crate::terraform::{
    Workspace,
    library::{SMALL, THINGS},
};
use serde_json::Value;

const PROVIDER: &str = "provider \"invenioils\" {\n  openstack = {}\n}\n";

/// The small library, with what is changed written out.
fn configuration() -> String {
    let spelled = SMALL
        .replace("name = \"library\"", "name = \"library\"\n  network = { external_network = \"public\" }")
        .replace("toset([\"database\", \"search\"", "toset([\"search\"")
        .replace("{ for kind, service in invenioils_service.this : kind => service.id }", "merge({ for kind, service in invenioils_service.this : kind => service.id }, { database = invenioils_service.database.id })")
        .replace("invenioils_service.this[\"database\"]", "invenioils_service.database")
        .replace("certificate_id      = ", "web                 = { nodes = 2, size = \"small\" }\n  certificate_id      = ");
    let database = r#"
resource "invenioils_service" "database" {
  environment_id      = invenioils_environment.this.id
  kind                = "database"
  nodes               = 1
  size                = "small"
  disk_gib            = 20
  deletion_protection = false
}
"#;
    format!("{PROVIDER}{spelled}{database}")
}

fn server_ids(project: &Project, role: &str) -> Vec<String> {
    let now = project.inventory();
    let mut ids: Vec<_> = now
        .all("server")
        .iter()
        .filter(|it| text(&it["name"]).contains(&format!("-{role}")))
        .map(|it| text(&it["id"]))
        .collect();
    ids.sort();
    ids
}

fn settle(workspace: &Workspace) {
    workspace.apply();
    workspace.settled();
}

#[test]
fn every_change_is_made_in_place_and_followed_by_an_empty_plan() {
    let Some(_turn) = shared() else { return };
    let project = Project::new();
    let before = project.inventory();
    let workspace = workspace(&project, &configuration());
    settle(&workspace);
    let address = workspace.attributes("invenioils_environment.this")["public_address"].clone();
    let pool = |members: usize| {
        let now = project.inventory();
        assert_eq!(
            now.all("pool")[0]["members"].as_array().map(Vec::len),
            Some(members)
        );
        assert_eq!(
            now.all("server")
                .iter()
                .filter(|it| text(&it["name"]).contains("-web-"))
                .count(),
            members
        );
    };

    // Web nodes, out and in again.
    pool(2);
    workspace.edit("nodes = 2, size", "nodes = 3, size");
    settle(&workspace);
    pool(3);
    workspace.edit("nodes = 3, size", "nodes = 1, size");
    settle(&workspace);
    pool(1);

    // The database: a larger disk and machine, settings, and a second node. Its volume stays the same one.
    let volume = |gib: u64| {
        let now = project.inventory();
        let found: Vec<_> = now
            .all("volume")
            .iter()
            .filter(|it| text(&it["name"]).contains("database"))
            .cloned()
            .collect();
        assert!(found.iter().all(|it| it["size"] == gib), "{found:?}");
        text(&found[0]["id"])
    };
    let first = volume(20);
    workspace.edit("disk_gib            = 20", "disk_gib            = 30");
    settle(&workspace);
    assert_eq!(volume(30), first, "grown, not made anew");
    workspace.edit("disk_gib            = 30", "disk_gib            = 30\n  settings = { max_connections = \"200\" }\n  tags = { shelf = \"b\" }");
    settle(&workspace);
    workspace.edit(
        "size                = \"small\"",
        "size                = \"medium\"",
    );
    settle(&workspace);
    assert_eq!(volume(30), first, "a larger machine, the same data");
    workspace.edit("nodes               = 1", "nodes               = 2");
    settle(&workspace);
    assert_eq!(server_ids(&project, "database").len(), 2);

    // The backup's schedule and retention; nothing is replaced by that.
    let machines: Vec<Value> = project
        .inventory()
        .all("server")
        .iter()
        .map(|it| it["id"].clone())
        .collect();
    workspace.edit("0 3 * * *", "30 4 * * *");
    workspace.edit("{ daily = 7 }", "{ daily = 3, monthly = 2 }");
    settle(&workspace);
    let after: Vec<Value> = project
        .inventory()
        .all("server")
        .iter()
        .map(|it| it["id"].clone())
        .collect();
    assert_eq!(after, machines);

    // Another host name brings another certificate; the one before stays until the balancer no longer needs it.
    workspace.edit("library.example.org", "books.example.org");
    settle(&workspace);
    assert_eq!(
        workspace.attributes("invenioils_instance.this")["url"],
        "https://books.example.org"
    );

    // Replacing the instance keeps the address and the services.
    let services = server_ids(&project, "database");
    workspace
        .run(&[
            "apply",
            "-auto-approve",
            "-replace=invenioils_instance.this",
        ])
        .ok();
    workspace.settled();
    assert_eq!(
        workspace.attributes("invenioils_environment.this")["public_address"],
        address
    );
    assert_eq!(server_ids(&project, "database"), services);
    workspace.edit(
        "hostname            = ",
        "name                = \"other\"\n  hostname            = ",
    );
    settle(&workspace);
    assert_eq!(
        workspace.attributes("invenioils_instance.this")["id"],
        "library/other"
    );
    assert_eq!(server_ids(&project, "database"), services);

    assert_eq!(workspace.addresses().len(), THINGS.len());
    workspace.destroy();
    project.is_as(&before);
}
