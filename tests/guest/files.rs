//! The embedded programs are well formed, as far as tools can tell without running them.

use super::bed::{ENVIRONMENT, id};
use invenioils::site::{
    Role, Sort,
    guest::{Access, DocumentSource, Guest, user_data},
};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    io::Read,
    path::{Path, PathBuf},
    process::Command,
};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/site/guest/files")
}

fn names(keep: impl Fn(&str, &str) -> bool) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        let Ok(text) = std::fs::read_to_string(&path) else {
            continue;
        };
        if keep(path.file_name().unwrap().to_str().unwrap(), &text) {
            found.push(path);
        }
    }
    assert!(!found.is_empty());
    found
}

pub(super) fn has(program: &str) -> bool {
    let there = Command::new(program).arg("--version").output().is_ok();
    if !there {
        eprintln!("SKIPPED: {program} is not on this machine");
    }
    there
}

#[test]
fn every_python_program_compiles() {
    if !has("python3") {
        return;
    }
    for path in names(|name, _| name.ends_with(".py") || name == "invenio.cfg") {
        // without leaving a cache beside the sources
        let out = Command::new("python3")
            .args([
                "-Ic",
                "import sys; compile(open(sys.argv[1]).read(), sys.argv[1], 'exec')",
            ])
            .arg(&path)
            .output()
            .unwrap();
        assert!(
            out.status.success(),
            "{}",
            String::from_utf8_lossy(&out.stderr)
        );
    }
}

#[test]
fn every_shell_program_passes_shellcheck() {
    if !has("shellcheck") {
        return;
    }
    let mut all = names(|_, text| text.starts_with("#!/bin/sh") || text.starts_with("#!/bin/bash"));
    for name in ["machine", "make-root"] {
        all.push(
            PathBuf::from(env!("CARGO_MANIFEST_DIR"))
                .join("tests/guest")
                .join(name),
        );
    }
    for path in all {
        let out = Command::new("shellcheck").arg(&path).output().unwrap();
        assert!(
            out.status.success(),
            "{}",
            String::from_utf8_lossy(&out.stdout)
        );
    }
}

#[test]
fn every_unit_is_one_that_systemd_understands() {
    if !has("systemd-analyze") {
        return;
    }
    for path in names(|name, _| name.ends_with(".service") || name.ends_with(".timer")) {
        let text = std::fs::read_to_string(&path).unwrap();
        for section in [
            "[Unit]",
            if path.extension().is_some_and(|it| it == "timer") {
                "[Timer]"
            } else {
                "[Service]"
            },
        ] {
            assert!(
                text.lines().any(|line| line == section),
                "{} has no {section}",
                path.display()
            );
        }
        let folder = tempfile::tempdir().unwrap();
        let copy = folder.path().join(path.file_name().unwrap());
        // what it starts is on the machines, not here
        let there = text.lines().map(|line| {
            if line.starts_with("ExecStart=") {
                "ExecStart=/bin/true"
            } else {
                line
            }
        });
        std::fs::write(&copy, there.collect::<Vec<_>>().join("\n")).unwrap();
        let out = Command::new("systemd-analyze")
            .args(["verify", "--man=no", "--recursive-errors=no"])
            .arg(&copy)
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&out.stderr);
        let about: Vec<_> = told
            .lines()
            .filter(|line| {
                line.contains("Unknown")
                    || line.contains("Invalid")
                    || line.contains("Failed to parse")
            })
            .collect();
        assert!(about.is_empty(), "{about:?}");
    }
}

#[test]
fn every_package_is_pinned_by_its_version_and_by_the_sums_of_its_files() {
    for path in names(|name, _| name.starts_with("constraints-")) {
        let text = std::fs::read_to_string(&path).unwrap();
        for line in text.lines().filter(|it| !it.starts_with("# ")) {
            let (exact, sums) = line
                .split_once(" # ")
                .unwrap_or_else(|| panic!("no sums: {line}; see tests/tools/pins"));
            assert_eq!(exact.split("==").count(), 2, "{line}");
            for sum in sums.split(' ') {
                assert!([16, 43].contains(&sum.len()), "{line}");
            }
        }
    }
}

#[test]
fn a_file_of_a_pinned_package_is_known_or_built_here_whatever_it_is_called() {
    if !has("python3") {
        return;
    }
    let program = r#"
import hashlib, sys, tempfile
sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv[1])
import machine, release
built = tempfile.mkdtemp()
def digest(text):
    return hashlib.sha256(text.encode())
def line(what, *texts):
    return what + "".join(f" \\\n    --hash=sha256:{digest(text).hexdigest()}" for text in texts) + "\n"
def refused(lines, all_known=False):
    try:
        release.vetted(lines, built, known, all_known)
    except machine.Trouble as trouble:
        return "tested with" in str(trouble) and lines.split(" ")[0].strip() in str(trouble)
known = {"a-wheel": ("1.0", [release.short(digest("tested").digest())]), "a-source": ("2.0", ["x" * release.WHOLE])}
with open(f"{built}/a_source-2.0-py3-none-any.whl", "w") as file:
    file.write("built here")
ours = line("a-wheel==1.0", "of another system", "tested") + line("a-source==2.0", "built here")
users = line("of-a-user==3.0", "anything", "else") + "of-his-own @ git+https://example.org/own.git@0123\n"
given = release.vetted(ours + users, built, known, False).splitlines()
assert given == [line(what, *texts).replace("\\\n    ", "").strip() for what, texts in (
    ("a-wheel==1.0", ["tested"]), ("a-source==2.0", ["built here"]), ("of-a-user==3.0", ["anything", "else"]),
    ("of-his-own @ git+https://example.org/own.git@0123", []))], given
assert len(release.vetted(ours, built, known, True).splitlines()) == 2
assert refused(line("A.Wheel==1.0", "another")), "another file"
assert refused(line("a-wheel==1.0+local", "another")), "another name for the version"
assert refused(line("a_wheel==1.0")), "no sum"
assert refused("a-wheel @ https://example.org/a_wheel-1.0-py3-none-any.whl\n"), "from elsewhere"
assert refused(line("a-source==2.0", "another")), "the name of what was built here"
assert refused(line("unheard-of==3.0", "anything"), all_known=True), "what nothing of ours needs"
"#;
    runs(program, None);
}

#[test]
fn an_archive_is_unpacked_only_if_its_publishers_key_signed_it() {
    if !["python3", "gpg", "gpgv"].into_iter().all(has) {
        return;
    }
    let program = r##"
import os, subprocess, sys, tempfile
sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv[1])
import machine, opensearch_release
home = tempfile.mkdtemp()
# gpg gives an agent that it starts itself five seconds, which is not enough on a busy machine
subprocess.run(["gpg-agent", "--homedir", home, "--quiet", "--daemon"], check=True)
def gpg(*command):
    command = ["gpg", "--homedir", home, "--batch", "--quiet", "--pinentry-mode", "loopback", "--passphrase", "", *command]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
def key(name, *more, ends="never"):
    gpg(*more, "--quick-gen-key", name, "ed25519", "sign", ends)
    listed = gpg("--with-colons", "--list-keys", name).splitlines()
    return next(line.split(":")[9] for line in listed if line.startswith("fpr"))
def file(name, data=b""):
    with open(f"{home}/{name}", "wb") as out:
        out.write(data)
    return f"{home}/{name}"
archive = file("archive.tar.gz", os.urandom(100_000))
def signature(by, *more):
    gpg("--yes", *more, "--local-user", by, "--output", f"{home}/sig", "--detach-sign", archive)
    return f"{home}/sig"
def published(fingerprint, *how):
    return file("key", subprocess.run(["gpg", "--homedir", home, *how, "--export", fingerprint], check=True, stdout=subprocess.PIPE).stdout)
def refused(signature, key, fingerprint):
    try:
        opensearch_release.vouched("https://there/archive", archive, signature, key, fingerprint)
    except machine.Trouble as trouble:
        return fingerprint in str(trouble) and "#sha256" in str(trouble)
ours, others = key("ours"), key("others")
# A faked clock begins anew with each call and goes on from there: the key must be older whatever its making took.
past, later = (["--faked-system-time", f"2024010{day}T000000"] for day in (1, 2))
ended = key("ended", *past, ends="1y")
for how in ([], ["--armor"]):
    assert not refused(signature(ours), published(ours, *how), ours), "signed"
    assert not refused(signature(ended, *later), published(ended, *how), ended), "its key has ended since then"
    assert refused(signature(others), published(others, *how), ours), "another key"
    assert refused(signature(others), published(ours, *how), ours), "a key that is not there"
    assert refused(file("none"), published(ours, *how), ours), "no signature"
assert refused(signature(ours), file("key", b"<html>nothing here</html>"), ours), "no key"
signed = signature(ours)
with open(archive, "ab") as out:
    out.write(b"!")
assert refused(signed, published(ours), ours), "tampered"
subprocess.run(["gpgconf", "--homedir", home, "--kill", "all"])
"##;
    runs(program, None);
}

#[test]
fn a_certificate_that_ends_is_told_of_twice() {
    if !["python3", "openssl"].into_iter().all(has) {
        return;
    }
    let program = r#"
import json, os, socket, ssl, subprocess, sys, tempfile, threading, time, types
sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv[1])
import alerts, expiry, machine
home = tempfile.mkdtemp()
told, looks, shown = [], [], {}
alerts.send = lambda title, words: told.append(words)
def write(path, text):
    with open(path, "w") as file:
        file.write(text)
machine.write = write
expiry.KEPT = f"{home}/kept"
listener = socket.create_server(("127.0.0.1", 0))
expiry.PORT = listener.getsockname()[1]
def serve():
    while True:
        peer, _ = listener.accept()
        looks.append(peer)
        try:
            shown["context"].wrap_socket(peer, server_side=True).close()
        except OSError:
            pass
threading.Thread(target=serve, daemon=True).start()
def show(days):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=it", "-days", str(days),
                    "-keyout", f"{home}/key", "-out", f"{home}/cert"], check=True, capture_output=True)
    shown["context"] = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    shown["context"].load_cert_chain(f"{home}/cert", f"{home}/key")
def day():
    """A day later, and once more within it."""
    if os.path.exists(expiry.KEPT):
        write(expiry.KEPT, json.dumps({**machine.read_json(expiry.KEPT), "looked": time.time() - 86401}))
    before = len(told), len(looks)
    for _ in range(2):
        expiry.watch(types.SimpleNamespace(thing={"hostname": "localhost"}))
    assert len(looks) <= before[1] + 1, "one look a day"
    return told[before[0]:]
show(60)
assert day() == [], "there is time"
show(10)
first, again = day(), day()
assert len(first) == 1 and "https://localhost ends on 20" in first[0] and "terraform apply" in first[0], first
assert again == [], "told once"
show(2)
assert len(day()) == 1, "it comes near"
assert day() == [], "told once"
show(60)
assert day() == [], "renewed"
show(10)
assert len(day()) == 1, "another one"
listener.close()
expiry.PORT = 9
assert day() == [], "nobody answers"
"#;
    runs(program, None);
}

/// What comes to lie on a machine is the program that lies here, but for its comments and docstrings.
#[test]
fn programs_on_machines_do_what_these_do() {
    if !has("python3") {
        return;
    }
    let laid = tempfile::tempdir().unwrap();
    for role in Role::ALL {
        let guest = Guest {
            environment: ENVIRONMENT.parse().unwrap(),
            thing: id(Sort::Service, "it"),
            role,
            index: 0,
            source: DocumentSource::Metadata,
        };
        let access = Access::Inline(BTreeMap::new());
        let packed = user_data(&guest, &access);
        let mut text = String::new();
        flate2::read::GzDecoder::new(packed.bytes())
            .read_to_string(&mut text)
            .unwrap();
        let config: Value =
            serde_json::from_str(text.strip_prefix("#cloud-config\n").unwrap()).unwrap();
        for file in config["write_files"].as_array().unwrap() {
            let name = file["path"].as_str().unwrap().rsplit_once('/').unwrap().1;
            if name.ends_with(".py") {
                let text = file["content"].as_str().unwrap();
                std::fs::write(laid.path().join(name), text).unwrap();
            }
        }
    }
    let program = r#"
import ast, os, sys
here, there = sys.argv[1:]
names = sorted(name for name in os.listdir(here) if name.endswith(".py") and name != "operate.py")
assert names == sorted(os.listdir(there)), os.listdir(there)
SAID = ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef
def tree(*path):
    program = ast.parse(open(os.path.join(*path)).read())
    for node in ast.walk(program):
        if isinstance(node, SAID) and ast.get_docstring(node) is not None and node.body[1:]:
            del node.body[0]
    return ast.dump(program)
for name in names:
    assert tree(here, name) == tree(there, name), name
"#;
    runs(program, Some(laid.path()));
}

/// A program of a test, which is told where ours lie.
pub(super) fn runs(program: &str, more: Option<&Path>) {
    let out = Command::new("python3")
        .args(["-c", program])
        .arg(folder())
        .args(more)
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&out.stderr);
    assert!(out.status.success(), "{told}");
}
