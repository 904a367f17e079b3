//! A whole site on six machines: services, web and worker, from `user_data` alone, up to a person who signs in.

use super::bed::{Bed, Planned, bed, id, planned, server_bundle, service_node, text};
use crate::terraform::workspace::until;
use invenioils::site::{
    Backend, Instance, Role, Sealed, ServiceKind, Sort, Thing,
    guest::{Neighbour, Reach},
    secrets::{self, Bundle},
};
use serde_json::json;
use std::{
    collections::BTreeMap,
    path::PathBuf,
    process::{Child, Command},
    time::{Duration, Instant},
};

const HOSTNAME: &str = "ils.example.org";

fn instance() -> Instance {
    serde_json::from_value(json!({
        "environment": super::bed::ENVIRONMENT, "name": "ils", "hostname": HOSTNAME, "services": {}, "version": "9.0.1",
        "application": { "package": "invenio-app-ils" },
        "web": { "nodes": 1, "machine": { "size": "small" }, "server": "uwsgi", "processes": 2, "threads": 2 },
        "worker": { "nodes": 1, "machine": { "size": "small" }, "concurrency": 1 },
        "load_balancer": { "max_body_mib": 100, "idle_timeout": "60s" }, "deletion_protection": true,
        "site": { "name": "A library" }, "admin": { "email": "admin@example.org" },
        "config": { "INVENIO_ILS_SELF_CHECKOUT_ENABLED": "True" }
    }))
    .unwrap()
}

fn reach(kind: ServiceKind, address: &str) -> Reach {
    let object = kind == ServiceKind::Storage;
    let name = format!(
        "{0}-0.{0}.{1}.internal",
        kind.as_str(),
        super::bed::ENVIRONMENT
    );
    Reach {
        hosts: vec![Neighbour {
            name: if object { address.to_owned() } else { name },
            address: address.to_owned(),
        }],
        port: if object {
            9000
        } else {
            Role::from(kind).port().unwrap()
        },
        name: "ils".to_owned(),
        tls: !object,
        external: false,
        version: None,
        backend: object.then_some(Backend::Object),
    }
}

fn application(role: Role, address: &str, bundles: &BTreeMap<String, Bundle>) -> Planned {
    let mut it = planned(
        id(Sort::Instance, "ils"),
        role,
        0,
        &[address],
        Thing::Instance(instance()),
        bundles.clone(),
    );
    let kinds = ServiceKind::ALL.iter().zip([
        "10.77.0.21",
        "10.77.0.22",
        "10.77.0.23",
        "10.77.0.24",
        "10.77.0.1",
    ]);
    it.document.services = kinds
        .map(|(kind, address)| (*kind, reach(*kind, address)))
        .collect();
    it
}

/// The search engine's archive, made once, offered to machines by HTTP.
struct Offered(Child);
impl Drop for Offered {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
fn offered() -> Option<Offered> {
    let bed = std::env::var("GUEST_BED").unwrap_or("/var/tmp/invenioils-guests".to_owned());
    let folder = PathBuf::from(bed).join("serve");
    std::fs::create_dir_all(&folder).unwrap();
    let archive = folder.join("opensearch.tar.gz");
    if !super::opensearch_archive(&archive) {
        return None;
    }
    let server = Command::new("nsenter")
        .args([
            "--net=/run/netns/ilsguests",
            "python3",
            "-m",
            "http.server",
            "--bind",
            "10.77.0.1",
            "8000",
            "--directory",
        ])
        .arg(&folder)
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    Some(Offered(server))
}

#[test]
fn a_site_comes_up_and_an_administrator_signs_in() {
    let Some(bed) = bed("a_site_comes_up_and_an_administrator_signs_in") else {
        return;
    };
    let Some(_server) = offered() else { return };
    let mut bundles = BTreeMap::new();
    let kinds = [
        (ServiceKind::Database, "10.77.0.21"),
        (ServiceKind::Search, "10.77.0.22"),
        (ServiceKind::Cache, "10.77.0.23"),
        (ServiceKind::Queue, "10.77.0.24"),
    ];
    for (kind, address) in kinds {
        let server = server_bundle(kind);
        let settings = if kind == ServiceKind::Search {
            json!({ "heap_mib": "512" })
        } else {
            json!({})
        };
        let mut it = service_node(kind, 0, &[address], settings, &server);
        it.document.packages.opensearch_url =
            Some("http://10.77.0.1:8000/opensearch.tar.gz".to_owned());
        bed.start(&it);
        bundles.insert(kind.as_str().to_owned(), secrets::client_bundle(&server));
    }
    let key = Sealed::new("a-key-that-nobody-uses-here-at-all");
    bundles.insert(
        "storage".to_owned(),
        secrets::object_store_bundle(&key, &key),
    );
    let own = secrets::instance_bundle(&instance(), |_| None, None).unwrap();
    bundles.insert(secrets::INSTANCE.to_owned(), own.clone());
    // all at once, as an apply does it: who comes first waits for the others
    bed.start(&application(Role::Web, "10.77.0.31", &bundles));
    bed.start(&application(Role::Worker, "10.77.0.32", &bundles));

    for name in [
        "database-0",
        "cache-0",
        "queue-0",
        "search-0",
        "ils-web-0",
        "ils-worker-0",
    ] {
        bed.ready(name);
    }
    answers(&bed, &own);
    assert_eq!(
        bed.shell("ils-worker-0", "cat /var/lib/ils/run/scheduler"),
        "leading"
    );
    let done = sql(
        &bed,
        "select count(*) from invenioils.done where step like 'version%'",
    );
    assert_eq!(done, "1", "set up once");
    for name in ["search-0", "ils-web-0", "ils-worker-0"] {
        bed.sound(name);
    }
    bed.reboot(&["search-0", "ils-worker-0", "ils-web-0"]);
    answers(&bed, &own);
    those_that_are_away_are_waited_for(&bed);
    what_was_left_is_taken_up(&bed);
    it_serves_when_somebody_else_has_asked(&bed);
    an_upgrade_that_was_left_is_taken_back_or_told(&bed);
    another_file_is_refused(&bed);
}

/// What the application answers to one request within some seconds: HTTP's number.
fn status(bed: &Bed, seconds: u32, method: &str, host: &str, path: &str) -> String {
    let asked = format!(
        "curl -sS -m {seconds} -o /dev/null -w '%{{http_code}}' -X {method} -H 'X-Forwarded-Proto: https' -H 'Host: {host}' \
         'http://10.77.0.31:8080{path}'"
    );
    bed.shell("ils-web-0", &asked)
}

/// Who asks meanwhile is answered later, and while it is the database the load balancer at once.
fn those_that_are_away_are_waited_for(bed: &Bed) {
    let ask = |seconds: u32, host: &str, path: &str| status(bed, seconds, "GET", host, path);
    // What there is no such document of only the database knows; sessions and limits are in the cache.
    for (name, unit, path, answer) in [
        (
            "database-0",
            "postgresql@15-main",
            "/api/documents/none",
            "404",
        ),
        ("cache-0", "redis-server", "/api/documents/?size=1", "200"),
        ("search-0", "nginx", "/api/documents/?size=1", "200"),
    ] {
        assert_eq!(ask(20, HOSTNAME, path), answer, "{name} is there");
        // It would start what is away.
        bed.shell(
            name,
            "systemctl stop invenioils-converge.timer invenioils-converge.service",
        );
        bed.shell(name, &format!("systemctl stop {unit}"));
        std::thread::scope(|scope| {
            let asked = scope.spawn(|| ask(40, HOSTNAME, path));
            std::thread::sleep(Duration::from_secs(1));
            if asked.is_finished() {
                panic!("{name} is not waited for: {:?}", asked.join());
            }
            if name == "database-0" {
                for _ in 0..8 {
                    assert_eq!(ask(4, "10.77.0.31", "/ping"), "200");
                }
            }
            assert!(!asked.is_finished(), "{name} is waited for");
            bed.shell(
                name,
                &format!("systemctl start {unit} invenioils-converge.timer"),
            );
            assert_eq!(asked.join().expect("an answer"), answer, "{name}");
        });
    }
}

/// A run that wrote settings and failed before it came to the processes: the next one sees to it, and the first of them, which
/// has the door open, stays.
fn what_was_left_is_taken_up(bed: &Bed) {
    let processes = || bed.shell("ils-web-0", "pgrep -u ils -f uwsgi.ini | sort -n");
    let before = processes();
    let left = "sed -i 's/\"settings\": \"./&_/' /var/lib/ils/.taken-up && rm /var/lib/invenioils/applied.json && \
         systemctl start invenioils-converge.service";
    bed.shell("ils-web-0", left);
    let (first, others) = before.split_once('\n').expect("several processes");
    let end = Instant::now() + Duration::from_secs(120);
    loop {
        let now = processes();
        let mut lines = now.lines();
        let stays = lines.next() == Some(first);
        if stays && lines.all(|it| !others.lines().any(|old| old == it)) {
            break;
        }
        assert!(Instant::now() < end, "{before}\n{now}");
        std::thread::sleep(Duration::from_secs(1));
    }
}

fn sql(bed: &Bed, words: &str) -> String {
    let asked = format!("su postgres -c 'psql -At ils' <<'END'\n{words}\nEND");
    bed.shell("database-0", &asked)
}

/// Other machines leave readers to this one only after a load balancer has found it.
fn it_serves_when_somebody_else_has_asked(bed: &Bed) {
    let told = || {
        sql(
            bed,
            "select count(*) from invenioils.done where step = 'serving 9.0.1'",
        )
    };
    let own = "curl -sS -o /dev/null -w '%{http_code}' http://10.77.0.31:8080/ping";
    assert_eq!(bed.shell("ils-web-0", own), "200");
    std::thread::sleep(Duration::from_secs(6));
    assert_eq!(told(), "0", "its own question tells nothing");
    assert_eq!(bed.shell("ils-worker-0", own), "200");
    until(120, "it serves", || told() == "1");
}

/// Whoever brought the data to another version is gone: before the migrations that is taken back, after them it is said what
/// to do; and meanwhile nothing is written.
fn an_upgrade_that_was_left_is_taken_back_or_told(bed: &Bed) {
    let web = |words: &str| bed.shell("ils-web-0", words);
    let ask = |method: &str, path: &str| status(bed, 30, method, HOSTNAME, path);
    let shut = || ask("POST", "/api/login") == "503";
    let begun = "insert into invenioils.done (step) select 'revisions before 99.0: ' || string_agg(version_num, ' ' order by version_num) \
                 from alembic_version; insert into invenioils.done (step) values ('changing to 99.0')";
    assert!(!shut());
    web("systemctl stop invenioils-converge.timer invenioils-converge.service");
    sql(bed, begun);
    until(120, "nothing is written", shut);
    assert_eq!(ask("GET", "/api/documents/?size=1"), "200", "it is read on");
    web("systemctl start invenioils-converge.service");
    let left = sql(
        bed,
        "select step from invenioils.done where step like 'changing to %'",
    );
    assert_eq!(left, "", "taken back");
    until(120, "it is written again", || !shut());
    sql(
        bed,
        &format!("{begun}; insert into invenioils.done (step) values ('migrations of 99.0')"),
    );
    until(120, "nothing is written", shut);
    let told = web("systemctl start invenioils-converge.service || true; invenioils status");
    assert!(told.contains("set `version` to 99.0"), "{told}");
    web("touch /run/ils/outdated");
    assert_eq!(
        ask("GET", "/ping"),
        "503",
        "load balancers that ask by name"
    );
    web("rm /run/ils/outdated");
    assert_eq!(ask("GET", "/ping"), "200");
    sql(bed, "delete from invenioils.done where step like '%99.0%'");
    until(120, "it is written again", || !shut());
    web("systemctl start invenioils-converge.service invenioils-converge.timer");
}

/// A package of another sum than the one that this version was tested with is not installed, and what runs runs on.
fn another_file_is_refused(bed: &Bed) {
    let line = "sed -i 's/^wheel==\\(.*\\) # ./wheel==\\1 # _/' /usr/local/lib/invenioils/constraints-9.0.1.txt; \
         systemctl start invenioils-converge.service || true; invenioils status; systemctl is-active ils-worker.service";
    let told = bed.shell("ils-worker-0", line);
    assert!(
        told.contains("is not the file that this version was tested with"),
        "{told}"
    );
    assert!(told.ends_with("active"), "{told}");
}

fn answers(bed: &Bed, own: &Bundle) {
    let get = |path: &str, more: &str| {
        bed.shell("ils-web-0", &format!("curl -sS -o /tmp/answer -w '%{{http_code}}' -H 'X-Forwarded-Proto: https' {more} 'http://10.77.0.31:8080{path}'; echo; head -c 2000 /tmp/answer"))
    };
    assert!(
        get("/ping", "").starts_with("200"),
        "the balancer asks by address"
    );
    assert!(get("/", "-H 'Host: elsewhere.org'").starts_with("421"));
    let host = format!("-H 'Host: {HOSTNAME}'");
    assert!(get("/", &host).contains("A library"));
    let list = get("/api/documents/?size=1", &host);
    assert!(
        list.starts_with("200") && list.contains("\"total\""),
        "{list}"
    );
    let words = get("/api/vocabularies/?q=type:country&size=1", &host);
    assert!(words.starts_with("200"), "{words}");
    // as the user interface signs in: JSON, with a field of its own
    let login = json!({ "email": "admin@example.org", "password": text(own, "admin_password").expose(), "_submitButton": "x" });
    let signed_in = get(
        "/api/login",
        &format!("{host} -H 'Content-Type: application/json' -d '{login}'"),
    );
    assert!(signed_in.starts_with("200"), "{signed_in}");
}
