//! What a backup must not take for good, tried on the programs themselves: half an upload, half a download, a program that is
//! gone, a word that did not arrive.

use super::files::{has, runs};

/// An object store that answers with what `answers` has for a method and a path.
const STORE: &str = r#"
import http.server, os, signal, sys, tempfile, threading, time
sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv[1])
import bucket, machine
# what hangs fails
signal.alarm(60)
answers, asked = {}, []
class Store(http.server.BaseHTTPRequestHandler):
    def answer(self):
        self.rfile.read(int(self.headers["Content-Length"] or 0))
        path, _, query = self.path.partition("?")
        asked.append(self.command + " " + query.partition("=")[0])
        code, body, told = answers[self.command, path, query.partition("=")[0]]
        self.send_response(code)
        self.send_header("ETag", '"e"')
        self.send_header("Content-Length", str(len(body) if told is None else told))
        self.end_headers()
        self.wfile.write(body)
    do_GET = do_PUT = do_POST = do_DELETE = answer
    def log_message(self, *_):
        pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Store)
threading.Thread(target=server.serve_forever, daemon=True).start()
plan = {"endpoint": f"http://127.0.0.1:{server.server_port}", "bucket": "b", "region": "r", "access_key": "k", "secret_key": "s"}
store = bucket.Bucket(plan)
def refused(word, act):
    begun = time.monotonic()
    try:
        act()
    except machine.Trouble as trouble:
        assert word in str(trouble), trouble
        return time.monotonic() - begun < 20
"#;

fn on_a_store(program: &str) {
    if has("python3") {
        runs(&format!("{STORE}{program}"), None);
    }
}

#[test]
fn an_upload_that_the_store_could_not_put_together_is_none() {
    on_a_store(
        r#"
import io
bucket.PART = 10
answers["POST", "/b/it", "uploads"] = 200, b"<R><UploadId>u</UploadId></R>", None
answers["PUT", "/b/it", "partNumber"] = 200, b"", None
answers["DELETE", "/b/it", "uploadId"] = 204, b"", 0
def end(body):
    answers["POST", "/b/it", "uploadId"] = 200, body, None
    return store.write_stream("it", io.BytesIO(b"x" * 25))
assert end(b'<?xml version="1.0"?> \n <R xmlns="urn:x"><ETag>e</ETag></R>')[0] == 25
assert "DELETE uploadId" not in asked
for body, word in ((b"<Error><Code>InternalError</Code></Error>", "InternalError"), (b"", "cannot be read"), (b"<R/>", "no word")):
    assert refused(word, lambda: end(body)), body
    assert asked.pop() == "DELETE uploadId", "its parts go"
answers["DELETE", "/b/it", "uploadId"] = 404, b"", None
assert refused("InternalError", lambda: end(b"<Error><Code>InternalError</Code></Error>")), "the first failure is told"
"#,
    );
}

#[test]
fn a_download_that_breaks_off_is_not_the_whole() {
    on_a_store(
        r#"
import backup_files, hashlib, json
answers["GET", "/b/it", ""] = 200, b"all of it", None
assert store.read("it") == b"all of it"
answers["GET", "/b/it", ""] = 200, b"", None
assert store.read("it") == b""
answers["GET", "/b/it", ""] = 200, b"half", 9
assert refused("4 of 9", lambda: store.read("it"))
# nothing goes on the word of a list that is not what it was
gone = []
store.contents = lambda _: {"f/files/a": 1, "f/files/b": 1}
store.delete = gone.append
line = json.dumps({"name": "f/files/a"}).encode()
kept = [{"object": "it", "sha256": hashlib.sha256(line).hexdigest()}]
for body, told in ((line, len(line) + 1), (b"", None), (line.replace(b"a\"", b"b\""), None)):
    answers["GET", "/b/it", ""] = 200, body, told
    assert refused("it", lambda: backup_files.forget(plan, store, "f", kept)) and gone == [], gone
answers["GET", "/b/it", ""] = 200, line, None
backup_files.forget(plan, store, "f", kept)
assert gone == ["f/files/b"], gone
"#,
    );
}

#[test]
fn programs_that_feed_each_other_end_together() {
    on_a_store(
        r#"
import backup_what
piped = backup_what.piped
with piped("it", ["echo", "momo"], [], ["tr", "m", "M"]) as stream:
    assert stream.read() == b"MoMo\n"
endless = ["cat", "/dev/zero"]
def upload(*programs):
    with piped("it", *programs) as stream:
        store.write_stream("it", stream)
answers["POST", "/b/it", "uploads"] = 403, b"", None
assert refused("403", lambda: upload(endless, ["cat"])), "the store"
assert refused("403", lambda: upload(endless)), "the store, alone"
answers["PUT", "/b/it", ""] = 200, b"", None
assert refused("`false` ended with 1", lambda: upload(endless, ["false"])), "the second"
assert refused("`false` ended with 1", lambda: upload(["false"], ["cat"])), "the first"
target = tempfile.mkdtemp() + "/it"
last = ["dd", "of=" + target, "status=none"]
def download(*programs, then=None):
    with piped("it", *programs, into=True) as stream:
        for _ in range(10):
            stream.write(bytes(1 << 20))
        if then:
            raise then
download(["cat"], last)
assert os.path.getsize(target) == 10 << 20
for programs in ((["cat"], ["false"]), (["false"], last), (["false"],)):
    assert refused("`false` ended with 1", lambda: download(*programs)), programs
assert refused("gone", lambda: download(["cat"], last, then=machine.Trouble("gone"))), "the store"
"#,
    );
}

#[test]
fn a_failure_of_any_kind_is_told_and_no_secret_with_it() {
    on_a_store(
        r#"
import alerts, backup, role_database
told, notes = [], []
alerts.send = lambda title, words: told.append(words)
backup.note = lambda name, **facts: notes.append(facts)
bucket.time.sleep = lambda _: None
it = {**plan, "role": "database", "service": "d", "environment": "e", "node": "d-0", "prefix": "", "recipients": []}
def says(words):
    role_database.run = lambda *_, **__: words
for act in (backup.make, backup.rehearse):
    says("")
    assert act("p", it) == 1 and "does not answer" in told.pop()
    says("t\n")
    notes.clear()
    assert act("p", it) == 0 and not told and not notes, "another node does it"
says("f\n")
server.shutdown()
server.server_close()
assert backup.rehearse("p", it) == 1 and "Connection refused" in told.pop()
def fault(kind):
    raise kind("secret")
for kind in (KeyError, StopIteration, SyntaxError):
    assert backup.attempt(it, "backup", "x", lambda: fault(kind)) == 1
    assert kind.__name__ in told[0] and "secret" not in told.pop()
"#,
    );
}

#[test]
fn what_a_restore_that_was_cut_short_left_is_finished_by_the_next() {
    on_a_store(
        r#"
import backup_what
backup_what.DATA = tempfile.mkdtemp()
files = backup_what.DATA + "/files"
os.makedirs(files + "/aa")
def write(name, text):
    with open(f"{files}/{name}", "w") as file:
        file.write(text)
def read(name):
    return open(f"{files}/{name}").read()
for name in ("whole", "cut", "aa/lost"):
    write(name, name * 1000)
with backup_what.piped("it", backup_what.writer({"role": "storage"})) as stream, open(backup_what.DATA + "/tar", "wb") as out:
    out.write(stream.read())
write("cut", "cu")
write("newer", "newer")
os.unlink(files + "/aa/lost")
before = os.stat(files + "/whole").st_ino
assert backup_what.restore_storage(backup_what.DATA + "/tar", True) == "3 files" and read("cut") == "cu", "a rehearsal"
assert backup_what.restore_storage(backup_what.DATA + "/tar", False) == "3 files"
assert all(read(name) == name * 1000 for name in ("whole", "cut", "aa/lost")) and read("newer") == "newer"
assert os.stat(files + "/whole").st_ino == before, "it stayed"
"#,
    );
}

#[test]
fn an_alert_that_did_not_arrive_is_told_later() {
    if !has("python3") {
        return;
    }
    let program = r#"
import http.server, json, os, sys, tempfile, threading, time
sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv[1])
import alerts, machine
home = tempfile.mkdtemp()
def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        file.write(text)
machine.write = write
alerts.WHO, alerts.ILL, alerts.UNTOLD = f"{home}/who", f"{home}/ill", f"{home}/untold"
heard, open_ears = [], [False]
class Ear(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        said = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["text"]
        good = self.path == "/good" or self.path == "/late" and open_ears[0]
        if good:
            heard.append((self.path, said))
        self.send_response(200 if good else 503)
        self.end_headers()
    def log_message(self, *_):
        pass
server = http.server.HTTPServer(("127.0.0.1", 0), Ear)
threading.Thread(target=server.serve_forever, daemon=True).start()
place = f"http://127.0.0.1:{server.server_port}"
write(alerts.WHO, json.dumps({"hooks": [f"{place}/never", f"{place}/late", f"{place}/good"], "environment": "it"}))
def later(seconds):
    for name in alerts.untold():
        path = f"{alerts.UNTOLD}/{name}"
        then = os.stat(path).st_mtime - seconds
        os.utime(path, (then, then))
converge = lambda: alerts.watch({"name": "n", "environment": "it"}, "ready", "")
alerts.send("first", "one")
alerts.send("second", "two")
assert heard == [("/good", "one"), ("/good", "two")], heard
heard.clear()
converge()
open_ears[0] = True
converge()
assert heard == [], "not yet"
later(alerts.AGAIN)
converge()
assert [(path, said[:16]) for path, said in heard] == [("/late", "one (this was at"), ("/late", "two (this was at")], heard
heard.clear()
later(alerts.AGAIN)
converge()
assert heard == [] and len(alerts.untold()) == 2, "told once"
write(alerts.WHO, json.dumps({"hooks": [f"{place}/good"], "environment": "it"}))
later(alerts.AGAIN)
converge()
assert heard == [] and alerts.untold() == [], "nobody waits for it any more"
write(alerts.WHO, json.dumps({"hooks": [f"{place}/never"], "environment": "it"}))
for n in range(alerts.MOST + 3):
    alerts.send("t", str(n))
assert len(alerts.untold()) == alerts.MOST
"#;
    runs(program, None);
}
