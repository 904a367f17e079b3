//! `GenerateResourceConfig`: the configuration that would have made an object, as short as it can be.

use super::Inner;
use crate::plugin::{
    Diags, Dynamic, conform, draft,
    schema::{Attr, BlockNesting, Fields, Kind, Nesting, SchemaBlock},
    wire::tfplugin6::generate_resource_config::{Request, Response},
};

impl Inner {
    pub(super) fn generate(&self, request: &Request) -> Result<Response, Diags> {
        let entry = self.resource(&request.type_name)?;
        let state = entry
            .schema
            .decode(request.state.as_ref(), "the stored object")?;
        let state = entry.schema.required(state, "The stored object")?;
        let config = written(&entry.schema.schema.fields, &state);
        Ok(Response {
            config: entry.schema.encode(&config),
            diagnostics: Vec::new(),
        })
    }
}

/// What a user would write: nothing that the provider computes, nothing that is the default anyway.
fn written(fields: &Fields, state: &Dynamic) -> Dynamic {
    let attrs = fields
        .attrs
        .iter()
        .map(|(name, attr)| (name.clone(), attribute(attr, state.get(name))));
    let blocks = fields
        .blocks
        .iter()
        .map(|(name, block)| (name.clone(), self::block(block, state.get(name))));
    Dynamic::Object(attrs.chain(blocks).collect())
}

fn attribute(attr: &Attr, state: &Dynamic) -> Dynamic {
    let hidden = attr.is_computed_only()
        || attr.write_only
        || (attr.deprecated.is_some() && !attr.required)
        || !attr.timeouts.is_empty();
    if hidden {
        return Dynamic::Null;
    }
    if !state.is_known() {
        // A null may have brought its type along.
        return state.clone();
    }
    if attr.default.is_some() && conform::default_of(attr).ok().as_ref() == Some(state) {
        return Dynamic::Null;
    }
    match &attr.kind {
        Kind::Plain(_) => state.clone(),
        Kind::Nested(Nesting::Single, fields) => {
            let inner = written(fields, state);
            let says_nothing = inner
                .entries()
                .is_some_and(|items| items.values().all(Dynamic::is_null));
            if says_nothing && draft::default_object(attr).is_some() {
                return Dynamic::Null;
            }
            inner
        }
        Kind::Nested(Nesting::Map, fields) => each_entry(fields, state),
        Kind::Nested(Nesting::List, fields) => Dynamic::List(each_item(fields, state)),
        Kind::Nested(Nesting::Set, fields) => Dynamic::Set(each_item(fields, state)),
    }
}

fn block(block: &SchemaBlock, state: &Dynamic) -> Dynamic {
    if !state.is_known() {
        return block.blank();
    }
    let fields = &block.fields;
    match block.nesting {
        BlockNesting::Single | BlockNesting::Group => written(fields, state),
        BlockNesting::List => Dynamic::List(each_item(fields, state)),
        BlockNesting::Set => Dynamic::Set(each_item(fields, state)),
        BlockNesting::Map => each_entry(fields, state),
    }
}

fn each_item(fields: &Fields, state: &Dynamic) -> Vec<Dynamic> {
    let items = state.items().unwrap_or_default();
    items.iter().map(|item| written(fields, item)).collect()
}

fn each_entry(fields: &Fields, state: &Dynamic) -> Dynamic {
    let items = state.entries().into_iter().flatten();
    Dynamic::Map(
        items
            .map(|(key, item)| (key.clone(), written(fields, item)))
            .collect(),
    )
}
