//! `invenioils_service`: a thing that keeps data.

use super::parts::{
    EndpointModel, NodeModel, WindowModel, count_attr, environment_attr, environment_of,
    flavor_attr, id_attr, machine, name_attr, named, node_models, port_attr, size_attr,
    status_attr, tags, window_attr,
};
use super::values::{Asked, Fit, StringMap, from_map, refused, string_map, whole};
use super::{Declared, Names, Timeouts};
use crate::engine::{Secret, Secrets};
use crate::plugin::{
    Attr, Schema, Type, Value, boolean, int, list, list_of, map, object, text, timeouts,
};
use crate::site::{
    Backend, External, Machine, Outputs, Service, ServiceKind, Size, Sort, Thing, sizes, version,
};
use serde::{Deserialize, Serialize};

#[derive(Clone, Default, Serialize, Deserialize)]
pub struct Model {
    pub environment_id: Value<String>,
    pub kind: Value<String>,
    pub name: Value<String>,
    pub version: Value<String>,
    pub size: Value<String>,
    pub flavor: Value<String>,
    pub nodes: Value<i64>,
    pub disk_gib: Value<i64>,
    pub disk_type: Value<String>,
    pub backend: Value<String>,
    pub external: Value<ExternalModel>,
    pub settings: StringMap,
    pub maintenance_window: Value<WindowModel>,
    pub deletion_protection: Value<bool>,
    pub tags: StringMap,
    pub timeouts: Value<Timeouts>,
    pub id: Value<String>,
    pub status: Value<String>,
    pub endpoint: Value<EndpointModel>,
    pub secret_id: Value<String>,
    pub node_status: Value<Vec<Value<NodeModel>>>,
}

#[derive(Clone, Default, Serialize, Deserialize)]
pub struct ExternalModel {
    pub host: Value<String>,
    pub port: Value<i64>,
    pub username: Value<String>,
    pub password_wo: Value<String>,
    pub password_wo_version: Value<i64>,
    pub tls: Value<bool>,
    pub ca_pem: Value<String>,
    pub name: Value<String>,
}

impl Model {
    /// What machines are made of, for a service without any.
    fn as_written(&mut self, config: &Self) {
        self.version = config.version.clone();
        self.size = config.size.clone();
        self.flavor = config.flavor.clone();
        self.disk_gib = config.disk_gib;
    }
}

impl Declared for Model {
    const NAME: &'static str = "invenioils_service";
    const SORT: Sort = Sort::Service;

    fn schema() -> Schema {
        Schema::new(0, "A thing that keeps data: database, search, cache, queue or storage. It comes before the instance and outlives it.")
            .attr("environment_id", environment_attr())
            .attr("kind", text().required().replace().one_of(&["database", "search", "cache", "queue", "storage"]).doc("`database` (PostgreSQL), `search` (OpenSearch), `cache` (Redis), `queue` (RabbitMQ) or `storage` (files)."))
            .attr("name", name_attr("The service's name. Default: its kind.").optional().computed())
            .attr("version", text().optional().keep().doc("Version of the software. Default: the newest that this release was tested with, chosen at creation and kept; a lower one is refused."))
            .attr("size", size_attr())
            .attr("flavor", flavor_attr())
            .attr("nodes", count_attr("Number of machines; three go on when one is lost. More of them join what is there; fewer are refused while `deletion_protection` is on, for their disks go.").default(1))
            .attr("disk_gib", count_attr("Size of each node's data volume, GiB. Grows in place, never shrinks. Default: by kind and size.").optional().keep())
            .attr("disk_type", text().optional().doc("Volume type. Default: the cloud's own."))
            .attr("backend", text().optional().keep().replace().one_of(&["object", "file"]).doc("Of `storage` only: `object` (Swift, S3) or `file` (NFS). Default: `object` where the cloud has it."))
            .attr("external", external())
            .attr("settings", map(Type::String).optional().doc("The service's own settings (`max_connections`, …)."))
            .attr("maintenance_window", window_attr())
            .attr("deletion_protection", boolean().optional().computed().doc("Refuse to remove the service. Default: true for `database`, `search` and `storage`."))
            .attr("tags", tags())
            .attr("timeouts", timeouts(TIMEOUTS))
            .attr("id", id_attr("`<environment>/<name>`"))
            .attr("status", status_attr())
            .attr("endpoint", object([
                ("host", text().computed().doc("Address of the first node.")),
                ("port", int().computed().doc("Port.")),
                ("hosts", list(Type::String).computed().doc("Addresses of all nodes.")),
                ("name", text().computed().doc("Database, virtual host or bucket.")),
            ]).computed().doc("Where the service answers, from inside the environment."))
            .attr("secret_id", text().keep().doc("Where its password is kept: a reference, not the password."))
            .attr("node_status", list_of([
                ("name", text().computed().doc("The machine's name.")),
                ("address", text().computed().doc("Its address.")),
                ("platform_id", text().computed().doc("Its id on the platform.")),
                ("zone", text().computed().doc("Its availability zone.")),
                ("state", text().computed().doc(STATE)),
            ]).computed().doc("The service's machines."))
    }

    fn settle(&mut self, config: &Self, prior: Option<&Self>) {
        if config.name.is_null() {
            self.name = self.kind.clone();
        }
        let kind = self.kind.chosen().and_then(|it| kind(&it).ok());
        if config.deletion_protection.is_null() {
            let keeps = kind.map(|it| {
                matches!(
                    it,
                    ServiceKind::Database | ServiceKind::Search | ServiceKind::Storage
                )
            });
            self.deletion_protection = keeps.map_or(Value::Unknown, Value::Known);
        }
        let outside = !self.external.is_null();
        let object = self.backend.chosen().as_deref() == Some("object");
        if outside || object {
            self.as_written(config);
        }
        if outside || kind.is_some_and(|it| it != ServiceKind::Storage) {
            self.backend = Value::Null;
        }
        if outside || object {
            return;
        }
        super::parts::settle_machine(
            (&mut self.size, &mut self.flavor),
            (&config.size, &config.flavor),
            prior.map(|it| (&it.size, &it.flavor)),
        );
        let Some(kind) = kind else { return };
        if self.version.chosen().is_none() && config.version.is_null() {
            self.version = version::newest(kind, None).map(str::to_owned).into();
        }
        if self.disk_gib.chosen().is_none() && config.disk_gib.is_null() {
            let size = self
                .size
                .chosen()
                .and_then(|it| super::parts::size(&it, "size").ok())
                .unwrap_or(Size::Small);
            self.disk_gib = Value::Known(i64::from(sizes::default_disk_gib(kind, size)));
        }
    }

    fn thing(&self) -> Fit<Thing> {
        let kind = kind(&self.kind.must("kind")?)?;
        let external = self.external.given()?;
        let backend = match self.backend.chosen().as_deref() {
            None => None,
            Some("object") => Some(Backend::Object),
            Some("file") => Some(Backend::File),
            Some(other) => {
                return Err(refused(
                    "backend",
                    format!("`{other}` is neither `object` nor `file`"),
                ));
            }
        };
        Ok(Thing::Service(Service {
            environment: environment_of(&self.environment_id)?,
            kind,
            name: named(&self.name, "name")?,
            version: self.version.chosen(),
            machine: machine(&self.size, &self.flavor, "")?,
            nodes: whole(self.nodes.given()?.unwrap_or(1), "nodes")?,
            disk_gib: whole(self.disk_gib.chosen().unwrap_or(0), "disk_gib")?,
            disk_type: self.disk_type.given()?,
            backend,
            external: external.map(|it| it.domain()).transpose()?,
            settings: string_map(&self.settings)?,
            maintenance_window: self
                .maintenance_window
                .given()?
                .map(|it| it.domain())
                .transpose()?,
            deletion_protection: self.deletion_protection.given()?.unwrap_or(true),
            tags: string_map(&self.tags)?,
        }))
    }

    /// What has no machines has no version, size or disk of ours.
    fn chosen(thing: &mut Thing) {
        let Thing::Service(it) = thing else { return };
        if it.machines() == 0 {
            it.version = None;
            it.machine = Machine::default();
            it.disk_gib = 0;
        }
    }

    fn choose(&mut self, thing: &Thing) {
        let Thing::Service(it) = thing else { return };
        self.backend = it.backend.map(|it| backend_name(it).to_owned()).into();
        if it.machines() > 0 {
            self.version = it.version.clone().into();
            self.flavor = it.machine.flavor.clone().into();
            self.disk_gib = Value::Known(i64::from(it.disk_gib));
            return;
        }
        for text in [&mut self.version, &mut self.size, &mut self.flavor] {
            *text = text.chosen().into();
        }
        self.disk_gib = self.disk_gib.chosen().into();
    }

    fn forgo(&mut self, config: &Self, thing: &Thing) {
        if matches!(thing, Thing::Service(it) if it.machines() == 0) {
            self.as_written(config);
        }
    }

    fn compute(&mut self, _thing: &Thing, outputs: &Outputs) {
        self.endpoint = outputs.endpoint.as_ref().map(EndpointModel::from).into();
        self.secret_id = outputs.secret_id.clone().into();
        self.node_status = node_models(&outputs.nodes);
    }

    fn show(&mut self, thing: &Thing) {
        let Thing::Service(it) = thing else { return };
        self.environment_id = Value::Known(it.environment.to_string());
        self.kind = Value::Known(it.kind.as_str().to_owned());
        self.name = Value::Known(it.name.to_string());
        self.size = it.machine.size.map(|it| it.as_str().to_owned()).into();
        self.nodes = Value::Known(i64::from(it.nodes));
        self.disk_type = it.disk_type.clone().into();
        self.external = it.external.as_ref().map(ExternalModel::from).into();
        self.settings = from_map(&it.settings);
        self.maintenance_window = it.maintenance_window.as_ref().map(WindowModel::from).into();
        self.deletion_protection = Value::Known(it.deletion_protection);
        self.tags = from_map(&it.tags);
        self.choose(thing);
    }

    fn secrets(&self) -> Secrets {
        let mut secrets = Secrets::default();
        if let Some(password) = self.external.known().and_then(|it| it.password_wo.chosen()) {
            secrets.put("external.password", Secret::new(password));
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

/// What can be changed on a service that stands elsewhere is its password; anything else makes it another service.
fn external() -> Attr {
    object([
        (
            "host",
            text().required().replace().doc("Host name or address."),
        ),
        ("port", port_attr("Port.").required().replace()),
        (
            "username",
            text().optional().replace().doc("User to sign in as."),
        ),
        (
            "password_wo",
            text().optional().write_only().doc("Password of that user."),
        ),
        (
            "password_wo_version",
            int()
                .optional()
                .doc("Change it to send a new `password_wo`."),
        ),
        ("tls", boolean().default(true).replace().doc("Speak TLS.")),
        (
            "ca_pem",
            text()
                .optional()
                .replace()
                .doc("Certificate authority to trust, PEM."),
        ),
        (
            "name",
            text()
                .optional()
                .replace()
                .doc("Database, virtual host or bucket."),
        ),
    ])
    .optional()
    .doc("Use a service that exists; nothing is created but a record and the stored password.")
}

const STATE: &str = "How the machine is, at each refresh. Those who use it try it twice a minute: `ready` where it answers them. Where it does \
    not, or one of them is ill, or no instance uses the service, by the machine's own word: `ready`, `converging` (it is applying what it was told), \
    `waiting: …`, `unhealthy: …` or `trouble: …` with the reason, or `silent since …` when it no longer reports. A machine that is \
    ill is warned of at plan, and changes nothing in it. One that nobody has tried and that has not reported yet, or whose console \
    the platform does not show: `ready`, or the platform's word for what it is instead.";

const TIMEOUTS: &[(&str, &str)] = &[
    ("create", "30m"),
    ("read", "5m"),
    ("update", "60m"),
    ("delete", "20m"),
];

fn kind(text: &str) -> Fit<ServiceKind> {
    ServiceKind::ALL
        .into_iter()
        .find(|it| it.as_str() == text)
        .ok_or_else(|| {
            refused(
                "kind",
                format!("`{text}` is none of database, search, cache, queue, storage"),
            )
        })
}

fn backend_name(backend: Backend) -> &'static str {
    match backend {
        Backend::Object => "object",
        Backend::File => "file",
    }
}

impl ExternalModel {
    fn domain(&self) -> Fit<External> {
        let port = self.port.must("external.port")?;
        Ok(External {
            host: self.host.must("external.host")?,
            port: u16::try_from(port)
                .map_err(|_| refused("external.port", format!("{port} is not a port")))?,
            username: self.username.given()?,
            password_wo_version: self.password_wo_version.given()?,
            tls: self.tls.given()?.unwrap_or(true),
            ca_pem: self.ca_pem.given()?,
            name: self.name.given()?,
        })
    }
}

impl From<&External> for ExternalModel {
    fn from(it: &External) -> Self {
        Self {
            host: Value::Known(it.host.clone()),
            port: Value::Known(i64::from(it.port)),
            username: it.username.clone().into(),
            password_wo: Value::Null,
            password_wo_version: it.password_wo_version.into(),
            tls: Value::Known(it.tls),
            ca_pem: it.ca_pem.clone().into(),
            name: it.name.clone().into(),
        }
    }
}
