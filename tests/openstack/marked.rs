//! Objects that somebody else gave our mark: nobody takes, changes or removes them, and where it matters which is which, people
//! are asked.

use super::{Project, project::text, shared, workspace};
use crate::terraform::{tally::Tally, workspace::until};
use serde_json::{Value, json};

const CONFIGURATION: &str = r#"provider "invenioils" {
  openstack = {}
}

resource "invenioils_environment" "this" {
  name    = "library"
  network = { external_network = "public" }
}

resource "invenioils_service" "database" {
  environment_id      = invenioils_environment.this.id
  kind                = "database"
  size                = "small"
  disk_gib            = 5
  deletion_protection = false
}
"#;

/// A volume like the one there, mark and all, as somebody makes who copies a disk by hand.
fn copy(project: &Project) -> String {
    let api = project.api();
    let ours = project.inventory().all("volume")[0].clone();
    let copy =
        json!({ "volume": { "name": "a copy by hand", "size": 1, "metadata": ours["metadata"] } });
    let id = text(&api.post("volumev3", "/volumes", &copy)["volume"]["id"]);
    until(600, "a volume", || {
        let now = api.get("volumev3", &format!("/volumes/{id}"));
        now["volume"]["status"] == "available"
    });
    id
}

#[test]
fn what_somebody_gave_our_mark_is_left_alone() {
    let Some(_turn) = shared() else { return };
    let project = Project::new();
    let before = project.inventory();
    let mut workspace = workspace(&project, CONFIGURATION);
    workspace.apply();
    let copy = copy(&project);
    let made = project.inventory();

    // As long as the state is there, the copy is nobody's business.
    workspace.settled();
    project.is_as(&made);

    // Without it, the disks cannot be told apart, and one of them holds the data.
    let state = workspace.read("terraform.tfstate");
    assert!(state.contains("invenioils_service"));
    workspace.write("terraform.tfstate", "");
    workspace.set("INVENIOILS_ADOPT", "library");
    let said = workspace.run(&["apply", "-auto-approve"]).refused();
    assert!(said.contains(&copy), "which: {said}");
    assert!(said.contains("take the mark away"), "what to do: {said}");
    project.is_as(&made);

    // What it says helps.
    let api = project.api();
    let path = format!("/volumes/{copy}/metadata");
    api.put("volumev3", &path, &json!({ "metadata": {} }));
    workspace.apply();
    workspace.set("INVENIOILS_ADOPT", "");
    workspace.settled();
    assert_eq!(project.inventory().shape(), made.shape());

    workspace.destroy();
    let still: Vec<Value> = project.inventory().all("volume").to_vec();
    assert_eq!(still.len(), 1, "only the copy: {still:?}");
    assert_eq!(still[0]["id"], copy.as_str());
    api.delete("volumev3", &format!("/volumes/{copy}"));
    project.is_as(&before);
    Tally::refused(
        "a disk that somebody gave our mark, and a lost state",
        "OpenStack",
        1,
    )
    .tell();
}

/// Asks for another balancer as the provider did for ours, but for these words; waits until it stands.
fn asked_again(project: &Project, other: &Value) -> String {
    let api = project.api();
    let ours = project.inventory().all("load_balancer")[0].clone();
    let mut body = json!({});
    for field in ["name", "description", "vip_subnet_id", "tags"] {
        body[field] = other.get(field).unwrap_or(&ours[field]).clone();
    }
    let made = api.post(
        "load-balancer",
        "/lbaas/loadbalancers",
        &json!({ "loadbalancer": body }),
    );
    let id = text(&made["loadbalancer"]["id"]);
    until(600, "another load balancer", || {
        let now = api.get("load-balancer", &format!("/lbaas/loadbalancers/{id}"));
        now["loadbalancer"]["provisioning_status"] == "ACTIVE"
    });
    id
}

#[test]
fn a_balancer_that_a_killed_run_asked_for_too_goes() {
    let Some(_turn) = shared() else { return };
    let project = Project::new();
    let before = project.inventory();
    let (environment, _) = CONFIGURATION
        .split_once("resource \"invenioils_service\"")
        .expect("an environment");
    let mut workspace = workspace(&project, environment);
    workspace.apply();
    let made = project.inventory();
    let ours = [made.all("load_balancer")[0]["id"].clone()];
    let balancers = || {
        let list = project.inventory().all("load_balancer").to_vec();
        let ids = list.iter().map(|it| it["id"].clone());
        ids.collect::<Vec<_>>()
    };

    // The request of the run before came late: the plan tells of it, and the next apply removes it.
    asked_again(&project, &json!({}));
    let plan = workspace.run(&["plan", "-detailed-exitcode"]);
    assert_eq!(plan.code, 2, "{plan}");
    workspace.apply();
    assert_eq!(balancers(), ours);
    workspace.settled();

    // Also where nobody knows any more which of them was answered: the older one is as good.
    asked_again(&project, &json!({}));
    workspace.write("terraform.tfstate", "");
    workspace.set("INVENIOILS_ADOPT", "library");
    workspace.apply();
    assert_eq!(balancers(), ours);

    // Not one that somebody made otherwise: it is theirs as long as ours is known, and if not, people are asked.
    let theirs = asked_again(&project, &json!({ "name": "by hand" }));
    workspace.settled();
    workspace.write("terraform.tfstate", "");
    let said = workspace.run(&["apply", "-auto-approve"]).refused();
    assert!(
        said.contains(&theirs) && said.contains("take the mark away"),
        "{said}"
    );
    assert_eq!(balancers().len(), 2);
    let api = project.api();
    api.delete(
        "load-balancer",
        &format!("/lbaas/loadbalancers/{theirs}?cascade=true"),
    );
    until(600, "theirs gone", || balancers().len() == 1);
    workspace.apply();
    workspace.set("INVENIOILS_ADOPT", "");

    asked_again(&project, &json!({}));
    workspace.destroy();
    project.is_as(&before);
}
