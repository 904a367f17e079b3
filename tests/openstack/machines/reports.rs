//! What machines say of themselves arrives in Terraform: health, version, backups.

use super::{
    Site, drill,
    site::{note, seconds},
};
use serde_json::Value;
use std::time::Instant;

#[test]
fn what_machines_say_is_what_terraform_shows() {
    let Some(_turn) = drill("what_machines_say_is_what_terraform_shows") else {
        return;
    };
    let Some(site) = Site::new() else { return };
    site.up();
    let instance = refreshed(&site, "invenioils_instance.this");
    let release = site.report("ils-web-0")["version"].clone();
    assert_eq!(instance["installed_version"], release);
    assert_eq!(states(&instance), ["ready", "ready", "ready"]);
    site.workspace.settled();

    a_backup_is_told(&site);
    an_ill_machine_is_told(&site);
    site.down();
}

fn refreshed(site: &Site, address: &str) -> Value {
    site.workspace
        .run(&["apply", "-refresh-only", "-auto-approve"])
        .ok();
    site.workspace.attributes(address)
}

fn states(instance: &Value) -> Vec<String> {
    let nodes = instance["node_status"].as_array().expect("nodes");
    nodes
        .iter()
        .map(|it| it["state"].as_str().unwrap_or_default().to_owned())
        .collect()
}

/// Made, told; rehearsed, told.
fn a_backup_is_told(site: &Site) {
    const POLICY: &str = "invenioils_backup_policy.nightly";
    assert_eq!(refreshed(site, POLICY)["latest"], Value::Null);
    let backup = |verb: &str| {
        let line = format!("python3 -I /usr/local/lib/invenioils/backup.py {verb} backups");
        site.shell("database-0", &line)
    };
    backup("now");
    // below how many of them there are
    let listed = backup("list");
    let listed = listed.lines().nth(1).unwrap_or_default();
    let latest = refreshed(site, POLICY)["latest"].clone();
    let words: Vec<&str> = listed.split_whitespace().collect();
    assert_eq!(latest["id"], words[0], "{listed}: {latest}");
    assert_eq!(latest["size_bytes"].to_string(), words[1], "{latest}");
    assert_eq!(latest["verified"], false, "{latest}");
    backup("rehearse");
    assert_eq!(refreshed(site, POLICY)["latest"]["verified"], true);
}

/// A service that does not come up again is named by the plan, with its reason, and forgotten when it is well.
fn an_ill_machine_is_told(site: &Site) {
    let plan = || site.workspace.run(&["plan", "-no-color"]).ok().stdout;
    site.shell("ils-worker-0", "systemctl mask --now haproxy.service");
    let began = Instant::now();
    site.until(120, "a word of it", || plan().contains("is not well"));
    note(
        "until a plan says that a machine is ill",
        &seconds(began.elapsed()),
    );
    let instance = refreshed(site, "invenioils_instance.this");
    let worker = states(&instance).pop().unwrap_or_default();
    assert!(
        worker.starts_with("trouble: ") || worker.starts_with("unhealthy: "),
        "{worker}"
    );
    assert!(worker.contains("proxy"), "{worker}");
    // It mends itself: there is nothing to apply.
    let done = site.workspace.run(&["plan", "-detailed-exitcode"]);
    assert_eq!(done.code, 0, "{done}");

    site.shell(
        "ils-worker-0",
        "systemctl unmask haproxy.service; systemctl start --no-block invenioils-converge.service",
    );
    site.ready(180);
    let instance = refreshed(site, "invenioils_instance.this");
    assert_eq!(states(&instance), ["ready", "ready", "ready"]);
    assert!(!plan().contains("is not well"));
}
