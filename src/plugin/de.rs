//! From values to typed models, through serde. Errors carry the attribute's path.

use super::{Dynamic, Misfit, Number, number::NUMBER_TOKEN, value::VALUE_TOKEN};
use serde::de::{
    self, DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess,
    SeqAccess, VariantAccess, Visitor,
};
use std::collections::btree_map;

/// The name of the enum as which a [`Dynamic`] goes through serde whole.
pub(super) const DYNAMIC_TOKEN: &str = "$plugin::Dynamic";

/// Reads a model out of an object.
///
/// # Errors
/// The path of the attribute that does not fit, with what was expected.
pub fn model<M: DeserializeOwned>(value: &Dynamic) -> Result<M, Misfit> {
    M::deserialize(De(value))
}

struct De<'a>(&'a Dynamic);

impl<'a> De<'a> {
    /// The value itself, or why there is none to be had.
    fn known(&self, expected: &str) -> Result<&'a Dynamic, Misfit> {
        match self.0.inner() {
            Dynamic::Null => Err(Misfit::expected(expected, "null")),
            Dynamic::Unknown => Err(Misfit::expected(expected, "a value that is not known yet")),
            known => Ok(known),
        }
    }

    fn whole<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Misfit> {
        let number = self.known("a whole number")?.as_number();
        match number {
            Some(number) => visit_number(number, visitor),
            None => Err(Misfit::expected("a whole number", kind(self.0))),
        }
    }
}

fn visit_number<'a, V: Visitor<'a>>(number: &Number, visitor: V) -> Result<V::Value, Misfit> {
    if let Some(whole) = number.as_i64() {
        visitor.visit_i64(whole)
    } else if let Some(whole) = number.as_u64() {
        visitor.visit_u64(whole)
    } else {
        visitor.visit_str(&number.to_string())
    }
}

/// What kind of value it is, without showing it.
pub(super) fn kind(value: &Dynamic) -> &'static str {
    match value.inner() {
        Dynamic::Null => "null",
        Dynamic::Unknown => "a value that is not known yet",
        Dynamic::Bool(_) => "a bool",
        Dynamic::Number(_) => "a number",
        Dynamic::String(_) => "a string",
        Dynamic::List(_) => "a list",
        Dynamic::Set(_) => "a set",
        Dynamic::Tuple(_) => "a tuple",
        Dynamic::Map(_) => "a map",
        Dynamic::Object(_) | Dynamic::Typed(_) => "an object",
    }
}

macro_rules! whole {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Misfit> {
            self.whole(visitor)
        }
    )*};
}

impl<'a> Deserializer<'a> for De<'a> {
    type Error = Misfit;

    fn deserialize_any<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.0.inner() {
            Dynamic::Null => visitor.visit_none(),
            Dynamic::Unknown => Err(Misfit::expected("a value", kind(self.0))),
            Dynamic::Bool(value) => visitor.visit_bool(*value),
            Dynamic::Number(number) => visit_number(number, visitor),
            Dynamic::String(text) => visitor.visit_borrowed_str(text),
            Dynamic::List(items) | Dynamic::Set(items) | Dynamic::Tuple(items) => {
                visit_items(items, visitor)
            }
            Dynamic::Map(items) => visitor.visit_map(Entries::new(items, false)),
            Dynamic::Object(items) => visitor.visit_map(Entries::new(items, true)),
            Dynamic::Typed(_) => Err(Misfit::new("a type within a type")),
        }
    }

    whole! {
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128
    }

    fn deserialize_f32<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Misfit> {
        self.deserialize_f64(visitor)
    }

    fn deserialize_f64<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.known("a number")?.as_number() {
            Some(number) => visitor.visit_f64(number.to_f64()),
            None => Err(Misfit::expected("a number", kind(self.0))),
        }
    }

    fn deserialize_bool<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.known("a bool")?.as_bool() {
            Some(value) => visitor.visit_bool(value),
            None => Err(Misfit::expected("a bool", kind(self.0))),
        }
    }

    fn deserialize_str<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.known("a string")?.as_str() {
            Some(_) => match self.0.inner() {
                Dynamic::String(text) => visitor.visit_borrowed_str(text),
                _ => unreachable!("as_str answers for strings only"),
            },
            None => Err(Misfit::expected("a string", kind(self.0))),
        }
    }

    fn deserialize_string<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Misfit> {
        self.deserialize_str(visitor)
    }

    fn deserialize_char<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Misfit> {
        self.deserialize_str(visitor)
    }

    fn deserialize_identifier<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Misfit> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Misfit> {
        if self.0.is_null() {
            visitor.visit_none()
        } else {
            visitor.visit_some(self)
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'a>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        match name {
            VALUE_TOKEN if self.0.is_null() => visitor.visit_none(),
            VALUE_TOKEN if self.0.is_unknown() => visitor.visit_unit(),
            NUMBER_TOKEN => match self.known("a number")?.as_number() {
                Some(number) => visit_number(number, visitor),
                None => Err(Misfit::expected("a number", kind(self.0))),
            },
            _ => visitor.visit_newtype_struct(self),
        }
    }

    fn deserialize_seq<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.known("a list")?.items() {
            Some(_) => match self.0.inner() {
                Dynamic::List(items) | Dynamic::Set(items) | Dynamic::Tuple(items) => {
                    visit_items(items, visitor)
                }
                _ => unreachable!("items answers for sequences only"),
            },
            None => Err(Misfit::expected("a list", kind(self.0))),
        }
    }

    fn deserialize_tuple<V: Visitor<'a>>(self, _: usize, visitor: V) -> Result<V::Value, Misfit> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'a>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.known("a map")? {
            Dynamic::Map(items) => visitor.visit_map(Entries::new(items, false)),
            Dynamic::Object(items) => visitor.visit_map(Entries::new(items, true)),
            other => Err(Misfit::expected("a map", kind(other))),
        }
    }

    /// A field that the object lacks is null: a model may be wider than a schema (`timeouts`, older states).
    fn deserialize_struct<V: Visitor<'a>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        match self.known("an object")? {
            Dynamic::Map(items) | Dynamic::Object(items) => visitor.visit_map(Fields {
                items,
                names: fields.iter(),
                name: "",
            }),
            other => Err(Misfit::expected("an object", kind(other))),
        }
    }

    fn deserialize_enum<V: Visitor<'a>>(
        self,
        name: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        if name == DYNAMIC_TOKEN {
            return visitor.visit_enum(Whole(self.0));
        }
        match self.known("a string")?.as_str() {
            Some(text) => visitor.visit_enum(IntoDeserializer::<Misfit>::into_deserializer(text)),
            None => Err(Misfit::expected("a string", kind(self.0))),
        }
    }

    fn deserialize_unit<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.0.inner() {
            Dynamic::Null => visitor.visit_unit(),
            // The arguments of a function that takes none.
            Dynamic::Tuple(items) if items.is_empty() => visitor.visit_unit(),
            _ => Err(Misfit::expected("null", kind(self.0))),
        }
    }

    fn deserialize_unit_struct<V: Visitor<'a>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Misfit> {
        visitor.visit_unit()
    }

    serde::forward_to_deserialize_any! { <W: Visitor<'a>> bytes byte_buf }
}

fn visit_items<'a, V: Visitor<'a>>(items: &'a [Dynamic], visitor: V) -> Result<V::Value, Misfit> {
    let mut access = Items {
        items: items.iter().enumerate(),
    };
    let value = visitor.visit_seq(&mut access)?;
    match access.items.len() {
        0 => Ok(value),
        more => Err(Misfit::new(format!(
            "expected {} elements, found {more} more",
            items.len() - more
        ))),
    }
}

struct Items<'a> {
    items: std::iter::Enumerate<std::slice::Iter<'a, Dynamic>>,
}

impl<'a> SeqAccess<'a> for &mut Items<'a> {
    type Error = Misfit;

    fn next_element_seed<T: DeserializeSeed<'a>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Misfit> {
        self.items
            .next()
            .map(|(index, item)| {
                seed.deserialize(De(item))
                    .map_err(|error| error.in_item(index))
            })
            .transpose()
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.items.len())
    }
}

/// All entries of a map, or all attributes of an object into something that is no struct.
struct Entries<'a> {
    items: btree_map::Iter<'a, String, Dynamic>,
    here: Option<(&'a String, &'a Dynamic)>,
    object: bool,
}

impl<'a> Entries<'a> {
    fn new(items: &'a std::collections::BTreeMap<String, Dynamic>, object: bool) -> Entries<'a> {
        Entries {
            items: items.iter(),
            here: None,
            object,
        }
    }
}

impl<'a> MapAccess<'a> for Entries<'a> {
    type Error = Misfit;

    fn next_key_seed<K: DeserializeSeed<'a>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Misfit> {
        self.here = self.items.next();
        self.here
            .map(|(key, _)| seed.deserialize(key.as_str().into_deserializer()))
            .transpose()
    }

    fn next_value_seed<V: DeserializeSeed<'a>>(&mut self, seed: V) -> Result<V::Value, Misfit> {
        let (key, value) = self.here.take().ok_or_else(|| Misfit::new("no entry"))?;
        seed.deserialize(De(value)).map_err(|error| {
            if self.object {
                error.in_attr(key)
            } else {
                error.in_key(key)
            }
        })
    }
}

/// The attributes that a struct asks for, by name.
struct Fields<'a> {
    items: &'a std::collections::BTreeMap<String, Dynamic>,
    names: std::slice::Iter<'static, &'static str>,
    name: &'static str,
}

impl<'a> MapAccess<'a> for Fields<'a> {
    type Error = Misfit;

    fn next_key_seed<K: DeserializeSeed<'a>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Misfit> {
        let Some(name) = self.names.next() else {
            return Ok(None);
        };
        self.name = name;
        seed.deserialize((*name).into_deserializer()).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'a>>(&mut self, seed: V) -> Result<V::Value, Misfit> {
        let value = self.items.get(self.name).unwrap_or(&Dynamic::Null);
        seed.deserialize(De(value))
            .map_err(|error| error.in_attr(self.name))
    }
}

/// A [`Dynamic`] as an enum, so that nothing of it is lost.
struct Whole<'a>(&'a Dynamic);

impl<'a> EnumAccess<'a> for Whole<'a> {
    type Error = Misfit;
    type Variant = Whole<'a>;

    fn variant_seed<V: DeserializeSeed<'a>>(
        self,
        seed: V,
    ) -> Result<(V::Value, Whole<'a>), Misfit> {
        let variant = match self.0 {
            Dynamic::Null => "Null",
            Dynamic::Unknown => "Unknown",
            Dynamic::Bool(_) => "Bool",
            Dynamic::Number(_) => "Number",
            Dynamic::String(_) => "String",
            Dynamic::List(_) => "List",
            Dynamic::Set(_) => "Set",
            Dynamic::Tuple(_) => "Tuple",
            Dynamic::Map(_) => "Map",
            Dynamic::Object(_) => "Object",
            Dynamic::Typed(_) => "Typed",
        };
        Ok((seed.deserialize(variant.into_deserializer())?, self))
    }
}

impl<'a> VariantAccess<'a> for Whole<'a> {
    type Error = Misfit;

    fn unit_variant(self) -> Result<(), Misfit> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'a>>(self, seed: T) -> Result<T::Value, Misfit> {
        match self.0 {
            Dynamic::Typed(typed) => seed.deserialize(TypedPair(&typed.0, &typed.1)),
            other => seed.deserialize(De(other)),
        }
    }

    fn tuple_variant<V: Visitor<'a>>(self, _: usize, visitor: V) -> Result<V::Value, Misfit> {
        Err(de::Error::invalid_type(
            de::Unexpected::TupleVariant,
            &visitor,
        ))
    }

    fn struct_variant<V: Visitor<'a>>(
        self,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        Err(de::Error::invalid_type(
            de::Unexpected::StructVariant,
            &visitor,
        ))
    }
}

/// A type and its value, as a pair of the type's JSON and the value.
struct TypedPair<'a>(&'a super::Type, &'a Dynamic);

impl<'a> Deserializer<'a> for TypedPair<'a> {
    type Error = Misfit;

    fn deserialize_any<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Misfit> {
        visitor.visit_seq(TypedParts {
            ty: Some(self.0),
            value: Some(self.1),
        })
    }

    serde::forward_to_deserialize_any! {
        <W: Visitor<'a>>
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

struct TypedParts<'a> {
    ty: Option<&'a super::Type>,
    value: Option<&'a Dynamic>,
}

impl<'a> SeqAccess<'a> for TypedParts<'a> {
    type Error = Misfit;

    fn next_element_seed<T: DeserializeSeed<'a>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Misfit> {
        if let Some(ty) = self.ty.take() {
            let text = ty.to_json().to_string();
            return seed.deserialize(text.into_deserializer()).map(Some);
        }
        self.value
            .take()
            .map(|value| seed.deserialize(De(value)))
            .transpose()
    }
}

#[cfg(test)]
mod tests;
