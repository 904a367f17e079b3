//! Versions: which one is chosen where the user gives none, and which is lower than which.

use super::{Backend, ServiceKind};
use std::cmp::Ordering;

/// The newest InvenioILS that this release was tested with.
pub const APPLICATION: &str = "9.0.1";

/// The newest version of a service that this release was tested with. None where a version means nothing (object storage).
pub fn newest(kind: ServiceKind, backend: Option<Backend>) -> Option<&'static str> {
    match (kind, backend) {
        (_, Some(Backend::Object)) => None,
        (ServiceKind::Database, _) => Some("15"),
        (ServiceKind::Search, _) => Some("3.8.0"),
        (ServiceKind::Cache, _) => Some("7.0"),
        (ServiceKind::Queue, _) => Some("3.10"),
        (ServiceKind::Storage, _) => Some("4.2"),
    }
}

/// What a guest can install of a service: the newest version, and older or other ones that are known to work.
pub fn offered(kind: ServiceKind) -> &'static [&'static str] {
    match kind {
        ServiceKind::Database => &["15"],
        ServiceKind::Search => &["3.8.0", "2.19.6"],
        ServiceKind::Cache => &["7.0"],
        ServiceKind::Queue => &["3.10"],
        ServiceKind::Storage => &["4.2"],
    }
}

/// Compares versions the way releases are ordered: number by number, and a pre-release before its release.
///
/// A number that one of them lacks counts as zero: `15` equals `15.0`.
pub fn compare(left: &str, right: &str) -> Ordering {
    let (left_numbers, left_tail) = split(left);
    let (right_numbers, right_tail) = split(right);
    let length = left_numbers.len().max(right_numbers.len());
    let at = |numbers: &[u64], i: usize| numbers.get(i).copied().unwrap_or(0);
    (0..length)
        .map(|i| at(&left_numbers, i).cmp(&at(&right_numbers, i)))
        .find(|order| order.is_ne())
        .unwrap_or_else(|| match (left_tail, right_tail) {
            ("", "") => Ordering::Equal,
            ("", tail) => after_release(tail).reverse(),
            (tail, "") => after_release(tail),
            (left, right) => left.cmp(right),
        })
}

/// Whether going from one to the other would be a step back.
pub fn is_lower(wanted: &str, installed: &str) -> bool {
    compare(wanted, installed).is_lt()
}

/// Whether this reads as a version at all: a number first, then letters, digits, dots and hyphens.
pub fn is_version(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_digit())
        && text.len() <= 64
        && text
            .chars()
            .all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-' | '+'))
}

/// `9.0.1rc2` is `[9, 0, 1]` and `rc2`.
fn split(version: &str) -> (Vec<u64>, &str) {
    let end = version
        .find(|letter: char| !letter.is_ascii_digit() && letter != '.')
        .unwrap_or(version.len());
    let numbers = version[..end].split('.').filter(|part| !part.is_empty());
    (
        numbers
            .map(|part| part.parse().unwrap_or(u64::MAX))
            .collect(),
        version[end..].trim_start_matches(['.', '-']),
    )
}

/// `post1` and build numbers come after the release, everything else (`a1`, `b2`, `rc1`, `dev0`) before it.
fn after_release(tail: &str) -> Ordering {
    if tail.starts_with("post") || tail.starts_with('+') {
        Ordering::Greater
    } else {
        Ordering::Less
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_ordered_by_number_not_by_letter() {
        let ordered = [
            "2.19.6",
            "3.8.0rc1",
            "3.8.0",
            "3.8.0.post1",
            "3.10",
            "9.0.1",
            "10",
        ];
        for pair in ordered.windows(2) {
            assert!(is_lower(pair[0], pair[1]), "{} < {}", pair[0], pair[1]);
            assert!(!is_lower(pair[1], pair[0]), "{} > {}", pair[1], pair[0]);
        }
        assert_eq!(compare("15", "15.0"), Ordering::Equal);
    }

    #[test]
    fn the_newest_is_offered() {
        for kind in ServiceKind::ALL {
            assert!(newest(kind, None).is_some_and(|version| offered(kind).contains(&version)));
        }
    }
}
