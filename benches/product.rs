//! What the provider costs: start, memory and size of the binary, and an installation's calls, seconds and memory.
//!
//! Printed for people; the limits that must hold are asserted by the tests. The part that needs the test cloud is left out,
//! and said to be, where there is none.

// The harness is the tests' own, and a bench uses half of it.
#![allow(dead_code, clippy::print_stdout)]

#[path = "../tests/openstack/api.rs"]
mod api;
#[path = "../tests/openstack/calls.rs"]
mod calls;
#[path = "../tests/openstack/inventory.rs"]
mod inventory;
#[path = "../tests/openstack/project.rs"]
mod project;
#[path = "../tests/terraform/workspace.rs"]
mod workspace;

use calls::Counter;
use project::Project;
use std::{
    fs,
    io::{BufRead, BufReader},
    process::{Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};
use workspace::Workspace;

const BINARY: &str = env!("CARGO_BIN_EXE_terraform-provider-invenioils");
const NAME: &str = "terraform-provider-invenioils";
const COOKIE: &str = "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2";

fn main() {
    start();
    installation();
}

/// From exec to the handshake's line, and what the process holds then.
fn start() {
    let mut took = Vec::new();
    let mut memory = Vec::new();
    for _ in 0..40 {
        let began = Instant::now();
        let mut child = Command::new(BINARY)
            .env("TF_PLUGIN_MAGIC_COOKIE", COOKIE)
            .env("PLUGIN_PROTOCOL_VERSIONS", "6")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the provider starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("a pipe"))
            .read_line(&mut line)
            .expect("a handshake");
        took.push(began.elapsed());
        assert!(line.starts_with("1|6|unix|"), "a handshake: {line}");
        memory.push(kib(child.id(), "VmRSS"));
        let _ = child.kill();
        let _ = child.wait();
    }
    took.sort();
    memory.sort_unstable();
    let size = fs::metadata(BINARY).expect("the binary").len();
    println!(
        "start to handshake   {:>8.2} ms   median of 40 (best {:.2})",
        took[20].as_secs_f64() * 1e3,
        took[0].as_secs_f64() * 1e3
    );
    println!(
        "memory then          {:>8.1} MiB",
        memory[20] as f64 / 1024.0
    );
    println!("size of the binary   {:>8.1} MB", size as f64 / 1e6);
}

/// A line of `/proc/<pid>/status`.
fn kib(pid: u32, what: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix(what)?.strip_prefix(':'));
    line.and_then(|it| it.split_whitespace().next()?.parse().ok())
        .unwrap_or_default()
}

/// Seconds that the processors together were idle since the machine started.
fn idle() -> f64 {
    let stat = fs::read_to_string("/proc/stat").unwrap_or_default();
    let fields: Vec<f64> = stat
        .lines()
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .skip(1)
        .filter_map(|it| it.parse().ok())
        .collect();
    // Idle, and waiting for a disk; a hundred ticks a second on every Linux that Terraform runs on.
    (fields.get(3).unwrap_or(&0.0) + fields.get(4).unwrap_or(&0.0)) / 100.0
}

/// Watches the provider's processes while something runs: their CPU seconds and the most memory that one held.
struct Watch {
    end: Arc<AtomicBool>,
    thread: thread::JoinHandle<(f64, f64)>,
}

impl Watch {
    fn start() -> Self {
        let end = Arc::new(AtomicBool::new(false));
        let done = Arc::clone(&end);
        let thread = thread::spawn(move || {
            let mut seen = std::collections::BTreeMap::<u32, (f64, f64)>::new();
            while !done.load(Ordering::Relaxed) {
                for pid in providers() {
                    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
                    let after = stat.rsplit(')').next().unwrap_or_default();
                    let ticks: f64 = after
                        .split_whitespace()
                        .skip(11)
                        .take(2)
                        .filter_map(|it| it.parse::<f64>().ok())
                        .sum();
                    let entry = seen.entry(pid).or_default();
                    *entry = (
                        entry.0.max(ticks / 100.0),
                        entry.1.max(kib(pid, "VmHWM") as f64 / 1024.0),
                    );
                }
                thread::sleep(Duration::from_millis(50));
            }
            let most = seen.values().map(|(_, memory)| *memory).fold(0.0, f64::max);
            (seen.values().map(|(cpu, _)| cpu).sum(), most)
        });
        Self { end, thread }
    }
    fn stop(self) -> (f64, f64) {
        self.end.store(true, Ordering::Relaxed);
        self.thread.join().expect("the watch ends")
    }
}

fn providers() -> Vec<u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_string_lossy().parse::<u32>().ok());
    pids.filter(|pid| {
        fs::read_link(format!("/proc/{pid}/exe"))
            .is_ok_and(|path| path.to_string_lossy().contains(NAME))
    })
    .collect()
}

/// The north-star installation on the test cloud: apply, empty plan, destroy.
fn installation() {
    if std::net::TcpStream::connect("127.0.0.1:5000").is_err() {
        println!(
            "SKIPPED: no OpenStack on 127.0.0.1; `tests/openstack/openstack-up` brings one up"
        );
        return;
    }
    let project = Project::new();
    let mut workspace = Workspace::example("openstack");
    workspace.write("clouds.yaml", &project.clouds_yaml());
    let file = workspace.path("clouds.yaml").display().to_string();
    for (name, value) in [
        ("OS_CLIENT_CONFIG_FILE", file.as_str()),
        ("OS_CLOUD", "library"),
        ("TF_APPEND_USER_AGENT", project.name.as_str()),
        ("TF_VAR_external_network", "public"),
        ("TF_VAR_deletion_protection", "false"),
        ("TF_LOG_PROVIDER", "OFF"),
    ] {
        workspace.set(name, value);
    }
    let processors = thread::available_parallelism().map_or(1, usize::from) as f64;
    println!(
        "\n{:<12} {:>6} {:>8} {:>8} {:>9} {:>9}   calls by service",
        "", "calls", "wall s", "idle s", "CPU s", "peak MiB"
    );
    for (what, arguments) in [
        ("apply", &["apply", "-auto-approve"][..]),
        ("empty plan", &["plan", "-detailed-exitcode"]),
        ("destroy", &["destroy", "-auto-approve"]),
    ] {
        let (counter, watch, before) = (Counter::start(&project.name), Watch::start(), idle());
        let done = workspace.run(arguments).ok();
        let idle = (idle() - before) / processors;
        let (cpu, memory) = watch.stop();
        let services: Vec<_> = counter
            .by_service()
            .into_iter()
            .map(|(service, calls)| format!("{service} {calls}"))
            .collect();
        println!(
            "{what:<12} {:>6} {:>8.1} {idle:>8.1} {cpu:>9.2} {memory:>9.1}   {}",
            counter.total(),
            done.took.as_secs_f64(),
            services.join(", ")
        );
    }
}
