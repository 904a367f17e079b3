//! The plan that follows from schema, configuration and stored object alone. Asks no resource and no cloud.
//!
//! Terraform's own proposal is not used: it is made of the same two values, and differs between versions.

use super::{
    Dynamic, Path, conform,
    schema::{Attr, BlockNesting, Fields, Kind, Nesting, SchemaBlock},
};
use std::collections::BTreeMap;

/// What becomes of computed attributes that nobody set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Computed {
    /// They stay as they are: nothing else changes.
    Carried,
    /// They are unknown, but for those that are kept: the object changes.
    Fresh,
    /// They are null: only defaults are filled in.
    Absent,
}

/// The planned object. Without a stored object everything computed is unknown.
pub fn draft(fields: &Fields, config: &Dynamic, prior: &Dynamic, computed: Computed) -> Dynamic {
    let mut items = BTreeMap::new();
    for (name, attr) in &fields.attrs {
        let planned = attribute(attr, config.get(name), known(prior, name), computed);
        items.insert(name.clone(), planned);
    }
    for (name, block) in &fields.blocks {
        let planned = self::block(block, config.get(name), prior.get(name), computed);
        items.insert(name.clone(), planned);
    }
    Dynamic::Object(items)
}

/// The stored value, if there is a stored object to hold it.
fn known<'a>(prior: &'a Dynamic, name: &str) -> Option<&'a Dynamic> {
    prior.is_known().then(|| prior.get(name))
}

fn attribute(
    attr: &Attr,
    config: &Dynamic,
    prior: Option<&Dynamic>,
    computed: Computed,
) -> Dynamic {
    if attr.write_only {
        return Dynamic::Null;
    }
    if config.is_null() {
        // A null that brings its type along stays what it is.
        return if attr.computed {
            unset(attr, prior, computed)
        } else {
            config.clone()
        };
    }
    if let Some(prior) = prior.filter(|prior| attr.means_the_same(config, prior)) {
        return prior.clone();
    }
    match &attr.kind {
        Kind::Nested(nesting, fields) if config.is_known() => nested(
            *nesting,
            fields,
            config,
            prior.unwrap_or(&Dynamic::Null),
            computed,
        ),
        _ => config.clone(),
    }
}

/// A computed attribute that the user did not set.
fn unset(attr: &Attr, prior: Option<&Dynamic>, computed: Computed) -> Dynamic {
    if attr.default.is_some() {
        return conform::default_of(attr).unwrap_or_default();
    }
    if let Some(fields) = default_object(attr) {
        let prior = prior.unwrap_or(&Dynamic::Null);
        return draft(fields, &Dynamic::Null, prior, computed);
    }
    match (prior, computed) {
        (_, Computed::Absent) => Dynamic::Null,
        (Some(prior), Computed::Carried) => prior.clone(),
        (Some(prior), Computed::Fresh) if attr.keep && !prior.is_null() => prior.clone(),
        _ => Dynamic::Unknown,
    }
}

/// The inside of an object that users may leave out and that is then made of its attributes' defaults.
pub fn default_object(attr: &Attr) -> Option<&Fields> {
    match &attr.kind {
        Kind::Nested(Nesting::Single, fields)
            if attr.optional && attr.computed && has_defaults(fields) =>
        {
            Some(fields)
        }
        _ => None,
    }
}

fn has_defaults(fields: &Fields) -> bool {
    fields
        .attrs
        .values()
        .any(|attr| attr.default.is_some() || default_object(attr).is_some())
}

fn nested(
    nesting: Nesting,
    fields: &Fields,
    config: &Dynamic,
    prior: &Dynamic,
    computed: Computed,
) -> Dynamic {
    match nesting {
        Nesting::Single => element(fields, config, prior, computed),
        Nesting::List => list(fields, config, prior, computed),
        Nesting::Set => set(fields, config, prior, computed),
        Nesting::Map => map(fields, config, prior, computed),
    }
}

fn block(block: &SchemaBlock, config: &Dynamic, prior: &Dynamic, computed: Computed) -> Dynamic {
    if !config.is_known() {
        return config.clone();
    }
    let fields = &block.fields;
    match block.nesting {
        BlockNesting::Single | BlockNesting::Group => element(fields, config, prior, computed),
        BlockNesting::List => list(fields, config, prior, computed),
        BlockNesting::Set => set(fields, config, prior, computed),
        BlockNesting::Map => map(fields, config, prior, computed),
    }
}

fn element(fields: &Fields, config: &Dynamic, prior: &Dynamic, computed: Computed) -> Dynamic {
    if config.is_known() {
        draft(fields, config, prior, computed)
    } else {
        config.clone()
    }
}

fn list(fields: &Fields, config: &Dynamic, prior: &Dynamic, computed: Computed) -> Dynamic {
    let before = prior.items().unwrap_or_default();
    let items = config.items().unwrap_or_default().iter().enumerate();
    Dynamic::List(
        items
            .map(|(index, item)| {
                let prior = before.get(index).unwrap_or(&Dynamic::Null);
                element(fields, item, prior, computed)
            })
            .collect(),
    )
}

fn map(fields: &Fields, config: &Dynamic, prior: &Dynamic, computed: Computed) -> Dynamic {
    let Some(items) = config.entries() else {
        return config.clone();
    };
    let items = items.iter().map(|(key, item)| {
        let planned = element(fields, item, prior.get(key), computed);
        (key.clone(), planned)
    });
    Dynamic::Map(items.collect())
}

/// Elements of a set have no name: a stored one belongs to a written one if users could have written it so.
fn set(fields: &Fields, config: &Dynamic, prior: &Dynamic, computed: Computed) -> Dynamic {
    let mut left: Vec<&Dynamic> = prior.items().unwrap_or_default().iter().collect();
    let items = config.items().unwrap_or_default().iter();
    let planned = items.map(|item| {
        let at = left
            .iter()
            .position(|stored| item.is_known() && could_be(fields, item, stored));
        let before = at.map(|at| left.swap_remove(at));
        element(fields, item, before.unwrap_or(&Dynamic::Null), computed)
    });
    Dynamic::Set(planned.collect())
}

/// Whether the stored object is one that this configuration describes.
fn could_be(fields: &Fields, config: &Dynamic, stored: &Dynamic) -> bool {
    if !config.is_known() || !stored.is_known() {
        return config == stored;
    }
    let attrs = fields.attrs.iter().all(|(name, attr)| {
        let (config, stored) = (config.get(name), stored.get(name));
        if config.is_null() && attr.computed {
            return match conform::default_of(attr) {
                Ok(default) if attr.default.is_some() => default == *stored,
                _ => true,
            };
        }
        if config == stored || attr.means_the_same(config, stored) {
            return true;
        }
        match &attr.kind {
            Kind::Nested(nesting, inner) => {
                each_could_be(inner, config, stored, matches!(nesting, Nesting::Single))
            }
            Kind::Plain(_) => false,
        }
    });
    attrs
        && fields.blocks.iter().all(|(name, block)| {
            let single = matches!(block.nesting, BlockNesting::Single | BlockNesting::Group);
            let (config, stored) = (config.get(name), stored.get(name));
            config == stored || each_could_be(&block.fields, config, stored, single)
        })
}

fn each_could_be(fields: &Fields, config: &Dynamic, stored: &Dynamic, single: bool) -> bool {
    if single {
        return could_be(fields, config, stored);
    }
    match (config.inner(), stored.inner()) {
        (Dynamic::List(config), Dynamic::List(stored)) => {
            config.len() == stored.len()
                && config
                    .iter()
                    .zip(stored)
                    .all(|(config, stored)| could_be(fields, config, stored))
        }
        (Dynamic::Map(config), Dynamic::Map(stored)) => {
            config.len() == stored.len()
                && config.iter().all(|(key, config)| {
                    stored
                        .get(key)
                        .is_some_and(|stored| could_be(fields, config, stored))
                })
        }
        (Dynamic::Set(config), Dynamic::Set(stored)) => {
            config.len() == stored.len()
                && config
                    .iter()
                    .all(|config| stored.iter().any(|stored| could_be(fields, config, stored)))
        }
        _ => false,
    }
}

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

/// The spelling of `kept` wherever `made` means the same: what a cloud normalised is as the user wrote it.
pub fn spelled(fields: &Fields, made: Dynamic, kept: &Dynamic) -> Dynamic {
    let Dynamic::Object(items) = made else {
        return made;
    };
    if !kept.is_known() {
        return Dynamic::Object(items);
    }
    let items = items.into_iter().map(|(name, item)| {
        let kept = kept.get(&name);
        let item = match (fields.attrs.get(&name), fields.blocks.get(&name)) {
            (Some(attr), _) if attr.means_the_same(&item, kept) => kept.clone(),
            (Some(attr), _) => match attr.nested_fields() {
                Some(inner) => spelled_each(inner, item, kept),
                None => item,
            },
            (None, Some(block)) => spelled_each(&block.fields, item, kept),
            (None, None) => item,
        };
        (name, item)
    });
    Dynamic::Object(items.collect())
}

fn spelled_each(fields: &Fields, made: Dynamic, kept: &Dynamic) -> Dynamic {
    match (made, kept) {
        (made @ Dynamic::Object(_), kept) => spelled(fields, made, kept),
        (Dynamic::List(made), Dynamic::List(kept)) => {
            let pairs = made.into_iter().enumerate();
            let spelled = pairs.map(|(index, item)| match kept.get(index) {
                Some(kept) => self::spelled(fields, item, kept),
                None => item,
            });
            Dynamic::List(spelled.collect())
        }
        (Dynamic::Map(made), Dynamic::Map(kept)) => {
            let pairs = made.into_iter();
            let spelled = pairs.map(|(key, item)| match kept.get(&key) {
                Some(kept) => {
                    let item = self::spelled(fields, item, kept);
                    (key, item)
                }
                None => (key, item),
            });
            Dynamic::Map(spelled.collect())
        }
        (Dynamic::Set(made), Dynamic::Set(kept)) => {
            let mut left: Vec<&Dynamic> = kept.iter().collect();
            let spelled = made.into_iter().map(|item| {
                let respelled = left
                    .iter()
                    .position(|kept| self::spelled(fields, item.clone(), kept) == **kept);
                match respelled {
                    Some(at) => left.swap_remove(at).clone(),
                    None => item,
                }
            });
            Dynamic::Set(spelled.collect())
        }
        (made, _) => made,
    }
}
