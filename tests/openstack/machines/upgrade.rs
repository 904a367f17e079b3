//! Another `version`: people read on, what they had is there afterwards, and a failure leaves the version before serving.

use super::{
    Site,
    failover::MONITOR,
    site::{note, seconds},
};
use crate::terraform::workspace::until;
use serde_json::{Value, json};
use std::time::Instant;

const BEFORE: &str = "7.3.0";
const NOW: &str = "9.0.1";

impl Site {
    /// The example with the version before, not yet applied.
    pub fn of_the_version_before(self) -> Self {
        let wanted = format!("  version        = \"{BEFORE}\"\n  worker         =");
        self.workspace.edit("  worker         =", &wanted);
        self
    }
}

/// The version is made higher: what is there is migrated, and machine by machine it goes on.
pub fn migrates_what_is_there(site: &Site, left: &Value) {
    let before = site.probe("counts", Value::Null);
    let servers = site.servers();

    let watch = site.watch();
    site.workspace.edit(
        &format!("version        = \"{BEFORE}\""),
        &format!("version        = \"{NOW}\""),
    );
    let began = Instant::now();
    let applied = site.workspace.apply();
    site.ready(600);
    let whole = began.elapsed();
    let outage = watch.stop();
    note(
        &format!("`version` from {BEFORE} to {NOW}, machine by machine"),
        &seconds(applied.took),
    );
    note("… until each machine is ready", &seconds(whole));
    // those before show what they can until the balancer sees who serves the new version
    outage.noted("… meanwhile", 2.0 * MONITOR, 6.0 * MONITOR);

    site.probe("front", Value::Null);
    site.probe("kept", json!({ "left": left }));
    let counts = site.probe("counts", Value::Null);
    assert_eq!(counts, before, "all that was there");
    at_head(site);
    for (name, id) in site.servers() {
        assert_eq!(
            servers[&name] == id,
            !name.starts_with("ils-"),
            "{name}: those of the application are new, those with data are not"
        );
        if name.starts_with("ils-") {
            assert_eq!(site.report(&name)["version"], NOW, "{name}");
        }
    }
    one_dump(site);
    let workers = site.workers();
    let beats = workers
        .iter()
        .map(|it| site.shell(it, "pgrep -fc '[c]elery.* beat' || true"));
    let beats: Vec<_> = beats.collect();
    assert_eq!(
        beats.iter().filter(|it| *it == "1").count(),
        1,
        "one scheduler: {beats:?}"
    );
    // a machine says what it is every half minute
    until(60, "one that says that it has the scheduler", || {
        workers.iter().filter(|it| site.schedules(it)).count() == 1
    });
    // a day's work, mail and counts of copies by the worker included
    site.probe("day", Value::Null);
    lower_is_refused(site);
    site.workspace.settled();
}

/// Every branch of the migrations is where this version's are.
fn at_head(site: &Site) {
    let current = site.invenio("ils-web-0", "alembic current 2>/dev/null");
    let lines: Vec<_> = current.lines().filter(|it| it.contains("->")).collect();
    assert!(lines.len() > 5, "{current}");
    for line in lines {
        assert!(line.contains("(head)"), "{line}");
    }
    let done = site.shell(
        "database-0",
        "echo \"select step from invenioils.done where step like 'version %' or step like 'changing %' order by at\" | su postgres -c 'psql -At ils'",
    );
    assert_eq!(done, format!("version {BEFORE}\nversion {NOW}"));
}

/// The dump lies where it outlives the machine that took it, and is whole.
fn one_dump(site: &Site) {
    let storage = site
        .workspace
        .attributes("invenioils_service.this[\"storage\"]");
    let bucket = storage["endpoint"]["name"].as_str().expect("a bucket");
    let objects = site.project.api().get(
        "object-store",
        &format!("/{bucket}?format=json&prefix=before-upgrades/"),
    );
    let objects = objects.as_array().expect("a list");
    let names: Vec<_> = objects.iter().map(|it| it["name"].as_str()).collect();
    assert_eq!(
        names,
        [Some(
            format!("before-upgrades/{BEFORE}-to-{NOW}.dump").as_str()
        )]
    );
    assert!(objects[0]["bytes"].as_u64() > Some(10_000), "{objects:?}");
}

/// What data has been migrated to cannot be taken back.
fn lower_is_refused(site: &Site) {
    let to = |from: &str, to: &str| {
        site.workspace.edit(
            &format!("version        = \"{from}\""),
            &format!("version        = \"{to}\""),
        );
    };
    to(NOW, BEFORE);
    let refused = site.workspace.run(&["plan", "-no-color"]);
    assert!(refused.to_string().contains("A lower version"), "{refused}");
    to(BEFORE, NOW);
}
