//! Values as msgpack, the form in which Terraform and providers exchange them. Trusts no length that it reads.

use super::{Dynamic, Misfit, Number, Type, types::MAX_DEPTH};
use rmp::Marker;
use std::collections::BTreeMap;

/// Reads a value of a type. What is said to be longer than the message is refused before anything is allocated.
///
/// # Errors
/// The place that cannot be read, and what was expected there.
pub fn decode(bytes: &[u8], ty: &Type) -> Result<Dynamic, Misfit> {
    let mut reader = Reader { left: bytes };
    let value = reader.value(ty, 0)?;
    match reader.left.len() {
        0 => Ok(value),
        more => Err(Misfit::new(format!("{more} bytes follow the value"))),
    }
}

/// Writes a value of a type; [`conform`](super::conform) has made sure that it is one.
pub fn encode(value: &Dynamic, ty: &Type) -> Vec<u8> {
    let mut out = Vec::with_capacity(256);
    write(value, ty, &mut out);
    out
}

/// Bytes that are equal for equal values of one type, whatever the order of sets.
pub fn fingerprint(value: &Dynamic) -> Vec<u8> {
    let mut out = Vec::new();
    write_fingerprint(value, &mut out);
    out
}

struct Reader<'a> {
    left: &'a [u8],
}

impl<'a> Reader<'a> {
    fn value(&mut self, ty: &Type, depth: usize) -> Result<Dynamic, Misfit> {
        if depth > MAX_DEPTH {
            return Err(Misfit::new("nested too deeply"));
        }
        let marker = Marker::from_u8(*self.left.first().ok_or_else(ended)?);
        match marker {
            Marker::Null => {
                self.left = &self.left[1..];
                return Ok(Dynamic::Null);
            }
            // Every extension is an unknown value; the limits that it may bring along are not used.
            Marker::FixExt1
            | Marker::FixExt2
            | Marker::FixExt4
            | Marker::FixExt8
            | Marker::FixExt16
            | Marker::Ext8
            | Marker::Ext16
            | Marker::Ext32 => {
                let meta = rmp::decode::read_ext_meta(&mut self.left).map_err(|_| ended())?;
                self.take(meta.size as usize)?;
                return Ok(Dynamic::Unknown);
            }
            _ => {}
        }
        match ty {
            Type::Dynamic => self.typed(depth),
            Type::Bool => match marker {
                Marker::True | Marker::False => {
                    self.left = &self.left[1..];
                    Ok(Dynamic::Bool(marker == Marker::True))
                }
                _ => Err(self.unexpected(ty)),
            },
            Type::Number => self.number().map(Dynamic::Number),
            Type::String => Ok(Dynamic::String(self.string(ty)?.to_owned())),
            Type::List(element) => Ok(Dynamic::List(self.items(ty, |_| element, depth)?)),
            Type::Set(element) => {
                let items = self.items(ty, |_| element, depth)?;
                Ok(Dynamic::Set(super::conform::without_twins(items)))
            }
            Type::Tuple(types) => {
                let length = self.array(ty)?;
                if length != types.len() {
                    return Err(Misfit::expected(
                        format!("{} elements", types.len()),
                        length,
                    ));
                }
                let items = types.iter().enumerate().map(|(index, ty)| {
                    self.value(ty, depth + 1)
                        .map_err(|error| error.in_item(index))
                });
                items.collect::<Result<_, _>>().map(Dynamic::Tuple)
            }
            Type::Map(element) => {
                let length = self.map(ty)?;
                let mut items = BTreeMap::new();
                for _ in 0..length {
                    let key = self.string(&Type::String)?.to_owned();
                    let item = self
                        .value(element, depth + 1)
                        .map_err(|error| error.in_key(&key))?;
                    items.insert(key, item);
                }
                Ok(Dynamic::Map(items))
            }
            Type::Object(attrs) => self.object(ty, attrs, depth),
        }
    }

    fn object(
        &mut self,
        ty: &Type,
        attrs: &BTreeMap<String, Type>,
        depth: usize,
    ) -> Result<Dynamic, Misfit> {
        let length = self.map(ty)?;
        let mut items = BTreeMap::new();
        for _ in 0..length {
            let name = self.string(&Type::String)?;
            let Some(ty) = attrs.get(name) else {
                return Err(Misfit::new("the schema has no such attribute").in_attr(&shown(name)));
            };
            let item = self
                .value(ty, depth + 1)
                .map_err(|error| error.in_attr(name))?;
            items.insert(name.to_owned(), item);
        }
        match attrs.keys().find(|name| !items.contains_key(*name)) {
            Some(name) => Err(Misfit::new("the attribute is missing").in_attr(name)),
            None => Ok(Dynamic::Object(items)),
        }
    }

    /// A value with its type: `[json of the type, value]`.
    fn typed(&mut self, depth: usize) -> Result<Dynamic, Misfit> {
        if self.array(&Type::Dynamic)? != 2 {
            return Err(Misfit::new("expected a type and its value"));
        }
        let wrong = || Misfit::new("expected the type of a value");
        let marker = Marker::from_u8(*self.left.first().ok_or_else(ended)?);
        let length = match marker {
            Marker::FixStr(_) | Marker::Str8 | Marker::Str16 | Marker::Str32 => {
                rmp::decode::read_str_len(&mut self.left).map_err(|_| wrong())?
            }
            _ => rmp::decode::read_bin_len(&mut self.left).map_err(|_| wrong())?,
        };
        let ty = Type::from_bytes(self.take(length as usize)?).map_err(Misfit::new)?;
        let value = self.value(&ty, depth + 1)?;
        Ok(match (ty, value) {
            // A type that says nothing: the plain value, or one that brings its own.
            (Type::Dynamic, value) => value,
            (ty, value) => Dynamic::Typed(Box::new((ty, value))),
        })
    }

    fn items<'t>(
        &mut self,
        ty: &Type,
        element: impl Fn(usize) -> &'t Type,
        depth: usize,
    ) -> Result<Vec<Dynamic>, Misfit> {
        let length = self.array(ty)?;
        // Each element takes a byte of the message at least, but more room here: grow as they come.
        let mut items = Vec::with_capacity(length.min(64));
        for index in 0..length {
            let item = self.value(element(index), depth + 1);
            items.push(item.map_err(|error| error.in_item(index))?);
        }
        Ok(items)
    }

    fn number(&mut self) -> Result<Number, Misfit> {
        let mut float = None;
        let whole = match Marker::from_u8(*self.left.first().ok_or_else(ended)?) {
            Marker::F32 => {
                float = Some(f64::from(
                    rmp::decode::read_f32(&mut self.left).map_err(|_| ended())?,
                ));
                None
            }
            Marker::F64 => {
                float = Some(rmp::decode::read_f64(&mut self.left).map_err(|_| ended())?);
                None
            }
            Marker::U64 => {
                let whole = rmp::decode::read_u64(&mut self.left).map_err(|_| ended())?;
                Some(Number::from(whole))
            }
            Marker::FixStr(_) | Marker::Str8 | Marker::Str16 | Marker::Str32 => {
                let text = self.string(&Type::Number)?;
                Some(text.parse().map_err(Misfit::new)?)
            }
            Marker::FixPos(_)
            | Marker::FixNeg(_)
            | Marker::U8
            | Marker::U16
            | Marker::U32
            | Marker::I8
            | Marker::I16
            | Marker::I32
            | Marker::I64 => {
                let whole: i64 = rmp::decode::read_int(&mut self.left).map_err(|_| ended())?;
                Some(Number::from(whole))
            }
            _ => return Err(self.unexpected(&Type::Number)),
        };
        match (whole, float) {
            (Some(whole), _) => Ok(whole),
            (None, Some(float)) => {
                Number::exact(float).ok_or_else(|| Misfit::new("expected a finite number"))
            }
            (None, None) => Err(self.unexpected(&Type::Number)),
        }
    }

    fn string(&mut self, ty: &Type) -> Result<&'a str, Misfit> {
        let length = match Marker::from_u8(*self.left.first().ok_or_else(ended)?) {
            Marker::FixStr(_) | Marker::Str8 | Marker::Str16 | Marker::Str32 => {
                rmp::decode::read_str_len(&mut self.left).map_err(|_| ended())?
            }
            _ => return Err(self.unexpected(ty)),
        };
        std::str::from_utf8(self.take(length as usize)?)
            .map_err(|_| Misfit::new("a string that is not UTF-8"))
    }

    fn array(&mut self, ty: &Type) -> Result<usize, Misfit> {
        let before = self.left;
        match rmp::decode::read_array_len(&mut self.left) {
            Ok(length) if length as usize <= self.left.len() => Ok(length as usize),
            Ok(_) => Err(ended()),
            Err(_) => {
                self.left = before;
                Err(self.unexpected(ty))
            }
        }
    }

    fn map(&mut self, ty: &Type) -> Result<usize, Misfit> {
        let before = self.left;
        match rmp::decode::read_map_len(&mut self.left) {
            Ok(length) if length as usize <= self.left.len() / 2 => Ok(length as usize),
            Ok(_) => Err(ended()),
            Err(_) => {
                self.left = before;
                Err(self.unexpected(ty))
            }
        }
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], Misfit> {
        let (taken, left) = self.left.split_at_checked(length).ok_or_else(ended)?;
        self.left = left;
        Ok(taken)
    }

    fn unexpected(&self, ty: &Type) -> Misfit {
        let found = match self.left.first().map(|byte| Marker::from_u8(*byte)) {
            None => "the end of the message",
            Some(Marker::True | Marker::False) => "a bool",
            Some(Marker::FixStr(_) | Marker::Str8 | Marker::Str16 | Marker::Str32) => "a string",
            Some(Marker::FixArray(_) | Marker::Array16 | Marker::Array32) => "a list",
            Some(Marker::FixMap(_) | Marker::Map16 | Marker::Map32) => "a map",
            Some(Marker::Bin8 | Marker::Bin16 | Marker::Bin32) => "bytes",
            Some(_) => "a number",
        };
        Misfit::expected(format!("a {ty}"), found)
    }
}

fn ended() -> Misfit {
    Misfit::new("the message ends in the middle of a value")
}

/// A name out of a message, for an error: it may be anything.
fn shown(name: &str) -> String {
    name.chars().take(64).filter(|c| !c.is_control()).collect()
}

fn write(value: &Dynamic, ty: &Type, out: &mut Vec<u8>) {
    match (value, ty) {
        (Dynamic::Typed(typed), Type::Dynamic) => {
            put(rmp::encode::write_array_len(out, 2));
            put(rmp::encode::write_bin(out, &typed.0.to_bytes()));
            write(&typed.1, &typed.0, out);
        }
        (Dynamic::Null, _) => put(rmp::encode::write_nil(out)),
        // Without limits the code must be 0.
        (Dynamic::Unknown, _) => out.extend_from_slice(&[0xd4, 0, 0]),
        (known, Type::Dynamic) => {
            let ty = known.infer();
            put(rmp::encode::write_array_len(out, 2));
            put(rmp::encode::write_bin(out, &ty.to_bytes()));
            write(known, &ty, out);
        }
        (Dynamic::Typed(typed), ty) => write(&typed.1, ty, out),
        (Dynamic::Bool(value), _) => put(rmp::encode::write_bool(out, *value)),
        (Dynamic::Number(number), _) => write_number(number, out),
        (Dynamic::String(text), _) => put(rmp::encode::write_str(out, text)),
        (Dynamic::List(items) | Dynamic::Set(items) | Dynamic::Tuple(items), ty) => {
            put(rmp::encode::write_array_len(out, items.len() as u32));
            for (index, item) in items.iter().enumerate() {
                write(item, element(ty, index), out);
            }
        }
        (Dynamic::Map(items) | Dynamic::Object(items), ty) => {
            put(rmp::encode::write_map_len(out, items.len() as u32));
            for (name, item) in items {
                put(rmp::encode::write_str(out, name));
                write(item, attribute(ty, name), out);
            }
        }
    }
}

fn element(ty: &Type, index: usize) -> &Type {
    match ty {
        Type::List(element) | Type::Set(element) => element,
        Type::Tuple(types) => types.get(index).unwrap_or(&Type::Dynamic),
        _ => &Type::Dynamic,
    }
}

fn attribute<'t>(ty: &'t Type, name: &str) -> &'t Type {
    match ty {
        Type::Map(element) => element,
        Type::Object(attrs) => attrs.get(name).unwrap_or(&Type::Dynamic),
        _ => &Type::Dynamic,
    }
}

/// As Terraform does: an integer if it fits, a double if that is exact, else a text with all digits.
fn write_number(number: &Number, out: &mut Vec<u8>) {
    if let Some(whole) = number.as_i64() {
        put(rmp::encode::write_sint(out, whole));
    } else if let Some(whole) = number.as_u64() {
        put(rmp::encode::write_uint(out, whole));
    } else if let Some(float) = number.as_exact_f64() {
        put(rmp::encode::write_f64(out, float));
    } else {
        put(rmp::encode::write_str(out, &number.to_string()));
    }
}

/// Writing into memory cannot fail.
fn put<T, E: std::fmt::Debug>(written: Result<T, E>) {
    written.expect("a vector takes whatever is written");
}

fn write_fingerprint(value: &Dynamic, out: &mut Vec<u8>) {
    match value {
        Dynamic::Set(items) => {
            let mut parts: Vec<Vec<u8>> = items.iter().map(fingerprint).collect();
            parts.sort_unstable();
            put(rmp::encode::write_array_len(out, parts.len() as u32));
            parts.iter().for_each(|part| out.extend_from_slice(part));
        }
        Dynamic::List(items) | Dynamic::Tuple(items) => {
            put(rmp::encode::write_array_len(out, items.len() as u32));
            items.iter().for_each(|item| write_fingerprint(item, out));
        }
        Dynamic::Map(items) | Dynamic::Object(items) => {
            put(rmp::encode::write_map_len(out, items.len() as u32));
            for (name, item) in items {
                put(rmp::encode::write_str(out, name));
                write_fingerprint(item, out);
            }
        }
        Dynamic::Typed(typed) => {
            put(rmp::encode::write_bin(out, &typed.0.to_bytes()));
            write_fingerprint(&typed.1, out);
        }
        simple => write(simple, &Type::Bool, out),
    }
}
