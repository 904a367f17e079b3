//! What a policy asks of a machine and what can be had back of it: a moment in time, files of a bucket, counts, and a word
//! where it fails. The bucket is a folder of the machine itself.

use super::bed::{Bed, bed, id, server_bundle, service_node};
use invenioils::site::{Sealed, ServiceKind, Sort, secrets::Bundle};
use serde_json::{Value, json};

const NAME: &str = "database-0";
const MIRROR: &str = "/srv/backups/b/library/storage/files";

fn policy(endpoint: &str) -> Value {
    let service = |name| id(Sort::Service, name);
    json!({
        "format": 1, "endpoint": endpoint, "bucket": "b", "secrets": {},
        "files": [{ "service": "storage", "bucket": "files" }],
        "policy": {
            "environment": "library", "name": "nightly", "services": [service("database"), service("storage")],
            "schedule": "0 3 * * *", "timezone": "UTC", "paused": false, "retention": { "last": 2 },
            "point_in_time_days": 1, "keep_on_destroy": true,
        },
    })
}

fn loans(bed: &Bed, statement: &str) -> String {
    bed.shell(
        NAME,
        &format!("cd / && su postgres -c \"psql -qAt ils\" <<'S'\n{statement}\nS"),
    )
}

#[test]
fn a_moment_and_its_files_come_back_and_failures_are_told() {
    let Some(bed) = bed("a_moment_and_its_files_come_back_and_failures_are_told") else {
        return;
    };
    let mut it = service_node(
        ServiceKind::Database,
        0,
        &["10.77.0.11"],
        json!({}),
        &server_bundle(ServiceKind::Database),
    );
    it.more_documents.insert(
        "backup.nightly".to_owned(),
        policy("file:///srv/backups").to_string(),
    );
    let mut alerts = Bundle::default();
    alerts.put(
        "alerts_webhook_url",
        Sealed::new("http://127.0.0.1:8099/".to_owned()),
    );
    it.bundles.insert("alerts".to_owned(), alerts);
    bed.start(&it);
    bed.ready(NAME, 600);
    // the database archives as its own user
    bed.shell(NAME, "mkdir -p /srv/backups/files /srv/backups/b/library/database/wal && chown postgres: /srv/backups/b/library/database/wal");
    bed.shell(
        NAME,
        "cd /srv/backups/files && mkdir aa && echo Momo >aa/data && echo Krabat >data",
    );
    loans(
        &bed,
        "create table loan (book text); insert into loan values ('Momo');",
    );

    // files are copied once, and named by every backup
    let first = bed.shell(NAME, "invenioils backup nightly");
    assert!(first.contains("for 2 files, 2 of them new"), "{first}");
    bed.shell(
        NAME,
        "sleep 1; echo Jim >/srv/backups/files/jim; rm /srv/backups/files/data; sleep 1",
    );
    let second = bed.shell(NAME, "invenioils backup nightly");
    assert!(second.contains("for 2 files, 1 of them new"), "{second}");
    assert!(
        bed.shell(NAME, &format!("ls {MIRROR}")).contains("data"),
        "the first backup still names it"
    );
    bed.shell(NAME, "sleep 1; invenioils backup nightly");
    assert_eq!(
        bed.shell(NAME, &format!("ls {MIRROR}")),
        "aa\njim",
        "no kept backup names it any more"
    );
    let list = bed.shell(NAME, "invenioils backups nightly");
    assert!(
        list.contains("database: 2") && list.contains("storage: 2"),
        "{list}"
    );

    let counted = bed.shell(
        NAME,
        "python3 -I /usr/local/lib/invenioils/backup.py rehearse nightly",
    );
    assert!(
        counted.contains("1 tables, 1 rows") && counted.contains("2 files"),
        "{counted}"
    );

    // a mistake after a moment
    let moment = bed.shell(NAME, "sleep 2; date -u +%Y-%m-%dT%H:%M:%SZ; sleep 2");
    loans(
        &bed,
        "delete from loan; insert into loan values ('nothing');",
    );
    bed.shell(NAME, "rm /srv/backups/files/aa/data");
    assert!(
        bed.shell(NAME, "invenioils maintenance on")
            .contains("maintenance")
    );
    bed.shell(NAME, "systemctl start invenioils-converge");
    assert!(
        bed.shell(NAME, "invenioils status")
            .contains("\"state\": \"maintenance\"")
    );
    bed.shell(NAME, &format!("invenioils until nightly {moment}"));
    assert_eq!(loans(&bed, "select book from loan"), "Momo");
    bed.shell(NAME, "invenioils until nightly latest");
    assert_eq!(
        loans(&bed, "select book from loan"),
        "Momo",
        "what was given back is in the archive, too"
    );
    bed.shell(NAME, "invenioils restore nightly/storage");
    assert_eq!(bed.shell(NAME, "cat /srv/backups/files/aa/data"), "Momo");
    assert!(bed.fails(NAME, "invenioils until nightly 2020-01-01T00:00:00Z"));
    assert_eq!(bed.shell(NAME, "invenioils maintenance off"), "ready");

    // a copy that is lost makes a rehearsal fail, and whoever is to be told is told
    bed.shell(
        NAME,
        "systemd-run -q --unit=listener python3 -c \"
import http.server
class Ear(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        open('/tmp/heard', 'ab').write(self.rfile.read(int(self.headers['Content-Length'])))
        self.send_response(200); self.end_headers()
http.server.HTTPServer(('127.0.0.1', 8099), Ear).serve_forever()\"; sleep 2",
    );
    bed.shell(NAME, &format!("rm {MIRROR}/jim"));
    assert!(bed.fails(
        NAME,
        "python3 -I /usr/local/lib/invenioils/backup.py rehearse nightly"
    ));
    let heard = bed.shell(NAME, "cat /tmp/heard");
    assert!(
        heard.contains("rehearsal of library/storage") && heard.contains("jim"),
        "{heard}"
    );
    // and the next backup mends the mirror
    bed.shell(NAME, "sleep 1; invenioils backup nightly");
    assert_eq!(bed.shell(NAME, &format!("cat {MIRROR}/jim")), "Jim");
}
