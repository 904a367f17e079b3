//! What a destroy could not remove is told by type, name and id, stays in the state, and goes with the next one.

use super::{Workspace, library::simulated, missing, simulated::objects};

#[test]
fn what_could_not_be_removed_is_listed_and_goes_later() {
    if missing() {
        return;
    }
    let workspace = Workspace::new(&simulated());
    workspace.apply();
    let whole = workspace.read("main.tf");
    let stuck =
        "faults = [{ kind = \"volume\", verb = \"delete\", effect = \"refused\" }], path = ";
    workspace.write("main.tf", &whole.replace("path = ", stuck));
    let said = workspace.run(&["destroy", "-auto-approve"]).refused();

    let left: Vec<_> = objects(&workspace)
        .into_iter()
        .filter(|it| it.kind == "volume")
        .collect();
    assert!(!left.is_empty(), "the disks are still there");
    for volume in &left {
        assert!(said.contains(&volume.id), "{volume:?}: {said}");
    }
    let database = left
        .iter()
        .find(|it| it.thing == "service:library/database")
        .expect("the database's disk");
    let line = format!("- volume `{}` ({})", database.step, database.id);
    assert!(said.contains(&line), "`{line}`: {said}");

    workspace.write("main.tf", &whole);
    workspace.destroy();
    assert!(objects(&workspace).is_empty());
}
