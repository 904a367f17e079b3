//! The pages under `docs/` are those that the schemas make. `make docs` writes them; this holds them current.

use invenioils::{plugin::docs, provider::InvenioIls};
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// Pages of the registry, and no others: what else lies in `docs/` (figures, results of drills) is written elsewhere.
const FOLDERS: [&str; 7] = [
    "resources",
    "data-sources",
    "ephemeral-resources",
    "list-resources",
    "actions",
    "functions",
    "guides",
];

/// Pages that people wrote. What they promise is held by a test of its own.
const WRITTEN: [&str; 1] = ["guides/restore.md"];

#[test]
fn the_pages_are_current() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = root.join("docs");
    let pages = docs::render(&InvenioIls::default(), &root.join("examples"));
    assert!(pages.len() > 5, "an index and a page for each resource");
    let writing = std::env::var_os("UPDATE_DOCS").is_some();
    let mut old = Vec::new();
    for (path, text) in &pages {
        let place = folder.join(path);
        if writing {
            fs::create_dir_all(place.parent().expect("a folder")).expect("a folder");
            fs::write(&place, text).expect("a page");
        } else if fs::read_to_string(&place).unwrap_or_default() != *text {
            old.push(path.display().to_string());
        }
    }
    assert!(
        old.is_empty(),
        "`make docs` writes these anew: {}",
        old.join(", ")
    );

    let mut known: BTreeSet<PathBuf> = pages.keys().map(|path| folder.join(path)).collect();
    for name in WRITTEN {
        let text = fs::read_to_string(folder.join(name)).expect("a page");
        assert!(
            text.starts_with("---\npage_title: \"") && text.contains("\ndescription: |-\n"),
            "{name}: the registry wants to know its title"
        );
        known.insert(folder.join(name));
    }
    for name in FOLDERS {
        for entry in fs::read_dir(folder.join(name))
            .into_iter()
            .flatten()
            .flatten()
        {
            assert!(
                known.contains(&entry.path()),
                "nothing makes {}",
                entry.path().display()
            );
        }
    }
}
