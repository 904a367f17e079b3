//! The other examples, on the same cloud.

use super::{Project, example, project::text, shared};
use serde_json::json;

#[test]
fn a_network_that_exists_is_used_and_left_as_it_was() {
    let Some(_turn) = shared() else { return };
    let project = Project::new();
    let api = project.api();
    let network = api.post(
        "network",
        "/networks",
        &json!({ "network": { "name": "campus" } }),
    )["network"]
        .clone();
    let subnet = json!({ "subnet": { "name": "campus", "network_id": network["id"], "ip_version": 4, "cidr": "172.20.0.0/22" } });
    let subnet = api.post("network", "/subnets", &subnet)["subnet"].clone();
    let public = api.list("network", "/networks?name=public", "networks")[0]["id"].clone();
    let router = json!({ "router": { "name": "campus", "external_gateway_info": { "network_id": public } } });
    let router = api.post("network", "/routers", &router)["router"].clone();
    let leg = json!({ "subnet_id": subnet["id"] });
    api.put(
        "network",
        &format!("/routers/{}/add_router_interface", text(&router["id"])),
        &leg,
    );
    let before = project.inventory();

    let mut workspace = example(&project, "existing-network");
    workspace.set("TF_VAR_network_id", &text(&network["id"]));
    workspace.set("TF_VAR_subnet_id", &text(&subnet["id"]));
    workspace.apply();
    workspace.settled();
    let now = project.inventory();
    assert_eq!(now.names("network"), ["campus"], "no network of its own");
    assert_eq!(now.names("router"), ["campus"]);
    for server in now.all("server") {
        assert!(server["addresses"]["campus"].is_array(), "{server}");
    }
    assert_eq!(
        workspace.json(&["output", "-json"])["network_id"]["value"],
        network["id"]
    );
    workspace.destroy();
    project.is_as(&before);

    api.put(
        "network",
        &format!("/routers/{}/remove_router_interface", text(&router["id"])),
        &leg,
    );
    api.delete("network", &format!("/routers/{}", text(&router["id"])));
    api.delete("network", &format!("/networks/{}", text(&network["id"])));
}

#[test]
fn a_large_library_has_several_of_everything() {
    let Some(_turn) = shared() else { return };
    let project = Project::new();
    let before = project.inventory();
    let workspace = example(&project, "large");
    workspace.apply();
    workspace.settled();
    let now = project.inventory();
    let count = |role: &str| {
        now.all("server")
            .iter()
            .filter(|it| text(&it["name"]).starts_with(&format!("main-{role}")))
            .count()
    };
    assert_eq!(
        (
            count("database"),
            count("search"),
            count("cache"),
            count("queue")
        ),
        (2, 3, 3, 3),
        "{:?}",
        now.names("server")
    );
    let nodes = workspace.json(&["output", "-json"])["nodes"]["value"].clone();
    assert_eq!(
        nodes["instance"].as_array().map(Vec::len),
        Some(5),
        "{nodes}"
    );
    assert_eq!(
        now.all("pool")[0]["members"].as_array().map(Vec::len),
        Some(3)
    );
    workspace.destroy();
    project.is_as(&before);
}
