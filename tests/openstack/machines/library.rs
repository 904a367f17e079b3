//! The example of the README, on machines that boot: a library that lends a book over TLS, and goes on lending while its
//! engineers change it.

use super::{
    Site, failover, machines, reports, restore,
    site::{note, seconds},
    upgrade,
};
use crate::terraform::workspace::until;
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

/// Whoever asks for these, from where none of them may be had.
const USUAL: [u16; 20] = [
    21, 22, 25, 80, 111, 443, 2049, 2379, 4369, 5000, 5432, 5671, 5672, 6379, 8008, 8080, 9000,
    9200, 9300, 15672,
];
/// How soon a change must have arrived, seconds.
const SOON: u64 = 60;

#[test]
fn a_library_lends_a_book_over_tls() {
    let Some(_turn) = machines("a_library_lends_a_book_over_tls") else {
        return;
    };
    let Some(site) = Site::new() else { return };
    let site = site.with_frontend("The reading room");
    site.workspace.edit(
        "[invenioils_service.this[\"database\"].id, invenioils_service.this[\"storage\"].id]",
        "[for kind in [\"database\", \"search\", \"storage\", \"queue\"] : invenioils_service.this[kind].id]",
    );
    // A drill does not repeat what every test run shows: it begins with the version before, and ends with several of each.
    let drill = std::env::var_os("DRILL").is_some();
    let site = match drill {
        true => site.of_the_version_before().that_will_grow(),
        false => site,
    };
    let (applied, ready) = site.up();
    let count = site.servers().len();
    note(
        &format!("`terraform apply` of examples/openstack, {count} machines"),
        &seconds(applied),
    );
    note(
        "… until each machine says that it is ready",
        &seconds(ready),
    );

    site.probe("front", Value::Null);
    site.librarian();
    let began = Instant::now();
    let left = site.probe("day", Value::Null);
    note(
        "a librarian's and a patron's day",
        &seconds(began.elapsed()),
    );
    tasks_ran(&site);
    note("memory of all machines", &format!("{} MiB", memory(&site)));
    if drill {
        upgrade::migrates_what_is_there(&site, &left);
        reports::are_what_terraform_shows(&site);
        failover::tasks_outlive_their_broker(&site, &left);
        failover::each_comes_back(&site, &left);
        restore::by_the_guide(&site, &left);
        failover::more_have_what_one_had(&site, &left);
        failover::those_that_lead_may_die(&site, &left);
    } else {
        changes_arrive(&site);
        each_is_sound(&site);
        doors(&site);
        more_web_nodes_come_without_an_outage(&site);
        entries_fire_once(&site);
        until(400, "a patron whom librarians find", || {
            site.answers("found")
        });
        site.probe("kept", json!({ "left": left }));
        site.workspace.settled();
    }
    let began = Instant::now();
    site.down();
    note("`terraform destroy`", &seconds(began.elapsed()));
}

/// What the web nodes hand over is done by the worker. A task that comes to a record late finds a newer version of it in the
/// index, and fails; the last of them does not, and is waited for.
fn tasks_ran(site: &Site) {
    for task in [
        "invenio_app_ils.notifications.backends.mail.send",
        "invenio_app_ils.documents.indexer.index_referenced_records",
        "invenio_app_ils.circulation.indexer.index_referenced_records",
    ] {
        until(120, &format!("{task} that succeeded"), || {
            site.said_by_workers()
                .lines()
                .any(|line| line.contains(&format!("Task {task}[")) && line.contains("succeeded"))
        });
    }
}

/// Nothing failed at boot, and units that are ours are what their reports say.
fn each_is_sound(site: &Site) {
    for name in site.servers().keys() {
        let failed = site.shell(name, "systemctl --failed --no-legend --plain");
        assert!(failed.is_empty(), "{name}: {failed}");
        let cloud_init = site.shell(name, "cloud-init status --long || true");
        assert!(cloud_init.contains("status: done"), "{name}: {cloud_init}");
        // services listen on the machine's own address; of the rest only the way in for people is everywhere
        let everywhere = site.shell(
            name,
            "ss -Hltn | awk '$4 ~ /^(0\\.0\\.0\\.0|\\*|\\[::\\]):/ && $4 !~ /:22$/ { print $4 }'",
        );
        assert!(
            everywhere.is_empty(),
            "{name} listens everywhere: {everywhere}"
        );
        let shown = site.program(name, "shown.py");
        assert!(shown.is_empty(), "{name} shows secrets: {shown}");
        // nobody but root asks the metadata service, which tells who a machine is
        let asked = "setpriv --reuid=nobody --regid=nogroup --clear-groups curl -sS -m 3 http://169.254.169.254/openstack && echo answered || echo refused";
        assert!(
            site.shell(name, asked).ends_with("refused"),
            "{name}: everybody may ask the metadata service"
        );
    }
}

/// The memory of all processes of all machines, shared pages counted once, in MiB.
fn memory(site: &Site) -> u64 {
    let sum = "cat /proc/[0-9]*/smaps_rollup 2>/dev/null | awk '/^Pss:/ { sum += $2 } END { print int(sum / 1024) }'";
    let of = |name: &String| site.shell(name, sum).parse::<u64>().expect("a number");
    site.servers().keys().map(of).sum()
}

/// Only what is meant to be reached is, from each place.
fn doors(site: &Site) {
    let mut machines: BTreeMap<String, (String, Vec<u16>)> = BTreeMap::new();
    for name in site.servers().into_keys() {
        let address = site.shell(
            &name,
            "ip -4 -o addr show scope global | awk '{sub(\"/.*\", \"\", $4); print $4; exit}'",
        );
        // whatever listens, and what might
        let listening = site.shell(
            &name,
            "ss -Hltn | awk '{print $4}' | sed 's/.*://' | sort -un",
        );
        let mut ports: Vec<u16> = listening.lines().filter_map(|it| it.parse().ok()).collect();
        ports.extend(USUAL);
        ports.sort_unstable();
        ports.dedup();
        machines.insert(name, (address, ports));
    }
    let all: Vec<(String, u16)> = machines
        .values()
        .flat_map(|(address, ports)| ports.iter().map(|port| (address.clone(), *port)))
        .collect();

    // from the world: nothing of any machine, two doors of the balancer
    assert_eq!(site.reached(None, &all), [], "machines answer to the world");
    let front = site.workspace.json(&["output", "-json"])["public_address"]["value"].clone();
    let front = front.as_str().expect("an address").to_owned();
    let doors: Vec<_> = USUAL.iter().map(|port| (front.clone(), *port)).collect();
    assert_eq!(
        site.reached(None, &doors),
        [(front.clone(), 80), (front, 443)],
        "the balancer answers elsewhere"
    );

    // from each machine: what its role needs of another, and no more
    let at = |name: &str, port: u16| (machines[name].0.clone(), port);
    let services = [
        at("database-0", 5432),
        at("search-0", 9200),
        at("cache-0", 6379),
        at("queue-0", 5671),
    ];
    for name in machines.keys() {
        let own = &machines[name].0;
        let others: Vec<_> = all.iter().filter(|it| it.0 != *own).cloned().collect();
        let mut reached = site.reached(Some(name), &others);
        let mut wanted = match name.starts_with("ils-") {
            true => services.to_vec(),
            false => Vec::new(),
        };
        reached.sort();
        wanted.sort();
        assert_eq!(reached, wanted, "what {name} reaches");
    }
}

/// Settings, schedule and certificate replace no machine, are there within a minute, and nobody notices.
fn changes_arrive(site: &Site) {
    let before = site.servers();
    site.workspace.edit(
        "  worker         =",
        "  site           = { name = \"The other reading room\" }\n  worker         =",
    );
    site.workspace.edit("\"0 3 * * *\"", "\"30 4 * * *\"");
    let watch = site.watch();
    let applied = site.workspace.apply();
    let began = Instant::now();
    let arrived = || {
        let settings =
            ["ils-web-0", "ils-web-1"].map(|it| site.shell(it, "cat /etc/ils/settings.json"));
        let schedule = site.shell("database-0", "cat /etc/invenioils/backups.json");
        settings
            .iter()
            .all(|it| it.contains("The other reading room"))
            && schedule.contains("30 4 * * *")
    };
    until(SOON, "the arrival of the change", arrived);
    note(
        "a setting and a schedule, from the end of their apply",
        &seconds(began.elapsed()),
    );
    note("… and that apply", &seconds(applied.took));
    for name in ["ils-web-0", "ils-web-1"] {
        // all but the one that keeps the others
        let read = || {
            let asked = "age=$(($(date +%s) - $(stat -c %Y /etc/ils/settings.json))); ps -u ils -o etimes=,args= | awk -v age=$age '/uwsgi.ini/ && $1 > age { old++ } END { print old + 0 }'";
            site.shell(name, asked) == "1"
        };
        until(SOON, "processes that have read the change", read);
    }
    site.ready(120);
    watch
        .stop()
        .noted("… meanwhile", failover::MONITOR, failover::PATIENCE);

    site.workspace.edit(
        "  self_signed    = {}",
        "  self_signed    = { validity_days = 100 }",
    );
    let old = site.workspace.attributes("invenioils_certificate.this");
    site.workspace.apply();
    let new = site.workspace.attributes("invenioils_certificate.this");
    assert_ne!(old["serial"], new["serial"], "a new certificate");
    // verified against the new one alone
    until(SOON, "a front page under the new certificate", || {
        site.answers("front")
    });
    assert_eq!(site.servers(), before, "no machine was replaced");
    site.ready(120);
}

/// Larger web machines take over one by one.
fn more_web_nodes_come_without_an_outage(site: &Site) {
    let before = site.servers();
    let watch = site.watch();
    site.workspace.edit(
        "web            = { nodes = 2 }",
        "web            = { nodes = 2, size = \"medium\" }",
    );
    let applied = site.workspace.apply();
    let outage = watch.stop();
    note(
        "two web nodes made larger, one by one",
        &seconds(applied.took),
    );
    outage.noted("… meanwhile", failover::MONITOR, failover::PATIENCE);
    let now = site.servers();
    assert_eq!(
        before.keys().collect::<Vec<_>>(),
        now.keys().collect::<Vec<_>>()
    );
    for name in ["ils-web-0", "ils-web-1"] {
        let flavor = site
            .project
            .api()
            .get("compute", &format!("/servers/{}", now[name]))["server"]["flavor"]
            .clone();
        assert_eq!(flavor["original_name"], "m1.medium", "{name}");
    }
}

/// What the scheduler sends is received by one worker, once.
fn entries_fire_once(site: &Site) {
    const ENTRY: &str = "invenio_indexer.tasks.process_bulk_queue";
    let sent = || {
        site.journal("ils-worker-0", "ils-scheduler")
            .matches(&format!("({ENTRY})"))
            .count()
    };
    until(400, "the scheduler's first task", || sent() > 0);
    std::thread::sleep(Duration::from_secs(10));
    let sent = sent();
    let received = site.journal("ils-worker-0", "ils-worker");
    let received = received
        .lines()
        .filter(|line| line.contains(&format!("Task {ENTRY}[")) && line.contains("received"))
        .count();
    assert_eq!(sent, received, "sent and received");
    assert_eq!(
        site.shell("ils-worker-0", "pgrep -fc '[c]elery.* beat'"),
        "1"
    );
}
