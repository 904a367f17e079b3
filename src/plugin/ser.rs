//! From typed models to values, through serde.

use super::{
    Dynamic, Misfit, Number, Type, de::DYNAMIC_TOKEN, number::NUMBER_TOKEN, value::UNKNOWN_TOKEN,
};
use serde::ser::{self, Serialize, Serializer};
use std::collections::BTreeMap;

/// Writes a model as an object. Structs become objects, maps maps, sequences lists; the schema then says which of the
/// lists are sets.
///
/// # Errors
/// If the model holds what no value can be (a NaN, an enum variant with content), with its path.
pub fn dynamic<M: Serialize + ?Sized>(model: &M) -> Result<Dynamic, Misfit> {
    model.serialize(Ser)
}

struct Ser;

macro_rules! whole {
    ($($method:ident $from:ty;)*) => {$(
        fn $method(self, value: $from) -> Result<Dynamic, Misfit> {
            Ok(Dynamic::Number(Number::from(i64::from(value))))
        }
    )*};
}

impl Serializer for Ser {
    type Ok = Dynamic;
    type Error = Misfit;
    type SerializeSeq = Items;
    type SerializeTuple = Items;
    type SerializeTupleStruct = Items;
    type SerializeTupleVariant = ser::Impossible<Dynamic, Misfit>;
    type SerializeMap = Entries;
    type SerializeStruct = Entries;
    type SerializeStructVariant = ser::Impossible<Dynamic, Misfit>;

    whole! {
        serialize_i8 i8; serialize_i16 i16; serialize_i32 i32; serialize_i64 i64;
        serialize_u8 u8; serialize_u16 u16; serialize_u32 u32;
    }

    fn serialize_u64(self, value: u64) -> Result<Dynamic, Misfit> {
        Ok(Dynamic::Number(value.into()))
    }

    fn serialize_i128(self, value: i128) -> Result<Dynamic, Misfit> {
        number(&value.to_string())
    }

    fn serialize_u128(self, value: u128) -> Result<Dynamic, Misfit> {
        number(&value.to_string())
    }

    fn serialize_f32(self, value: f32) -> Result<Dynamic, Misfit> {
        number(&value.to_string())
    }

    /// The shortest decimal that reads back as it: 0.1 is 0.1, as the user wrote it.
    fn serialize_f64(self, value: f64) -> Result<Dynamic, Misfit> {
        Number::shortest(value)
            .map(Dynamic::Number)
            .ok_or_else(|| Misfit::new("an infinity or NaN is no number"))
    }

    fn serialize_bool(self, value: bool) -> Result<Dynamic, Misfit> {
        Ok(Dynamic::Bool(value))
    }

    fn serialize_char(self, value: char) -> Result<Dynamic, Misfit> {
        Ok(Dynamic::String(value.into()))
    }

    fn serialize_str(self, value: &str) -> Result<Dynamic, Misfit> {
        Ok(Dynamic::String(value.to_owned()))
    }

    fn serialize_bytes(self, _: &[u8]) -> Result<Dynamic, Misfit> {
        Err(Misfit::new("bytes are no value; encode them as text"))
    }

    fn serialize_none(self) -> Result<Dynamic, Misfit> {
        Ok(Dynamic::Null)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Dynamic, Misfit> {
        value.serialize(Ser)
    }

    fn serialize_unit(self) -> Result<Dynamic, Misfit> {
        Ok(Dynamic::Null)
    }

    fn serialize_unit_struct(self, name: &'static str) -> Result<Dynamic, Misfit> {
        Ok(match name {
            UNKNOWN_TOKEN => Dynamic::Unknown,
            _ => Dynamic::Null,
        })
    }

    fn serialize_unit_variant(
        self,
        name: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<Dynamic, Misfit> {
        Ok(match (name, variant) {
            (DYNAMIC_TOKEN, "Null") => Dynamic::Null,
            (DYNAMIC_TOKEN, "Unknown") => Dynamic::Unknown,
            _ => Dynamic::String(variant.to_owned()),
        })
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<Dynamic, Misfit> {
        let value = value.serialize(Ser)?;
        match (name, value) {
            (NUMBER_TOKEN, Dynamic::String(text)) => number(&text),
            (_, value) => Ok(value),
        }
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<Dynamic, Misfit> {
        if name != DYNAMIC_TOKEN {
            return Err(Misfit::new("an enum variant with content is no value"));
        }
        match (variant, value.serialize(Ser)?) {
            ("Set", Dynamic::List(items)) => Ok(Dynamic::Set(items)),
            ("Tuple", Dynamic::List(items)) => Ok(Dynamic::Tuple(items)),
            ("Object", Dynamic::Map(items)) => Ok(Dynamic::Object(items)),
            ("Typed", Dynamic::Tuple(pair)) => typed(pair),
            (_, value) => Ok(value),
        }
    }

    fn serialize_seq(self, length: Option<usize>) -> Result<Items, Misfit> {
        Ok(Items {
            items: Vec::with_capacity(length.unwrap_or(0)),
            tuple: false,
        })
    }

    fn serialize_tuple(self, length: usize) -> Result<Items, Misfit> {
        Ok(Items {
            items: Vec::with_capacity(length),
            tuple: true,
        })
    }

    fn serialize_tuple_struct(self, _: &'static str, length: usize) -> Result<Items, Misfit> {
        self.serialize_tuple(length)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, Misfit> {
        Err(Misfit::new("an enum variant with content is no value"))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Entries, Misfit> {
        Ok(Entries {
            items: BTreeMap::new(),
            key: None,
        })
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Entries, Misfit> {
        self.serialize_map(None)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, Misfit> {
        Err(Misfit::new("an enum variant with content is no value"))
    }
}

fn number(text: &str) -> Result<Dynamic, Misfit> {
    text.parse().map(Dynamic::Number).map_err(Misfit::new)
}

fn typed(pair: Vec<Dynamic>) -> Result<Dynamic, Misfit> {
    match <[Dynamic; 2]>::try_from(pair) {
        Ok([Dynamic::String(ty), value]) => {
            let ty = Type::from_bytes(ty.as_bytes()).map_err(Misfit::new)?;
            Ok(Dynamic::Typed(Box::new((ty, value))))
        }
        _ => Err(Misfit::new("no type with its value")),
    }
}

struct Items {
    items: Vec<Dynamic>,
    tuple: bool,
}

impl Items {
    fn push<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Misfit> {
        let index = self.items.len();
        self.items
            .push(value.serialize(Ser).map_err(|error| error.in_item(index))?);
        Ok(())
    }
}

impl ser::SerializeSeq for Items {
    type Ok = Dynamic;
    type Error = Misfit;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Misfit> {
        self.push(value)
    }

    fn end(self) -> Result<Dynamic, Misfit> {
        Ok(if self.tuple {
            Dynamic::Tuple(self.items)
        } else {
            Dynamic::List(self.items)
        })
    }
}

impl ser::SerializeTuple for Items {
    type Ok = Dynamic;
    type Error = Misfit;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Misfit> {
        self.push(value)
    }

    fn end(self) -> Result<Dynamic, Misfit> {
        ser::SerializeSeq::end(self)
    }
}

impl ser::SerializeTupleStruct for Items {
    type Ok = Dynamic;
    type Error = Misfit;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Misfit> {
        self.push(value)
    }

    fn end(self) -> Result<Dynamic, Misfit> {
        ser::SerializeSeq::end(self)
    }
}

struct Entries {
    items: BTreeMap<String, Dynamic>,
    key: Option<String>,
}

impl ser::SerializeMap for Entries {
    type Ok = Dynamic;
    type Error = Misfit;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Misfit> {
        self.key = match key.serialize(Ser)? {
            Dynamic::String(key) => Some(key),
            Dynamic::Number(key) => Some(key.to_string()),
            _ => return Err(Misfit::new("the key of a map is a string")),
        };
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Misfit> {
        let key = self.key.take().unwrap_or_default();
        let value = value.serialize(Ser).map_err(|error| error.in_key(&key))?;
        self.items.insert(key, value);
        Ok(())
    }

    fn end(self) -> Result<Dynamic, Misfit> {
        Ok(Dynamic::Map(self.items))
    }
}

impl ser::SerializeStruct for Entries {
    type Ok = Dynamic;
    type Error = Misfit;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), Misfit> {
        let value = value.serialize(Ser).map_err(|error| error.in_attr(name))?;
        self.items.insert(name.to_owned(), value);
        Ok(())
    }

    fn end(self) -> Result<Dynamic, Misfit> {
        Ok(Dynamic::Object(self.items))
    }
}
