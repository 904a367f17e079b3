//! `invenioils_backup_policy`: what is kept of a site, when, where and for how long.

use super::parts::{
    count_attr, environment_attr, environment_of, id_attr, name_attr, named, schedule_attr,
    status_attr, timezone_attr,
};
use super::values::{Asked, Fit, Strings, from_strings, refused, strings, whole};
use super::{Declared, Names, Timeouts};
use crate::engine::{Secret, Secrets};
use crate::plugin::{Attr, Schema, Type, Value, boolean, int, list, object, text, timeouts};
use crate::site::{
    Backup, BackupPolicy, Encryption, Id, Latest, Outputs, Retention, Schedule, Sort, Target, Thing,
};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

#[derive(Clone, Default, Serialize, Deserialize)]
pub struct Model {
    pub environment_id: Value<String>,
    pub name: Value<String>,
    pub service_ids: Strings,
    pub schedule: Value<String>,
    pub timezone: Value<String>,
    pub paused: Value<bool>,
    pub retention: Value<RetentionModel>,
    pub point_in_time_days: Value<i64>,
    pub target: Value<TargetModel>,
    pub encryption: Value<EncryptionModel>,
    pub verify_schedule: Value<String>,
    pub keep_on_destroy: Value<bool>,
    pub timeouts: Value<Timeouts>,
    pub id: Value<String>,
    pub status: Value<String>,
    pub bucket: Value<String>,
    pub next_run_at: Value<String>,
    pub latest: Value<LatestModel>,
}

#[derive(Clone, Default, Serialize, Deserialize)]
pub struct RetentionModel {
    pub last: Value<i64>,
    pub hourly: Value<i64>,
    pub daily: Value<i64>,
    pub weekly: Value<i64>,
    pub monthly: Value<i64>,
    pub yearly: Value<i64>,
}

#[derive(Clone, Default, Serialize, Deserialize)]
pub struct TargetModel {
    pub bucket: Value<String>,
    pub prefix: Value<String>,
    pub endpoint: Value<String>,
    pub region: Value<String>,
    pub access_key: Value<String>,
    pub secret_key_wo: Value<String>,
    pub secret_key_wo_version: Value<i64>,
}

#[derive(Clone, Default, Serialize, Deserialize)]
pub struct EncryptionModel {
    pub recipients: Strings,
}

#[derive(Clone, Default, Serialize, Deserialize)]
pub struct LatestModel {
    pub id: Value<String>,
    pub service_id: Value<String>,
    pub finished_at: Value<String>,
    pub size_bytes: Value<i64>,
    pub verified: Value<bool>,
}

impl Declared for Model {
    const NAME: &'static str = "invenioils_backup_policy";
    const SORT: Sort = Sort::BackupPolicy;

    fn schema() -> Schema {
        Schema::new(0, "What is kept of a site, when, where and for how long.")
            .attr("environment_id", environment_attr())
            .attr("service_ids", list(Type::String).required().doc("Ids of the services to back up."))
            .attr("schedule", schedule_attr("When, as five cron fields.").required())
            .attr("name", name_attr("The policy's name.").default("backups"))
            .attr("timezone", timezone_attr("Time zone of the schedule.").default("UTC"))
            .attr("paused", boolean().default(false).doc("Make no backups for now."))
            .attr("retention", object([
                ("last", retained("backups")), ("hourly", retained("hourly backups")), ("daily", retained("daily backups")),
                ("weekly", retained("weekly backups")), ("monthly", retained("monthly backups")), ("yearly", retained("yearly backups")),
            ]).optional().doc("How many are kept, at least one of these. The newest good one is never deleted."))
            .attr("point_in_time_days", int().default(0).range(0..=3650).doc("Database: archive continuously, so that any moment of so many days can be restored."))
            .attr("target", object([
                ("bucket", text().optional().doc("Bucket. Default: one is made and kept.")),
                ("prefix", text().optional().doc("Prefix of the names in the bucket.")),
                ("endpoint", text().optional().doc("S3 endpoint.")),
                ("region", text().optional().doc("Region of the bucket.")),
                ("access_key", text().optional().doc("Access key.")),
                ("secret_key_wo", text().optional().write_only().doc("Secret key.")),
                ("secret_key_wo_version", int().optional().doc("Change it to send a new `secret_key_wo`.")),
            ]).optional().doc("Where backups go."))
            .attr("encryption", object([
                ("recipients", list(Type::String).required().doc("age public keys; only their holders can read the backups.")),
            ]).optional().doc("Encrypt before storing."))
            .attr("verify_schedule", schedule_attr("When a backup is restored into a scratch place, counted and thrown away, as five cron fields.").optional())
            .attr("keep_on_destroy", boolean().default(true).doc("Keep the backups when the policy is removed."))
            .attr("timeouts", timeouts(TIMEOUTS))
            .attr("id", id_attr("`<environment>/<name>`"))
            .attr("status", status_attr())
            .attr("bucket", text().keep().doc("Where the backups are."))
            .attr("next_run_at", text().computed().doc("When the next one is due, RFC 3339."))
            .attr("latest", object([
                ("id", text().computed().doc("The backup's id: when it was begun.")),
                ("service_id", text().computed().doc("Id of the service that it is of.")),
                ("finished_at", text().computed().doc("When it was finished, RFC 3339.")),
                ("size_bytes", int().computed().doc("Its size, bytes.")),
                ("verified", boolean().computed().doc("Whether a rehearsal restored it.")),
            ]).computed().doc(LATEST))
    }

    fn thing(&self) -> Fit<Thing> {
        let retention = self.retention.given()?.unwrap_or_default();
        let target = self.target.given()?.unwrap_or_default();
        let encryption = self.encryption.given()?.unwrap_or_default();
        let services = strings(&self.service_ids)?;
        let count = |it: &Value<i64>, name: &str| {
            it.given()?
                .map(|it| whole(it, &format!("retention.{name}")))
                .transpose()
        };
        Ok(Thing::BackupPolicy(BackupPolicy {
            environment: environment_of(&self.environment_id)?,
            name: named(&self.name, "name")?,
            services: services
                .iter()
                .map(|it| Id::parse(Sort::Service, it).map_err(|why| refused("service_ids", why)))
                .collect::<Fit<_>>()?,
            schedule: self.schedule.must("schedule")?,
            timezone: self.timezone.given()?.unwrap_or_else(|| "UTC".into()),
            paused: self.paused.given()?.unwrap_or(false),
            retention: Retention {
                last: count(&retention.last, "last")?,
                hourly: count(&retention.hourly, "hourly")?,
                daily: count(&retention.daily, "daily")?,
                weekly: count(&retention.weekly, "weekly")?,
                monthly: count(&retention.monthly, "monthly")?,
                yearly: count(&retention.yearly, "yearly")?,
            },
            point_in_time_days: whole(
                self.point_in_time_days.given()?.unwrap_or(0),
                "point_in_time_days",
            )?,
            target: Target {
                bucket: target.bucket.given()?,
                prefix: target.prefix.given()?,
                endpoint: target.endpoint.given()?,
                region: target.region.given()?,
                access_key: target.access_key.given()?,
                secret_key_wo_version: target.secret_key_wo_version.given()?,
            },
            encryption: Encryption {
                recipients: strings(&encryption.recipients)?,
            },
            verify_schedule: self.verify_schedule.given()?,
            keep_on_destroy: self.keep_on_destroy.given()?.unwrap_or(true),
        }))
    }

    fn choose(&mut self, _thing: &Thing) {}

    fn compute(&mut self, thing: &Thing, outputs: &Outputs) {
        let Thing::BackupPolicy(it) = thing else {
            return;
        };
        self.bucket = outputs
            .bucket
            .clone()
            .or_else(|| it.target.bucket.clone())
            .into();
        self.next_run_at = match it.paused {
            true => Value::Null,
            false => next_run(&it.schedule, &it.timezone, self.next_run_at.known()).into(),
        };
        if !outputs.latest_unheard || self.latest.known().is_none() {
            self.latest = outputs.latest.as_ref().map(LatestModel::from).into();
        }
    }

    fn show(&mut self, thing: &Thing) {
        let Thing::BackupPolicy(it) = thing else {
            return;
        };
        let count = |it: Option<u32>| Value::from(it.map(i64::from));
        self.environment_id = Value::Known(it.environment.to_string());
        self.name = Value::Known(it.name.to_string());
        self.service_ids = from_strings(&it.services);
        self.schedule = Value::Known(it.schedule.clone());
        self.timezone = Value::Known(it.timezone.clone());
        self.paused = Value::Known(it.paused);
        self.retention = Value::Known(RetentionModel {
            last: count(it.retention.last),
            hourly: count(it.retention.hourly),
            daily: count(it.retention.daily),
            weekly: count(it.retention.weekly),
            monthly: count(it.retention.monthly),
            yearly: count(it.retention.yearly),
        });
        self.point_in_time_days = Value::Known(i64::from(it.point_in_time_days));
        self.target = super::values::unless_default(&it.target, |it| TargetModel {
            bucket: it.bucket.clone().into(),
            prefix: it.prefix.clone().into(),
            endpoint: it.endpoint.clone().into(),
            region: it.region.clone().into(),
            access_key: it.access_key.clone().into(),
            secret_key_wo: Value::Null,
            secret_key_wo_version: it.secret_key_wo_version.into(),
        });
        self.encryption = super::values::unless_default(&it.encryption, |it| EncryptionModel {
            recipients: from_strings(&it.recipients),
        });
        self.verify_schedule = it.verify_schedule.clone().into();
        self.keep_on_destroy = Value::Known(it.keep_on_destroy);
    }

    fn secrets(&self) -> Secrets {
        let mut secrets = Secrets::default();
        if let Some(key) = self.target.known().and_then(|it| it.secret_key_wo.chosen()) {
            secrets.put("target.secret_key", Secret::new(key));
        }
        secrets
    }

    fn names(&self) -> Names<'_> {
        Names {
            environment_id: Some(&self.environment_id),
            name: &self.name,
        }
    }
    fn id(&mut self) -> &mut Value<String> {
        &mut self.id
    }
    fn status(&mut self) -> &mut Value<String> {
        &mut self.status
    }
}

/// A time that was shown stays shown until it has passed, so that a plan without changes is empty.
fn next_run(schedule: &str, timezone: &str, shown: Option<&String>) -> Option<String> {
    let now = Utc::now();
    let schedule = Schedule::parse(schedule, timezone).ok()?;
    let still = shown
        .and_then(|it| DateTime::parse_from_rfc3339(it).ok())
        .is_some_and(|it| it > now && schedule.next_after(now) == Some(it.to_utc()));
    if still {
        shown.cloned()
    } else {
        schedule.next_after(now).map(|it| it.to_rfc3339())
    }
}

impl From<&Latest> for LatestModel {
    fn from(it: &Latest) -> Self {
        let Backup {
            id,
            finished_at,
            size_bytes,
            verified,
        } = &it.backup;
        Self {
            id: Value::Known(id.clone()),
            service_id: Value::Known(it.service.to_string()),
            finished_at: Value::Known(finished_at.clone()),
            size_bytes: Value::Known(i64::try_from(*size_bytes).unwrap_or(i64::MAX)),
            verified: Value::Known(*verified),
        }
    }
}

const LATEST: &str = "The newest finished backup of the service that is furthest behind, so that everything that the policy keeps \
    is at least as new: as it lies in the bucket, or for a bucket elsewhere (`target.endpoint`) as the machines report it. Read at \
    each refresh. Null until each service has one. A cache has none and does not count; the files of an object store \
    are kept along with another service's data.";

fn retained(what: &str) -> Attr {
    count_attr(format!("So many {what} are kept.")).optional()
}

const TIMEOUTS: &[(&str, &str)] = &[
    ("create", "10m"),
    ("read", "5m"),
    ("update", "10m"),
    ("delete", "10m"),
];
