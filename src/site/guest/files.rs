//! The programs that are laid onto a machine, each a real file beside this one.

use crate::site::Role;
use std::borrow::Cow;

pub(super) struct File {
    pub path: &'static str,
    text: &'static str,
    pub mode: &'static str,
}

impl File {
    /// As it comes to lie on a machine: without comments, and programs without what their functions say of themselves, for
    /// which `user_data` has no room. What a file is for, at its top, stays.
    pub fn text(&self) -> Cow<'static, str> {
        if self.path.ends_with(".py") {
            return Cow::Owned(bare(self.text));
        }
        if self.path.ends_with(".txt") {
            return Cow::Borrowed(self.text);
        }
        // a `#` with a word right behind it may be more than a comment
        let lines = self.text.split_inclusive('\n').enumerate();
        let kept = lines.filter(|(at, line)| *at == 0 || !line.trim_start().starts_with("# "));
        Cow::Owned(kept.map(|(_, line)| line).collect())
    }
}

/// A Python program without the lines that are comments alone, and without the docstrings of its functions and classes. A
/// docstring that is all a body has stays.
fn bare(program: &str) -> String {
    const QUOTES: &str = "\"\"\"";
    let lines: Vec<&str> = program
        .split_inclusive('\n')
        .filter(|it| !it.trim_start().starts_with('#'))
        .collect();
    let indent = |line: &str| line.len() - line.trim_start().len();
    let mut kept = String::with_capacity(program.len());
    let mut in_body = false;
    let mut at = 0;
    while let Some(line) = lines.get(at) {
        at += 1;
        if let Some(rest) = line.trim().strip_prefix(QUOTES)
            && in_body
        {
            let closes = |it: &str| it.trim_end().ends_with(QUOTES);
            let more = match rest.ends_with(QUOTES) {
                true => 0,
                false => lines[at..].iter().position(|it| closes(it)).unwrap_or(0) + 1,
            };
            let after = at + more;
            let next = lines[after..].iter().find(|it| !it.trim().is_empty());
            if next.is_some_and(|next| indent(next) >= indent(line)) {
                at = after;
                in_body = false;
                continue;
            }
        }
        kept.push_str(line);
        in_body = line.trim_end().ends_with(':');
    }
    kept
}

/// A program or template, where all of ours lie.
macro_rules! ours {
    ($($name:literal),+ $(,)?) => {
        &[$(File {
            path: concat!("/usr/local/lib/invenioils/", $name),
            text: include_str!(concat!("files/", $name)),
            mode: "0644",
        }),+]
    };
}
macro_rules! unit {
    ($name:literal) => {
        File {
            path: concat!("/etc/systemd/system/", $name),
            text: include_str!(concat!("files/", $name)),
            mode: "0644",
        }
    };
}

const UNITS: &[File] = &[
    unit!("invenioils-converge.service"),
    unit!("invenioils-converge.timer"),
    File {
        path: "/usr/local/sbin/invenioils",
        text: include_str!("files/operate.py"),
        mode: "0755",
    },
];

const EVERYWHERE: &[File] = ours![
    "install",
    "converge.py",
    "machine.py",
    "sources.py",
    "report.py",
    "alerts.py",
    "common.py",
    "bucket.py",
    "firewall.nft",
    "invenioils-firewall.service",
    "unattended-upgrades.conf",
    "sysctl.conf",
];

/// What makes backups, where there is something to keep.
const BACKUPS: &[File] = ours![
    "backups.py",
    "backup.py",
    "backup_what.py",
    "backup_files.py",
    "cron.py",
    "invenioils-backup.service",
    "invenioils-backup.timer",
];

const DATABASE: &[File] = ours!["role_database.py", "database_cluster.py", "backup_time.py"];
const SEARCH: &[File] = ours![
    "role_search.py",
    "opensearch_release.py",
    "opensearch.service",
    "opensearch-run",
    "opensearch-log4j2.properties",
    "nginx-search.conf",
    "haproxy.cfg",
];
const CACHE: &[File] = ours!["role_cache.py"];
const QUEUE: &[File] = ours!["role_queue.py"];
const STORAGE: &[File] = ours!["role_storage.py", "nfs.conf", "ganesha.conf"];
const APPLICATION: &[File] = ours![
    "application.py",
    "release.py",
    "setup.py",
    "invenio.cfg",
    "haproxy.cfg",
    "constraints-7.3.0.txt",
    "constraints-9.0.1.txt",
    "keeper.py",
    "upgrade.py",
];
const WEB: &[File] = ours![
    "role_web.py",
    "ils-web.service",
    "ils-gate.service",
    "uwsgi.ini",
    "nginx-web.conf",
    "no-frontend.html",
    "maintenance.html",
];
const WORKER: &[File] = ours![
    "role_worker.py",
    "expiry.py",
    "ils-worker.service",
    "ils-scheduler.service"
];

/// The files of a role: those that every machine has, and its own.
pub(super) fn of(role: Role) -> impl Iterator<Item = &'static File> {
    let own: &[&[File]] = match role {
        Role::Balancer => &[],
        Role::Database => &[BACKUPS, DATABASE],
        Role::Search => &[BACKUPS, SEARCH],
        Role::Cache => &[BACKUPS, CACHE],
        Role::Queue => &[BACKUPS, QUEUE],
        Role::Storage => &[BACKUPS, STORAGE],
        Role::Web => &[APPLICATION, WEB],
        Role::Worker => &[APPLICATION, WORKER],
    };
    UNITS
        .iter()
        .chain(EVERYWHERE)
        .chain(own.iter().copied().flatten())
}
