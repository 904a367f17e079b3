//! Names that are taken, states that were lost, and who may go on with what is found.

use super::{
    Workspace,
    library::{SMALL, provider},
    missing,
    tally::Tally,
};

const ENVIRONMENT: &str =
    "resource \"invenioils_environment\" \"this\" {\n  name = \"library\"\n}\n";

fn owned(file: &str, owner: &str) -> String {
    provider(file).replace("simulator", &format!("owner = \"{owner}\"\n  simulator"))
}

#[test]
fn a_name_taken_by_another_workspace_is_refused_and_nothing_of_it_is_touched() {
    if missing() {
        return;
    }
    let first = Workspace::new("");
    let file = first.path("cloud.sqlite").display().to_string();
    first.write("main.tf", &format!("{}{SMALL}", owned(&file, "first")));
    first.apply();

    let second = Workspace::new(&format!("{}{SMALL}", owned(&file, "second")));
    let found = second.diagnostics(&["plan"]);
    let errors: Vec<_> = found.iter().filter(|it| it.severity == "error").collect();
    assert!(!errors.is_empty(), "{found:?}");
    let about_name = errors
        .iter()
        .find(|it| it.line.contains("name = \"library\""))
        .expect("an error at `name`");
    assert!(about_name.detail.contains("adopt"), "{about_name:?}");
    assert!(about_name.detail.contains("import"), "{about_name:?}");
    second.run(&["apply", "-auto-approve"]).refused();
    assert_eq!(second.addresses(), Vec::<String>::new());
    first.settled();
    Tally::refused("another workspace's name", "simulator", 1).tell();
}

#[test]
fn a_lost_state_is_had_back_once_by_adopting() {
    if missing() {
        return;
    }
    let mut workspace = Workspace::new("");
    let file = workspace.path("cloud.sqlite").display().to_string();
    workspace.write("main.tf", &format!("{}{SMALL}", provider(&file)));
    workspace.apply();
    let before = workspace.attributes("invenioils_service.this[\"database\"]");

    // This is what a SIGKILL in the wrong moment leaves: terraform empties the file before it writes it.
    std::fs::write(workspace.path("terraform.tfstate"), "").expect("a file");
    let said = workspace.run(&["plan"]).refused();
    assert!(said.contains("adopt"), "{said}");
    workspace.set("INVENIOILS_ADOPT", "library");
    workspace.apply();
    assert_eq!(
        workspace.attributes("invenioils_service.this[\"database\"]"),
        before,
        "the same one, not a twin"
    );
    workspace.set("INVENIOILS_ADOPT", "");
    workspace.settled();
    workspace.destroy();
}

#[test]
fn an_owner_adopts_its_own_without_being_asked() {
    if missing() {
        return;
    }
    let workspace = Workspace::new("");
    let file = workspace.path("cloud.sqlite").display().to_string();
    workspace.write(
        "main.tf",
        &format!("{}{ENVIRONMENT}", owned(&file, "library-team")),
    );
    workspace.apply();
    let before = workspace.attributes("invenioils_environment.this");
    std::fs::write(workspace.path("terraform.tfstate"), "").expect("a file");
    workspace.apply();
    assert_eq!(workspace.attributes("invenioils_environment.this"), before);
    workspace.settled();
}
