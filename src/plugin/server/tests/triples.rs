//! Ten thousand random triples of schema, stored object and configuration, each through the whole life of an object:
//! validate, plan with parts unknown, plan, apply, read, plan again, generate, upgrade, change, destroy.

use super::*;
use crate::plugin::{
    Attr, BlockNesting, SchemaBlock, Type, conform, dynamic, map, number, rules,
    schema::{Fields, Kind, Nesting},
    set,
};
use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU64, Ordering},
};

/// xorshift: the same triples in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }

    fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }
}

#[derive(Clone, Copy, Default)]
struct Place {
    depth: u64,
    in_set: bool,
    in_collection: bool,
    computed_only: bool,
}

fn schema(random: &mut Random) -> Schema {
    let mut schema = Schema::new(2, "A random thing.")
        .attr("id", text().keep().doc("Its id."))
        .attr("stamp", text().computed().doc("Changes with every change."));
    for (name, attr) in attrs(random, Place::default()) {
        schema = schema.attr(name, attr);
    }
    for at in 0..random.below(3) {
        schema = schema.block(format!("block{at}"), block(random, 0));
    }
    schema
}

fn attrs(random: &mut Random, place: Place) -> Vec<(String, Attr)> {
    let count = 1 + random.below(5);
    (0..count)
        .map(|at| (format!("a{at}"), attr(random, place)))
        .collect()
}

fn attr(random: &mut Random, place: Place) -> Attr {
    let mode = if place.computed_only {
        3
    } else {
        random.below(7)
    };
    let nested = place.depth < 3 && random.one_in(3);
    let inner = Place {
        depth: place.depth + 1,
        computed_only: mode == 3,
        ..place
    };
    let in_collection = Place {
        in_collection: true,
        ..inner
    };
    let in_set = Place {
        in_set: true,
        ..in_collection
    };
    let made = match (nested, random.below(4)) {
        (true, 0) => object(attrs(random, inner)),
        (true, 1) => list_of(attrs(random, in_collection)),
        (true, 2) => set_of(attrs(random, in_set)),
        (true, _) => map_of(attrs(random, in_collection)),
        (false, _) => plain(random, place),
    };
    let made = made.doc("Something.");
    let simple = matches!(&made.kind, Kind::Plain(ty) if *ty != Type::Dynamic);
    match mode {
        0 => made.required(),
        1 | 2 => {
            let made = made.optional();
            if random.one_in(4) {
                made.replace()
            } else {
                made
            }
        }
        3 if random.one_in(3) => made.keep(),
        3 => made.computed(),
        4 if simple => {
            let default = sample(random, &made.ty());
            made.default(default)
        }
        5 if !place.in_set && !matches!(made.kind, Kind::Nested(..)) => {
            made.optional().write_only()
        }
        _ => {
            let made = made.optional().computed();
            if random.one_in(3) { made.keep() } else { made }
        }
    }
}

fn plain(random: &mut Random, place: Place) -> Attr {
    match random.below(9) {
        0 => boolean(),
        1 | 2 => number(),
        3 => list(Type::Number),
        4 => set(Type::String),
        5 => map(Type::list(Type::String)),
        6 if !place.in_collection => dynamic(),
        _ => text(),
    }
}

fn block(random: &mut Random, depth: u64) -> SchemaBlock {
    let nesting = match random.below(5) {
        0 => BlockNesting::Single,
        1 => BlockNesting::Group,
        2 => BlockNesting::List,
        3 => BlockNesting::Set,
        _ => BlockNesting::Map,
    };
    let place = Place {
        depth: 2,
        in_set: true,
        in_collection: true,
        computed_only: false,
    };
    let block = SchemaBlock::new(nesting, attrs(random, place)).doc("A block.");
    if depth == 0 && random.one_in(3) {
        block.block("inner", self::block(random, 1))
    } else {
        block
    }
}

/// A value of a type, without unknowns.
fn sample(random: &mut Random, ty: &Type) -> Dynamic {
    let count = random.below(3);
    match ty {
        Type::Bool => random.one_in(2).into(),
        Type::Number => {
            let texts = [
                "0",
                "1",
                "-7",
                "0.1",
                "18446744073709551615",
                "1234567890123456789012.5",
                "2.5",
            ];
            Dynamic::Number(texts[random.below(7) as usize].parse().unwrap())
        }
        Type::String => ["", "a", "b", "größer", "c d"][random.below(5) as usize].into(),
        Type::List(element) => Dynamic::List((0..count).map(|_| sample(random, element)).collect()),
        Type::Set(element) => Dynamic::Set(conform::without_twins(
            (0..count).map(|_| sample(random, element)).collect(),
        )),
        Type::Map(element) => Dynamic::Map(
            (0..count)
                .map(|at| (format!("k{at}"), sample(random, element)))
                .collect(),
        ),
        Type::Object(attrs) => Dynamic::Object(
            attrs
                .iter()
                .map(|(name, ty)| (name.clone(), sample(random, ty)))
                .collect(),
        ),
        Type::Tuple(types) => Dynamic::Tuple(types.iter().map(|ty| sample(random, ty)).collect()),
        Type::Dynamic => {
            let types = [
                Type::String,
                Type::set(Type::Number),
                Type::Tuple(vec![Type::Bool, Type::String]),
            ];
            let ty = types[random.below(3) as usize].clone();
            let value = if random.one_in(4) {
                Dynamic::Null
            } else {
                sample(random, &ty)
            };
            Dynamic::Typed(Box::new((ty, value)))
        }
    }
}

/// A configuration that a user might write: wholly known.
fn config(random: &mut Random, fields: &Fields) -> Dynamic {
    let mut items = BTreeMap::new();
    for (name, attr) in &fields.attrs {
        let left_out = !attr.required && (attr.is_computed_only() || random.one_in(2));
        let value = match &attr.kind {
            _ if left_out => Dynamic::Null,
            Kind::Plain(ty) => match sample(random, ty) {
                null if null.is_null() && attr.required => "x".into(),
                value => value,
            },
            Kind::Nested(Nesting::Single, inner) => config(random, inner),
            Kind::Nested(Nesting::List, inner) => Dynamic::List(configs(random, inner)),
            Kind::Nested(Nesting::Set, inner) => Dynamic::Set(configs(random, inner)),
            Kind::Nested(Nesting::Map, inner) => keyed(random, inner),
        };
        items.insert(name.clone(), value);
    }
    for (name, block) in &fields.blocks {
        let inner = &block.fields;
        let value = match block.nesting {
            BlockNesting::Single if random.one_in(2) => Dynamic::Null,
            BlockNesting::Single | BlockNesting::Group => config(random, inner),
            BlockNesting::List => Dynamic::List(configs(random, inner)),
            BlockNesting::Set => Dynamic::Set(configs(random, inner)),
            BlockNesting::Map => keyed(random, inner),
        };
        items.insert(name.clone(), value);
    }
    Dynamic::Object(items)
}

fn configs(random: &mut Random, fields: &Fields) -> Vec<Dynamic> {
    (0..random.below(3))
        .map(|_| config(random, fields))
        .collect()
}

fn keyed(random: &mut Random, fields: &Fields) -> Dynamic {
    let keys = ["x", "y z", "w"];
    let mut items = BTreeMap::new();
    for _ in 0..random.below(3) {
        let key = keys[random.below(3) as usize].to_owned();
        items.insert(key, config(random, fields));
    }
    Dynamic::Map(items)
}

/// The same configuration, changed here and there.
fn changed(random: &mut Random, fields: &Fields, before: &Dynamic) -> Dynamic {
    let fresh = config(random, fields);
    let (Dynamic::Object(before), Dynamic::Object(fresh)) = (before, fresh) else {
        panic!("a configuration is an object");
    };
    let items = before.iter().map(|(name, value)| {
        let value = if random.one_in(4) {
            &fresh[name]
        } else {
            value
        };
        (name.clone(), value.clone())
    });
    Dynamic::Object(items.collect())
}

/// The same configuration before some of it was known.
fn hidden(random: &mut Random, fields: &Fields, config: &Dynamic) -> Dynamic {
    let Dynamic::Object(items) = config else {
        return config.clone();
    };
    let items = items.iter().map(|(name, value)| {
        let attr = fields.attrs.get(name);
        let settable = attr.is_none_or(|attr| !attr.is_computed_only());
        let group = fields.blocks.get(name).is_some_and(|block| {
            matches!(block.nesting, BlockNesting::Group | BlockNesting::Single)
        });
        let inner = attr
            .and_then(Attr::nested_fields)
            .or_else(|| fields.blocks.get(name).map(|block| &block.fields));
        let value = match (inner, value) {
            _ if settable && !group && random.one_in(8) => Dynamic::Unknown,
            (Some(inner), Dynamic::Object(_)) => hidden(random, inner, value),
            (Some(inner), Dynamic::List(items)) => Dynamic::List(
                items
                    .iter()
                    .map(|item| hidden(random, inner, item))
                    .collect(),
            ),
            (Some(inner), Dynamic::Map(items)) => Dynamic::Map(
                items
                    .iter()
                    .map(|(key, item)| (key.clone(), hidden(random, inner, item)))
                    .collect(),
            ),
            _ => value.clone(),
        };
        (name.clone(), value)
    });
    Dynamic::Object(items.collect())
}

/// What an honest cloud makes of a plan: a value for everything unknown.
fn made_of(value: Dynamic, ty: &Type) -> Dynamic {
    match (value, ty) {
        (Dynamic::Unknown, ty) => unlike(ty),
        (Dynamic::List(items), Type::List(element)) => Dynamic::List(
            items
                .into_iter()
                .map(|item| made_of(item, element))
                .collect(),
        ),
        (Dynamic::Set(items), Type::Set(element)) => Dynamic::Set(
            items
                .into_iter()
                .map(|item| made_of(item, element))
                .collect(),
        ),
        (Dynamic::Map(items), Type::Map(element)) => Dynamic::Map(
            items
                .into_iter()
                .map(|(key, item)| (key, made_of(item, element)))
                .collect(),
        ),
        (Dynamic::Object(items), Type::Object(attrs)) => Dynamic::Object(
            items
                .into_iter()
                .map(|(name, item)| {
                    let item = made_of(item, &attrs[&name]);
                    (name, item)
                })
                .collect(),
        ),
        (value, _) => value,
    }
}

/// A value unlike all others, for what can be told apart.
fn unlike(ty: &Type) -> Dynamic {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    match ty {
        Type::Bool => count.is_multiple_of(2).into(),
        Type::Number => count.into(),
        Type::String => format!("made-{count}").into(),
        Type::List(element) => Dynamic::List(vec![unlike(element)]),
        Type::Set(element) => Dynamic::Set(vec![unlike(element)]),
        Type::Map(element) => Dynamic::Map([("key".to_owned(), unlike(element))].into()),
        Type::Object(attrs) => {
            Dynamic::object(attrs.iter().map(|(name, ty)| (name.clone(), unlike(ty))))
        }
        Type::Tuple(types) => Dynamic::Tuple(types.iter().map(unlike).collect()),
        Type::Dynamic => Dynamic::Typed(Box::new((Type::String, unlike(&Type::String)))),
    }
}

/// Whether elements of a set became equal, once what they differ in was known. Terraform allows it, though the next
/// plan then counts more elements in the configuration than there are; nobody can know which is which.
fn merged(planned: &Dynamic, result: &Dynamic) -> bool {
    if let (Dynamic::Set(planned), Dynamic::Set(result)) = (planned, result) {
        return planned.len() != result.len();
    }
    if let (Some(planned), Some(result)) = (planned.items(), result.items()) {
        return planned
            .iter()
            .zip(result)
            .any(|(planned, result)| merged(planned, result));
    }
    let entries = planned.entries().into_iter().flatten();
    entries
        .into_iter()
        .any(|(name, planned)| merged(planned, result.get(name)))
}

struct Life<'a> {
    host: &'a Host,
    config: &'a Dynamic,
    prior: &'a Dynamic,
}

impl Life<'_> {
    /// Everything that is needed to see what went wrong.
    fn about(&self) -> String {
        let (config, prior) = (self.config.to_json(), self.prior.to_json());
        format!("{:?}\nconfig {config}\nprior {prior}", self.host.schema)
    }

    fn fine(&self, what: &str, diags: &[String]) {
        assert!(diags.is_empty(), "{what}: {diags:?}\n{}", self.about());
    }

    fn equal(&self, what: &str, a: &Dynamic, b: &Dynamic) {
        assert!(
            a == b,
            "{what}:\n{}\n{}\n{}",
            a.to_json(),
            b.to_json(),
            self.about()
        );
    }

    /// From one stored object to the next; `None` if this configuration is none that a user may write.
    async fn bring(
        &self,
        random: &mut Random,
        prior: &Dynamic,
        config: &Dynamic,
    ) -> Option<Dynamic> {
        let told = self.host.validate(config).await;
        if told.iter().all(|text| text.contains("are the same")) && !told.is_empty() {
            return None;
        }
        self.fine("validate", &told);
        let fields = &self.host.schema.fields;
        let early = hidden(random, fields, config);
        self.fine("validate with unknowns", &self.host.validate(&early).await);
        let first = self.host.plan(prior, &early).await;
        self.fine("first plan", &first.diags);
        let planned = self.host.plan(prior, config).await;
        self.fine("plan", &planned.diags);
        // F2: what the first plan knew, the final one keeps.
        let broken = rules::applied(&first.state, &planned.state);
        assert!(
            broken.is_empty(),
            "final plan: {broken:?}\n{}",
            self.about()
        );
        if planned.state == *prior {
            assert!(planned.replace.is_empty());
            return Some(prior.clone());
        }
        let prior = if planned.replace.is_empty() {
            prior
        } else {
            &Dynamic::Null
        };
        let planned = self.host.plan(prior, config).await;
        self.fine("plan of a replacement", &planned.diags);
        let promised = planned.state.clone();
        let applied = self.host.apply(prior, config, planned).await;
        self.fine("apply", &applied.diags);
        let broken = rules::applied(&promised, &applied.state);
        assert!(
            broken.is_empty() && applied.state.is_wholly_known(),
            "{broken:?}\n{}",
            self.about()
        );
        if merged(&promised, &applied.state) {
            return None;
        }
        let read = self.host.read(&applied.state, None).await;
        self.fine("read", &read.diags);
        self.equal("read", &read.state, &applied.state);
        self.quiet(&applied.state, config).await;
        Some(applied.state)
    }

    /// P14: nothing is left to do, whoever asks.
    async fn quiet(&self, state: &Dynamic, config: &Dynamic) {
        let again = self.host.plan(state, config).await;
        self.fine("second plan", &again.diags);
        self.equal("second plan", &again.state, state);
        assert!(
            again.replace.is_empty(),
            "{:?}\n{}",
            again.replace,
            self.about()
        );
        let request = wire::generate_resource_config::Request {
            type_name: "test_thing".into(),
            state: self.host.wire(state),
        };
        let answer = self
            .host
            .server
            .generate_resource_config(Request::new(request))
            .await;
        let generated = self.host.read_wire(answer.unwrap().into_inner().config);
        // Elements of a set that differ in computed values only cannot be written as two.
        if !merged(state, &generated) {
            let again = self.host.plan(state, &generated).await;
            self.fine("plan of what was generated", &again.diags);
            self.equal("plan of what was generated", &again.state, state);
        }
        if !self.host.schema.object_type().has_dynamic() {
            let stored = state.to_json().to_string();
            let upgraded = self.host.upgrade(2, &stored).await.unwrap();
            self.equal("upgrade", &upgraded, state);
        }
    }
}

#[tokio::test]
async fn ten_thousand_random_lives() {
    let wanted: u64 = std::env::var("PLUGIN_TRIPLES")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(10_000);
    let mut random = Random(0x0123_4567_89ab_cdef);
    let (mut lived, mut schemas) = (0, 0);
    while lived < wanted {
        schemas += 1;
        assert!(
            schemas < wanted,
            "most configurations are ones that a user may write"
        );
        let schema = schema(&mut random);
        let ty = schema.object_type();
        let thing = Thing::new(schema).cloud(move |planned| made_of(planned, &ty));
        let host = Host::new(thing);
        let mut state = Dynamic::Null;
        let mut written = config(&mut random, &host.schema.fields);
        for _ in 0..20 {
            let life = Life {
                host: &host,
                config: &written,
                prior: &state,
            };
            if let Some(next) = life.bring(&mut random, &state, &written).await {
                state = next;
                lived += 1;
            }
            written = changed(&mut random, &host.schema.fields, &written);
        }
        let planned = host.plan(&state, &Dynamic::Null).await;
        let gone = host.apply(&state, &Dynamic::Null, planned).await;
        assert!(gone.state.is_null() && gone.diags.is_empty());
    }
}
