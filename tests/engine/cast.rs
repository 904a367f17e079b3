//! The things that the tests bring up: one of each, and what an update makes of it.

use invenioils::site::*;
use std::collections::BTreeMap;

pub const OWNER: &str = "tests";

pub fn name(text: &str) -> Name {
    text.parse().expect("a name")
}

pub fn environment() -> Environment {
    Environment {
        name: name("library"),
        network: Network {
            cidr: "10.20.0.0/24".parse().expect("a network"),
            external_network: Some("public".to_owned()),
            dns_nameservers: Vec::new(),
            existing: None,
        },
        load_balancer: EnvironmentBalancer::default(),
        access: Access::default(),
        dns: Dns {
            zone: Some("example.org.".to_owned()),
            manage_zone: true,
        },
        image: Image {
            name: None,
            id: Some("image-debian-12".to_owned()),
        },
        packages: Packages::default(),
        alerts: Alerts::default(),
        tags: BTreeMap::new(),
    }
}

fn machine(flavor: &str) -> Machine {
    Machine {
        size: Some(Size::Small),
        flavor: Some(flavor.to_owned()),
    }
}

pub fn service(kind: ServiceKind, nodes: u32) -> Service {
    Service {
        environment: name("library"),
        kind,
        name: name(kind.as_str()),
        version: Some("1".to_owned()),
        machine: machine("c2-r4"),
        nodes,
        disk_gib: 20,
        disk_type: None,
        backend: (kind == ServiceKind::Storage).then_some(Backend::Object),
        external: None,
        settings: BTreeMap::new(),
        maintenance_window: None,
        deletion_protection: false,
        tags: BTreeMap::new(),
    }
}

pub fn certificate() -> Certificate {
    Certificate {
        environment: name("library"),
        name: name("certificate"),
        hostnames: vec!["library.example.org".to_owned()],
        key_type: KeyType::EcdsaP256,
        renew_before_days: 30,
        source: Source::SelfSigned(SelfSigned { validity_days: 365 }),
        revoke_on_destroy: false,
        generation: 0,
        issued: Some(Issued {
            certificate_pem: "one".to_owned(),
            chain_pem: String::new(),
        }),
    }
}

pub fn instance() -> Instance {
    let services = ServiceKind::ALL.map(|kind| (kind, service(kind, 1).id()));
    Instance {
        environment: name("library"),
        name: name("ils"),
        hostname: "library.example.org".to_owned(),
        additional_hostnames: Vec::new(),
        services: BTreeMap::from(services),
        certificate: Some(Thing::Certificate(certificate()).id()),
        insecure_http: false,
        version: "9.0.1".to_owned(),
        application: Application {
            package: "invenio-app-ils".to_owned(),
            extra_packages: Vec::new(),
            constraints: None,
            image: None,
        },
        frontend: Frontend::default(),
        web: Web {
            nodes: 2,
            machine: machine("c2-r4"),
            server: WebServer::Uwsgi,
            processes: 2,
            threads: 2,
        },
        worker: Worker {
            nodes: 1,
            machine: machine("c2-r4"),
            concurrency: 2,
        },
        load_balancer: InstanceBalancer {
            max_body_mib: 100,
            idle_timeout: "60s".to_owned(),
        },
        site: SiteSettings::default(),
        admin: Admin::default(),
        mail: None,
        monitoring: Monitoring::default(),
        config: BTreeMap::new(),
        maintenance_window: None,
        deletion_protection: false,
        tags: BTreeMap::new(),
    }
}

pub fn backup_policy() -> BackupPolicy {
    BackupPolicy {
        environment: name("library"),
        name: name("backups"),
        services: vec![service(ServiceKind::Database, 1).id()],
        schedule: "0 3 * * *".to_owned(),
        timezone: "UTC".to_owned(),
        paused: false,
        retention: Retention {
            daily: Some(7),
            ..Retention::default()
        },
        point_in_time_days: 0,
        target: Target::default(),
        encryption: Encryption::default(),
        verify_schedule: None,
        keep_on_destroy: false,
    }
}

/// One thing of each sort, and what an update makes of it: everything that an update can do is in one of them.
pub fn things() -> Vec<(Thing, Thing)> {
    let mut wider = environment();
    wider.network.dns_nameservers = vec!["9.9.9.9".to_owned()];
    wider.access.allowed_cidrs = vec!["192.0.2.0/24".parse().expect("a network")];
    wider.dns.manage_zone = false;
    wider.tags.insert("team".to_owned(), "library".to_owned());

    let mut larger = service(ServiceKind::Database, 1);
    larger.machine.flavor = Some("c4-r8".to_owned());
    larger.disk_gib = 30;
    larger
        .settings
        .insert("max_connections".to_owned(), "200".to_owned());

    let mut renewed = certificate();
    renewed.issued = Some(Issued {
        certificate_pem: "two".to_owned(),
        chain_pem: String::new(),
    });

    let mut grown = instance();
    grown.web.nodes = 3;
    grown.web.processes = 4;
    grown.worker.machine.flavor = Some("c4-r8".to_owned());
    grown.additional_hostnames = vec!["books.example.org".to_owned()];

    let mut later = backup_policy();
    later.schedule = "0 4 * * *".to_owned();
    later.target.bucket = Some("elsewhere".to_owned());

    vec![
        (Thing::Environment(environment()), Thing::Environment(wider)),
        (
            Thing::Service(service(ServiceKind::Database, 2)),
            Thing::Service(larger),
        ),
        (
            Thing::Certificate(certificate()),
            Thing::Certificate(renewed),
        ),
        (Thing::Instance(instance()), Thing::Instance(grown)),
        (
            Thing::BackupPolicy(backup_policy()),
            Thing::BackupPolicy(later),
        ),
    ]
}

/// What must stand before the thing can be made, in order.
pub fn below(thing: &Thing) -> Vec<Thing> {
    let environment = Thing::Environment(environment());
    match thing {
        Thing::Environment(_) => Vec::new(),
        Thing::Service(_) | Thing::Certificate(_) => vec![environment],
        Thing::Instance(_) => {
            let services = ServiceKind::ALL.map(|kind| Thing::Service(service(kind, 1)));
            [
                vec![environment],
                services.to_vec(),
                vec![Thing::Certificate(certificate())],
            ]
            .concat()
        }
        Thing::BackupPolicy(_) => vec![
            environment,
            Thing::Service(service(ServiceKind::Database, 1)),
        ],
    }
}

/// A thing with the records of what is around it.
pub fn site(thing: Thing, records: &[Record]) -> Site {
    let around = |id: Id| {
        records
            .iter()
            .find(|it| it.thing.id() == id)
            .map(|it| (id, it.clone()))
    };
    Site {
        owner: OWNER.to_owned(),
        default_tags: BTreeMap::new(),
        around: thing.needs().into_iter().filter_map(around).collect(),
        thing,
    }
}
