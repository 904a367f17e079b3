//! Every rule says no where it should, and the ordinary site passes.

use super::{check, shared};
use crate::site::*;

fn name(text: &str) -> Name {
    text.parse().unwrap()
}
fn id(sort: Sort, text: &str) -> Id {
    Id::within(sort, name("library"), name(text))
}

fn environment() -> Environment {
    serde_json::from_value(serde_json::json!({
        "name": "library", "network": { "cidr": "10.20.0.0/24" }, "dns": { "zone": "example.org." }
    }))
    .unwrap()
}
fn service(kind: ServiceKind) -> Service {
    serde_json::from_value(serde_json::json!({
        "environment": "library", "kind": kind, "name": kind.as_str(), "version": version::newest(kind, None),
        "machine": { "size": "small" }, "nodes": 1, "disk_gib": 20, "deletion_protection": true,
        "backend": (kind == ServiceKind::Storage).then_some("file")
    }))
    .unwrap()
}
fn certificate() -> Certificate {
    serde_json::from_value(serde_json::json!({
        "environment": "library", "name": "certificate", "hostnames": ["ils.example.org"], "key_type": "ecdsa-p256",
        "renew_before_days": 30, "source": { "self_signed": { "validity_days": 365 } }, "revoke_on_destroy": false
    }))
    .unwrap()
}
fn instance() -> Instance {
    let mut instance: Instance = serde_json::from_value(serde_json::json!({
        "environment": "library", "name": "ils", "hostname": "ils.example.org", "services": {}, "version": "9.0.1",
        "application": { "package": "invenio-app-ils" },
        "web": { "nodes": 2, "machine": { "size": "small" }, "server": "uwsgi", "processes": 2, "threads": 2 },
        "worker": { "nodes": 1, "machine": { "size": "small" }, "concurrency": 2 },
        "load_balancer": { "max_body_mib": 100, "idle_timeout": "60s" }, "deletion_protection": true
    }))
    .unwrap();
    instance.certificate = Some(id(Sort::Certificate, "certificate"));
    instance.services = ServiceKind::ALL
        .map(|kind| (kind, id(Sort::Service, kind.as_str())))
        .into();
    instance
}
fn policy() -> BackupPolicy {
    serde_json::from_value(serde_json::json!({
        "environment": "library", "name": "nightly", "services": [], "schedule": "0 3 * * *", "timezone": "UTC",
        "paused": false, "retention": { "daily": 7 }, "point_in_time_days": 0, "keep_on_destroy": true
    }))
    .map(|mut policy: BackupPolicy| {
        policy.services = vec![id(Sort::Service, "database")];
        policy
    })
    .unwrap()
}
fn site(thing: Thing) -> Site {
    let things = ServiceKind::ALL
        .map(|kind| Thing::Service(service(kind)))
        .into_iter()
        .chain([
            Thing::Environment(environment()),
            Thing::Certificate(certificate()),
        ]);
    let record = |thing: Thing| {
        (
            thing.id(),
            Record {
                owner: String::new(),
                thing,
                outputs: Outputs::default(),
            },
        )
    };
    Site {
        owner: String::new(),
        default_tags: Tags::new(),
        thing,
        around: things.map(record).collect(),
    }
}

/// The paths that are refused.
fn refused(thing: Thing, before: Option<Thing>) -> Vec<String> {
    let findings = check(&site(thing), before.as_ref());
    findings
        .into_iter()
        .filter(|finding| finding.refuses)
        .map(|finding| finding.at)
        .collect()
}

#[test]
fn an_ordinary_site_passes() {
    for kind in ServiceKind::ALL {
        assert_eq!(check(&site(Thing::Service(service(kind))), None), []);
    }
    for thing in [
        Thing::Environment(environment()),
        Thing::Certificate(certificate()),
        Thing::Instance(instance()),
        Thing::BackupPolicy(policy()),
    ] {
        assert_eq!(
            check(&site(thing.clone()), Some(&thing)),
            [],
            "{}",
            thing.id()
        );
    }
}

#[test]
fn services_keep_to_their_rules() {
    let at = |kind: ServiceKind, change: &dyn Fn(&mut Service)| {
        let mut changed = service(kind);
        change(&mut changed);
        refused(Thing::Service(changed), Some(Thing::Service(service(kind))))
    };
    use ServiceKind::*;
    for kind in [Search, Queue, Cache] {
        assert_eq!(at(kind, &|it| it.nodes = 2), ["nodes"]);
        assert!(at(kind, &|it| it.nodes = 3).is_empty());
    }
    assert!(at(Database, &|it| it.nodes = 2).is_empty());
    assert_eq!(at(Database, &|it| it.nodes = 0), ["nodes"]);
    let mut three = service(Database);
    three.nodes = 3;
    for (protected, refuses) in [(true, true), (false, false)] {
        let mut one = service(Database);
        one.deletion_protection = protected;
        let before = Thing::Service(three.clone());
        let findings = check(&site(Thing::Service(one)), Some(&before));
        let [found] = &findings[..] else {
            panic!("{findings:?}")
        };
        assert_eq!((found.at.as_str(), found.refuses), ("nodes", refuses));
    }
    assert_eq!(at(Storage, &|it| it.nodes = 2), ["nodes"]);
    assert_eq!(at(Database, &|it| it.disk_gib = 19), ["disk_gib"]);
    assert_eq!(
        at(Database, &|it| it.version = Some("14".into())),
        ["version"]
    );
    assert_eq!(
        at(Database, &|it| it.version = Some("99".into())),
        ["version"]
    );
    assert_eq!(
        at(Database, &|it| it.version = Some("newest".into())),
        ["version"]
    );
    assert_eq!(
        at(Database, &|it| it.backend = Some(Backend::File)),
        ["backend"]
    );
    assert_eq!(
        at(Database, &|it| drop(
            it.settings.insert("port".into(), "1".into())
        )),
        ["settings.port"]
    );
    assert_eq!(
        at(Cache, &|it| drop(
            it.settings.insert("x".into(), "1\n2".into())
        )),
        ["settings.x"]
    );
    assert!(
        at(Database, &|it| drop(
            it.settings.insert("max_connections".into(), "300".into())
        ))
        .is_empty()
    );
    assert_eq!(
        at(Database, &|it| drop(
            it.tags.insert("a/b".into(), "1".into())
        )),
        ["tags.a/b"]
    );
}

#[test]
fn instances_keep_to_their_rules() {
    let at = |change: &dyn Fn(&mut Instance)| {
        let mut changed = instance();
        change(&mut changed);
        refused(Thing::Instance(changed), Some(Thing::Instance(instance())))
    };
    assert_eq!(
        at(&|it| it.hostname = "https://x".into()),
        ["hostname", "certificate_id"]
    );
    assert_eq!(
        at(&|it| it.hostname = "ils.example.com".into()),
        ["hostname", "certificate_id"]
    );
    assert_eq!(
        at(&|it| it.additional_hostnames = vec!["ils.example.org".into()]),
        ["additional_hostnames.0"]
    );
    assert_eq!(
        at(&|it| drop(it.services.remove(&ServiceKind::Queue))),
        ["services"]
    );
    assert_eq!(
        at(&|it| drop(
            it.services
                .insert(ServiceKind::Queue, id(Sort::Service, "cache"))
        )),
        ["services.queue"]
    );
    let elsewhere = Id::within(Sort::Service, name("other"), name("queue"));
    assert_eq!(
        at(&|it| drop(it.services.insert(ServiceKind::Queue, elsewhere.clone()))),
        ["services.queue"]
    );
    assert_eq!(at(&|it| it.certificate = None), ["certificate_id"]);
    assert!(at(&|it| (it.certificate, it.insecure_http) = (None, true)).is_empty());
    assert_eq!(at(&|it| it.version = "9.0.0".into()), ["version"]);
    assert_eq!(at(&|it| it.web.nodes = 0), ["web.nodes"]);
    assert_eq!(
        at(&|it| it.load_balancer.idle_timeout = "soon".into()),
        ["load_balancer.idle_timeout"]
    );
    for (key, word) in [
        ("INVENIO_SITE_UI_URL", "`hostname`"),
        ("SQLALCHEMY_DATABASE_URI", "`services`"),
        ("INVENIO_SEARCH_INDEX_PREFIX", "Remove"),
        ("SECURITY_LOGIN_SALT", "Remove"),
        ("lower", "upper-case"),
    ] {
        let mut changed = instance();
        changed.config.insert(key.into(), "x".into());
        let findings = check(&site(Thing::Instance(changed)), None);
        assert_eq!(findings.len(), 1, "{key}");
        assert!(
            findings[0].refuses
                && findings[0].at == format!("config.{key}")
                && findings[0].detail.contains(word),
            "{:?}",
            findings[0]
        );
    }
    assert!(
        at(&|it| drop(
            it.config
                .insert("INVENIO_ILS_SELF_CHECKOUT_ENABLED".into(), "True".into())
        ))
        .is_empty()
    );
    assert_eq!(
        at(&|it| it.frontend.archive_url = Some("https://x".into())),
        ["frontend.sha256"]
    );
}

#[test]
fn certificates_policies_and_environments_keep_to_their_rules() {
    let certificate_at = |change: &dyn Fn(&mut Certificate)| {
        let mut changed = certificate();
        change(&mut changed);
        refused(Thing::Certificate(changed), None)
    };
    assert_eq!(certificate_at(&|it| it.hostnames.clear()), ["hostnames"]);
    assert_eq!(
        certificate_at(&|it| it.hostnames = vec!["a_b.example.org".into()]),
        ["hostnames.0"]
    );
    assert_eq!(
        certificate_at(&|it| it.renew_before_days = 365),
        ["renew_before_days"]
    );

    let policy_at = |change: &dyn Fn(&mut BackupPolicy)| {
        let mut changed = policy();
        change(&mut changed);
        refused(Thing::BackupPolicy(changed), None)
    };
    assert_eq!(
        policy_at(&|it| it.retention = Retention::default()),
        ["retention"]
    );
    assert_eq!(
        policy_at(&|it| it.schedule = "0 0 31 2 *".into()),
        ["schedule"]
    );
    assert_eq!(policy_at(&|it| it.timezone = "Moon".into()), ["timezone"]);
    assert_eq!(policy_at(&|it| it.services.clear()), ["service_ids"]);
    assert_eq!(
        policy_at(&|it| it.encryption.recipients = vec!["AGE-SECRET-KEY-1".into()]),
        ["encryption.recipients.0"]
    );

    let environment_at = |change: serde_json::Value| {
        let mut whole = serde_json::to_value(environment()).unwrap();
        for (key, value) in change.as_object().unwrap() {
            whole[key] = value.clone();
        }
        refused(
            Thing::Environment(serde_json::from_value(whole).unwrap()),
            None,
        )
    };
    assert_eq!(
        environment_at(serde_json::json!({ "network": { "cidr": "10.20.0.5/24" } })),
        ["network.cidr"]
    );
    assert_eq!(
        environment_at(serde_json::json!({ "network": { "cidr": "169.254.0.0/24" } })),
        ["network.cidr"]
    );
    assert_eq!(
        environment_at(serde_json::json!({ "network": { "cidr": "10.0.0.0/30" } })),
        ["network.cidr"]
    );
    assert_eq!(
        environment_at(serde_json::json!({ "dns": { "zone": "example.org" } })),
        ["dns.zone"]
    );
    assert_eq!(
        environment_at(serde_json::json!({ "dns": { "manage_zone": true } })),
        ["dns.zone"]
    );
    let archive_at = |sum: &str| {
        let url = format!("https://mirror.example.org/opensearch.tar.gz{sum}");
        environment_at(serde_json::json!({ "packages": { "opensearch_url": url } }))
    };
    assert!(archive_at("").is_empty());
    assert!(archive_at(&format!("#sha256={}", "0a".repeat(32))).is_empty());
    for bad in ["#", "#sha256=", "#sha256=0a", "#sha512=0a", "#v3"] {
        assert_eq!(archive_at(bad), ["packages.opensearch_url"], "{bad}");
    }
}

#[test]
fn lengths_of_time_are_read() {
    assert_eq!(super::instance::seconds("1m30s"), Some(90));
    for bad in ["", "60", "m", "1d", "-1s"] {
        assert_eq!(super::instance::seconds(bad), None, "{bad}");
    }
}

#[test]
fn two_policies_keep_nothing_in_the_same_place() {
    let in_bucket = |bucket: &str, name: &str, change: fn(&mut BackupPolicy)| {
        let mut policy = policy();
        policy.name = name.parse().unwrap();
        policy.target.bucket = Some(bucket.to_owned());
        change(&mut policy);
        policy
    };
    let nightly = in_bucket("kept", "nightly", |_| {});
    let clash = |other| shared(&nightly, [&Thing::BackupPolicy(other)]);
    let refused = clash(in_bucket("kept", "hourly", |_| {})).expect("refused");
    assert!(
        refused.refuses && refused.at == "target.prefix",
        "{refused:?}"
    );
    assert_eq!(clash(nightly.clone()), None, "itself");
    assert_eq!(clash(in_bucket("another", "hourly", |_| {})), None);
    assert_eq!(
        clash(in_bucket("kept", "hourly", |it| it.target.prefix =
            Some("hourly".to_owned()))),
        None
    );
    assert_eq!(
        clash(in_bucket("kept", "hourly", |it| it.services =
            vec![id(Sort::Service, "search")])),
        None
    );
    assert_eq!(
        shared(&policy(), [&Thing::BackupPolicy(nightly.clone())]),
        None,
        "a bucket of its own"
    );
}
