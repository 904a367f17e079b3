//! Brings values into the form that a schema demands, and keeps what can be kept of values that do not fit it.

use super::{
    Dynamic, Misfit, Type, de, msgpack,
    schema::{Attr, BlockNesting, Fields, Kind, Nesting, SchemaBlock},
};
use std::collections::{BTreeMap, HashSet};

/// Whether write-only values stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteOnly {
    Keep,
    /// Null, as everything that Terraform stores must have them.
    Drop,
}

/// The value as one of this type: lists become sets where the type says so, missing attributes null.
///
/// # Errors
/// The place that does not fit.
pub fn value(value: Dynamic, ty: &Type) -> Result<Dynamic, Misfit> {
    match (ty, value) {
        (Type::Dynamic, Dynamic::Typed(typed)) => {
            let (ty, value) = *typed;
            let value = self::value(value, &ty)?;
            Ok(Dynamic::Typed(Box::new((ty, value))))
        }
        (ty, Dynamic::Typed(typed)) => value_of(ty, typed.1),
        (ty, other) => value_of(ty, other),
    }
}

fn value_of(ty: &Type, value: Dynamic) -> Result<Dynamic, Misfit> {
    match (ty, value) {
        (_, Dynamic::Null) => Ok(Dynamic::Null),
        (_, Dynamic::Unknown) => Ok(Dynamic::Unknown),
        (Type::Dynamic, value) => {
            let ty = value.infer();
            let value = self::value(value, &ty)?;
            Ok(Dynamic::Typed(Box::new((ty, value))))
        }
        (Type::Bool, value @ Dynamic::Bool(_))
        | (Type::Number, value @ Dynamic::Number(_))
        | (Type::String, value @ Dynamic::String(_)) => Ok(value),
        (
            Type::List(element),
            Dynamic::List(items) | Dynamic::Set(items) | Dynamic::Tuple(items),
        ) => Ok(Dynamic::List(elements(items, |_| element)?)),
        (
            Type::Set(element),
            Dynamic::Set(items) | Dynamic::List(items) | Dynamic::Tuple(items),
        ) => Ok(Dynamic::Set(without_twins(elements(items, |_| element)?))),
        (Type::Map(element), Dynamic::Map(items) | Dynamic::Object(items)) => {
            let items = items.into_iter().map(|(key, item)| {
                let item = self::value(item, element).map_err(|error| error.in_key(&key))?;
                Ok((key, item))
            });
            items.collect::<Result<_, _>>().map(Dynamic::Map)
        }
        (Type::Object(attrs), Dynamic::Object(mut items) | Dynamic::Map(mut items)) => {
            let mut object = BTreeMap::new();
            for (name, ty) in attrs {
                let item = items.remove(name).unwrap_or_default();
                let item = self::value(item, ty).map_err(|error| error.in_attr(name))?;
                object.insert(name.clone(), item);
            }
            no_more(&items)?;
            Ok(Dynamic::Object(object))
        }
        (
            Type::Tuple(types),
            Dynamic::Tuple(items) | Dynamic::List(items) | Dynamic::Set(items),
        ) if items.len() == types.len() => {
            Ok(Dynamic::Tuple(elements(items, |index| &types[index])?))
        }
        (ty, other) => Err(Misfit::expected(format!("a {ty}"), de::kind(&other))),
    }
}

fn elements<'t>(
    items: Vec<Dynamic>,
    ty: impl Fn(usize) -> &'t Type,
) -> Result<Vec<Dynamic>, Misfit> {
    let items = items.into_iter().enumerate();
    items
        .map(|(index, item)| value(item, ty(index)).map_err(|error| error.in_item(index)))
        .collect()
}

/// What is left over of an object must be nothing.
fn no_more(items: &BTreeMap<String, Dynamic>) -> Result<(), Misfit> {
    match items.iter().find(|(_, item)| !item.is_null()) {
        Some((name, _)) => Err(Misfit::new("the schema has no such attribute").in_attr(name)),
        None => Ok(()),
    }
}

/// A set holds each element once; two that are not wholly known may yet differ.
pub fn without_twins(items: Vec<Dynamic>) -> Vec<Dynamic> {
    if items.len() < 2 {
        return items;
    }
    let mut seen = HashSet::new();
    items
        .into_iter()
        .filter(|item| !item.is_wholly_known() || seen.insert(msgpack::fingerprint(item)))
        .collect()
}

/// The object as the schema demands it: as [`value`], and collections of blocks are never null.
///
/// # Errors
/// The place that does not fit.
pub fn object(value: Dynamic, fields: &Fields, write_only: WriteOnly) -> Result<Dynamic, Misfit> {
    let mut items = match value {
        Dynamic::Null => return Ok(Dynamic::Null),
        Dynamic::Unknown => return Ok(Dynamic::Unknown),
        Dynamic::Object(items) | Dynamic::Map(items) => items,
        other => return Err(Misfit::expected("an object", de::kind(&other))),
    };
    let mut object = BTreeMap::new();
    for (name, attr) in &fields.attrs {
        let item = items.remove(name).unwrap_or_default();
        let item = attribute(item, attr, write_only).map_err(|error| error.in_attr(name))?;
        object.insert(name.clone(), item);
    }
    for (name, block) in &fields.blocks {
        let item = items.remove(name).unwrap_or_default();
        let item = self::block(item, block, write_only).map_err(|error| error.in_attr(name))?;
        object.insert(name.clone(), item);
    }
    no_more(&items)?;
    Ok(Dynamic::Object(object))
}

fn attribute(item: Dynamic, attr: &Attr, write_only: WriteOnly) -> Result<Dynamic, Misfit> {
    if attr.write_only && write_only == WriteOnly::Drop {
        return Ok(Dynamic::Null);
    }
    match &attr.kind {
        Kind::Plain(ty) => value(item, ty),
        Kind::Nested(nesting, fields) => {
            let inner = |item| object(item, fields, write_only);
            match nesting {
                Nesting::Single => inner(item),
                Nesting::List => list(item, inner, Dynamic::List),
                Nesting::Set => list(item, inner, |items| Dynamic::Set(without_twins(items))),
                Nesting::Map => map(item, inner),
            }
        }
    }
}

fn block(item: Dynamic, block: &SchemaBlock, write_only: WriteOnly) -> Result<Dynamic, Misfit> {
    if item.is_null() {
        return Ok(block.blank());
    }
    let inner = |item| object(item, &block.fields, write_only);
    match block.nesting {
        BlockNesting::Single | BlockNesting::Group => inner(item),
        BlockNesting::List => list(item, inner, Dynamic::List),
        BlockNesting::Set => list(item, inner, |items| Dynamic::Set(without_twins(items))),
        BlockNesting::Map => map(item, inner),
    }
}

fn list(
    item: Dynamic,
    inner: impl Fn(Dynamic) -> Result<Dynamic, Misfit>,
    make: impl Fn(Vec<Dynamic>) -> Dynamic,
) -> Result<Dynamic, Misfit> {
    match item {
        Dynamic::Null | Dynamic::Unknown => Ok(item),
        Dynamic::List(items) | Dynamic::Set(items) | Dynamic::Tuple(items) => {
            let items = items.into_iter().enumerate();
            items
                .map(|(index, item)| inner(item).map_err(|error| error.in_item(index)))
                .collect::<Result<_, _>>()
                .map(make)
        }
        other => Err(Misfit::expected("a list", de::kind(&other))),
    }
}

fn map(
    item: Dynamic,
    inner: impl Fn(Dynamic) -> Result<Dynamic, Misfit>,
) -> Result<Dynamic, Misfit> {
    match item {
        Dynamic::Null | Dynamic::Unknown => Ok(item),
        Dynamic::Map(items) | Dynamic::Object(items) => {
            let items = items.into_iter().map(|(key, item)| {
                let item = inner(item).map_err(|error| error.in_key(&key))?;
                Ok((key, item))
            });
            items.collect::<Result<_, _>>().map(Dynamic::Map)
        }
        other => Err(Misfit::expected("a map", de::kind(&other))),
    }
}

/// As much of an object as fits: whatever does not, is taken from `fallback` (the planned or stored object).
///
/// An object that exists must never be lost only because something in it is wrong.
pub fn salvage(value: &Dynamic, fields: &Fields, fallback: &Dynamic) -> Dynamic {
    let attrs = fields.attrs.iter().map(|(name, attr)| {
        let made = attribute(value.get(name).clone(), attr, WriteOnly::Drop)
            .or_else(|_| attribute(fallback.get(name).clone(), attr, WriteOnly::Drop));
        (name.clone(), made.unwrap_or_default())
    });
    let blocks = fields.blocks.iter().map(|(name, block)| {
        let made = self::block(value.get(name).clone(), block, WriteOnly::Drop)
            .or_else(|_| self::block(fallback.get(name).clone(), block, WriteOnly::Drop));
        (name.clone(), made.unwrap_or_else(|_| block.blank()))
    });
    Dynamic::Object(attrs.chain(blocks).collect())
}

/// The same value with null for everything unknown in it: what can be stored after a failure.
pub fn settled(value: Dynamic) -> Dynamic {
    let all = |items: Vec<Dynamic>| items.into_iter().map(settled).collect();
    let each = |items: BTreeMap<String, Dynamic>| {
        items
            .into_iter()
            .map(|(name, item)| (name, settled(item)))
            .collect()
    };
    match value {
        Dynamic::Unknown => Dynamic::Null,
        Dynamic::List(items) => Dynamic::List(all(items)),
        Dynamic::Set(items) => Dynamic::Set(without_twins(all(items))),
        Dynamic::Tuple(items) => Dynamic::Tuple(all(items)),
        Dynamic::Map(items) => Dynamic::Map(each(items)),
        Dynamic::Object(items) => Dynamic::Object(each(items)),
        Dynamic::Typed(typed) => {
            let (ty, value) = *typed;
            Dynamic::Typed(Box::new((ty, settled(value))))
        }
        other => other,
    }
}

/// What went through a model may have lost digits or types on the way. Wherever `made` is what the model makes of
/// `original` (that is `through`) the original itself stands.
pub fn restore(made: Dynamic, through: &Dynamic, original: &Dynamic) -> Dynamic {
    if made == *through {
        return original.clone();
    }
    match (made, through, original.inner()) {
        (Dynamic::Object(made), Dynamic::Object(through), Dynamic::Object(original)) => {
            Dynamic::Object(restore_each(made, through, original))
        }
        (Dynamic::Map(made), Dynamic::Map(through), Dynamic::Map(original)) => {
            Dynamic::Map(restore_each(made, through, original))
        }
        (Dynamic::List(made), Dynamic::List(through), Dynamic::List(original))
            if made.len() == through.len() && made.len() == original.len() =>
        {
            let items = made.into_iter().zip(through).zip(original);
            Dynamic::List(
                items
                    .map(|((made, through), original)| restore(made, through, original))
                    .collect(),
            )
        }
        (made, _, _) => made,
    }
}

fn restore_each(
    made: BTreeMap<String, Dynamic>,
    through: &BTreeMap<String, Dynamic>,
    original: &BTreeMap<String, Dynamic>,
) -> BTreeMap<String, Dynamic> {
    made.into_iter()
        .map(|(name, made)| {
            let restored = match (through.get(&name), original.get(&name)) {
                (Some(through), Some(original)) => restore(made, through, original),
                _ => made,
            };
            (name, restored)
        })
        .collect()
}

/// The default of an attribute, as a value of its type; null if it has none.
///
/// # Errors
/// If the default does not fit the type, which the schema's lint reports.
pub fn default_of(attr: &Attr) -> Result<Dynamic, Misfit> {
    match &attr.default {
        Some(default) => attribute(default.clone(), attr, WriteOnly::Keep),
        None => Ok(Dynamic::Null),
    }
}

/// The same object with the write-only values that the user wrote.
pub fn with_write_only(value: Dynamic, fields: &Fields, config: &Dynamic) -> Dynamic {
    let Dynamic::Object(mut items) = value else {
        return value;
    };
    for (name, attr) in &fields.attrs {
        let config = config.get(name);
        let Some(item) = items.get_mut(name) else {
            continue;
        };
        if attr.write_only {
            *item = config.clone();
        } else if let Some(inner) = attr.nested_fields() {
            *item = each_with_write_only(std::mem::take(item), inner, config);
        }
    }
    for (name, block) in &fields.blocks {
        if let Some(item) = items.get_mut(name) {
            let config = config.get(name);
            *item = each_with_write_only(std::mem::take(item), &block.fields, config);
        }
    }
    Dynamic::Object(items)
}

/// Sets hold no write-only values.
fn each_with_write_only(value: Dynamic, fields: &Fields, config: &Dynamic) -> Dynamic {
    match value {
        Dynamic::Object(_) => with_write_only(value, fields, config),
        Dynamic::List(items) => {
            let written = config.items().unwrap_or_default();
            let items = items.into_iter().enumerate();
            let filled = items.map(|(index, item)| match written.get(index) {
                Some(config) => with_write_only(item, fields, config),
                None => item,
            });
            Dynamic::List(filled.collect())
        }
        Dynamic::Map(items) => {
            let filled = items.into_iter().map(|(key, item)| {
                let item = with_write_only(item, fields, config.get(&key));
                (key, item)
            });
            Dynamic::Map(filled.collect())
        }
        other => other,
    }
}
