//! Bytes of any kind: read or refused, never a panic, and no memory for what is only claimed.

use super::*;
use crate::plugin::{Number, Type, json};
use proptest::prelude::*;

fn any_type() -> impl Strategy<Value = Type> {
    let leaf = prop_oneof![
        Just(Type::Bool),
        Just(Type::Number),
        Just(Type::String),
        Just(Type::Dynamic)
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            inner.clone().prop_map(Type::list),
            inner.clone().prop_map(Type::set),
            inner.clone().prop_map(Type::map),
            prop::collection::btree_map("[a-c]", inner.clone(), 0..4).prop_map(Type::Object),
            prop::collection::vec(inner, 0..3).prop_map(Type::Tuple),
        ]
    })
}

/// A value of a type, as a client might send it.
fn value_of(ty: Type) -> BoxedStrategy<Dynamic> {
    let known: BoxedStrategy<Dynamic> = match ty.clone() {
        Type::Bool => any::<bool>().prop_map(Dynamic::Bool).boxed(),
        Type::Number => prop_oneof![
            any::<i64>().prop_map(Number::from),
            any::<u64>().prop_map(Number::from),
            any::<f64>().prop_filter_map("finite", Number::exact),
            "-?[1-9][0-9]{0,40}(\\.[0-9]{1,20})?".prop_map(|text| text.parse().unwrap()),
        ]
        .prop_map(Dynamic::Number)
        .boxed(),
        Type::String => ".{0,12}".prop_map(Dynamic::String).boxed(),
        // An unknown or null value that brings no type is covered by the other branches.
        Type::Dynamic => any_type()
            .prop_filter("brings a type", |ty| *ty != Type::Dynamic)
            .prop_flat_map(|ty| {
                value_of(ty.clone())
                    .prop_map(move |value| Dynamic::Typed(Box::new((ty.clone(), value))))
            })
            .boxed(),
        Type::List(element) => prop::collection::vec(value_of(*element), 0..4)
            .prop_map(Dynamic::List)
            .boxed(),
        Type::Set(element) => prop::collection::vec(value_of(*element), 0..4)
            .prop_map(|items| Dynamic::Set(crate::plugin::conform::without_twins(items)))
            .boxed(),
        Type::Map(element) => prop::collection::btree_map("[a-z]{1,3}", value_of(*element), 0..4)
            .prop_map(Dynamic::Map)
            .boxed(),
        Type::Object(attrs) => attrs
            .into_iter()
            .map(|(name, ty)| (Just(name), value_of(ty)))
            .collect::<Vec<_>>()
            .prop_map(|attrs| Dynamic::Object(attrs.into_iter().collect()))
            .boxed(),
        Type::Tuple(types) => types
            .into_iter()
            .map(value_of)
            .collect::<Vec<_>>()
            .prop_map(Dynamic::Tuple)
            .boxed(),
    };
    prop_oneof![8 => known, 1 => Just(Dynamic::Null), 1 => Just(Dynamic::Unknown)].boxed()
}

fn typed_value() -> impl Strategy<Value = (Type, Dynamic)> {
    any_type().prop_flat_map(|ty| (Just(ty.clone()), value_of(ty)))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn values_go_both_ways((ty, value) in typed_value()) {
        let back = msgpack::decode(&msgpack::encode(&value, &ty), &ty);
        prop_assert_eq!(back.as_ref().map(Dynamic::to_json), Ok(value.to_json()));
        prop_assert!(back == Ok(value));
    }

    #[test]
    fn types_go_both_ways(ty in any_type()) {
        prop_assert_eq!(Type::from_bytes(&ty.to_bytes()), Ok(ty));
    }

    #[test]
    fn a_damaged_message_is_refused_or_is_another_value(
        (ty, value) in typed_value(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut bytes = msgpack::encode(&value, &ty);
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Ok(read) = msgpack::decode(&bytes, &ty) {
            let again = msgpack::decode(&msgpack::encode(&read, &ty), &ty);
            prop_assert!(again == Ok(read));
        }
        let _ = msgpack::decode(&bytes[..cut.index(bytes.len() + 1)], &ty);
    }

    #[test]
    fn noise_is_no_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), ty in any_type()) {
        let _ = msgpack::decode(&bytes, &ty);
        let _ = Type::from_bytes(&bytes);
        let _ = crate::plugin::Private::decode(&bytes);
    }

    #[test]
    fn json_of_any_kind_is_no_panic(text in "[\\[\\]{}\",:a-c0-9.eE+-]{0,60}", ty in any_type()) {
        if let Ok(read) = serde_json::from_str(&text) {
            let _ = json::decode(&read, &ty, json::Fit::Exact);
            let _ = json::stored(&read, &usual().fields);
        }
    }
}

#[test]
fn claimed_lengths_allocate_nothing() {
    let claims: [(&[u8], Type); 7] = [
        (&[0xdd, 0xff, 0xff, 0xff, 0xff], Type::list(Type::String)),
        (&[0xdf, 0xff, 0xff, 0xff, 0xff], Type::map(Type::String)),
        (&[0xdb, 0xff, 0xff, 0xff, 0xff], Type::String),
        (&[0xdb, 0xff, 0xff, 0xff, 0xff], Type::Number),
        (&[0xc9, 0xff, 0xff, 0xff, 0xff, 0x0c], Type::Bool),
        (&[0x92, 0xc6, 0xff, 0xff, 0xff, 0xff], Type::Dynamic),
        (&[0x92, 0xc4, 0x08, b'"', b's', b't'], Type::Dynamic),
    ];
    for (bytes, ty) in claims {
        let refused = msgpack::decode(bytes, &ty).unwrap_err();
        assert!(
            refused.to_string().contains("ends in the middle"),
            "{refused}"
        );
    }
}

#[test]
fn depth_is_limited() {
    let mut ty = Type::Bool;
    let mut bytes = vec![0x91; 200];
    for _ in 0..200 {
        ty = Type::list(ty);
    }
    bytes.push(0xc3);
    assert!(
        msgpack::decode(&bytes, &ty)
            .unwrap_err()
            .message()
            .contains("too deeply")
    );
    // Types within types within types.
    let mut bytes = Vec::new();
    for _ in 0..1000 {
        bytes.extend_from_slice(b"\x92\xc4\x09\"dynamic\"");
    }
    bytes.push(0xc0);
    assert!(
        msgpack::decode(&bytes, &Type::Dynamic)
            .unwrap_err()
            .message()
            .contains("too deeply")
    );
    let nested = format!("{}true{}", "[\"list\",".repeat(500), "]".repeat(500));
    assert!(Type::from_bytes(nested.as_bytes()).is_err());
}

#[test]
fn every_extension_is_unknown_and_written_without_limits() {
    for bytes in [
        &[0xd4, 0, 0][..],
        &[0xc7, 3, 12, 0x81, 1, 0xc2],
        &[0xd5, 99, 1, 2],
    ] {
        assert_eq!(msgpack::decode(bytes, &Type::String), Ok(Dynamic::Unknown));
    }
    assert_eq!(
        msgpack::encode(&Dynamic::Unknown, &Type::String),
        [0xd4, 0, 0]
    );
}

#[test]
fn a_value_may_come_as_json() {
    let schema = usual();
    let described = super::super::Described::new("test_thing", schema);
    let text = r#"{"id":null,"name":"a","title":null,"size":12345678901234567890.5,"stamp":null,"zone":null,
        "secret_wo":null,"secret_wo_version":null,"web":null,"rules":null,"disks":null,"users":null,"tags":["x"],
        "timeouts":null}"#;
    let read = |text: &str| {
        let value = DynamicValue {
            msgpack: Vec::new(),
            json: text.as_bytes().to_vec(),
        };
        described.decode(Some(&value), "the configuration")
    };
    let value = read(text).unwrap();
    assert_eq!(
        value.get("size").as_number().unwrap().to_string(),
        "12345678901234567890.5"
    );
    let wrong = read(&text.replace("[\"x\"]", "[1]"))
        .unwrap_err()
        .to_string();
    assert!(
        wrong.starts_with("tags[0]: ") && wrong.contains("expected a string, found a number"),
        "{wrong}"
    );
    let missing = read("{}").unwrap_err().to_string();
    assert!(missing.contains("missing"), "{missing}");
}
