//! A sample of what goes wrong in clouds: the next apply ends well, nothing is lost, and destroy leaves nothing.

use super::{Project, calls::Faults, cloud, north_star};
use crate::terraform::{
    tally::Tally,
    workspace::{loud, signal},
};
use serde_json::{Value, json};
use std::{thread::sleep, time::Duration};

fn drill() -> bool {
    std::env::var_os("DRILL").is_some()
}

/// Applies until it is done, at most so often; gives how often it took.
fn until_done(workspace: &crate::terraform::Workspace, arguments: &[&str], most: usize) -> usize {
    for turn in 1..=most {
        let done = workspace.run(arguments);
        if done.code == 0 {
            return turn;
        }
        assert!(turn < most, "not done after {most} tries: {done}");
    }
    most
}

#[test]
fn killed_in_the_middle_the_next_apply_goes_on_and_destroy_leaves_nothing() {
    let Some(_turn) = cloud() else { return };
    let project = Project::new();
    let before = project.inventory();
    let mut workspace = north_star(&project);
    workspace.set("TF_VAR_owner", "library-team");
    let kills: &[u64] = if drill() {
        &[2, 4, 6, 9, 13, 17, 22, 28, 35, 45]
    } else {
        &[4, 12, 25]
    };
    for (number, seconds) in kills.iter().enumerate() {
        let mut child = workspace.start(&["apply", "-auto-approve"]);
        sleep(Duration::from_secs(*seconds));
        // In turn: both at once, and terraform alone.
        signal(&child, "KILL", number % 2 == 0);
        let _ = child.wait();
        sleep(Duration::from_secs(1));
        let _ = std::fs::remove_file(workspace.path(".terraform.tfstate.lock.info"));
        if number == 1 {
            // What a kill while the state is written leaves.
            workspace.write("terraform.tfstate", "");
        }
    }
    workspace.apply();
    workspace.settled();
    let undisturbed = project.inventory();
    assert_eq!(
        undisturbed.all("server").len(),
        7,
        "no twin: {:?}",
        undisturbed.names("server")
    );
    assert_eq!(
        undisturbed.all("volume").len(),
        4,
        "no twin: {:?}",
        undisturbed.names("volume")
    );
    assert_eq!(undisturbed.all("load_balancer").len(), 1);
    assert_eq!(undisturbed.all("floating_ip").len(), 1);
    super::firewall::lets_in_exactly(&undisturbed, "library");

    let mut child = workspace.start(&["destroy", "-auto-approve"]);
    sleep(Duration::from_secs(8));
    signal(&child, "KILL", true);
    let _ = child.wait();
    sleep(Duration::from_secs(1));
    let _ = std::fs::remove_file(workspace.path(".terraform.tfstate.lock.info"));
    workspace.destroy();
    project.is_as(&before);
    Tally {
        what: "SIGKILL during one apply after another and a destroy, once with the state emptied",
        platform: "OpenStack",
        cases: kills.len() as u64 + 1,
        applies: kills.len() + 1,
    }
    .tell();
}

/// Each fault lasts while an apply and a destroy go on; afterwards everything is as if it had not been.
fn weathered(what: &'static str, rules: impl Fn(&str) -> Value, most: usize) {
    let Some(_turn) = cloud() else { return };
    let project = Project::new();
    let before = project.inventory();
    let mut workspace = north_star(&project);
    workspace.set("TF_VAR_owner", "library-team");
    // Only this test's own client is hit, not the services' calls to one another.
    let rules = rules(&project.name);
    let faults = Faults::order(&rules);
    let applies = until_done(&workspace, &["apply", "-auto-approve"], most);
    drop(faults);
    workspace.settled();
    let now = project.inventory();
    assert_eq!(
        now.all("server").len(),
        7,
        "no twin, none lost: {:?}",
        now.names("server")
    );
    assert_eq!(
        now.all("volume").len(),
        4,
        "no twin, none lost: {:?}",
        now.names("volume")
    );
    assert_eq!(now.all("load_balancer").len(), 1);
    assert_eq!(now.all("floating_ip").len(), 1);
    assert_eq!(now.all("network").len(), 1);
    super::firewall::lets_in_exactly(&now, "library");
    let faults = Faults::order(&rules);
    let destroys = until_done(&workspace, &["destroy", "-auto-approve"], most);
    drop(faults);
    project.is_as(&before);
    loud(&format!(
        "{what}: {applies} applies, {destroys} destroys, nothing lost"
    ));
}

#[test]
fn a_third_of_all_answers_being_503_or_429_is_weathered() {
    let rules = |ours: &str| {
        json!([
            { "agent": ours, "share": 0.15, "status": 503 },
            { "agent": ours, "share": 0.17, "status": 429, "headers": { "Retry-After": "1" } },
        ])
    };
    weathered("30 % of answers 503 or 429", rules, 3);
}

#[test]
fn answers_lost_after_the_work_was_done_make_no_twins() {
    let rules = |ours: &str| json!([{ "agent": ours, "method": "POST", "share": 0.3, "status": 502, "after": true }]);
    weathered("30 % of creating answers lost", rules, 3);
}
