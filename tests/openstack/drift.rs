//! What was changed or deleted behind our back is noticed by the next plan and mended by the next apply.

use super::{Project, calls::Counter, north_star, project::text, shared, tamper};
use crate::terraform::workspace::until;
use serde_json::json;

#[test]
fn what_changed_behind_our_back_is_noticed_and_mended() {
    let Some(_turn) = shared() else { return };
    let project = Project::new();
    let before = project.inventory();
    let workspace = north_star(&project);
    workspace.apply();
    workspace.settled();
    tamper::every_field_changed_is_told_and_brought_back(&project, &workspace);
    let shape = project.inventory().shape();
    let api = project.api();

    let web = |now: &super::inventory::Inventory| {
        let found = now
            .all("server")
            .iter()
            .find(|it| text(&it["name"]).contains("-web-"))
            .expect("a web node")
            .clone();
        text(&found["id"])
    };

    // A rule that opens the database to the world, and one that is gone.
    let now = project.inventory();
    let database = text(&now.named("security_group", "library-database")["id"]);
    let open = json!({ "security_group_rule": { "security_group_id": database, "direction": "ingress", "protocol": "tcp",
        "port_range_min": 5432, "port_range_max": 5432, "remote_ip_prefix": "0.0.0.0/0", "ethertype": "IPv4" } });
    api.post("network", "/security-group-rules", &open);
    mended(&workspace, &["invenioils_environment.this"]);
    super::firewall::lets_in_exactly(&project.inventory(), "library");

    let search = project.inventory();
    let search = search.named("security_group", "library-search");
    let rule = search["security_group_rules"]
        .as_array()
        .expect("rules")
        .iter()
        .find(|it| it["direction"] == "ingress")
        .expect("a rule");
    api.delete(
        "network",
        &format!("/security-group-rules/{}", text(&rule["id"])),
    );
    mended(&workspace, &["invenioils_environment.this"]);
    super::firewall::lets_in_exactly(&project.inventory(), "library");

    // A web node that is gone; a member that somebody took out.
    api.delete(
        "compute",
        &format!("/servers/{}", web(&project.inventory())),
    );
    gone(&project, "server", 6);
    mended(&workspace, &["invenioils_instance.this"]);

    // A stopped machine is told of, too.
    let now = project.inventory();
    let pool = &now.all("pool")[0];
    let member = text(&pool["members"][0]["id"]);
    api.delete(
        "load-balancer",
        &format!("/lbaas/pools/{}/members/{member}", text(&pool["id"])),
    );
    mended(&workspace, &["invenioils_instance.this"]);

    // The public address, taken from the balancer.
    let now = project.inventory();
    let address = text(&now.all("floating_ip")[0]["id"]);
    api.put(
        "network",
        &format!("/floatingips/{address}"),
        &json!({ "floatingip": { "port_id": null } }),
    );
    mended(&workspace, &["invenioils_environment.this"]);
    assert_eq!(
        project.inventory().all("floating_ip")[0]["port_id"],
        project.inventory().all("load_balancer")[0]["vip_port_id"]
    );

    // Metadata that somebody wrote over.
    let server = web(&project.inventory());
    api.post(
        "compute",
        &format!("/servers/{server}/metadata"),
        &json!({ "metadata": { "managed-by": "hand" } }),
    );
    mended(&workspace, &["invenioils_instance.this"]);

    assert_eq!(project.inventory().shape(), shape, "as it was at first");
    let counter = Counter::start(&project.name);
    workspace.destroy();
    assert!(counter.total() > 0);
    project.is_as(&before);
}

/// The next plan shows these and no other resource, updated in place; the next apply mends them for good.
#[track_caller]
fn mended(workspace: &crate::terraform::Workspace, addresses: &[&str]) {
    let (changes, drift) = workspace.planned();
    let wanted: Vec<_> = addresses
        .iter()
        .map(|it| ((*it).to_owned(), vec!["update".to_owned()]))
        .collect();
    assert_eq!(changes, wanted, "drift: {drift:?}");
    workspace.apply();
    workspace.settled();
}

fn gone(project: &Project, kind: &str, left: usize) {
    until(600, &format!("the end of the {kind}"), || {
        project.inventory().all(kind).len() == left
    });
}
