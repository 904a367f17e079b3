//! What users write of an instance.

use super::super::Timeouts;
use super::super::parts::{
    WindowModel, count_attr, duration, environment_attr, flavor_attr, hostname_attr,
    hostnames_attr, id_attr, name_attr, port_attr, size_attr, status_attr, tags, timezone_attr,
    window_attr,
};
use super::super::values::{StringMap, Strings};
use crate::plugin::{
    Schema, Type, Value, boolean, int, list, list_of, map, object, text, timeouts,
};
use serde::{Deserialize, Serialize};

#[derive(Clone, Default, Serialize, Deserialize)]
pub struct Model {
    pub environment_id: Value<String>,
    pub name: Value<String>,
    pub hostname: Value<String>,
    pub additional_hostnames: Strings,
    pub services: StringMap,
    pub certificate_id: Value<String>,
    pub insecure_http: Value<bool>,
    pub version: Value<String>,
    pub application: Value<ApplicationModel>,
    pub frontend: Value<FrontendModel>,
    pub web: Value<WebModel>,
    pub worker: Value<WorkerModel>,
    pub load_balancer: Value<BalancerModel>,
    pub site: Value<SiteModel>,
    pub admin: Value<AdminModel>,
    pub mail: Value<MailModel>,
    pub monitoring: Value<MonitoringModel>,
    pub config: StringMap,
    pub maintenance_window: Value<WindowModel>,
    pub deletion_protection: Value<bool>,
    pub tags: StringMap,
    pub timeouts: Value<Timeouts>,
    pub id: Value<String>,
    pub status: Value<String>,
    pub url: Value<String>,
    pub api_url: Value<String>,
    pub public_address: Value<String>,
    pub installed_version: Value<String>,
    pub node_status: Value<Vec<Value<RoleNodeModel>>>,
    pub secret_id: Value<String>,
}

#[derive(Clone, Default, Serialize, Deserialize)]
pub struct ApplicationModel {
    pub package: Value<String>,
    pub extra_packages: Strings,
    pub constraints: Value<String>,
    pub image: Value<String>,
}

#[derive(Clone, Default, Serialize, Deserialize)]
pub struct FrontendModel {
    pub archive_url: Value<String>,
    pub sha256: Value<String>,
}

#[derive(Clone, Default, Serialize, Deserialize)]
pub struct WebModel {
    pub nodes: Value<i64>,
    pub size: Value<String>,
    pub flavor: Value<String>,
    pub server: Value<String>,
    pub processes: Value<i64>,
    pub threads: Value<i64>,
}

#[derive(Clone, Default, Serialize, Deserialize)]
pub struct WorkerModel {
    pub nodes: Value<i64>,
    pub size: Value<String>,
    pub flavor: Value<String>,
    pub concurrency: Value<i64>,
}

#[derive(Clone, Default, Serialize, Deserialize)]
pub struct BalancerModel {
    pub max_body_mib: Value<i64>,
    pub idle_timeout: Value<String>,
}

#[derive(Clone, Default, Serialize, Deserialize)]
pub struct SiteModel {
    pub name: Value<String>,
    pub support_email: Value<String>,
    pub timezone: Value<String>,
    pub languages: Strings,
}

#[derive(Clone, Default, Serialize, Deserialize)]
pub struct AdminModel {
    pub email: Value<String>,
    pub password_wo: Value<String>,
    pub password_wo_version: Value<i64>,
}

#[derive(Clone, Default, Serialize, Deserialize)]
pub struct MailModel {
    pub host: Value<String>,
    pub port: Value<i64>,
    pub tls: Value<bool>,
    pub username: Value<String>,
    pub password_wo: Value<String>,
    pub password_wo_version: Value<i64>,
    pub sender: Value<String>,
}

#[derive(Clone, Default, Serialize, Deserialize)]
pub struct MonitoringModel {
    pub sentry_dsn_wo: Value<String>,
    pub sentry_dsn_wo_version: Value<i64>,
    pub sentry_environment: Value<String>,
    pub metrics: Value<bool>,
}

#[derive(Clone, Default, Serialize, Deserialize)]
pub struct RoleNodeModel {
    pub name: Value<String>,
    pub role: Value<String>,
    pub address: Value<String>,
    pub platform_id: Value<String>,
    pub zone: Value<String>,
    pub state: Value<String>,
}

pub fn schema() -> Schema {
    Schema::new(0, "The application, InvenioILS, on the services of its environment.")
        .attr("environment_id", environment_attr())
        .attr("hostname", hostname_attr("Public host name."))
        .attr("services", map(Type::String).required().doc("Kind of service to service id; all five kinds."))
        .attr("name", name_attr("The instance's name.").default("ils"))
        .attr("additional_hostnames", hostnames_attr("Further host names that it answers to.").optional())
        .attr("certificate_id", text().optional().doc("Id of the certificate. Without one: plain HTTP, refused unless `insecure_http`."))
        .attr("insecure_http", boolean().default(false).doc("Serve without a certificate."))
        .attr("version", text().optional().keep().doc("Version of InvenioILS. Default: the newest that this release was tested with, chosen at creation and kept. A higher one is rolled in machine by machine: nothing is written meanwhile, a dump goes to `before-upgrades/` among the site's files, then come migrations and indices. Until the migrations are done a failure leaves the version before serving, and the change can be taken back; afterwards a lower version is refused."))
        .attr("application", object([
            ("package", text().default("invenio-app-ils").doc("Python package to install.")),
            ("extra_packages", list(Type::String).optional().doc("Further Python packages.")),
            ("constraints", text().optional().doc("pip constraints.")),
            ("image", text().optional().doc("Container image, on platforms that run containers.")),
        ]).optional().computed().doc("A library's own overlay."))
        .attr("frontend", object([
            ("archive_url", text().optional().doc("Archive of the built user interface.")),
            ("sha256", text().optional().doc("Its SHA-256.")),
        ]).optional().doc("The user interface. Default: a small one that says that the site is up."))
        .attr("web", object([
            ("nodes", count_attr("Number of machines.").default(2)),
            ("size", size_attr()), ("flavor", flavor_attr()),
            ("server", text().default("uwsgi").one_of(&["uwsgi", "gunicorn"]).doc("WSGI server.")),
            ("processes", count_attr("Processes per machine.").default(2)),
            ("threads", count_attr("Threads per process.").default(2)),
        ]).optional().computed().doc("The machines that answer requests."))
        .attr("worker", object([
            ("nodes", count_attr("Number of machines. The scheduler runs exactly once, beside the first.").default(1)),
            ("size", size_attr()), ("flavor", flavor_attr()),
            ("concurrency", count_attr("Tasks at a time per machine.").default(2)),
        ]).optional().computed().doc("The machines that do background work."))
        .attr("load_balancer", object([
            ("max_body_mib", count_attr("Largest request body, MiB.").default(100)),
            ("idle_timeout", text().default("60s").check_text(duration).doc("How long a connection may be silent.")),
        ]).optional().computed().doc("The way in."))
        .attr("site", object([
            ("name", text().optional().doc("The library's name.")),
            ("support_email", text().optional().doc("Whom patrons write to.")),
            ("timezone", timezone_attr("Time zone of due dates.").optional()),
            ("languages", list(Type::String).optional().doc("Languages, the first is the default.")),
        ]).optional().doc("What patrons see."))
        .attr("admin", object([
            ("email", text().optional().doc("The administrator's mail address, also the login.")),
            ("password_wo", text().optional().write_only().doc("The administrator's password. Default: made and kept in the secret store.")),
            ("password_wo_version", int().optional().doc("Change it to send a new `password_wo`.")),
        ]).optional().doc("The first administrator."))
        .attr("mail", object([
            ("host", text().required().doc("Mail server.")),
            ("port", port_attr("Its port.").default(587)),
            ("tls", boolean().default(true).doc("Speak TLS.")),
            ("username", text().optional().doc("User to sign in as.")),
            ("password_wo", text().optional().write_only().doc("Password of that user.")),
            ("password_wo_version", int().optional().doc("Change it to send a new `password_wo`.")),
            ("sender", text().optional().doc("Sender of the site's mails.")),
        ]).optional().doc("How mail leaves. Without it, none is sent."))
        .attr("monitoring", object([
            ("sentry_dsn_wo", text().optional().write_only().doc("Sentry DSN.")),
            ("sentry_dsn_wo_version", int().optional().doc("Change it to send a new `sentry_dsn_wo`.")),
            ("sentry_environment", text().optional().doc("Sentry environment.")),
            ("metrics", boolean().default(false).doc("Offer metrics to scrape.")),
        ]).optional().doc("Who watches."))
        .attr("config", map(Type::String).optional().doc("Any `INVENIO_…` setting; those that the provider owns are refused with the attribute to use."))
        .attr("maintenance_window", window_attr())
        .attr("deletion_protection", boolean().default(true).doc("Refuse to remove the instance."))
        .attr("tags", tags())
        .attr("timeouts", timeouts(TIMEOUTS))
        .attr("id", id_attr("`<environment>/<name>`"))
        .attr("status", status_attr())
        .attr("url", text().keep().doc("Where the site is."))
        .attr("api_url", text().keep().doc("Where its REST API is."))
        .attr("public_address", text().keep().doc("The address that the host name must point to."))
        .attr("installed_version", text().computed().doc(INSTALLED))
        .attr("node_status", list_of([
            ("name", text().computed().doc("The machine's name.")),
            ("role", text().computed().doc("`web` or `worker`.")),
            ("address", text().computed().doc("Its address.")),
            ("platform_id", text().computed().doc("Its id on the platform.")),
            ("zone", text().computed().doc("Its availability zone.")),
            ("state", text().computed().doc(STATE)),
        ]).computed().doc("The instance's machines."))
        .attr("secret_id", text().keep().doc("Where the administrator's password is kept: a reference, not the password."))
}

const INSTALLED: &str = "The version that the web and worker machines report to run, at each refresh; the lowest of theirs while an \
    upgrade rolls. Where none has reported yet, or the platform does not show consoles, the version that was asked for.";
const STATE: &str = "How the machine is by its own word, read at each refresh: `ready`, `converging` (it is applying what it was \
    told), `waiting: …`, `unhealthy: …` or `trouble: …` with the reason, or `silent since …` when it no longer reports. A machine \
    that is ill is warned of at plan, and changes nothing in it. One that has not reported yet, or whose console the platform does \
    not show: `ready`, or the platform's word for what it is instead.";

const TIMEOUTS: &[(&str, &str)] = &[
    ("create", "45m"),
    ("read", "5m"),
    ("update", "60m"),
    ("delete", "20m"),
];
