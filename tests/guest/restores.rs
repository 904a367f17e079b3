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
    it.document.alert_email = Some("library@[127.0.0.1]".to_owned());
    bed.start(&it);
    bed.ready(NAME);
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
        &format!("systemd-run -q --unit=listener python3 -c '{EARS}'; sleep 2"),
    );
    bed.shell(NAME, &format!("rm {MIRROR}/jim"));
    assert!(bed.fails(
        NAME,
        "python3 -I /usr/local/lib/invenioils/backup.py rehearse nightly"
    ));
    for heard in ["/tmp/heard", "/tmp/mailed"] {
        let heard = bed.shell(NAME, &format!("tr '\\n' ' ' <{heard}"));
        assert!(
            heard.contains("rehearsal of library/storage") && heard.contains("jim"),
            "{heard}"
        );
    }
    // and the next backup mends the mirror
    bed.shell(NAME, "sleep 1; invenioils backup nightly");
    assert_eq!(bed.shell(NAME, &format!("cat {MIRROR}/jim")), "Jim");
    illness_is_told(&bed);
}

/// A machine that stays ill says so once, and that it is over.
fn illness_is_told(bed: &Bed) {
    const UNIT: &str = "postgresql@15-main.service";
    let converge = || bed.shell(NAME, "systemctl start invenioils-converge.service || true");
    let told = |words: &str| {
        let counted = format!("tr '\\n' ' ' </tmp/heard | grep -o '{words}' | wc -l");
        let counts = [&counted, &counted.replace("heard", "mailed")];
        counts.map(|it| bed.shell(NAME, it).parse::<u32>().expect("a number"))
    };
    bed.shell(NAME, &format!("systemctl mask --now {UNIT}"));
    converge();
    assert_eq!(told("has not been well"), [0, 0], "it may mend itself");
    bed.shell(
        NAME,
        "sed -i 's/\"since\": /&-/' /var/lib/invenioils/ill.json",
    );
    converge();
    converge();
    // in the words of a web hook's message: twice in JSON, once as a title of its own
    assert_eq!(told("has not been well"), [2, 1]);
    bed.shell(NAME, &format!("systemctl unmask {UNIT}"));
    bed.ready(NAME);
    converge();
    assert_eq!(told("is well again"), [3, 2]);
    assert!(bed.fails(NAME, "test -e /var/lib/invenioils/ill.json"));
}

/// Takes in what is posted and what is mailed.
const EARS: &str = r#"
import http.server, socketserver, threading
class Ear(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        open("/tmp/heard", "ab").write(self.rfile.read(int(self.headers["Content-Length"])) + b"\n")
        self.send_response(200)
        self.end_headers()
class Box(socketserver.StreamRequestHandler):
    def handle(self):
        say = lambda words: self.wfile.write(words + b"\r\n")
        say(b"220 here")
        for line in self.rfile:
            word = line.split()[0].upper()
            if word == b"DATA":
                say(b"354 go on")
                letter = b"".join(iter(self.rfile.readline, b".\r\n"))
                open("/tmp/mailed", "ab").write(letter)
            say(b"221 bye" if word == b"QUIT" else b"250 fine")
            if word == b"QUIT":
                return
threading.Thread(target=socketserver.TCPServer(("127.0.0.1", 25), Box).serve_forever, daemon=True).start()
http.server.HTTPServer(("127.0.0.1", 8099), Ear).serve_forever()
"#;
