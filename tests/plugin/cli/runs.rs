//! A command line, a folder with a configuration, and what is looked for in every run's output.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::plugin::host::corner_binary;

/// What Terraform says when a provider has broken a rule. None of it may ever be seen.
const BLAME: [&str; 8] = [
    "Provider produced",
    "Provider returned invalid",
    "Invalid resource state upgrade",
    "Provider error",
    "Plugin did not respond",
    "Plugin error",
    "bug in the provider",
    "inconsistent result",
];

/// One of the programs that drive providers.
#[derive(Clone)]
pub struct Cli {
    pub name: &'static str,
    program: PathBuf,
}

impl Cli {
    pub fn terraform() -> Option<Self> {
        Self::if_it_runs("terraform", "terraform".into(), "no terraform on the PATH")
    }

    pub fn newer() -> Option<Self> {
        let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tools/terraform-next");
        Self::if_it_runs(
            "terraform 1.15",
            program,
            "`tests/tools/terraform-next --fetch` brings it",
        )
    }

    pub fn tofu() -> Option<Self> {
        let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
        let cache = cache.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache")));
        let program = std::env::var_os("TOFU").map(PathBuf::from);
        let program = program.or_else(|| Some(cache?.join("terraform-provider-invenioils/tofu")));
        Self::if_it_runs(
            "tofu",
            program?,
            "`make opentofu` makes it, or TOFU names it",
        )
    }

    fn if_it_runs(name: &'static str, program: PathBuf, remedy: &str) -> Option<Self> {
        let runs = Command::new(&program)
            .arg("version")
            .env("CHECKPOINT_DISABLE", "1")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success());
        if !runs {
            let mut out = std::io::stderr();
            let _ = writeln!(
                out,
                "\n!!! SKIPPED: {name} is not on this machine: {remedy}"
            );
            return None;
        }
        Some(Self { name, program })
    }
}

/// One run.
#[derive(Debug)]
pub struct Done {
    pub code: i32,
    pub text: String,
    pub json: serde_json::Value,
}

impl Done {
    #[track_caller]
    pub fn ok(self) -> Self {
        assert_eq!(self.code, 0, "{}", self.text);
        self
    }

    #[track_caller]
    pub fn fails(self, with: &str) -> Self {
        assert!(
            self.code == 1 && self.text.contains(with),
            "{with:?} in: {}",
            self.text
        );
        self
    }
}

/// A working folder, with the corner provider's own folder beside it.
pub struct Folder {
    cli: Cli,
    folder: tempfile::TempDir,
    pub environment: Vec<(String, String)>,
}

impl Folder {
    pub fn new(cli: &Cli, configuration: &str) -> Self {
        let folder = tempfile::Builder::new().prefix("corner").tempdir().unwrap();
        let binary = corner_binary().parent().unwrap().display();
        let settings = format!(
            "provider_installation {{\n  dev_overrides {{\n    \"registry.terraform.io/tests/corner\" = \"{binary}\"\n  }}\n  direct {{}}\n}}\n"
        );
        fs::write(folder.path().join("settings"), settings).unwrap();
        fs::create_dir(folder.path().join("cloud")).unwrap();
        let folder = Self {
            cli: cli.clone(),
            folder,
            environment: Vec::new(),
        };
        folder.write("main.tf", configuration);
        folder
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file of configuration; `main.tf` gets the provider's block before it.
    pub fn write(&self, name: &str, text: &str) {
        let head = format!(
            "terraform {{\n  required_providers {{\n    corner = {{ source = \"registry.terraform.io/tests/corner\" }}\n  }}\n}}\nprovider \"corner\" {{\n  folder = {:?}\n}}\n",
            self.path("cloud").to_str().unwrap()
        );
        let text = if name == "main.tf" {
            head + text
        } else {
            text.to_owned()
        };
        fs::write(self.path(name), text).unwrap();
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.cli.program);
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env("TF_CLI_CONFIG_FILE", self.path("settings"))
            .env("CHECKPOINT_DISABLE", "1")
            .env("TF_IN_AUTOMATION", "1")
            .env("TF_CLI_ARGS", "-no-color")
            .env_remove("TF_LOG")
            .envs(self.environment.iter().cloned())
            .stdin(Stdio::null());
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Done {
        let output = self.command(arguments).output().unwrap();
        let out = String::from_utf8_lossy(&output.stdout).into_owned();
        let text = format!(
            "{} {arguments:?}\n{out}{}",
            self.cli.name,
            String::from_utf8_lossy(&output.stderr)
        );
        for blame in BLAME {
            assert!(!text.contains(blame), "{blame:?} in: {text}");
        }
        let json = serde_json::from_str(&out).unwrap_or_default();
        Done {
            code: output.status.code().unwrap_or(-1),
            text,
            json,
        }
    }

    pub fn state(&self) -> serde_json::Value {
        self.run(&["show", "-json"]).ok().json["values"]["root_module"].take()
    }

    /// One resource's values in the state.
    pub fn values(&self, address: &str) -> serde_json::Value {
        let state = self.state();
        let resources = state["resources"].as_array().cloned().unwrap_or_default();
        let found = resources.into_iter().find(|one| one["address"] == address);
        found.unwrap_or_else(|| panic!("no {address} in {state}"))["values"].take()
    }

    /// Validate, plan, apply the plan, and then two quiet plans: without refresh and with it.
    #[track_caller]
    pub fn applies(&self) {
        self.run(&["validate"]).ok();
        self.run(&["plan", "-out=plan"]).ok();
        self.run(&["apply", "plan"]).ok();
        self.is_quiet();
    }

    #[track_caller]
    pub fn is_quiet(&self) {
        for arguments in [
            &["plan", "-detailed-exitcode", "-refresh=false"][..],
            &["plan", "-detailed-exitcode"],
        ] {
            let plan = self.run(arguments);
            assert_eq!(plan.code, 0, "a quiet plan: {}", plan.text);
        }
    }

    #[track_caller]
    pub fn destroys(&self) {
        self.run(&["destroy", "-auto-approve"]).ok();
        assert!(self.state()["resources"].is_null(), "something is left");
        let left: Vec<_> = fs::read_dir(self.path("cloud"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        assert!(left.iter().all(|name| name == "log"), "{left:?}");
    }
}
