//! What is in a project, kind by kind, as the services themselves tell it.

use super::{api::Api, project::text};
use serde_json::Value;
use std::collections::BTreeMap;

/// Kind of object, service, path, key of the list in the answer.
const LISTS: [(&str, &str, &str, &str); 19] = [
    (
        "network",
        "network",
        "/networks?project_id=PROJECT",
        "networks",
    ),
    (
        "subnet",
        "network",
        "/subnets?project_id=PROJECT",
        "subnets",
    ),
    (
        "router",
        "network",
        "/routers?project_id=PROJECT",
        "routers",
    ),
    ("port", "network", "/ports?project_id=PROJECT", "ports"),
    (
        "security_group",
        "network",
        "/security-groups?project_id=PROJECT",
        "security_groups",
    ),
    (
        "floating_ip",
        "network",
        "/floatingips?project_id=PROJECT",
        "floatingips",
    ),
    ("server", "compute", "/servers/detail", "servers"),
    (
        "server_group",
        "compute",
        "/os-server-groups",
        "server_groups",
    ),
    ("key_pair", "compute", "/os-keypairs", "keypairs"),
    ("volume", "volumev3", "/volumes/detail", "volumes"),
    ("snapshot", "volumev3", "/snapshots", "snapshots"),
    (
        "load_balancer",
        "load-balancer",
        "/lbaas/loadbalancers",
        "loadbalancers",
    ),
    ("listener", "load-balancer", "/lbaas/listeners", "listeners"),
    ("pool", "load-balancer", "/lbaas/pools", "pools"),
    (
        "monitor",
        "load-balancer",
        "/lbaas/healthmonitors",
        "healthmonitors",
    ),
    ("policy", "load-balancer", "/lbaas/l7policies", "l7policies"),
    ("zone", "dns", "/zones", "zones"),
    ("secret", "key-manager", "/secrets?limit=1000", "secrets"),
    (
        "secret_container",
        "key-manager",
        "/containers?limit=1000",
        "containers",
    ),
];

pub struct Inventory(BTreeMap<&'static str, Vec<Value>>);

impl Inventory {
    pub fn take(api: &Api, project: &str, user: &str) -> Self {
        let mut found = BTreeMap::new();
        for (kind, service, path, key) in LISTS {
            let mut list = api.list(service, &path.replace("PROJECT", project), key);
            if kind == "port" {
                // Octavia's own and Neutron's own come and go with what they serve.
                let theirs = |port: &Value| {
                    text(&port["name"]).starts_with("octavia-lb-vrrp")
                        || text(&port["device_owner"]).starts_with("network:dhcp")
                };
                list.retain(|port| !theirs(port));
            }
            if kind == "security_group" {
                list.retain(|group| !text(&group["name"]).starts_with("lb-"));
            }
            found.insert(kind, list);
        }
        let recordsets = found["zone"].iter().flat_map(|zone| {
            let path = format!("/zones/{}/recordsets", text(&zone["id"]));
            api.list("dns", &path, "recordsets")
        });
        let recordsets = recordsets
            .filter(|it| !["SOA", "NS"].contains(&text(&it["type"]).as_str()))
            .collect();
        found.insert("recordset", recordsets);
        let credentials = api.list(
            "identity",
            &format!("/users/{user}/application_credentials"),
            "application_credentials",
        );
        found.insert("application_credential", credentials);
        let containers = api
            .get("object-store", "?format=json")
            .as_array()
            .cloned()
            .unwrap_or_default();
        let objects = containers.iter().flat_map(|container| {
            let name = text(&container["name"]);
            let list = api
                .get("object-store", &format!("/{name}?format=json"))
                .as_array()
                .cloned()
                .unwrap_or_default();
            list.into_iter().map(move |mut object| {
                object["container"] = Value::String(name.clone());
                object
            })
        });
        found.insert("object", objects.collect());
        found.insert("container", containers);
        Self(found)
    }

    pub fn all(&self, kind: &str) -> &[Value] {
        self.0.get(kind).unwrap_or_else(|| panic!("no kind {kind}"))
    }

    /// The one whose name is this.
    #[track_caller]
    pub fn named(&self, kind: &str, name: &str) -> &Value {
        let found: Vec<_> = self
            .all(kind)
            .iter()
            .filter(|it| it["name"] == name)
            .collect();
        assert_eq!(
            found.len(),
            1,
            "one {kind} `{name}` among {:?}",
            self.names(kind)
        );
        found[0]
    }

    pub fn names(&self, kind: &str) -> Vec<String> {
        let mut names: Vec<_> = self.all(kind).iter().map(|it| text(&it["name"])).collect();
        names.sort();
        names
    }

    /// What is here and not there, by kind and id.
    pub fn beyond(&self, other: &Self) -> Vec<String> {
        let mut left = Vec::new();
        for (kind, list) in &self.0 {
            let known: Vec<_> = other.0[kind].iter().map(identity).collect();
            left.extend(
                list.iter()
                    .filter(|it| !known.contains(&identity(it)))
                    .map(|it| format!("{kind} {} {}", text(&it["name"]), identity(it))),
            );
        }
        left
    }

    /// The same kinds and names, whatever the ids: two installations of one configuration.
    pub fn shape(&self) -> BTreeMap<&'static str, Vec<String>> {
        self.0
            .keys()
            .map(|kind| (*kind, self.names(kind)))
            .collect()
    }
}

/// What an object goes by: its id, its address in Barbican, or its name.
fn identity(value: &Value) -> String {
    ["id", "secret_ref", "container_ref", "name"]
        .iter()
        .find_map(|key| value[*key].as_str())
        .or_else(|| value["keypair"]["name"].as_str())
        .unwrap_or_default()
        .to_owned()
}
