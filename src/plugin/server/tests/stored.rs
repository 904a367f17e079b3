//! Objects as older releases stored them, imported ones, and moved ones.

use super::*;

#[tokio::test]
async fn a_state_of_the_same_version_gains_defaults_and_loses_what_is_unknown() {
    let thing = Thing::new(usual());
    let met = thing.met.clone();
    let host = Host::new(thing);
    let state = host
        .upgrade(2, r#"{"id":"i","name":"a","users":{"ann":{"token":null}},"disks":[{"size":1,"speed":9}],"extra":{"a":1}}"#)
        .await
        .unwrap();
    assert_eq!(
        state.to_json(),
        serde_json::json!({
            "id": "i", "name": "a", "title": null, "size": 3, "stamp": null, "zone": null, "secret_wo": null,
            "secret_wo_version": null, "web": {"nodes": 2, "flavor": null, "address": null, "network": null},
            "rules": null, "disks": [{"size": 1, "path": null}], "users": {"ann": {"role": "reader", "token": null}},
            "tags": null, "timeouts": null
        })
    );
    assert_eq!(met.lock().unwrap().len(), 1);
    // What was stored as null stays null: the user may have said so.
    let state = host
        .upgrade(2, r#"{"name":"a","size":null,"web":null}"#)
        .await
        .unwrap();
    assert!(state.get("size").is_null() && state.get("web").is_null());
}

#[tokio::test]
async fn versions_are_upgraded_refused_or_told_to_be_unusable() {
    let host = Host::new(Thing::new(usual()));
    let state = host.upgrade(1, r#"{"title":"a"}"#).await.unwrap();
    assert_eq!(state.get("name").as_str(), Some("a"));
    let newer = host.upgrade(3, "{}").await.unwrap_err();
    assert!(newer[0].contains("newer version"), "{newer:?}");
    let wrong = host
        .upgrade(2, r#"{"name":"a","disks":[{"size":"big"}]}"#)
        .await
        .unwrap_err();
    assert!(wrong[0].starts_with("error [disks[0].size]"), "{wrong:?}");
    assert!(host.upgrade(2, "{").await.is_err());
    let request = wire::upgrade_resource_state::Request {
        type_name: "test_thing".into(),
        version: 2,
        raw_state: Some(wire::RawState {
            json: Vec::new(),
            flatmap: [("id".to_owned(), "x".to_owned())].into(),
        }),
    };
    let answer = host
        .server
        .upgrade_resource_state(Request::new(request))
        .await
        .unwrap();
    assert_eq!(answer.into_inner().diagnostics.len(), 1);
}

#[tokio::test]
async fn digits_survive_a_stored_state() {
    let schema = Schema::new(2, "A thing.")
        .attr("id", text().keep().doc("Its id."))
        .attr("exact", crate::plugin::number().optional().doc("A number."));
    let host = Host::new(Thing::new(schema));
    let digits = "123456789012345678901234567890.123456789";
    let state = host
        .upgrade(2, &format!(r#"{{"id":"i","exact":{digits}}}"#))
        .await
        .unwrap();
    assert_eq!(state.get("exact").as_number().unwrap().to_string(), digits);
}

#[tokio::test]
async fn an_object_is_imported_and_moved() {
    let host = Host::new(Thing::new(usual()).identity());
    let import = |id: &str| wire::import_resource_state::Request {
        type_name: "test_thing".into(),
        id: id.into(),
        ..Default::default()
    };
    let answer = host
        .server
        .import_resource_state(Request::new(import("i")))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(told(&answer.diagnostics), Vec::<String>::new());
    let imported = answer.imported_resources.into_iter().next().unwrap();
    assert_eq!(host.read_wire(imported.state).get("id").as_str(), Some("i"));
    assert!(imported.identity.is_some());
    let answer = host
        .server
        .import_resource_state(Request::new(import("")))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(answer.diagnostics.len(), 1);

    let source = |type_name: &str| wire::move_resource_state::Request {
        source_type_name: type_name.into(),
        target_type_name: "test_thing".into(),
        source_state: Some(wire::RawState {
            json: br#"{"label":"l"}"#.to_vec(),
            flatmap: Default::default(),
        }),
        ..Default::default()
    };
    let answer = host
        .server
        .move_resource_state(Request::new(source("other_thing")))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(told(&answer.diagnostics), Vec::<String>::new());
    assert_eq!(
        host.read_wire(answer.target_state).get("name").as_str(),
        Some("l")
    );
    let answer = host
        .server
        .move_resource_state(Request::new(source("strange")))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(answer.diagnostics.len(), 1);
}

#[tokio::test]
async fn a_generated_configuration_says_no_more_than_it_must() {
    let host = Host::new(Thing::new(usual()));
    let config = val!({"name": "a", "size": 5, "users": {"ann": {}}, "rules": [{"port": 80}]});
    let state = host.bring(&Dynamic::Null, &config).await.state;
    let request = wire::generate_resource_config::Request {
        type_name: "test_thing".into(),
        state: host.wire(&state),
    };
    let answer = host
        .server
        .generate_resource_config(Request::new(request))
        .await
        .unwrap()
        .into_inner();
    let generated = host.read_wire(answer.config);
    assert!(generated.get("id").is_null() && generated.get("web").is_null());
    assert_eq!(generated.get("size").as_i64(), Some(5));
    assert!(generated.get("users").get("ann").get("role").is_null());
    let again = host.plan(&state, &generated).await;
    assert_eq!(again.state, state);
}
