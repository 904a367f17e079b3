//! Our own resources across the wire, on the simulator: whole lives, every answer held against the rules.

use std::path::Path;

use serde_json::{Value, json};

use super::host::{Diag, Import, Launch, Managed, PlanInput, Provider, errors};
use super::value::{Val, obj};

async fn provider(folder: &Path) -> Provider {
    let mut launch = Launch::product();
    launch.folder = Some(folder.to_owned());
    let mut provider = launch.provider().await;
    let config =
        json!({ "simulator": { "path": folder.join("cloud.sqlite") }, "owner": "library-team" });
    assert_eq!(provider.configure(Val::from_json(&config)).await, []);
    provider
}

/// Type, id, configuration, and attributes that are changed later.
type Made = (
    &'static str,
    &'static str,
    Value,
    Vec<(&'static str, Value)>,
);

/// Every resource in the order in which they can be made.
fn library() -> Vec<Made> {
    let mut all = vec![(
        "invenioils_environment",
        "library",
        json!({ "name": "library" }),
        vec![
            ("tags", json!({ "shelf": "b" })),
            ("access", json!({ "allowed_cidrs": ["192.0.2.0/24"] })),
            ("alerts", json!({ "email": "it@example.org" })),
        ],
    )];
    for (kind, id) in [
        ("database", "library/database"),
        ("search", "library/search"),
        ("cache", "library/cache"),
        ("queue", "library/queue"),
        ("storage", "library/storage"),
    ] {
        all.push((
            "invenioils_service",
            id,
            json!({ "environment_id": "library", "kind": kind, "deletion_protection": false }),
            vec![
                ("nodes", json!(if kind == "database" { 2 } else { 1 })),
                ("size", json!("medium")),
                ("timeouts", json!({ "update": "20m" })),
            ],
        ));
    }
    all.push((
        "invenioils_certificate",
        "library/certificate",
        json!({ "environment_id": "library", "hostnames": ["library.example.org"], "self_signed": {} }),
        vec![
            ("hostnames", json!(["library.example.org", "www.library.example.org"])),
            ("renew_before_days", json!(20)),
        ],
    ));
    let services: Value = ["database", "search", "cache", "queue", "storage"]
        .into_iter()
        .map(|kind| (kind.to_owned(), json!(format!("library/{kind}"))))
        .collect::<serde_json::Map<_, _>>()
        .into();
    all.push((
        "invenioils_instance",
        "library/ils",
        json!({ "environment_id": "library", "hostname": "library.example.org", "services": services,
            "certificate_id": "library/certificate", "deletion_protection": false }),
        vec![
            ("web", json!({ "nodes": 3 })),
            ("mail", json!({ "host": "mail.example.org", "sender": "library@example.org", "username": "ils",
                "password_wo": "canary-of-the-mail", "password_wo_version": 1 })),
            ("config", json!({ "INVENIO_ILS_SELF_CHECKOUT_ENABLED": "True" })),
            ("site", json!({ "name": "The library", "languages": ["en", "fr"] })),
        ],
    ));
    all.push((
        "invenioils_backup_policy",
        "library/backups",
        json!({ "environment_id": "library", "service_ids": ["library/database"], "schedule": "0 3 * * *",
            "retention": { "daily": 7 }, "keep_on_destroy": false }),
        vec![
            ("retention", json!({ "daily": 3, "monthly": 2 })),
            ("point_in_time_days", json!(3)),
            ("paused", json!(true)),
        ],
    ));
    all
}

async fn all_made(provider: &mut Provider) -> Vec<Managed> {
    let mut made = Vec::new();
    for (type_name, id, given, _) in library() {
        let managed = provider.lives(type_name, Val::from_json(&given)).await;
        assert_eq!(managed.state.get("id").text(), id);
        assert_eq!(managed.state.get("status").text(), "ready");
        assert_eq!(managed.identity, Some(obj! { "id" => id }));
        made.push(managed);
    }
    made
}

#[tokio::test]
async fn every_resource_lives_changes_is_imported_listed_and_goes() {
    let folder = tempfile::tempdir().unwrap();
    let mut provider = provider(folder.path()).await;
    let mut made = all_made(&mut provider).await;

    for (managed, (type_name, id, given, _)) in made.iter().zip(library()) {
        let by_identity = Import::Identity(obj! { "id" => id });
        for by in [Import::Id(id), by_identity] {
            let imported = provider.import(type_name, by).await.unwrap();
            assert_eq!(imported.identity, managed.identity);
            let mut imported = Managed {
                type_name: type_name.into(),
                state: imported.state,
                private: imported.private,
                identity: imported.identity,
            };
            let config = provider.config(type_name, Val::from_json(&given));
            let said = provider.bring(&mut imported, &config).await;
            assert_eq!(errors(&said), Vec::<&Diag>::new(), "{id}");
            provider.quiet(&mut imported, &config).await;
        }
        let listed = provider
            .list(type_name, obj! { "environment_id" => "library" }, 100, true)
            .await;
        assert!(
            listed.iter().all(|it| it.diagnostics.is_empty()),
            "{listed:?}"
        );
        assert!(
            listed.iter().any(|it| it.identity.get("id").text() == id
                && it
                    .object
                    .as_ref()
                    .is_some_and(|it| it.get("id").text() == id)),
            "{id} in {listed:?}"
        );
        assert_eq!(
            provider
                .list(
                    type_name,
                    obj! { "environment_id" => "elsewhere" },
                    100,
                    false
                )
                .await
                .len(),
            0
        );
        let written = provider.generate(type_name, &managed.state).await.unwrap();
        let mut again = managed.clone();
        let said = provider.bring(&mut again, &written).await;
        assert_eq!(errors(&said), Vec::<&Diag>::new(), "{id}, as written");
    }

    for (managed, (type_name, id, given, changes)) in made.iter_mut().zip(library()) {
        let mut given = Val::from_json(&given);
        for (attribute, value) in changes {
            given = given.with(attribute, Val::from_json(&value));
            let config = provider.config(type_name, given.clone());
            let said = provider.bring(managed, &config).await;
            assert_eq!(errors(&said), Vec::<&Diag>::new(), "{id}: {attribute}");
            provider.quiet(managed, &config).await;
        }
    }

    while let Some(mut managed) = made.pop() {
        let said = provider.destroy(&mut managed).await;
        assert_eq!((errors(&said), managed.state), (vec![], Val::Null));
    }
    let logs = provider.end().await;
    assert!(!logs.contains("canary-of-the-mail"));
}

#[tokio::test]
async fn what_means_nothing_for_an_object_store_stays_as_it_was_written() {
    let folder = tempfile::tempdir().unwrap();
    let mut provider = provider(folder.path()).await;
    provider
        .lives("invenioils_environment", obj! { "name" => "library" })
        .await;
    let given = json!({ "environment_id": "library", "kind": "storage", "backend": "object", "size": "large", "disk_gib": 70,
        "version": "4.2", "deletion_protection": false });
    let made = provider
        .lives("invenioils_service", Val::from_json(&given))
        .await;
    assert_eq!(made.state.get("size").text(), "large");
    assert_eq!(*made.state.get("disk_gib"), 70.into());
    // Nothing was written, so nothing is there.
    let plain = json!({ "environment_id": "library", "kind": "storage", "name": "plain", "backend": "object",
        "deletion_protection": false });
    let made = provider
        .lives("invenioils_service", Val::from_json(&plain))
        .await;
    assert!(made.state.get("size").is_null());
    provider.end().await;
}

#[tokio::test]
async fn whatever_is_unknown_no_plan_breaks_a_rule() {
    let folder = tempfile::tempdir().unwrap();
    let mut provider = provider(folder.path()).await;
    let mut plans = 0;
    for (type_name, id, given, changes) in library() {
        let mut whole = Val::from_json(&given);
        for (attribute, value) in &changes {
            whole = whole.with(attribute, Val::from_json(value));
        }
        let Val::Map(members) = whole.clone() else {
            panic!("{whole:?}")
        };
        for attribute in members.keys() {
            let config = provider.config(type_name, whole.clone().with(attribute, Val::Unknown));
            let said = provider.validate(type_name, &config).await;
            assert_eq!(
                errors(&said),
                Vec::<&Diag>::new(),
                "{id}: {attribute} unknown"
            );
            let planned = provider.plan(type_name, &PlanInput::create(config)).await;
            assert_eq!(
                errors(&planned.diagnostics),
                Vec::<&Diag>::new(),
                "{id}: {attribute} unknown"
            );
            plans += 1;
        }
    }
    assert!(plans > 40, "{plans}");
    provider.end().await;
}

#[tokio::test]
async fn a_state_of_a_newer_release_is_refused_and_one_of_this_is_taken_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let mut provider = provider(folder.path()).await;
    let made = provider
        .lives("invenioils_environment", obj! { "name" => "library" })
        .await;
    let version = provider.kind("invenioils_environment").version;
    let (_, refused) = provider
        .upgrade("invenioils_environment", version + 1, &made.state.to_json())
        .await;
    assert!(errors(&refused)[0].detail.contains("newer"), "{refused:?}");
    provider.end().await;
}
