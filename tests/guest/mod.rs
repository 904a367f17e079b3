//! The boot files, run: each role in one machine, second boot included.

mod backups;
mod bed;
mod files;
mod restores;
mod services;
mod site;

use std::{path::Path, process::Command};

/// The search engine's archive, made once from what registries have. False, and a loud word, where it cannot be had.
pub fn opensearch_archive(archive: &Path) -> bool {
    if archive.exists() {
        return true;
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/guest/opensearch-archive");
    let made = Command::new(script).arg(archive).output().unwrap();
    if !made.status.success() {
        let why = String::from_utf8_lossy(&made.stderr).into_owned();
        crate::terraform::workspace::loud(&format!(
            "SKIPPED: no archive of the search engine: {why}"
        ));
    }
    made.status.success()
}
