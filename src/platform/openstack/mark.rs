//! The mark that every object of ours bears from its first moment: which thing it belongs to, and which step it is.
//!
//! `invenioils service library/database volume-0`. Names are no keys in OpenStack, so the mark stands wherever a kind of
//! object has room for a text of its own: description, metadata, tag, or the name itself.

use crate::site::{Id, Sort};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The first word of every mark, and the tag of what can be listed by tag.
pub const OURS: &str = "invenioils";

#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Mark(String);

impl Mark {
    pub fn new(thing: &Id, step: &str) -> Self {
        Self(format!("{OURS} {} {thing} {step}", thing.sort.as_str()))
    }
    pub fn as_str(&self) -> &str {
        &self.0
    }
    /// What all marks of the thing begin with.
    pub fn thing(&self) -> &str {
        self.0.rsplit_once(' ').map_or("", |(thing, _)| thing)
    }
    /// The step, if this is a mark of that thing.
    pub fn step_of<'a>(text: &'a str, thing: &Id) -> Option<&'a str> {
        let mut words = text.split(' ');
        let ours = words.next() == Some(OURS) && words.next() == Some(thing.sort.as_str());
        let its = ours && words.next() == Some(thing.to_string().as_str());
        words
            .next()
            .filter(|step| its && !step.is_empty() && words.next().is_none())
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A name that reads well in the cloud's own tools: `library-database-0`.
pub fn name(thing: &Id, rest: &str) -> String {
    let own = thing
        .name
        .as_ref()
        .map(|name| format!("-{name}"))
        .unwrap_or_default();
    let rest = if rest.is_empty() {
        String::new()
    } else {
        format!("-{rest}")
    };
    // A service and a certificate may have one name: what is no machine says its sort.
    let sort = match thing.sort {
        Sort::Environment | Sort::Service | Sort::Instance => "",
        Sort::Certificate => "-certificate",
        Sort::BackupPolicy => "-backup",
    };
    format!("{}{sort}{own}{rest}", thing.environment)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_names_its_thing_and_step_and_no_other() {
        let database = Id::parse(Sort::Service, "library/database").unwrap();
        let mark = Mark::new(&database, "volume-0");
        assert_eq!(
            mark.as_str(),
            "invenioils service library/database volume-0"
        );
        assert_eq!(Mark::step_of(mark.as_str(), &database), Some("volume-0"));
        for other in [
            Id::parse(Sort::Instance, "library/database"),
            Id::parse(Sort::Service, "library/data"),
            Id::parse(Sort::Service, "lib/database"),
        ] {
            assert_eq!(Mark::step_of(mark.as_str(), &other.unwrap()), None);
        }
        assert_eq!(
            Mark::step_of(
                "invenioils service library/database volume-0 mine",
                &database
            ),
            None
        );
        assert_eq!(Mark::step_of("somebody's volume", &database), None);
    }

    #[test]
    fn names_read_well() {
        assert_eq!(
            name(&Id::parse(Sort::Service, "library/database").unwrap(), "0"),
            "library-database-0"
        );
        assert_eq!(
            name(&Id::parse(Sort::Environment, "library").unwrap(), "web"),
            "library-web"
        );
        assert_eq!(
            name(&Id::parse(Sort::Environment, "library").unwrap(), ""),
            "library"
        );
        assert_eq!(
            name(
                &Id::parse(Sort::Certificate, "library/main").unwrap(),
                "bundle"
            ),
            "library-certificate-main-bundle"
        );
    }
}
