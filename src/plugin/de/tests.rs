//! Models go both ways, and errors name the attribute.

use super::super::{Dynamic, Number, Type, Value, ser};
use super::*;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

#[derive(Serialize, Deserialize, Clone, PartialEq, Debug, Default)]
struct Inner {
    size: Value<u8>,
    tags: Value<BTreeMap<String, Value<String>>>,
}

#[derive(Serialize, Deserialize, Clone, PartialEq, Debug, Default)]
#[serde(rename_all = "kebab-case")]
enum Color {
    #[default]
    DarkRed,
    Blue,
}

#[derive(Serialize, Deserialize, Clone, PartialEq, Debug, Default)]
struct Model {
    name: Value<String>,
    count: Value<i64>,
    ratio: Value<f64>,
    exact: Value<Number>,
    on: Value<bool>,
    color: Value<Color>,
    names: Value<Vec<String>>,
    parts: Value<Vec<Inner>>,
    inner: Value<Inner>,
    any: Value<Dynamic>,
    bare: Dynamic,
    maybe: Option<String>,
}

fn full() -> Model {
    let inner = Inner {
        size: Value::Known(7),
        tags: Value::Known(BTreeMap::from([
            ("a".into(), Value::Unknown),
            ("b".into(), "x".into()),
            ("c".into(), Value::Null),
        ])),
    };
    let set = Dynamic::Set(vec!["a".into(), Dynamic::Unknown]);
    Model {
        name: "n".into(),
        count: (-3).into(),
        ratio: 0.1.into(),
        exact: Value::Known("123456789012345678901234567890.5".parse().unwrap()),
        on: true.into(),
        color: Color::DarkRed.into(),
        names: vec!["a".to_owned()].into(),
        parts: vec![inner.clone(), Inner::default()].into(),
        inner: inner.into(),
        any: Value::Known(Dynamic::Typed(Box::new((Type::set(Type::String), set)))),
        bare: Dynamic::Unknown,
        maybe: Some("m".into()),
    }
}

#[test]
fn models_go_both_ways() {
    for known in [Model::default(), full()] {
        let there = ser::dynamic(&known).unwrap();
        assert_eq!(model::<Model>(&there).unwrap(), known);
    }
    let value = ser::dynamic(&full()).unwrap();
    assert_eq!(value.get("ratio"), &Dynamic::Number("0.1".parse().unwrap()));
    assert_eq!(value.get("color").as_str(), Some("dark-red"));
    assert_eq!(
        value.get("parts").items().unwrap()[1].get("size"),
        &Dynamic::Null
    );
}

#[test]
fn unknown_and_null_are_told_apart_at_every_depth() {
    let value = Model {
        parts: Value::Unknown,
        inner: Value::Known(Inner {
            size: Value::Unknown,
            tags: Value::Null,
        }),
        ..Model::default()
    };
    let there = ser::dynamic(&value).unwrap();
    assert!(there.get("parts").is_unknown());
    assert!(there.get("inner").get("size").is_unknown());
    assert!(there.get("inner").get("tags").is_null());
    assert_eq!(model::<Model>(&there).unwrap(), value);
}

#[test]
fn errors_name_the_attribute_and_what_was_expected() {
    let wrong = |path: &str, value: Dynamic| {
        let mut there = ser::dynamic(&full()).unwrap();
        put(&mut there, path, value);
        model::<Model>(&there).unwrap_err().to_string()
    };
    assert_eq!(
        wrong("parts[0].size", 300.into()),
        "parts[0].size: a whole number is no u8"
    );
    assert_eq!(
        wrong("parts[0].size", "300".into()),
        "parts[0].size: expected a whole number, found a string"
    );
    assert_eq!(
        wrong("name", 1.into()),
        "name: expected a string, found a number"
    );
    assert_eq!(
        wrong("names[0]", Dynamic::Unknown),
        "names[0]: expected a string, found a value that is not known yet"
    );
    assert_eq!(
        wrong("inner.tags[\"b\"]", true.into()),
        "inner.tags[\"b\"]: expected a string, found a bool"
    );
    assert_eq!(
        wrong("color", "hidden-value".into()),
        "color: expected one of `dark-red`, `blue`"
    );
    let fraction = wrong("count", 1.5.into());
    assert!(
        fraction.starts_with("count: ") && !fraction.contains("1.5"),
        "{fraction}"
    );
}

#[test]
fn json_reads_models_too() {
    let model: Model = serde_json::from_value(serde_json::json!({
        "name": "n", "count": 4, "ratio": null, "exact": 12, "on": null, "color": "blue", "names": ["a"],
        "parts": null, "inner": {"size": 1, "tags": {"a": "b"}}, "any": null, "bare": "Null", "maybe": null
    }))
    .unwrap();
    assert_eq!(model.count, Value::Known(4));
    assert_eq!(model.ratio, Value::Null);
    assert_eq!(model.color, Value::Known(Color::Blue));
}

#[test]
fn arguments_of_functions_are_tuples() {
    let args = Dynamic::Tuple(vec![
        "a".into(),
        Dynamic::Null,
        Dynamic::Tuple(vec![1.into(), 2.into()]),
    ]);
    let read: (String, Value<bool>, Vec<i64>) = model(&args).unwrap();
    assert_eq!(read, ("a".into(), Value::Null, vec![1, 2]));
    let () = model(&Dynamic::Tuple(vec![])).unwrap();
    assert!(model::<(String,)>(&args).is_err());
}

fn put(here: &mut Dynamic, path: &str, value: Dynamic) {
    use crate::plugin::{Path, Step};
    let mut here = here;
    for step in Path::from(path).steps() {
        here = match (here, step) {
            (Dynamic::Object(items) | Dynamic::Map(items), Step::Attr(name) | Step::Key(name)) => {
                items.get_mut(name).unwrap()
            }
            (Dynamic::List(items), Step::Index(index)) => &mut items[*index as usize],
            _ => panic!("no such place"),
        };
    }
    *here = value;
}
