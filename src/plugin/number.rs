//! Decimal numbers of any size, kept exactly. Does no arithmetic.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::{cmp::Ordering, fmt, str::FromStr};

/// The name under which a number goes through serde; the runtime's own serializer keeps it exact.
pub(super) const NUMBER_TOKEN: &str = "$plugin::Number";

/// Longest run of digits that is read. Terraform itself computes with 154 significant digits.
const MAX_DIGITS: usize = 100_000;
/// Largest power of ten that is read.
const MAX_EXPONENT: i64 = 1_000_000_000;
/// Beyond this many zeros a number is written with an exponent instead.
const MAX_ZEROS: i64 = 400;

/// An exact decimal number, as Terraform has them: whole numbers beyond 64 bits and fractions such as 0.1 keep every digit.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Number(Repr);

/// Each number has one form, so that derived equality is numeric equality: what fits `i64` is `Whole`.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Repr {
    Whole(i64),
    Decimal(Box<Decimal>),
}

/// ±digits × 10^exponent; the digits neither start nor end with a zero.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Decimal {
    negative: bool,
    digits: String,
    exponent: i64,
}

impl Number {
    /// The exact value of a binary fraction; `None` for infinities and NaN.
    pub fn exact(value: f64) -> Option<Number> {
        if !value.is_finite() {
            return None;
        }
        // A finite double has at most 1074 binary, and so as many decimal, places.
        let places = if value.fract() == 0.0 { 0 } else { 1074 };
        format!("{value:.places$}").parse().ok()
    }

    /// The shortest decimal that reads back as this `f64`: what people mean by `0.1`. `None` for infinities and NaN.
    pub fn shortest(value: f64) -> Option<Number> {
        value
            .is_finite()
            .then(|| format!("{value:e}").parse().ok())
            .flatten()
    }

    /// The nearest `f64`.
    pub fn to_f64(&self) -> f64 {
        match &self.0 {
            Repr::Whole(whole) => *whole as f64,
            Repr::Decimal(d) => {
                let sign = if d.negative { "-" } else { "" };
                format!("{sign}{}e{}", d.digits, d.exponent)
                    .parse()
                    .unwrap_or(f64::NAN)
            }
        }
    }

    /// The `f64` that has exactly this value, if there is one.
    pub fn as_exact_f64(&self) -> Option<f64> {
        if let Repr::Decimal(d) = &self.0
            && (d.digits.len() > 1100 || d.exponent.abs() > 1100)
        {
            return None;
        }
        let near = self.to_f64();
        (Number::exact(near).as_ref() == Some(self)).then_some(near)
    }

    pub fn as_i64(&self) -> Option<i64> {
        match &self.0 {
            Repr::Whole(whole) => Some(*whole),
            Repr::Decimal(_) => None,
        }
    }

    pub fn as_u64(&self) -> Option<u64> {
        match &self.0 {
            Repr::Whole(whole) => u64::try_from(*whole).ok(),
            Repr::Decimal(d) if !d.negative && (0..20).contains(&d.exponent) => {
                self.to_string().parse().ok()
            }
            Repr::Decimal(_) => None,
        }
    }

    pub fn is_whole(&self) -> bool {
        match &self.0 {
            Repr::Whole(_) => true,
            Repr::Decimal(d) => d.exponent >= 0,
        }
    }

    fn parts(&self) -> (bool, String, i64) {
        match &self.0 {
            Repr::Whole(whole) => (*whole < 0, whole.unsigned_abs().to_string(), 0),
            Repr::Decimal(d) => (d.negative, d.digits.clone(), d.exponent),
        }
    }

    fn from_parts(negative: bool, digits: &str, exponent: i64) -> Number {
        let digits = digits.trim_start_matches('0');
        let short = digits.trim_end_matches('0');
        let exponent = exponent + (digits.len() - short.len()) as i64;
        if short.is_empty() {
            return Number(Repr::Whole(0));
        }
        if (0..19).contains(&exponent) && short.len() as i64 + exponent <= 19 {
            let sign = if negative { "-" } else { "" };
            let text = format!("{sign}{short}{}", "0".repeat(exponent as usize));
            if let Ok(whole) = text.parse() {
                return Number(Repr::Whole(whole));
            }
        }
        Number(Repr::Decimal(Box::new(Decimal {
            negative,
            digits: short.to_owned(),
            exponent,
        })))
    }
}

impl FromStr for Number {
    type Err = String;

    /// Reads `-12`, `0.1`, `1e300`. Fails on anything else, infinities included.
    fn from_str(text: &str) -> Result<Number, String> {
        let wrong = || "not a decimal number".to_owned();
        let (negative, rest) = match text.as_bytes().first() {
            Some(b'-') => (true, &text[1..]),
            Some(b'+') => (false, &text[1..]),
            _ => (false, text),
        };
        let (mantissa, exponent) = match rest.find(['e', 'E']) {
            Some(at) => (
                &rest[..at],
                rest[at + 1..].parse::<i64>().map_err(|_| wrong())?,
            ),
            None => (rest, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        if whole.len() + fraction.len() == 0 || !digits(whole) || !digits(fraction) {
            return Err(wrong());
        }
        if whole.len() + fraction.len() > MAX_DIGITS || exponent.abs() > MAX_EXPONENT {
            return Err("a number with more digits than can be kept".into());
        }
        Ok(Number::from_parts(
            negative,
            &format!("{whole}{fraction}"),
            exponent - fraction.len() as i64,
        ))
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let d = match &self.0 {
            Repr::Whole(whole) => return whole.fmt(f),
            Repr::Decimal(d) => d,
        };
        if d.negative {
            f.write_str("-")?;
        }
        let length = d.digits.len() as i64;
        if d.exponent > MAX_ZEROS || d.exponent + length < -MAX_ZEROS {
            return write!(f, "{}e{}", d.digits, d.exponent);
        }
        if d.exponent >= 0 {
            return write!(f, "{}{}", d.digits, "0".repeat(d.exponent as usize));
        }
        let before = length + d.exponent;
        if before > 0 {
            let (whole, fraction) = d.digits.split_at(before as usize);
            write!(f, "{whole}.{fraction}")
        } else {
            write!(f, "0.{}{}", "0".repeat(-before as usize), d.digits)
        }
    }
}

impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Number) -> Ordering {
        if let (Repr::Whole(a), Repr::Whole(b)) = (&self.0, &other.0) {
            return a.cmp(b);
        }
        let (a_negative, a, a_exponent) = self.parts();
        let (b_negative, b, b_exponent) = other.parts();
        if a_negative != b_negative {
            return b_negative.cmp(&a_negative);
        }
        if a == "0" || b == "0" {
            let sizes = (a != "0").cmp(&(b != "0"));
            return if a_negative || b_negative {
                sizes.reverse()
            } else {
                sizes
            };
        }
        // Same sign, both not zero: the place of the first digit decides, then the digits themselves.
        let size = (a.len() as i64 + a_exponent)
            .cmp(&(b.len() as i64 + b_exponent))
            .then_with(|| a.trim_end_matches('0').cmp(b.trim_end_matches('0')));
        if a_negative { size.reverse() } else { size }
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Number) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Default for Number {
    fn default() -> Number {
        Number(Repr::Whole(0))
    }
}

impl From<i64> for Number {
    fn from(whole: i64) -> Number {
        Number(Repr::Whole(whole))
    }
}

impl From<u64> for Number {
    fn from(whole: u64) -> Number {
        match i64::try_from(whole) {
            Ok(whole) => Number::from(whole),
            Err(_) => Number::from_parts(false, &whole.to_string(), 0),
        }
    }
}

impl From<i32> for Number {
    fn from(whole: i32) -> Number {
        Number::from(i64::from(whole))
    }
}

impl From<u32> for Number {
    fn from(whole: u32) -> Number {
        Number::from(i64::from(whole))
    }
}

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.as_i64() {
            Some(whole) => serializer.serialize_i64(whole),
            None => serializer.serialize_newtype_struct(NUMBER_TOKEN, &self.to_string()),
        }
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Number, D::Error> {
        deserializer.deserialize_newtype_struct(NUMBER_TOKEN, NumberVisitor)
    }
}

struct NumberVisitor;

impl<'de> de::Visitor<'de> for NumberVisitor {
    type Value = Number;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number")
    }

    fn visit_i64<E>(self, whole: i64) -> Result<Number, E> {
        Ok(Number::from(whole))
    }

    fn visit_u64<E>(self, whole: u64) -> Result<Number, E> {
        Ok(Number::from(whole))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Number, E> {
        Number::shortest(value)
            .ok_or_else(|| E::invalid_value(de::Unexpected::Float(value), &"a finite number"))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Number, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(
        self,
        deserializer: D,
    ) -> Result<Number, D::Error> {
        deserializer.deserialize_any(NumberVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn number(text: &str) -> Number {
        text.parse().unwrap()
    }

    #[test]
    fn spelling_does_not_matter() {
        for (a, b) in [
            ("1.50", "1.5"),
            ("100", "1e2"),
            ("-0", "0"),
            ("0.0", "0"),
            ("12e-1", "1.2"),
            ("+7", "7"),
            ("9223372036854775808", "9223372036854775808.0"),
        ] {
            assert_eq!(number(a), number(b), "{a} and {b}");
        }
    }

    #[test]
    fn digits_are_kept() {
        for text in [
            "0.1",
            "-123456789012345678901234567890.000000000000000001",
            "18446744073709551615",
            "-9223372036854775808",
            "9223372036854775808",
            "0.00012",
        ] {
            assert_eq!(number(text).to_string(), text);
        }
    }

    #[test]
    fn nonsense_and_giants_are_refused() {
        for text in [
            "", "-", "1.2.3", "0x10", "inf", "NaN", "1e", "e1", ".", "1_0",
        ] {
            assert!(text.parse::<Number>().is_err(), "{text}");
        }
        assert!("1e99999999999999".parse::<Number>().is_err());
        assert!("9".repeat(MAX_DIGITS + 1).parse::<Number>().is_err());
    }

    #[test]
    fn binary_fractions_convert_both_ways() {
        assert_eq!(number("0.5").as_exact_f64(), Some(0.5));
        assert_eq!(number("0.1").as_exact_f64(), None);
        assert_eq!(Number::shortest(0.1), Some(number("0.1")));
        assert_ne!(Number::exact(0.1), Some(number("0.1")));
        assert_eq!(Number::exact(f64::NAN), None);
        assert_eq!(Number::shortest(f64::INFINITY), None);
        assert_eq!(number("1e-1000000").as_exact_f64(), None);
    }

    proptest! {
        #[test]
        fn text_and_back(negative: bool, digits in "[0-9]{1,60}", exponent in -80i64..80) {
            let value = Number::from_parts(negative, &digits, exponent);
            prop_assert_eq!(number(&value.to_string()), value);
        }

        #[test]
        fn doubles_and_back(value in any::<f64>().prop_filter("finite", |f| f.is_finite())) {
            let exact = Number::exact(value).unwrap();
            prop_assert_eq!(exact.to_f64(), value);
            prop_assert_eq!(exact.as_exact_f64(), Some(value + 0.0));
            prop_assert_eq!(Number::shortest(value).unwrap().to_f64(), value);
        }

        #[test]
        fn order_is_numeric(a in -1e6f64..1e6, b in -1e6f64..1e6) {
            let (x, y) = (Number::exact(a).unwrap(), Number::exact(b).unwrap());
            prop_assert_eq!(x.cmp(&y), a.partial_cmp(&b).unwrap());
        }

        #[test]
        fn whole_numbers_and_back(a: u64, b: i64) {
            prop_assert_eq!(Number::from(a).as_u64(), Some(a));
            prop_assert_eq!(number(&b.to_string()), Number::from(b));
        }
    }
}
