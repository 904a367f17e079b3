//! The plan that follows from schema, configuration and stored object alone. Asks no resource and no cloud.
//!
//! Terraform's own proposal is not used: it is made of the same two values, and differs between versions.

mod replaced;

pub use replaced::replaced;

use super::{
    Dynamic, conform,
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
