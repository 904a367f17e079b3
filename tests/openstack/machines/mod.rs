//! Libraries on machines that boot: nothing is simulated but the hypervisor. What happens inside a machine is looked at
//! from the outside: its console, its processes, its answers.

mod failover;
mod inside;
mod library;
mod reports;
mod restore;
mod site;
mod upgrade;

use super::{Project, Turn, cloud};
use crate::terraform::workspace::loud;
use site::Site;
use std::path::PathBuf;

/// Where the test cloud keeps its state.
pub fn osdev() -> PathBuf {
    std::env::var_os("OSDEV").map_or_else(|| "/opt/osdev".into(), PathBuf::from)
}

/// The control plane for one test alone, if its servers boot; said loudly where not.
pub fn machines(test: &str) -> Option<Turn> {
    if std::env::var_os("MACHINES_LATER").is_some_and(|it| !it.is_empty()) {
        // the run after this one has them
        return None;
    }
    let mode = std::fs::read_to_string(osdev().join("run/mode")).unwrap_or_default();
    if mode.trim() != "machines" {
        loud(&format!(
            "SKIPPED {test}: no cloud whose servers boot; `OSDEV_MACHINES=1 tests/openstack/openstack-up` brings one up"
        ));
        return None;
    }
    cloud()
}
