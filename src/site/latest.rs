//! The newest backup of a policy, told from the names that lie in its bucket. `guest/files/backup.py` gives these names.

use super::Id;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One finished backup of one service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backup {
    pub id: String,
    /// RFC 3339.
    pub finished_at: String,
    pub size_bytes: u64,
    #[serde(default)]
    pub verified: bool,
}

/// A policy's newest backup: of the service that is furthest behind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Latest {
    pub service: Id,
    pub backup: Backup,
}

/// Something in a bucket, by its name without the folder.
#[derive(Debug, Clone)]
pub struct Lying {
    pub name: String,
    pub size_bytes: u64,
    /// RFC 3339.
    pub written_at: String,
}

impl Backup {
    /// The newest that is finished. `<id>.<kind>[.age]` is the backup; `<id>.json` was written when it was finished, and
    /// `<id>.verified` when a rehearsal had restored it. `<id>.partial` stays beside one without what goes with it.
    pub fn newest(bucket: &[Lying]) -> Option<Self> {
        let mut found: BTreeMap<&str, Beside> = BTreeMap::new();
        for lying in bucket {
            let Some((id, kind)) = lying.name.split_once('.') else {
                continue;
            };
            let beside = found.entry(id).or_default();
            match kind {
                "json" => beside.finished = true,
                "verified" => beside.verified = true,
                "partial" => beside.partial = true,
                _ => beside.object = Some(lying),
            }
        }
        // An id is a time: the last of them is the newest.
        found.into_iter().rev().find_map(|(id, it)| {
            let object = it.object.filter(|_| it.finished && !it.partial)?;
            Some(Self {
                id: id.to_owned(),
                finished_at: object.written_at.clone(),
                size_bytes: object.size_bytes,
                verified: it.verified,
            })
        })
    }
}

/// What lies under one id.
#[derive(Default)]
struct Beside<'a> {
    object: Option<&'a Lying>,
    finished: bool,
    verified: bool,
    partial: bool,
}

impl Latest {
    /// Of all services' newest backups the oldest: everything that the policy keeps is at least as new. None as long as
    /// one of the services has no backup.
    pub fn of(services: impl IntoIterator<Item = (Id, Option<Backup>)>) -> Option<Self> {
        let each: Option<Vec<Self>> = services
            .into_iter()
            .map(|(service, backup)| {
                Some(Self {
                    service,
                    backup: backup?,
                })
            })
            .collect();
        each?
            .into_iter()
            .min_by(|one, other| one.backup.id.cmp(&other.backup.id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::site::Sort;

    fn bucket(names: &[&str]) -> Vec<Lying> {
        let lying = |(at, name): (usize, &&str)| Lying {
            name: (*name).to_owned(),
            size_bytes: at as u64,
            written_at: format!("2026-11-26T03:00:0{at}Z"),
        };
        names.iter().enumerate().map(lying).collect()
    }

    #[test]
    fn the_newest_finished_one_counts_and_no_other() {
        let names = [
            "20261124T030000Z.dump.age",
            "20261124T030000Z.json",
            "20261125T030000Z.dump",
            "20261125T030000Z.json",
            "20261126T030000Z.dump",
            "base/",
            "wal/",
            "note",
        ];
        let newest = Backup::newest(&bucket(&names)).unwrap();
        assert_eq!(
            (newest.id.as_str(), newest.size_bytes, newest.verified),
            ("20261125T030000Z", 2, false)
        );
        assert_eq!(newest.finished_at, "2026-11-26T03:00:02Z");
        assert_eq!(
            Backup::newest(&bucket(&["20261126T030000Z.dump", "20261124T030000Z.json"])),
            None
        );
        assert_eq!(Backup::newest(&[]), None);
        let partial = bucket(&[
            "20261125T030000Z.dump",
            "20261125T030000Z.json",
            "20261125T030000Z.partial",
        ]);
        assert_eq!(Backup::newest(&partial), None);
    }

    #[test]
    fn a_rehearsal_leaves_a_word_beside_its_backup() {
        let names = [
            "20261125T030000Z.json",
            "20261125T030000Z.tar",
            "20261125T030000Z.verified",
        ];
        assert!(Backup::newest(&bucket(&names)).unwrap().verified);
    }

    #[test]
    fn a_policy_is_as_far_as_the_service_that_is_furthest_behind() {
        let id = |name: &str| Id::parse(Sort::Service, &format!("library/{name}")).unwrap();
        let of =
            |id: &str| Backup::newest(&bucket(&[&format!("{id}.dump"), &format!("{id}.json")]));
        let (old, new) = (of("20261125T030000Z"), of("20261126T030000Z"));
        let latest = Latest::of([(id("search"), new.clone()), (id("database"), old)]).unwrap();
        assert_eq!(latest.service, id("database"));
        assert_eq!(latest.backup.id, "20261125T030000Z");
        assert_eq!(
            Latest::of([(id("search"), new), (id("database"), None)]),
            None
        );
        assert_eq!(Latest::of([]), None);
    }
}
