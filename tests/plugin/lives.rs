//! Whole lives of resources in every shape of values: made, quiet, changed, quiet again, gone. Every answer is held against
//! the rules on the way.

use super::host::{Diag, Launch, Managed, PlanInput, Provider, errors};
use super::value::{Val, num, obj};

async fn provider() -> Provider {
    let mut provider = Launch::corner().provider().await;
    assert_eq!(provider.configure(obj! {}).await, []);
    provider
}

/// Made as `first`, changed to each of `then`, destroyed.
async fn changes(type_name: &str, first: Val, then: &[Val]) -> Vec<Val> {
    let mut provider = provider().await;
    let mut managed = provider.lives(type_name, first).await;
    let mut states = vec![managed.state.clone()];
    for given in then {
        let config = provider.config(type_name, given.clone());
        let diagnostics = provider.bring(&mut managed, &config).await;
        assert_eq!(errors(&diagnostics), Vec::<&Diag>::new(), "{given:?}");
        provider.quiet(&mut managed, &config).await;
        states.push(managed.state.clone());
    }
    let diagnostics = provider.destroy(&mut managed).await;
    assert_eq!((errors(&diagnostics), managed.state), (vec![], Val::Null));
    provider.end().await;
    states
}

#[tokio::test]
async fn numbers_are_kept_to_the_last_digit() {
    let digits = "123456789012345678901234567890.123456789012345678901234567890";
    let states = changes(
        "corner_numbers",
        obj! { "exact" => num(digits), "small" => -7, "list" => vec![num("0.1"), num("1e100"), num("-0")] },
        &[
            obj! { "exact" => num("0.1"), "any" => Val::Dynamic("\"number\"".into(), Box::new(num("9007199254740993"))) },
            obj! { "exact" => num("18446744073709551615"), "small" => i64::MIN },
            obj! { "exact" => num("1.5"), "small" => i64::MAX },
            obj! {},
        ],
    )
    .await;
    assert_eq!(*states[0].get("copy"), num(digits));
    assert_eq!(*states[1].get("copy"), num("0.1"));
    assert_eq!(*states[2].get("copy"), num("18446744073709551615"));
    assert_eq!(*states[4].get("copy"), Val::Null);
}

#[tokio::test]
async fn a_dynamic_value_may_change_its_type() {
    let dynamic = |of: &str, value: Val| Val::Dynamic(of.into(), Box::new(value));
    let object = obj! { "a" => "x", "b" => vec![1, 2] };
    let states = changes(
        "corner_dynamic",
        obj! { "value" => dynamic("\"string\"", "one".into()) },
        &[
            obj! { "value" => dynamic("[\"list\",\"number\"]", vec![1, 2].into()) },
            obj! { "value" => dynamic("[\"object\",{\"a\":\"string\",\"b\":[\"list\",\"number\"]}]", object.clone()) },
            obj! { "value" => dynamic("[\"tuple\",[\"bool\",\"string\"]]", Val::List(vec![true.into(), "x".into()])) },
            obj! { "value" => Val::Null },
        ],
    )
    .await;
    let Val::Dynamic(_, echo) = states[2].get("echo") else {
        panic!("{:?}", states[2]);
    };
    assert_eq!(**echo, object);
}

#[tokio::test]
async fn collections_keep_order_null_and_emptiness_apart() {
    let states = changes(
        "corner_collections",
        obj! { "list" => vec!["b", "a", "b"], "set" => vec!["z", "a"], "map" => obj! { "k" => "v" } },
        &[
            obj! { "list" => Vec::<Val>::new(), "set" => Vec::<Val>::new(), "map" => obj! {} },
            obj! { "list" => vec![Val::Null], "map" => obj! { "k" => Val::Null }, "flag" => false },
            obj! { "deep" => obj! { "a" => vec![1, 2], "b" => Vec::<Val>::new() }, "computed_map" => obj! { "mine" => "x" } },
            obj! { "with_default" => Vec::<Val>::new() },
        ],
    )
    .await;
    assert_eq!(*states[0].get("list"), vec!["b", "a", "b"].into());
    assert_eq!(*states[0].get("with_default"), vec!["a", "b"].into());
    assert_eq!(*states[0].get("flag"), true.into());
    assert_eq!(*states[1].get("list"), Val::List(vec![]));
    assert_eq!(*states[2].get("flag"), false.into());
    assert_eq!(*states[3].get("computed_map").get("mine"), "x".into());
    assert_eq!(*states[4].get("with_default"), Val::List(vec![]));
}

#[tokio::test]
async fn nested_attributes_of_every_kind() {
    let states = changes(
        "corner_nested",
        obj! {
            "network" => obj! { "cidr" => "10.0.0.0/8", "inner" => obj! { "key" => "k", "secret_wo" => "canary" } },
            "disks" => vec![obj! { "name" => "sda" }, obj! { "name" => "sdb", "size" => 20 }],
            "named_disks" => obj! { "data" => obj! { "name" => "sdc" } },
            "rules" => vec![obj! { "port" => 80 }, obj! { "port" => 53, "protocol" => "udp" }],
        },
        &[
            obj! {
                "network" => obj! { "cidr" => "10.0.0.0/8", "address" => "10.0.0.9" },
                "disks" => vec![obj! { "name" => "sdb", "size" => 20 }],
                "named_disks" => obj! { "data" => obj! { "name" => "sdc" }, "more" => obj! { "name" => "sdd" } },
                "rules" => vec![obj! { "port" => 53, "protocol" => "udp" }, obj! { "port" => 443 }, obj! { "port" => 80 }],
            },
            obj! { "disks" => Vec::<Val>::new(), "named_disks" => obj! {}, "rules" => Vec::<Val>::new() },
            obj! {},
        ],
    )
    .await;
    let network = states[0].get("network");
    assert_eq!(network.get("address").text(), "10.0.0.5");
    assert_eq!(*network.get("inner").get("secret_wo"), Val::Null);
    let Val::List(disks) = states[0].get("disks") else {
        panic!("{:?}", states[0])
    };
    assert_eq!(
        disks[0],
        obj! { "name" => "sda", "size" => 10, "device" => "/dev/sda" }
    );
    assert_eq!(states[1].get("network").get("address").text(), "10.0.0.9");
    assert!(!format!("{states:?}").contains("canary"));
}

#[tokio::test]
async fn blocks_of_every_kind() {
    changes(
        "corner_blocks",
        obj! {
            "name" => "x", "one" => obj! { "speed" => 2 }, "group" => obj! {},
            "disk" => vec![obj! { "name" => "sda" }, obj! { "name" => "sdb", "size" => 5 }],
            "rule" => vec![obj! { "port" => 80 }, obj! { "port" => 443 }],
            "entry" => obj! { "a" => obj! { "note" => "mine" }, "b" => obj! {} },
        },
        &[
            obj! {
                "name" => "x", "group" => obj! { "note" => "n" },
                "disk" => vec![obj! { "name" => "sdb", "size" => 5 }],
                "rule" => vec![obj! { "port" => 443 }, obj! { "port" => 8080, "protocol" => "udp" }],
                "entry" => obj! { "b" => obj! { "speed" => 9 } },
            },
            obj! { "group" => obj! {} },
        ],
    )
    .await;
}

#[tokio::test]
async fn unknown_values_are_planned_as_such_at_every_depth() {
    let mut provider = provider().await;
    for (type_name, given) in [
        (
            "corner_numbers",
            obj! { "exact" => Val::Unknown, "any" => Val::Unknown, "list" => vec![num("1"), Val::Unknown] },
        ),
        ("corner_dynamic", obj! { "value" => Val::Unknown }),
        (
            "corner_collections",
            obj! { "list" => Val::Unknown, "set" => vec![Val::Unknown, "a".into()], "map" => obj! { "k" => Val::Unknown } },
        ),
        (
            "corner_nested",
            obj! {
                "network" => Val::Unknown,
                "disks" => vec![obj! { "name" => Val::Unknown }],
                "rules" => vec![obj! { "port" => Val::Unknown }, obj! { "port" => 80 }],
                "named_disks" => obj! { "x" => obj! { "name" => "n", "size" => Val::Unknown } },
            },
        ),
        (
            "corner_blocks",
            obj! {
                "one" => obj! { "speed" => Val::Unknown }, "group" => obj! {},
                "disk" => Val::Unknown, "rule" => vec![obj! { "port" => Val::Unknown }],
            },
        ),
        (
            "corner_write_only",
            obj! { "password_wo" => Val::Unknown, "password_wo_version" => Val::Unknown },
        ),
        (
            "corner_thing",
            obj! { "name" => Val::Unknown, "size" => Val::Unknown },
        ),
        ("corner_spelling", obj! { "json" => Val::Unknown }),
    ] {
        let config = provider.config(type_name, given);
        assert_eq!(
            errors(&provider.validate(type_name, &config).await),
            Vec::<&Diag>::new(),
            "{type_name}"
        );
        let planned = provider.plan(type_name, &PlanInput::create(config)).await;
        assert_eq!(
            errors(&planned.diagnostics),
            Vec::<&Diag>::new(),
            "{type_name}"
        );
        assert!(!planned.state.wholly_known());
    }
    provider.end().await;
}

#[tokio::test]
async fn the_users_spelling_is_kept() {
    let states = changes(
        "corner_spelling",
        obj! { "json" => "{ \"b\": 1,  \"a\": [2] }", "host" => "Library.Example.ORG" },
        &[
            obj! { "json" => "{\"a\":[2],\"b\":1}", "host" => "library.example.org" },
            obj! { "json" => "[]" },
        ],
    )
    .await;
    assert_eq!(states[0].get("json").text(), "{ \"b\": 1,  \"a\": [2] }");
    assert_eq!(states[0].get("host").text(), "Library.Example.ORG");
    assert_eq!(states[2].get("json").text(), "[]");
}

#[tokio::test]
async fn write_only_values_reach_the_resource_and_nothing_else() {
    let mut provider = Launch::corner().env("TF_LOG", "TRACE").provider().await;
    provider.configure(obj! {}).await;
    let given = obj! {
        "password_wo" => "canary-write-only", "password_wo_version" => 1,
        "keys_wo" => obj! { "a" => "canary-write-only-2" },
    };
    let managed = provider.lives("corner_write_only", given).await;
    assert_eq!(*managed.state.get("length"), 17.into());
    assert_eq!(*managed.state.get("password_wo"), Val::Null);
    assert!(!format!("{managed:?}").contains("canary"));
    let logs = provider.end().await;
    assert!(
        logs.contains("ApplyResourceChange"),
        "the log tells of requests: {logs}"
    );
    assert!(!logs.contains("canary"), "{logs}");
}

#[tokio::test]
async fn nine_mebibytes_travel() {
    let states = changes(
        "corner_big",
        obj! { "text" => "x".repeat(9 << 20) },
        &[obj! { "text" => "y".repeat(9 << 20) }],
    )
    .await;
    assert_eq!(*states[0].get("length"), (9 << 20).into());
}

#[tokio::test]
async fn the_bench_resource_keeps_the_rules_too() {
    let disks = vec![
        obj! { "name" => "a", "size" => 1 },
        obj! { "name" => "b", "size" => 2 },
    ];
    changes(
        "corner_bench",
        obj! { "name" => "n", "disk" => disks },
        &[obj! { "name" => "m", "tags" => obj! { "k" => "v" } }],
    )
    .await;
}

#[tokio::test]
async fn a_change_leaves_what_it_need_not_touch() {
    let mut provider = provider().await;
    let mut managed = provider
        .lives("corner_thing", obj! { "name" => "one" })
        .await;
    assert_eq!(*managed.state.get("revision"), 1.into());
    let config = provider.config("corner_thing", obj! { "name" => "one", "size" => 4 });
    let input = PlanInput {
        prior: managed.state.clone(),
        config: config.clone(),
        private: managed.private.clone(),
        identity: managed.identity.clone(),
    };
    let planned = provider.plan("corner_thing", &input).await;
    assert_eq!(*planned.state.get("id"), *managed.state.get("id"), "kept");
    assert_eq!(
        *planned.state.get("revision"),
        Val::Unknown,
        "computed, and something changes"
    );
    provider.bring(&mut managed, &config).await;
    assert_eq!(*managed.state.get("revision"), 2.into());
    let renamed = provider.config("corner_thing", obj! { "name" => "two" });
    let input = PlanInput {
        config: renamed.clone(),
        prior: managed.state.clone(),
        ..input
    };
    let planned = provider.plan("corner_thing", &input).await;
    assert_eq!(planned.requires_replace, ["name"]);
    provider.bring(&mut managed, &renamed).await;
    assert_eq!(managed.state.get("id").text(), "thing-two");
    provider.end().await;
}

#[tokio::test]
async fn mistakes_are_told_at_their_attribute() {
    let mut provider = provider().await;
    for (given, path) in [
        (obj! { "name" => "x".repeat(21) }, "name"),
        (obj! { "name" => "x", "size" => 0 }, "size"),
        (obj! { "name" => "x", "size" => num("2.5") }, "size"),
    ] {
        let config = provider.config("corner_thing", given);
        let diagnostics = provider.validate("corner_thing", &config).await;
        let errors = errors(&diagnostics);
        assert!(!errors.is_empty(), "nothing is said about {path}");
        assert!(
            errors.iter().all(|error| error.path == path),
            "{diagnostics:?}"
        );
    }
    let diagnostics = provider.configure(obj! { "folder" => "relative" }).await;
    assert_eq!(errors(&diagnostics)[0].path, "folder");
    provider.end().await;
}

#[tokio::test]
async fn destroying_what_was_never_there_is_no_error() {
    let mut provider = provider().await;
    let mut managed = Managed::new("corner_thing");
    assert_eq!(provider.destroy(&mut managed).await, []);
    provider.end().await;
}
