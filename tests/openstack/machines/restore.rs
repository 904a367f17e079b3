//! A library that lost everything it kept is given back by what `docs/guides/restore.md` says, word for word.

use super::{
    Site,
    site::{note, seconds},
};
use serde_json::{Value, json};
use std::{collections::BTreeMap, path::Path, time::Instant};

const KEEPERS: [&str; 3] = ["database-0", "search-0", "queue-0"];

/// A place and what is to be run there, in the guide's order.
fn steps(guide: &str) -> Vec<(String, Vec<String>)> {
    let blocks = guide.split("```sh\n").skip(1);
    let parsed = blocks.map(|rest| {
        let block = rest.split("```").next().expect("its end");
        let mut lines = block.lines();
        let place = lines.next().and_then(|line| line.strip_prefix("# on "));
        let place = place.unwrap_or_else(|| panic!("no place in: {block}"));
        (place.to_owned(), lines.map(str::to_owned).collect())
    });
    parsed.collect()
}

impl Site {
    fn holdings(&self) -> BTreeMap<String, Value> {
        let of = |name: &str| {
            let said = self.program(name, "holdings.py");
            serde_json::from_str::<BTreeMap<String, Value>>(&said).expect("what it holds")
        };
        KEEPERS.into_iter().flat_map(of).collect()
    }

    /// Does what the guide says. `storage-0` is there only where files lie on a file server.
    fn follow(&self, guide: &str) {
        let machines: Vec<String> = self.servers().into_keys().collect();
        let mut did = Vec::new();
        for (place, lines) in steps(guide) {
            let every = place == "every machine";
            let places: Vec<_> = machines
                .iter()
                .filter(|name| every || **name == place)
                .collect();
            assert!(
                !places.is_empty() || place == "storage-0",
                "no {place} among {machines:?}"
            );
            for (name, line) in places
                .iter()
                .flat_map(|name| lines.iter().map(move |line| (name, line)))
            {
                let began = Instant::now();
                self.shell(name, line);
                did.push(format!("{name}: {line}"));
                if !every {
                    note(&format!("… `{line}` on {name}"), &seconds(began.elapsed()));
                }
            }
        }
        for name in KEEPERS {
            assert!(
                did.contains(&format!("{name}: invenioils restore backups")),
                "{name} is not restored: {did:?}"
            );
        }
    }
}

/// All that people did is in the backups, and comes back from them alone.
pub fn by_the_guide(site: &Site, left: &Value) {
    // what the worker and the scheduler would do within three hours: events counted, patrons found
    for words in ["stats events process --eager", "patrons index"] {
        site.invenio("ils-worker-0", words);
    }

    for name in KEEPERS {
        site.shell(name, "invenioils backup backups");
    }
    let before = site.holdings();
    for kind in [
        "table public.files_files",
        "file ",
        "index documents",
        "index vocabularies",
        "index events-stats",
        "queue ",
    ] {
        let there = |(name, held): (&String, &Value)| {
            name.starts_with(kind) && held.as_u64().is_none_or(|it| it > 0)
        };
        assert!(before.iter().any(there), "no {kind} in {before:?}");
    }

    for name in ["database-0", "search-0"] {
        site.program(name, "wipe.py");
    }
    let wiped = site.holdings();
    let gone = [
        "file ",
        "table public.",
        "index documents",
        "index vocabularies",
    ];
    assert!(
        !wiped
            .keys()
            .any(|it| gone.iter().any(|kind| it.starts_with(kind))),
        "not wiped: {wiped:?}"
    );

    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let guide = std::fs::read_to_string(root.join("docs/guides/restore.md")).expect("the guide");
    let began = Instant::now();
    site.follow(&guide);
    note(
        "a wiped library given back by the guide",
        &seconds(began.elapsed()),
    );
    let after = site.holdings();
    for (name, held) in &before {
        assert_eq!(after.get(name), Some(held), "{name}");
    }
    assert_eq!(before.len(), after.len(), "{before:?}\n{after:?}");
    site.ready(120);
    site.probe("kept", json!({ "left": left }));
}
