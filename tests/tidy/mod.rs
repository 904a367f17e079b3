//! What reviewers would otherwise have to say again and again, held by reading the project's own files.

use crate::layers::{collect, sources};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Files that nobody wrote: made from `proto/` and compared with it by a test.
const GENERATED: [&str; 2] = ["plugin/wire/plugin.rs", "plugin/wire/tfplugin6.rs"];
const LIMIT: usize = 400;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn generated(path: &Path) -> bool {
    GENERATED.iter().any(|it| path == Path::new(it))
}

/// Past the limit for a reason.
const LONG: [(&str, &str); 2] = [
    (
        "plugin/server/rpcs.rs",
        "one trait of one service: each method a few lines",
    ),
    ("plugin/de.rs", "one trait of serde, and what it asks for"),
];

/// The product's files, each without its tests: those stand at its end, or in files of their own.
fn product() -> Vec<(PathBuf, String)> {
    let all = sources();
    let tests: Vec<String> = all
        .iter()
        .flat_map(|(_, text)| text.split("#[cfg(test)]\n").skip(1))
        .filter_map(|rest| {
            rest.trim_start_matches("pub(crate) ")
                .strip_prefix("mod ")?
                .split_once(';')
        })
        .map(|(name, _)| name.to_owned())
        .collect();
    let for_tests = |path: &Path| {
        let stem = path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        tests.contains(&stem) || path.components().any(|it| it.as_os_str() == "tests")
    };
    all.into_iter()
        .filter(|(path, _)| !generated(path) && !for_tests(path))
        .map(|(path, text)| {
            let product = text
                .split("#[cfg(test)]")
                .next()
                .unwrap_or_default()
                .to_owned();
            (path, product)
        })
        .collect()
}

#[test]
fn files_are_short() {
    let long: Vec<_> = product()
        .into_iter()
        .filter(|(path, _)| !LONG.iter().any(|(long, _)| path == Path::new(long)))
        .map(|(path, text)| (text.lines().count(), path))
        .filter(|(lines, _)| *lines > LIMIT)
        .map(|(lines, path)| format!("{}: {lines} lines", path.display()))
        .collect();
    assert!(
        long.is_empty(),
        "past {LIMIT} lines, split by meaning:\n{}",
        long.join("\n")
    );
}

#[test]
fn every_module_says_what_it_is() {
    let silent: Vec<_> = sources()
        .into_iter()
        .filter(|(path, text)| !generated(path) && !text.starts_with("//!"))
        .map(|(path, _)| path.display().to_string())
        .collect();
    assert!(
        silent.is_empty(),
        "no `//!` line at the top:\n{}",
        silent.join("\n")
    );
}

#[test]
fn nothing_is_unfinished_or_switched_off() {
    // Split, so that this file does not find itself.
    let words = [
        ["todo", "!("],
        ["unimplemented", "!("],
        ["dbg", "!("],
        ["#[ign", "ore"],
        ["FIX", "ME"],
        ["XX", "X:"],
    ]
    .map(|parts| parts.concat());
    let mut files = Vec::new();
    for folder in ["src", "tests", "benches", "examples"] {
        if root().join(folder).is_dir() {
            collect(&root().join(folder), &mut files);
        }
    }
    let mut found = Vec::new();
    for path in files {
        let text = fs::read_to_string(&path).expect("a source file is text");
        for (number, line) in text.lines().enumerate() {
            if let Some(word) = words.iter().find(|word| line.contains(*word)) {
                found.push(format!("{}:{}: {word}", path.display(), number + 1));
            }
        }
    }
    assert!(
        found.is_empty(),
        "unfinished or switched off:\n{}",
        found.join("\n")
    );
}

#[test]
fn nothing_unwraps_outside_tests() {
    let mut found = Vec::new();
    for (path, text) in product() {
        for (number, line) in text.lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            if code.contains(".unwrap()") || code.contains("expect(\"\")") {
                found.push(format!(
                    "{}:{}: {}",
                    path.display(),
                    number + 1,
                    line.trim()
                ));
            }
        }
    }
    assert!(
        found.is_empty(),
        "a panic waits here:\n{}",
        found.join("\n")
    );
}

#[test]
fn no_bag_of_odds_and_ends() {
    let bags: Vec<PathBuf> = sources()
        .into_iter()
        .map(|(path, _)| path)
        .filter(|path| {
            let stem = path
                .file_stem()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            ["utils", "util", "helpers", "common", "misc"].contains(&stem.as_str())
        })
        .collect();
    assert!(
        bags.is_empty(),
        "a function lives where its noun lives: {bags:?}"
    );
}

/// The README's commands are make targets, and its links lead somewhere.
#[test]
fn the_readme_speaks_of_what_is_there() {
    let makefile = fs::read_to_string(root().join("GNUmakefile")).expect("GNUmakefile");
    for page in ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"] {
        let text = fs::read_to_string(root().join(page)).expect(page);
        for line in text.lines() {
            for command in line.split("make ").skip(1) {
                let target: String = command
                    .chars()
                    .take_while(|c| c.is_ascii_lowercase() || *c == '-')
                    .collect();
                // Only what stands as code: `make x`, or a line of a code block that begins with it.
                if line.starts_with("make ") || line.contains(&format!("`make {target}`")) {
                    assert!(
                        makefile.contains(&format!("\n{target}:")),
                        "{page} speaks of `make {target}`"
                    );
                }
            }
            for link in line
                .split("](")
                .skip(1)
                .filter_map(|rest| rest.split(')').next())
            {
                if !link.starts_with("http") {
                    let path = link.split('#').next().unwrap_or_default();
                    assert!(root().join(path).exists(), "{page} links to {path}");
                }
            }
        }
    }
}

/// Each example's folder is named by a test that applies it.
#[test]
fn every_example_has_a_test() {
    let mut files = Vec::new();
    collect(&root().join("tests/terraform"), &mut files);
    collect(&root().join("tests/openstack"), &mut files);
    let tests: String = files
        .iter()
        .map(|path| fs::read_to_string(path).expect("text"))
        .collect();
    for entry in fs::read_dir(root().join("examples")).expect("examples") {
        let path = entry.expect("an entry").path();
        let name = path
            .file_name()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        match name.as_str() {
            // One of each resource: walked by `every_resource_example_is_applied`.
            "resources" => assert!(tests.contains("every_resource_example_is_applied")),
            "provider" => assert!(tests.contains("the_provider_example_is_valid")),
            _ if path.is_dir() => {
                assert!(
                    tests.contains(&format!("Workspace::example(\"{name}\")")),
                    "no test applies examples/{name}"
                );
            }
            _ => {}
        }
    }
}

#[test]
fn the_registry_is_told_the_protocol() {
    let text =
        fs::read_to_string(root().join("terraform-registry-manifest.json")).expect("the manifest");
    let manifest: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(
        manifest["metadata"]["protocol_versions"],
        serde_json::json!(["6.0"])
    );
}
