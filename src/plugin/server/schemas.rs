//! What the provider offers, as the protocol describes it. Made once per process.

use super::{Inner, described::Described, to_wire};
use crate::plugin::{
    Diag, Diags,
    schema::{Attr, BlockNesting, Fields, Kind, Nesting, Schema, SchemaBlock},
    wire::tfplugin6::{
        self as wire, ActionSchema, ServerCapabilities, StringKind, get_metadata,
        get_provider_schema, get_resource_identity_schemas, resource_identity_schema,
        schema::{self, nested_block, object},
    },
};

/// Who reads a schema: Terraform stores objects of resources, so computed attributes mean something there only.
#[derive(Clone, Copy, PartialEq, Eq)]
enum For {
    Objects,
    Configuration,
}

impl Inner {
    pub(super) fn provider_schema(&self) -> &get_provider_schema::Response {
        self.schema.get_or_init(|| self.make_schema())
    }

    fn make_schema(&self) -> get_provider_schema::Response {
        let configuration =
            |described: &Described| schema_of(&described.schema, For::Configuration);
        let mut diags = Diags::new();
        if cfg!(debug_assertions) {
            diags.extend(
                self.problems()
                    .into_iter()
                    .map(|problem| Diag::error("The provider has a wrong schema").detail(problem)),
            );
        }
        get_provider_schema::Response {
            provider: Some(configuration(&self.config)),
            resource_schemas: named(&self.resources, |entry| {
                Some(schema_of(&entry.schema.schema, For::Objects))
            }),
            data_source_schemas: named(&self.data_sources, |entry| {
                Some(schema_of(&entry.schema.schema, For::Objects))
            }),
            ephemeral_resource_schemas: named(&self.ephemerals, |entry| {
                Some(schema_of(&entry.schema.schema, For::Objects))
            }),
            list_resource_schemas: named(&self.resources, |entry| {
                entry.list.as_ref().map(configuration)
            }),
            action_schemas: named(&self.actions, |entry| {
                Some(ActionSchema {
                    schema: Some(configuration(&entry.schema)),
                })
            }),
            functions: self.get_functions().functions,
            server_capabilities: Some(capabilities()),
            diagnostics: to_wire::diagnostics(diags),
            provider_meta: None,
            state_store_schemas: Default::default(),
        }
    }

    pub(super) fn metadata(&self) -> get_metadata::Response {
        let owned = |name: &&str| (*name).to_owned();
        get_metadata::Response {
            server_capabilities: Some(capabilities()),
            diagnostics: Vec::new(),
            data_sources: self
                .data_sources
                .keys()
                .map(owned)
                .map(|type_name| get_metadata::DataSourceMetadata { type_name })
                .collect(),
            resources: self
                .resources
                .keys()
                .map(owned)
                .map(|type_name| get_metadata::ResourceMetadata { type_name })
                .collect(),
            functions: self
                .functions
                .keys()
                .map(owned)
                .map(|name| get_metadata::FunctionMetadata { name })
                .collect(),
            ephemeral_resources: self
                .ephemerals
                .keys()
                .map(owned)
                .map(|type_name| get_metadata::EphemeralResourceMetadata { type_name })
                .collect(),
            list_resources: self
                .resources
                .iter()
                .filter(|(_, entry)| entry.list.is_some())
                .map(|(name, _)| owned(name))
                .map(|type_name| get_metadata::ListResourceMetadata { type_name })
                .collect(),
            state_stores: Vec::new(),
            actions: self
                .actions
                .keys()
                .map(owned)
                .map(|type_name| get_metadata::ActionMetadata { type_name })
                .collect(),
        }
    }

    pub(super) fn identity_schemas(&self) -> get_resource_identity_schemas::Response {
        get_resource_identity_schemas::Response {
            identity_schemas: named(&self.resources, |entry| {
                let (identity, _) = entry.identity.as_ref()?;
                let attrs = identity.attrs.iter().map(|(name, attr)| {
                    resource_identity_schema::IdentityAttribute {
                        name: name.clone(),
                        r#type: attr.ty.to_bytes(),
                        required_for_import: attr.required,
                        optional_for_import: !attr.required,
                        description: attr.doc.clone(),
                    }
                });
                Some(wire::ResourceIdentitySchema {
                    version: identity.version,
                    identity_attributes: attrs.collect(),
                })
            }),
            diagnostics: Vec::new(),
        }
    }
}

fn capabilities() -> ServerCapabilities {
    ServerCapabilities {
        plan_destroy: true,
        get_provider_schema_optional: true,
        move_resource_state: true,
        generate_resource_config: true,
    }
}

fn named<E, S>(
    entries: &std::collections::BTreeMap<&'static str, E>,
    make: impl Fn(&E) -> Option<S>,
) -> std::collections::HashMap<String, S> {
    entries
        .iter()
        .filter_map(|(name, entry)| Some(((*name).to_owned(), make(entry)?)))
        .collect()
}

fn schema_of(schema: &Schema, reader: For) -> wire::Schema {
    wire::Schema {
        version: schema.version,
        block: Some(schema::Block {
            version: schema.version,
            ..block_of(
                &schema.fields,
                &schema.doc,
                schema.deprecated.as_deref(),
                reader,
            )
        }),
    }
}

fn block_of(fields: &Fields, doc: &str, deprecated: Option<&str>, reader: For) -> schema::Block {
    schema::Block {
        version: 0,
        attributes: attributes(fields, reader),
        block_types: fields
            .blocks
            .iter()
            .map(|(name, block)| nested(name, block, reader))
            .collect(),
        description: doc.to_owned(),
        description_kind: StringKind::Markdown.into(),
        deprecated: deprecated.is_some(),
        deprecation_message: deprecated.unwrap_or_default().to_owned(),
        computed: false,
    }
}

fn attributes(fields: &Fields, reader: For) -> Vec<schema::Attribute> {
    fields
        .attrs
        .iter()
        .map(|(name, attr)| attribute(name, attr, reader))
        .collect()
}

fn attribute(name: &str, attr: &Attr, reader: For) -> schema::Attribute {
    let mut made = schema::Attribute {
        name: name.to_owned(),
        description: attr.description(),
        description_kind: StringKind::Markdown.into(),
        required: attr.required,
        optional: attr.optional,
        computed: attr.computed && reader == For::Objects,
        sensitive: attr.sensitive,
        write_only: attr.write_only,
        deprecated: attr.deprecated.is_some(),
        deprecation_message: attr.deprecated.clone().unwrap_or_default(),
        ..schema::Attribute::default()
    };
    match &attr.kind {
        Kind::Plain(ty) => made.r#type = ty.to_bytes(),
        Kind::Nested(nesting, fields) => {
            let nesting = match nesting {
                Nesting::Single => object::NestingMode::Single,
                Nesting::List => object::NestingMode::List,
                Nesting::Set => object::NestingMode::Set,
                Nesting::Map => object::NestingMode::Map,
            };
            made.nested_type = Some(schema::Object {
                attributes: attributes(fields, reader),
                nesting: nesting.into(),
                ..schema::Object::default()
            });
        }
    }
    made
}

fn nested(name: &str, block: &SchemaBlock, reader: For) -> schema::NestedBlock {
    let nesting = match block.nesting {
        BlockNesting::Single => nested_block::NestingMode::Single,
        BlockNesting::Group => nested_block::NestingMode::Group,
        BlockNesting::List => nested_block::NestingMode::List,
        BlockNesting::Set => nested_block::NestingMode::Set,
        BlockNesting::Map => nested_block::NestingMode::Map,
    };
    // A single block is at most one by its nature, which the protocol writes as min = max.
    let max = match block.nesting {
        BlockNesting::Single => block.min,
        _ => block.max,
    };
    schema::NestedBlock {
        type_name: name.to_owned(),
        block: Some(block_of(
            &block.fields,
            &block.doc,
            block.deprecated.as_deref(),
            reader,
        )),
        nesting: nesting.into(),
        min_items: block.min,
        max_items: max,
    }
}

impl Attr {
    /// The author's words and what the schema knows: choices, default, replacement.
    pub(in crate::plugin) fn description(&self) -> String {
        let mut parts = vec![self.doc.trim().to_owned()];
        if !self.one_of.is_empty() {
            let choices: Vec<String> = self.one_of.iter().map(|one| format!("`{one}`")).collect();
            parts.push(format!("One of {}.", choices.join(", ")));
        }
        if let Some(default) = &self.default {
            parts.push(format!("Default: `{}`.", shown(default)));
        }
        if self.replace {
            parts.push("A change replaces the object.".to_owned());
        }
        if self.write_only {
            parts.push("Write-only: never stored.".to_owned());
        }
        parts.retain(|part| !part.is_empty());
        parts.join(" ")
    }
}

fn shown(default: &crate::plugin::Dynamic) -> String {
    match default.as_str() {
        Some("") => "\"\"".to_owned(),
        Some(text) => text.to_owned(),
        None => default.to_json().to_string(),
    }
}
