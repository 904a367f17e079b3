//! Schemas as Terraform's core reads them, the rules for schemas (S), and how a value must look to conform to one.

use std::collections::{BTreeMap, BTreeSet};

use super::messages6::{Schema, schema};
use super::rules::Broken;
use super::value::{Num, Val};

/// A type of values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ty {
    Str,
    Num,
    Bool,
    Dynamic,
    List(Box<Ty>),
    Set(Box<Ty>),
    Map(Box<Ty>),
    Tuple(Vec<Ty>),
    Object(BTreeMap<String, Ty>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nesting {
    Single,
    Group,
    List,
    Set,
    Map,
}

/// Attributes and blocks.
#[derive(Debug, Clone, Default)]
pub struct Shape {
    pub attributes: BTreeMap<String, Attribute>,
    pub blocks: BTreeMap<String, Nested>,
}

#[derive(Debug, Clone)]
pub struct Attribute {
    pub of: Of,
    pub required: bool,
    pub optional: bool,
    pub computed: bool,
    pub write_only: bool,
}

#[derive(Debug, Clone)]
pub enum Of {
    Type(Ty),
    Nested(Nesting, Shape),
}

#[derive(Debug, Clone)]
pub struct Nested {
    pub nesting: Nesting,
    pub shape: Shape,
    pub computed: bool,
}

impl Ty {
    pub fn parse(json: &[u8]) -> Result<Self, String> {
        let value = serde_json::from_slice(json).map_err(|why| why.to_string())?;
        Self::from_json(&value)
    }

    fn from_json(json: &serde_json::Value) -> Result<Self, String> {
        use serde_json::Value;
        if let Some(name) = json.as_str() {
            return Ok(match name {
                "string" => Self::Str,
                "number" => Self::Num,
                "bool" => Self::Bool,
                "dynamic" => Self::Dynamic,
                other => return Err(format!("no type is called {other:?}")),
            });
        }
        let parts = json.as_array().map(Vec::as_slice);
        let Some([Value::String(kind), inner]) = parts else {
            return Err(format!("{json} is no type"));
        };
        let boxed = || Self::from_json(inner).map(Box::new);
        Ok(match (kind.as_str(), inner) {
            ("list", _) => Self::List(boxed()?),
            ("set", _) => Self::Set(boxed()?),
            ("map", _) => Self::Map(boxed()?),
            ("tuple", Value::Array(of)) => {
                Self::Tuple(of.iter().map(Self::from_json).collect::<Result<_, _>>()?)
            }
            ("object", Value::Object(of)) => {
                let members = of
                    .iter()
                    .map(|(name, ty)| Ok((name.clone(), Self::from_json(ty)?)));
                Self::Object(members.collect::<Result<_, String>>()?)
            }
            _ => return Err(format!("{json} is no type")),
        })
    }

    fn holds_dynamic(&self) -> bool {
        match self {
            Self::Dynamic => true,
            Self::List(of) | Self::Set(of) | Self::Map(of) => of.holds_dynamic(),
            Self::Tuple(of) => of.iter().any(Self::holds_dynamic),
            Self::Object(of) => of.values().any(Self::holds_dynamic),
            Self::Str | Self::Num | Self::Bool => false,
        }
    }

    /// `value` in the one form that this type gives it; what does not conform is reported under `rule` and becomes null.
    pub fn fit(&self, value: Val, path: &str, rule: &str, broken: &mut Broken) -> Val {
        match (self, value) {
            (_, Val::Null) => Val::Null,
            (_, Val::Unknown) => Val::Unknown,
            (Self::Str, value @ Val::Str(_))
            | (Self::Bool, value @ Val::Bool(_))
            | (Self::Num, value @ Val::Num(_)) => value,
            (Self::Num, Val::Str(digits)) if Num::parse(&digits).is_some() => {
                Val::Num(Num::parse(&digits).unwrap())
            }
            (Self::Dynamic, Val::Dynamic(of, value)) => match Self::parse(of.as_bytes()) {
                Ok(ty) => {
                    let value = ty.fit(*value, path, rule, broken);
                    let of: serde_json::Value = serde_json::from_str(&of).unwrap();
                    Val::Dynamic(of.to_string(), Box::new(value))
                }
                Err(why) => broken.add(rule, path, &why),
            },
            (Self::List(of), Val::List(values)) => Val::List(each(values, |index, value| {
                of.fit(value, &format!("{path}[{index}]"), rule, broken)
            })),
            (Self::Set(of), Val::List(values)) => {
                let count = values.len();
                let fitted = each(values, |index, value| {
                    of.fit(value, &format!("{path}[{index}]"), rule, broken)
                });
                let set = as_set(fitted);
                if let Val::Set(set) = &set
                    && set.len() != count
                    && set.iter().all(Val::wholly_known)
                {
                    broken.add(rule, path, "a set with twins");
                }
                set
            }
            (Self::Tuple(of), Val::List(values)) if of.len() == values.len() => {
                Val::List(each(values, |index, value| {
                    of[index].fit(value, &format!("{path}[{index}]"), rule, broken)
                }))
            }
            (Self::Map(of), Val::Map(values)) => {
                let fitted = values.into_iter().map(|(key, value)| {
                    let value = of.fit(value, &format!("{path}[{key:?}]"), rule, broken);
                    (key, value)
                });
                Val::Map(fitted.collect())
            }
            (Self::Object(of), Val::Map(values)) => fit_members(
                values,
                of.iter(),
                path,
                broken,
                rule,
                |ty, value, path, broken| ty.fit(value, path, rule, broken),
            ),
            (ty, value) => broken.add(rule, path, &format!("{value:?} is not of type {ty:?}")),
        }
    }
}

fn each(values: Vec<Val>, mut fit: impl FnMut(usize, Val) -> Val) -> Vec<Val> {
    values
        .into_iter()
        .enumerate()
        .map(|(index, value)| fit(index, value))
        .collect()
}

fn as_set(values: Vec<Val>) -> Val {
    let unknown = values
        .iter()
        .filter(|value| !value.wholly_known())
        .cloned()
        .collect::<Vec<_>>();
    let known: BTreeSet<Val> = values.into_iter().filter(Val::wholly_known).collect();
    let mut all: Vec<Val> = known.into_iter().chain(unknown).collect();
    all.sort();
    Val::Set(all)
}

fn fit_members<'a, T: 'a>(
    mut values: BTreeMap<String, Val>,
    members: impl Iterator<Item = (&'a String, &'a T)>,
    path: &str,
    broken: &mut Broken,
    rule: &str,
    mut fit: impl FnMut(&T, Val, &str, &mut Broken) -> Val,
) -> Val {
    let mut fitted = BTreeMap::new();
    for (name, of) in members {
        let inner = if path.is_empty() {
            name.clone()
        } else {
            format!("{path}.{name}")
        };
        let value = match values.remove(name) {
            Some(value) => fit(of, value, &inner, broken),
            None => broken.add(rule, &inner, "is missing"),
        };
        fitted.insert(name.clone(), value);
    }
    for extra in values.keys() {
        broken.add(
            rule,
            path,
            &format!("has a member {extra:?} that the schema does not know"),
        );
    }
    Val::Map(fitted)
}

impl Shape {
    /// Reads a schema and reports what is wrong with it.
    pub fn read(schema: &Schema, name: &str, broken: &mut Broken) -> Self {
        if schema.version < 0 {
            broken.add("S8", name, "a negative version");
        }
        match &schema.block {
            Some(block) => Self::from_block(block, name, broken),
            None => {
                broken.add("S1", name, "no block");
                Self::default()
            }
        }
    }

    fn from_block(block: &schema::Block, path: &str, broken: &mut Broken) -> Self {
        if !block.deprecated && !block.deprecation_message.is_empty() {
            broken.add("S3", path, "a deprecation message without a deprecation");
        }
        let mut shape = Self {
            attributes: attributes(&block.attributes, path, broken),
            blocks: BTreeMap::new(),
        };
        for nested in &block.block_types {
            let name = &nested.type_name;
            let path = format!("{path}.{name}");
            let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
            if name.is_empty() || !name.chars().all(good) {
                broken.add("S4", &path, "a block name of other letters than [a-z0-9_]");
            }
            let read = nested_block(nested, &path, broken);
            if shape.attributes.contains_key(name)
                || shape.blocks.insert(name.clone(), read).is_some()
            {
                broken.add("S4", &path, "the name is used twice");
            }
        }
        shape
    }

    /// `value` in the one form that this schema gives it.
    pub fn fit(&self, value: Val, path: &str, rule: &str, broken: &mut Broken) -> Val {
        let values = match value {
            Val::Map(values) => values,
            open @ (Val::Null | Val::Unknown) => return open,
            other => return broken.add(rule, path, &format!("{other:?} is no object")),
        };
        enum Member<'a> {
            Attribute(&'a Attribute),
            Block(&'a Nested),
        }
        let attributes = self
            .attributes
            .iter()
            .map(|(n, a)| (n, Member::Attribute(a)));
        let blocks = self.blocks.iter().map(|(n, b)| (n, Member::Block(b)));
        let members: Vec<(&String, Member<'_>)> = attributes.chain(blocks).collect();
        let members = members.iter().map(|(name, member)| (*name, member));
        fit_members(
            values,
            members,
            path,
            broken,
            rule,
            |member, value, path, broken| match member {
                Member::Attribute(Attribute {
                    of: Of::Type(ty), ..
                }) => ty.fit(value, path, rule, broken),
                Member::Attribute(Attribute {
                    of: Of::Nested(nesting, shape),
                    ..
                }) => fit_nested(*nesting, shape, value, path, rule, broken),
                Member::Block(block) => {
                    fit_nested(block.nesting, &block.shape, value, path, rule, broken)
                }
            },
        )
    }

    pub fn has_write_only(&self) -> bool {
        self.attributes.values().any(|attribute| {
            attribute.write_only
                || matches!(&attribute.of, Of::Nested(_, shape) if shape.has_write_only())
        }) || self
            .blocks
            .values()
            .any(|block| block.shape.has_write_only())
    }

    /// An object without anything in it: null attributes, empty blocks.
    pub fn empty(&self) -> Val {
        let attributes = self.attributes.keys().map(|name| (name.clone(), Val::Null));
        let blocks = self.blocks.iter().map(|(name, block)| {
            let value = match block.nesting {
                Nesting::Single => Val::Null,
                Nesting::Group => block.shape.empty(),
                Nesting::List => Val::List(Vec::new()),
                Nesting::Set => Val::Set(Vec::new()),
                Nesting::Map => Val::Map(BTreeMap::new()),
            };
            (name.clone(), value)
        });
        Val::Map(attributes.chain(blocks).collect())
    }

    /// A configuration: what is given, and nothing else.
    pub fn config(&self, given: &Val) -> Val {
        let Val::Map(mut all) = self.empty() else {
            return Val::Null;
        };
        let Val::Map(given) = given else {
            return given.clone();
        };
        for (name, value) in given {
            let filled = match (self.attributes.get(name), self.blocks.get(name)) {
                (
                    Some(Attribute {
                        of: Of::Nested(nesting, shape),
                        ..
                    }),
                    _,
                ) => shape.configs(*nesting, value),
                (_, Some(block)) => block.shape.configs(block.nesting, value),
                (Some(_), _) => value.clone(),
                (None, None) => panic!("the schema knows no {name:?}"),
            };
            all.insert(name.clone(), filled);
        }
        Val::Map(all)
    }

    fn configs(&self, nesting: Nesting, given: &Val) -> Val {
        match (nesting, given) {
            (Nesting::Single | Nesting::Group, value) => self.config(value),
            (_, Val::List(values)) => {
                Val::List(values.iter().map(|value| self.config(value)).collect())
            }
            (_, Val::Map(values)) => Val::Map(
                values
                    .iter()
                    .map(|(key, value)| (key.clone(), self.config(value)))
                    .collect(),
            ),
            (_, other) => other.clone(),
        }
    }
}

fn fit_nested(
    nesting: Nesting,
    shape: &Shape,
    value: Val,
    path: &str,
    rule: &str,
    broken: &mut Broken,
) -> Val {
    match (nesting, value) {
        (_, open @ (Val::Null | Val::Unknown)) => open,
        (Nesting::Single | Nesting::Group, value) => shape.fit(value, path, rule, broken),
        (Nesting::List, Val::List(values)) => Val::List(each(values, |index, value| {
            shape.fit(value, &format!("{path}[{index}]"), rule, broken)
        })),
        (Nesting::Set, Val::List(values)) => as_set(each(values, |index, value| {
            shape.fit(value, &format!("{path}[{index}]"), rule, broken)
        })),
        (Nesting::Map, Val::Map(values)) => {
            let fitted = values.into_iter().map(|(key, value)| {
                let value = shape.fit(value, &format!("{path}[{key:?}]"), rule, broken);
                (key, value)
            });
            Val::Map(fitted.collect())
        }
        (nesting, other) => broken.add(rule, path, &format!("{other:?} is no {nesting:?}")),
    }
}

fn attributes(
    all: &[schema::Attribute],
    path: &str,
    broken: &mut Broken,
) -> BTreeMap<String, Attribute> {
    let mut read = BTreeMap::new();
    for attribute in all {
        let path = format!("{path}.{}", attribute.name);
        let one = read_attribute(attribute, &path, broken);
        if read.insert(attribute.name.clone(), one).is_some() {
            broken.add("S4", &path, "the name is used twice");
        }
    }
    read
}

fn read_attribute(attribute: &schema::Attribute, path: &str, broken: &mut Broken) -> Attribute {
    let schema::Attribute {
        required,
        optional,
        computed,
        write_only,
        ..
    } = *attribute;
    if !required && !optional && !computed {
        broken.add("S1", path, "neither required nor optional nor computed");
    }
    if required && (optional || computed) {
        broken.add("S1", path, "required and something else");
    }
    if write_only && computed {
        broken.add("S1", path, "write-only and computed");
    }
    if !attribute.deprecated && !attribute.deprecation_message.is_empty() {
        broken.add("S3", path, "a deprecation message without a deprecation");
    }
    let of = match (&attribute.nested_type, attribute.r#type.is_empty()) {
        (Some(object), true) => {
            let nesting = match object.nesting() {
                schema::object::NestingMode::Single => Nesting::Single,
                schema::object::NestingMode::List => Nesting::List,
                schema::object::NestingMode::Set => Nesting::Set,
                schema::object::NestingMode::Map => Nesting::Map,
                schema::object::NestingMode::Invalid => {
                    broken.add("S2", path, "no nesting mode");
                    Nesting::Single
                }
            };
            let inner = Shape {
                attributes: attributes(&object.attributes, path, broken),
                blocks: BTreeMap::new(),
            };
            check_set(nesting, &inner, path, broken);
            Of::Nested(nesting, inner)
        }
        (None, false) => match Ty::parse(&attribute.r#type) {
            Ok(ty) => {
                if matches!(&ty, Ty::Set(of) if of.holds_dynamic()) {
                    broken.add("S6", path, "a set that holds a dynamic type");
                }
                Of::Type(ty)
            }
            Err(why) => {
                broken.add("S2", path, &why);
                Of::Type(Ty::Dynamic)
            }
        },
        (nested, _) => {
            let what = if nested.is_some() {
                "both a type and a nested type"
            } else {
                "no type"
            };
            broken.add("S2", path, what);
            Of::Type(Ty::Dynamic)
        }
    };
    Attribute {
        of,
        required,
        optional,
        computed,
        write_only,
    }
}

fn nested_block(nested: &schema::NestedBlock, path: &str, broken: &mut Broken) -> Nested {
    use schema::nested_block::NestingMode;
    let (min, max) = (nested.min_items, nested.max_items);
    let (nesting, limits_are_good) = match nested.nesting() {
        NestingMode::Single => (Nesting::Single, min == max && (0..=1).contains(&min)),
        NestingMode::Group => (Nesting::Group, min == 0 && max == 0),
        NestingMode::Map => (Nesting::Map, min == 0 && max == 0),
        NestingMode::List => (Nesting::List, min >= 0 && (max == 0 || min <= max)),
        NestingMode::Set => (Nesting::Set, min >= 0 && (max == 0 || min <= max)),
        NestingMode::Invalid => (Nesting::Single, false),
    };
    if !limits_are_good {
        broken.add(
            "S5",
            path,
            &format!("{nesting:?} with limits {min} and {max}"),
        );
    }
    let block = nested.block.clone().unwrap_or_default();
    let shape = Shape::from_block(&block, path, broken);
    check_set(nesting, &shape, path, broken);
    if block.computed {
        let all = shape
            .attributes
            .values()
            .all(|attribute| attribute.computed)
            && shape.blocks.values().all(|block| block.computed);
        if !all || nesting == Nesting::Group || min != 0 {
            broken.add(
                "S7",
                path,
                "a computed block that is not computed throughout",
            );
        }
    }
    Nested {
        nesting,
        shape,
        computed: block.computed,
    }
}

fn check_set(nesting: Nesting, shape: &Shape, path: &str, broken: &mut Broken) {
    if nesting != Nesting::Set {
        return;
    }
    if shape.has_write_only() {
        broken.add("S6", path, "a set that holds a write-only attribute");
    }
    if holds_dynamic(shape) {
        broken.add("S6", path, "a set that holds a dynamic type");
    }
}

fn holds_dynamic(shape: &Shape) -> bool {
    shape
        .attributes
        .values()
        .any(|attribute| match &attribute.of {
            Of::Type(ty) => ty.holds_dynamic(),
            Of::Nested(_, shape) => holds_dynamic(shape),
        })
        || shape
            .blocks
            .values()
            .any(|block| holds_dynamic(&block.shape))
}
