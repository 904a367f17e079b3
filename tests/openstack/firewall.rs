//! What the security groups let in, rule by rule, compared with a table that knows nothing of how they were made.

use super::{inventory::Inventory, project::text};
use std::collections::{BTreeMap, BTreeSet};

/// Role, port, who may come: `world`, a role, or `own` for the other nodes of the same group.
const OPEN: [(&str, u64, &str); 23] = [
    ("balancer", 80, "world"),
    ("balancer", 443, "world"),
    ("web", 8080, "balancer"),
    ("database", 5432, "web"),
    ("database", 5432, "worker"),
    ("database", 5432, "own"),
    ("database", 8008, "own"),
    ("database", 2379, "own"),
    ("database", 2380, "own"),
    ("search", 9200, "web"),
    ("search", 9200, "worker"),
    ("search", 9300, "own"),
    ("cache", 6379, "web"),
    ("cache", 6379, "worker"),
    ("cache", 6379, "own"),
    ("cache", 26379, "own"),
    ("queue", 5671, "web"),
    ("queue", 5671, "worker"),
    ("queue", 4369, "own"),
    ("queue", 25672, "own"),
    ("storage", 2049, "web"),
    ("storage", 2049, "worker"),
    ("worker", 0, "nobody"),
];

/// The groups of an environment let in this and nothing else.
pub fn lets_in_exactly(now: &Inventory, environment: &str) {
    let groups: BTreeMap<String, String> = now
        .all("security_group")
        .iter()
        .filter_map(|group| {
            let role = text(&group["name"])
                .strip_prefix(&format!("{environment}-"))?
                .to_owned();
            Some((text(&group["id"]), role))
        })
        .collect();
    let mut wanted: BTreeMap<&str, BTreeSet<(u64, String)>> = BTreeMap::new();
    for (role, port, from) in OPEN {
        let rules = wanted.entry(role).or_default();
        if port > 0 {
            rules.insert((
                port,
                if from == "own" {
                    role.to_owned()
                } else {
                    from.to_owned()
                },
            ));
        }
    }
    for group in now.all("security_group") {
        let Some(role) = groups.get(&text(&group["id"])) else {
            continue;
        };
        let mut found = BTreeSet::new();
        for rule in group["security_group_rules"].as_array().expect("rules") {
            if rule["direction"] != "ingress" {
                continue;
            }
            assert_eq!(rule["protocol"], "tcp", "{role}: {rule}");
            assert_eq!(rule["ethertype"], "IPv4", "{role}: {rule}");
            assert_eq!(
                rule["port_range_min"], rule["port_range_max"],
                "{role}: {rule}"
            );
            let from = match (
                rule["remote_group_id"].as_str(),
                rule["remote_ip_prefix"].as_str(),
            ) {
                (Some(group), _) => groups
                    .get(group)
                    .cloned()
                    .unwrap_or_else(|| format!("the group {group}")),
                (None, None | Some("0.0.0.0/0")) => "world".to_owned(),
                (None, Some(range)) => range.to_owned(),
            };
            found.insert((rule["port_range_min"].as_u64().unwrap_or_default(), from));
        }
        let wanted = wanted
            .get(role.as_str())
            .unwrap_or_else(|| panic!("a group that nobody asked for: {role}"));
        assert_eq!(&found, wanted, "the group of {role} lets in");
    }
    let roles: BTreeSet<_> = groups.values().map(String::as_str).collect();
    let all: BTreeSet<_> = wanted.keys().copied().collect();
    assert_eq!(roles, all, "a group per role");

    // The default group lets in its members: no machine may be one.
    for port in now.all("port") {
        let default = now
            .all("security_group")
            .iter()
            .find(|it| it["name"] == "default")
            .map(|it| text(&it["id"]));
        let groups = port["security_groups"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        assert!(
            !groups.iter().any(|it| default.as_deref() == it.as_str()),
            "in the default group: {port}"
        );
    }
}
