//! One attribute: its type, who sets it, and what the runtime does about it.

use super::Fields;
use crate::plugin::{Dynamic, Type};
use indexmap::IndexMap;
use std::{fmt, ops::RangeInclusive, sync::Arc, time::Duration};

type Check = Arc<dyn Fn(&Dynamic) -> Result<(), String> + Send + Sync>;
type Same = Arc<dyn Fn(&Dynamic, &Dynamic) -> bool + Send + Sync>;

/// An attribute. Made by [`text`], [`int`], … and refined by its methods.
#[derive(Clone)]
pub struct Attr {
    pub(in crate::plugin) kind: Kind,
    pub(in crate::plugin) required: bool,
    pub(in crate::plugin) optional: bool,
    pub(in crate::plugin) computed: bool,
    pub(in crate::plugin) sensitive: bool,
    pub(in crate::plugin) write_only: bool,
    pub(in crate::plugin) replace: bool,
    pub(in crate::plugin) keep: bool,
    pub(in crate::plugin) default: Option<Dynamic>,
    pub(in crate::plugin) deprecated: Option<String>,
    pub(in crate::plugin) doc: String,
    pub(in crate::plugin) one_of: Vec<String>,
    pub(in crate::plugin) checks: Vec<Check>,
    pub(in crate::plugin) same: Option<Same>,
    /// The operations' default time limits, if this is the `timeouts` attribute.
    pub(in crate::plugin) timeouts: Vec<(String, Duration)>,
}

/// What an attribute holds.
#[derive(Clone, Debug)]
pub enum Kind {
    Plain(Type),
    /// Nested attributes; never blocks inside.
    Nested(Nesting, Fields),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nesting {
    Single,
    List,
    Set,
    Map,
}

pub fn text() -> Attr {
    Attr::plain(Type::String)
}

/// A whole number; fractions are refused at validation.
pub fn int() -> Attr {
    Attr::plain(Type::Number).check(|value| match value.as_number() {
        Some(number) if !number.is_whole() => Err(format!("{number} is not a whole number")),
        _ => Ok(()),
    })
}

/// A number of any size and precision.
pub fn number() -> Attr {
    Attr::plain(Type::Number)
}

pub fn boolean() -> Attr {
    Attr::plain(Type::Bool)
}

pub fn list(element: Type) -> Attr {
    Attr::plain(Type::list(element))
}

pub fn set(element: Type) -> Attr {
    Attr::plain(Type::set(element))
}

pub fn map(element: Type) -> Attr {
    Attr::plain(Type::map(element))
}

/// A value of any type, which it brings along.
pub fn dynamic() -> Attr {
    Attr::plain(Type::Dynamic)
}

/// One object with attributes of its own.
pub fn object<N: Into<String>>(attrs: impl IntoIterator<Item = (N, Attr)>) -> Attr {
    Attr::nested(Nesting::Single, attrs)
}

/// A list of such objects.
pub fn list_of<N: Into<String>>(attrs: impl IntoIterator<Item = (N, Attr)>) -> Attr {
    Attr::nested(Nesting::List, attrs)
}

/// A set of such objects.
pub fn set_of<N: Into<String>>(attrs: impl IntoIterator<Item = (N, Attr)>) -> Attr {
    Attr::nested(Nesting::Set, attrs)
}

/// A map of such objects.
pub fn map_of<N: Into<String>>(attrs: impl IntoIterator<Item = (N, Attr)>) -> Attr {
    Attr::nested(Nesting::Map, attrs)
}

impl Attr {
    pub(in crate::plugin) fn plain(ty: Type) -> Attr {
        Attr {
            kind: Kind::Plain(ty),
            required: false,
            optional: false,
            computed: false,
            sensitive: false,
            write_only: false,
            replace: false,
            keep: false,
            default: None,
            deprecated: None,
            doc: String::new(),
            one_of: Vec::new(),
            checks: Vec::new(),
            same: None,
            timeouts: Vec::new(),
        }
    }

    fn nested<N: Into<String>>(
        nesting: Nesting,
        attrs: impl IntoIterator<Item = (N, Attr)>,
    ) -> Attr {
        let attrs: IndexMap<String, Attr> = attrs
            .into_iter()
            .map(|(name, attr)| (name.into(), attr))
            .collect();
        Attr {
            kind: Kind::Nested(
                nesting,
                Fields {
                    attrs,
                    blocks: IndexMap::new(),
                },
            ),
            ..Attr::plain(Type::Bool)
        }
    }

    /// Users must set it.
    #[must_use]
    pub fn required(mut self) -> Attr {
        self.required = true;
        self
    }

    /// Users may set it.
    #[must_use]
    pub fn optional(mut self) -> Attr {
        self.optional = true;
        self
    }

    /// The provider sets it (where users have not).
    #[must_use]
    pub fn computed(mut self) -> Attr {
        self.computed = true;
        self
    }

    /// What it is where users have not set it; it is thereby optional and computed.
    #[must_use]
    pub fn default(mut self, value: impl Into<Dynamic>) -> Attr {
        self.optional = true;
        self.computed = true;
        self.default = Some(value.into());
        self
    }

    /// A change replaces the object.
    #[must_use]
    pub fn replace(mut self) -> Attr {
        self.replace = true;
        self
    }

    /// Computed once: an update keeps the value that it has, and the plan shows it. It is thereby computed.
    /// A null is not kept; it may become a value with any update.
    #[must_use]
    pub fn keep(mut self) -> Attr {
        self.computed = true;
        self.keep = true;
        self
    }

    /// Terraform hides it in its output (but stores it).
    #[must_use]
    pub fn sensitive(mut self) -> Attr {
        self.sensitive = true;
        self
    }

    /// Given to the provider, never stored: found in `config` only. It has a twin `…_version` whose change says that
    /// there is a new value.
    #[must_use]
    pub fn write_only(mut self) -> Attr {
        self.write_only = true;
        self
    }

    /// Says what to use instead.
    #[must_use]
    pub fn deprecated(mut self, why: impl Into<String>) -> Attr {
        self.deprecated = Some(why.into());
        self
    }

    /// What it means, for whom, in Markdown. The default, the choices and whether a change replaces the object are
    /// added by the docs generator.
    #[must_use]
    pub fn doc(mut self, doc: impl Into<String>) -> Attr {
        self.doc = doc.into();
        self
    }

    /// An offline check of a value that is known (though parts of it may be unknown); its `Err` becomes an error at
    /// this attribute.
    #[must_use]
    pub fn check(
        mut self,
        check: impl Fn(&Dynamic) -> Result<(), String> + Send + Sync + 'static,
    ) -> Attr {
        self.checks.push(Arc::new(check));
        self
    }

    /// As [`Attr::check`], for a text, or for each known text of a list, set or map of texts.
    #[must_use]
    pub fn check_text(
        self,
        check: impl Fn(&str) -> Result<(), String> + Send + Sync + 'static,
    ) -> Attr {
        self.check(move |value| {
            if let Some(text) = value.as_str() {
                return check(text);
            }
            let items = value.items().into_iter().flatten();
            let entries = value.entries().into_iter().flat_map(|map| map.values());
            items
                .chain(entries)
                .filter_map(Dynamic::as_str)
                .try_for_each(&check)
        })
    }

    /// Only these texts are allowed.
    #[must_use]
    pub fn one_of(mut self, allowed: &[&str]) -> Attr {
        self.one_of = allowed.iter().map(|&text| text.to_owned()).collect();
        self
    }

    /// A number within these bounds.
    #[must_use]
    pub fn range(self, range: RangeInclusive<i64>) -> Attr {
        self.check(move |value| match value.as_number() {
            Some(number)
                if number < &(*range.start()).into() || number > &(*range.end()).into() =>
            {
                Err(format!(
                    "{number} is not between {} and {}",
                    range.start(),
                    range.end()
                ))
            }
            _ => Ok(()),
        })
    }

    /// Two spellings that mean the same: the user's own is kept in plan and state. Asked for known values only.
    #[must_use]
    pub fn same(
        mut self,
        same: impl Fn(&Dynamic, &Dynamic) -> bool + Send + Sync + 'static,
    ) -> Attr {
        self.same = Some(Arc::new(same));
        self
    }

    /// The type on the wire.
    pub fn ty(&self) -> Type {
        match &self.kind {
            Kind::Plain(ty) => ty.clone(),
            Kind::Nested(nesting, fields) => {
                let object = fields.object_type();
                match nesting {
                    Nesting::Single => object,
                    Nesting::List => Type::list(object),
                    Nesting::Set => Type::set(object),
                    Nesting::Map => Type::map(object),
                }
            }
        }
    }

    /// The attributes of each object in it.
    pub fn nested_fields(&self) -> Option<&Fields> {
        match &self.kind {
            Kind::Plain(_) => None,
            Kind::Nested(_, fields) => Some(fields),
        }
    }

    /// Only the provider sets it.
    pub fn is_computed_only(&self) -> bool {
        self.computed && !self.optional && !self.required
    }

    pub(in crate::plugin) fn means_the_same(&self, a: &Dynamic, b: &Dynamic) -> bool {
        self.same
            .as_ref()
            .is_some_and(|same| a.is_known() && b.is_known() && same(a, b))
    }
}

impl fmt::Debug for Attr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let flags = [
            (self.required, "required"),
            (self.optional, "optional"),
            (self.computed, "computed"),
            (self.sensitive, "sensitive"),
            (self.write_only, "write_only"),
            (self.replace, "replace"),
            (self.keep, "keep"),
            (self.default.is_some(), "default"),
        ];
        write!(f, "{:?}", self.kind)?;
        flags
            .iter()
            .filter(|(set, _)| *set)
            .try_for_each(|(_, name)| write!(f, " {name}"))
    }
}
