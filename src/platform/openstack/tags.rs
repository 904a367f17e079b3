//! The user's tags on objects that carry metadata: beside our mark, and with a note of which keys are tags, so that a tag
//! taken out of the configuration is taken off the object.

use super::mark::{Mark, OURS};
use std::collections::BTreeMap;

pub type Tags = BTreeMap<String, String>;

/// The key that lists the keys of all tags.
const KEYS: &str = "invenioils.tags";

/// Metadata with mark and tags.
pub fn metadata(mark: &Mark, tags: &Tags) -> BTreeMap<String, String> {
    let mut metadata = tags.clone();
    metadata.insert(OURS.to_owned(), mark.as_str().to_owned());
    if !tags.is_empty() {
        metadata.insert(
            KEYS.to_owned(),
            tags.keys().cloned().collect::<Vec<_>>().join(","),
        );
    }
    metadata
}

/// What of the wanted metadata is not there, or is there with another value.
pub fn missing(
    wanted: &BTreeMap<String, String>,
    found: &BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    let mut lacking: BTreeMap<_, _> = wanted
        .iter()
        .filter(|(key, value)| found.get(*key) != Some(value))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    for key in stale(wanted, found) {
        lacking.insert(key, String::new());
    }
    lacking
}

/// Keys that were tags once and are none any more.
pub fn stale(wanted: &BTreeMap<String, String>, found: &BTreeMap<String, String>) -> Vec<String> {
    let were = found
        .get(KEYS)
        .map(String::as_str)
        .unwrap_or_default()
        .split(',');
    let mut keys: Vec<_> = were
        .filter(|key| !key.is_empty() && found.contains_key(*key) && !wanted.contains_key(*key))
        .map(str::to_owned)
        .collect();
    if found.contains_key(KEYS) && !wanted.contains_key(KEYS) {
        keys.push(KEYS.to_owned());
    }
    keys
}

/// `key=value`, for services whose tags are plain texts.
pub fn plain(tags: &Tags) -> Vec<String> {
    let texts = tags.iter().map(|(key, value)| format!("{key}={value}"));
    std::iter::once(OURS.to_owned()).chain(texts).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_that_is_no_longer_wanted_is_noticed() {
        let mark = Mark::default();
        let tags = |pairs: &[(&str, &str)]| {
            pairs
                .iter()
                .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
                .collect::<Tags>()
        };
        let before = metadata(&mark, &tags(&[("team", "a"), ("cost", "1")]));
        let after = metadata(&mark, &tags(&[("team", "a")]));
        assert_eq!(stale(&after, &before), ["cost"]);
        assert!(missing(&after, &before).contains_key("cost"));
        assert!(missing(&before, &before).is_empty());
        let none = metadata(&mark, &Tags::new());
        assert_eq!(stale(&none, &before), ["cost", "team", KEYS]);
    }

    #[test]
    fn metadata_of_others_is_left_alone() {
        let wanted = metadata(&Mark::default(), &Tags::new());
        let mut found = wanted.clone();
        found.insert("readonly".into(), "False".into());
        assert!(missing(&wanted, &found).is_empty());
    }
}
