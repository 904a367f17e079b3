//! A whole library through the platform alone, without Terraform: what the platform itself makes, and what it leaves.

use super::{Project, api::password, shared};
use invenioils::{
    engine::{Journal, Outcome, Run, Secret, Secrets},
    platform::{Hosted, Platform, openstack},
    site::{Id, KeyType, Record, Site, Sort, Thing, tls},
};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

/// The things of one library, in the order in which they are made.
struct Library {
    things: Vec<(Thing, Journal, Secrets)>,
}

type Cloud = Hosted<openstack::OpenStack>;

fn thing(sort: &str, value: Value) -> Thing {
    serde_json::from_value(json!({ sort: value })).expect("a thing")
}

fn services() -> [&'static str; 5] {
    ["database", "search", "cache", "queue", "storage"]
}

impl Library {
    fn new() -> Self {
        let hostname = "library.example.org";
        let mut things = vec![(
            thing(
                "environment",
                json!({ "name": "library", "network": { "cidr": "10.20.0.0/24", "external_network": "public" }, "image": { "name": "cirros" } }),
            ),
            Secrets::default(),
        )];
        for (kind, disk) in services().into_iter().zip([20, 20, 5, 10, 50]) {
            let service = json!({
                "environment": "library", "kind": kind, "name": kind, "machine": { "size": "small" }, "nodes": 1, "disk_gib": disk, "deletion_protection": false,
            });
            things.push((thing("service", service), Secrets::default()));
        }
        let key = tls::make_key(KeyType::EcdsaP256).expect("a key");
        let pem = tls::self_signed(&[hostname.to_owned()], 30, &key, chrono::Utc::now())
            .expect("a certificate");
        let mut secrets = Secrets::default();
        secrets.put("private_key_pem", Secret::new(key.expose()));
        let certificate = json!({
            "environment": "library", "name": "certificate", "hostnames": [hostname], "key_type": "ecdsa-p256", "renew_before_days": 30,
            "source": { "self_signed": { "validity_days": 30 } }, "revoke_on_destroy": false, "generation": 1,
            "issued": { "certificate_pem": pem, "chain_pem": "" },
        });
        things.push((thing("certificate", certificate), secrets));
        let id = |sort: &str, name: &str| json!({ "sort": sort, "environment": "library", "name": name });
        let used: serde_json::Map<_, _> = services()
            .into_iter()
            .map(|kind| (kind.to_owned(), id("service", kind)))
            .collect();
        let instance = json!({
            "environment": "library", "name": "ils", "hostname": hostname, "services": used, "certificate": id("certificate", "certificate"), "version": "9.0.1",
            "application": { "package": "invenio-app-ils" },
            "web": { "nodes": 2, "machine": { "size": "small" }, "server": "uwsgi", "processes": 2, "threads": 2 },
            "worker": { "nodes": 1, "machine": { "size": "small" }, "concurrency": 2 },
            "load_balancer": { "max_body_mib": 100, "idle_timeout": "60s" }, "deletion_protection": false,
        });
        things.push((thing("instance", instance), Secrets::default()));
        let policy = json!({
            "environment": "library", "name": "backups", "services": [id("service", "database"), id("service", "storage")], "schedule": "0 3 * * *",
            "timezone": "UTC", "paused": false, "retention": { "daily": 7 }, "point_in_time_days": 0, "keep_on_destroy": false,
        });
        things.push((thing("backup_policy", policy), Secrets::default()));
        let things = things
            .into_iter()
            .map(|(thing, secrets)| (thing, Journal::new(), secrets))
            .collect();
        Self { things }
    }

    fn change(&mut self, sort: Sort, name: &str, pointer: &str, value: Value) {
        for (thing, _, _) in &mut self.things {
            let id = thing.id();
            if id.sort == sort && id.name.as_ref().is_none_or(|it| it.as_str() == name) {
                let mut json = serde_json::to_value(&*thing).expect("a thing is JSON");
                *json.pointer_mut(pointer).expect("a field") = value.clone();
                *thing = serde_json::from_value(json).expect("a thing");
            }
        }
    }

    async fn site(&self, cloud: &Cloud, thing: &Thing) -> Site {
        let records = cloud.records().await.expect("records are read");
        let around: BTreeMap<Id, Record> = records
            .into_iter()
            .filter(|record| thing.needs().contains(&record.thing.id()))
            .map(|record| (record.thing.id(), record))
            .collect();
        Site {
            owner: "test".into(),
            default_tags: [("managed-by".to_owned(), "test".to_owned())].into(),
            thing: thing.clone(),
            around,
        }
    }

    /// As Terraform would: what does not need another thing is made beside it.
    async fn waves(&mut self) -> Vec<Vec<usize>> {
        vec![vec![0], vec![1, 2, 3, 4, 5, 6], vec![7], vec![8]]
    }

    async fn plan(&mut self, cloud: &Cloud) {
        for index in 0..self.things.len() {
            let mut site = self.site(cloud, &self.things[index].0).await;
            // What is only planned is known by its thing.
            for needed in site.thing.needs() {
                let planned = self
                    .things
                    .iter()
                    .find(|(thing, _, _)| thing.id() == needed)
                    .map(|(thing, _, _)| thing.clone());
                if let Some(thing) = planned {
                    site.around.entry(needed).or_insert(Record {
                        owner: "test".into(),
                        thing,
                        outputs: Default::default(),
                    });
                }
            }
            let record = cloud
                .records()
                .await
                .expect("records")
                .into_iter()
                .find(|it| it.thing.id() == site.thing.id());
            let preflight = cloud
                .preflight(&mut site, record.as_ref(), &self.things[index].1)
                .await;
            let preflight =
                preflight.unwrap_or_else(|error| panic!("{}: {error}", site.thing.id()));
            let refused: Vec<_> = preflight.findings.iter().filter(|it| it.refuses).collect();
            assert!(refused.is_empty(), "{}: {refused:?}", site.thing.id());
            for demand in preflight.demands {
                assert!(
                    demand.free.is_none_or(|free| demand.amount <= free),
                    "{demand:?}"
                );
            }
            self.things[index].0 = site.thing;
        }
    }

    async fn apply(&mut self, cloud: &Cloud) {
        for wave in self.waves().await {
            let runs = wave.iter().map(|index| async {
                let (thing, journal, secrets) = &self.things[*index];
                let site = self.site(cloud, thing).await;
                let run = Run::lasting(Duration::from_secs(600)).with_secrets(secrets.clone());
                let began = Instant::now();
                let outcome = cloud.converge(&site, journal, &run).await;
                eprintln!(
                    "  {} `{}`: {:.1?}",
                    site.thing.id().sort.as_str(),
                    site.thing.id(),
                    began.elapsed()
                );
                whole(&site, outcome);
            });
            futures::future::join_all(runs).await;
        }
    }

    async fn unchanged(&self, cloud: &Cloud) {
        for (thing, journal, _) in &self.things {
            let site = self.site(cloud, thing).await;
            let run = Run::lasting(Duration::from_secs(300));
            let inspection = cloud
                .inspect(&site, journal, &run)
                .await
                .unwrap_or_else(|error| panic!("{}: {error}", thing.id()));
            assert!(inspection.clean(), "{}: {inspection:#?}", thing.id());
        }
    }

    async fn remove(&self, cloud: &Cloud) {
        for (thing, journal, _) in self.things.iter().rev() {
            let site = self.site(cloud, thing).await;
            let began = Instant::now();
            let outcome = cloud
                .remove(&site, journal, &Run::lasting(Duration::from_secs(600)))
                .await;
            eprintln!(
                "  removed {} `{}`: {:.1?}",
                site.thing.id().sort.as_str(),
                site.thing.id(),
                began.elapsed()
            );
            whole(&site, outcome);
        }
    }
}

fn whole(site: &Site, outcome: Outcome) {
    let errors: Vec<_> = outcome.errors.iter().map(ToString::to_string).collect();
    assert!(
        outcome.complete,
        "{} `{}`: {errors:#?}\n{:#?}\n{:#?}",
        site.thing.id().sort.as_str(),
        site.thing.id(),
        outcome.left,
        outcome.waiting
    );
}

/// A process of its own: nothing is known from before.
async fn process(project: &Project) -> Cloud {
    let settings = openstack::Settings {
        auth_url: Some("http://127.0.0.1:5000/v3".into()),
        username: Some(project.name.clone()),
        password: Some(Secret::new(password())),
        project_name: Some(project.name.clone()),
        user_domain_name: Some("Default".into()),
        project_domain_name: Some("Default".into()),
        region: Some("RegionOne".into()),
        ..openstack::Settings::default()
    };
    let cloud = openstack::connect(settings, openstack::Common::default()).await;
    Hosted::new(cloud.unwrap_or_else(|error| panic!("{error}")))
}

fn told(what: &str, began: Instant) {
    eprintln!("{what}: {:.1?}", began.elapsed());
}

#[test]
fn a_library_stands_through_the_platform_alone_and_goes_without_a_trace() {
    let Some(_turn) = shared() else { return };
    let project = Project::new();
    let before = project.inventory();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let mut library = Library::new();

    let began = Instant::now();
    runtime.block_on(async {
        library.plan(&process(&project).await).await;
        library.apply(&process(&project).await).await;
    });
    told("apply", began);

    let began = Instant::now();
    runtime.block_on(async { library.unchanged(&process(&project).await).await });
    told("empty plan", began);

    library.change(Sort::Service, "database", "/service/disk_gib", json!(25));
    library.change(Sort::Instance, "ils", "/instance/web/nodes", json!(3));
    library.change(
        Sort::Instance,
        "ils",
        "/instance/hostname",
        json!("other.example.org"),
    );
    let began = Instant::now();
    runtime.block_on(async {
        let cloud = process(&project).await;
        library.plan(&cloud).await;
        library.apply(&cloud).await;
        library.unchanged(&process(&project).await).await;
    });
    told("changes", began);

    let began = Instant::now();
    runtime.block_on(async { library.remove(&process(&project).await).await });
    told("destroy", began);
    project.is_as(&before);
}
