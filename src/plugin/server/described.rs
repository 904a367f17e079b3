//! A schema with what is needed at every call: its type, and whether it holds secrets.

use crate::plugin::{
    Diag, Diags, Dynamic, Misfit, Schema, Type, conform, json, msgpack,
    schema::{Fields, Kind, Nesting, parse_duration},
    secrets,
    wire::tfplugin6::DynamicValue,
};
use std::time::{Duration, Instant};

/// How long an operation may take if the schema does not say.
const USUAL_LIMIT: Duration = Duration::from_secs(20 * 60);

pub(super) struct Described {
    pub name: &'static str,
    pub schema: Schema,
    pub ty: Type,
    has_secrets: bool,
}

impl Described {
    pub fn new(name: &'static str, schema: Schema) -> Described {
        Described {
            name,
            ty: schema.object_type(),
            has_secrets: has_secrets(&schema.fields),
            schema,
        }
    }

    /// Reads an object of this schema. Whatever is secret in it is masked in all texts from now on.
    pub fn decode(&self, value: Option<&DynamicValue>, what: &str) -> Result<Dynamic, Diags> {
        let value = decode(value, &self.ty)
            .map_err(|error| Diags::from(error.diag(&format!("{what} of `{}`", self.name))))?;
        if self.has_secrets {
            register(&self.schema.fields, &value);
        }
        Ok(value)
    }

    pub fn encode(&self, value: &Dynamic) -> Option<DynamicValue> {
        if self.has_secrets {
            register(&self.schema.fields, value);
        }
        Some(encode(value, &self.ty))
    }

    /// Brings what a resource returned into the schema's form, without write-only values.
    pub fn conform(&self, value: Dynamic) -> Result<Dynamic, Misfit> {
        conform::object(value, &self.schema.fields, conform::WriteOnly::Drop)
    }

    /// A null where an object must be.
    pub fn required(&self, value: Dynamic, what: &str) -> Result<Dynamic, Diags> {
        if value.is_known() {
            return Ok(value);
        }
        Err(Diag::error(format!("{what} of `{}` is missing", self.name))
            .detail("Terraform sent none, or one that is not known.")
            .into())
    }

    /// When an operation must have ended: by the user's `timeouts`, else by the schema's default for it.
    pub fn deadline(&self, operation: &str, object: &Dynamic) -> Instant {
        let default = self
            .schema
            .fields
            .attrs
            .get("timeouts")
            .and_then(|attr| attr.timeouts.iter().find(|(name, _)| name == operation))
            .map_or(USUAL_LIMIT, |(_, limit)| *limit);
        let limit = object
            .get("timeouts")
            .get(operation)
            .as_str()
            .and_then(|text| parse_duration(text).ok())
            .unwrap_or(default);
        let now = Instant::now();
        // A limit of centuries is as good as a day.
        now.checked_add(limit)
            .unwrap_or_else(|| now + Duration::from_secs(24 * 3600))
    }
}

/// Reads a value; a missing one is null.
pub(super) fn decode(value: Option<&DynamicValue>, ty: &Type) -> Result<Dynamic, Misfit> {
    match value {
        None => Ok(Dynamic::Null),
        Some(value) if !value.msgpack.is_empty() => msgpack::decode(&value.msgpack, ty),
        Some(value) if !value.json.is_empty() => {
            let read = serde_json::from_slice(&value.json)
                .map_err(|_| Misfit::new("the value is no JSON"))?;
            json::decode(&read, ty, json::Fit::Exact)
        }
        Some(_) => Ok(Dynamic::Null),
    }
}

pub(super) fn encode(value: &Dynamic, ty: &Type) -> DynamicValue {
    DynamicValue {
        msgpack: msgpack::encode(value, ty),
        json: Vec::new(),
    }
}

fn has_secrets(fields: &Fields) -> bool {
    fields
        .attrs
        .values()
        .any(|attr| attr.is_secret() || attr.nested_fields().is_some_and(has_secrets))
        || fields
            .blocks
            .values()
            .any(|block| has_secrets(&block.fields))
}

/// Registers every secret text in an object.
fn register(fields: &Fields, value: &Dynamic) {
    if !value.is_known() {
        return;
    }
    for (name, attr) in &fields.attrs {
        let value = value.get(name);
        if attr.is_secret() {
            register_all(value);
        } else if let Kind::Nested(nesting, inner) = &attr.kind {
            register_each(inner, value, *nesting == Nesting::Single);
        }
    }
    for (name, block) in &fields.blocks {
        register_each(&block.fields, value.get(name), false);
    }
}

fn register_each(fields: &Fields, value: &Dynamic, single: bool) {
    match value {
        Dynamic::Map(items) if !single => items.values().for_each(|item| register(fields, item)),
        Dynamic::Object(_) => register(fields, value),
        value => value
            .items()
            .into_iter()
            .flatten()
            .for_each(|item| register(fields, item)),
    }
}

fn register_all(value: &Dynamic) {
    if let Some(text) = value.as_str() {
        secrets::register(text);
    }
    value.items().into_iter().flatten().for_each(register_all);
    if let Some(entries) = value.entries() {
        entries.values().for_each(register_all);
    }
}
