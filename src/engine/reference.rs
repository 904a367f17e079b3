//! References from one step of a graph to another: typed in Rust, plain JSON in a journal. The reference is the edge.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize, de::Error as _};
use serde_json::Value;
use std::{fmt, marker::PhantomData, sync::Arc};

/// The step needs the other one ready. In a step's JSON: `{"$ref": "network"}`.
pub struct Ref<T> {
    step: Arc<str>,
    of: PhantomData<fn() -> T>,
}

/// The step needs the other one made (its id known), not ready. In a step's JSON: `{"$made": "network"}`.
pub struct Made<T> {
    step: Arc<str>,
    of: PhantomData<fn() -> T>,
}

const REF: &str = "$ref";
const MADE: &str = "$made";

impl<T> Ref<T> {
    pub(super) fn to(step: &str) -> Self {
        Self {
            step: step.into(),
            of: PhantomData,
        }
    }
    pub fn step(&self) -> &str {
        &self.step
    }
    /// A weaker edge: enough that the object exists.
    pub fn made(&self) -> Made<T> {
        Made {
            step: self.step.clone(),
            of: PhantomData,
        }
    }
}
impl<T> Made<T> {
    pub fn step(&self) -> &str {
        &self.step
    }
}

macro_rules! reference {
    ($name:ident, $key:expr) => {
        impl<T> Clone for $name<T> {
            fn clone(&self) -> Self {
                Self {
                    step: self.step.clone(),
                    of: PhantomData,
                }
            }
        }
        impl<T> PartialEq for $name<T> {
            fn eq(&self, other: &Self) -> bool {
                self.step == other.step
            }
        }
        impl<T> fmt::Debug for $name<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.step)
            }
        }
        impl<T> Serialize for $name<T> {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_map([($key, &*self.step)])
            }
        }
        impl<'de, T> Deserialize<'de> for $name<T> {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let mut map = IndexMap::<String, String>::deserialize(deserializer)?;
                match map.swap_remove($key) {
                    Some(step) if map.is_empty() => Ok(Self {
                        step: step.into(),
                        of: PhantomData,
                    }),
                    _ => Err(D::Error::custom(concat!(
                        "a reference is an object with `",
                        $key,
                        "` alone"
                    ))),
                }
            }
        }
    };
}
reference!(Ref, "$ref");
reference!(Made, "$made");

/// One edge of the graph.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Need {
    pub step: String,
    /// Ready is needed, not only made.
    pub ready: bool,
}

/// The references inside a step's JSON.
pub(super) fn needs_of(spec: &Value) -> Vec<Need> {
    let mut needs: IndexMap<String, bool> = IndexMap::new();
    walk(spec, &mut needs);
    let need = |(step, ready)| Need { step, ready };
    needs.into_iter().map(need).collect()
}

fn walk(value: &Value, needs: &mut IndexMap<String, bool>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| walk(item, needs)),
        Value::Object(map) => {
            if let (1, Some((key, Value::String(step)))) = (map.len(), map.iter().next())
                && (key == REF || key == MADE)
            {
                *needs.entry(step.clone()).or_default() |= key == REF;
                return;
            }
            map.values().for_each(|item| walk(item, needs));
        }
        _ => {}
    }
}
