//! What Terraform's core demands of a provider's answers, written from the rules and not from the runtime. The letters are
//! those of the list that the project keeps: schema, plan, final plan, apply, read, upgrade, import, move, data, ephemeral,
//! functions, lists.

mod apply;
mod plan;

pub use apply::{applied, compatible};
pub use plan::{PlanAnswer, planned};

use super::schema::{Attribute, Nesting, Of, Shape};
use super::value::Val;

/// The rules that an answer breaks, each with its path.
#[derive(Debug, Default)]
pub struct Broken(pub Vec<String>);

impl Broken {
    /// Notes one. Gives a null to go on with.
    pub fn add(&mut self, rule: &str, path: &str, why: &str) -> Val {
        self.0.push(format!(
            "{rule} at {}: {why}",
            if path.is_empty() { "the root" } else { path }
        ));
        Val::Null
    }

    #[track_caller]
    pub fn none(self, about: &str) {
        assert!(
            self.0.is_empty(),
            "{about} breaks rules of Terraform:\n  {}",
            self.0.join("\n  ")
        );
    }
}

/// A stored object: there, wholly known, of its schema, and without what is write-only. (R1, U2, M, D, I1)
pub fn stored(shape: &Shape, value: Val, rule: &str, broken: &mut Broken) -> Val {
    let value = shape.fit(value, "", rule, broken);
    if !value.wholly_known() {
        broken.add(rule, "", &format!("holds unknown values: {value:?}"));
    }
    write_only_is_null(shape, &value, "", rule, broken);
    value
}

/// P5, A7 and all others that say that write-only values stay out.
pub fn write_only_is_null(shape: &Shape, value: &Val, path: &str, rule: &str, broken: &mut Broken) {
    let Val::Map(members) = value else { return };
    for (name, Attribute { of, write_only, .. }) in &shape.attributes {
        let Some(value) = members.get(name) else {
            continue;
        };
        let path = join(path, name);
        if *write_only && !value.is_null() {
            broken.add(rule, &path, "a write-only value is not null");
        }
        if let Of::Nested(nesting, shape) = of {
            for (path, element) in elements(*nesting, value, &path) {
                write_only_is_null(shape, element, &path, rule, broken);
            }
        }
    }
    for (name, block) in &shape.blocks {
        let Some(value) = members.get(name) else {
            continue;
        };
        for (path, element) in elements(block.nesting, value, &join(path, name)) {
            write_only_is_null(&block.shape, element, &path, rule, broken);
        }
    }
}

/// The objects inside a nested attribute or block, with their paths.
pub fn elements<'a>(nesting: Nesting, value: &'a Val, path: &str) -> Vec<(String, &'a Val)> {
    match (nesting, value) {
        (Nesting::Single | Nesting::Group, value) => vec![(path.to_owned(), value)],
        (_, Val::List(values) | Val::Set(values)) => {
            let indexed = values.iter().enumerate();
            indexed
                .map(|(index, value)| (format!("{path}[{index}]"), value))
                .collect()
        }
        (_, Val::Map(values)) => values
            .iter()
            .map(|(key, value)| (format!("{path}[{key:?}]"), value))
            .collect(),
        _ => Vec::new(),
    }
}

pub fn join(path: &str, name: &str) -> String {
    if path.is_empty() {
        name.to_owned()
    } else {
        format!("{path}.{name}")
    }
}
