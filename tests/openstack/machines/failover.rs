//! Machines that die: what people notice, what the next plan says, and that the next apply has all as it was.

use super::{
    Site,
    site::{note, seconds},
};
use crate::terraform::workspace::until;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Every how many seconds the load balancer looks at its members.
pub const MONITOR: f64 = 5.0;
/// For how many seconds somebody may wait where no node has to take over.
pub const PATIENCE: f64 = 10.0;
/// … and while one of several nodes follows another: as long as the application waits for it.
const WAITS: f64 = 45.0;
const SEND: &str = "invenio_app_ils.notifications.backends.mail.send";

/// Of three search nodes each has less than half of what is there.
const SEARCH_HEAP: &str =
    "  settings       = each.key == \"search\" ? { heap_mib = \"512\" } : {}\n";

impl Site {
    /// The example as it can be made larger later, not yet applied.
    pub fn that_will_grow(self) -> Self {
        let kind = "  kind           = each.key\n";
        self.workspace.edit(kind, &format!("{kind}{SEARCH_HEAP}"));
        self
    }

    /// Takes a machine away for good, as a host that burns down does. Its volume stays.
    fn lose(&self, name: &str) {
        let id = self.servers()[name].clone();
        self.project
            .api()
            .delete("compute", &format!("/servers/{id}"));
        until(60, &format!("the end of {name}"), || {
            !self.servers().contains_key(name)
        });
    }

    /// Takes a machine's power for a moment, and waits until this command goes well in it again.
    fn power_cut(&self, name: &str, well: &str) {
        let id = self.servers()[name].clone();
        let hard = json!({ "reboot": { "type": "HARD" } });
        self.project
            .api()
            .post("compute", &format!("/servers/{id}/action"), &hard);
        let up = || self.try_shell(name, well).is_some();
        until(60, &format!("the power cut of {name}"), || !up());
        until(240, &format!("the return of {name}"), up);
    }

    /// The machine of these of which this is true, once there is one.
    fn one_of(&self, names: &[String], what: &str, is: impl Fn(&str) -> bool) -> String {
        let found = || {
            let there = self.servers();
            names
                .iter()
                .find(|it| there.contains_key(*it) && is(it))
                .cloned()
        };
        until(180, what, || found().is_some());
        found().unwrap_or_else(|| panic!("{what}: no longer"))
    }

    /// The plan names each machine that is missing, the apply makes it, and nothing is left to do.
    fn mend(&self, missing: &[impl AsRef<str>]) -> Duration {
        let plan = self.workspace.run(&["plan", "-no-color"]).ok();
        for name in missing.iter().map(AsRef::as_ref) {
            assert!(
                plan.stdout.contains(&format!("library-{name}")),
                "{name} is not missed:\n{plan}"
            );
        }
        let began = Instant::now();
        self.workspace.apply();
        self.ready(900);
        let took = began.elapsed();
        // those whose service was away are well again when the load balancer has looked
        let empty = ["plan", "-detailed-exitcode"];
        until(60, "an empty plan", || self.workspace.run(&empty).code == 0);
        took
    }

    fn all_is_there(&self, left: &Value, counts: &Value) {
        self.probe("front", Value::Null);
        self.probe("kept", json!({ "left": left }));
        assert_eq!(
            self.probe("counts", Value::Null),
            *counts,
            "all that was there"
        );
    }
}

fn names(role: &str, count: usize) -> Vec<String> {
    (0..count).map(|index| format!("{role}-{index}")).collect()
}

/// What was accepted before a broker's machine lost its power is done when it is back.
pub fn tasks_outlive_their_broker(site: &Site, left: &Value) {
    let sent = || {
        let said = site.said_by_workers();
        said.lines()
            .filter(|line| line.contains(&format!("Task {SEND}[")) && line.contains("succeeded"))
            .count()
    };
    let waiting = || -> u64 {
        let listed = site.shell(
            "queue-0",
            "rabbitmqctl -q list_queues -p ils name messages | awk '$1 == \"celery\" { print $2 }'",
        );
        listed.parse().unwrap_or(0)
    };
    let before = sent();
    let maintenance = |word: &str| {
        for name in site.workers() {
            site.shell(&name, &format!("invenioils maintenance {word}"));
        }
    };
    // stopped by themselves they would be started again
    maintenance("on");
    site.probe("ask", json!({ "left": left }));
    until(30, "something that waits for a worker", || waiting() > 0);
    // the broker counts again every five seconds
    std::thread::sleep(Duration::from_secs(6));
    let accepted = waiting();
    site.power_cut("queue-0", "rabbitmqctl -q await_startup --timeout 5");
    until(30, "all that was accepted", || waiting() == accepted);
    maintenance("off");
    until(180, "the tasks' end", || waiting() == 0 && sent() > before);
    note(
        "tasks accepted before their broker lost its power, done afterwards",
        &format!("{accepted} of {accepted}"),
    );
    site.ready(180);
}

/// Machines that are alone, lost for good, one of each kind; with two web nodes nobody notices the loss of one. Workers are lost
/// when there are two.
pub fn each_comes_back(site: &Site, left: &Value) {
    let counts = site.probe("counts", Value::Null);
    let lost = ["ils-web-0", "cache-0", "queue-0", "database-0", "search-0"];
    let [web, alone @ ..] = lost;
    let watch = site.watch();
    site.lose(web);
    std::thread::sleep(Duration::from_secs(30));
    watch
        .stop()
        .noted("one of two web nodes lost", MONITOR, PATIENCE);
    for name in alone {
        site.lose(name);
    }
    let took = site.mend(&lost);
    note(
        &format!(
            "{} lost, replaced by one apply, everything there",
            lost.join(", ")
        ),
        &seconds(took),
    );
    site.all_is_there(left, &counts);
}

/// Each service is given two nodes more, and the application a worker: what one had, all have.
pub fn more_have_what_one_had(site: &Site, left: &Value) {
    let counts = site.probe("counts", Value::Null);
    let before = site.servers();
    site.workspace.edit(
        SEARCH_HEAP,
        "  nodes          = each.key == \"storage\" ? 1 : 3\n  settings       = each.key == \"search\" ? { heap_mib = \"512\" } : each.key == \"database\" ? { max_connections = \"150\" } : {}\n",
    );
    site.workspace.edit(
        "worker         = { nodes = 1 }",
        "worker         = { nodes = 2 }",
    );
    let watch = site.watch();
    let began = Instant::now();
    site.workspace.apply();
    site.ready(600);
    let took = began.elapsed();
    let outage = watch.stop();
    let now = site.servers();
    note(
        &format!(
            "{} machines become {}, three of each service and two workers",
            before.len(),
            now.len()
        ),
        &seconds(took),
    );
    // while a database that was alone starts again as one of several, beside nine machines that boot on its processors
    outage.noted("… meanwhile", 120.0, 120.0);
    for (name, id) in &before {
        assert_eq!(now.get(name), Some(id), "{name} is told, not replaced");
    }
    site.all_is_there(left, &counts);
    site.workspace.settled();

    let queues = site.shell(
        "queue-0",
        "rabbitmqctl -q --no-table-headers list_queues -p ils name type members",
    );
    for name in ["celery", "indexer", "stats-record-view"] {
        let queue = queues
            .lines()
            .find(|it| it.split('\t').next() == Some(name));
        let queue = queue.unwrap_or_else(|| panic!("no {name}:\n{queues}"));
        assert!(queue.contains("quorum"), "{queue}");
        assert_eq!(queue.matches("rabbit@queue-").count(), 3, "{queue}");
    }
    alike(site, "150");
}

/// What all database nodes must have alike, they have.
fn alike(site: &Site, connections: &str) {
    let asked = "su postgres -c \"psql -Atc 'show max_connections'\"";
    until(120, "a setting that all must have alike", || {
        let have = |name: &String| {
            site.try_shell(name, asked)
                .is_some_and(|it| it == connections)
        };
        names("database", 3).iter().all(have)
    });
}

/// Of several the one that leads is lost each time, and the others go on without it.
pub fn those_that_lead_may_die(site: &Site, left: &Value) {
    let counts = site.probe("counts", Value::Null);
    let elected = |name: &str| {
        let asked = "curl -sS -m 5 http://127.0.0.1:9200/_cat/cluster_manager?h=node || true";
        site.try_shell(name, asked).is_some_and(|it| it == name)
    };
    let primary = |name: &str| site.report(name)["primary"] == true;
    let first = |name: &str| name == "queue-0";
    let schedules = |name: &str| site.schedules(name);
    // what it is, and which of these nodes
    type Leader<'a> = (&'a str, Vec<String>, &'a dyn Fn(&str) -> bool);
    let leads: [Leader<'_>; 5] = [
        ("the primary database", names("database", 3), &primary),
        ("the cache's master", names("cache", 3), &primary),
        ("the first of the broker's nodes", names("queue", 3), &first),
        (
            "the search engine's elected manager",
            names("search", 3),
            &elected,
        ),
        ("the worker with the scheduler", site.workers(), &schedules),
    ];
    let mut lost = Vec::new();
    for (what, all, is) in leads {
        let victim = site.one_of(&all, what, is);
        let watch = site.watch();
        site.lose(&victim);
        let began = Instant::now();
        let rest: Vec<_> = all.into_iter().filter(|it| *it != victim).collect();
        // queues are led one by one
        let another = (!first(&victim)).then(|| {
            site.one_of(&rest, &format!("{what}'s successor"), is);
            began.elapsed()
        });
        std::thread::sleep(Duration::from_secs(20));
        watch
            .stop()
            .noted(&format!("{what} lost, of several"), MONITOR, WAITS);
        if let Some(took) = another {
            note("… until another has taken over", &seconds(took));
        }
        site.probe("kept", json!({ "left": left }));
        lost.push(victim);
    }
    // and the three databases are told to have something else alike, which needs a start of each
    site.workspace
        .edit("max_connections = \"150\"", "max_connections = \"130\"");
    let took = site.mend(&lost);
    note(
        "all five of them replaced by one apply, everything there",
        &seconds(took),
    );
    alike(site, "130");
    // one of several is started by Patroni alone, whatever started it before
    let standby = site.one_of(&names("database", 3), "a standby", |it| !primary(it));
    site.power_cut(&standby, "systemctl -q is-active patroni.service && su postgres -c \"psql -Atc 'select 1 from pg_stat_wal_receiver'\" | grep -qx 1");
    let debians = site.shell(
        &standby,
        "systemctl is-active postgresql@15-main.service || true",
    );
    assert_eq!(debians, "inactive", "{standby}");
    site.all_is_there(left, &counts);
    for role in ["database", "cache"] {
        until(60, &format!("one {role} that leads"), || {
            names(role, 3).iter().filter(|it| primary(it)).count() == 1
        });
    }
    let told = site.shell(
        "cache-0",
        "journalctl -u redis-server -o cat --no-pager | grep -c 'enabled (user request' || true",
    );
    assert_eq!(told, "0", "a new machine follows whoever leads by itself");
}
