//! Resources that break a rule on purpose: the runtime says so, and what exists is returned all the same.

use super::*;
use crate::plugin::SchemaBlock;

fn put(object: Dynamic, name: &str, value: Dynamic) -> Dynamic {
    match object {
        Dynamic::Object(mut items) => {
            items.insert(name.into(), value);
            Dynamic::Object(items)
        }
        other => other,
    }
}

#[tokio::test]
async fn plans_that_break_a_rule_are_caught() {
    let config = val!({
        "name": "a", "title": "t", "tags": ["x"], "disks": [{"size": 1}], "users": {"ann": {}}, "rules": [{"port": 1}],
        "web": {"nodes": 3}
    });
    for (name, wrong, rule) in [
        ("name", val!("b"), "P2"),
        ("name", Dynamic::Unknown, "P2"),
        ("title", Dynamic::Null, "P2"),
        ("secret_wo_version", val!(3), "P3"),
        ("tags", val!(["x", "y"]), "P2"),
        ("web", Dynamic::Unknown, "P6"),
        ("web", Dynamic::Null, "P6"),
        ("web", val!({"nodes": 4}), "P2"),
        ("disks", val!([]), "P6"),
        ("disks", val!([{"size": 2}]), "P2"),
        ("disks", val!([null]), "P6"),
        ("users", val!({"bob": {}}), "P6"),
        (
            "rules",
            val!([{"port": 1, "open": false, "seen": "a"}, {"port": 2, "open": false, "seen": "b"}]),
            "P6",
        ),
        ("size", val!("big"), "expected a number"),
        ("colour", val!("red"), "no such attribute"),
    ] {
        let hook = move |plan: &mut Plan<'_, Dynamic>| {
            plan.planned = put(plan.planned.clone(), name, wrong.clone());
        };
        let host = Host::new(Thing::new(usual()).plan(hook));
        let told = host.plan(&Dynamic::Null, &config).await.diags.join("\n");
        assert!(
            told.contains(rule) && told.contains(name) && told.contains("test_thing"),
            "{name} {rule}: {told}"
        );
    }
    let nowhere = Thing::new(usual()).plan(|plan| plan.replace("web.nothing"));
    let host = Host::new(nowhere);
    let state = host.bring(&Dynamic::Null, &config).await.state;
    let told = host
        .plan(&state, &put(config, "size", val!(5)))
        .await
        .diags
        .join("\n");
    assert!(
        told.contains("P9") && told.contains("web.nothing"),
        "{told}"
    );
}

#[tokio::test]
async fn a_write_only_value_never_leaves_whatever_a_resource_does() {
    let leak = |object| put(object, "secret_wo", val!("hush-hush"));
    let thing = Thing::new(usual())
        .plan(move |plan| plan.planned = leak(plan.planned.clone()))
        .made(leak)
        .read_as(leak);
    let host = Host::new(thing);
    let config = val!({"name": "a", "secret_wo": "hush-hush"});
    let applied = host.bring(&Dynamic::Null, &config).await;
    assert_eq!(applied.diags, Vec::<String>::new());
    assert!(applied.state.get("secret_wo").is_null());
    assert!(
        host.read(&applied.state, None)
            .await
            .state
            .get("secret_wo")
            .is_null()
    );
}

#[tokio::test]
async fn results_that_break_a_rule_are_errors_and_the_object_is_kept() {
    let config = val!({
        "name": "a", "title": "t", "tags": ["x", "y"], "disks": [{"size": 1}], "users": {"ann": {}},
        "rules": [{"port": 1}]
    });
    for (name, wrong, rule) in [
        ("name", val!("b"), "A1"),
        ("size", val!(4), "A1"),
        ("title", Dynamic::Null, "A3"),
        ("secret_wo_version", val!(1), "A3"),
        ("stamp", Dynamic::Unknown, "A2"),
        ("tags", val!(["x"]), "A4"),
        ("disks", val!([]), "A4"),
        (
            "users",
            val!({"ann": {"role": "reader", "token": "t"}, "bob": {"role": "reader", "token": "t"}}),
            "A4",
        ),
        (
            "rules",
            val!([{"port": 2, "open": false, "seen": "a"}]),
            "A5",
        ),
        ("size", val!("big"), "A9"),
        ("web", val!("none"), "A9"),
        ("colour", val!("red"), "A9"),
    ] {
        let host = Host::new(Thing::new(usual()).made(move |made| put(made, name, wrong.clone())));
        let applied = host.bring(&Dynamic::Null, &config).await;
        let told = applied.diags.join("\n");
        assert!(
            told.contains(rule) && told.contains(name) && told.contains("test_thing"),
            "{name} {rule}: {told}"
        );
        assert_eq!(
            applied.state.get("id").as_str(),
            Some("made"),
            "{name} {rule}: the object is lost"
        );
        assert!(applied.state.is_wholly_known());
        assert!(!applied.private.is_empty());
    }
    let empty = Host::new(Thing::new(usual()).end(End::Empty));
    let told = empty.bring(&Dynamic::Null, &config).await.diags.join("\n");
    assert!(told.contains("A8"), "{told}");
}

#[tokio::test]
async fn reads_that_break_a_rule_are_caught() {
    let config = val!({"name": "a"});
    for (name, wrong) in [
        ("stamp", Dynamic::Unknown),
        ("size", val!("big")),
        ("colour", val!(1)),
    ] {
        let thing = Thing::new(usual()).read_as(move |read| put(read, name, wrong.clone()));
        let host = Host::new(thing);
        let state = host.bring(&Dynamic::Null, &config).await.state;
        let read = host.read(&state, None).await;
        let told = read.diags.join("\n");
        assert!(told.contains("R1") && told.contains(name), "{name}: {told}");
        assert_eq!(read.state.get("id").as_str(), Some("made"));
    }
}

#[tokio::test]
async fn an_identity_never_changes() {
    let config = val!({"name": "a"});
    let other = |object| put(object, "id", val!("other"));
    let honest = Host::new(Thing::new(usual()).identity());
    let made = honest.bring(&Dynamic::Null, &config).await;
    assert!(made.identity.is_some());
    let host = Host::new(Thing::new(usual()).identity().read_as(other));
    let told = host
        .read(&made.state, made.identity.clone())
        .await
        .diags
        .join("\n");
    assert!(told.contains("R5") && told.contains("`id`"), "{told}");
    let hook = move |plan: &mut Plan<'_, Dynamic>| plan.planned = other(plan.planned.clone());
    let host = Host::new(Thing::new(usual()).identity().plan(hook));
    let planned = host
        .plan_with(&made.state, &config, false, made.identity.clone())
        .await;
    assert!(
        planned.diags.join("\n").contains("P13"),
        "{:?}",
        planned.diags
    );
    // The replacement of an object is another object.
    let renamed = val!({"name": "b"});
    let planned = host
        .plan_with(&made.state, &renamed, false, made.identity)
        .await;
    assert_eq!(planned.diags, Vec::<String>::new());
}

#[tokio::test]
async fn after_an_error_what_exists_is_stored() {
    let config = val!({"name": "a"});
    for end in [End::Failed, End::Panicked] {
        // The resource knows its id already, and nothing else.
        let partly = |made| {
            put(
                put(made, "stamp", Dynamic::Unknown),
                "web",
                val!({"address": "(unknown)"}),
            )
        };
        let host = Host::new(Thing::new(usual()).made(partly).end(end));
        let applied = host.bring(&Dynamic::Null, &config).await;
        assert_eq!(applied.diags.len(), 1, "{:?}", applied.diags);
        assert_eq!(applied.state.get("id").as_str(), Some("made"));
        assert!(applied.state.get("stamp").is_null());
        assert!(applied.state.is_wholly_known());
        assert!(!applied.private.is_empty());
        if end == End::Panicked {
            assert!(
                applied.diags[0].contains("out of paper"),
                "{:?}",
                applied.diags
            );
        }
    }
    let honest = Host::new(Thing::new(usual()));
    let state = honest.bring(&Dynamic::Null, &config).await.state;
    let failing = Host::new(Thing::new(usual()).end(End::Failed));
    let planned = failing.plan(&state, &Dynamic::Null).await;
    let kept = failing.apply(&state, &Dynamic::Null, planned).await;
    assert_eq!(kept.state, state, "a failed deletion keeps the object");
    assert_eq!(failing.read(&state, None).await.state, state);
    let gone = Host::new(Thing::new(usual()).end(End::Empty))
        .read(&state, None)
        .await;
    assert!(gone.state.is_null() && gone.diags.is_empty());
}

#[tokio::test]
async fn schemas_that_break_a_rule_are_found() {
    use crate::plugin::{BlockNesting, Type, dynamic, map, set};
    let good = || text().optional().doc("Good.");
    let cases: Vec<(Schema, &str)> = vec![
        (Schema::new(-1, "x"), "S8"),
        (Schema::new(0, ""), "description"),
        (Schema::new(0, "x").attr("a", text().doc("x")), "S1"),
        (Schema::new(0, "x").attr("a", good().required()), "S1"),
        (
            Schema::new(0, "x").attr("a", text().required().computed().doc("x")),
            "S1",
        ),
        (
            Schema::new(0, "x").attr("a", text().optional()),
            "description",
        ),
        (Schema::new(0, "x").attr("a", good().deprecated("")), "S3"),
        (
            Schema::new(0, "x").attr("a", good()).attr("a", good()),
            "S4",
        ),
        (Schema::new(0, "x").attr("A", good()), "S4"),
        (Schema::new(0, "x").attr("count", good()), "own"),
        (
            Schema::new(0, "x").attr("a", good()).block(
                "a",
                SchemaBlock::new(BlockNesting::List, [("b", good())]).doc("x"),
            ),
            "S4",
        ),
        (
            Schema::new(0, "x").block(
                "a",
                SchemaBlock::new(BlockNesting::List, [("b", good())])
                    .min(3)
                    .max(2)
                    .doc("x"),
            ),
            "S5",
        ),
        (
            Schema::new(0, "x").block(
                "a",
                SchemaBlock::new(BlockNesting::Map, [("b", good())])
                    .min(1)
                    .doc("x"),
            ),
            "S5",
        ),
        (
            Schema::new(0, "x").attr(
                "a",
                set_of([("b", good().write_only())]).optional().doc("x"),
            ),
            "S6",
        ),
        (
            Schema::new(0, "x").attr(
                "a",
                set_of([("b", dynamic().optional().doc("x"))])
                    .optional()
                    .doc("x"),
            ),
            "S6",
        ),
        (
            Schema::new(0, "x").attr("a", set(Type::Dynamic).optional().doc("x")),
            "S6",
        ),
        (
            Schema::new(0, "x").attr("a", int().default("x").doc("x")),
            "does not fit",
        ),
        (
            Schema::new(0, "x").attr("a", int().default(1.5).doc("x")),
            "own check",
        ),
        (
            Schema::new(0, "x").attr("a", text().default("c").one_of(&["a", "b"]).doc("x")),
            "own check",
        ),
        (
            Schema::new(0, "x").attr("a", good().write_only().computed()),
            "write-only",
        ),
        (
            Schema::new(0, "x").attr("a", good().write_only().replace()),
            "write-only",
        ),
        (
            Schema::new(0, "x").attr("a", map(Type::Number).optional().one_of(&["a"]).doc("x")),
            "one_of",
        ),
        (
            Schema::new(0, "x")
                .attr("a", good())
                .exactly_one_of(&["a", "b"]),
            "does not exist",
        ),
        (
            Schema::new(0, "x").attr("a", object([("b", good())]).computed().doc("x")),
            "only the provider",
        ),
    ];
    for (schema, expected) in cases {
        let found = schema.lint().join("\n");
        assert!(
            found.contains(expected),
            "{expected} is not in {found:?} for {schema:?}"
        );
    }
    assert_eq!(usual().lint(), Vec::<String>::new());
}
