//! From what may be unknown to what is known, and back: the one place where `Value` ends.

use crate::plugin::{Diag, Value};
use std::{collections::BTreeMap, fmt::Display, str::FromStr};

/// Why a model cannot become a domain type.
#[derive(Debug)]
pub enum Unfit {
    /// Something it needs is unknown until apply: nothing to say about it yet.
    Unknown,
    Bad(Diag),
}

impl From<Diag> for Unfit {
    fn from(diag: Diag) -> Self {
        Self::Bad(diag)
    }
}

pub type Fit<T> = Result<T, Unfit>;

pub type Strings = Value<Vec<Value<String>>>;
pub type StringMap = Value<BTreeMap<String, Value<String>>>;

/// What a domain type asks of a `Value`.
pub trait Asked<T> {
    /// What the user gave; unknown is not an answer.
    fn given(&self) -> Fit<Option<T>>;
    /// What the user gave or what was chosen before; unknown means: to be chosen.
    fn chosen(&self) -> Option<T>;
    /// Something that has a default or is required.
    fn must(&self, name: &str) -> Fit<T>;
}

impl<T: Clone> Asked<T> for Value<T> {
    fn given(&self) -> Fit<Option<T>> {
        match self {
            Value::Null => Ok(None),
            Value::Unknown => Err(Unfit::Unknown),
            Value::Known(it) => Ok(Some(it.clone())),
        }
    }
    fn chosen(&self) -> Option<T> {
        match self {
            Value::Known(it) => Some(it.clone()),
            _ => None,
        }
    }
    fn must(&self, name: &str) -> Fit<T> {
        self.given()?.ok_or_else(|| {
            Unfit::Bad(
                Diag::error(format!("`{name}` is missing"))
                    .detail(format!("`{name}` has no value."))
                    .at(name),
            )
        })
    }
}

/// Every element; an unknown one is not an answer. Null is empty.
pub fn strings(list: &Strings) -> Fit<Vec<String>> {
    list.given()?
        .unwrap_or_default()
        .iter()
        .filter_map(|it| it.given().transpose())
        .collect()
}

pub fn string_map(map: &StringMap) -> Fit<BTreeMap<String, String>> {
    let mut known = BTreeMap::new();
    for (key, value) in map.given()?.unwrap_or_default() {
        if let Some(value) = value.given()? {
            known.insert(key, value);
        }
    }
    Ok(known)
}

/// Reads a text as what it stands for; a refusal names the attribute.
pub fn parsed<T>(text: &str, name: &str) -> Fit<T>
where
    T: FromStr,
    T::Err: Display,
{
    text.parse().map_err(|why| refused(name, why))
}

pub fn refused(name: &str, why: impl Display) -> Unfit {
    Unfit::Bad(
        Diag::error(format!("`{name}` is not valid"))
            .detail(format!("`{name}`: {why}."))
            .at(name),
    )
}

/// A number that the schema has already bounded.
pub fn whole(number: i64, name: &str) -> Fit<u32> {
    u32::try_from(number).map_err(|_| {
        refused(
            name,
            format!("{number} is not a number from 0 to {}", u32::MAX),
        )
    })
}

/// An empty list stays null, as users write it.
pub fn from_strings(list: &[impl ToString]) -> Strings {
    if list.is_empty() {
        Value::Null
    } else {
        Value::Known(list.iter().map(|it| Value::Known(it.to_string())).collect())
    }
}

pub fn from_map(map: &BTreeMap<String, String>) -> StringMap {
    if map.is_empty() {
        Value::Null
    } else {
        Value::Known(
            map.iter()
                .map(|(key, value)| (key.clone(), Value::Known(value.clone())))
                .collect(),
        )
    }
}

/// An object is null when there is nothing in it.
pub fn unless_default<D: Default + PartialEq, M>(
    domain: &D,
    model: impl FnOnce(&D) -> M,
) -> Value<M> {
    if *domain == D::default() {
        Value::Null
    } else {
        Value::Known(model(domain))
    }
}
