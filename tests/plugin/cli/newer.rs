//! What the Terraform on the PATH may be too old for: identity, queries, actions. And OpenTofu.

use super::stable::whole_life;
use super::{Cli, Folder};

const ONE: &str = "resource \"corner_thing\" \"one\" {\n  name = \"one\"\n  size = 9\n}\n";

fn import_by_identity(cli: &Cli) {
    let folder = Folder::new(cli, ONE);
    folder.applies();
    let state = folder.state();
    assert_eq!(
        state["resources"][0]["identity"]["id"], "thing-one",
        "{state}"
    );
    std::fs::remove_file(folder.path("terraform.tfstate")).unwrap();
    let import =
        "import {\n  to       = corner_thing.one\n  identity = { id = \"thing-one\" }\n}\n";
    folder.write("main.tf", &format!("{ONE}{import}"));
    let plan = folder.run(&["plan"]).ok();
    assert!(
        plan.text
            .contains("1 to import, 0 to add, 0 to change, 0 to destroy"),
        "{}",
        plan.text
    );
    folder.applies();
    folder.destroys();
}

#[test]
fn a_newer_terraform_takes_every_shape() {
    let Some(cli) = Cli::newer() else { return };
    whole_life(&cli);
}

#[test]
fn a_newer_terraform_imports_by_identity() {
    let Some(cli) = Cli::newer() else { return };
    import_by_identity(&cli);
}

#[test]
fn a_newer_terraform_queries_and_writes_configuration() {
    let Some(cli) = Cli::newer() else { return };
    let things = "resource \"corner_thing\" \"all\" {\n  for_each = toset([\"a1\", \"a2\", \"b1\"])\n  name     = each.key\n}\n";
    let folder = Folder::new(&cli, things);
    folder.applies();
    let query = "list \"corner_thing\" \"found\" {\n  provider         = corner\n  include_resource = true\n  config {\n    prefix = \"a\"\n  }\n}\n";
    folder.write("find.tfquery.hcl", query);
    let found = folder.run(&["query"]).ok();
    for name in ["thing thing-a1", "thing thing-a2"] {
        assert!(found.text.contains(name), "{}", found.text);
    }
    assert!(!found.text.contains("thing-b1"), "{}", found.text);
    folder.run(&["query", "-generate-config-out=found.tf"]).ok();
    let made = std::fs::read_to_string(folder.path("found.tf")).unwrap();
    assert!(
        made.contains("resource \"corner_thing\"") && made.contains("identity"),
        "{made}"
    );
    std::fs::remove_file(folder.path("found.tf")).unwrap();
    std::fs::remove_file(folder.path("find.tfquery.hcl")).unwrap();
    folder.destroys();
}

#[test]
fn a_newer_terraform_runs_actions() {
    let Some(cli) = Cli::newer() else { return };
    let rings = "resource \"corner_thing\" \"one\" {\n  name = \"one\"\n  lifecycle {\n    action_trigger {\n      events  = [after_create]\n      actions = [action.corner_ring.bell]\n    }\n  }\n}\naction \"corner_ring\" \"bell\" {\n  config {\n    times = 3\n  }\n}\n";
    let folder = Folder::new(&cli, rings);
    folder.applies();
    let log = std::fs::read_to_string(folder.path("cloud/log")).unwrap();
    assert_eq!(log.lines().count(), 3, "{log}");
    folder
        .run(&["apply", "-auto-approve", "-invoke=action.corner_ring.bell"])
        .ok();
    let log = std::fs::read_to_string(folder.path("cloud/log")).unwrap();
    assert_eq!(log.lines().count(), 6, "{log}");
    folder.write("main.tf", &rings.replace("times = 3", "times = 9"));
    folder
        .run(&["apply", "-auto-approve", "-invoke=action.corner_ring.bell"])
        .fails("nine times");
    folder.destroys();
}

#[test]
fn a_newer_terraform_tells_the_whole_schema() {
    let Some(cli) = Cli::newer() else { return };
    let folder = Folder::new(&cli, "");
    let schemas = folder.run(&["providers", "schema", "-json"]).ok().json;
    let corner = &schemas["provider_schemas"]["registry.terraform.io/tests/corner"];
    for (part, name) in [
        ("resource_schemas", "corner_thing"),
        ("resource_identity_schemas", "corner_thing"),
        ("list_resource_schemas", "corner_thing"),
        ("action_schemas", "corner_ring"),
        ("ephemeral_resource_schemas", "corner_token"),
        ("data_source_schemas", "corner_echo"),
        ("functions", "join"),
    ] {
        assert!(corner[part][name].is_object(), "{part} {name}");
    }
}

#[test]
fn opentofu_takes_every_shape_and_imports_by_identity() {
    let Some(cli) = Cli::tofu() else { return };
    whole_life(&cli);
    import_by_identity(&cli);
}
