//! `invenioils_instance`: the application itself, behind the environment's load balancer.

use super::parts::{
    NodeModel, WindowModel, count_attr, environment_attr, environment_of, flavor_attr,
    hostname_attr, hostnames_attr, id_attr, machine, name_attr, named, port_attr, settle_machine,
    size_attr, status_attr, tags, timezone_attr, window_attr,
};
use super::values::{
    Asked, Fit, StringMap, Strings, from_map, from_strings, refused, string_map, strings,
    unless_default, whole,
};
use super::{Declared, Names, Timeouts};
use crate::engine::{Secret, Secrets};
use crate::plugin::{
    Schema, Type, Value, boolean, int, list, list_of, map, object, text, timeouts,
};
use crate::site::{
    self, Admin, Application, Frontend, Id, Instance, InstanceBalancer, Mail, Monitoring, Outputs,
    ServiceKind, SiteSettings, Sort, Thing, Web, WebServer, Worker,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

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

impl Declared for Model {
    const NAME: &'static str = "invenioils_instance";
    const SORT: Sort = Sort::Instance;

    fn schema() -> Schema {
        Schema::new(0, "The application, InvenioILS, on the services of its environment.")
            .attr("environment_id", environment_attr())
            .attr("hostname", hostname_attr("Public host name."))
            .attr("services", map(Type::String).required().doc("Kind of service to service id; all five kinds."))
            .attr("name", name_attr("The instance's name.").default("ils"))
            .attr("additional_hostnames", hostnames_attr("Further host names that it answers to.").optional())
            .attr("certificate_id", text().optional().doc("Id of the certificate. Without one: plain HTTP, refused unless `insecure_http`."))
            .attr("insecure_http", boolean().default(false).doc("Serve without a certificate."))
            .attr("version", text().optional().keep().doc("Version of InvenioILS. Default: the newest that this release was tested with, chosen at creation and kept; a lower one is refused."))
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
                ("idle_timeout", text().default("60s").check_text(super::parts::duration).doc("How long a connection may be silent.")),
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
            .attr("installed_version", text().computed().doc("What runs, as the machines report it."))
            .attr("node_status", list_of([
                ("name", text().computed().doc("The machine's name.")),
                ("role", text().computed().doc("`web` or `worker`.")),
                ("address", text().computed().doc("Its address.")),
                ("platform_id", text().computed().doc("Its id on the platform.")),
                ("zone", text().computed().doc("Its availability zone.")),
                ("state", text().computed().doc("`ready`, or the platform's word for what it is instead.")),
            ]).computed().doc("The instance's machines."))
            .attr("secret_id", text().keep().doc("Where the administrator's password is kept: a reference, not the password."))
    }

    fn settle(&mut self, config: &Self, prior: Option<&Self>) {
        if self.version.chosen().is_none() && config.version.is_null() {
            self.version = Value::Known(site::version::APPLICATION.to_owned());
        }
        let (given, before) = (
            config.web.chosen().unwrap_or_default(),
            prior.and_then(|it| it.web.chosen()),
        );
        if let Value::Known(web) = &mut self.web {
            let before = before.as_ref().map(|it| (&it.size, &it.flavor));
            settle_machine(
                (&mut web.size, &mut web.flavor),
                (&given.size, &given.flavor),
                before,
            );
        }
        let (given, before) = (
            config.worker.chosen().unwrap_or_default(),
            prior.and_then(|it| it.worker.chosen()),
        );
        if let Value::Known(worker) = &mut self.worker {
            let before = before.as_ref().map(|it| (&it.size, &it.flavor));
            settle_machine(
                (&mut worker.size, &mut worker.flavor),
                (&given.size, &given.flavor),
                before,
            );
        }
        if let Some(hostname) = self.hostname.chosen() {
            let scheme = if self.certificate_id.is_null() {
                "http"
            } else {
                "https"
            };
            self.url = Value::Known(format!("{scheme}://{hostname}"));
            self.api_url = Value::Known(format!("{scheme}://{hostname}/api"));
        }
    }

    fn thing(&self) -> Fit<Thing> {
        let balancer = self.load_balancer.given()?.unwrap_or_default();
        let application = self.application.given()?.unwrap_or_default();
        let certificate = self.certificate_id.given()?;
        let admin = self.admin.given()?.unwrap_or_default();
        Ok(Thing::Instance(Instance {
            environment: environment_of(&self.environment_id)?,
            name: named(&self.name, "name")?,
            hostname: self.hostname.must("hostname")?,
            additional_hostnames: strings(&self.additional_hostnames)?,
            services: services(&self.services)?,
            certificate: certificate
                .map(|it| {
                    Id::parse(Sort::Certificate, &it).map_err(|why| refused("certificate_id", why))
                })
                .transpose()?,
            insecure_http: self.insecure_http.given()?.unwrap_or(false),
            version: self.version.must("version")?,
            application: Application {
                package: application
                    .package
                    .given()?
                    .unwrap_or_else(|| "invenio-app-ils".into()),
                extra_packages: strings(&application.extra_packages)?,
                constraints: application.constraints.given()?,
                image: application.image.given()?,
            },
            frontend: self.frontend()?,
            web: self.web.given()?.unwrap_or_default().domain()?,
            worker: self.worker.given()?.unwrap_or_default().domain()?,
            load_balancer: InstanceBalancer {
                max_body_mib: whole(
                    balancer.max_body_mib.given()?.unwrap_or(100),
                    "load_balancer.max_body_mib",
                )?,
                idle_timeout: balancer
                    .idle_timeout
                    .given()?
                    .unwrap_or_else(|| "60s".into()),
            },
            site: self.site()?,
            admin: Admin {
                email: admin.email.given()?,
                password_wo_version: admin.password_wo_version.given()?,
            },
            mail: self.mail.given()?.map(|it| it.domain()).transpose()?,
            monitoring: self.monitoring()?,
            config: string_map(&self.config)?,
            maintenance_window: self
                .maintenance_window
                .given()?
                .map(|it| it.domain())
                .transpose()?,
            deletion_protection: self.deletion_protection.given()?.unwrap_or(true),
            tags: string_map(&self.tags)?,
        }))
    }

    fn choose(&mut self, thing: &Thing) {
        let Thing::Instance(it) = thing else { return };
        self.version = Value::Known(it.version.clone());
        if let Value::Known(web) = &mut self.web {
            web.flavor = it.web.machine.flavor.clone().into();
        }
        if let Value::Known(worker) = &mut self.worker {
            worker.flavor = it.worker.machine.flavor.clone().into();
        }
    }

    fn compute(&mut self, thing: &Thing, outputs: &Outputs) {
        let Thing::Instance(it) = thing else { return };
        let scheme = if it.certificate.is_none() {
            "http"
        } else {
            "https"
        };
        self.url = Value::Known(format!("{scheme}://{}", it.hostname));
        self.api_url = Value::Known(format!("{scheme}://{}/api", it.hostname));
        self.public_address = outputs.public_address.clone().into();
        self.installed_version = outputs.installed_version.clone().into();
        self.secret_id = outputs.secret_id.clone().into();
        self.node_status = Value::Known(
            outputs
                .nodes
                .iter()
                .map(|it| Value::Known(RoleNodeModel::from(it)))
                .collect(),
        );
    }

    fn show(&mut self, thing: &Thing) {
        let Thing::Instance(it) = thing else { return };
        let text = |it: &str| Value::Known(it.to_owned());
        self.environment_id = Value::Known(it.environment.to_string());
        self.name = Value::Known(it.name.to_string());
        self.hostname = text(&it.hostname);
        self.additional_hostnames = from_strings(&it.additional_hostnames);
        self.services = from_map(
            &it.services
                .iter()
                .map(|(kind, id)| (kind.as_str().to_owned(), id.to_string()))
                .collect(),
        );
        self.certificate_id = it.certificate.as_ref().map(ToString::to_string).into();
        self.insecure_http = Value::Known(it.insecure_http);
        self.application = Value::Known(ApplicationModel::from(&it.application));
        self.frontend = unless_default(&it.frontend, |it| FrontendModel {
            archive_url: it.archive_url.clone().into(),
            sha256: it.sha256.clone().into(),
        });
        self.web = Value::Known(WebModel::from(&it.web));
        self.worker = Value::Known(WorkerModel::from(&it.worker));
        self.load_balancer = Value::Known(BalancerModel {
            max_body_mib: Value::Known(i64::from(it.load_balancer.max_body_mib)),
            idle_timeout: text(&it.load_balancer.idle_timeout),
        });
        self.site = unless_default(&it.site, |it| SiteModel::from(it));
        self.admin = unless_default(&it.admin, |it| AdminModel {
            email: it.email.clone().into(),
            password_wo: Value::Null,
            password_wo_version: it.password_wo_version.into(),
        });
        self.mail = it.mail.as_ref().map(MailModel::from).into();
        self.monitoring = unless_default(&it.monitoring, |it| MonitoringModel {
            sentry_dsn_wo: Value::Null,
            sentry_dsn_wo_version: it.sentry_dsn_wo_version.into(),
            sentry_environment: it.sentry_environment.clone().into(),
            metrics: Value::Known(it.metrics),
        });
        self.config = from_map(&it.config);
        self.maintenance_window = it.maintenance_window.as_ref().map(WindowModel::from).into();
        self.deletion_protection = Value::Known(it.deletion_protection);
        self.tags = from_map(&it.tags);
        self.choose(thing);
    }

    fn secrets(&self) -> Secrets {
        let mut secrets = Secrets::default();
        let given = [
            (
                "admin.password",
                self.admin.known().map(|it| &it.password_wo),
            ),
            ("mail.password", self.mail.known().map(|it| &it.password_wo)),
            (
                "monitoring.sentry_dsn",
                self.monitoring.known().map(|it| &it.sentry_dsn_wo),
            ),
        ];
        for (path, value) in given {
            if let Some(text) = value.and_then(Asked::chosen) {
                secrets.put(path, Secret::new(text));
            }
        }
        secrets
    }

    fn protected(&self) -> bool {
        self.deletion_protection.chosen().unwrap_or(false)
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

const TIMEOUTS: &[(&str, &str)] = &[
    ("create", "45m"),
    ("read", "5m"),
    ("update", "60m"),
    ("delete", "20m"),
];

fn services(given: &StringMap) -> Fit<BTreeMap<ServiceKind, Id>> {
    let mut services = BTreeMap::new();
    for (key, id) in string_map(given)? {
        let kind = ServiceKind::ALL.into_iter().find(|it| it.as_str() == key).ok_or_else(|| {
            refused("services", format!("`{key}` is no kind of service; the kinds are database, search, cache, queue, storage"))
        })?;
        services.insert(
            kind,
            Id::parse(Sort::Service, &id).map_err(|why| refused("services", why))?,
        );
    }
    Ok(services)
}

impl Model {
    fn frontend(&self) -> Fit<Frontend> {
        let it = self.frontend.given()?.unwrap_or_default();
        Ok(Frontend {
            archive_url: it.archive_url.given()?,
            sha256: it.sha256.given()?,
        })
    }
    fn site(&self) -> Fit<SiteSettings> {
        let it = self.site.given()?.unwrap_or_default();
        Ok(SiteSettings {
            name: it.name.given()?,
            support_email: it.support_email.given()?,
            timezone: it.timezone.given()?,
            languages: strings(&it.languages)?,
        })
    }
    fn monitoring(&self) -> Fit<Monitoring> {
        let it = self.monitoring.given()?.unwrap_or_default();
        Ok(Monitoring {
            sentry_dsn_wo_version: it.sentry_dsn_wo_version.given()?,
            sentry_environment: it.sentry_environment.given()?,
            metrics: it.metrics.given()?.unwrap_or(false),
        })
    }
}

impl WebModel {
    fn domain(&self) -> Fit<Web> {
        Ok(Web {
            nodes: whole(self.nodes.given()?.unwrap_or(2), "web.nodes")?,
            machine: machine(&self.size, &self.flavor, "web.")?,
            server: match self.server.given()?.as_deref() {
                None | Some("uwsgi") => WebServer::Uwsgi,
                Some("gunicorn") => WebServer::Gunicorn,
                Some(other) => {
                    return Err(refused(
                        "web.server",
                        format!("`{other}` is neither `uwsgi` nor `gunicorn`"),
                    ));
                }
            },
            processes: whole(self.processes.given()?.unwrap_or(2), "web.processes")?,
            threads: whole(self.threads.given()?.unwrap_or(2), "web.threads")?,
        })
    }
}

impl From<&Web> for WebModel {
    fn from(it: &Web) -> Self {
        Self {
            nodes: Value::Known(i64::from(it.nodes)),
            size: it.machine.size.map(|it| it.as_str().to_owned()).into(),
            flavor: it.machine.flavor.clone().into(),
            server: Value::Known(
                if it.server == WebServer::Uwsgi {
                    "uwsgi"
                } else {
                    "gunicorn"
                }
                .to_owned(),
            ),
            processes: Value::Known(i64::from(it.processes)),
            threads: Value::Known(i64::from(it.threads)),
        }
    }
}

impl WorkerModel {
    fn domain(&self) -> Fit<Worker> {
        Ok(Worker {
            nodes: whole(self.nodes.given()?.unwrap_or(1), "worker.nodes")?,
            machine: machine(&self.size, &self.flavor, "worker.")?,
            concurrency: whole(self.concurrency.given()?.unwrap_or(2), "worker.concurrency")?,
        })
    }
}

impl From<&Worker> for WorkerModel {
    fn from(it: &Worker) -> Self {
        Self {
            nodes: Value::Known(i64::from(it.nodes)),
            size: it.machine.size.map(|it| it.as_str().to_owned()).into(),
            flavor: it.machine.flavor.clone().into(),
            concurrency: Value::Known(i64::from(it.concurrency)),
        }
    }
}

impl From<&Application> for ApplicationModel {
    fn from(it: &Application) -> Self {
        Self {
            package: Value::Known(it.package.clone()),
            extra_packages: from_strings(&it.extra_packages),
            constraints: it.constraints.clone().into(),
            image: it.image.clone().into(),
        }
    }
}

impl From<&SiteSettings> for SiteModel {
    fn from(it: &SiteSettings) -> Self {
        Self {
            name: it.name.clone().into(),
            support_email: it.support_email.clone().into(),
            timezone: it.timezone.clone().into(),
            languages: from_strings(&it.languages),
        }
    }
}

impl MailModel {
    fn domain(&self) -> Fit<Mail> {
        let port = self.port.given()?.unwrap_or(587);
        Ok(Mail {
            host: self.host.must("mail.host")?,
            port: u16::try_from(port)
                .map_err(|_| refused("mail.port", format!("{port} is not a port")))?,
            tls: self.tls.given()?.unwrap_or(true),
            username: self.username.given()?,
            password_wo_version: self.password_wo_version.given()?,
            sender: self.sender.given()?,
        })
    }
}

impl From<&Mail> for MailModel {
    fn from(it: &Mail) -> Self {
        Self {
            host: Value::Known(it.host.clone()),
            port: Value::Known(i64::from(it.port)),
            tls: Value::Known(it.tls),
            username: it.username.clone().into(),
            password_wo: Value::Null,
            password_wo_version: it.password_wo_version.into(),
            sender: it.sender.clone().into(),
        }
    }
}

impl From<&site::Node> for RoleNodeModel {
    fn from(it: &site::Node) -> Self {
        let NodeModel {
            name,
            address,
            platform_id,
            zone,
            state,
        } = NodeModel::from(it);
        Self {
            name,
            role: Value::Known(it.role.clone()),
            address,
            platform_id,
            zone,
            state,
        }
    }
}
