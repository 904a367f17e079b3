//! What a resource, data source, action or provider block looks like to its users: attributes and the rules among them.
//! Docs, defaults, replacement and the wire's schema all come from here; nothing here talks to a cloud.

mod attr;
mod block;
mod duration;
mod identity;
mod lint;
mod rule;

pub use attr::{
    Attr, Kind, Nesting, boolean, dynamic, int, list, list_of, map, map_of, number, object, set,
    set_of, text,
};
pub use block::{BlockNesting, SchemaBlock};
pub use duration::{Timeouts, parse_duration, timeouts};
pub use identity::{IdentityAttr, IdentitySchema};
pub use rule::Rule;

use super::{Dynamic, Type};
use indexmap::IndexMap;

/// The attributes and blocks of one object, in the order in which they were written.
#[derive(Clone, Default, Debug)]
pub struct Fields {
    pub(in crate::plugin) attrs: IndexMap<String, Attr>,
    pub(in crate::plugin) blocks: IndexMap<String, SchemaBlock>,
}

/// A whole schema.
///
/// ```text
/// Schema::new(0, "A TLS certificate.")
///     .attr("host", text().required().replace().doc("Public host name."))
///     .attr("renew_before_days", int().default(30).doc("Renew when fewer days are left."))
///     .attr("id", text().computed().keep().doc("Identifier."))
/// ```
#[derive(Clone, Debug)]
pub struct Schema {
    pub(in crate::plugin) version: i64,
    pub(in crate::plugin) doc: String,
    pub(in crate::plugin) deprecated: Option<String>,
    pub(in crate::plugin) fields: Fields,
    pub(in crate::plugin) rules: Vec<Rule>,
    /// Names given twice; found by [`Schema::lint`].
    pub(in crate::plugin) twice: Vec<String>,
}

impl Schema {
    /// `version` grows with every change that stored states must be upgraded for; `doc` is Markdown.
    pub fn new(version: i64, doc: impl Into<String>) -> Schema {
        Schema {
            version,
            doc: doc.into(),
            deprecated: None,
            fields: Fields::default(),
            rules: Vec::new(),
            twice: Vec::new(),
        }
    }

    #[must_use]
    pub fn attr(mut self, name: impl Into<String>, attr: Attr) -> Schema {
        let name = name.into();
        if self.fields.attrs.insert(name.clone(), attr).is_some() {
            self.twice.push(name);
        }
        self
    }

    #[must_use]
    pub fn block(mut self, name: impl Into<String>, block: SchemaBlock) -> Schema {
        let name = name.into();
        if self.fields.blocks.insert(name.clone(), block).is_some() {
            self.twice.push(name);
        }
        self
    }

    /// The whole thing is deprecated; says what to use instead.
    #[must_use]
    pub fn deprecated(mut self, why: impl Into<String>) -> Schema {
        self.deprecated = Some(why.into());
        self
    }

    /// Exactly one of these (`"acme"`, `"image.id"`) is to be set.
    #[must_use]
    pub fn exactly_one_of(self, names: &[&str]) -> Schema {
        self.rule(Rule::exactly_one_of(names))
    }

    /// At least one of these is to be set.
    #[must_use]
    pub fn at_least_one_of(self, names: &[&str]) -> Schema {
        self.rule(Rule::at_least_one_of(names))
    }

    /// At most one of these may be set.
    #[must_use]
    pub fn conflicts(self, names: &[&str]) -> Schema {
        self.rule(Rule::conflicts(names))
    }

    /// Whoever sets `name` must set the `others` too.
    #[must_use]
    pub fn requires(self, name: &str, others: &[&str]) -> Schema {
        self.rule(Rule::requires(name, others))
    }

    #[must_use]
    pub fn rule(mut self, rule: Rule) -> Schema {
        self.rules.push(rule);
        self
    }

    pub fn version(&self) -> i64 {
        self.version
    }

    pub fn doc(&self) -> &str {
        &self.doc
    }

    pub fn attrs(&self) -> &IndexMap<String, Attr> {
        &self.fields.attrs
    }

    pub fn blocks(&self) -> &IndexMap<String, SchemaBlock> {
        &self.fields.blocks
    }

    /// The type of its objects on the wire.
    pub fn object_type(&self) -> Type {
        self.fields.object_type()
    }

    /// An object of it with nothing in it: nulls, and empty collections of blocks.
    pub fn blank(&self) -> Dynamic {
        self.fields.blank()
    }
}

impl Fields {
    pub(in crate::plugin) fn object_type(&self) -> Type {
        Type::object(
            self.attrs
                .iter()
                .map(|(name, attr)| (name, attr.ty()))
                .chain(self.blocks.iter().map(|(name, block)| (name, block.ty()))),
        )
    }

    pub(in crate::plugin) fn blank(&self) -> Dynamic {
        Dynamic::Object(
            self.attrs
                .keys()
                .map(|name| (name.clone(), Dynamic::Null))
                .chain(
                    self.blocks
                        .iter()
                        .map(|(name, block)| (name.clone(), block.blank())),
                )
                .collect(),
        )
    }
}
