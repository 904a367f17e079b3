//! Rules for services.

use super::{version_findings, window_findings};
use crate::site::{Backend, Finding, Service, ServiceKind, Settings, sizes, version};

pub(super) fn check(service: &Service, before: Option<&Service>) -> Vec<Finding> {
    let mut findings = Vec::new();
    if service.external.is_some() {
        findings.extend(external(service));
    } else {
        findings.extend(nodes(service));
        findings.extend(before.and_then(|before| fewer_nodes(service, before)));
        findings.extend(disk(service, before));
        findings.extend(service_version(service, before));
        findings.extend(settings(service.kind, &service.settings));
    }
    if service.backend.is_some() && service.kind != ServiceKind::Storage {
        findings.push(Finding::refuse(
            "backend",
            "No backend here",
            format!(
                "`backend` is for storage; a {} has none.",
                service.kind.as_str()
            ),
        ));
    }
    findings.extend(window_findings(service.maintenance_window.as_ref()));
    findings
}

fn nodes(service: &Service) -> Vec<Finding> {
    let count = service.nodes;
    let refuse = |summary: &str, detail: &str| vec![Finding::refuse("nodes", summary, detail)];
    if count == 0 {
        return refuse(
            "No nodes",
            "A service has at least one node. Destroy the service to have none.",
        );
    }
    match service.kind {
        ServiceKind::Search | ServiceKind::Queue | ServiceKind::Cache if count == 2 => refuse(
            "Two nodes make no majority",
            "When one of two is lost, the other cannot tell whether it is alone. Use one node, or three.",
        ),
        ServiceKind::Search if count > 15 => refuse("Too many nodes", "At most 15."),
        ServiceKind::Search | ServiceKind::Queue if count.is_multiple_of(2) => vec![Finding::warn(
            "nodes",
            "An even number of nodes",
            format!(
                "{count} nodes bear the loss of no more nodes than {} do.",
                count - 1
            ),
        )],
        ServiceKind::Queue | ServiceKind::Cache | ServiceKind::Database if count > 7 => {
            refuse("Too many nodes", "At most seven.")
        }
        ServiceKind::Database if count == 2 => vec![Finding::warn(
            "nodes",
            "Two database nodes do not fail over by themselves",
            "The second node is a standby with all data. Two cannot tell which of them is cut off, so it does not take over: the next apply replaces the first, on its own disk. Three nodes fail over by themselves.",
        )],
        ServiceKind::Storage if count > 1 && service.backend == Some(Backend::File) => refuse(
            "One file server only",
            "A file server has one node; its volume keeps the data. Use `backend = \"object\"` for storage without a single point of failure.",
        ),
        ServiceKind::Storage if count > 1 => {
            refuse("No nodes here", "An object store has no nodes of its own.")
        }
        _ => Vec::new(),
    }
}

/// Each node's disk goes with it, the first one's stays, and nobody moves what only the others have.
fn fewer_nodes(service: &Service, before: &Service) -> Option<Finding> {
    let (had, count) = (before.nodes, service.nodes);
    if before.external.is_some() || count == 0 || count >= had {
        return None;
    }
    let summary = "Fewer nodes";
    let gone = format!(
        "This {} has {had} nodes, each with a disk of its own. With {count} the disks of the last {} go, and what only they have is lost, as is what the first of them were told while another led.",
        service.kind.as_str(),
        had - count
    );
    Some(match service.deletion_protection {
        true => Finding::refuse(
            "nodes",
            summary,
            format!(
                "{gone} Take a backup and set `deletion_protection = false` first, if that is meant."
            ),
        ),
        false => Finding::warn("nodes", summary, gone),
    })
}

fn disk(service: &Service, before: Option<&Service>) -> Vec<Finding> {
    if !sizes::has_disk(service.backend) {
        return Vec::new();
    }
    let least = sizes::least_disk_gib(service.kind);
    if service.disk_gib < least {
        let detail = format!(
            "{} GiB is too little for a {}: at least {least}.",
            service.disk_gib,
            service.kind.as_str()
        );
        return vec![Finding::refuse("disk_gib", "Disk too small", detail)];
    }
    match before {
        Some(before) if before.external.is_none() && service.disk_gib < before.disk_gib => {
            let detail = format!(
                "The disk has {} GiB; disks grow, they never shrink.",
                before.disk_gib
            );
            vec![Finding::refuse("disk_gib", "A smaller disk", detail)]
        }
        _ => Vec::new(),
    }
}

fn service_version(service: &Service, before: Option<&Service>) -> Vec<Finding> {
    let Some(wanted) = &service.version else {
        return Vec::new();
    };
    let installed = before.and_then(|before| before.version.as_deref());
    let mut findings = version_findings(
        wanted,
        installed,
        "Make a new service and restore a backup into it.",
    );
    let offered = version::offered(service.kind);
    if findings.is_empty()
        && service.backend != Some(Backend::Object)
        && !offered.contains(&wanted.as_str())
        && installed != Some(wanted)
    {
        let detail = format!(
            "Machines can install {} of this kind, and not {wanted}.",
            offered.join(", ")
        );
        findings.push(Finding::refuse(
            "version",
            "A version that is not offered",
            detail,
        ));
    }
    findings
}

fn external(service: &Service) -> Vec<Finding> {
    let Some(external) = &service.external else {
        return Vec::new();
    };
    let mut findings = Vec::new();
    if external.host.is_empty()
        || external
            .host
            .chars()
            .any(|letter| !(letter.is_ascii_alphanumeric() || ".-:".contains(letter)))
    {
        findings.push(Finding::refuse(
            "external.host",
            "Not a host",
            format!("`{}` is neither a host name nor an address.", external.host),
        ));
    }
    if external.port == 0 {
        findings.push(Finding::refuse(
            "external.port",
            "Not a port",
            "Ports are 1 to 65535.",
        ));
    }
    if let Some(pem) = &external.ca_pem
        && crate::site::tls::read(pem).is_err()
    {
        findings.push(Finding::refuse(
            "external.ca_pem",
            "Unreadable certificate",
            "This is not a certificate in PEM.",
        ));
    }
    if !external.tls {
        findings.push(Finding::warn(
            "external.tls",
            "Not encrypted",
            "Passwords and data travel in the clear to this service.",
        ));
    }
    findings
}

/// Settings go into configuration files: nothing may leave its line, and what the provider makes is not overridden.
fn settings(kind: ServiceKind, settings: &Settings) -> Vec<Finding> {
    settings
        .iter()
        .filter_map(|(key, value)| setting(kind, key, value))
        .collect()
}

fn setting(kind: ServiceKind, key: &str, value: &str) -> Option<Finding> {
    let at = format!("settings.{key}");
    let letters = |letter: char| letter.is_ascii_alphanumeric() || "_.-".contains(letter);
    if key.is_empty() || !key.chars().all(letters) || value.chars().any(char::is_control) {
        return Some(Finding::refuse(
            at,
            "Unusable setting",
            format!("`{key}`: a name has letters, digits and `_.-`, a value is one line."),
        ));
    }
    let instead = match (kind, key) {
        (ServiceKind::Storage, _) => "",
        (
            ServiceKind::Database,
            "port" | "listen_addresses" | "data_directory" | "hba_file" | "ssl" | "ssl_cert_file"
            | "ssl_key_file",
        ) => "",
        (ServiceKind::Database, "archive_mode" | "archive_command") => {
            "point_in_time_days` of a backup policy, not `settings"
        }
        (ServiceKind::Search, _)
            if [
                "cluster.",
                "discovery.",
                "network.",
                "path.",
                "http.port",
                "transport.port",
                "node.",
            ]
            .iter()
            .any(|own| key.starts_with(own)) =>
        {
            ""
        }
        (
            ServiceKind::Cache,
            "bind" | "port" | "tls-port" | "dir" | "requirepass" | "masterauth" | "replicaof"
            | "protected-mode" | "aclfile" | "include" | "loadmodule",
        ) => "",
        (ServiceKind::Queue, _)
            if [
                "listeners",
                "cluster_",
                "default_user",
                "default_pass",
                "default_vhost",
                "ssl_options",
                "management.",
            ]
            .iter()
            .any(|own| key.starts_with(own)) =>
        {
            ""
        }
        _ => return None,
    };
    let next = if instead.is_empty() {
        "Remove it.".to_owned()
    } else {
        format!("Use `{instead}`.")
    };
    Some(Finding::refuse(
        at,
        "A setting of the provider's own",
        format!("`{key}` is made by the provider. {next}"),
    ))
}
