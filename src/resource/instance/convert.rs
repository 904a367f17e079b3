//! The parts of an instance, to the domain and back.

use super::super::parts::{NodeModel, machine};
use super::super::values::{
    Asked, Fit, StringMap, from_strings, refused, string_map, strings, whole,
};
use super::model::*;
use crate::plugin::Value;
use crate::site::{
    self, Application, Frontend, Id, Mail, Monitoring, ServiceKind, SiteSettings, Sort, Web,
    WebServer, Worker,
};
use std::collections::BTreeMap;

pub fn services(given: &StringMap) -> Fit<BTreeMap<ServiceKind, Id>> {
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
    pub fn frontend(&self) -> Fit<Frontend> {
        let it = self.frontend.given()?.unwrap_or_default();
        Ok(Frontend {
            archive_url: it.archive_url.given()?,
            sha256: it.sha256.given()?,
        })
    }
    pub fn site(&self) -> Fit<SiteSettings> {
        let it = self.site.given()?.unwrap_or_default();
        Ok(SiteSettings {
            name: it.name.given()?,
            support_email: it.support_email.given()?,
            timezone: it.timezone.given()?,
            languages: strings(&it.languages)?,
        })
    }
    pub fn monitoring(&self) -> Fit<Monitoring> {
        let it = self.monitoring.given()?.unwrap_or_default();
        Ok(Monitoring {
            sentry_dsn_wo_version: it.sentry_dsn_wo_version.given()?,
            sentry_environment: it.sentry_environment.given()?,
            metrics: it.metrics.given()?.unwrap_or(false),
        })
    }
}

impl WebModel {
    pub fn domain(&self) -> Fit<Web> {
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
    pub fn domain(&self) -> Fit<Worker> {
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
    pub fn domain(&self) -> Fit<Mail> {
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
