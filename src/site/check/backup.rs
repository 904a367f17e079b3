//! Rules for backup policies.

use super::schedule_findings;
use crate::site::{BackupPolicy, Finding, Id, ServiceKind, Site, Thing};

pub(super) fn check(policy: &BackupPolicy, site: &Site) -> Vec<Finding> {
    let mut findings = schedule_findings("schedule", &policy.schedule, &policy.timezone);
    if let Some(line) = &policy.verify_schedule {
        let about = schedule_findings("verify_schedule", line, &policy.timezone);
        findings.extend(about.into_iter().filter(|finding| finding.at != "timezone"));
    }
    findings.extend(services(policy, site));
    findings.extend(retention(policy));
    let target = &policy.target;
    if target.endpoint.is_some() && (target.bucket.is_none() || target.access_key.is_none()) {
        let detail = "A target elsewhere needs `bucket`, `access_key` and `secret_key_wo`: none can be made there.";
        findings.push(Finding::refuse("target.endpoint", "Half a target", detail));
    }
    for (index, recipient) in policy.encryption.recipients.iter().enumerate() {
        let at = format!("encryption.recipients.{index}");
        if recipient.starts_with("AGE-SECRET-KEY-") {
            findings.push(Finding::refuse(
                at,
                "A private key",
                "This is an age private key. Give the public one, which begins with `age1`.",
            ));
        } else if !recipient.starts_with("age1")
            || recipient.len() != 62
            || !recipient
                .chars()
                .all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit())
        {
            findings.push(Finding::refuse(
                at,
                "Not a recipient",
                "A recipient is an age public key: `age1` and 58 more letters and digits.",
            ));
        }
    }
    findings
}

/// Each policy deletes what its own retention does not keep, so two of them cannot keep the same service in the same place.
pub fn shared<'a>(
    policy: &BackupPolicy,
    others: impl IntoIterator<Item = &'a Thing>,
) -> Option<Finding> {
    let place = |it: &BackupPolicy| (it.target.endpoint.clone(), it.target.bucket.clone());
    policy.target.bucket.as_ref()?;
    let (other, service) = others.into_iter().find_map(|thing| {
        let Thing::BackupPolicy(other) = thing else {
            return None;
        };
        let there = other.id() != policy.id() && place(other) == place(policy);
        let shared = |id: &&Id| {
            let folder = |it: &BackupPolicy| id.name.as_ref().map(|name| it.folder(name));
            there && other.services.contains(id) && folder(other) == folder(policy)
        };
        Some((other, policy.services.iter().find(shared)?))
    })?;
    Some(Finding::refuse(
        "target.prefix",
        "Two policies would keep the same service in the same place",
        format!(
            "`{}` keeps the backups of `{service}` in this bucket, too, and each would delete what the other keeps. Give one of them \
             another `target.prefix` or `target.bucket`.",
            other.id()
        ),
    ))
}

fn services(policy: &BackupPolicy, site: &Site) -> Vec<Finding> {
    let mut findings = Vec::new();
    if policy.services.is_empty() {
        findings.push(Finding::refuse(
            "service_ids",
            "Nothing to back up",
            "Name at least one service.",
        ));
    }
    for (index, id) in policy.services.iter().enumerate() {
        let at = format!("service_ids.{index}");
        if id.environment != policy.environment {
            let detail = format!("`{id}` is in another environment than the policy.");
            findings.push(Finding::refuse(
                at,
                "Service of another environment",
                detail,
            ));
            continue;
        }
        if policy.services[..index].contains(id) {
            findings.push(Finding::refuse(
                at,
                "Service named twice",
                format!("`{id}` is there already."),
            ));
            continue;
        }
        let Some(Thing::Service(service)) = site.around.get(id).map(|record| &record.thing) else {
            continue;
        };
        if service.external.is_some() {
            let detail = format!("`{id}` exists elsewhere; whoever runs it backs it up.");
            findings.push(Finding::warn(
                at,
                "An external service is not backed up",
                detail,
            ));
        } else if service.kind == ServiceKind::Cache {
            findings.push(Finding::warn(
                at,
                "A cache has nothing to keep",
                "Losing it signs people out; a backup would not help.",
            ));
        } else if policy.point_in_time_days > 0
            && service.kind == ServiceKind::Database
            && policy.paused
        {
            findings.push(Finding::warn(
                "paused",
                "Archiving is paused too",
                "While the policy is paused, no point in time can be restored.",
            ));
        }
    }
    findings
}

fn retention(policy: &BackupPolicy) -> Vec<Finding> {
    let keep = &policy.retention;
    let counts = [
        ("last", keep.last),
        ("hourly", keep.hourly),
        ("daily", keep.daily),
        ("weekly", keep.weekly),
        ("monthly", keep.monthly),
        ("yearly", keep.yearly),
    ];
    if counts.iter().all(|(_, count)| count.unwrap_or(0) == 0) {
        let detail = "Keep at least one backup: set `last`, `daily` or another count.";
        return vec![Finding::refuse("retention", "Nothing is kept", detail)];
    }
    counts
        .into_iter()
        .filter(|(_, count)| count.is_some_and(|count| count > 1000))
        .map(|(field, _)| {
            Finding::refuse(
                format!("retention.{field}"),
                "Out of range",
                "At most 1000.",
            )
        })
        .collect()
}
