//! Values as Terraform's core sees them, with a small codec of their own: the rules must not be checked with the very code
//! that they are to check.

use std::collections::BTreeMap;
use std::fmt;

use rmp::Marker;
use rmp::decode::{self, RmpRead};
use rmp::encode;

use super::messages6::DynamicValue;

/// A value. Lists, sets and tuples look alike on the wire, and so do maps and objects: a set is one only after its schema has
/// been asked ([`super::schema::Shape::fit`]).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Val {
    Null,
    Unknown,
    Bool(bool),
    Num(Num),
    Str(String),
    List(Vec<Val>),
    /// In order, without twins.
    Set(Vec<Val>),
    Map(BTreeMap<String, Val>),
    /// A value that brings its type with it, as JSON.
    Dynamic(String, Box<Val>),
}

/// A decimal number in one spelling: sign, digits without zeros at either end, exponent of ten.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Num {
    negative: bool,
    digits: String,
    exponent: i64,
}

impl Num {
    pub fn parse(text: &str) -> Option<Self> {
        let (negative, rest) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (mantissa, exponent) = match rest.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().ok()?),
            None => (rest, 0),
        };
        let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = format!("{whole}{part}");
        if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
            return None;
        }
        let short = digits.trim_end_matches('0');
        let exponent = exponent - part.len() as i64 + (digits.len() - short.len()) as i64;
        let short = short.trim_start_matches('0');
        if short.is_empty() {
            return Some(Self {
                negative: false,
                digits: "0".into(),
                exponent: 0,
            });
        }
        Some(Self {
            negative,
            digits: short.into(),
            exponent,
        })
    }

    fn as_i64(&self) -> Option<i64> {
        if !(0..=18).contains(&self.exponent) {
            return None;
        }
        let zeros = "0".repeat(self.exponent as usize);
        let sign = if self.negative { "-" } else { "" };
        format!("{sign}{}{zeros}", self.digits).parse().ok()
    }
}

impl fmt::Display for Num {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(small) = self.as_i64() {
            return write!(out, "{small}");
        }
        let sign = if self.negative { "-" } else { "" };
        write!(out, "{sign}{}e{}", self.digits, self.exponent)
    }
}

impl fmt::Debug for Val {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => out.write_str("null"),
            Self::Unknown => out.write_str("(unknown)"),
            Self::Bool(value) => write!(out, "{value}"),
            Self::Num(value) => write!(out, "{value}"),
            Self::Str(value) if value.len() > 80 => {
                write!(out, "(a text of {} bytes)", value.len())
            }
            Self::Str(value) => write!(out, "{value:?}"),
            Self::List(values) | Self::Set(values) => out.debug_list().entries(values).finish(),
            Self::Map(values) => out.debug_map().entries(values).finish(),
            Self::Dynamic(of, value) => write!(out, "{of}:{value:?}"),
        }
    }
}

impl Val {
    pub fn is_null(&self) -> bool {
        *self == Self::Null
    }

    pub fn is_known(&self) -> bool {
        *self != Self::Unknown
    }

    pub fn wholly_known(&self) -> bool {
        match self {
            Self::Unknown => false,
            Self::List(values) | Self::Set(values) => values.iter().all(Self::wholly_known),
            Self::Map(values) => values.values().all(Self::wholly_known),
            Self::Dynamic(_, value) => value.wholly_known(),
            _ => true,
        }
    }

    /// The member of an object; null where there is none.
    pub fn get(&self, name: &str) -> &Self {
        match self {
            Self::Map(values) => values.get(name).unwrap_or(&Self::Null),
            _ => &Self::Null,
        }
    }

    /// The same object with one member changed.
    pub fn with(mut self, name: &str, value: impl Into<Self>) -> Self {
        let Self::Map(values) = &mut self else {
            panic!("{self:?} is no object");
        };
        values.insert(name.into(), value.into());
        self
    }

    pub fn text(&self) -> &str {
        match self {
            Self::Str(text) => text,
            other => panic!("{other:?} is no text"),
        }
    }

    pub fn decode(value: &DynamicValue) -> Result<Self, String> {
        if value.msgpack.is_empty() {
            return Err("no msgpack in a value".into());
        }
        Self::from_msgpack(&value.msgpack)
    }

    pub fn from_msgpack(bytes: &[u8]) -> Result<Self, String> {
        let mut rest = bytes;
        let value = decode_one(&mut rest, 0)?;
        if !rest.is_empty() {
            return Err(format!("{} bytes after the end of a value", rest.len()));
        }
        Ok(value)
    }

    pub fn to_wire(&self) -> DynamicValue {
        DynamicValue {
            msgpack: self.to_msgpack(),
            json: Vec::new(),
        }
    }

    pub fn to_msgpack(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        encode_one(self, &mut bytes);
        bytes
    }

    /// From JSON, as state files hold it; numbers keep every digit.
    pub fn from_json(json: &serde_json::Value) -> Self {
        use serde_json::Value;
        match json {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Bool(*value),
            Value::Number(value) => Self::Num(Num::parse(&value.to_string()).unwrap()),
            Value::String(value) => Self::Str(value.clone()),
            Value::Array(values) => Self::List(values.iter().map(Self::from_json).collect()),
            Value::Object(values) => {
                let members = values.iter().map(|(k, v)| (k.clone(), Self::from_json(v)));
                Self::Map(members.collect())
            }
        }
    }

    pub fn to_json(&self) -> serde_json::Value {
        use serde_json::Value;
        match self {
            Self::Null | Self::Unknown => Value::Null,
            Self::Bool(value) => Value::Bool(*value),
            Self::Num(value) => serde_json::from_str(&value.to_string()).unwrap(),
            Self::Str(value) => Value::String(value.clone()),
            Self::List(values) | Self::Set(values) => values.iter().map(Self::to_json).collect(),
            Self::Map(values) => Value::Object(
                values
                    .iter()
                    .map(|(k, v)| (k.clone(), v.to_json()))
                    .collect(),
            ),
            Self::Dynamic(of, value) => serde_json::json!({
                "type": serde_json::from_str::<Value>(of).unwrap(),
                "value": value.to_json(),
            }),
        }
    }
}

impl From<&str> for Val {
    fn from(value: &str) -> Self {
        Self::Str(value.into())
    }
}
impl From<String> for Val {
    fn from(value: String) -> Self {
        Self::Str(value)
    }
}
impl From<bool> for Val {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}
impl From<i64> for Val {
    fn from(value: i64) -> Self {
        Self::Num(Num::parse(&value.to_string()).unwrap())
    }
}
impl<T: Into<Val>> From<Vec<T>> for Val {
    fn from(values: Vec<T>) -> Self {
        Self::List(values.into_iter().map(Into::into).collect())
    }
}
impl<T: Into<Val>> From<Option<T>> for Val {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// A number by its digits.
pub fn num(digits: &str) -> Val {
    Val::Num(Num::parse(digits).unwrap())
}

/// `obj! { "name" => "web", "size" => 3 }`
macro_rules! obj {
    ($($key:expr => $value:expr),* $(,)?) => {{
        #[allow(unused_mut)]
        let mut members = std::collections::BTreeMap::new();
        $(members.insert(String::from($key), $crate::plugin::value::Val::from($value));)*
        $crate::plugin::value::Val::Map(members)
    }};
}
pub(crate) use obj;

fn decode_one(rest: &mut &[u8], depth: usize) -> Result<Val, String> {
    let bad = |why: &dyn fmt::Debug| format!("bad msgpack: {why:?}");
    if depth > 200 {
        return Err("nested too deeply".into());
    }
    let first = *rest.first().ok_or("a value ends too soon")?;
    let number = |text: String| {
        Num::parse(&text)
            .map(Val::Num)
            .ok_or(format!("no number: {text}"))
    };
    Ok(match Marker::from_u8(first) {
        Marker::Null => {
            *rest = &rest[1..];
            Val::Null
        }
        Marker::True | Marker::False => Val::Bool(decode::read_bool(rest).map_err(|e| bad(&e))?),
        Marker::U64 => {
            *rest = &rest[1..];
            number(rest.read_data_u64().map_err(|e| bad(&e))?.to_string())?
        }
        Marker::F32 => number(decode::read_f32(rest).map_err(|e| bad(&e))?.to_string())?,
        Marker::F64 => number(decode::read_f64(rest).map_err(|e| bad(&e))?.to_string())?,
        Marker::FixPos(_)
        | Marker::FixNeg(_)
        | Marker::U8
        | Marker::U16
        | Marker::U32
        | Marker::I8
        | Marker::I16
        | Marker::I32
        | Marker::I64 => {
            let value: i64 = decode::read_int(rest).map_err(|e| bad(&e))?;
            number(value.to_string())?
        }
        Marker::FixStr(_) | Marker::Str8 | Marker::Str16 | Marker::Str32 => {
            let length = decode::read_str_len(rest).map_err(|e| bad(&e))?;
            let bytes = take(rest, length)?;
            Val::Str(String::from_utf8(bytes).map_err(|e| bad(&e))?)
        }
        Marker::FixArray(_) | Marker::Array16 | Marker::Array32 => {
            let length = decode::read_array_len(rest).map_err(|e| bad(&e))?;
            // A dynamic value is an array of a binary, its type, and the value.
            if length == 2
                && matches!(
                    rest.first().map(|b| Marker::from_u8(*b)),
                    Some(Marker::Bin8 | Marker::Bin16 | Marker::Bin32)
                )
            {
                let length = decode::read_bin_len(rest).map_err(|e| bad(&e))?;
                let of = String::from_utf8(take(rest, length)?).map_err(|e| bad(&e))?;
                return Ok(Val::Dynamic(of, Box::new(decode_one(rest, depth + 1)?)));
            }
            let values = (0..length).map(|_| decode_one(rest, depth + 1));
            Val::List(values.collect::<Result<_, _>>()?)
        }
        Marker::FixMap(_) | Marker::Map16 | Marker::Map32 => {
            let length = decode::read_map_len(rest).map_err(|e| bad(&e))?;
            let mut values = BTreeMap::new();
            for _ in 0..length {
                let Val::Str(key) = decode_one(rest, depth + 1)? else {
                    return Err("a key that is no text".into());
                };
                if values
                    .insert(key.clone(), decode_one(rest, depth + 1)?)
                    .is_some()
                {
                    return Err(format!("the key {key:?} twice"));
                }
            }
            Val::Map(values)
        }
        Marker::FixExt1
        | Marker::FixExt2
        | Marker::FixExt4
        | Marker::FixExt8
        | Marker::FixExt16
        | Marker::Ext8
        | Marker::Ext16
        | Marker::Ext32 => {
            let meta = decode::read_ext_meta(rest).map_err(|e| bad(&e))?;
            let refinements = take(rest, meta.size)?;
            if meta.typeid == 12 && refinements.first() == Some(&0x80) {
                return Err("an unknown value with an empty map of refinements".into());
            }
            Val::Unknown
        }
        Marker::Bin8 | Marker::Bin16 | Marker::Bin32 | Marker::Reserved => {
            return Err(format!("the byte {first:#x} where a value starts"));
        }
    })
}

fn take(rest: &mut &[u8], length: u32) -> Result<Vec<u8>, String> {
    let length = length as usize;
    let (taken, after) = rest
        .split_at_checked(length)
        .ok_or("a value ends too soon")?;
    *rest = after;
    Ok(taken.to_vec())
}

fn encode_one(value: &Val, bytes: &mut Vec<u8>) {
    match value {
        Val::Null => encode::write_nil(bytes).unwrap(),
        Val::Unknown => bytes.extend([0xd4, 0, 0]),
        Val::Bool(value) => encode::write_bool(bytes, *value).unwrap(),
        Val::Num(value) => match value.as_i64() {
            Some(small) => {
                encode::write_sint(bytes, small).unwrap();
            }
            // As Terraform does with every number that is neither small nor exact in binary.
            None => encode::write_str(bytes, &value.to_string()).unwrap(),
        },
        Val::Str(value) => encode::write_str(bytes, value).unwrap(),
        Val::List(values) | Val::Set(values) => {
            encode::write_array_len(bytes, values.len() as u32).unwrap();
            values.iter().for_each(|value| encode_one(value, bytes));
        }
        Val::Map(values) => {
            encode::write_map_len(bytes, values.len() as u32).unwrap();
            for (key, value) in values {
                encode::write_str(bytes, key).unwrap();
                encode_one(value, bytes);
            }
        }
        Val::Dynamic(of, value) => {
            encode::write_array_len(bytes, 2).unwrap();
            encode::write_bin(bytes, of.as_bytes()).unwrap();
            encode_one(value, bytes);
        }
    }
}

#[test]
fn numbers_have_one_spelling() {
    for (one, other) in [
        ("1.50", "15e-1"),
        ("100", "1e2"),
        ("-0", "0"),
        ("0.10", ".1"),
        ("007", "7"),
    ] {
        assert_eq!(Num::parse(one), Num::parse(other), "{one} and {other}");
    }
    assert_ne!(Num::parse("0.1"), Num::parse("0.10000000000000001"));
    assert_eq!(Num::parse("1e"), None);
    assert_eq!(Num::parse(""), None);
}
