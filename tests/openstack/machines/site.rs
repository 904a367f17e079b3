//! One library on machines: the example applied, and hands to look into it.

use super::{
    Project,
    inside::{fed, good, here, output, start},
    loud, osdev,
};
use crate::{
    guest::opensearch_archive,
    openstack::{north_star, project::text},
    terraform::Workspace,
};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    io::Write,
    path::{Path, PathBuf},
    process::{Child, Command},
    time::{Duration, Instant},
};

/// Machines know this host by an address of the outside world; packages and archives come from here.
const MIRROR: &str = "http://203.0.113.1:3128";
/// The name that APIs have inside and outside.
const API: &str = "api.osdev.test";
pub const ENVIRONMENT: &str = "library";

pub struct Site {
    pub workspace: Workspace,
    pub project: Project,
    pub(super) people: Value,
}

/// Someone who asks the site every two seconds until this is stopped.
pub struct Watch(Child);

/// How people fared meanwhile, in seconds on end.
pub struct Outage {
    /// Each request failed.
    failed: f64,
    /// Nobody was answered, be it that requests failed or that one waited.
    silent: f64,
    said: String,
}

impl Outage {
    /// A line of the table, and a failure where it was longer than these.
    #[track_caller]
    pub fn noted(&self, what: &str, failed: f64, silent: f64) {
        note(
            &format!("{what}: requests failed / nobody was answered for at most"),
            &format!("{} s / {} s", self.failed, self.silent),
        );
        assert!(
            self.failed <= failed && self.silent <= silent,
            "{what}: an outage: {}",
            self.said
        );
    }
}

impl Watch {
    pub fn stop(self) -> Outage {
        let pid = self.0.id().to_string();
        let _ = Command::new("kill").args(["-TERM", &pid]).output();
        let out = self.0.wait_with_output().expect("a probe");
        let said: Value = serde_json::from_slice(&out.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&out.stderr)));
        assert!(said["asked"].as_u64() > Some(0), "{said}");
        let seconds = |name: &str| said[name].as_f64().expect("seconds");
        Outage {
            failed: seconds("failed"),
            silent: seconds("longest"),
            said: said.to_string(),
        }
    }
}

impl Site {
    /// The example, not yet applied, in a network of its own. None: something that machines need cannot be had here.
    pub fn new() -> Option<Self> {
        let archive = osdev().join("mirror/opensearch.tar.gz");
        std::fs::create_dir_all(archive.parent()?).expect("a folder");
        if !opensearch_archive(&archive) {
            return None;
        }
        let pin = sum(&archive);
        let project = Project::booting();
        let workspace = north_star(&project);
        workspace.write("clouds.yaml", &project.clouds_yaml_at(API));
        // Networks of this cloud's machines must not overlap, and a failed test may leave its own.
        let number = std::process::id();
        let cidr = format!("10.{}.{}.0/24", 128 + number / 256 % 100, number % 256);
        workspace.edit("network = {", &format!("network = {{ cidr = \"{cidr}\","));
        workspace.edit(
            "  dns     =",
            &format!(
                "  packages = {{ opensearch_url = \"{MIRROR}/opensearch.tar.gz#sha256={pin}\" }}\n  dns     ="
            ),
        );
        let people = json!({
            "librarian": { "email": "librarian@example.org", "password": "a-librarian-of-tests" },
            "patron": { "email": "patron@example.org", "password": "a-patron-of-tests" },
        });
        Some(Self {
            workspace,
            project,
            people,
        })
    }

    /// A user interface of one page, as an archive that machines can fetch.
    pub fn with_frontend(self, words: &str) -> Self {
        let work = tempfile::tempdir().expect("a folder");
        let page = format!("<!doctype html><html><body>{words}</body></html>\n");
        std::fs::write(work.path().join("index.html"), page).expect("a file");
        let archive = osdev().join("mirror/frontend.tar.gz");
        let packed = Command::new("tar")
            .arg("-czf")
            .arg(&archive)
            .arg("-C")
            .arg(work.path())
            .arg(".")
            .status();
        assert!(packed.is_ok_and(|it| it.success()), "tar");
        let sum = sum(&archive);
        self.workspace.edit(
            "  worker         =",
            &format!("  frontend = {{ archive_url = \"{MIRROR}/frontend.tar.gz\", sha256 = \"{sum}\" }}\n  worker         ="),
        );
        self
    }

    /// Applies, and waits until every machine reports that it is ready. The times of both.
    pub fn up(&self) -> (Duration, Duration) {
        let began = Instant::now();
        let applied = self.workspace.apply();
        self.ready(600);
        (applied.took, began.elapsed())
    }

    /// Servers by the host name that they have inside: `database-0`, `ils-web-1`.
    pub fn servers(&self) -> BTreeMap<String, String> {
        let list = self.project.api().list("compute", "/servers", "servers");
        let known = list.iter().filter_map(|it| {
            let name = text(&it["name"]);
            Some((
                name.strip_prefix(&format!("{ENVIRONMENT}-"))?.to_owned(),
                text(&it["id"]),
            ))
        });
        known.collect()
    }

    pub(super) fn folder(&self, name: &str) -> PathBuf {
        let servers = self.servers();
        let id = servers
            .get(name)
            .unwrap_or_else(|| panic!("no machine {name}: {servers:?}"));
        osdev().join("var/nova/instances").join(id)
    }

    /// What a machine last said of itself.
    pub fn report(&self, name: &str) -> Value {
        report(&self.folder(name))
    }

    /// Those that do tasks.
    pub fn workers(&self) -> Vec<String> {
        let servers = self.servers().into_keys();
        servers.filter(|it| it.starts_with("ils-worker-")).collect()
    }

    /// Whether this worker says that it has the scheduler.
    pub fn schedules(&self, worker: &str) -> bool {
        self.report(worker)["scheduler"] == true
    }

    /// Waits until every machine reports that it is ready.
    pub fn ready(&self, seconds: u64) {
        let end = Instant::now() + Duration::from_secs(seconds);
        loop {
            let found = self.servers();
            let reports: Vec<_> = found
                .iter()
                .map(|(name, id)| (name, report(&osdev().join("var/nova/instances").join(id))))
                .collect();
            let not = reports.iter().filter(|(_, it)| it["state"] != "ready");
            let not: Vec<_> = not.map(|(name, it)| format!("{name}: {it}")).collect();
            if not.is_empty() && !reports.is_empty() {
                return;
            }
            assert!(
                Instant::now() < end,
                "not ready after {seconds} s:\n{}",
                not.join("\n")
            );
            std::thread::sleep(Duration::from_secs(2));
        }
    }

    fn probing(&self, words: &[&str], more: Value) -> (Command, Value) {
        let outputs = self.workspace.json(&["output", "-json"]);
        let certificate = self.workspace.attributes("invenioils_certificate.this");
        self.workspace
            .write("ca.pem", &text(&certificate["certificate_pem"]));
        let mut wish = json!({
            "url": outputs["url"]["value"], "address": outputs["public_address"]["value"],
            "ca": self.workspace.path("ca.pem"), "people": self.people,
        });
        if let (Some(wish), Some(more)) = (wish.as_object_mut(), more.as_object()) {
            wish.extend(more.clone());
        }
        let mut command = outside();
        command.arg("python3").arg(here("probe.py")).args(words);
        (command, wish)
    }

    /// What people do at the site, through its balancer: see `probe.py`.
    #[track_caller]
    pub fn probe(&self, verb: &str, more: Value) -> Value {
        let (mut command, wish) = self.probing(&[verb], more);
        let out = fed(&mut command, &wish);
        assert!(
            out.status.success(),
            "{verb}: {}",
            String::from_utf8_lossy(&out.stderr)
        );
        serde_json::from_slice(&out.stdout).expect("a probe's answer")
    }

    /// Whether it goes well, this once.
    pub fn answers(&self, verb: &str) -> bool {
        let (mut command, wish) = self.probing(&[verb], Value::Null);
        fed(&mut command, &wish).status.success()
    }

    /// Someone who asks all the time, from now on.
    pub fn watch(&self) -> Watch {
        let (mut command, wish) = self.probing(&["watch"], Value::Null);
        Watch(start(&mut command, &wish))
    }

    /// Which of these places answer to somebody in this machine; None: to somebody out in the world.
    pub fn reached(&self, from: Option<&str>, places: &[(String, u16)]) -> Vec<(String, u16)> {
        let program = std::fs::read_to_string(here("reach.py")).expect("a program");
        let mut command = from.map_or_else(outside, |name| self.command(name));
        command.args(["python3", "-c", &program]);
        let out = fed(&mut command, &json!(places));
        serde_json::from_str(&good(&out)).expect("places")
    }

    /// What each machine has to say, for whoever reads of a failure.
    fn told(&self) -> String {
        let words = self.servers().into_keys().map(|name| {
            let last = "journalctl -u invenioils-converge --no-pager -o cat -n 15";
            let last = self.try_shell(&name, last);
            format!(
                "{name}: {}\n{}\n",
                self.report(&name),
                last.as_deref().unwrap_or("it does not run")
            )
        });
        words.collect()
    }

    /// Ends it, and sees that nothing is left in the project.
    pub fn down(self) {
        self.workspace.destroy();
        let left = self.project.inventory();
        for kind in ["server", "volume", "network", "load_balancer", "port"] {
            assert!(left.all(kind).is_empty(), "left: {:?}", left.names(kind));
        }
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        // Machines take what others need: they do not outlive their test, unless somebody wants to look at them.
        if std::thread::panicking() && std::env::var_os("KEEP_CLOUD").is_none() {
            let told = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| self.told()));
            loud(&told.unwrap_or_else(|_| "the machines tell nothing".to_owned()));
            self.workspace.run(&["destroy", "-auto-approve"]);
        }
    }
}

pub fn seconds(time: Duration) -> String {
    format!("{} s", time.as_secs())
}

/// One line of the table of what machines did.
pub fn note(what: &str, figure: &str) {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("guests.tsv");
    let file = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(path);
    let _ = file.map(|mut file| writeln!(file, "{what}\t{figure}"));
    loud(&format!("{what}: {figure}"));
}

/// Where the world is, for the machines of this cloud.
fn outside() -> Command {
    let mut command = Command::new("ip");
    command.args(["netns", "exec", "osdev"]);
    command
}

fn report(folder: &Path) -> Value {
    let console = std::fs::read(folder.join("console.log")).unwrap_or_default();
    let console = String::from_utf8_lossy(&console);
    let mut reports = console
        .lines()
        .filter_map(|line| line.split_once("invenioils-status: "))
        .filter_map(|(_, json)| serde_json::from_str(json.trim()).ok());
    reports.next_back().unwrap_or_default()
}

/// SHA-256.
fn sum(file: &Path) -> String {
    let told = output(Command::new("sha256sum").arg(file));
    told.split_whitespace()
        .next()
        .unwrap_or_default()
        .to_owned()
}
