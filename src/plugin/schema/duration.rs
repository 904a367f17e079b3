//! Lengths of time as users write them ("1h30m"), and the `timeouts` attribute made of them.

use super::{Attr, object, text};
use crate::plugin::Value;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Reads `30s`, `5m`, `1h30m`, `500ms`, `1.5h`: numbers, each with its unit.
///
/// # Errors
/// Says what was expected.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is no duration: write \"30s\", \"5m\" or \"1h30m\"");
    let mut total = Duration::ZERO;
    let mut rest = text;
    if rest.is_empty() {
        return Err(wrong());
    }
    while !rest.is_empty() {
        let unit_at = rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .ok_or_else(wrong)?;
        let count: f64 = rest[..unit_at].parse().map_err(|_| wrong())?;
        rest = &rest[unit_at..];
        let unit_end = rest
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(rest.len());
        let seconds = match &rest[..unit_end] {
            "h" => 3600.0,
            "m" => 60.0,
            "s" => 1.0,
            "ms" => 0.001,
            "us" | "µs" => 0.000_001,
            "ns" => 0.000_000_001,
            _ => return Err(wrong()),
        };
        let part = Duration::try_from_secs_f64(count * seconds).map_err(|_| wrong())?;
        total = total.checked_add(part).ok_or_else(wrong)?;
        rest = &rest[unit_end..];
    }
    Ok(total)
}

/// The model of a `timeouts` attribute; operations that a schema does not name stay null.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Timeouts {
    pub create: Value<String>,
    pub read: Value<String>,
    pub update: Value<String>,
    pub delete: Value<String>,
}

/// The `timeouts` attribute: how long each operation may take, with the default of each.
///
/// What users leave out stays null in the state; a call's deadline comes from here all the same.
///
/// # Panics
/// If a default is no duration, which the first test of the schema shows.
pub fn timeouts(operations: &[(&str, &str)]) -> Attr {
    let limits: Vec<(String, Duration)> = operations
        .iter()
        .map(|&(name, default)| {
            let limit = parse_duration(default).expect("a default written in the source");
            (name.to_owned(), limit)
        })
        .collect();
    let attrs = operations.iter().map(|&(name, default)| {
        let attr = text()
            .optional()
            .check_text(|text| match parse_duration(text) {
                Ok(Duration::ZERO) => Err("a time limit of zero lets nothing happen".into()),
                Ok(_) => Ok(()),
                Err(error) => Err(error),
            })
            .doc(format!(
                "How long `{name}` may take, such as `90s` or `1h30m`. Default: `{default}`."
            ));
        (name, attr)
    });
    let mut attr = object(attrs)
        .optional()
        .doc("How long each operation may take.");
    attr.timeouts = limits;
    attr
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_as_go_writes_them() {
        assert_eq!(parse_duration("1h30m"), Ok(Duration::from_secs(5400)));
        assert_eq!(parse_duration("1.5s"), Ok(Duration::from_millis(1500)));
        assert_eq!(parse_duration("250ms"), Ok(Duration::from_millis(250)));
        for text in [
            "",
            "5",
            "m",
            "5 m",
            "-5m",
            "1d",
            "1..2s",
            "9999999999999999999999h",
        ] {
            assert!(parse_duration(text).is_err(), "{text}");
        }
    }
}
