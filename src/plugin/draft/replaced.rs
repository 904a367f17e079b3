//! Which changes replace an object, by path.

use super::super::{
    Dynamic, Path,
    schema::{BlockNesting, Fields, Kind, Nesting},
};
use std::collections::BTreeMap;

/// The attributes whose change replaces the object, and which do change. `planned` holds computed attributes as they
/// are stored unless somebody set them: that they may change is no reason.
pub fn replaced(fields: &Fields, planned: &Dynamic, prior: &Dynamic) -> Vec<Path> {
    let mut found = Vec::new();
    if prior.is_known() {
        replaced_in(fields, planned, prior, &Path::root(), &mut found);
    }
    found
}

fn replaced_in(
    fields: &Fields,
    planned: &Dynamic,
    prior: &Dynamic,
    path: &Path,
    found: &mut Vec<Path>,
) {
    for (name, attr) in &fields.attrs {
        let (planned, prior) = (planned.get(name), prior.get(name));
        if planned == prior {
            continue;
        }
        let path = path.clone().attr(name);
        if attr.replace {
            found.push(path);
            continue;
        }
        if let Kind::Nested(nesting, inner) = &attr.kind {
            let single = *nesting == Nesting::Single;
            let set = *nesting == Nesting::Set;
            replaced_each(inner, planned, prior, &path, (single, set), found);
        }
    }
    for (name, block) in &fields.blocks {
        let (planned, prior) = (planned.get(name), prior.get(name));
        if planned != prior {
            let path = path.clone().attr(name);
            let single = matches!(block.nesting, BlockNesting::Single | BlockNesting::Group);
            let set = block.nesting == BlockNesting::Set;
            replaced_each(&block.fields, planned, prior, &path, (single, set), found);
        }
    }
}

fn replaced_each(
    fields: &Fields,
    planned: &Dynamic,
    prior: &Dynamic,
    path: &Path,
    (single, set): (bool, bool),
    found: &mut Vec<Path>,
) {
    let nothing = &Dynamic::Null;
    if single {
        return replaced_in(fields, planned, prior, path, found);
    }
    if set {
        // An element that differs in what replaces is another element; the set itself is the nearest address.
        if any_replaces(fields) {
            found.push(path.clone());
        }
        return;
    }
    if let (Dynamic::List(_), _) | (_, Dynamic::List(_)) = (planned.inner(), prior.inner()) {
        let planned = planned.items().unwrap_or_default();
        let prior = prior.items().unwrap_or_default();
        for index in 0..planned.len().max(prior.len()) {
            let path = path.clone().index(index as i64);
            let planned = planned.get(index).unwrap_or(nothing);
            replaced_in(
                fields,
                planned,
                prior.get(index).unwrap_or(nothing),
                &path,
                found,
            );
        }
        return;
    }
    let keys = planned.entries().into_iter().chain(prior.entries());
    let mut keys: Vec<&String> = keys.flat_map(BTreeMap::keys).collect();
    keys.sort_unstable();
    keys.dedup();
    for key in keys {
        let path = path.clone().key(key);
        replaced_in(fields, planned.get(key), prior.get(key), &path, found);
    }
}

fn any_replaces(fields: &Fields) -> bool {
    let attrs = fields.attrs.values();
    attrs
        .map(|attr| (attr.replace, attr.nested_fields()))
        .any(|(replace, inner)| replace || inner.is_some_and(any_replaces))
        || fields
            .blocks
            .values()
            .any(|block| any_replaces(&block.fields))
}
