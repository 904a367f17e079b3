//! Everything is imported by its id into an empty state; then there is nothing to do.

use super::{Project, shared, workspace};
use crate::terraform::library::{SMALL, THINGS};

const PROVIDER: &str = "provider \"invenioils\" {\n  openstack = {}\n}\n";

#[test]
fn every_resource_is_imported_by_its_id_and_the_next_plan_is_empty() {
    let Some(_turn) = shared() else { return };
    let project = Project::new();
    let before = project.inventory();
    let configuration = format!(
        "{PROVIDER}{}",
        SMALL.replace(
            "name = \"library\"",
            "name = \"library\"\n  network = { external_network = \"public\" }"
        )
    );
    let first = workspace(&project, &configuration);
    first.apply();
    first.settled();
    let made = project.inventory();

    let second = workspace(&project, &configuration);
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
    second.destroy();
    project.is_as(&before);
}
