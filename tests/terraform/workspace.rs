//! A folder with a configuration, a state and a terraform that takes the provider just built.

use serde_json::Value;
use std::{
    collections::BTreeMap,
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

const SOURCE: &str = "registry.terraform.io/inveniosoftware/invenioils";

/// Says something that is read even when the test passes.
pub fn loud(text: &str) {
    let _ = writeln!(std::io::stderr(), "\n!!! {text}");
}

/// Looks once a second, and fails when the time is over.
#[track_caller]
pub fn until(limit: u64, what: &str, look: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(limit);
    while !look() {
        assert!(
            Instant::now() < end,
            "{what} did not happen within {limit} s"
        );
        std::thread::sleep(Duration::from_secs(1));
    }
}

pub struct Workspace {
    folder: tempfile::TempDir,
    env: BTreeMap<String, String>,
}

/// One run of terraform.
pub struct Done {
    pub command: String,
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
    pub took: Duration,
}

/// An error or a warning as terraform prints it for machines.
#[derive(Debug, Clone)]
pub struct Diagnostic {
    pub severity: String,
    pub summary: String,
    pub detail: String,
    /// The line of the configuration that it points at; empty where it points nowhere.
    pub line: String,
}

impl Workspace {
    /// An empty folder with this configuration, and the provider's source added.
    pub fn new(configuration: &str) -> Self {
        let folder = tempfile::Builder::new()
            .prefix("ils-")
            .tempdir()
            .expect("a temporary folder");
        let binary = Path::new(env!("CARGO_BIN_EXE_terraform-provider-invenioils"));
        let overrides = format!(
            "provider_installation {{\n  dev_overrides {{ \"{SOURCE}\" = \"{}\" }}\n  direct {{}}\n}}\ndisable_checkpoint = true\n",
            binary.parent().expect("a folder").display()
        );
        fs::write(folder.path().join("terraform.rc"), overrides).expect("a file");
        let workspace = Self {
            folder,
            env: BTreeMap::new(),
        };
        workspace.write("main.tf", configuration);
        if !configuration.contains("required_providers") {
            let requires = "terraform {\n  required_providers {\n    invenioils = {\n      source = \"inveniosoftware/invenioils\"\n    }\n  }\n}\n";
            workspace.write("versions.tf", requires);
        }
        workspace
    }

    /// A copy of `examples/<name>`.
    pub fn example(name: &str) -> Self {
        let from = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("examples")
            .join(name);
        let main = ["main.tf", "resource.tf", "provider.tf"].map(|file| from.join(file));
        let main = main
            .iter()
            .find(|path| path.exists())
            .expect("an example has a main file");
        let workspace = Self::new(&fs::read_to_string(main).expect("an example can be read"));
        for entry in fs::read_dir(&from).expect("an example can be read") {
            let path = entry.expect("an entry").path();
            if path.extension().is_some_and(|it| it == "tf") && path != *main {
                workspace.write(
                    &path.file_name().expect("a name").to_string_lossy(),
                    &fs::read_to_string(&path).expect("an example can be read"),
                );
            }
        }
        workspace
    }

    pub fn set(&mut self, name: &str, value: &str) {
        self.env.insert(name.into(), value.into());
    }
    pub fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }
    pub fn write(&self, file: &str, text: &str) {
        let path = self.path(file);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, text).expect("a file");
    }
    pub fn read(&self, file: &str) -> String {
        fs::read_to_string(self.path(file)).unwrap_or_default()
    }
    /// Changes the configuration; what is to be replaced must be there.
    pub fn edit(&self, from: &str, to: &str) {
        let text = self.read("main.tf");
        assert!(
            text.contains(from),
            "`{from}` is not in the configuration:\n{text}"
        );
        self.write("main.tf", &text.replace(from, to));
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("terraform");
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .stdin(Stdio::null());
        for (name, _) in std::env::vars() {
            if ["TF_", "OS_", "INVENIOILS_"]
                .iter()
                .any(|start| name.starts_with(start))
            {
                command.env_remove(name);
            }
        }
        command
            .env("TF_CLI_CONFIG_FILE", self.path("terraform.rc"))
            .env("TF_IN_AUTOMATION", "1")
            .env("TF_INPUT", "0")
            .env("TF_LOG_PROVIDER", "TRACE")
            .env("TF_LOG_PATH", self.path("provider.log"))
            .env("CHECKPOINT_DISABLE", "1")
            .envs(&self.env);
        command
    }

    /// Runs terraform to its end.
    pub fn run(&self, arguments: &[&str]) -> Done {
        let began = Instant::now();
        let output = self.command(arguments).output().expect("terraform starts");
        Done {
            command: arguments.join(" "),
            code: output.status.code().unwrap_or(-1),
            stdout: plain(&output.stdout),
            stderr: plain(&output.stderr),
            took: began.elapsed(),
        }
    }

    /// Starts terraform in a process group of its own, so that a signal can reach it and the provider alike.
    pub fn start(&self, arguments: &[&str]) -> Child {
        use std::os::unix::process::CommandExt;
        let out = fs::File::create(self.path("started.out")).expect("a file");
        let err = out.try_clone().expect("a file");
        self.command(arguments)
            .process_group(0)
            .stdout(out)
            .stderr(err)
            .spawn()
            .expect("terraform starts")
    }

    /// What a started terraform has said of errors, on one line; all that it said where there is no error.
    pub fn complaints(&self) -> String {
        let said = fs::read(self.path("started.out")).unwrap_or_default();
        let said = unwrapped(&plain(&said));
        let from = said.find("Error: ").unwrap_or_default();
        said[from..].to_owned()
    }

    pub fn apply(&self) -> Done {
        self.run(&["apply", "-auto-approve"]).ok()
    }
    pub fn destroy(&self) -> Done {
        self.run(&["destroy", "-auto-approve"]).ok()
    }

    /// Nothing is left to do, neither by what the state says nor by what the cloud says.
    pub fn settled(&self) {
        for refresh in ["-refresh=false", "-refresh=true"] {
            let done = self.run(&["plan", "-detailed-exitcode", refresh]);
            assert_eq!(done.code, 0, "the plan is not empty ({refresh}):\n{done}");
        }
    }

    /// What the next plan would do: `(address, actions)`, and the addresses whose drift it shows.
    pub fn planned(&self) -> (Vec<(String, Vec<String>)>, Vec<String>) {
        self.run(&["plan", "-out=plan.bin"]).ok();
        let plan = self.json(&["show", "-json", "plan.bin"]);
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let list = |key: &str| plan[key].as_array().cloned().unwrap_or_default();
        let changes = list("resource_changes")
            .iter()
            .map(|it| (text(&it["address"]), list_of(&it["change"]["actions"])))
            .filter(|(_, actions)| actions != &["no-op"] && actions != &["read"])
            .collect();
        let drift = list("resource_drift")
            .iter()
            .map(|it| text(&it["address"]))
            .collect();
        (changes, drift)
    }

    pub fn json(&self, arguments: &[&str]) -> Value {
        let done = self.run(arguments).ok();
        serde_json::from_str(&done.stdout)
            .unwrap_or_else(|error| panic!("not JSON: {error}\n{done}"))
    }

    /// The attributes of one resource as the state has them.
    pub fn attributes(&self, address: &str) -> Value {
        let state = self.json(&["show", "-json"]);
        let resources = state["values"]["root_module"]["resources"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        let found = resources.into_iter().find(|it| it["address"] == address);
        found.unwrap_or_else(|| panic!("{address} is not in the state"))["values"].clone()
    }

    pub fn addresses(&self) -> Vec<String> {
        let done = self.run(&["state", "list"]);
        done.stdout
            .lines()
            .map(str::to_owned)
            .filter(|it| !it.starts_with("terraform_data"))
            .collect()
    }

    /// Runs with `-json` and gives what was complained of.
    pub fn diagnostics(&self, arguments: &[&str]) -> Vec<Diagnostic> {
        let mut all = arguments.to_vec();
        all.insert(1, "-json");
        let done = self.run(&all);
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let from_json = |it: &Value| Diagnostic {
            severity: text(&it["severity"]),
            summary: text(&it["summary"]),
            detail: text(&it["detail"]),
            line: text(&it["snippet"]["code"]),
        };
        if arguments[0] == "validate" {
            let answer: Value = serde_json::from_str(&done.stdout).expect("validate answers JSON");
            return answer["diagnostics"]
                .as_array()
                .into_iter()
                .flatten()
                .map(from_json)
                .collect();
        }
        done.stdout
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok())
            .filter(|it| it["type"] == "diagnostic")
            .map(|it| from_json(&it["diagnostic"]))
            .collect()
    }

    /// Everything that terraform and the provider left in this folder, for those who look for secrets.
    pub fn left_behind(&self, but: &[&str]) -> Vec<(PathBuf, Vec<u8>)> {
        let mut found = Vec::new();
        let mut folders = vec![self.folder.path().to_path_buf()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).expect("a folder") {
                let path = entry.expect("an entry").path();
                let name = path
                    .file_name()
                    .expect("a name")
                    .to_string_lossy()
                    .into_owned();
                if path.is_dir() {
                    folders.push(path);
                } else if !but.iter().any(|it| name.contains(it)) {
                    let bytes = fs::read(&path).unwrap_or_default();
                    found.push((path, bytes));
                }
            }
        }
        found
    }
}

/// Text without terraform's colours.
fn plain(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let mut parts = text.split('\u{1b}');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |all, part| {
        all + part.split_once('m').map_or(part, |(_, rest)| rest)
    })
}

fn list_of(value: &Value) -> Vec<String> {
    value
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|it| it.as_str().map(str::to_owned))
        .collect()
}

/// Sends a signal (`INT`, `KILL`) to a started terraform, or with `group` to it and its providers.
pub fn signal(child: &Child, name: &str, group: bool) {
    let target = if group {
        format!("-{}", child.id())
    } else {
        child.id().to_string()
    };
    let _ = Command::new("kill")
        .args([&format!("-{name}"), "--", &target])
        .output();
}

/// Kills the providers of a started terraform, and leaves terraform itself alone.
pub fn kill_providers(child: &Child) {
    for pid in children(child.id()) {
        let _ = Command::new("kill")
            .args(["-KILL", &pid.to_string()])
            .output();
    }
}

/// The processes that this one has started.
pub fn children(parent: u32) -> Vec<u32> {
    let parent = format!("PPid:\t{parent}");
    let entries = fs::read_dir("/proc").expect("processes").flatten();
    let pids = entries.filter_map(|it| it.file_name().to_string_lossy().parse().ok());
    pids.filter(|pid: &u32| {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        status.lines().any(|line| line == parent)
    })
    .collect()
}

impl Done {
    /// Fails the test with all that was said, unless the run went well.
    #[track_caller]
    pub fn ok(self) -> Self {
        assert_eq!(self.code, 0, "{self}");
        self
    }
    /// Fails the test unless the run failed; gives what was said, on one line.
    #[track_caller]
    pub fn refused(self) -> String {
        assert_ne!(self.code, 0, "this should have been refused: {self}");
        unwrapped(&format!("{}\n{}", self.stdout, self.stderr))
    }
}

/// Terraform's boxes and line breaks taken away, so that a sentence can be found.
pub fn unwrapped(text: &str) -> String {
    let line = |it: &str| {
        it.trim_matches(|c: char| c.is_whitespace() || "│╷╵".contains(c))
            .to_owned()
    };
    text.lines().map(line).collect::<Vec<_>>().join(" ")
}

impl std::fmt::Display for Done {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "terraform {} ended with {} after {:?}\n{}\n{}",
            self.command, self.code, self.took, self.stderr, self.stdout
        )
    }
}
