//! Self-describing values: what every value is between the wire and a typed model. Knows nothing of attributes.

use super::{Number, Path, Type, path::Step};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use std::{collections::BTreeMap, fmt};

/// A value of any type.
///
/// Its `Debug` tells the form but no content, for it may be a secret; [`Dynamic::to_json`] shows the content where
/// that is meant. Sets are equal whatever the order of their elements.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(rename = "$plugin::Dynamic")]
pub enum Dynamic {
    #[default]
    Null,
    Unknown,
    Bool(bool),
    Number(Number),
    String(String),
    List(Vec<Dynamic>),
    Set(Vec<Dynamic>),
    Tuple(Vec<Dynamic>),
    Map(BTreeMap<String, Dynamic>),
    Object(BTreeMap<String, Dynamic>),
    /// What stands where the schema says "any type", with the type as it was sent. A null or unknown value there may
    /// have a type as well; without one it is plainly [`Dynamic::Null`] or [`Dynamic::Unknown`].
    Typed(Box<(Type, Dynamic)>),
}

impl Dynamic {
    pub fn object<N: Into<String>, V: Into<Dynamic>>(
        attrs: impl IntoIterator<Item = (N, V)>,
    ) -> Dynamic {
        Dynamic::Object(
            attrs
                .into_iter()
                .map(|(name, value)| (name.into(), value.into()))
                .collect(),
        )
    }

    /// The value without the type that it brought along.
    pub fn inner(&self) -> &Dynamic {
        match self {
            Dynamic::Typed(typed) => &typed.1,
            other => other,
        }
    }

    pub fn is_null(&self) -> bool {
        matches!(self.inner(), Dynamic::Null)
    }

    pub fn is_unknown(&self) -> bool {
        matches!(self.inner(), Dynamic::Unknown)
    }

    /// Neither null nor unknown, though a part of it may be either.
    pub fn is_known(&self) -> bool {
        !self.is_null() && !self.is_unknown()
    }

    /// No part of it is unknown.
    pub fn is_wholly_known(&self) -> bool {
        match self {
            Dynamic::Unknown => false,
            Dynamic::List(items) | Dynamic::Set(items) | Dynamic::Tuple(items) => {
                items.iter().all(Dynamic::is_wholly_known)
            }
            Dynamic::Map(items) | Dynamic::Object(items) => {
                items.values().all(Dynamic::is_wholly_known)
            }
            Dynamic::Typed(typed) => typed.1.is_wholly_known(),
            _ => true,
        }
    }

    pub fn as_str(&self) -> Option<&str> {
        match self.inner() {
            Dynamic::String(text) => Some(text),
            _ => None,
        }
    }

    pub fn as_bool(&self) -> Option<bool> {
        match self.inner() {
            Dynamic::Bool(value) => Some(*value),
            _ => None,
        }
    }

    pub fn as_number(&self) -> Option<&Number> {
        match self.inner() {
            Dynamic::Number(number) => Some(number),
            _ => None,
        }
    }

    pub fn as_i64(&self) -> Option<i64> {
        self.as_number().and_then(Number::as_i64)
    }

    /// The elements of a list, set or tuple.
    pub fn items(&self) -> Option<&[Dynamic]> {
        match self.inner() {
            Dynamic::List(items) | Dynamic::Set(items) | Dynamic::Tuple(items) => Some(items),
            _ => None,
        }
    }

    /// The elements of a map or the attributes of an object.
    pub fn entries(&self) -> Option<&BTreeMap<String, Dynamic>> {
        match self.inner() {
            Dynamic::Map(items) | Dynamic::Object(items) => Some(items),
            _ => None,
        }
    }

    /// An attribute or element by name; null where there is none, unknown where the whole is unknown.
    pub fn get(&self, name: &str) -> &Dynamic {
        match self.inner() {
            Dynamic::Unknown => &Dynamic::Unknown,
            inner => inner
                .entries()
                .and_then(|entries| entries.get(name))
                .unwrap_or(&Dynamic::Null),
        }
    }

    /// What stands at a path; `None` where the path leads nowhere (through a null, past the end, into a set).
    pub fn at(&self, path: &Path) -> Option<&Dynamic> {
        let mut here = self;
        for step in path.steps() {
            here = match (step, here.inner()) {
                (
                    Step::Attr(name) | Step::Key(name),
                    Dynamic::Object(items) | Dynamic::Map(items),
                ) => items.get(name)?,
                (Step::Index(index), Dynamic::List(items) | Dynamic::Tuple(items)) => {
                    items.get(usize::try_from(*index).ok()?)?
                }
                _ => return None,
            };
        }
        Some(here)
    }

    /// The content as JSON, for people and tests: unknown is `"(unknown)"`, sets are lists.
    pub fn to_json(&self) -> Json {
        match self {
            Dynamic::Null => Json::Null,
            Dynamic::Unknown => Json::String("(unknown)".into()),
            Dynamic::Bool(value) => Json::Bool(*value),
            Dynamic::Number(number) => number
                .to_string()
                .parse()
                .map(Json::Number)
                .unwrap_or(Json::Null),
            Dynamic::String(text) => Json::String(text.clone()),
            Dynamic::List(items) | Dynamic::Set(items) | Dynamic::Tuple(items) => {
                Json::Array(items.iter().map(Dynamic::to_json).collect())
            }
            Dynamic::Map(items) | Dynamic::Object(items) => Json::Object(
                items
                    .iter()
                    .map(|(name, value)| (name.clone(), value.to_json()))
                    .collect(),
            ),
            Dynamic::Typed(typed) => typed.1.to_json(),
        }
    }

    /// The type that a value of unknown origin has, as Terraform would infer it from an expression.
    pub fn infer(&self) -> Type {
        let element = |mut items: Box<dyn Iterator<Item = &Dynamic> + '_>| {
            items
                .find(|item| item.is_known())
                .map_or(Type::Dynamic, Dynamic::infer)
        };
        match self {
            Dynamic::Null | Dynamic::Unknown => Type::Dynamic,
            Dynamic::Bool(_) => Type::Bool,
            Dynamic::Number(_) => Type::Number,
            Dynamic::String(_) => Type::String,
            Dynamic::List(items) => Type::list(element(Box::new(items.iter()))),
            Dynamic::Set(items) => Type::set(element(Box::new(items.iter()))),
            Dynamic::Map(items) => Type::map(element(Box::new(items.values()))),
            Dynamic::Tuple(items) => Type::Tuple(items.iter().map(Dynamic::infer).collect()),
            Dynamic::Object(items) => {
                Type::object(items.iter().map(|(name, item)| (name, item.infer())))
            }
            Dynamic::Typed(typed) => typed.0.clone(),
        }
    }
}

impl PartialEq for Dynamic {
    fn eq(&self, other: &Dynamic) -> bool {
        match (self, other) {
            (Dynamic::Null, Dynamic::Null) | (Dynamic::Unknown, Dynamic::Unknown) => true,
            (Dynamic::Bool(a), Dynamic::Bool(b)) => a == b,
            (Dynamic::Number(a), Dynamic::Number(b)) => a == b,
            (Dynamic::String(a), Dynamic::String(b)) => a == b,
            (Dynamic::List(a), Dynamic::List(b)) | (Dynamic::Tuple(a), Dynamic::Tuple(b)) => a == b,
            (Dynamic::Map(a), Dynamic::Map(b)) | (Dynamic::Object(a), Dynamic::Object(b)) => a == b,
            (Dynamic::Typed(a), Dynamic::Typed(b)) => a == b,
            (Dynamic::Set(a), Dynamic::Set(b)) => same_elements(a, b),
            _ => false,
        }
    }
}

impl Eq for Dynamic {}

/// Whether both hold the same elements, as often. Mostly they stand in the same order, and nothing is to be sought.
fn same_elements(a: &[Dynamic], b: &[Dynamic]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    if a.iter().zip(b).all(|(a, b)| a == b) {
        return true;
    }
    let mut left: Vec<&Dynamic> = b.iter().collect();
    a.iter().all(|item| {
        left.iter()
            .position(|other| *other == item)
            .map(|at| left.swap_remove(at))
            .is_some()
    })
}

impl fmt::Debug for Dynamic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Dynamic::Null => f.write_str("null"),
            Dynamic::Unknown => f.write_str("unknown"),
            Dynamic::Bool(_) => f.write_str("bool"),
            Dynamic::Number(_) => f.write_str("number"),
            Dynamic::String(_) => f.write_str("string"),
            Dynamic::List(items) => f.debug_list().entries(items).finish(),
            Dynamic::Set(items) => f.debug_set().entries(items).finish(),
            Dynamic::Tuple(items) => f.debug_list().entries(items).finish(),
            // The keys of a map are a user's own, those of an object are ours.
            Dynamic::Map(items) => write!(f, "map of {}", items.len()),
            Dynamic::Object(items) => f.debug_map().entries(items).finish(),
            Dynamic::Typed(typed) => typed.1.fmt(f),
        }
    }
}

macro_rules! from {
    ($($from:ty => $value:ident $make:expr;)*) => {$(
        impl From<$from> for Dynamic {
            fn from($value: $from) -> Dynamic {
                $make
            }
        }
    )*};
}

from! {
    bool => value Dynamic::Bool(value);
    i32 => value Dynamic::Number(value.into());
    u32 => value Dynamic::Number(value.into());
    i64 => value Dynamic::Number(value.into());
    u64 => value Dynamic::Number(value.into());
    Number => value Dynamic::Number(value);
    f64 => value Number::shortest(value).map_or(Dynamic::Null, Dynamic::Number);
    &str => value Dynamic::String(value.to_owned());
    String => value Dynamic::String(value);
}

impl<T: Into<Dynamic>> From<Vec<T>> for Dynamic {
    fn from(items: Vec<T>) -> Dynamic {
        Dynamic::List(items.into_iter().map(Into::into).collect())
    }
}

impl<T: Into<Dynamic>, const N: usize> From<[T; N]> for Dynamic {
    fn from(items: [T; N]) -> Dynamic {
        Dynamic::List(items.into_iter().map(Into::into).collect())
    }
}

impl<T: Into<Dynamic>> From<BTreeMap<String, T>> for Dynamic {
    fn from(items: BTreeMap<String, T>) -> Dynamic {
        Dynamic::Map(
            items
                .into_iter()
                .map(|(name, item)| (name, item.into()))
                .collect(),
        )
    }
}

impl<T: Into<Dynamic>> From<Option<T>> for Dynamic {
    fn from(value: Option<T>) -> Dynamic {
        value.map_or(Dynamic::Null, Into::into)
    }
}
