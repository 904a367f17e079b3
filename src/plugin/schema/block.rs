//! Blocks, for what attributes cannot express. New schemas prefer nested attributes.

use super::{Attr, Fields};
use crate::plugin::{Dynamic, Type};

#[derive(Clone, Debug)]
pub struct SchemaBlock {
    pub(in crate::plugin) nesting: BlockNesting,
    pub(in crate::plugin) fields: Fields,
    pub(in crate::plugin) min: i64,
    pub(in crate::plugin) max: i64,
    pub(in crate::plugin) doc: String,
    pub(in crate::plugin) deprecated: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlockNesting {
    /// At most one; null if there is none.
    Single,
    /// Exactly one, empty if it is not written.
    Group,
    List,
    Set,
    Map,
}

impl SchemaBlock {
    pub fn new<N: Into<String>>(
        nesting: BlockNesting,
        attrs: impl IntoIterator<Item = (N, Attr)>,
    ) -> SchemaBlock {
        let attrs = attrs
            .into_iter()
            .map(|(name, attr)| (name.into(), attr))
            .collect();
        SchemaBlock {
            nesting,
            fields: Fields {
                attrs,
                ..Fields::default()
            },
            min: 0,
            max: i64::from(nesting == BlockNesting::Single),
            doc: String::new(),
            deprecated: None,
        }
    }

    /// A block inside this one.
    #[must_use]
    pub fn block(mut self, name: impl Into<String>, block: SchemaBlock) -> SchemaBlock {
        self.fields.blocks.insert(name.into(), block);
        self
    }

    /// At least this many (lists and sets; one for a single block that must be there).
    #[must_use]
    pub fn min(mut self, min: i64) -> SchemaBlock {
        self.min = min;
        self
    }

    /// At most this many; 0 is no limit.
    #[must_use]
    pub fn max(mut self, max: i64) -> SchemaBlock {
        self.max = max;
        self
    }

    #[must_use]
    pub fn doc(mut self, doc: impl Into<String>) -> SchemaBlock {
        self.doc = doc.into();
        self
    }

    #[must_use]
    pub fn deprecated(mut self, why: impl Into<String>) -> SchemaBlock {
        self.deprecated = Some(why.into());
        self
    }

    pub fn fields(&self) -> &Fields {
        &self.fields
    }

    pub fn ty(&self) -> Type {
        let object = self.fields.object_type();
        match self.nesting {
            BlockNesting::Single | BlockNesting::Group => object,
            BlockNesting::List => Type::list(object),
            BlockNesting::Set => Type::set(object),
            BlockNesting::Map => Type::map(object),
        }
    }

    pub(in crate::plugin) fn blank(&self) -> Dynamic {
        match self.nesting {
            BlockNesting::Single => Dynamic::Null,
            BlockNesting::Group => self.fields.blank(),
            BlockNesting::List => Dynamic::List(Vec::new()),
            BlockNesting::Set => Dynamic::Set(Vec::new()),
            BlockNesting::Map => Dynamic::Map(Default::default()),
        }
    }
}

impl Fields {
    pub fn attrs(&self) -> &indexmap::IndexMap<String, Attr> {
        &self.attrs
    }

    pub fn blocks(&self) -> &indexmap::IndexMap<String, SchemaBlock> {
        &self.blocks
    }
}
