//! Values as JSON: the second form of a value on the wire, and the form of stored states.

use super::{
    Dynamic, Misfit, Number, Type, conform, draft,
    schema::{Attr, Fields, Kind, Nesting},
    types::MAX_DEPTH,
};
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// How exactly the JSON must fit the type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fit {
    /// Every attribute is there, and no other.
    Exact,
    /// A state that another version of the provider stored: attributes of its own are dropped, missing ones null.
    Stored,
}

/// Reads a value of a type.
///
/// # Errors
/// The place that cannot be read, and what was expected there.
pub fn decode(json: &Json, ty: &Type, fit: Fit) -> Result<Dynamic, Misfit> {
    read(json, ty, fit, 0)
}

fn read(json: &Json, ty: &Type, fit: Fit, depth: usize) -> Result<Dynamic, Misfit> {
    if depth > MAX_DEPTH {
        return Err(Misfit::new("nested too deeply"));
    }
    let inner = |json: &Json, ty: &Type| read(json, ty, fit, depth + 1);
    match (ty, json) {
        (_, Json::Null) => Ok(Dynamic::Null),
        (Type::Dynamic, Json::Object(parts)) => {
            let (Some(ty), Some(value), 2) = (parts.get("type"), parts.get("value"), parts.len())
            else {
                return Err(Misfit::new("expected a type and its value"));
            };
            let ty = Type::from_json(ty).map_err(Misfit::new)?;
            let value = inner(value, &ty)?;
            Ok(match (ty, value) {
                (Type::Dynamic, value) => value,
                (ty, value) => Dynamic::Typed(Box::new((ty, value))),
            })
        }
        (Type::Bool, Json::Bool(value)) => Ok(Dynamic::Bool(*value)),
        (Type::Number, Json::Number(number)) => number_of(&number.to_string()),
        (Type::Number, Json::String(text)) => number_of(text),
        (Type::String, Json::String(text)) => Ok(Dynamic::String(text.clone())),
        (Type::List(element), Json::Array(items)) => {
            Ok(Dynamic::List(elements(items, |item, _| {
                inner(item, element)
            })?))
        }
        (Type::Set(element), Json::Array(items)) => {
            let items = elements(items, |item, _| inner(item, element))?;
            Ok(Dynamic::Set(conform::without_twins(items)))
        }
        (Type::Tuple(types), Json::Array(items)) if items.len() == types.len() => {
            Ok(Dynamic::Tuple(elements(items, |item, index| {
                inner(item, &types[index])
            })?))
        }
        (Type::Map(element), Json::Object(items)) => {
            let items = items.iter().map(|(key, item)| {
                let item = inner(item, element).map_err(|error| error.in_key(key))?;
                Ok((key.clone(), item))
            });
            items.collect::<Result<_, _>>().map(Dynamic::Map)
        }
        (Type::Object(attrs), Json::Object(items)) => {
            if fit == Fit::Exact
                && let Some(name) = items.keys().find(|name| !attrs.contains_key(*name))
            {
                return Err(Misfit::new("the schema has no such attribute").in_attr(name));
            }
            let mut object = BTreeMap::new();
            for (name, ty) in attrs {
                let item = match items.get(name) {
                    Some(item) => inner(item, ty).map_err(|error| error.in_attr(name))?,
                    None if fit == Fit::Stored => Dynamic::Null,
                    None => return Err(Misfit::new("the attribute is missing").in_attr(name)),
                };
                object.insert(name.clone(), item);
            }
            Ok(Dynamic::Object(object))
        }
        (ty, json) => Err(Misfit::expected(format!("a {ty}"), kind(json))),
    }
}

fn elements(
    items: &[Json],
    inner: impl Fn(&Json, usize) -> Result<Dynamic, Misfit>,
) -> Result<Vec<Dynamic>, Misfit> {
    let items = items.iter().enumerate();
    items
        .map(|(index, item)| inner(item, index).map_err(|error| error.in_item(index)))
        .collect()
}

fn number_of(text: &str) -> Result<Dynamic, Misfit> {
    text.parse::<Number>()
        .map(Dynamic::Number)
        .map_err(Misfit::new)
}

fn kind(json: &Json) -> &'static str {
    match json {
        Json::Null => "null",
        Json::Bool(_) => "a bool",
        Json::Number(_) => "a number",
        Json::String(_) => "a string",
        Json::Array(_) => "a list",
        Json::Object(_) => "an object",
    }
}

/// Reads a stored object. Attributes that the version which stored it did not have get their defaults, so that the
/// next plan does not see a change where there is none.
///
/// # Errors
/// The place that cannot be read, and what was expected there.
pub fn stored(json: &Json, fields: &Fields) -> Result<Dynamic, Misfit> {
    let value = decode(json, &fields.object_type(), Fit::Stored)?;
    let value = conform::object(value, fields, conform::WriteOnly::Drop)?;
    Ok(with_defaults(value, Some(json), fields))
}

fn with_defaults(value: Dynamic, json: Option<&Json>, fields: &Fields) -> Dynamic {
    let Dynamic::Object(mut items) = value else {
        return value;
    };
    for (name, attr) in &fields.attrs {
        let stored = json.and_then(|json| json.get(name));
        if let Some(item) = items.get_mut(name) {
            let value = std::mem::take(item);
            *item = match stored {
                None => missing(attr),
                Some(json) => nested_defaults(value, json, attr),
            };
        }
    }
    Dynamic::Object(items)
}

/// What stands for an attribute that was not stored: its default, if it has one.
fn missing(attr: &Attr) -> Dynamic {
    if attr.default.is_some() {
        return conform::default_of(attr).unwrap_or_default();
    }
    match draft::default_object(attr) {
        Some(fields) => with_defaults(fields.blank(), None, fields),
        None => Dynamic::Null,
    }
}

fn nested_defaults(value: Dynamic, json: &Json, attr: &Attr) -> Dynamic {
    let Kind::Nested(nesting, fields) = &attr.kind else {
        return value;
    };
    match (nesting, value) {
        (Nesting::Single, value) => with_defaults(value, Some(json), fields),
        (Nesting::List, Dynamic::List(items)) => {
            let items = items.into_iter().enumerate();
            let filled = items.map(|(index, item)| with_defaults(item, json.get(index), fields));
            Dynamic::List(filled.collect())
        }
        (Nesting::Map, Dynamic::Map(items)) => {
            let filled = items.into_iter().map(|(key, item)| {
                let item = with_defaults(item, json.get(&key), fields);
                (key, item)
            });
            Dynamic::Map(filled.collect())
        }
        // Elements of a set cannot be found again in the JSON once twins are gone.
        (_, value) => value,
    }
}
