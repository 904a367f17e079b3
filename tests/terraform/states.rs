//! States and simulator files that are newer, damaged, or do not fit what is in the cloud: a clear error, nothing changed; or
//! the next plan shows it and the next apply mends it.

use super::{
    Workspace,
    library::simulated,
    missing,
    simulated::{objects, with},
    tally::Tally,
};
use serde_json::{Value, json};
use std::fs;

const FILE: &str = ".invenioils/simulator.sqlite";

/// A library that stands.
fn standing() -> Workspace {
    let workspace = Workspace::new(&simulated());
    workspace.apply();
    workspace
}

/// Changes the state as a damaged disk, a careless hand or a newer release would.
fn spoil(workspace: &Workspace, address: (&str, &str), change: impl Fn(&mut Value)) {
    let mut state: Value =
        serde_json::from_str(&workspace.read("terraform.tfstate")).expect("a state");
    let resources = state["resources"].as_array_mut().expect("resources");
    let resource = resources
        .iter_mut()
        .find(|it| it["type"] == address.0)
        .expect("the resource");
    let instances = resource["instances"].as_array_mut().expect("instances");
    let instance = instances
        .iter_mut()
        .find(|it| address.1.is_empty() || it["index_key"] == address.1)
        .expect("the instance");
    change(instance);
    workspace.write("terraform.tfstate", &state.to_string());
}

/// Plan and apply are refused with these words, and neither the cloud nor the state is another afterwards.
#[track_caller]
fn refused_untouched(workspace: &Workspace, words: &[&str]) {
    let ids = || {
        objects(workspace)
            .into_iter()
            .map(|it| (it.id, it.fields))
            .collect::<Vec<_>>()
    };
    let (before, state) = (ids(), workspace.read("terraform.tfstate"));
    for arguments in [&["plan"][..], &["apply", "-auto-approve"]] {
        let said = workspace.run(arguments).refused();
        for word in words {
            assert!(said.contains(word), "`{word}` is not said: {said}");
        }
    }
    assert_eq!(ids(), before, "the cloud is as it was");
    assert_eq!(
        workspace.read("terraform.tfstate"),
        state,
        "the state is as it was"
    );
}

#[test]
fn a_state_of_a_newer_release_is_refused() {
    if missing() {
        return;
    }
    let workspace = standing();
    let good = workspace.read("terraform.tfstate");
    spoil(&workspace, ("invenioils_environment", ""), |it| {
        it["schema_version"] = json!(99)
    });
    refused_untouched(&workspace, &["invenioils_environment.this", "newer"]);
    Tally::refused("a state of a newer release", "simulator", 1).tell();
    workspace.write("terraform.tfstate", &good);
    workspace.settled();
}

#[test]
fn a_damaged_private_part_is_refused_and_the_object_can_be_had_back() {
    if missing() {
        return;
    }
    let workspace = standing();
    let address = "invenioils_service.this[\"database\"]";
    let good = workspace.read("terraform.tfstate");
    spoil(&workspace, ("invenioils_service", "database"), |it| {
        it["private"] = json!("bm90IG91cnM=");
    });
    refused_untouched(&workspace, &[address, "private"]);
    Tally::refused("a damaged private part", "simulator", 1).tell();
    workspace.write("terraform.tfstate", &good);

    // A damaged journal inside of a whole private part: said, and had back from the marks; the cloud stays as it is.
    let ids = || {
        objects(&workspace)
            .into_iter()
            .map(|it| it.id)
            .collect::<Vec<_>>()
    };
    let before = ids();
    spoil(&workspace, ("invenioils_service", "database"), |it| {
        it["private"] = json!("eyJqb3VybmFsIjogImJtOTBJR2R1ZW1sd2NHVmsifQ==");
    });
    let said = workspace.apply();
    assert!(
        said.to_string().contains("private state could not be read"),
        "{said}"
    );
    assert_eq!(ids(), before);
    workspace.settled();

    // The way out that the message names.
    workspace.run(&["state", "rm", address]).ok();
    workspace.run(&["import", address, "library/database"]).ok();
    workspace.settled();
}

#[test]
fn a_state_without_its_private_part_is_had_back_from_marks() {
    if missing() {
        return;
    }
    let workspace = standing();
    let before = objects(&workspace).len();
    spoil(&workspace, ("invenioils_service", "database"), |it| {
        it.as_object_mut().expect("an object").remove("private");
    });
    workspace.apply();
    workspace.settled();
    assert_eq!(objects(&workspace).len(), before, "nothing lost, no twin");
    workspace.destroy();
    assert!(objects(&workspace).is_empty());
}

#[test]
fn what_somebody_deleted_is_shown_and_mended_in_place() {
    if missing() {
        return;
    }
    let workspace = standing();
    let of = |step: &str| {
        let all = objects(&workspace);
        let found = all
            .iter()
            .find(|it| it.thing == "service:library/database" && it.step.starts_with(step));
        found.unwrap_or_else(|| panic!("no {step}")).id.clone()
    };
    let server = objects(&workspace)
        .into_iter()
        .find(|it| it.thing == "service:library/database" && it.kind == "machine")
        .expect("the database's machine");
    let server_id = server.id.clone();
    with(&workspace, |cloud| async move {
        cloud.destroy(&server_id).await.expect("deleted by hand")
    });
    let volume = of("volume");
    let (changes, _) = workspace.planned();
    assert_eq!(
        changes,
        vec![(
            "invenioils_service.this[\"database\"]".to_owned(),
            vec!["update".to_owned()]
        )]
    );
    workspace.apply();
    workspace.settled();
    assert_eq!(of("volume"), volume, "its data stays");
}

#[test]
fn simulator_files_that_cannot_be_used_are_refused_and_kept() {
    if missing() {
        return;
    }
    let workspace = standing();
    let good = fs::read(workspace.path(FILE)).expect("the file");
    let spoilt: [(&str, Vec<u8>); 2] = [
        ("truncated", good[..good.len() / 2].to_vec()),
        (
            "no database",
            b"not a database at all, and long enough to be looked at".repeat(40),
        ),
    ];
    for (what, bytes) in spoilt {
        for beside in ["-wal", "-shm"] {
            let _ = fs::remove_file(workspace.path(&format!("{FILE}{beside}")));
        }
        fs::write(workspace.path(FILE), &bytes).expect("the file");
        let said = workspace.run(&["apply", "-auto-approve"]).refused();
        assert!(said.contains("simulator.sqlite"), "{what}: {said}");
        assert_eq!(
            fs::read(workspace.path(FILE)).expect("the file"),
            bytes,
            "{what}: it is kept"
        );
    }
    fs::write(workspace.path(FILE), &good).expect("the file");
    rusqlite::Connection::open(workspace.path(FILE))
        .and_then(|it| it.pragma_update(None, "user_version", 99))
        .expect("a newer file");
    let said = workspace.run(&["apply", "-auto-approve"]).refused();
    assert!(said.contains("format 99"), "{said}");

    fs::write(workspace.path(FILE), &good).expect("the file");
    let mut connection = rusqlite::Connection::open(workspace.path(FILE)).expect("the file");
    let held = connection
        .transaction_with_behavior(rusqlite::TransactionBehavior::Exclusive)
        .expect("the lock");
    let said = workspace.run(&["plan"]).refused();
    assert!(said.contains("locked"), "{said}");
    let what = "a cloud's file that is truncated, foreign, newer or locked";
    Tally::refused(what, "simulator", 4).tell();
    drop(held);
    workspace.settled();
}

#[test]
fn a_plan_beside_an_apply_disturbs_nobody() {
    if missing() {
        return;
    }
    let slow = simulated().replace("path = ", "latency = \"40ms\", path = ");
    let workspace = Workspace::new(&slow);
    let mut applying = workspace.start(&["apply", "-auto-approve"]);
    let mut plans = 0;
    while applying.try_wait().expect("terraform").is_none() {
        // The state is locked by the apply, so a plan beside it is one that was told not to wait. It reads a state that is
        // behind, and may be told that what it would make exists.
        let plan = workspace.run(&["plan", "-lock=false"]);
        assert!(
            plan.code == 0 || plan.to_string().contains("exists already"),
            "{plan}"
        );
        plans += 1;
    }
    assert!(
        applying.wait().expect("terraform").success(),
        "{}",
        workspace.complaints()
    );
    assert!(plans > 0);
    workspace.settled();
    workspace.destroy();
    assert!(objects(&workspace).is_empty());
}
