//! Each kind of bad input ends in one clear error that points at the attribute, before anything is made.

use super::{Workspace, library::simulated, missing};

struct Bad {
    what: &'static str,
    /// Replacements in the small library's configuration.
    edits: &'static [(&'static str, &'static str)],
    /// The line that the error points at holds this; empty where there is no such line.
    at: &'static str,
    /// Said in the summary or the detail.
    says: &'static [&'static str],
}

const SIMULATOR: &str = "simulator = { path = \".invenioils/simulator.sqlite\" }";

const BAD: &[Bad] = &[
    Bad {
        what: "two platforms",
        edits: &[(SIMULATOR, "simulator = {}\n  openstack = {}")],
        at: "",
        says: &["only one of"],
    },
    Bad {
        what: "no platform",
        edits: &[(SIMULATOR, "")],
        at: "",
        says: &["exactly one"],
    },
    Bad {
        what: "an unknown platform",
        edits: &[(SIMULATOR, "mainframe = {}")],
        at: "mainframe",
        says: &["mainframe"],
    },
    Bad {
        what: "a malformed network",
        edits: &[(
            "name = \"library\"",
            "name = \"library\"\n  network = { cidr = \"10.20.0.0\" }",
        )],
        at: "cidr",
        says: &["10.20.0.0"],
    },
    Bad {
        what: "a network of which host bits are set",
        edits: &[(
            "name = \"library\"",
            "name = \"library\"\n  network = { cidr = \"10.20.0.7/24\" }",
        )],
        at: "cidr",
        says: &["10.20.0.7/24"],
    },
    Bad {
        what: "a network too small",
        edits: &[(
            "name = \"library\"",
            "name = \"library\"\n  network = { cidr = \"10.20.0.0/30\" }",
        )],
        at: "cidr",
        says: &["10.20.0.0/30"],
    },
    Bad {
        what: "a bad name",
        edits: &[("name = \"library\"", "name = \"Library!\"")],
        at: "name",
        says: &["Library!"],
    },
    Bad {
        what: "an unknown flavor",
        edits: &[(
            "certificate_id      = ",
            "web = { flavor = \"no-such-flavor\" }\n  certificate_id = ",
        )],
        at: "web",
        says: &["no-such-flavor"],
    },
    Bad {
        what: "an unknown image",
        edits: &[(
            "name = \"library\"",
            "name = \"library\"\n  image = { name = \"no-such-image\" }",
        )],
        at: "image",
        says: &["no-such-image"],
    },
    Bad {
        what: "an unknown external network",
        edits: &[(
            "name = \"library\"",
            "name = \"library\"\n  network = { external_network = \"nowhere\" }",
        )],
        at: "network",
        says: &["nowhere"],
    },
    Bad {
        what: "a schedule that never fires",
        edits: &[("0 3 * * *", "0 3 31 2 *")],
        at: "schedule",
        says: &["no such day"],
    },
    Bad {
        what: "a schedule that is none",
        edits: &[("0 3 * * *", "every night")],
        at: "schedule",
        says: &["every night"],
    },
    Bad {
        what: "no retention",
        edits: &[("{ daily = 7 }", "{}")],
        at: "retention",
        says: &["at least one"],
    },
    Bad {
        what: "a kind of service too few",
        edits: &[(
            "{ for kind, service in invenioils_service.this : kind => service.id }",
            "{ database = invenioils_service.this[\"database\"].id }",
        )],
        at: "services",
        says: &["search"],
    },
    Bad {
        what: "a service of another environment",
        edits: &[(
            "{ for kind, service in invenioils_service.this : kind => service.id }",
            "{ for kind, service in invenioils_service.this : kind => kind == \"cache\" ? \"elsewhere/cache\" : service.id }",
        )],
        at: "services",
        says: &["elsewhere/cache"],
    },
    Bad {
        what: "a kind that does not exist",
        edits: &[("\"storage\"]", "\"storage\", \"typewriter\"]")],
        at: "kind",
        says: &["typewriter"],
    },
    Bad {
        what: "two search nodes",
        edits: &[(
            "kind                = each.key",
            "kind                = each.key\n  nodes = each.key == \"search\" ? 2 : 1",
        )],
        at: "nodes",
        says: &["majority"],
    },
    Bad {
        what: "a certificate that does not cover the host name",
        edits: &[(
            "hostnames      = [\"library.example.org\"]",
            "hostnames      = [\"other.example.org\"]",
        )],
        at: "certificate_id",
        says: &["library.example.org"],
    },
    Bad {
        what: "no certificate",
        edits: &[("certificate_id      = invenioils_certificate.this.id", "")],
        at: "",
        says: &["insecure_http"],
    },
    Bad {
        what: "a bad host name",
        edits: &[(
            "hostname            = \"library.example.org\"",
            "hostname            = \"library_example\"",
        )],
        at: "hostname",
        says: &["library_example"],
    },
    Bad {
        what: "hostname",
        edits: &[(
            "name = \"library\"",
            "name = \"library\"\n  dns = { zone = \"example.com.\", manage_zone = true }",
        )],
        at: "hostname",
        says: &["example.com"],
    },
    Bad {
        what: "a setting that is the provider's",
        edits: &[(
            "certificate_id      = ",
            "config = { INVENIO_SQLALCHEMY_DATABASE_URI = \"postgresql://x\" }\n  certificate_id = ",
        )],
        at: "config",
        says: &["INVENIO_SQLALCHEMY_DATABASE_URI"],
    },
    Bad {
        what: "an unknown time zone",
        edits: &[(
            "schedule        = ",
            "timezone = \"Mars/Olympus\"\n  schedule = ",
        )],
        at: "timezone",
        says: &["Mars/Olympus"],
    },
    Bad {
        what: "two ways to a certificate",
        edits: &[("self_signed    = {}", "self_signed    = {}\n  managed = {}")],
        at: "",
        says: &["only one of"],
    },
];

#[test]
fn each_bad_input_is_one_error_at_its_attribute_and_makes_nothing() {
    if missing() {
        return;
    }
    let mut wrong = Vec::new();
    for bad in BAD {
        let mut configuration = simulated();
        for (from, to) in bad.edits {
            assert!(configuration.contains(from), "{}: {from}", bad.what);
            configuration = configuration.replace(from, to);
        }
        if let Err(why) = judge(bad, &Workspace::new(&configuration)) {
            wrong.push(format!("- {}: {why}", bad.what));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {} are not as they should be:\n{}",
        wrong.len(),
        BAD.len(),
        wrong.join("\n")
    );
}

fn judge(bad: &Bad, workspace: &Workspace) -> Result<(), String> {
    let found = workspace.diagnostics(&["apply", "-auto-approve"]);
    let mut errors: Vec<_> = found
        .into_iter()
        .filter(|it| it.severity == "error")
        .collect();
    // One fault of a configuration with `for_each` is said once for each.
    errors.dedup_by(|a, b| a.summary == b.summary && a.detail == b.detail && a.line == b.line);
    let [error] = errors.as_slice() else {
        return Err(format!(
            "{} errors instead of one: {errors:#?}",
            errors.len()
        ));
    };
    // Terraform marks a line of the configuration only for attributes of the resource itself; of those within one, the
    // text says the path.
    let said = format!("{} {}", error.summary, error.detail);
    let path = [format!("`{}", bad.at), format!(".{}`", bad.at)]
        .iter()
        .any(|it| said.contains(it));
    if !error.line.contains(bad.at) && !path {
        return Err(format!(
            "points at `{}` and not at `{}`: {} {}",
            error.line, bad.at, error.summary, error.detail
        ));
    }
    let said = format!("{} {}", error.summary, error.detail).to_lowercase();
    if let Some(word) = bad
        .says
        .iter()
        .find(|word| !said.contains(&word.to_lowercase()))
    {
        return Err(format!("does not say `{word}`: {said}"));
    }
    match workspace.addresses().as_slice() {
        [] => Ok(()),
        made => Err(format!("something was made: {made:?}")),
    }
}

#[test]
fn a_quota_too_small_for_the_whole_plan_is_said_before_anything_is_made() {
    if missing() {
        return;
    }
    let configuration = simulated().replace(
        "simulator = { path = ",
        "simulator = { quota = { cores = 3 }, path = ",
    );
    let workspace = Workspace::new(&configuration);
    let said = workspace.run(&["apply", "-auto-approve"]).refused();
    assert!(said.contains("cores"), "{said}");
    assert!(said.contains('3'), "how much there is: {said}");
    assert_eq!(workspace.addresses(), Vec::<String>::new());
}

#[test]
fn a_lower_version_is_refused() {
    if missing() {
        return;
    }
    let workspace = Workspace::new(&simulated());
    workspace.apply();
    let instance = workspace.attributes("invenioils_instance.this");
    assert_eq!(instance["version"], "9.0.1");
    workspace.edit(
        "certificate_id      = ",
        "version = \"7.3.0\"\n  certificate_id = ",
    );
    let found = workspace.diagnostics(&["plan"]);
    let error = found
        .iter()
        .find(|it| it.severity == "error")
        .expect("an error");
    assert!(error.line.contains("version"), "{error:?}");
    assert!(error.detail.contains("9.0.1"), "{error:?}");
}

/// A certificate of other people's making is looked at before it is used.
#[test]
fn an_imported_certificate_is_checked() {
    if missing() {
        return;
    }
    let make = |names: &[&str], days: i64| {
        let key = rcgen::KeyPair::generate().expect("a key");
        let mut parameters = rcgen::CertificateParams::new(
            names.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>(),
        )
        .expect("names");
        let now = std::time::SystemTime::now();
        let at = |days: i64| {
            let length = std::time::Duration::from_secs(days.unsigned_abs() * 86400);
            if days < 0 { now - length } else { now + length }
        };
        parameters.not_before = at(-800).into();
        parameters.not_after = at(days).into();
        let certificate = parameters.self_signed(&key).expect("a certificate");
        (certificate.pem(), key.serialize_pem())
    };
    let good = make(&["library.example.org"], 90);
    let cases = [
        ("expired", make(&["library.example.org"], -1), "expired"),
        (
            "another key",
            (good.0.clone(), make(&["library.example.org"], 90).1),
            "key",
        ),
        (
            "another name",
            make(&["other.example.org"], 90),
            "library.example.org",
        ),
        (
            "no certificate",
            ("nonsense".to_owned(), good.1.clone()),
            "PEM",
        ),
    ];
    for (what, (certificate, key), says) in cases {
        let configuration = simulated().replace(
            "self_signed    = {}",
            "imported = {\n    certificate_pem = file(\"cert.pem\")\n    private_key_pem_wo = file(\"key.pem\")\n    private_key_pem_wo_version = 1\n  }",
        );
        let workspace = Workspace::new(&configuration);
        workspace.write("cert.pem", &certificate);
        workspace.write("key.pem", &key);
        let said = workspace.run(&["apply", "-auto-approve"]).refused();
        assert!(
            said.to_lowercase().contains(&says.to_lowercase()),
            "{what}: {said}"
        );
        assert_eq!(workspace.addresses(), Vec::<String>::new(), "{what}");
    }
}
