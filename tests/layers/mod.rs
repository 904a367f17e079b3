//! The layers of ARCHITECTURE.md, held by reading the source: which layer names which, and which words it may not say.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// What each layer may use besides itself. `main` names the library by its crate name.
const ARROWS: [(&str, &[&str]); 8] = [
    ("main", &["provider", "plugin"]),
    (
        "provider",
        &["resource", "data", "platform", "engine", "plugin", "site"],
    ),
    ("resource", &["platform", "engine", "plugin", "site"]),
    (
        "data",
        &["resource", "platform", "engine", "plugin", "site"],
    ),
    ("platform", &["engine", "site"]),
    ("engine", &[]),
    ("site", &[]),
    ("plugin", &[]),
];

/// Words that would mean that a layer knows too much. The layer's own promise not to say them is no offence.
const UNSAID: [(&str, &[&str]); 3] = [
    ("plugin", &["invenio", "openstack", "librarian"]),
    (
        "engine",
        &[
            "openstack",
            "kubernetes",
            "octavia",
            "neutron",
            "keystone",
            "terraform",
        ],
    ),
    ("platform", &["terraform"]),
];

/// Every Rust file below `src`, with its path from there.
pub fn sources() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    collect(&root, &mut found);
    let mut files: Vec<_> = found
        .into_iter()
        .map(|path| {
            let text = fs::read_to_string(&path).expect("a source file is text");
            (
                path.strip_prefix(&root).expect("below src").to_path_buf(),
                text,
            )
        })
        .collect();
    files.sort();
    files
}

pub fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder that can be read") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect(&path, found);
        } else if path.extension().is_some_and(|it| it == "rs") {
            found.push(path);
        }
    }
}

fn layer(path: &Path) -> String {
    let first = path.components().next().expect("a file name").as_os_str();
    first.to_string_lossy().trim_end_matches(".rs").to_owned()
}

fn without_comments(text: &str) -> String {
    let code = |line: &str| match line.find("//") {
        // An address in a string is no comment: what follows it on the line is read, too, and does no harm.
        Some(at) if !line[..at].ends_with(':') => line[..at].to_owned(),
        _ => line.to_owned(),
    };
    text.lines().map(code).collect::<Vec<_>>().join("\n")
}

/// The layers that the code names, by `crate::x`, `crate::{x, y}` or, in `main.rs`, `invenioils::x`.
fn names(code: &str) -> Vec<String> {
    let mut found = Vec::new();
    for root in ["crate::", "invenioils::"] {
        for (at, _) in code.match_indices(root) {
            let rest = &code[at + root.len()..];
            match rest.strip_prefix('{') {
                Some(group) => found.extend(top_level_of(group)),
                None => found.extend(word(rest)),
            }
        }
    }
    found
}

fn word(text: &str) -> Option<String> {
    let end = text
        .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .unwrap_or(text.len());
    (end > 0).then(|| text[..end].to_owned())
}

/// The first word of each entry of a `{…}` group, nested groups left out.
fn top_level_of(group: &str) -> Vec<String> {
    let (mut depth, mut entry, mut found) = (0, String::new(), Vec::new());
    for c in group.chars() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                found.extend(word(entry.trim()));
                entry.clear();
            }
            _ if depth == 0 => entry.push(c),
            _ => {}
        }
    }
    found.extend(word(entry.trim()));
    found
}

#[test]
fn arrows_point_down() {
    let allowed: BTreeMap<_, _> = ARROWS.into_iter().collect();
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        let from = layer(&path);
        if from == "lib" {
            continue;
        }
        let Some(may) = allowed.get(from.as_str()) else {
            wrong.push(format!(
                "{}: the layer `{from}` is not on the map",
                path.display()
            ));
            continue;
        };
        for to in names(&without_comments(&text)) {
            if allowed.contains_key(to.as_str()) && to != from && !may.contains(&to.as_str()) {
                wrong.push(format!("{}: {from} -> {to}", path.display()));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "arrows that do not point down:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn no_layer_says_what_it_must_not_know() {
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        let layer = layer(&path);
        // A test may take a cloud or a provider as an example; what users get may not.
        let product = text.split("#[cfg(test)]").next().unwrap_or_default();
        for (_, words) in UNSAID.iter().filter(|(it, _)| *it == layer) {
            for (number, line) in product.lines().enumerate() {
                // The name of the binary is what clouds know us by.
                let low = line
                    .to_lowercase()
                    .replace("terraform-provider-invenioils", "");
                let promise = low.contains("never say")
                    || low.contains("never speak")
                    || low.contains("says nothing of")
                    || low.contains("knows no");
                let abbreviated = layer == "plugin"
                    && line
                        .split(|c: char| !c.is_alphanumeric())
                        .any(|word| word == "ILS");
                if let Some(said) = words
                    .iter()
                    .copied()
                    .chain(abbreviated.then_some("ILS"))
                    .find(|word| !promise && (*word == "ILS" || low.contains(word)))
                {
                    wrong.push(format!(
                        "{}:{}: says `{}`: {}",
                        path.display(),
                        number + 1,
                        said.trim(),
                        line.trim()
                    ));
                }
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "words that a layer must not know:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn the_reader_of_this_test_understands_use_lines() {
    let code =
        "use crate::engine::{Graph, Run};\nuse crate::{site::Id, plugin::{wire, value}, data};\n";
    assert_eq!(names(code), ["engine", "site", "plugin", "data"]);
    assert_eq!(
        names(&without_comments("let a = b; // crate::engine")),
        Vec::<String>::new()
    );
}

/// One TLS stack, one HTTP client, one runtime: what `deny.toml` bans is not in the lock file.
#[test]
fn nothing_banned_is_locked() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let deny = fs::read_to_string(root.join("deny.toml")).expect("deny.toml");
    let lock = fs::read_to_string(root.join("Cargo.lock")).expect("Cargo.lock");
    let banned: Vec<_> = deny
        .lines()
        .filter_map(|line| line.trim().strip_prefix("{ name = \"")?.split('"').next())
        .collect();
    assert!(banned.len() > 3, "deny.toml lists what is banned");
    for name in banned {
        assert!(
            !lock.contains(&format!("name = \"{name}\"\n")),
            "{name} is banned and locked"
        );
    }
}
