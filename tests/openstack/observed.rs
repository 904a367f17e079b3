//! What can be learnt of a library that stands: all of it by an import, and by a refresh what is more than objects, as the
//! newest backup in the bucket is. What cannot be had fails nothing.

use super::{Project, calls::Order, imports, project::text, shared, workspace};
use crate::terraform::{Workspace, library::SMALL};
use serde_json::{Value, json};

const PROVIDER: &str = "provider \"invenioils\" {\n  openstack = {}\n}\n";

#[test]
fn a_library_is_imported_its_newest_backup_is_shown_and_a_silent_console_fails_nothing() {
    let Some(_turn) = shared() else { return };
    let project = Project::new();
    let before = project.inventory();
    let configuration = SMALL
        .replace(
            "name = \"library\"",
            "name = \"library\"\n  network = { external_network = \"public\" }",
        )
        .replace(
            "[invenioils_service.this[\"database\"].id]",
            "[for kind in [\"database\", \"search\", \"cache\", \"storage\"] : invenioils_service.this[kind].id]",
        );
    let configuration = format!("{PROVIDER}{configuration}");
    let workspace = workspace(&project, &configuration);
    workspace.apply();
    workspace.settled();

    imports::every_resource_is_imported_by_its_id(&project, &workspace, &configuration);
    backups(&project, &workspace);
    consoles(&project, &workspace);
    crowd(&workspace);
    workspace.destroy();
    project.is_as(&before);
}

/// Policies that come, change and go at the same time all tell the same machines, and none undoes what another told.
fn crowd(workspace: &Workspace) {
    let policies = |kinds: &[&str], hour: u8| {
        let more = format!(
            r#"
resource "invenioils_backup_policy" "more" {{
  for_each        = toset(["one", "two", "three", "four", "five", "six"])
  environment_id  = invenioils_environment.this.id
  name            = each.key
  service_ids     = [for kind in {kinds:?} : invenioils_service.this[kind].id]
  schedule        = "0 {hour} * * *"
  retention       = {{ last = 3 }}
  keep_on_destroy = false
}}
"#
        );
        workspace.write("more.tf", &more);
    };
    for hour in [1, 2] {
        policies(&["database", "search"], hour);
        workspace.apply();
        workspace.settled();
    }
    policies(&["storage"], 2);
    let refused = workspace.run(&["plan", "-no-color"]);
    assert_eq!(refused.code, 1, "{refused}");
    assert!(
        refused.to_string().contains("Nobody would copy the files"),
        "an object store has no machine of its own: {refused}"
    );
    workspace.write("more.tf", "");
    workspace.apply();
    workspace.settled();
}

/// The backups of all services count, as far as their machines make any: neither a cache's nor an object store's do.
fn backups(project: &Project, workspace: &Workspace) {
    assert_eq!(latest(workspace), Value::Null, "there is none yet");
    let policy = workspace.attributes("invenioils_backup_policy.this");
    let bucket = text(&policy["bucket"]);
    let api = project.api();
    let put = |name: &str, size: usize| {
        let path = format!("/{bucket}/library/{name}");
        api.upload("object-store", &path, vec![b'x'; size]);
    };

    put("database/20261124T030000Z.dump", 10);
    put("database/20261124T030000Z.json", 2);
    assert_eq!(latest(workspace), Value::Null, "search has none");
    put("search/20261126T030001Z.ndjson.age", 30);
    put("search/20261126T030001Z.json", 2);
    let first = latest(workspace);
    assert_eq!(
        first["service_id"], "library/database",
        "it is further behind: {first}"
    );

    put("database/20261126T030000Z.dump", 20);
    put("database/20261126T030000Z.json", 2);
    // Never finished, and not at the top.
    put("database/20261127T030000Z.dump", 5);
    put("database/wal/20261128T030000Z.json", 5);
    put("database/base/20261128T030000Z.tar", 5);
    let newest = latest(workspace);
    assert_eq!(newest["id"], "20261126T030000Z", "{newest}");
    assert_eq!(newest["size_bytes"], 20, "{newest}");
    assert_eq!(newest["verified"], false, "{newest}");
    let listed = api.get(
        "object-store",
        &format!("/{bucket}?format=json&prefix=library/database/20261126T030000Z.dump"),
    );
    let written = text(&listed[0]["last_modified"]);
    assert_eq!(
        newest["finished_at"],
        format!("{}Z", &written[..19]),
        "{listed}"
    );

    put("database/20261126T030000Z.verified", 1);
    assert_eq!(latest(workspace)["verified"], true);
    // What the machines do by themselves is nothing to apply.
    workspace.settled();
}

fn latest(workspace: &Workspace) -> Value {
    workspace
        .run(&["apply", "-refresh-only", "-auto-approve"])
        .ok();
    workspace.attributes("invenioils_backup_policy.this")["latest"].clone()
}

/// Where consoles cannot be had, what was asked for is shown, and no plan waits for them.
fn consoles(project: &Project, workspace: &Workspace) {
    let action = "/servers/[^/]+/action$";
    for fault in [
        json!({ "status": 403 }),
        json!({ "status": 409 }),
        json!({ "status": 500 }),
        // Not all of them: Nova answers others meanwhile.
        json!({ "delay": 90, "times": 2 }),
    ] {
        let ours = &project.name;
        let mut rule =
            json!({ "agent": ours, "service": "nova-api", "method": "POST", "path": action });
        let fields = rule.as_object_mut().expect("an object");
        fields.extend(fault.as_object().expect("an object").clone());
        let faults = Order::faults(ours, &json!([rule]));
        let done = workspace.run(&["plan", "-detailed-exitcode"]);
        drop(faults);
        assert_eq!(done.code, 0, "with {fault}:\n{done}");
        assert!(done.took.as_secs() < 90, "with {fault}: {:?}", done.took);
    }
    let instance = workspace.attributes("invenioils_instance.this");
    assert_eq!(instance["installed_version"], instance["version"]);
    let nodes = instance["node_status"].as_array().expect("nodes");
    assert!(
        nodes.len() == 3 && nodes.iter().all(|it| it["state"] == "ready"),
        "{nodes:?}"
    );
}
