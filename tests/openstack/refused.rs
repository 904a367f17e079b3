//! What cannot work is refused at plan, with one clear error, and nothing is made.

use super::{Project, shared, workspace};
use crate::terraform::{Workspace, library::SMALL, tally::Tally};
use serde_json::json;

const PROVIDER: &str = "provider \"invenioils\" {\n  openstack = {}\n}\n";

fn configuration() -> String {
    format!(
        "{PROVIDER}{}",
        SMALL.replace(
            "name = \"library\"",
            "name = \"library\"\n  network = { external_network = \"public\" }"
        )
    )
}

/// The errors of a plan, as `(line, text)`; equal ones once.
fn errors(workspace: &Workspace) -> Vec<(String, String)> {
    let found = workspace.diagnostics(&["plan"]);
    let mut errors: Vec<_> = found
        .into_iter()
        .filter(|it| it.severity == "error")
        .map(|it| {
            (
                it.line.trim().to_owned(),
                format!("{} {}", it.summary, it.detail),
            )
        })
        .collect();
    errors.sort();
    errors.dedup();
    errors
}

#[test]
fn what_the_cloud_does_not_have_is_said_at_its_attribute() {
    let Some(_turn) = shared() else { return };
    let project = Project::new();
    let before = project.inventory();
    let cases = [
        (
            "an unknown flavor",
            "certificate_id      = ",
            "web = { flavor = \"no-such-flavor\" }\n  certificate_id = ",
            "web",
            "no-such-flavor",
        ),
        (
            "an unknown image",
            "network = { external_network = \"public\" }",
            "network = { external_network = \"public\" }\n  image = { name = \"no-such-image\" }",
            "image",
            "no-such-image",
        ),
        (
            "an unknown network",
            "external_network = \"public\"",
            "external_network = \"nowhere\"",
            "network",
            "nowhere",
        ),
        (
            "two external networks and none chosen",
            "network = { external_network = \"public\" }",
            "",
            "",
            "external_network",
        ),
        (
            "an unknown volume type",
            "kind                = each.key",
            "kind                = each.key\n  disk_type = \"no-such-type\"",
            "disk_type",
            "no-such-type",
        ),
        (
            "a host name outside the zone",
            "network = { external_network = \"public\" }",
            "network = { external_network = \"public\" }\n  dns = { zone = \"example.com.\", manage_zone = true }",
            "hostname",
            "example.com",
        ),
        (
            "a zone that is not there",
            "network = { external_network = \"public\" }",
            "network = { external_network = \"public\" }\n  dns = { zone = \"example.org.\" }",
            "dns",
            "example.org",
        ),
    ];
    let mut wrong = Vec::new();
    for (what, from, to, at, says) in cases {
        let text = configuration();
        assert!(text.contains(from), "{what}");
        let workspace = workspace(&project, &text.replace(from, to));
        let errors = errors(&workspace);
        let good = matches!(errors.as_slice(), [(line, said)] if (line.contains(at) || said.contains(&format!("`{at}"))) && said.contains(says));
        if !good {
            wrong.push(format!("- {what}: {errors:#?}"));
        }
    }
    assert!(
        wrong.is_empty(),
        "not one clear error at the attribute:\n{}",
        wrong.join("\n")
    );
    project.is_as(&before);
}

#[test]
fn a_login_that_does_not_work_is_said_in_the_provider_block() {
    let Some(_turn) = shared() else { return };
    let project = Project::new();
    let login = |password: &str, url: &str| {
        let openstack = format!(
            "openstack = {{\n    auth_url = \"{url}\"\n    username = \"{name}\"\n    password = \"{password}\"\n    project_name = \"{name}\"\n    \
             user_domain_name = \"Default\"\n    project_domain_name = \"Default\"\n  }}",
            name = project.name
        );
        Workspace::new(&configuration().replace("openstack = {}", &openstack))
    };
    for (what, password, url, says) in [
        (
            "a wrong password",
            "canary-wrong-password",
            "http://127.0.0.1:5000/v3",
            "refused",
        ),
        (
            "nobody listens there",
            "canary-wrong-password",
            "http://127.0.0.1:9/v3",
            "127.0.0.1:9",
        ),
    ] {
        let workspace = login(password, url);
        let errors = errors(&workspace);
        assert!(!errors.is_empty(), "{what}");
        assert!(
            errors.iter().any(|(_, said)| said.contains(says)),
            "{what}: {errors:?}"
        );
        for (path, bytes) in workspace.left_behind(&["main.tf"]) {
            assert!(
                !String::from_utf8_lossy(&bytes).contains(password),
                "{what}: the password is in {}",
                path.display()
            );
        }
        assert!(
            errors.iter().all(|(_, said)| !said.contains(password)),
            "{what}: {errors:?}"
        );
    }
    let mut workspace = workspace(&project, &configuration());
    workspace.set("OS_CLOUD", "no-such-cloud");
    let errors = errors(&workspace);
    assert!(
        errors
            .iter()
            .any(|(_, said)| said.contains("no-such-cloud")),
        "{errors:?}"
    );
}

#[test]
fn a_quota_too_small_for_the_whole_plan_is_said_with_its_figures() {
    let Some(_turn) = shared() else { return };
    let project = Project::new();
    let before = project.inventory();
    project.quota(&json!({ "instances": 5 }), &json!({}));
    let workspace = workspace(&project, &configuration());
    let errors = errors(&workspace);
    assert!(
        errors.iter().any(|(_, said)| said.contains("instances")
            && said.contains('5')
            && said.contains('7')),
        "{errors:?}"
    );
    workspace.run(&["apply", "-auto-approve"]).refused();
    project.is_as(&before);

    project.quota(&json!({ "instances": 50 }), &json!({ "gigabytes": 15 }));
    let errors = self::errors(&workspace);
    assert!(
        errors
            .iter()
            .any(|(_, said)| said.contains("gigabytes") && said.contains("15")),
        "{errors:?}"
    );
    project.is_as(&before);
}

#[test]
fn a_name_taken_by_somebody_else_is_refused_and_theirs_is_left_alone() {
    let Some(_turn) = shared() else { return };
    let project = Project::new();
    let small = "resource \"invenioils_environment\" \"this\" {\n  name = \"library\"\n  network = { external_network = \"public\" }\n}\n";
    let provider =
        |owner: &str| PROVIDER.replace("openstack", &format!("owner = \"{owner}\"\n  openstack"));
    let first = workspace(&project, &format!("{}{small}", provider("first")));
    first.apply();
    let made = project.inventory();
    let second = workspace(&project, &format!("{}{small}", provider("second")));
    let errors = errors(&second);
    assert!(
        matches!(errors.as_slice(), [(line, said)] if line.contains("name") && said.contains("adopt")),
        "{errors:?}"
    );
    second.run(&["apply", "-auto-approve"]).refused();
    project.is_as(&made);
    first.settled();
    first.destroy();
    Tally::refused("another workspace's name", "OpenStack", 1).tell();
}

#[test]
fn a_range_of_addresses_that_is_in_use_is_said_at_its_attribute() {
    let Some(_turn) = shared() else { return };
    let project = Project::new();
    let api = project.api();
    let campus = json!({ "network": { "name": "campus" } });
    let campus = api.post("network", "/networks", &campus)["network"]["id"].clone();
    let subnet = json!({ "subnet": { "name": "campus", "network_id": campus, "ip_version": 4, "cidr": "10.20.0.0/16" } });
    api.post("network", "/subnets", &subnet);
    let before = project.inventory();
    for (cidr, says) in [
        ("10.20.0.0/24", "10.20.0.0/16"),
        ("203.0.113.128/25", "203.0.113.0/24"),
    ] {
        let workspace = workspace(
            &project,
            &configuration().replace(
                "external_network = \"public\"",
                &format!("external_network = \"public\", cidr = \"{cidr}\""),
            ),
        );
        let errors = errors(&workspace);
        assert!(
            matches!(errors.as_slice(), [(_, said)] if said.contains("`network.cidr`") && said.contains(says)),
            "{cidr}: {errors:?}"
        );
    }
    project.is_as(&before);
    api.delete(
        "network",
        &format!("/networks/{}", super::project::text(&campus)),
    );
}
