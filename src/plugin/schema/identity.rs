//! What tells one object from all others of its kind, apart from its state.

use crate::plugin::Type;
use indexmap::IndexMap;

/// The identity of a resource: attributes that stand in its state under the same names, and never change.
#[derive(Clone, Debug, Default)]
pub struct IdentitySchema {
    pub(in crate::plugin) version: i64,
    pub(in crate::plugin) attrs: IndexMap<String, IdentityAttr>,
}

#[derive(Clone, Debug)]
pub struct IdentityAttr {
    pub(in crate::plugin) ty: Type,
    pub(in crate::plugin) required: bool,
    pub(in crate::plugin) doc: String,
}

impl IdentitySchema {
    pub fn new(version: i64) -> IdentitySchema {
        IdentitySchema {
            version,
            attrs: IndexMap::new(),
        }
    }

    /// An attribute that an import must give.
    #[must_use]
    pub fn required(self, name: &str, ty: Type, doc: &str) -> IdentitySchema {
        self.attr(name, ty, true, doc)
    }

    /// An attribute that an import may give.
    #[must_use]
    pub fn optional(self, name: &str, ty: Type, doc: &str) -> IdentitySchema {
        self.attr(name, ty, false, doc)
    }

    fn attr(mut self, name: &str, ty: Type, required: bool, doc: &str) -> IdentitySchema {
        let doc = doc.to_owned();
        self.attrs
            .insert(name.to_owned(), IdentityAttr { ty, required, doc });
        self
    }

    pub(in crate::plugin) fn object_type(&self) -> Type {
        Type::object(
            self.attrs
                .iter()
                .map(|(name, attr)| (name, attr.ty.clone())),
        )
    }
}
