//! What is planned for which change.

use super::*;

async fn made(host: &Host, config: &Dynamic) -> Dynamic {
    let applied = host.bring(&Dynamic::Null, config).await;
    assert_eq!(applied.diags, Vec::<String>::new());
    applied.state
}

async fn unchanged(host: &Host, state: &Dynamic, config: &Dynamic) {
    let again = host.plan(state, config).await;
    assert_eq!(again.diags, Vec::<String>::new());
    assert!(
        again.state == *state,
        "{} and {}",
        again.state.to_json(),
        state.to_json()
    );
    assert_eq!(again.replace, Vec::<String>::new());
}

#[tokio::test]
async fn a_creation_fills_in_defaults_and_leaves_the_rest_unknown() {
    let host = Host::new(Thing::new(usual()));
    let config = val!({
        "name": "a", "secret_wo": "hush", "rules": [{"port": 80}], "users": {"ann": {}}, "disks": [{"size": 1}]
    });
    let planned = host.plan(&Dynamic::Null, &config).await;
    assert_eq!(planned.diags, Vec::<String>::new());
    assert_eq!(
        planned.state.to_json(),
        serde_json::json!({
            "id": "(unknown)", "name": "a", "title": null, "size": 3, "stamp": "(unknown)", "zone": "(unknown)",
            "secret_wo": null, "secret_wo_version": null,
            "web": {"nodes": 2, "flavor": null, "address": "(unknown)", "network": null},
            "rules": [{"port": 80, "open": false, "seen": "(unknown)"}],
            "disks": [{"size": 1, "path": "(unknown)"}],
            "users": {"ann": {"role": "reader", "token": "(unknown)"}},
            "tags": null, "timeouts": null
        })
    );
    let state = made(&host, &config).await;
    unchanged(&host, &state, &config).await;
}

#[tokio::test]
async fn computed_attributes_become_unknown_only_when_something_changes() {
    let host = Host::new(Thing::new(usual()));
    let config = val!({"name": "a", "users": {"ann": {}}, "web": {"flavor": "x"}});
    let state = made(&host, &config).await;
    unchanged(&host, &state, &config).await;
    let more =
        val!({"name": "a", "size": 4, "users": {"ann": {}, "bob": {}}, "web": {"flavor": "x"}});
    let planned = host.plan(&state, &more).await.state;
    assert_eq!(planned.get("id").as_str(), Some("made"), "kept");
    assert!(planned.get("stamp").is_unknown());
    assert!(planned.get("zone").is_unknown());
    assert!(planned.get("web").get("address").is_unknown());
    assert_eq!(planned.get("web").get("nodes").as_i64(), Some(2));
    let token = |user| planned.get("users").get(user).get("token").clone();
    assert_eq!(token("ann").as_str(), Some("made"), "kept");
    assert!(token("bob").is_unknown());
}

#[tokio::test]
async fn what_replaces_is_named_and_what_only_may_change_is_not() {
    let schema = usual().attr(
        "alias",
        text().optional().computed().replace().doc("Another name."),
    );
    let host = Host::new(Thing::new(schema));
    let config = val!({"name": "a"});
    let state = made(&host, &config).await;
    let planned = host.plan(&state, &val!({"name": "a", "size": 5})).await;
    assert_eq!(
        planned.replace,
        Vec::<String>::new(),
        "alias is only unknown"
    );
    let planned = host.plan(&state, &val!({"name": "b", "alias": "x"})).await;
    assert_eq!(planned.replace, ["name", "alias"]);
    let planned = host
        .plan(&state, &val!({"name": "a", "web": {"network": "n"}}))
        .await;
    assert_eq!(planned.replace, ["web.network"]);
    let planned = host.plan(&state, &val!({"name": "(unknown)"})).await;
    assert_eq!(planned.replace, ["name"]);
    let planned = host.plan(&Dynamic::Null, &val!({"name": "b"})).await;
    assert_eq!(planned.replace, Vec::<String>::new());
}

#[tokio::test]
async fn the_users_spelling_is_kept_in_plan_result_and_refresh() {
    let shouting = |value: Dynamic| match value {
        Dynamic::Object(mut items) => {
            if let Some(text) = items["title"].as_str().map(str::to_uppercase) {
                items.insert("title".into(), text.into());
            }
            Dynamic::Object(items)
        }
        other => other,
    };
    let host = Host::new(Thing::new(usual()).made(shouting).read_as(shouting));
    let config = val!({"name": "a", "title": "Moby Dick"});
    let state = made(&host, &config).await;
    assert_eq!(state.get("title").as_str(), Some("Moby Dick"));
    let read = host.read(&state, None).await;
    assert_eq!(read.diags, Vec::<String>::new());
    assert_eq!(read.state, state);
    unchanged(&host, &state, &val!({"name": "a", "title": "moby DICK"})).await;
    let planned = host
        .plan(&state, &val!({"name": "a", "title": "Ulysses"}))
        .await;
    assert_eq!(planned.state.get("title").as_str(), Some("Ulysses"));
}

#[tokio::test]
async fn sets_carry_what_was_computed_for_an_element() {
    let host = Host::new(Thing::new(usual()));
    let two = val!({"name": "a", "rules": [{"port": 80}, {"port": 22, "open": true}]});
    let state = made(&host, &two).await;
    unchanged(
        &host,
        &state,
        &val!({"name": "a", "rules": [{"port": 22, "open": true}, {"port": 80}]}),
    )
    .await;
    let planned = host
        .plan(
            &state,
            &val!({"name": "a", "rules": [{"port": 80}, {"port": 443}]}),
        )
        .await;
    assert_eq!(planned.diags, Vec::<String>::new());
    let unknown = |item: &Dynamic| item.get("seen").is_unknown();
    assert!(
        planned
            .state
            .get("rules")
            .items()
            .unwrap()
            .iter()
            .all(unknown)
    );
}

#[tokio::test]
async fn elements_that_defaults_make_equal_are_refused() {
    let host = Host::new(Thing::new(usual()));
    let twins = val!({"name": "a", "rules": [{"port": 80}, {"port": 80, "open": false}]});
    let told = host.validate(&twins).await;
    assert!(
        told.len() == 1 && told[0].starts_with("error [rules]"),
        "{told:?}"
    );
    let fine = val!({"name": "a", "rules": [{"port": 80}, {"port": 81}, {"port": "(unknown)"}]});
    assert_eq!(host.validate(&fine).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_resource_may_begin_a_change_and_undo_one() {
    // Asked a second time with the draft of a change, it finds one begun.
    let asked = std::sync::atomic::AtomicUsize::new(0);
    let touching = Thing::new(usual()).plan(move |plan| {
        if plan.prior.is_some() {
            let before = asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            assert_eq!(plan.changed(), before > 0);
            plan.touch();
        }
    });
    let host = Host::new(touching);
    let config = val!({"name": "a"});
    let state = made(&host, &config).await;
    let planned = host.plan(&state, &config).await;
    assert_eq!(planned.diags, Vec::<String>::new());
    assert!(planned.state.get("stamp").is_unknown());
    assert_eq!(planned.state.get("id").as_str(), Some("made"));
    assert_eq!(planned.state.get("size").as_i64(), Some(3));

    let setting = Thing::new(usual()).plan(|plan| {
        if let (Some(_), Dynamic::Object(items)) = (plan.prior, &mut plan.planned) {
            items.insert("stamp".into(), "now".into());
        }
    });
    let host = Host::new(setting);
    let state = made(&host, &config).await;
    let planned = host.plan(&state, &config).await.state;
    assert_eq!(planned.get("stamp").as_str(), Some("now"));
    assert!(planned.get("zone").is_unknown(), "a change like any other");

    // A value of the configuration that the resource finds equal to the stored one.
    let undoing = Thing::new(usual()).plan(|plan| {
        if let (Some(prior), Dynamic::Object(items)) = (plan.prior, &mut plan.planned) {
            items.insert("tags".into(), prior.get("tags").clone());
        }
    });
    let host = Host::new(undoing);
    let state = made(&host, &val!({"name": "a", "tags": ["x"]})).await;
    unchanged(&host, &state, &val!({"name": "a", "tags": ["X"]})).await;
}

#[tokio::test]
async fn a_change_that_cannot_be_seen_is_an_error() {
    let bare = Schema::new(0, "A thing.")
        .attr("id", text().keep().doc("Its id."))
        .attr("name", text().required().doc("Its name."));
    let thing = Thing::new(bare).plan(|plan| {
        if plan.prior.is_some() {
            plan.touch();
        }
    });
    let host = Host::new(thing);
    let config = val!({"name": "a"});
    let state = made(&host, &config).await;
    assert_eq!(host.plan(&state, &config).await.diags.len(), 1);
}

#[tokio::test]
async fn unknown_configuration_is_planned_as_unknown() {
    let host = Host::new(Thing::new(usual()));
    let config = val!({
        "name": "a", "title": "(unknown)", "size": "(unknown)", "web": "(unknown)", "rules": "(unknown)",
        "disks": [{"size": "(unknown)"}], "tags": ["x", "(unknown)"], "users": {"ann": "(unknown)"}
    });
    assert_eq!(host.validate(&config).await, Vec::<String>::new());
    let planned = host.plan(&Dynamic::Null, &config).await;
    assert_eq!(planned.diags, Vec::<String>::new());
    for name in ["title", "size", "web", "rules"] {
        assert!(planned.state.get(name).is_unknown(), "{name}");
    }
    assert!(
        planned.state.get("disks").items().unwrap()[0]
            .get("size")
            .is_unknown()
    );
    assert!(planned.state.get("users").get("ann").is_unknown());
}

#[tokio::test]
async fn destruction_is_planned_with_its_warnings() {
    let host = Host::new(Thing::new(usual()));
    let state = made(&host, &val!({"name": "a"})).await;
    let planned = host.plan(&state, &Dynamic::Null).await;
    assert!(planned.state.is_null());
    assert_eq!(planned.diags, ["warning [] data will be lost: "]);
    let gone = host.apply(&state, &Dynamic::Null, planned).await;
    assert!(gone.state.is_null() && gone.diags.is_empty());
}

#[tokio::test]
async fn changes_wait_for_the_providers_configuration_where_terraform_can() {
    let host = Host::new(Thing::new(usual()).identity());
    let region = Schema::new(0, "").attr("region", text().optional());
    let config = Dynamic::object([("region", Dynamic::Unknown)]);
    let request = wire::configure_provider::Request {
        config: Some(DynamicValue {
            msgpack: msgpack::encode(&config, &region.object_type()),
            json: Vec::new(),
        }),
        ..Default::default()
    };
    host.server
        .configure_provider(Request::new(request))
        .await
        .unwrap();
    let config = val!({"name": "a"});
    let planned = host.plan_with(&Dynamic::Null, &config, true, None).await;
    assert_eq!(
        planned.deferred,
        Some(wire::deferred::Reason::ProviderConfigUnknown.into())
    );
    let planned = host.plan_with(&Dynamic::Null, &config, false, None).await;
    assert_eq!(planned.deferred, None);
    assert_eq!(planned.diags, Vec::<String>::new());
}

#[tokio::test]
async fn mistakes_are_told_at_their_attribute() {
    let host = Host::new(Thing::new(
        usual()
            .requires("title", &["zone"])
            .conflicts(&["tags", "disks"]),
    ));
    let config = val!({
        "name": null, "size": 1.5, "title": "t", "tags": [], "disks": [], "users": {"ann": {"role": "king"}},
        "web": {"nodes": 2}, "timeouts": {"create": "soon"}
    });
    let told = host.validate(&config).await.join("\n");
    for expected in [
        "[name] `name` is missing",
        "[size] `size` is not valid: 1.5 is not a whole number",
        "[users[\"ann\"].role] `users[\"ann\"].role` is not valid: `king` is none of",
        "[timeouts.create]",
        "[title] `title` needs `zone`",
        "[disks] `disks` conflicts with `tags`",
    ] {
        assert!(told.contains(expected), "{expected} is not in\n{told}");
    }
    let big = host.validate(&val!({"name": "a", "size": 12})).await;
    assert!(big[0].contains("12 is not between 1 and 9"), "{big:?}");
}
