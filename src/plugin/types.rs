//! The types that values have on the wire. Knows nothing of attributes or defaults.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Value as Json, json};
use std::{collections::BTreeMap, fmt};

/// Deepest nesting that is read: enough for every schema, and too little to exhaust a stack.
pub(super) const MAX_DEPTH: usize = 100;

#[derive(Clone, PartialEq, Eq, Hash)]
pub enum Type {
    Bool,
    Number,
    String,
    /// Any type; the value brings its own.
    Dynamic,
    List(Box<Type>),
    Set(Box<Type>),
    Map(Box<Type>),
    Object(BTreeMap<String, Type>),
    Tuple(Vec<Type>),
}

impl Type {
    pub fn list(element: Type) -> Type {
        Type::List(Box::new(element))
    }

    pub fn set(element: Type) -> Type {
        Type::Set(Box::new(element))
    }

    pub fn map(element: Type) -> Type {
        Type::Map(Box::new(element))
    }

    pub fn object<N: Into<String>>(attrs: impl IntoIterator<Item = (N, Type)>) -> Type {
        Type::Object(
            attrs
                .into_iter()
                .map(|(name, ty)| (name.into(), ty))
                .collect(),
        )
    }

    /// Whether a part of it is of dynamic type.
    pub fn has_dynamic(&self) -> bool {
        match self {
            Type::Dynamic => true,
            Type::Bool | Type::Number | Type::String => false,
            Type::List(element) | Type::Set(element) | Type::Map(element) => element.has_dynamic(),
            Type::Object(attrs) => attrs.values().any(Type::has_dynamic),
            Type::Tuple(elements) => elements.iter().any(Type::has_dynamic),
        }
    }

    pub fn to_json(&self) -> Json {
        match self {
            Type::Bool => json!("bool"),
            Type::Number => json!("number"),
            Type::String => json!("string"),
            Type::Dynamic => json!("dynamic"),
            Type::List(element) => json!(["list", element.to_json()]),
            Type::Set(element) => json!(["set", element.to_json()]),
            Type::Map(element) => json!(["map", element.to_json()]),
            Type::Object(attrs) => {
                let attrs: serde_json::Map<_, _> = attrs
                    .iter()
                    .map(|(name, ty)| (name.clone(), ty.to_json()))
                    .collect();
                json!(["object", attrs])
            }
            Type::Tuple(elements) => {
                json!([
                    "tuple",
                    elements.iter().map(Type::to_json).collect::<Vec<_>>()
                ])
            }
        }
    }

    /// The type as the protocol carries it.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.to_json().to_string().into_bytes()
    }

    /// # Errors
    /// Says what cannot be a type.
    pub fn from_bytes(bytes: &[u8]) -> Result<Type, String> {
        let json: Json =
            serde_json::from_slice(bytes).map_err(|error| format!("no type: {error}"))?;
        Type::from_json(&json)
    }

    /// # Errors
    /// Says what cannot be a type.
    pub fn from_json(json: &Json) -> Result<Type, String> {
        Type::read(json, 0)
    }

    fn read(json: &Json, depth: usize) -> Result<Type, String> {
        if depth > MAX_DEPTH {
            return Err("a type nested too deeply".into());
        }
        let inner = |json: &Json| Type::read(json, depth + 1);
        match json {
            Json::String(name) => match name.as_str() {
                "bool" => Ok(Type::Bool),
                "number" => Ok(Type::Number),
                "string" => Ok(Type::String),
                "dynamic" => Ok(Type::Dynamic),
                _ => Err("a type of an unknown name".into()),
            },
            Json::Array(parts) => match (parts.first().and_then(Json::as_str), parts.get(1)) {
                (Some("list"), Some(element)) => Ok(Type::list(inner(element)?)),
                (Some("set"), Some(element)) => Ok(Type::set(inner(element)?)),
                (Some("map"), Some(element)) => Ok(Type::map(inner(element)?)),
                // A third part names optional attributes; a value always has them all.
                (Some("object"), Some(Json::Object(attrs))) => Ok(Type::Object(
                    attrs
                        .iter()
                        .map(|(name, ty)| Ok((name.clone(), inner(ty)?)))
                        .collect::<Result<_, String>>()?,
                )),
                (Some("tuple"), Some(Json::Array(elements))) => Ok(Type::Tuple(
                    elements.iter().map(inner).collect::<Result<_, String>>()?,
                )),
                _ => Err("a type of an unknown form".into()),
            },
            _ => Err("a type is a name or a list".into()),
        }
    }
}

/// As a text of its JSON.
impl Serialize for Type {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_json().to_string())
    }
}

impl<'de> Deserialize<'de> for Type {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Type, D::Error> {
        let text = String::deserialize(deserializer)?;
        Type::from_bytes(text.as_bytes()).map_err(serde::de::Error::custom)
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Type::Bool => f.write_str("bool"),
            Type::Number => f.write_str("number"),
            Type::String => f.write_str("string"),
            Type::Dynamic => f.write_str("any type"),
            Type::List(element) => write!(f, "list of {element}"),
            Type::Set(element) => write!(f, "set of {element}"),
            Type::Map(element) => write!(f, "map of {element}"),
            Type::Object(_) => f.write_str("object"),
            Type::Tuple(elements) => write!(f, "tuple of {}", elements.len()),
        }
    }
}

impl fmt::Debug for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.to_json())
    }
}
