//! The secret texts of this run, so that no log line and no message shows one. Knows texts only, not where they are from.
//!
//! Whoever meets a secret registers it; whoever writes text for people or files masks it. The registry lives as long as the
//! process, and a text is never taken out again: a log line may come late.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{LazyLock, PoisonError, RwLock};

use base64::Engine;
use zeroize::Zeroizing;

/// What stands in the place of a secret.
pub const MASK: &str = "(secret)";

/// Shorter texts are not registered: masking every `on` or `443` would tell more than it hides.
const SHORTEST: usize = 4;

/// Lines of a long secret, such as a key in PEM, are masked one by one from this length on.
const SHORTEST_LINE: usize = 16;

static KNOWN: LazyLock<RwLock<Known>> = LazyLock::new(Default::default);

/// From now on `text` is masked wherever this process writes, also where it stands escaped, percent-encoded or in base64.
/// Texts of less than four bytes are ignored.
pub fn register(text: &str) {
    let known = KNOWN.read().unwrap_or_else(PoisonError::into_inner);
    if text.len() < SHORTEST || known.has(text) {
        return;
    }
    drop(known);
    KNOWN
        .write()
        .unwrap_or_else(PoisonError::into_inner)
        .add(text);
}

/// `text` with every registered secret replaced by [`MASK`].
pub fn mask(text: &str) -> Cow<'_, str> {
    KNOWN
        .read()
        .unwrap_or_else(PoisonError::into_inner)
        .mask(text)
}

/// Secrets by their first bytes, the longest first: one pass over a text looks up each place once.
#[derive(Default)]
struct Known(HashMap<[u8; SHORTEST], Vec<Zeroizing<String>>>);

impl Known {
    /// Every message of a resource brings its secrets again: most of the time there is nothing to write.
    fn has(&self, text: &str) -> bool {
        let same_start = start_of(text.as_bytes()).and_then(|start| self.0.get(&start));
        same_start.is_some_and(|all| all.iter().any(|known| **known == text))
    }

    fn add(&mut self, text: &str) {
        self.add_spelling(text.to_owned());
        self.add_spelling(text.escape_debug().collect());
        if let Ok(json) = serde_json::to_string(text) {
            self.add_spelling(json.trim_matches('"').to_owned());
        }
        self.add_spelling(percent_encoded(text));
        if text.len() >= 2 * SHORTEST {
            self.add_spelling(base64::engine::general_purpose::STANDARD_NO_PAD.encode(text));
        }
        let lines: Vec<&str> = text.lines().collect();
        for line in lines.iter().map(|line| line.trim()) {
            // The frame of a PEM text is no secret, and masking it would hide which file a message is about.
            if lines.len() > 1 && line.len() >= SHORTEST_LINE && !line.starts_with("-----") {
                self.add_spelling(line.to_owned());
            }
        }
    }

    fn add_spelling(&mut self, text: String) {
        let text = Zeroizing::new(text);
        let Some(start) = start_of(text.as_bytes()) else {
            return;
        };
        let same_start = self.0.entry(start).or_default();
        if !same_start.iter().any(|known| **known == *text) {
            same_start.push(text);
            same_start.sort_by_key(|known| std::cmp::Reverse(known.len()));
        }
    }

    fn mask<'a>(&self, text: &'a str) -> Cow<'a, str> {
        if self.0.is_empty() {
            return Cow::Borrowed(text);
        }
        let mut masked = String::new();
        let (mut copied, mut at) = (0, 0);
        while let Some(start) = start_of(&text.as_bytes()[at..]) {
            let rest = &text.as_bytes()[at..];
            let found = self.0.get(&start).and_then(|same_start| {
                same_start
                    .iter()
                    .find(|known| rest.starts_with(known.as_bytes()))
            });
            if let Some(known) = found {
                masked.push_str(&text[copied..at]);
                masked.push_str(MASK);
                at += known.len();
                copied = at;
            } else {
                at += 1;
            }
        }
        if copied == 0 {
            return Cow::Borrowed(text);
        }
        masked.push_str(&text[copied..]);
        Cow::Owned(masked)
    }
}

fn start_of(text: &[u8]) -> Option<[u8; SHORTEST]> {
    text.first_chunk().copied()
}

fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(texts: &[&str]) -> Known {
        let mut known = Known::default();
        for text in texts {
            known.add(text);
        }
        known
    }

    #[test]
    fn a_registered_text_is_masked_wherever_it_stands() {
        let known = known(&["hunter2", "hunter2000"]);
        assert_eq!(
            known.mask("hunter2, xhunter2000y and hunter2hunter2"),
            "(secret), x(secret)y and (secret)(secret)"
        );
        assert_eq!(known.mask("nothing here: hunter"), "nothing here: hunter");
        assert_eq!(known.mask("größe hunter2 größe"), "größe (secret) größe");
    }

    #[test]
    fn other_spellings_of_a_secret_are_masked_too() {
        let secret = "päss \"word\"\n/with=all&sorts&kinds";
        let known = known(&[secret]);
        for spelling in [
            format!("{secret:?}"),
            serde_json::to_string(secret).unwrap(),
            format!("https://host/?key={}", percent_encoded(secret)),
            base64::engine::general_purpose::STANDARD.encode(secret),
            "the second line: /with=all&sorts&kinds".to_owned(),
        ] {
            let masked = known.mask(&spelling);
            assert!(masked.contains(MASK), "{spelling} became {masked}");
            assert!(!masked.contains("kinds"), "{spelling} became {masked}");
        }
    }

    #[test]
    fn very_short_texts_are_not_registered() {
        assert_eq!(known(&["", "a", "443"]).mask("a port 443"), "a port 443");
    }
}
