//! Objects that exist outside of the state: identity, import, drift, lists, upgrades, moves, generated configuration, and the
//! calls that are not about resources.

use std::path::Path;

use super::host::{Diag, Import, Launch, Provider, errors};
use super::messages6 as pb;
use super::value::{Val, num, obj};

async fn provider(folder: &Path) -> Provider {
    let mut provider = Launch::corner().provider().await;
    assert_eq!(
        provider
            .configure(obj! { "folder" => folder.to_str().unwrap() })
            .await,
        []
    );
    provider
}

fn log(folder: &Path) -> String {
    std::fs::read_to_string(folder.join("log")).unwrap_or_default()
}

#[tokio::test]
async fn an_object_is_found_by_id_and_by_identity() {
    let folder = tempfile::tempdir().unwrap();
    let mut provider = provider(folder.path()).await;
    let made = provider
        .lives("corner_thing", obj! { "name" => "one", "size" => 7 })
        .await;
    assert_eq!(made.identity, Some(obj! { "id" => "thing-one" }));
    for by in [
        Import::Id("thing-one"),
        Import::Identity(obj! { "id" => "thing-one" }),
    ] {
        let found = provider.import("corner_thing", by).await.unwrap();
        assert_eq!(found.state, made.state);
        assert_eq!(found.identity, made.identity);
    }
    let missing = provider
        .import("corner_thing", Import::Id("thing-none"))
        .await
        .unwrap_err();
    assert!(missing[0].summary.contains("thing-none"), "{missing:?}");
    let never = provider
        .import("corner_numbers", Import::Id("x"))
        .await
        .unwrap_err();
    assert!(
        errors(&never)[0].summary.contains("corner_numbers"),
        "{never:?}"
    );

    let config = provider
        .generate("corner_thing", &made.state)
        .await
        .unwrap();
    assert_eq!(config.get("name").text(), "one");
    assert_eq!(
        *config.get("revision"),
        Val::Null,
        "nobody can set what is computed"
    );
    let mut again = made.clone();
    provider.quiet(&mut again, &config).await;
    provider.end().await;
}

#[tokio::test]
async fn what_vanished_is_made_again_and_what_drifted_is_mended() {
    let folder = tempfile::tempdir().unwrap();
    let mut provider = provider(folder.path()).await;
    let mut managed = provider
        .lives("corner_thing", obj! { "name" => "one" })
        .await;
    let config = provider.config("corner_thing", obj! { "name" => "one" });
    let file = folder.path().join("thing-one.json");
    std::fs::write(&file, r#"{"name":"one","size":50,"revision":1}"#).unwrap();
    assert_eq!(provider.refresh(&mut managed).await, []);
    assert_eq!(*managed.state.get("size"), 50.into());
    assert_eq!(
        errors(&provider.bring(&mut managed, &config).await),
        Vec::<&Diag>::new()
    );
    assert_eq!(*managed.state.get("size"), 3.into());
    std::fs::remove_file(&file).unwrap();
    assert_eq!(provider.refresh(&mut managed).await, []);
    assert_eq!(managed.state, Val::Null);
    assert_eq!(
        errors(&provider.bring(&mut managed, &config).await),
        Vec::<&Diag>::new()
    );
    assert!(file.exists());
    provider.end().await;
}

#[tokio::test]
async fn lists_stream_stop_at_the_limit_and_bring_the_object_if_asked() {
    let folder = tempfile::tempdir().unwrap();
    let mut provider = provider(folder.path()).await;
    for name in ["a1", "a2", "a3", "b1"] {
        provider
            .lives("corner_thing", obj! { "name" => name })
            .await;
    }
    let names = |all: &[super::host::Listed]| {
        all.iter()
            .map(|one| one.identity.get("id").text().to_owned())
            .collect::<Vec<_>>()
    };
    let all = provider.list("corner_thing", obj! {}, 100, false).await;
    assert_eq!(
        names(&all),
        ["thing-a1", "thing-a2", "thing-a3", "thing-b1"]
    );
    let some = provider
        .list("corner_thing", obj! { "prefix" => "a" }, 2, true)
        .await;
    assert_eq!(names(&some), ["thing-a1", "thing-a2"]);
    assert_eq!(some[0].object.as_ref().unwrap().get("name").text(), "a1");
    assert_eq!(some[0].name, "thing thing-a1");
    assert!(
        provider
            .list("corner_thing", obj! { "prefix" => "z" }, 10, false)
            .await
            .is_empty()
    );
    provider.end().await;
}

#[tokio::test]
async fn states_of_older_versions_are_brought_up_to_date() {
    let folder = tempfile::tempdir().unwrap();
    let mut provider = provider(folder.path()).await;
    let old = serde_json::json!({ "id": "thing-x", "name": "x", "weight": "12", "revision": 4 });
    let (state, diagnostics) = provider.upgrade("corner_thing", 0, &old).await;
    assert_eq!(diagnostics, []);
    assert_eq!(
        state,
        obj! { "id" => "thing-x", "name" => "x", "size" => 12, "note" => Val::Null, "revision" => 4 }
    );
    // What an attribute that is gone has left behind does no harm.
    let extra = serde_json::json!({ "id": "i", "name": "x", "size": 1, "note": null, "revision": 1, "gone": true });
    let (state, diagnostics) = provider.upgrade("corner_thing", 2, &extra).await;
    assert_eq!(diagnostics, []);
    assert_eq!(*state.get("size"), 1.into());
    let (_, refused) = provider
        .upgrade("corner_numbers", 3, &serde_json::json!({}))
        .await;
    assert!(!errors(&refused).is_empty(), "a version that nobody knows");
    let identity = provider
        .upgrade_identity("corner_thing", 0, &serde_json::json!({ "key": "thing-x" }))
        .await;
    assert_eq!(identity.unwrap(), obj! { "id" => "thing-x" });
    provider.end().await;
}

#[tokio::test]
async fn an_object_moves_from_another_type() {
    let folder = tempfile::tempdir().unwrap();
    let mut provider = provider(folder.path()).await;
    assert!(provider.schemas.capabilities.move_resource_state);
    let request = |from: &str, state: &str| pb::move_resource_state::Request {
        source_provider_address: "registry.terraform.io/tests/corner".into(),
        source_type_name: from.into(),
        source_state: Some(pb::RawState {
            json: state.into(),
            ..Default::default()
        }),
        target_type_name: "corner_thing".into(),
        ..Default::default()
    };
    let moved = provider
        .move_state("corner_thing", request("corner_other", r#"{"label":"x"}"#))
        .await
        .unwrap();
    assert_eq!(moved.state.get("name").text(), "x");
    assert_eq!(moved.identity, Some(obj! { "id" => "thing-x" }));
    for (from, state) in [
        ("corner_other", "{}"),
        ("null_resource", "{}"),
        ("corner_other", "no json"),
    ] {
        let refused = provider
            .move_state("corner_thing", request(from, state))
            .await
            .unwrap_err();
        assert!(!errors(&refused).is_empty(), "{from} {state}");
    }
    provider.end().await;
}

#[tokio::test]
async fn data_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let mut provider = provider(folder.path()).await;
    let value = Val::Dynamic("[\"list\",\"number\"]".into(), Box::new(vec![1, 2].into()));
    let (state, diagnostics) = provider
        .read_data("corner_echo", obj! { "value" => value })
        .await;
    assert_eq!(diagnostics, []);
    assert_eq!(state.get("text").text(), "hello [1,2]");
    let (_, refused) = provider
        .read_data("corner_echo", obj! { "greeting" => "" })
        .await;
    assert_eq!(errors(&refused)[0].path, "greeting");
    provider.end().await;
}

#[tokio::test]
async fn ephemeral_values_are_opened_renewed_and_closed() {
    let folder = tempfile::tempdir().unwrap();
    let mut provider = provider(folder.path()).await;
    let plain = provider
        .open("corner_token", obj! { "user" => "ada" })
        .await;
    assert_eq!(plain.diagnostics, []);
    assert_eq!(plain.result.get("token").text(), "token-of-ada");
    assert_eq!(plain.renew_at, None);
    assert_eq!(provider.close("corner_token", plain).await, []);
    let mut renewed = provider
        .open("corner_token", obj! { "user" => "bob", "renews" => true })
        .await;
    assert!(renewed.renew_at.is_some());
    assert_eq!(provider.renew("corner_token", &mut renewed).await, []);
    assert!(renewed.renew_at.unwrap() > std::time::SystemTime::now());
    assert_eq!(provider.close("corner_token", renewed).await, []);
    let refused = provider.open("corner_token", obj! { "user" => "" }).await;
    assert_eq!(errors(&refused.diagnostics)[0].path, "user");
    assert_eq!(
        log(folder.path()),
        "open ada\nclose ada\nopen bob\nrenew bob\nclose bob+\n"
    );
    provider.end().await;
}

#[tokio::test]
async fn functions_take_any_number_null_and_unknown_as_they_say() {
    let folder = tempfile::tempdir().unwrap();
    let mut provider = provider(folder.path()).await;
    let text = |texts: &[&str]| {
        texts
            .iter()
            .map(|text| Val::from(*text))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        provider.call("join", text(&["-"])).await.unwrap(),
        "".into()
    );
    assert_eq!(
        provider.call("join", text(&["-", "a"])).await.unwrap(),
        "a".into()
    );
    assert_eq!(
        provider
            .call("join", text(&["-", "a", "b", "c"]))
            .await
            .unwrap(),
        "a-b-c".into()
    );
    assert_eq!(
        provider
            .call("join", text(&["-", "a", "bad"]))
            .await
            .unwrap_err()
            .argument,
        Some(2)
    );
    assert_eq!(
        provider
            .call("divide", vec![7.into(), 2.into()])
            .await
            .unwrap(),
        3.into()
    );
    let error = provider
        .call("divide", vec![7.into(), 0.into()])
        .await
        .unwrap_err();
    assert_eq!(
        (error.argument, error.text.contains("zero")),
        (Some(1), true)
    );
    let error = provider
        .call("divide", vec![num("7.5"), 1.into()])
        .await
        .unwrap_err();
    assert_eq!(error.argument, Some(0), "{error:?}");
    assert_eq!(provider.call("nothing", vec![]).await.unwrap(), true.into());
    for (value, kind) in [
        (Val::Null, "null"),
        (Val::Unknown, "unknown"),
        (
            Val::Dynamic("\"number\"".into(), Box::new(3.into())),
            "known",
        ),
    ] {
        let described = provider.call("describe", vec![value]).await.unwrap();
        assert_eq!(described.get("kind").text(), kind);
    }
    provider.end().await;
}

#[tokio::test]
async fn actions_tell_how_they_get_on() {
    let folder = tempfile::tempdir().unwrap();
    let mut provider = provider(folder.path()).await;
    let rung = provider.invoke("corner_ring", obj! { "times" => 3 }).await;
    assert_eq!(
        (rung.progress.len(), rung.diagnostics.len()),
        (3, 0),
        "{rung:?}"
    );
    assert_eq!(log(folder.path()).lines().count(), 3);
    let planned = provider.invoke("corner_ring", obj! { "times" => 9 }).await;
    assert_eq!(errors(&planned.diagnostics)[0].path, "times");
    let broken = provider.invoke("corner_ring", obj! { "times" => 8 }).await;
    assert_eq!(
        (broken.progress.len(), errors(&broken.diagnostics).len()),
        (7, 1),
        "{broken:?}"
    );
    let refused = provider.invoke("corner_ring", obj! { "times" => 11 }).await;
    assert_eq!(errors(&refused.diagnostics)[0].path, "times");
    provider.end().await;
}

#[tokio::test]
async fn what_the_metadata_names_is_what_the_schema_holds() {
    let folder = tempfile::tempdir().unwrap();
    let mut provider = provider(folder.path()).await;
    let metadata = provider
        .rpc
        .get_metadata(pb::get_metadata::Request {})
        .await
        .unwrap()
        .into_inner();
    let mut names: Vec<String> = metadata
        .resources
        .iter()
        .map(|one| one.type_name.clone())
        .collect();
    names.sort();
    assert_eq!(
        names,
        provider
            .schemas
            .resources
            .keys()
            .cloned()
            .collect::<Vec<_>>()
    );
    assert_eq!(
        metadata.data_sources.len(),
        provider.schemas.data_sources.len()
    );
    assert_eq!(metadata.functions.len(), provider.schemas.functions.len());
    assert_eq!(
        metadata.ephemeral_resources.len(),
        provider.schemas.ephemeral.len()
    );
    assert_eq!(metadata.list_resources.len(), provider.schemas.lists.len());
    assert_eq!(metadata.actions.len(), provider.schemas.actions.len());
    assert_eq!(
        metadata.server_capabilities,
        Some(provider.schemas.capabilities)
    );
    let functions = provider
        .rpc
        .get_functions(pb::get_functions::Request {})
        .await
        .unwrap()
        .into_inner();
    assert_eq!(functions.functions.len(), provider.schemas.functions.len());
    let capabilities = provider.schemas.capabilities;
    assert!(
        capabilities.plan_destroy
            && capabilities.get_provider_schema_optional
            && capabilities.generate_resource_config
    );
    provider.end().await;
}

#[tokio::test]
async fn there_are_no_state_stores() {
    let folder = tempfile::tempdir().unwrap();
    let mut provider = provider(folder.path()).await;
    let request = pb::validate_state_store_config::Request {
        type_name: "corner_store".into(),
        config: Some(obj! {}.to_wire()),
    };
    let answer = provider
        .rpc
        .validate_state_store_config(request)
        .await
        .unwrap()
        .into_inner();
    assert!(!errors(&Diag::all(&answer.diagnostics)).is_empty());
    let request = pb::get_states::Request {
        type_name: "corner_store".into(),
    };
    let answer = provider.rpc.get_states(request).await.unwrap().into_inner();
    assert!(!errors(&Diag::all(&answer.diagnostics)).is_empty());
    let request = pb::lock_state::Request {
        type_name: "corner_store".into(),
        ..Default::default()
    };
    let answer = provider.rpc.lock_state(request).await.unwrap().into_inner();
    assert!(!errors(&Diag::all(&answer.diagnostics)).is_empty());
    provider.end().await;
}
