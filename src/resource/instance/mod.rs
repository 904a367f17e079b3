//! `invenioils_instance`: the application itself, behind the environment's load balancer.

mod convert;
mod model;

pub use model::Model;

use super::parts::{WindowModel, environment_of, named, settle_machine};
use super::values::{
    Asked, Fit, from_map, from_strings, refused, string_map, strings, unless_default, whole,
};
use super::{Declared, Names};
use crate::engine::{Secret, Secrets};
use crate::plugin::{Schema, Value};
use crate::site::{self, Admin, Application, Id, Instance, InstanceBalancer, Outputs, Sort, Thing};
use convert::services;
use model::*;

impl Declared for Model {
    const NAME: &'static str = "invenioils_instance";
    const SORT: Sort = Sort::Instance;

    fn schema() -> Schema {
        model::schema()
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
