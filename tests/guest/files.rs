//! The embedded programs are well formed, as far as tools can tell without running them.

use std::{path::PathBuf, process::Command};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/site/guest/files")
}

fn names(keep: impl Fn(&str, &str) -> bool) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        let Ok(text) = std::fs::read_to_string(&path) else {
            continue;
        };
        if keep(path.file_name().unwrap().to_str().unwrap(), &text) {
            found.push(path);
        }
    }
    assert!(!found.is_empty());
    found
}

fn has(program: &str) -> bool {
    let there = Command::new(program).arg("--version").output().is_ok();
    if !there {
        eprintln!("SKIPPED: {program} is not on this machine");
    }
    there
}

#[test]
fn every_python_program_compiles() {
    if !has("python3") {
        return;
    }
    for path in names(|name, _| name.ends_with(".py") || name == "invenio.cfg") {
        // without leaving a cache beside the sources
        let out = Command::new("python3")
            .args([
                "-Ic",
                "import sys; compile(open(sys.argv[1]).read(), sys.argv[1], 'exec')",
            ])
            .arg(&path)
            .output()
            .unwrap();
        assert!(
            out.status.success(),
            "{}",
            String::from_utf8_lossy(&out.stderr)
        );
    }
}

#[test]
fn every_shell_program_passes_shellcheck() {
    if !has("shellcheck") {
        return;
    }
    let mut all = names(|_, text| text.starts_with("#!/bin/sh") || text.starts_with("#!/bin/bash"));
    for name in ["machine", "make-root"] {
        all.push(
            PathBuf::from(env!("CARGO_MANIFEST_DIR"))
                .join("tests/guest")
                .join(name),
        );
    }
    for path in all {
        let out = Command::new("shellcheck").arg(&path).output().unwrap();
        assert!(
            out.status.success(),
            "{}",
            String::from_utf8_lossy(&out.stdout)
        );
    }
}

#[test]
fn every_unit_is_one_that_systemd_understands() {
    if !has("systemd-analyze") {
        return;
    }
    for path in names(|name, _| name.ends_with(".service") || name.ends_with(".timer")) {
        let text = std::fs::read_to_string(&path).unwrap();
        for section in [
            "[Unit]",
            if path.extension().is_some_and(|it| it == "timer") {
                "[Timer]"
            } else {
                "[Service]"
            },
        ] {
            assert!(
                text.lines().any(|line| line == section),
                "{} has no {section}",
                path.display()
            );
        }
        let folder = tempfile::tempdir().unwrap();
        let copy = folder.path().join(path.file_name().unwrap());
        // what it starts is on the machines, not here
        let there = text.lines().map(|line| {
            if line.starts_with("ExecStart=") {
                "ExecStart=/bin/true"
            } else {
                line
            }
        });
        std::fs::write(&copy, there.collect::<Vec<_>>().join("\n")).unwrap();
        let out = Command::new("systemd-analyze")
            .args(["verify", "--man=no", "--recursive-errors=no"])
            .arg(&copy)
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&out.stderr);
        let about: Vec<_> = told
            .lines()
            .filter(|line| {
                line.contains("Unknown")
                    || line.contains("Invalid")
                    || line.contains("Failed to parse")
            })
            .collect();
        assert!(about.is_empty(), "{about:?}");
    }
}

#[test]
fn every_package_is_pinned_by_its_version_and_by_the_sums_of_its_files() {
    for path in names(|name, _| name.starts_with("constraints-")) {
        let text = std::fs::read_to_string(&path).unwrap();
        for line in text.lines().filter(|it| !it.starts_with("# ")) {
            let (exact, sums) = line
                .split_once(" # ")
                .unwrap_or_else(|| panic!("no sums: {line}; see tests/tools/pins"));
            assert_eq!(exact.split("==").count(), 2, "{line}");
            for sum in sums.split(' ') {
                assert!([16, 43].contains(&sum.len()), "{line}");
            }
        }
    }
}
