//! Shapes of values: numbers, dynamic values, collections, nested attributes, blocks, spellings, write-only values.

use std::collections::BTreeMap;

use invenioils::plugin::{
    BlockNesting, Dynamic, Number, Schema, SchemaBlock, Type, Value, boolean, dynamic, int, list,
    list_of, map, map_of, number, object, set, set_of, text,
};
use serde::{Deserialize, Serialize};

use super::plain::Shape;

fn fill<T>(value: &mut Value<T>, with: impl FnOnce() -> T) {
    if value.is_unknown() {
        *value = Value::Known(with());
    }
}

/// Numbers of every size; each is kept to the last digit.
#[derive(Clone, Serialize, Deserialize)]
pub struct Numbers {
    exact: Value<Number>,
    small: Value<i64>,
    list: Value<Vec<Value<Number>>>,
    any: Value<Dynamic>,
    copy: Value<Number>,
}

impl Shape for Numbers {
    const NAME: &'static str = "corner_numbers";

    fn schema() -> Schema {
        Schema::new(0, "Numbers.")
            .attr("exact", number().optional().doc("Any number."))
            .attr("small", int().optional().doc("A small whole one."))
            .attr("list", list(Type::Number).optional().doc("Many."))
            .attr("any", dynamic().optional().doc("A number of any type."))
            .attr("copy", number().computed().doc("The same as `exact`."))
    }

    fn fill(&mut self, _: &Self) {
        if self.copy.is_unknown() {
            self.copy = self.exact.clone();
        }
    }
}

/// A value whose type changes from one apply to the next.
#[derive(Clone, Serialize, Deserialize)]
pub struct Dynamics {
    value: Value<Dynamic>,
    echo: Value<Dynamic>,
}

impl Shape for Dynamics {
    const NAME: &'static str = "corner_dynamic";

    fn schema() -> Schema {
        Schema::new(0, "Values of any type.")
            .attr("value", dynamic().optional().doc("Anything."))
            .attr(
                "echo",
                dynamic()
                    .computed()
                    .doc("The same, as the provider says it."),
            )
    }

    fn fill(&mut self, _: &Self) {
        if self.echo.is_unknown() {
            self.echo = self.value.clone();
        }
    }
}

#[derive(Clone, Serialize, Deserialize)]
pub struct Collections {
    list: Value<Vec<Value<String>>>,
    set: Value<Vec<Value<String>>>,
    map: Value<BTreeMap<String, Value<String>>>,
    deep: Value<BTreeMap<String, Value<Vec<Value<Number>>>>>,
    with_default: Value<Vec<Value<String>>>,
    computed_list: Value<Vec<Value<String>>>,
    computed_map: Value<BTreeMap<String, Value<String>>>,
    flag: Value<bool>,
}

impl Shape for Collections {
    const NAME: &'static str = "corner_collections";

    fn schema() -> Schema {
        Schema::new(0, "Collections.")
            .attr("list", list(Type::String).optional().doc("A list."))
            .attr("set", set(Type::String).optional().doc("A set."))
            .attr("map", map(Type::String).optional().doc("A map."))
            .attr(
                "deep",
                map(Type::list(Type::Number))
                    .optional()
                    .doc("A map of lists."),
            )
            .attr(
                "with_default",
                list(Type::String)
                    .default(vec!["a", "b"])
                    .doc("A list with a default."),
            )
            .attr(
                "computed_list",
                list(Type::String).computed().doc("The keys of the map."),
            )
            .attr(
                "computed_map",
                map(Type::String)
                    .optional()
                    .computed()
                    .doc("What is given, or something."),
            )
            .attr("flag", boolean().default(true).doc("True unless said."))
    }

    fn fill(&mut self, _: &Self) {
        let keys: Vec<Value<String>> = match &self.map {
            Value::Known(map) => map.keys().cloned().map(Value::Known).collect(),
            _ => Vec::new(),
        };
        fill(&mut self.computed_list, || keys);
        fill(&mut self.computed_map, || {
            BTreeMap::from([("made".to_owned(), Value::Known("up".to_owned()))])
        });
    }
}

#[derive(Clone, Serialize, Deserialize)]
pub struct Disk {
    name: Value<String>,
    size: Value<i64>,
    device: Value<String>,
}

impl Disk {
    fn attributes() -> [(&'static str, invenioils::plugin::Attr); 3] {
        [
            ("name", text().required().doc("Its name.")),
            ("size", int().default(10).doc("Its size.")),
            ("device", text().computed().doc("Where it is.")),
        ]
    }

    fn fill(&mut self) {
        let name = self.name.known().cloned().unwrap_or_default();
        fill(&mut self.device, || format!("/dev/{name}"));
    }
}

#[derive(Clone, Serialize, Deserialize)]
pub struct Rule {
    port: Value<i64>,
    protocol: Value<String>,
}

#[derive(Clone, Serialize, Deserialize)]
pub struct Network {
    cidr: Value<String>,
    address: Value<String>,
    inner: Value<Inner>,
}

#[derive(Clone, Serialize, Deserialize)]
pub struct Inner {
    key: Value<String>,
    secret_wo: Value<String>,
}

/// Nested attributes of every kind, with defaults, computed and write-only leaves.
#[derive(Clone, Serialize, Deserialize)]
pub struct Nested {
    network: Value<Network>,
    disks: Value<Vec<Disk>>,
    named_disks: Value<BTreeMap<String, Disk>>,
    rules: Value<Vec<Rule>>,
    found: Value<Vec<Rule>>,
}

fn rule() -> [(&'static str, invenioils::plugin::Attr); 2] {
    [
        ("port", int().required().doc("Its port.")),
        ("protocol", text().default("tcp").doc("Its protocol.")),
    ]
}

impl Shape for Nested {
    const NAME: &'static str = "corner_nested";

    fn schema() -> Schema {
        let inner = object([
            ("key", text().optional().doc("Kept.")),
            ("secret_wo", text().optional().write_only().doc("Not kept.")),
        ]);
        let found = list_of([
            ("port", int().computed().doc("Its port.")),
            ("protocol", text().computed().doc("Its protocol.")),
        ]);
        Schema::new(0, "Nested attributes.")
            .attr(
                "network",
                object([
                    ("cidr", text().required().doc("Its range.")),
                    (
                        "address",
                        text().optional().computed().doc("An address in it."),
                    ),
                    ("inner", inner.optional().doc("One deeper.")),
                ])
                .optional()
                .doc("A network."),
            )
            .attr(
                "disks",
                list_of(Disk::attributes())
                    .optional()
                    .doc("Disks in order."),
            )
            .attr(
                "named_disks",
                map_of(Disk::attributes()).optional().doc("Disks by name."),
            )
            .attr("rules", set_of(rule()).optional().doc("Rules in no order."))
            .attr("found", found.computed().doc("Rules that were found."))
    }

    fn fill(&mut self, _: &Self) {
        if let Value::Known(network) = &mut self.network {
            fill(&mut network.address, || "10.0.0.5".to_owned());
        }
        self.disks
            .known_mut()
            .into_iter()
            .flatten()
            .for_each(Disk::fill);
        self.named_disks
            .known_mut()
            .into_iter()
            .flatten()
            .for_each(|(_, disk)| disk.fill());
        fill(&mut self.found, || {
            vec![Rule {
                port: 22.into(),
                protocol: "tcp".into(),
            }]
        });
    }
}

#[derive(Clone, Default, Serialize, Deserialize)]
pub struct Options {
    speed: Value<i64>,
    note: Value<String>,
}

/// Blocks of every kind.
#[derive(Clone, Serialize, Deserialize)]
pub struct Blocks {
    name: Value<String>,
    one: Value<Options>,
    group: Value<Options>,
    disk: Value<Vec<Disk>>,
    rule: Value<Vec<Rule>>,
    entry: Value<BTreeMap<String, Options>>,
}

impl Shape for Blocks {
    const NAME: &'static str = "corner_blocks";

    fn schema() -> Schema {
        let options = || {
            [
                ("speed", int().default(1).doc("Speed.")),
                ("note", text().optional().computed().doc("A note.")),
            ]
        };
        let block = |nesting, doc: &str| SchemaBlock::new(nesting, options()).doc(doc);
        Schema::new(0, "Blocks.")
            .attr("name", text().optional().doc("A name."))
            .block("one", block(BlockNesting::Single, "At most one."))
            .block("group", block(BlockNesting::Group, "Always one."))
            .block(
                "disk",
                SchemaBlock::new(BlockNesting::List, Disk::attributes())
                    .max(3)
                    .doc("In order."),
            )
            .block(
                "rule",
                SchemaBlock::new(BlockNesting::Set, rule()).doc("In no order."),
            )
            .block("entry", block(BlockNesting::Map, "By name."))
    }

    fn fill(&mut self, _: &Self) {
        let note = |options: &mut Options| fill(&mut options.note, || "noted".to_owned());
        self.one.known_mut().into_iter().for_each(note);
        self.group.known_mut().into_iter().for_each(note);
        self.entry
            .known_mut()
            .into_iter()
            .flatten()
            .for_each(|(_, options)| note(options));
        self.disk
            .known_mut()
            .into_iter()
            .flatten()
            .for_each(Disk::fill);
    }
}

/// Two spellings of one value: the user's own is kept.
#[derive(Clone, Serialize, Deserialize)]
pub struct Spelling {
    json: Value<String>,
    host: Value<String>,
}

impl Shape for Spelling {
    const NAME: &'static str = "corner_spelling";

    fn schema() -> Schema {
        let json = |value: &Dynamic| {
            value
                .as_str()
                .and_then(|text| serde_json::from_str::<serde_json::Value>(text).ok())
        };
        let host = |value: &Dynamic| value.as_str().map(str::to_lowercase);
        Schema::new(0, "Spellings.")
            .attr(
                "json",
                text()
                    .optional()
                    .same(move |one, other| json(one) == json(other))
                    .doc("JSON in any spelling."),
            )
            .attr(
                "host",
                text()
                    .optional()
                    .same(move |one, other| host(one) == host(other))
                    .doc("A name in any case."),
            )
    }

    fn fill(&mut self, _: &Self) {
        // The remote's spelling, which the runtime must not let through.
        if let Value::Known(host) = &mut self.host {
            *host = host.to_lowercase();
        }
        if let Value::Known(json) = &mut self.json
            && let Ok(value) = serde_json::from_str::<serde_json::Value>(json)
        {
            *json = value.to_string();
        }
    }
}

/// Write-only values, of which only a version and a length are kept.
#[derive(Clone, Serialize, Deserialize)]
pub struct WriteOnly {
    password_wo: Value<String>,
    password_wo_version: Value<i64>,
    length: Value<i64>,
    keys_wo: Value<BTreeMap<String, Value<String>>>,
    keys_wo_version: Value<i64>,
}

impl Shape for WriteOnly {
    const NAME: &'static str = "corner_write_only";

    fn schema() -> Schema {
        Schema::new(0, "Write-only values.")
            .attr(
                "password_wo",
                text().optional().write_only().sensitive().doc("A secret."),
            )
            .attr(
                "password_wo_version",
                int().optional().doc("Change it to set the secret anew."),
            )
            .attr("length", int().computed().doc("How long the secret is."))
            .attr(
                "keys_wo",
                map(Type::String)
                    .optional()
                    .write_only()
                    .sensitive()
                    .doc("Secrets by name."),
            )
            .attr(
                "keys_wo_version",
                int().optional().doc("Change it to set them anew."),
            )
    }

    fn fill(&mut self, config: &Self) {
        let length = config.password_wo.known().map_or(0, String::len);
        fill(&mut self.length, || length as i64);
    }
}

/// A value as large as users have them.
#[derive(Clone, Serialize, Deserialize)]
pub struct Big {
    text: Value<String>,
    length: Value<i64>,
}

impl Shape for Big {
    const NAME: &'static str = "corner_big";

    fn schema() -> Schema {
        Schema::new(0, "A large value.")
            .attr("text", text().required().doc("Any length."))
            .attr("length", int().computed().doc("Its length."))
    }

    fn fill(&mut self, _: &Self) {
        let length = self.text.known().map_or(0, String::len);
        fill(&mut self.length, || length as i64);
    }
}
