//! In the order of a provider's acceptance tests: validate, plan, apply, quiet plans, change, import, destroy.

use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;
use std::time::{Duration, Instant};

use super::{Cli, Folder};
use crate::plugin::host::{PATIENCE, signal};

const LIFE: &str = include_str!("life.tf");

/// All shapes of values at once: made, changed, imported, gone.
pub fn whole_life(cli: &Cli) {
    let mut folder = Folder::new(cli, LIFE);
    folder.applies();
    let numbers = folder.values("corner_numbers.all");
    assert_eq!(
        numbers["exact"].to_string(),
        "123456789012345678901234567890.1234567890123456789"
    );
    assert_eq!(folder.values("corner_thing.unknown")["note"], "round-1");
    assert_eq!(folder.values("corner_write_only.all")["length"], 12);
    let outputs = folder.run(&["output", "-json"]).ok().json;
    assert_eq!(outputs["functions"]["value"]["three"], "a-round-1-c");
    assert_eq!(outputs["functions"]["value"]["unknown"], "known");
    assert_eq!(
        outputs["later"]["value"]
            .as_str()
            .unwrap()
            .split(' ')
            .next(),
        Some("hi")
    );

    folder.environment.push(("TF_VAR_round".into(), "2".into()));
    let plan = folder.run(&["plan", "-detailed-exitcode"]);
    assert_eq!(plan.code, 2, "{}", plan.text);
    folder.applies();
    assert_eq!(folder.values("corner_thing.known")["revision"], 2);
    let spelling = folder.values("corner_spelling.all");
    // The same JSON in another spelling is no change: the first spelling stays in the state.
    assert_eq!(spelling["json"], "{ \"b\": 1, \"a\": 2 }");
    assert_eq!(spelling["host"], "Library.Example.ORG");
    let state = std::fs::read_to_string(folder.path("terraform.tfstate")).unwrap();
    assert!(!state.contains("canary") && !state.contains("token-of-ada"));

    // Renewed where the run took long enough; closed as often as opened in any case.
    let log = std::fs::read_to_string(folder.path("cloud/log")).unwrap();
    let count = |what: &str| log.lines().filter(|line| line.starts_with(what)).count();
    assert_eq!(count("open ada"), count("close ada"), "{log}");
    folder.destroys();
}

#[test]
fn a_whole_life_of_every_shape() {
    let Some(cli) = Cli::terraform() else { return };
    whole_life(&cli);
}

#[test]
fn what_exists_is_imported_by_command_and_by_block_and_configuration_is_written_for_it() {
    let Some(cli) = Cli::terraform() else { return };
    let thing = "resource \"corner_thing\" \"one\" {\n  name = \"one\"\n  size = 9\n}\n";
    let folder = Folder::new(&cli, thing);
    folder.applies();
    let before = folder.values("corner_thing.one");
    for file in ["terraform.tfstate", "terraform.tfstate.backup"] {
        let _ = std::fs::remove_file(folder.path(file));
    }
    folder
        .run(&["import", "corner_thing.one", "thing-one"])
        .ok();
    assert_eq!(folder.values("corner_thing.one"), before);
    folder.is_quiet();
    folder
        .run(&["import", "corner_thing.two", "thing-none"])
        .fails("corner_thing.two");

    std::fs::remove_file(folder.path("terraform.tfstate")).unwrap();
    folder.write(
        "main.tf",
        "import {\n  to = corner_thing.one\n  id = \"thing-one\"\n}\n",
    );
    folder.run(&["plan", "-generate-config-out=made.tf"]).ok();
    folder.run(&["apply", "-auto-approve"]).ok();
    assert_eq!(folder.values("corner_thing.one"), before);
    folder.is_quiet();
    folder.destroys();
}

#[test]
fn objects_move_from_type_to_type_and_replacements_are_in_order() {
    let Some(cli) = Cli::terraform() else { return };
    let folder = Folder::new(
        &cli,
        "resource \"corner_other\" \"it\" {\n  label = \"x\"\n}\n",
    );
    folder.applies();
    let moved = "resource \"corner_thing\" \"it\" {\n  name = \"x\"\n}\nmoved {\n  from = corner_other.it\n  to   = corner_thing.it\n}\n";
    folder.write("main.tf", moved);
    let plan = folder.run(&["plan"]).ok();
    assert!(
        plan.text.contains("has moved to") && !plan.text.contains("destroyed"),
        "{}",
        plan.text
    );
    folder.applies();
    assert_eq!(folder.values("corner_thing.it")["id"], "thing-x");
    folder.write("main.tf", &moved.replace("\"x\"", "\"y\""));
    let plan = folder.run(&["plan"]).ok();
    assert!(plan.text.contains("forces replacement"), "{}", plan.text);
    folder.applies();
    assert_eq!(folder.values("corner_thing.it")["id"], "thing-y");
    folder.destroys();
}

#[test]
fn what_failed_half_way_is_in_the_state_and_is_made_anew() {
    let Some(cli) = Cli::terraform() else { return };
    let body =
        |when: &str| format!("resource \"corner_trouble\" \"it\" {{\n  when = \"{when}\"\n}}\n");
    for when in ["fail half way", "panic half way"] {
        let folder = Folder::new(&cli, &body(when));
        let failed = folder.run(&["apply", "-auto-approve"]);
        assert_eq!(failed.code, 1, "{}", failed.text);
        assert_eq!(folder.values("corner_trouble.it")["id"], "half-made");
        folder.write("main.tf", &body("nothing"));
        let plan = folder.run(&["plan"]).ok();
        assert!(plan.text.contains("is tainted"), "{}", plan.text);
        folder.applies();
        folder.destroys();
    }
}

#[test]
fn mistakes_point_at_their_line() {
    let Some(cli) = Cli::terraform() else { return };
    let folder = Folder::new(
        &cli,
        "resource \"corner_thing\" \"it\" {\n  name = \"x\"\n  size = 500\n}\n",
    );
    let failed = folder.run(&["validate"]).fails("500");
    assert!(failed.text.contains("size = 500"), "{}", failed.text);
    folder.write(
        "main.tf",
        "output \"x\" {\n  value = provider::corner::join(\"-\", \"a\", \"bad\")\n}\n",
    );
    folder.run(&["plan"]).fails("a bad text");
}

#[test]
fn an_interrupt_keeps_what_exists() {
    let Some(cli) = Cli::terraform() else { return };
    let folder = Folder::new(
        &cli,
        "resource \"corner_slow\" \"it\" {\n  seconds = 50\n}\n",
    );
    let mut run = folder
        .command(&["apply", "-auto-approve"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(run.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains("Creating...")));
    std::thread::sleep(Duration::from_millis(300));
    let start = Instant::now();
    signal(run.id(), "INT");
    let rest: String = lines.map(|line| line.unwrap() + "\n").collect();
    let mut err = String::new();
    run.stderr.take().unwrap().read_to_string(&mut err).unwrap();
    let status = run.wait().unwrap();
    assert!(start.elapsed() < PATIENCE && !status.success());
    assert!(
        err.contains("stopped: the creation was interrupted"),
        "{rest}{err}"
    );
    assert_eq!(folder.values("corner_slow.it")["id"], "slow");
    folder.destroys();
}

#[test]
fn it_works_without_tls_too() {
    let Some(cli) = Cli::terraform() else { return };
    let mut folder = Folder::new(
        &cli,
        "resource \"corner_thing\" \"it\" {\n  name = \"plain\"\n}\n",
    );
    folder
        .environment
        .push(("TF_DISABLE_PLUGIN_TLS".into(), "1".into()));
    folder.applies();
    folder.destroys();
}

#[tokio::test]
async fn terraform_attaches_to_a_provider_in_debug_mode() {
    let Some(cli) = Cli::terraform() else { return };
    let (mut child, setting) = crate::plugin::transport::debugged().await;
    let done = tokio::task::spawn_blocking(move || {
        let mut folder = Folder::new(
            &cli,
            "resource \"corner_thing\" \"it\" {\n  name = \"attached\"\n}\n",
        );
        folder
            .environment
            .push(("TF_REATTACH_PROVIDERS".into(), setting));
        folder.applies();
        folder.destroys();
    });
    done.await.unwrap();
    assert!(child.try_wait().unwrap().is_none(), "it serves on");
    signal(child.id().unwrap(), "INT");
    assert!(child.wait().await.unwrap().success());
}
