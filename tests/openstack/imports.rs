//! Everything is imported by its id into an empty state; then there is nothing to do.

use super::{Project, workspace};
use crate::terraform::{Workspace, library::THINGS};

/// Imports what the first workspace has made, and leaves it as it is.
pub fn every_resource_is_imported_by_its_id(
    project: &Project,
    first: &Workspace,
    configuration: &str,
) {
    let made = project.inventory();
    let second = workspace(project, configuration);
    let import: String = THINGS
        .iter()
        .map(|(address, id)| format!("import {{\n  to = {address}\n  id = \"{id}\"\n}}\n"))
        .collect();
    second.write("import.tf", &import);
    let done = second.apply();
    assert!(
        done.stdout
            .contains("9 imported, 0 added, 0 changed, 0 destroyed"),
        "{done}"
    );
    second.settled();
    for (address, _) in THINGS {
        assert_eq!(
            second.attributes(address),
            first.attributes(address),
            "{address}"
        );
    }
    project.is_as(&made);
}
