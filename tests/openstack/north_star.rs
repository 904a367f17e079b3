//! The installation that the README shows: applied, judged object by object, and taken away without a trace.

use super::{
    Project, calls::Counter, cloud, firewall, inventory::Inventory, north_star, project::text,
};
use crate::terraform::Workspace;
use serde_json::Value;

/// What a stock provider needs for as many objects is 462 to 470, 145 and 381 to 408.
const APPLY: usize = 200;
const EMPTY_PLAN: usize = 25;
const DESTROY: usize = 130;

#[test]
fn the_north_star_comes_up_as_described_cheaply_and_goes_without_a_trace() {
    let Some(_turn) = cloud() else { return };
    let project = Project::new();
    let before = project.inventory();
    let workspace = north_star(&project);

    let counter = Counter::start(&project.name);
    let applied = workspace.apply();
    let (apply, calls, most) = (counter.by_service(), counter.made(), counter.most());
    assert!(calls > 20, "the counter counts: {apply:?}");

    let counter = Counter::start(&project.name);
    let plan = workspace.run(&["plan", "-detailed-exitcode"]);
    assert_eq!(plan.code, 0, "the second plan is empty:\n{plan}");
    let (empty, empty_most) = (counter.total(), counter.most());
    workspace.settled();

    let now = project.inventory();
    objects(&now, &workspace);
    firewall::lets_in_exactly(&now, "library");
    outputs(&workspace, &now);

    let counter = Counter::start(&project.name);
    let destroyed = workspace.destroy();
    let (destroy, destroy_most) = (counter.made(), counter.most());
    project.is_as(&before);

    crate::terraform::workspace::loud(&format!(
        "north star: apply {calls} calls and the looks of a longer wait in {:.1?} ({apply:?}), empty plan {empty} in {:.1?}, destroy {destroy} in {:.1?}",
        applied.took, plan.took, destroyed.took
    ));
    assert!(
        calls <= APPLY,
        "apply made {calls} calls:\n{}",
        most.join("\n")
    );
    assert!(
        empty <= EMPTY_PLAN,
        "the empty plan made {empty} calls:\n{}",
        empty_most.join("\n")
    );
    assert!(
        destroy <= DESTROY,
        "destroy made {destroy} calls:\n{}",
        destroy_most.join("\n")
    );
}

/// Every object of the table in the design, with the fields that matter.
fn objects(now: &Inventory, workspace: &Workspace) {
    let network = now.named("network", "library");
    let subnet = now.named("subnet", "library");
    assert_eq!(subnet["network_id"], network["id"]);
    assert_eq!(subnet["cidr"], "10.20.0.0/24");
    let router = now.named("router", "library");
    assert!(
        router["external_gateway_info"]["network_id"].is_string(),
        "{router}"
    );
    let legs = now
        .all("port")
        .iter()
        .filter(|it| it["device_id"] == router["id"] && it["network_id"] == network["id"]);
    assert_eq!(legs.count(), 1, "the router has a leg in the network");

    // Machines: a database, search, cache and queue each; storage is an object store; two web nodes and a worker.
    let servers = now.names("server");
    assert_eq!(servers.len(), 7, "{servers:?}");
    for server in now.all("server") {
        assert_eq!(server["status"], "ACTIVE", "{server}");
        let ports: Vec<_> = now
            .all("port")
            .iter()
            .filter(|it| it["device_id"] == server["id"])
            .collect();
        let [port] = ports.as_slice() else {
            panic!("one port for {server}: {ports:?}")
        };
        assert_eq!(port["network_id"], network["id"]);
        assert_eq!(
            port["security_groups"].as_array().map(Vec::len),
            Some(1),
            "one group, that of its role: {port}"
        );
        assert_eq!(server["metadata"]["managed-by"], "terraform", "{server}");
    }
    assert_eq!(
        now.all("volume").len(),
        4,
        "what keeps data lies on its own volume: {:?}",
        now.names("volume")
    );
    for volume in now.all("volume") {
        assert_eq!(volume["status"], "in-use", "{volume}");
        assert_eq!(
            volume["attachments"].as_array().map(Vec::len),
            Some(1),
            "{volume}"
        );
    }

    // One front door, with the address of the environment.
    let [balancer] = now.all("load_balancer") else {
        panic!("one load balancer: {:?}", now.names("load_balancer"))
    };
    assert_eq!(balancer["provisioning_status"], "ACTIVE");
    assert_eq!(balancer["vip_subnet_id"], subnet["id"]);
    let [address] = now.all("floating_ip") else {
        panic!("one floating IP: {:?}", now.all("floating_ip"))
    };
    assert_eq!(address["port_id"], balancer["vip_port_id"]);
    let mut listeners: Vec<_> = now
        .all("listener")
        .iter()
        .map(|it| {
            (
                text(&it["protocol"]),
                it["protocol_port"].as_u64().unwrap_or_default(),
            )
        })
        .collect();
    listeners.sort();
    assert_eq!(
        listeners,
        [
            ("HTTP".to_owned(), 80),
            ("TERMINATED_HTTPS".to_owned(), 443)
        ]
    );
    assert!(
        now.all("policy")
            .iter()
            .any(|it| text(&it["action"]).starts_with("REDIRECT")),
        "HTTP is sent to HTTPS"
    );
    let [pool] = now.all("pool") else {
        panic!("one pool: {:?}", now.names("pool"))
    };
    assert_eq!(
        pool["members"].as_array().map(Vec::len),
        Some(2),
        "both web nodes: {pool}"
    );
    assert_eq!(now.all("monitor").len(), 1);

    // Secrets lie in Barbican; a machine may sign in to fetch its own and nothing else.
    assert!(!now.all("secret").is_empty());
    assert!(!now.all("application_credential").is_empty());
    for credential in now.all("application_credential") {
        assert_eq!(credential["unrestricted"], false, "{credential}");
        assert!(
            credential["access_rules"]
                .as_array()
                .is_some_and(|rules| !rules.is_empty()),
            "limited by rules: {credential}"
        );
    }
    for server in now.all("server") {
        let data = text(&server["OS-EXT-SRV-ATTR:user_data"]);
        assert!(data.len() <= 65_535, "user data fits");
    }
    assert!(
        !now.all("container").is_empty(),
        "files and backups have a bucket: {:?}",
        now.names("container")
    );
    assert_eq!(workspace.addresses().len(), 9);
}

fn outputs(workspace: &Workspace, now: &Inventory) {
    let outputs = workspace.json(&["output", "-json"]);
    let value = |name: &str| outputs[name]["value"].clone();
    assert_eq!(value("url"), "https://library.example.org");
    assert_eq!(value("secret_store"), "barbican");
    assert_eq!(
        value("public_address"),
        now.all("floating_ip")[0]["floating_ip_address"]
    );
    assert_eq!(
        value("endpoints").as_object().map(serde_json::Map::len),
        Some(5)
    );
    let fixed: Vec<Value> = now
        .all("port")
        .iter()
        .map(|it| it["fixed_ips"][0]["ip_address"].clone())
        .collect();
    assert!(
        fixed.contains(&value("endpoints")["database"]["host"]),
        "{outputs}"
    );
    assert!(
        now.names("container")
            .contains(&text(&value("backup_bucket"))),
        "{outputs}"
    );
}
