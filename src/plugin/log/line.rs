//! One event as lines of JSON: strings only, masked, and none so long that the reader would break it.

use chrono::{DateTime, Utc};

use crate::plugin::secrets;

/// The reader's buffer holds 64 KiB; a longer line would arrive in pieces that are no JSON.
const LONGEST: usize = 60 * 1024;

/// The longest piece of one value, encoded.
const PIECE: usize = 16 * 1024;

/// The longest value of a field that every line of a request repeats.
const CONTEXT: usize = 256;

/// An event before it is written.
pub struct Record<'a> {
    pub level: tracing::Level,
    pub module: &'a str,
    pub time: DateTime<Utc>,
    pub message: String,
    /// Fields of the spans around, repeated in every line.
    pub context: Vec<(&'static str, String)>,
    pub fields: Vec<(&'static str, String)>,
}

impl Record<'_> {
    /// The lines of this event with their ends. Usually one; long values go on in further lines that say which part they are.
    pub fn lines(&self) -> Vec<String> {
        let head = self.head();
        let mut pieces: Vec<(&str, String)> = Vec::new();
        for (key, value) in std::iter::once(("@message", &self.message))
            .chain(self.fields.iter().map(|(k, v)| (*k, v)))
        {
            let parts = encoded_pieces(&secrets::mask(value));
            pieces.extend(parts.into_iter().map(|part| (key, part)));
        }

        let mut bodies: Vec<(String, Vec<&str>)> = Vec::new();
        for (key, piece) in &pieces {
            let length = key.len() + piece.len() + 8;
            let fits = bodies.last().is_some_and(|(body, keys)| {
                head.len() + body.len() + length < LONGEST && !keys.contains(key)
            });
            if !fits {
                bodies.push(Default::default());
            }
            if let Some((body, keys)) = bodies.last_mut() {
                push_field(body, key, piece);
                keys.push(key);
            }
        }

        let count = bodies.len();
        let lines = bodies
            .into_iter()
            .enumerate()
            .map(|(index, (mut body, keys))| {
                if !keys.contains(&"@message") {
                    push_field(&mut body, "@message", "(goes on)");
                }
                if count > 1 {
                    push_field(&mut body, "part", &format!("{}/{count}", index + 1));
                }
                format!("{{{head}{body}}}\n")
            });
        lines.collect()
    }

    fn head(&self) -> String {
        let mut head = String::with_capacity(256);
        let level = self.level.as_str().to_ascii_lowercase();
        head.push_str(&format!("\"@level\":\"{level}\""));
        push_field(&mut head, "@module", &escaped(self.module));
        let time = self.time.format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string();
        push_field(&mut head, "@timestamp", &time);
        for (key, value) in &self.context {
            let value = secrets::mask(value);
            let short: String = value.chars().take(CONTEXT).collect();
            push_field(&mut head, key, &escaped(&short));
        }
        head
    }
}

fn push_field(line: &mut String, key: &str, encoded: &str) {
    line.push_str(",\"");
    line.push_str(key);
    line.push_str("\":\"");
    line.push_str(encoded);
    line.push('"');
}

/// `text` escaped for JSON, in pieces of at most [`PIECE`] bytes; at least one.
fn encoded_pieces(text: &str) -> Vec<String> {
    let mut pieces = vec![String::new()];
    let mut rest = text;
    while !rest.is_empty() {
        // No character takes more than six bytes when it is escaped.
        let end = floor_char_boundary(rest, PIECE / 6);
        let (part, after) = rest.split_at(end);
        let part = escaped(part);
        match pieces.last_mut() {
            Some(last) if last.len() + part.len() <= PIECE => last.push_str(&part),
            _ => pieces.push(part),
        }
        rest = after;
    }
    pieces
}

fn floor_char_boundary(text: &str, wanted: usize) -> usize {
    if text.len() <= wanted {
        return text.len();
    }
    (0..=wanted)
        .rev()
        .find(|end| text.is_char_boundary(*end))
        .unwrap_or(text.len())
}

fn escaped(text: &str) -> String {
    // A string always has a JSON form; serde_json puts one quote at each end.
    let json = serde_json::to_string(text).unwrap_or_default();
    json.get(1..json.len().saturating_sub(1))
        .unwrap_or_default()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeZone;
    use serde_json::Value;

    fn record(message: &str, fields: Vec<(&'static str, String)>) -> Record<'static> {
        Record {
            level: tracing::Level::WARN,
            module: "provider.probe",
            time: Utc.with_ymd_and_hms(2026, 1, 2, 3, 4, 5).unwrap(),
            message: message.to_owned(),
            context: vec![("tf_rpc", "ReadResource".to_owned())],
            fields,
        }
    }

    #[test]
    fn an_event_is_one_line_of_strings_in_the_form_that_terraform_parses() {
        let lines = record("a \"quoted\"\nline", vec![("size", "3".to_owned())]).lines();
        assert_eq!(
            lines,
            [concat!(
                r#"{"@level":"warn","@module":"provider.probe","@timestamp":"2026-01-02T03:04:05.000000Z","#,
                r#""tf_rpc":"ReadResource","@message":"a \"quoted\"\nline","size":"3"}"#,
                "\n"
            )]
        );
    }

    #[test]
    fn long_values_go_on_in_further_lines_and_nothing_is_lost() {
        let long = "ä\u{1}\"".repeat(60_000);
        let body = "x".repeat(200_000);
        let lines = record(&long, vec![("body", body.clone()), ("short", "s".into())]).lines();
        let (mut message, mut field) = (String::new(), String::new());
        for (index, line) in lines.iter().enumerate() {
            assert!(line.len() < 64 * 1024, "line of {} bytes", line.len());
            assert!(line.ends_with("}\n") && line.matches('\n').count() == 1);
            let parsed: Value = serde_json::from_str(line).unwrap();
            let part = format!("{}/{}", index + 1, lines.len());
            assert_eq!(parsed["part"].as_str(), Some(part.as_str()));
            assert_eq!(parsed["tf_rpc"], "ReadResource");
            let text = parsed["@message"].as_str().unwrap();
            message.push_str(if text == "(goes on)" { "" } else { text });
            field.push_str(parsed["body"].as_str().unwrap_or_default());
        }
        assert!(message == long && field == body);
    }

    #[test]
    fn secrets_are_masked_in_messages_fields_and_context() {
        secrets::register("canary-of-lines");
        let mut record = record("m canary-of-lines", vec![("f", "canary-of-lines".into())]);
        record.context.push(("c", "canary-of-lines".into()));
        let lines = record.lines().concat();
        assert!(!lines.contains("canary"), "{lines}");
        assert_eq!(lines.matches(secrets::MASK).count(), 3);
    }
}
