//! Changed or deleted behind our back: the next look says so, field by field, and the next run mends it.

use super::{
    cast,
    world::{LATENCY, World},
};
use invenioils::engine::Journal;
use serde_json::{Value, json};
use std::collections::BTreeSet;

const KEEPERS: [&str; 4] = ["address", "bucket", "port", "volume"];

/// Another value of the same type.
fn other(value: &Value) -> Value {
    match value {
        Value::String(text) => json!(format!("{text}-changed")),
        Value::Number(number) => json!(number.as_u64().unwrap_or_default() + 1),
        Value::Bool(flag) => json!(!flag),
        Value::Array(items) => Value::Array([items.clone(), vec![json!("changed")]].concat()),
        Value::Object(map) => {
            let mut map = map.clone();
            map.insert("changed".to_owned(), json!("changed"));
            Value::Object(map)
        }
        Value::Null => json!("changed"),
    }
}

#[tokio::test(start_paused = true)]
async fn every_field_changed_behind_our_back_is_seen_and_mended() {
    let mut fields = 0;
    for (thing, _) in cast::things() {
        let world = World::new();
        world.lay(&thing).await;
        let journal = Journal::new();
        assert!(world.converge(&thing, &journal).await.complete);
        tokio::time::sleep(LATENCY * 10).await;
        let steps: Vec<String> = world
            .of(&thing)
            .await
            .into_iter()
            .map(|it| it.step)
            .collect();
        for step in steps {
            let find = async || {
                world
                    .of(&thing)
                    .await
                    .into_iter()
                    .find(|it| it.step == step)
                    .expect("an object")
            };
            let names: Vec<String> = find().await.fields.keys().cloned().collect();
            for field in names {
                fields += 1;
                let what = format!("{} {step} {field}", thing.id());
                let object = find().await;
                let keepers = keepers(&world).await;
                world
                    .cloud
                    .tamper(&object.id, &field, &other(&object.fields[&field]))
                    .await
                    .expect("tampering");
                let inspection = world.inspect(&thing, &journal).await;
                let seen: Vec<_> = inspection
                    .drifts
                    .iter()
                    .map(|it| (it.step.as_str(), it.difference.field))
                    .collect();
                assert_eq!(seen, [(step.as_str(), field.as_str())], "{what}");

                let outcome = world.converge(&thing, &journal).await;
                if outcome.complete {
                    tokio::time::sleep(LATENCY * 10).await;
                } else {
                    // Only a new one could have the field as wanted, and this one keeps data: it stays, and the error says so.
                    assert!(
                        KEEPERS.contains(&object.kind.as_str()),
                        "{what}: {:?}",
                        outcome.errors
                    );
                    let error = outcome.errors.first().expect("an error");
                    assert!(
                        error.why.contains("keeps data") && error.why.contains(&field),
                        "{what}: {error}"
                    );
                    assert!(error.remedy.is_some(), "{what}");
                    world
                        .cloud
                        .tamper(&object.id, &field, &object.fields[&field])
                        .await
                        .expect("tampering");
                }
                assert!(world.inspect(&thing, &journal).await.clean(), "{what}");
                assert_eq!(
                    self::keepers(&world).await,
                    keepers,
                    "{what}: what keeps data stays"
                );
            }
        }
    }
    assert!(fields > 100, "{fields} fields");
}

#[tokio::test(start_paused = true)]
async fn every_object_deleted_behind_our_back_is_missed_and_made_again() {
    for (thing, _) in cast::things() {
        let world = World::new();
        world.lay(&thing).await;
        let journal = Journal::new();
        assert!(world.converge(&thing, &journal).await.complete);
        tokio::time::sleep(LATENCY * 10).await;
        let before: BTreeSet<String> = world
            .of(&thing)
            .await
            .into_iter()
            .map(|it| it.step)
            .collect();
        for step in &before {
            let object = world
                .of(&thing)
                .await
                .into_iter()
                .find(|it| it.step == *step)
                .expect("an object");
            world.cloud.destroy(&object.id).await.expect("a deletion");
            let inspection = world.inspect(&thing, &journal).await;
            let missing: Vec<_> = inspection
                .missing
                .iter()
                .map(|it| (it.step.as_str(), it.id.as_deref()))
                .collect();
            assert_eq!(
                missing,
                [(step.as_str(), Some(object.id.as_str()))],
                "{}",
                thing.id()
            );
            let outcome = world.converge(&thing, &journal).await;
            assert!(
                outcome.complete,
                "{} {step}: {:?}",
                thing.id(),
                outcome.errors
            );
            tokio::time::sleep(LATENCY * 10).await;
            assert!(
                world.inspect(&thing, &journal).await.clean(),
                "{} {step}",
                thing.id()
            );
        }
        let after: BTreeSet<String> = world
            .of(&thing)
            .await
            .into_iter()
            .map(|it| it.step)
            .collect();
        assert_eq!(after, before);
        for object in world.of(&thing).await {
            world.cloud.destroy(&object.id).await.expect("a deletion");
        }
        assert!(
            world.inspect(&thing, &journal).await.gone(),
            "{}",
            thing.id()
        );
    }
}

async fn keepers(world: &World) -> Vec<String> {
    let all = world.cloud.inventory().await.expect("an inventory");
    all.into_iter()
        .filter(|it| KEEPERS.contains(&it.kind.as_str()))
        .map(|it| it.id)
        .collect()
}
