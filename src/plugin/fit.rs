//! Holds a model against its schema: both must name the same attributes. Looks at serde's field names only.

use super::{
    Dynamic, de,
    schema::{Attr, BlockNesting, Fields, Kind, Nesting, SchemaBlock},
    ser,
};
use serde::{Serialize, de::DeserializeOwned};

/// What model and schema do not have in common; empty if they fit.
pub fn model<M: Serialize + DeserializeOwned>(fields: &Fields) -> Vec<String> {
    let mut found = Vec::new();
    // With an element in every collection, all nested models show their fields.
    for (kind, sample) in [("null", fields.blank()), ("a sample", sample(fields))] {
        let there = match de::model::<M>(&sample) {
            Ok(there) => there,
            Err(error) => {
                found.push(format!("the model cannot hold {kind} value: {error}"));
                continue;
            }
        };
        match ser::dynamic(&there) {
            Ok(back) => compare(&sample, &back, "", &mut found),
            Err(error) => found.push(format!("the model cannot be written: {error}")),
        }
    }
    found.dedup();
    found
}

fn compare(schema: &Dynamic, model: &Dynamic, path: &str, found: &mut Vec<String>) {
    match (schema, model) {
        (Dynamic::Object(schema), Dynamic::Object(model) | Dynamic::Map(model)) => {
            for (name, inner) in schema {
                let path = format!("{path}{name}");
                match model.get(name) {
                    Some(back) => compare(inner, back, &format!("{path}."), found),
                    None => found.push(format!("the model has no field `{path}`")),
                }
            }
            for name in model.keys().filter(|name| !schema.contains_key(*name)) {
                // Time limits have one model for all, whichever operations a schema names.
                if path != "timeouts." {
                    found.push(format!("the schema has no attribute `{path}{name}`"));
                }
            }
        }
        _ => {
            if let (Some(schema), Some(model)) = (schema.items(), model.items()) {
                for (schema, model) in schema.iter().zip(model) {
                    compare(schema, model, path, found);
                }
            } else if let (Dynamic::Map(schema), Some(model)) = (schema, model.entries()) {
                for (key, schema) in schema {
                    if let Some(model) = model.get(key) {
                        compare(schema, model, path, found);
                    }
                }
            }
        }
    }
}

/// An object with unknown leaves and one element in every collection of objects.
fn sample(fields: &Fields) -> Dynamic {
    let attrs = fields
        .attrs
        .iter()
        .map(|(name, attr)| (name.clone(), attribute(attr)));
    let blocks = fields
        .blocks
        .iter()
        .map(|(name, block)| (name.clone(), self::block(block)));
    Dynamic::Object(attrs.chain(blocks).collect())
}

fn attribute(attr: &Attr) -> Dynamic {
    match &attr.kind {
        Kind::Plain(_) => Dynamic::Unknown,
        Kind::Nested(Nesting::Single, fields) => sample(fields),
        Kind::Nested(Nesting::List, fields) => Dynamic::List(vec![sample(fields)]),
        Kind::Nested(Nesting::Set, fields) => Dynamic::Set(vec![sample(fields)]),
        Kind::Nested(Nesting::Map, fields) => {
            Dynamic::Map([("key".to_owned(), sample(fields))].into())
        }
    }
}

fn block(block: &SchemaBlock) -> Dynamic {
    let inner = sample(&block.fields);
    match block.nesting {
        BlockNesting::Single | BlockNesting::Group => inner,
        BlockNesting::List => Dynamic::List(vec![inner]),
        BlockNesting::Set => Dynamic::Set(vec![inner]),
        BlockNesting::Map => Dynamic::Map([("key".to_owned(), inner)].into()),
    }
}
