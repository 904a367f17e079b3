//! What a schema must keep to: Terraform's invariants (S1 to S9), and our own so that docs and plans are right.

use super::{Attr, BlockNesting, Fields, IdentitySchema, Kind, Nesting, Schema, SchemaBlock};
use crate::plugin::{Path, Step, Type, conform};

/// Names that mean something to Terraform at the root of a block and cannot be attributes.
const RESERVED: [&str; 7] = [
    "connection",
    "count",
    "depends_on",
    "for_each",
    "lifecycle",
    "provider",
    "provisioner",
];

impl Schema {
    /// Everything that is wrong with it, each with its place and rule. Empty for a good schema.
    pub fn lint(&self) -> Vec<String> {
        let mut found = Vec::new();
        if self.version < 0 {
            found.push("S8: the version is negative".to_owned());
        }
        if self.doc.trim().is_empty() {
            found.push("the schema has no description".to_owned());
        }
        for name in &self.twice {
            found.push(format!("S4: `{name}` is there twice"));
        }
        for name in RESERVED {
            if self.fields.attrs.contains_key(name) || self.fields.blocks.contains_key(name) {
                found.push(format!("`{name}` is a word of Terraform's own"));
            }
        }
        fields(&self.fields, &Path::root(), Place::default(), &mut found);
        for path in self.rules.iter().flat_map(|rule| rule.paths()) {
            match find(&self.fields, path) {
                None => found.push(format!("a rule names `{path}`, which does not exist")),
                Some(attr) if attr.is_computed_only() => {
                    found.push(format!("a rule names `{path}`, which nobody can set"));
                }
                Some(attr) if attr.default.is_some() => {
                    found.push(format!("a rule names `{path}`, which has a default"));
                }
                Some(_) => {}
            }
        }
        found
    }

    /// What is wrong with this identity of the schema's objects.
    pub(in crate::plugin) fn lint_identity(&self, identity: &IdentitySchema) -> Vec<String> {
        let mut found = Vec::new();
        if identity.version < 0 {
            found.push("S8: the identity's version is negative".to_owned());
        }
        if identity.attrs.is_empty() {
            found.push("S9: the identity has no attributes".to_owned());
        }
        for (name, part) in &identity.attrs {
            if part.doc.is_empty() {
                found.push(format!("identity `{name}` has no description"));
            }
            match self.fields.attrs.get(name) {
                None => found.push(format!("identity `{name}` is no attribute of the state")),
                Some(attr) if attr.ty() != part.ty => {
                    found.push(format!(
                        "identity `{name}` has another type than the attribute"
                    ));
                }
                Some(attr) if attr.write_only => {
                    found.push(format!(
                        "identity `{name}` is write-only, so never in the state"
                    ));
                }
                Some(attr) if attr.computed && attr.default.is_none() && !attr.keep => {
                    found.push(format!(
                        "P13: identity `{name}` is computed without `keep`: an update would make it unknown"
                    ));
                }
                Some(attr) if !attr.is_computed_only() && !attr.replace => {
                    found.push(format!(
                        "identity `{name}` can be changed by users without replacing the object"
                    ));
                }
                Some(_) => {}
            }
        }
        found
    }
}

/// What surrounds an attribute.
#[derive(Clone, Copy, Default)]
struct Place {
    in_set: bool,
    in_collection: bool,
    computed_only: bool,
}

fn fields(fields: &Fields, path: &Path, place: Place, found: &mut Vec<String>) {
    if fields.attrs.is_empty() && fields.blocks.is_empty() && !path.is_root() {
        found.push(format!("{path}: holds no attributes"));
    }
    for (name, attr) in &fields.attrs {
        let path = path.clone().attr(name);
        if !is_name(name) {
            found.push(format!("S4: {path}: not a valid attribute name"));
        }
        if fields.blocks.contains_key(name) {
            found.push(format!("S4: {path}: both an attribute and a block"));
        }
        attribute(attr, &path, place, found);
    }
    for (name, block) in &fields.blocks {
        let path = path.clone().attr(name);
        if !is_name(name) {
            found.push(format!("S4: {path}: not a valid block name"));
        }
        self::block(block, &path, place, found);
    }
}

fn attribute(attr: &Attr, path: &Path, place: Place, found: &mut Vec<String>) {
    let mut wrong = |condition: bool, what: &str| {
        if condition {
            found.push(format!("{path}: {what}"));
        }
    };
    let computed_only = attr.is_computed_only();
    wrong(
        !attr.required && !attr.optional && !attr.computed,
        "S1: neither required nor optional nor computed",
    );
    wrong(attr.required && attr.optional, "S1: required and optional");
    wrong(attr.required && attr.computed, "S1: required and computed");
    wrong(
        place.computed_only && !computed_only,
        "can be set inside something that only the provider sets",
    );
    wrong(attr.doc.trim().is_empty(), "has no description");
    wrong(
        attr.deprecated.as_ref().is_some_and(String::is_empty),
        "S3: deprecated without saying what to use instead",
    );
    wrong(
        place.in_set && attr.write_only,
        "S6: write-only inside a set",
    );
    wrong(
        attr.write_only && attr.computed,
        "write-only and computed (or with a default): it is never stored",
    );
    wrong(
        attr.write_only && attr.replace,
        "write-only with `replace`: nothing is stored to compare with; put it on the version",
    );
    wrong(
        attr.write_only && attr.same.is_some(),
        "write-only with `same`",
    );
    wrong(
        computed_only && (!attr.checks.is_empty() || !attr.one_of.is_empty()) && !is_int(attr),
        "checked, though nobody can set it",
    );
    wrong(
        computed_only && attr.replace,
        "`replace` on what nobody can change",
    );
    wrong(
        attr.keep && attr.default.is_some(),
        "`keep` beside a default: the default decides",
    );
    wrong(
        !attr.one_of.is_empty() && !holds_text(attr),
        "`one_of` on something that holds no text",
    );
    if let Some(default) = &attr.default {
        wrong(
            !default.is_wholly_known() || default.is_null(),
            "the default is null or unknown",
        );
        if let Err(error) = conform::default_of(attr) {
            wrong(true, &format!("the default does not fit: {error}"));
        } else {
            for error in attr.complaints(default) {
                wrong(
                    true,
                    &format!("the default is refused by its own check: {error}"),
                );
            }
        }
    }
    match &attr.kind {
        Kind::Plain(ty) => {
            wrong(
                place.in_collection && ty.has_dynamic(),
                "S6: any type inside a collection: its elements would differ in type",
            );
            wrong(
                !matches!(ty, Type::Dynamic) && ty.has_dynamic(),
                "S6: a collection of any type: its elements would differ in type",
            );
        }
        Kind::Nested(nesting, inner) => {
            wrong(
                place.in_set && attr.write_only,
                "S6: write-only inside a set",
            );
            let place = Place {
                in_set: place.in_set || *nesting == Nesting::Set,
                in_collection: place.in_collection || *nesting != Nesting::Single,
                computed_only: place.computed_only || computed_only,
            };
            wrong(
                *nesting == Nesting::Set && attr.write_only,
                "S6: a set that is write-only",
            );
            fields(inner, path, place, found);
        }
    }
}

fn block(block: &SchemaBlock, path: &Path, place: Place, found: &mut Vec<String>) {
    let mut wrong = |condition: bool, what: &str| {
        if condition {
            found.push(format!("{path}: {what}"));
        }
    };
    wrong(block.doc.trim().is_empty(), "has no description");
    wrong(
        block.deprecated.as_ref().is_some_and(String::is_empty),
        "S3: deprecated without saying what to use instead",
    );
    let (min, max) = (block.min, block.max);
    wrong(min < 0 || max < 0, "S5: a negative number of blocks");
    wrong(
        match block.nesting {
            BlockNesting::Single => max != 1 || min > 1,
            BlockNesting::Group | BlockNesting::Map => min != 0 || max != 0,
            BlockNesting::List | BlockNesting::Set => max != 0 && min > max,
        },
        "S5: limits that this nesting cannot have",
    );
    let place = Place {
        in_set: place.in_set || block.nesting == BlockNesting::Set,
        in_collection: place.in_collection
            || !matches!(block.nesting, BlockNesting::Single | BlockNesting::Group),
        ..place
    };
    fields(&block.fields, path, place, found);
}

/// The attribute at a path of names.
fn find<'a>(fields: &'a Fields, path: &Path) -> Option<&'a Attr> {
    let mut fields = fields;
    let mut found = None;
    for step in path.steps() {
        let Step::Attr(name) = step else {
            return None;
        };
        let attr = fields.attrs.get(name)?;
        found = Some(attr);
        if let Some(inner) = attr.nested_fields() {
            fields = inner;
        }
    }
    found
}

fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

/// `int` brings its own check along, which says nothing about users.
fn is_int(attr: &Attr) -> bool {
    matches!(attr.kind, Kind::Plain(Type::Number)) && attr.checks.len() == 1
}

fn holds_text(attr: &Attr) -> bool {
    match &attr.kind {
        Kind::Plain(Type::String) => true,
        Kind::Plain(Type::List(inner) | Type::Set(inner) | Type::Map(inner)) => {
            **inner == Type::String
        }
        _ => false,
    }
}
