//! `Value`: one attribute of a typed model, which may be null or not known yet. Knows nothing of schemas.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::{fmt, marker::PhantomData};

/// The name under which a [`Value`] asks a deserializer for itself; only the runtime's own one answers specially.
pub(super) const VALUE_TOKEN: &str = "$plugin::Value";
/// The name under which an unknown value is written; only the runtime's own serializer reads it as unknown.
pub(super) const UNKNOWN_TOKEN: &str = "$plugin::Unknown";

/// What stands in an attribute: nothing, something that will only be known after apply, or a value.
///
/// `T` is a plain type (`String`, `bool`, `i64`, `u32`, `f64`, [`Number`](super::Number)), a collection
/// (`Vec<T>`, `BTreeMap<String, T>`), a struct of `Value`s, an enum of unit variants, or [`Dynamic`](super::Dynamic).
/// Its `Debug` tells only which of the three it is, never the value, so that a model can be logged without thought.
#[derive(Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum Value<T> {
    #[default]
    Null,
    Unknown,
    Known(T),
}

impl<T> Value<T> {
    /// The value, if there is one and it is known.
    pub fn known(&self) -> Option<&T> {
        match self {
            Value::Known(value) => Some(value),
            _ => None,
        }
    }

    pub fn known_mut(&mut self) -> Option<&mut T> {
        match self {
            Value::Known(value) => Some(value),
            _ => None,
        }
    }

    pub fn into_known(self) -> Option<T> {
        match self {
            Value::Known(value) => Some(value),
            _ => None,
        }
    }

    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }

    pub fn is_unknown(&self) -> bool {
        matches!(self, Value::Unknown)
    }

    pub fn is_known(&self) -> bool {
        matches!(self, Value::Known(_))
    }

    pub fn as_ref(&self) -> Value<&T> {
        match self {
            Value::Null => Value::Null,
            Value::Unknown => Value::Unknown,
            Value::Known(value) => Value::Known(value),
        }
    }

    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Value<U> {
        match self {
            Value::Null => Value::Null,
            Value::Unknown => Value::Unknown,
            Value::Known(value) => Value::Known(f(value)),
        }
    }

    /// The value, or `other` where it is null or unknown.
    pub fn known_or(self, other: T) -> T {
        self.into_known().unwrap_or(other)
    }

    pub fn known_or_default(self) -> T
    where
        T: Default,
    {
        self.into_known().unwrap_or_default()
    }

    /// Takes the value out and leaves null behind.
    pub fn take(&mut self) -> Value<T> {
        std::mem::take(self)
    }
}

impl<T: std::ops::Deref> Value<T> {
    /// The value as what it derefs to: `&str` of a text, a slice of a list.
    pub fn known_deref(&self) -> Option<&T::Target> {
        self.known().map(|value| &**value)
    }
}

impl<T> From<T> for Value<T> {
    fn from(value: T) -> Self {
        Value::Known(value)
    }
}

impl<T> From<Option<T>> for Value<T> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Value::Null, Value::Known)
    }
}

impl From<&str> for Value<String> {
    fn from(value: &str) -> Self {
        Value::Known(value.to_owned())
    }
}

impl<T> fmt::Debug for Value<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Value::Null => "null",
            Value::Unknown => "unknown",
            Value::Known(_) => "known",
        })
    }
}

impl<T: Serialize> Serialize for Value<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Value::Null => serializer.serialize_none(),
            Value::Unknown => serializer.serialize_unit_struct(UNKNOWN_TOKEN),
            Value::Known(value) => serializer.serialize_some(value),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Value<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(VALUE_TOKEN, ValueVisitor(PhantomData))
    }
}

/// The runtime's deserializer answers `none` for null, `unit` for unknown and a newtype for a known value; others
/// (JSON) always answer a newtype, whose content may be null.
struct ValueVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> de::Visitor<'de> for ValueVisitor<T> {
    type Value = Value<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value, null or unknown")
    }

    fn visit_none<E>(self) -> Result<Value<T>, E> {
        Ok(Value::Null)
    }

    fn visit_unit<E>(self) -> Result<Value<T>, E> {
        Ok(Value::Unknown)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(
        self,
        deserializer: D,
    ) -> Result<Value<T>, D::Error> {
        Option::<T>::deserialize(deserializer).map(Value::from)
    }
}
