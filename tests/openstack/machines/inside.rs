//! Inside a machine, from the outside: what its root would run there.

use super::Site;
use serde_json::{Value, json};
use std::{
    io::Write,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};

/// Where the application's programs are, and the ways of its own user.
const APPLICATION: &str = "cd / && exec setpriv --reuid=ils --regid=ils --init-groups env HOME=/var/lib/ils INVENIO_INSTANCE_PATH=/var/lib/ils/instance \
     PYTHONWARNINGS=ignore /opt/ils/current/venv/bin";

impl Site {
    /// A command in a machine, as its root would run it.
    pub fn command(&self, name: &str) -> Command {
        self.try_command(name)
            .unwrap_or_else(|| panic!("{name} does not run"))
    }

    fn try_command(&self, name: &str) -> Option<Command> {
        let keeper = std::fs::read_to_string(self.folder(name).join("pid")).ok()?;
        let keeper = keeper.trim();
        let first =
            std::fs::read_to_string(format!("/proc/{keeper}/task/{keeper}/children")).ok()?;
        let first = first.split_whitespace().next()?;
        let mut command = Command::new("nsenter");
        command.args(["-t", first, "-m", "-u", "-i", "-n", "-p", "--", "env", "-i"]);
        command.args([
            "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME=/root",
            "LC_ALL=C.UTF-8",
        ]);
        Some(command)
    }

    /// The same, of a machine that may be down; None: it is, or the command failed.
    pub fn try_shell(&self, name: &str, line: &str) -> Option<String> {
        let out = self
            .try_command(name)?
            .args(["sh", "-c", line])
            .output()
            .ok()?;
        out.status
            .success()
            .then(|| String::from_utf8_lossy(&out.stdout).trim().to_owned())
    }

    /// Runs something in a machine by its shell.
    pub fn shell(&self, name: &str, line: &str) -> String {
        output(self.command(name).args(["sh", "-c", line]))
            .trim()
            .to_owned()
    }

    /// A program of this folder, run in a machine.
    pub fn program(&self, name: &str, file: &str) -> String {
        let text = std::fs::read_to_string(here(file)).expect("a program");
        output(self.command(name).args(["python3", "-c", &text]))
    }

    /// All that a unit has said in a machine.
    pub fn journal(&self, name: &str, unit: &str) -> String {
        self.shell(name, &format!("journalctl -u {unit} --no-pager -o cat"))
    }

    /// All that was said while tasks were done.
    pub fn said_by_workers(&self) -> String {
        let workers = self.workers();
        workers
            .iter()
            .map(|it| self.journal(it, "ils-worker") + "\n")
            .collect()
    }

    /// A command of the application, run as it runs itself.
    pub fn invenio(&self, name: &str, words: &str) -> String {
        self.shell(name, &format!("{APPLICATION}/invenio {words}"))
    }

    /// A librarian's account, made in a web machine.
    pub fn librarian(&self) {
        let mut who = self.people["librarian"].clone();
        who["role"] = json!("librarian");
        let program = std::fs::read_to_string(here("person.py")).expect("a program");
        let mut command = self.command("ils-web-0");
        command.args([
            "sh",
            "-c",
            &format!("{APPLICATION}/python -c \"$1\""),
            "sh",
            &program,
        ]);
        good(&fed(&mut command, &who));
    }
}

pub fn here(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/openstack/machines")
        .join(file)
}

pub fn start(command: &mut Command, input: &Value) -> Child {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("a process");
    let mut pipe = child.stdin.take().expect("its input");
    pipe.write_all(input.to_string().as_bytes())
        .expect("its input");
    child
}

pub fn fed(command: &mut Command, input: &Value) -> Output {
    start(command, input).wait_with_output().expect("a process")
}

pub fn output(command: &mut Command) -> String {
    good(&command.stdin(Stdio::null()).output().expect("a process"))
}

#[track_caller]
pub fn good(out: &Output) -> String {
    assert!(
        out.status.success(),
        "{}{}",
        String::from_utf8_lossy(&out.stdout),
        String::from_utf8_lossy(&out.stderr)
    );
    String::from_utf8_lossy(&out.stdout).into_owned()
}
