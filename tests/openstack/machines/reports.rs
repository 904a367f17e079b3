//! What machines say of themselves arrives in Terraform: health, version, backups.

use super::{
    Site,
    site::{note, seconds},
};
use crate::terraform::workspace::until;
use serde_json::Value;
use std::time::Instant;

/// How each machine is, what it runs, what was backed up.
pub fn are_what_terraform_shows(site: &Site) {
    let instance = refreshed(site, "invenioils_instance.this");
    let release = site.report("ils-web-0")["version"].clone();
    assert_eq!(instance["installed_version"], release);
    all_ready(site, &instance);
    site.workspace.settled();

    a_backup_is_told(site);
    an_ill_machine_is_told(site);
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

/// Each of the application's machines.
fn all_ready(site: &Site, instance: &Value) {
    let servers = site.servers();
    let count = servers.keys().filter(|it| it.starts_with("ils-")).count();
    assert_eq!(states(instance), vec!["ready"; count]);
}

/// Made, told; rehearsed, told.
fn a_backup_is_told(site: &Site) {
    const POLICY: &str = "invenioils_backup_policy.nightly";
    assert_eq!(refreshed(site, POLICY)["latest"], Value::Null);
    let backup_on = |name: &str, verb: &str| {
        let line = format!("python3 -I /usr/local/lib/invenioils/backup.py {verb} backups");
        site.shell(name, &line)
    };
    let backup = |verb: &str| backup_on("database-0", verb);
    // what the policy has is as new as the service that is furthest behind
    backup("now");
    assert_eq!(refreshed(site, POLICY)["latest"], Value::Null);
    for name in ["search-0", "queue-0"] {
        backup_on(name, "now");
    }
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

/// A database that does not come up again: those who need it say so, the plan names the cause, and it is forgotten when
/// all is well.
fn an_ill_machine_is_told(site: &Site) {
    let plan = || site.workspace.run(&["plan", "-no-color"]).ok().stdout;
    let unit = "postgresql@15-main.service";
    site.shell("database-0", &format!("systemctl mask --now {unit}"));
    let began = Instant::now();
    until(120, "a word of it", || {
        plan().contains("library-database-0` (")
    });
    note(
        "until a plan says that a database is ill",
        &seconds(began.elapsed()),
    );
    let instance = refreshed(site, "invenioils_instance.this");
    let told = "unhealthy: database: does not answer";
    assert!(states(&instance).iter().any(|it| it == told), "{instance}");
    let service = |kind: &str| {
        let address = format!("invenioils_service.this[\"{kind}\"]");
        states(&site.workspace.attributes(&address))
    };
    // by its own word, and while it is at mending itself it says that
    until(60, "the database's own word", || {
        refreshed(site, "invenioils_instance.this");
        let word = &service("database")[0];
        word.starts_with("trouble: ") || word.starts_with("unhealthy: ")
    });
    assert_eq!(service("search"), ["ready"], "nothing is wrong with it");
    // Nothing that Terraform made is other than it was.
    let done = site.workspace.run(&["plan", "-detailed-exitcode"]);
    assert_eq!(done.code, 0, "{done}");

    site.shell(
        "database-0",
        &format!("systemctl unmask {unit}; systemctl start --no-block invenioils-converge.service"),
    );
    site.ready(180);
    let instance = refreshed(site, "invenioils_instance.this");
    all_ready(site, &instance);
    assert_eq!(service("database"), ["ready"]);
    assert!(!plan().contains("is not well"));
}
