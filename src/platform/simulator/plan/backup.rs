//! A backup policy: where backups go, and the document that tells each service's nodes when.

use super::Plan;
use crate::platform::simulator::items::{Bucket, Document, SecretEntry};
use crate::site::BackupPolicy;

pub fn plan(plan: &mut Plan<'_>, it: &BackupPolicy) {
    if it.target.bucket.is_none() {
        let bucket = format!("{}-{}", it.environment, it.name);
        plan.add(
            "bucket",
            Bucket {
                bucket,
                outlives: it.keep_on_destroy,
            },
        );
    }
    let given = it.target.secret_key_wo_version;
    let entry = SecretEntry {
        label: "key of the backups' bucket".to_owned(),
        given: given.map(|_| "target.secret_key".to_owned()),
        version: given.unwrap_or(1).to_string(),
    };
    plan.add("key", entry);
    let content = serde_json::json!({
        "schedule": it.schedule, "timezone": it.timezone, "paused": it.paused, "retention": it.retention,
        "point_in_time_days": it.point_in_time_days, "target": it.target, "encryption": it.encryption,
        "verify_schedule": it.verify_schedule, "services": it.services,
    });
    plan.add("document", Document { content });
}
