//! A process that dies, or is asked to stop, at any moment: the next apply goes on, and a destroy leaves nothing.

use super::{
    Workspace,
    library::{SMALL, THINGS},
    missing,
    tally::Tally,
    workspace::{kill_providers, signal},
};
use std::{
    process::Child,
    thread::sleep,
    time::{Duration, Instant},
};

/// How many moments: a sample in a test, all of them in a drill.
fn moments() -> u64 {
    if std::env::var_os("DRILL").is_some() {
        100
    } else {
        6
    }
}

/// A cloud that is slow enough for a signal to come in between.
fn slow() -> String {
    format!(
        "provider \"invenioils\" {{\n  owner = \"library-team\"\n  simulator = {{ latency = \"40ms\" }}\n}}\n{SMALL}"
    )
}

/// In turn: both at once, terraform alone, so that the provider notices by itself, and the provider alone.
fn strike(child: &Child, turn: u64) {
    match turn % 3 {
        0 => signal(child, "KILL", true),
        1 => signal(child, "KILL", false),
        _ => kill_providers(child),
    }
}

#[test]
fn killed_at_any_moment_the_next_apply_goes_on() {
    if missing() {
        return;
    }
    for moment in 0..moments() {
        let workspace = Workspace::new(&slow());
        let mut child = workspace.start(&["apply", "-auto-approve"]);
        sleep(Duration::from_millis(400 + moment * 5400 / moments()));
        strike(&child, moment);
        let _ = child.wait();
        std::thread::sleep(Duration::from_millis(300));
        let _ = std::fs::remove_file(workspace.path(".terraform.tfstate.lock.info"));
        workspace.apply();
        workspace.settled();
        let mut found = workspace.addresses();
        let mut wanted: Vec<_> = THINGS
            .iter()
            .map(|(address, _)| (*address).to_owned())
            .collect();
        found.sort();
        wanted.sort();
        assert_eq!(found, wanted, "moment {moment}");

        let mut child = workspace.start(&["destroy", "-auto-approve"]);
        sleep(Duration::from_millis(300 + moment * 2400 / moments()));
        strike(&child, moment + 1);
        let _ = child.wait();
        std::thread::sleep(Duration::from_millis(300));
        let _ = std::fs::remove_file(workspace.path(".terraform.tfstate.lock.info"));
        workspace.destroy();
        assert_eq!(
            workspace.addresses(),
            Vec::<String>::new(),
            "moment {moment}"
        );
        // Nothing is left in the cloud either: the same name can be had by anybody.
        let stranger = workspace
            .read("main.tf")
            .replace("library-team", "somebody-else");
        workspace.write("main.tf", &stranger);
        workspace.run(&["plan"]).ok();
    }
    Tally {
        what: "SIGKILL of terraform, of the provider, or of both, during apply and destroy",
        platform: "simulator",
        cases: 2 * moments(),
        applies: 1,
    }
    .tell();
}

#[test]
fn interrupted_once_it_ends_soon_and_the_next_apply_goes_on() {
    if missing() {
        return;
    }
    let workspace = Workspace::new(&slow());
    let mut child = workspace.start(&["apply", "-auto-approve"]);
    sleep(Duration::from_millis(1500));
    signal(&child, "INT", false);
    let asked = Instant::now();
    let status = child.wait().expect("terraform ends");
    assert!(
        asked.elapsed() < Duration::from_secs(3),
        "took {:?}",
        asked.elapsed()
    );
    assert!(!status.success());
    workspace.apply();
    workspace.settled();
    workspace.destroy();
    Tally {
        what: "Ctrl-C during an apply",
        platform: "simulator",
        cases: 1,
        applies: 1,
    }
    .tell();
}

#[test]
fn interrupted_twice_it_ends_at_once_and_the_next_apply_goes_on() {
    if missing() {
        return;
    }
    let workspace = Workspace::new(&slow());
    let mut child = workspace.start(&["apply", "-auto-approve"]);
    sleep(Duration::from_millis(1500));
    signal(&child, "INT", false);
    sleep(Duration::from_millis(50));
    signal(&child, "INT", false);
    let asked = Instant::now();
    let status = child.wait().expect("terraform ends");
    assert!(
        asked.elapsed() < Duration::from_secs(3),
        "took {:?}",
        asked.elapsed()
    );
    assert!(!status.success());
    let _ = std::fs::remove_file(workspace.path(".terraform.tfstate.lock.info"));
    workspace.apply();
    workspace.settled();
    workspace.destroy();
    Tally {
        what: "Ctrl-C twice during an apply",
        platform: "simulator",
        cases: 1,
        applies: 1,
    }
    .tell();
}
