//! What users see: `terraform plan` of things that are to be made and of things that are there, beside terraform's own
//! `terraform_data`, which needs no provider's process at all.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use serde_json::{Value, json};

use crate::contender::Contender;
use crate::figures::{Goal, Row, heading, print};
use crate::thing;

pub fn plans(ours: &Contender, peer: Option<&Contender>) {
    if Command::new("terraform").arg("version").output().is_err() {
        println!("\n!!! SKIPPED: no terraform on the PATH: what users see is not measured");
        return;
    }
    for (count, rounds) in [(1, 7), (100, 5), (1000, 3)] {
        heading(&format!("terraform plan of {count}"), "terraform_data");
        let all = [Some(ours), None, peer];
        let names = all.map(|it| it.map(|it| it.name));
        let folders: Vec<Option<Folder>> = [names[0], Some("terraform"), names[2]]
            .into_iter()
            .map(|name| name.map(|name| Folder::new(name, &all, count)))
            .collect();
        let row = |what: &str| Row::new(what.to_owned(), "s");
        for (what, there) in [("to be made", false), ("empty", true)] {
            let (mut core, mut side) = (row(what), row(&format!("{what}, the peer")));
            for _ in 0..rounds {
                let took: Vec<Option<f64>> = folders
                    .iter()
                    .map(|folder| folder.as_ref().map(|folder| folder.plan(there)))
                    .collect();
                let mine = took[0].unwrap();
                core.round(mine, took[1]);
                side.round(mine, took[2]);
            }
            print(&core, &[Goal::Ratio(1.3)]);
            if peer.is_some() {
                print(&side, &[Goal::Ratio(1.0)]);
            }
        }
    }
}

/// A configuration of many things, and a state in which they are there.
struct Folder {
    place: tempfile::TempDir,
    state: PathBuf,
}

impl Folder {
    fn new(provider: &str, contenders: &[Option<&Contender>], count: usize) -> Self {
        let place = tempfile::tempdir().unwrap();
        let state = place.path().join("many.tfstate");
        let overrides = contenders.iter().flatten().map(|one| {
            let folder = one.binary.parent().unwrap().display();
            format!("    \"tests/{}\" = \"{folder}\"\n", one.name)
        });
        let settings = format!(
            "provider_installation {{\n  dev_overrides {{\n{}  }}\n  direct {{}}\n}}\n",
            overrides.collect::<String>()
        );
        fs::write(place.path().join("settings"), settings).unwrap();
        let folder = Self { place, state };
        // One is made in earnest; the others are copies of what terraform has stored of it.
        folder.write("main.tf", &thing::configuration(provider, 1));
        folder.run(&["apply", "-auto-approve", "-state=one.tfstate"], 0);
        let one = fs::read(folder.path("one.tfstate")).unwrap();
        let many = multiplied(serde_json::from_slice(&one).unwrap(), count);
        fs::write(&folder.state, many.to_string()).unwrap();
        folder.write("main.tf", &thing::configuration(provider, count));
        folder
    }

    fn path(&self, name: &str) -> PathBuf {
        self.place.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    /// Seconds that a plan takes.
    fn plan(&self, there: bool) -> f64 {
        let state = if there {
            &self.state
        } else {
            Path::new("none.tfstate")
        };
        let state = format!("-state={}", state.display());
        let arguments = ["plan", "-detailed-exitcode", "-lock=false", &state];
        let began = Instant::now();
        self.run(&arguments, if there { 0 } else { 2 });
        began.elapsed().as_secs_f64()
    }

    fn run(&self, arguments: &[&str], code: i32) {
        let done = Command::new("terraform")
            .args(arguments)
            .current_dir(self.place.path())
            .env("TF_CLI_CONFIG_FILE", self.path("settings"))
            .env("CHECKPOINT_DISABLE", "1")
            .env("TF_IN_AUTOMATION", "1")
            .env_remove("TF_LOG")
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert_eq!(
            done.status.code(),
            Some(code),
            "terraform {arguments:?}: {} {}",
            said(&done.stdout),
            said(&done.stderr)
        );
    }
}

/// A state of one thing as a state of many.
fn multiplied(mut state: Value, count: usize) -> Value {
    let one = state["resources"][0]["instances"][0].to_string();
    let many = (0..count).map(|at| {
        let text = one.replace(&thing::name(0), &thing::name(at));
        let mut instance: Value = serde_json::from_str(&text).unwrap();
        instance["index_key"] = json!(at);
        instance
    });
    state["resources"][0]["instances"] = many.collect();
    state
}
