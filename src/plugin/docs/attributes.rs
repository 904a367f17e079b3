//! Attributes and blocks as sections of a page: required, optional, read-only, and each nested object by itself.

use super::page::Page;
use crate::plugin::{
    Type,
    schema::{Attr, BlockNesting, Fields, Kind, Nesting, SchemaBlock},
};

/// An object that gets a section of its own.
struct Inner<'a> {
    path: String,
    fields: &'a Fields,
}

/// The whole schema. In a configuration-only schema (`config`) nothing is read-only.
pub(super) fn section(page: &mut Page, fields: &Fields, config: bool) {
    if fields.attrs.is_empty() && fields.blocks.is_empty() {
        return;
    }
    page.heading(2, "Schema");
    let mut waiting = Vec::new();
    groups(page, fields, "", config, true, &mut waiting);
    // First all objects of one depth, then those inside them: an order that does not jump about.
    let mut next = 0;
    while next < waiting.len() {
        let Inner { path, fields } = &waiting[next];
        let (path, fields) = (path.clone(), *fields);
        page.anchor(&anchor(&path));
        page.heading_here(3, &format!("Nested Schema for `{path}`"));
        groups(page, fields, &path, config, false, &mut waiting);
        next += 1;
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Group {
    Required,
    Optional,
    ReadOnly,
}

fn groups<'a>(
    page: &mut Page,
    fields: &'a Fields,
    path: &str,
    config: bool,
    top: bool,
    waiting: &mut Vec<Inner<'a>>,
) {
    for (group, title) in [
        (Group::Required, "Required"),
        (Group::Optional, "Optional"),
        (Group::ReadOnly, "Read-Only"),
    ] {
        let mut attrs: Vec<(&String, &Attr)> = fields
            .attrs
            .iter()
            .filter(|(_, attr)| group_of(attr, config) == group)
            .collect();
        let mut blocks: Vec<(&String, &SchemaBlock)> = fields
            .blocks
            .iter()
            .filter(|(_, block)| {
                let wanted = if block.min > 0 {
                    Group::Required
                } else {
                    Group::Optional
                };
                wanted == group
            })
            .collect();
        if attrs.is_empty() && blocks.is_empty() {
            continue;
        }
        attrs.sort_by_key(|(name, _)| name.as_str());
        blocks.sort_by_key(|(name, _)| name.as_str());
        if top {
            page.heading(3, title);
        } else {
            page.text(&format!("{title}:"));
        }
        for (name, attr) in attrs {
            attribute(page, name, attr, path, waiting);
        }
        for (name, block) in blocks {
            self::block(page, name, block, path, waiting);
        }
    }
}

fn group_of(attr: &Attr, config: bool) -> Group {
    if attr.required {
        Group::Required
    } else if attr.optional || config {
        Group::Optional
    } else {
        Group::ReadOnly
    }
}

fn attribute<'a>(
    page: &mut Page,
    name: &str,
    attr: &'a Attr,
    path: &str,
    waiting: &mut Vec<Inner<'a>>,
) {
    let (mut kind, inner) = match &attr.kind {
        Kind::Plain(ty) => (noun(ty), None),
        Kind::Nested(nesting, fields) => {
            let kind = match nesting {
                Nesting::Single => "Attributes",
                Nesting::List => "Attributes List",
                Nesting::Set => "Attributes Set",
                Nesting::Map => "Attributes Map",
            };
            (kind.to_owned(), Some(fields))
        }
    };
    for (is, word) in [
        (attr.sensitive, "Sensitive"),
        (attr.write_only, "Write-only"),
        (attr.deprecated.is_some(), "Deprecated"),
    ] {
        if is {
            kind.push_str(&format!(", {word}"));
        }
    }
    let mut line = format!("`{name}` ({kind}) {}", attr.description());
    if let Some(why) = &attr.deprecated {
        line.push_str(&format!(" Deprecated: {why}"));
    }
    finish(page, line, name, inner, path, waiting);
}

fn block<'a>(
    page: &mut Page,
    name: &str,
    block: &'a SchemaBlock,
    path: &str,
    waiting: &mut Vec<Inner<'a>>,
) {
    let kind = match block.nesting {
        BlockNesting::Single | BlockNesting::Group => "Block",
        BlockNesting::List => "Block List",
        BlockNesting::Set => "Block Set",
        BlockNesting::Map => "Block Map",
    };
    let mut line = format!("`{name}` ({kind}) {}", block.doc.trim());
    if let Some(why) = &block.deprecated {
        line.push_str(&format!(" Deprecated: {why}"));
    }
    finish(page, line, name, Some(&block.fields), path, waiting);
}

fn finish<'a>(
    page: &mut Page,
    mut line: String,
    name: &str,
    inner: Option<&'a Fields>,
    path: &str,
    waiting: &mut Vec<Inner<'a>>,
) {
    if let Some(fields) = inner {
        let path = if path.is_empty() {
            name.to_owned()
        } else {
            format!("{path}.{name}")
        };
        line.push_str(&format!(
            " (see [below for nested schema](#{}))",
            anchor(&path)
        ));
        waiting.push(Inner { path, fields });
    }
    page.item(&line);
}

fn anchor(path: &str) -> String {
    format!("nestedatt--{}", path.replace('.', "--"))
}

/// A type as the registry's pages write it.
pub(super) fn noun(ty: &Type) -> String {
    match ty {
        Type::Bool => "Boolean".into(),
        Type::Number => "Number".into(),
        Type::String => "String".into(),
        Type::Dynamic => "Dynamic".into(),
        Type::List(element) => format!("List of {}", noun(element)),
        Type::Set(element) => format!("Set of {}", noun(element)),
        Type::Map(element) => format!("Map of {}", noun(element)),
        Type::Object(_) => "Object".into(),
        Type::Tuple(_) => "Tuple".into(),
    }
}

pub(super) fn has_write_only(fields: &Fields) -> bool {
    fields
        .attrs
        .values()
        .any(|attr| attr.write_only || attr.nested_fields().is_some_and(has_write_only))
        || fields
            .blocks
            .values()
            .any(|block| has_write_only(&block.fields))
}
