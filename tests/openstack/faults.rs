//! A sample of what goes wrong in clouds: the next apply ends well, nothing is lost, and destroy leaves nothing.

use super::{breaks::Life, calls::Order, drilling, left_to_a_drill};
use crate::terraform::workspace::signal;
use serde_json::{Value, json};
use std::{fs, thread::sleep, time::Duration};

/// Runs it until it is done, at most so often; gives how often it took.
fn until_done(life: &Life, arguments: &[&str], most: usize) -> usize {
    for turn in 1..=most {
        let done = life.workspace.run(arguments);
        if done.code == 0 {
            return turn;
        }
        assert!(turn < most, "not done after {most} tries: {done}");
    }
    most
}

/// Starts it, and after these seconds kills terraform, in turn with the provider and alone.
fn killed(life: &Life, arguments: &[&str], seconds: u64, number: usize) {
    let mut child = life.workspace.start(arguments);
    sleep(Duration::from_secs(seconds));
    signal(&child, "KILL", number.is_multiple_of(2));
    let _ = child.wait();
    sleep(Duration::from_secs(1));
    let _ = fs::remove_file(life.workspace.path(".terraform.tfstate.lock.info"));
}

#[test]
fn killed_in_the_middle_the_next_apply_goes_on_and_destroy_leaves_nothing() {
    let Some(life) = Life::beside_others() else {
        return;
    };
    let (destroying, applying, emptied): (&[u64], &[u64], &[usize]) = if drilling() {
        (
            &[2, 4, 6, 8, 12],
            &[2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 15, 18, 22, 30],
            &[2, 7, 11],
        )
    } else {
        (&[6, 10, 14], &[4, 9, 14], &[1])
    };
    life.workspace.apply();
    let undisturbed = life.project.inventory().shape();
    for (number, seconds) in destroying.iter().enumerate() {
        killed(&life, &["destroy", "-auto-approve"], *seconds, number);
    }
    for (number, seconds) in applying.iter().enumerate() {
        killed(&life, &["apply", "-auto-approve"], *seconds, number);
        if emptied.contains(&number) {
            // What a kill while the state is written leaves.
            life.workspace.write("terraform.tfstate", "");
        }
    }
    life.workspace.apply();
    let found = life.stands_as(&undisturbed);
    let cases = applying.len() + destroying.len();
    let what = if drilling() {
        "SIGKILL during one destroy after another and one apply after another, three times with the state emptied"
    } else {
        "SIGKILL during one destroy after another and one apply after another, once with the state emptied"
    };
    life.ends(what, cases as u64, applying.len() + 1, found);
}

/// Each fault lasts while an apply and a destroy go on; afterwards everything is as if it had not been.
fn weathered(what: &'static str, rules: impl Fn(&str) -> Value, most: usize) {
    if left_to_a_drill(what) {
        return;
    }
    // Only this test's own client is hit: nobody else's, and not the services' calls to one another.
    let Some(life) = Life::beside_others() else {
        return;
    };
    let rules = rules(&life.project.name);
    let faults = Order::faults(&life.project.name, &rules);
    let applies = until_done(&life, &["apply", "-auto-approve"], most);
    drop(faults);
    let found = life.stands();
    let faults = Order::faults(&life.project.name, &rules);
    let destroys = until_done(&life, &["destroy", "-auto-approve"], most);
    drop(faults);
    life.ends(what, 2, applies.max(destroys), found);
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
