//! Everything can be imported by its id into an empty state, and then there is nothing to do.

use super::{
    Workspace,
    library::{SMALL, THINGS, provider},
    missing,
};

#[test]
fn every_resource_is_imported_by_its_id() {
    if missing() {
        return;
    }
    let first = Workspace::new("");
    let file = first.path("cloud.sqlite").display().to_string();
    first.write("main.tf", &format!("{}{SMALL}", provider(&file)));
    first.apply();

    let second = Workspace::new(&format!("{}{SMALL}", provider(&file)));
    for (address, id) in THINGS {
        second.run(&["import", address, id]).ok();
    }
    second.settled();
    // The same things, with the same attributes, field by field.
    for (address, _) in THINGS {
        assert_eq!(
            second.attributes(address),
            first.attributes(address),
            "{address}"
        );
    }
    second.destroy();
}

#[test]
fn an_import_block_imports_while_applying() {
    if missing() {
        return;
    }
    let first = Workspace::new("");
    let file = first.path("cloud.sqlite").display().to_string();
    let small = "resource \"invenioils_environment\" \"this\" {\n  name = \"library\"\n}\n";
    first.write("main.tf", &format!("{}{small}", provider(&file)));
    first.apply();
    let import = "import {\n  to = invenioils_environment.this\n  id = \"library\"\n}\n";
    let second = Workspace::new(&format!("{}{small}{import}", provider(&file)));
    let done = second.apply();
    assert!(
        done.stdout
            .contains("1 imported, 0 added, 0 changed, 0 destroyed"),
        "{done}"
    );
    second.settled();
}

#[test]
fn an_import_of_what_is_not_there_says_so() {
    if missing() {
        return;
    }
    let workspace = Workspace::new(&super::library::simulated());
    let said = workspace
        .run(&["import", "invenioils_environment.this", "nowhere"])
        .refused();
    assert!(said.contains("nowhere"), "{said}");
    let said = workspace
        .run(&[
            "import",
            "invenioils_service.this[\"database\"]",
            "database",
        ])
        .refused();
    assert!(said.contains("database"), "{said}");
}
