//! The programs that are laid onto a machine, each a real file beside this one.

use crate::site::Role;

pub(super) struct File {
    pub path: &'static str,
    pub text: &'static str,
    pub mode: &'static str,
}

macro_rules! file {
    ($mode:literal, $path:literal, $name:literal) => {
        File {
            path: $path,
            text: include_str!(concat!("files/", $name)),
            mode: $mode,
        }
    };
}

const INSTALL: File = file!("0644", "/usr/local/lib/invenioils/install", "install");

const EVERYWHERE: &[File] = &[INSTALL];

/// The files of a role: those that every machine has, and its own.
pub(super) fn of(role: Role) -> Vec<&'static File> {
    let own: &[File] = match role {
        Role::Balancer => &[],
        _ => &[],
    };
    EVERYWHERE.iter().chain(own).collect()
}
