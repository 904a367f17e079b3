//! The cloud's own processes, stopped and started again.

use super::calls::folder;
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{Mutex, MutexGuard, PoisonError},
    thread::sleep,
    time::{Duration, Instant},
};

/// All that are stopped at the moment.
static AWAY: Mutex<Vec<&'static str>> = Mutex::new(Vec::new());

fn away() -> MutexGuard<'static, Vec<&'static str>> {
    AWAY.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A process that was stopped. It starts again with this value's end, so that a test that fails leaves a whole cloud.
pub struct Stopped(&'static str);

impl Stopped {
    /// Asks it to end, and waits until it has: work that is under way is finished, as on a host that is taken out for
    /// maintenance.
    pub fn stop(name: &'static str) -> Self {
        let pid = fs::read_to_string(pid_file(name)).expect("the cloud runs it");
        let process = PathBuf::from("/proc").join(pid.trim());
        let group = format!("-{}", pid.trim());
        away().push(name);
        let stopped = Self(name);
        let began = Instant::now();
        let mut signal = "-TERM";
        while process.exists() {
            let _ = Command::new("kill").args([signal, "--", &group]).output();
            // It is asked once, and not so kindly when it has had a minute.
            signal = if began.elapsed() > Duration::from_secs(60) {
                "-KILL"
            } else {
                "-0"
            };
            assert!(
                began.elapsed() < Duration::from_secs(70),
                "{name} does not end"
            );
            sleep(Duration::from_millis(200));
        }
        stopped
    }
}

impl Drop for Stopped {
    /// The script that brings the cloud up starts what does not run, and waits until it answers.
    fn drop(&mut self) {
        away().retain(|it| *it != self.0);
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/openstack/openstack-up");
        let booting =
            fs::read_to_string(folder().join("mode")).is_ok_and(|it| it.trim() == "machines");
        let mut command = Command::new(script);
        command
            .arg("--start")
            .stdin(Stdio::null())
            .env_remove("OSDEV_MACHINES");
        command.env("OSDEV_AWAY", away().join(" "));
        if booting {
            command.env("OSDEV_MACHINES", "1");
        }
        let done = command.output().expect("the script runs");
        if !done.status.success() {
            eprintln!(
                "{} does not start again: {}",
                self.0,
                String::from_utf8_lossy(&done.stdout)
            );
        }
    }
}

fn pid_file(name: &str) -> PathBuf {
    folder().join(format!("{name}.pid"))
}

/// Makes the services forget which tokens they have found good, so that a revoked one is refused at once.
pub fn forget_tokens() {
    use std::io::Write;
    let mut memcached = std::net::TcpStream::connect("127.0.0.1:11211").expect("memcached");
    memcached
        .write_all(b"flush_all\r\nquit\r\n")
        .expect("memcached is told");
    let _ = std::io::Read::read_to_end(&mut memcached, &mut Vec::new());
}
