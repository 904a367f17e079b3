//! The service called directly, without transport: plans, results, stored objects, and resources that break rules.

mod broken;
mod decoding;
mod fuzz;
mod plans;
mod stored;
mod triples;

use super::Server;
use crate::plugin::{
    AnyResource, Call, Configure, Diag, Diags, Dynamic, Found, IdentitySchema, ImportKey,
    MoveSource, Plan, Private, Provider, Resource, Saved, Schema, boolean, list_of, msgpack,
    object, set_of, text,
    wire::tfplugin6::{self as wire, DynamicValue, provider_server::Provider as _},
};
use crate::plugin::{int, list, map_of, timeouts};
use std::sync::{Arc, Mutex};
use tokio_util::sync::CancellationToken;
use tonic::Request;

type Hook = Arc<dyn Fn(&mut Plan<'_, Dynamic>) -> Result<(), Diags> + Send + Sync>;
type Make = Arc<dyn Fn(Dynamic) -> Dynamic + Send + Sync>;

/// A resource of any schema that keeps what is planned and fills in what is unknown, but for what a test changes.
#[derive(Clone)]
struct Thing {
    schema: Schema,
    identity: bool,
    plan: Hook,
    /// What becomes of the object that an honest resource would return.
    made: Make,
    /// What the cloud makes of a plan.
    cloud: Make,
    read: Make,
    end: End,
    met: Arc<Mutex<Vec<Dynamic>>>,
}

#[derive(Clone, Copy, PartialEq)]
enum End {
    Well,
    Failed,
    Panicked,
    Empty,
}

impl Thing {
    fn new(schema: Schema) -> Thing {
        Thing {
            schema,
            identity: false,
            plan: Arc::new(|_| Ok(())),
            made: Arc::new(|made| made),
            cloud: Arc::new(filled),
            read: Arc::new(|read| read),
            end: End::Well,
            met: Arc::default(),
        }
    }

    fn plan(mut self, hook: impl Fn(&mut Plan<'_, Dynamic>) + Send + Sync + 'static) -> Thing {
        self.plan = Arc::new(move |plan| {
            hook(plan);
            Ok(())
        });
        self
    }

    fn made(mut self, made: impl Fn(Dynamic) -> Dynamic + Send + Sync + 'static) -> Thing {
        self.made = Arc::new(made);
        self
    }

    fn cloud(mut self, cloud: impl Fn(Dynamic) -> Dynamic + Send + Sync + 'static) -> Thing {
        self.cloud = Arc::new(cloud);
        self
    }

    fn read_as(mut self, read: impl Fn(Dynamic) -> Dynamic + Send + Sync + 'static) -> Thing {
        self.read = Arc::new(read);
        self
    }

    fn end(mut self, end: End) -> Thing {
        self.end = end;
        self
    }

    fn identity(mut self) -> Thing {
        self.identity = true;
        self
    }

    fn write(&self, call: &Call<'_, Dynamic>, saved: &mut Saved<Dynamic>) -> Result<(), Diags> {
        let whole = (self.made)((self.cloud)(call.planned.clone()));
        match self.end {
            End::Empty => saved.clear(),
            _ => saved.put(whole),
        }
        match self.end {
            End::Failed => Err(Diag::error("the cloud said no").into()),
            End::Panicked => panic!("out of paper"),
            _ => Ok(()),
        }
    }
}

/// Everything unknown gets a value that tells nothing.
fn filled(value: Dynamic) -> Dynamic {
    match value {
        Dynamic::Unknown => "made".into(),
        Dynamic::List(items) => Dynamic::List(items.into_iter().map(filled).collect()),
        Dynamic::Set(items) => Dynamic::Set(items.into_iter().map(filled).collect()),
        Dynamic::Map(items) => {
            Dynamic::Map(items.into_iter().map(|(k, v)| (k, filled(v))).collect())
        }
        Dynamic::Object(items) => {
            Dynamic::Object(items.into_iter().map(|(k, v)| (k, filled(v))).collect())
        }
        other => other,
    }
}

impl Resource for Thing {
    type Model = Dynamic;

    fn name(&self) -> &'static str {
        "test_thing"
    }

    fn schema(&self) -> Schema {
        self.schema.clone()
    }

    fn identity(&self) -> Option<IdentitySchema> {
        self.identity
            .then(|| IdentitySchema::new(1).required("id", crate::plugin::Type::String, "The id."))
    }

    async fn plan(&self, plan: &mut Plan<'_, Dynamic>) -> Result<(), Diags> {
        (self.plan)(plan)
    }

    async fn plan_destroy(&self, _: &Dynamic, _: &Private, diags: &mut Diags) {
        diags.push(Diag::warning("data will be lost"));
    }

    async fn create(
        &self,
        call: &Call<'_, Dynamic>,
        saved: &mut Saved<Dynamic>,
    ) -> Result<(), Diags> {
        saved.private().set("made", b"1".to_vec());
        self.write(call, saved)
    }

    async fn read(
        &self,
        call: &Call<'_, Dynamic>,
        saved: &mut Saved<Dynamic>,
    ) -> Result<Found, Diags> {
        saved.put((self.read)(call.planned.clone()));
        match self.end {
            End::Empty => Ok(Found::Gone),
            End::Failed => Err(Diag::error("the cloud said no").into()),
            _ => Ok(Found::Here),
        }
    }

    async fn update(
        &self,
        call: &Call<'_, Dynamic>,
        saved: &mut Saved<Dynamic>,
    ) -> Result<(), Diags> {
        self.write(call, saved)
    }

    async fn delete(&self, _: &Call<'_, Dynamic>, _: &mut Saved<Dynamic>) -> Result<(), Diags> {
        match self.end {
            End::Failed => Err(Diag::error("the cloud said no").into()),
            _ => Ok(()),
        }
    }

    async fn import(&self, key: &ImportKey, saved: &mut Saved<Dynamic>) -> Result<(), Diags> {
        let Some(Dynamic::Object(mut blank)) = saved.get().cloned() else {
            panic!("an import starts with a blank object");
        };
        blank.insert("id".into(), key.text("id").unwrap_or_default().into());
        saved.put((self.read)(Dynamic::Object(blank)));
        Ok(())
    }

    fn upgrade(&self, _: i64, mut state: serde_json::Value) -> Result<serde_json::Value, Diags> {
        let old = state["title"].take();
        state["name"] = old;
        Ok(state)
    }

    fn met(&self, state: &Dynamic) {
        self.met.lock().unwrap().push(state.clone());
    }

    fn moved(&self, source: &MoveSource<'_>) -> Result<Option<Dynamic>, Diags> {
        Ok((source.type_name == "other_thing").then(|| {
            let name = source.state["label"].as_str().unwrap_or_default();
            Dynamic::object([("name", Dynamic::from(name)), ("id", "moved".into())])
        }))
    }
}

struct Only(Thing);

impl Provider for Only {
    type Config = Dynamic;

    fn name(&self) -> &'static str {
        "test"
    }

    fn version(&self) -> &str {
        "0"
    }

    fn schema(&self) -> Schema {
        Schema::new(0, "A provider for tests.").attr("region", text().optional().doc("Where."))
    }

    async fn configure(&self, _: &Configure<'_, Dynamic>) -> Result<(), Diags> {
        Ok(())
    }

    fn resources(&self) -> Vec<Box<dyn AnyResource>> {
        vec![Box::new(self.0.clone())]
    }
}

/// Terraform's side of one resource, without its checks.
struct Host {
    server: Server,
    schema: Schema,
}

#[derive(Debug)]
struct Planned {
    state: Dynamic,
    replace: Vec<String>,
    private: Vec<u8>,
    diags: Vec<String>,
    deferred: Option<i32>,
    identity: Option<wire::ResourceIdentityData>,
}

#[derive(Debug)]
struct Applied {
    state: Dynamic,
    private: Vec<u8>,
    diags: Vec<String>,
    identity: Option<wire::ResourceIdentityData>,
}

impl Host {
    fn new(thing: Thing) -> Host {
        let schema = thing.schema.clone();
        let server = Server::new(Only(thing), CancellationToken::new());
        assert_eq!(server.problems(), Vec::<String>::new());
        Host { server, schema }
    }

    fn wire(&self, value: &Dynamic) -> Option<DynamicValue> {
        let value = crate::plugin::conform::object(
            value.clone(),
            &self.schema.fields,
            crate::plugin::conform::WriteOnly::Keep,
        )
        .unwrap();
        Some(DynamicValue {
            msgpack: msgpack::encode(&value, &self.schema.object_type()),
            json: Vec::new(),
        })
    }

    fn read_wire(&self, value: Option<DynamicValue>) -> Dynamic {
        let bytes = value.unwrap_or_default().msgpack;
        if bytes.is_empty() {
            return Dynamic::Null;
        }
        msgpack::decode(&bytes, &self.schema.object_type()).unwrap()
    }

    async fn plan(&self, prior: &Dynamic, config: &Dynamic) -> Planned {
        self.plan_with(prior, config, false, None).await
    }

    async fn plan_with(
        &self,
        prior: &Dynamic,
        config: &Dynamic,
        deferral: bool,
        identity: Option<wire::ResourceIdentityData>,
    ) -> Planned {
        let request = wire::plan_resource_change::Request {
            type_name: "test_thing".into(),
            prior_state: self.wire(prior),
            proposed_new_state: self.wire(config),
            config: self.wire(config),
            prior_identity: identity,
            client_capabilities: Some(wire::ClientCapabilities {
                deferral_allowed: deferral,
                write_only_attributes_allowed: true,
            }),
            ..Default::default()
        };
        let answer = self
            .server
            .plan_resource_change(Request::new(request))
            .await
            .unwrap()
            .into_inner();
        Planned {
            state: self.read_wire(answer.planned_state),
            replace: answer.requires_replace.iter().map(path_text).collect(),
            private: answer.planned_private,
            diags: told(&answer.diagnostics),
            deferred: answer.deferred.map(|deferred| deferred.reason),
            identity: answer.planned_identity,
        }
    }

    async fn apply(&self, prior: &Dynamic, config: &Dynamic, planned: Planned) -> Applied {
        let request = wire::apply_resource_change::Request {
            type_name: "test_thing".into(),
            prior_state: self.wire(prior),
            planned_state: self.wire(&planned.state),
            config: self.wire(config),
            planned_private: planned.private,
            planned_identity: planned.identity,
            ..Default::default()
        };
        let answer = self
            .server
            .apply_resource_change(Request::new(request))
            .await
            .unwrap()
            .into_inner();
        Applied {
            state: self.read_wire(answer.new_state),
            private: answer.private,
            diags: told(&answer.diagnostics),
            identity: answer.new_identity,
        }
    }

    /// Plans and applies.
    async fn bring(&self, prior: &Dynamic, config: &Dynamic) -> Applied {
        let planned = self.plan(prior, config).await;
        assert_eq!(planned.diags, Vec::<String>::new());
        self.apply(prior, config, planned).await
    }

    async fn read(&self, state: &Dynamic, identity: Option<wire::ResourceIdentityData>) -> Applied {
        let request = wire::read_resource::Request {
            type_name: "test_thing".into(),
            current_state: self.wire(state),
            current_identity: identity,
            ..Default::default()
        };
        let answer = self
            .server
            .read_resource(Request::new(request))
            .await
            .unwrap()
            .into_inner();
        Applied {
            state: self.read_wire(answer.new_state),
            private: answer.private,
            diags: told(&answer.diagnostics),
            identity: answer.new_identity,
        }
    }

    async fn validate(&self, config: &Dynamic) -> Vec<String> {
        let request = wire::validate_resource_config::Request {
            type_name: "test_thing".into(),
            config: self.wire(config),
            client_capabilities: Some(wire::ClientCapabilities {
                write_only_attributes_allowed: true,
                ..Default::default()
            }),
        };
        let answer = self
            .server
            .validate_resource_config(Request::new(request))
            .await
            .unwrap()
            .into_inner();
        told(&answer.diagnostics)
    }

    async fn upgrade(&self, version: i64, json: &str) -> Result<Dynamic, Vec<String>> {
        let request = wire::upgrade_resource_state::Request {
            type_name: "test_thing".into(),
            version,
            raw_state: Some(wire::RawState {
                json: json.as_bytes().to_vec(),
                flatmap: Default::default(),
            }),
        };
        let answer = self
            .server
            .upgrade_resource_state(Request::new(request))
            .await
            .unwrap()
            .into_inner();
        if answer.diagnostics.is_empty() {
            Ok(self.read_wire(answer.upgraded_state))
        } else {
            Err(told(&answer.diagnostics))
        }
    }
}

fn told(diags: &[wire::Diagnostic]) -> Vec<String> {
    diags
        .iter()
        .map(|diag| {
            let kind = match diag.severity {
                1 => "error",
                _ => "warning",
            };
            let path = diag.attribute.as_ref().map(path_text).unwrap_or_default();
            format!("{kind} [{path}] {}: {}", diag.summary, diag.detail)
        })
        .collect()
}

fn path_text(path: &wire::AttributePath) -> String {
    use wire::attribute_path::step::Selector;
    path.steps
        .iter()
        .fold(crate::plugin::Path::root(), |path, step| {
            match step.selector.as_ref().unwrap() {
                Selector::AttributeName(name) => path.attr(name),
                Selector::ElementKeyString(key) => path.key(key),
                Selector::ElementKeyInt(index) => path.index(*index),
            }
        })
        .to_string()
}

/// An object from JSON; the schema says what is a set or map.
fn value(json: serde_json::Value) -> Dynamic {
    match json {
        serde_json::Value::Null => Dynamic::Null,
        serde_json::Value::Bool(value) => value.into(),
        serde_json::Value::Number(number) => Dynamic::Number(number.to_string().parse().unwrap()),
        serde_json::Value::String(text) if text == "(unknown)" => Dynamic::Unknown,
        serde_json::Value::String(text) => text.into(),
        serde_json::Value::Array(items) => Dynamic::List(items.into_iter().map(value).collect()),
        serde_json::Value::Object(items) => {
            Dynamic::Object(items.into_iter().map(|(k, v)| (k, value(v))).collect())
        }
    }
}

macro_rules! val {
    ($($json:tt)*) => { $crate::plugin::server::tests::value(serde_json::json!($($json)*)) };
}
use val;

/// A schema with something of everything.
fn usual() -> Schema {
    Schema::new(2, "A thing.")
        .attr("id", text().keep().doc("Its id."))
        .attr("name", text().required().replace().doc("Its name."))
        .attr(
            "title",
            text()
                .optional()
                .same(|a, b| a.as_str().map(str::to_lowercase) == b.as_str().map(str::to_lowercase))
                .doc("A title; case does not matter."),
        )
        .attr("size", int().default(3).range(1..=9).doc("How big."))
        .attr("stamp", text().computed().doc("When it was changed."))
        .attr("zone", text().optional().computed().doc("Where it is."))
        .attr(
            "secret_wo",
            text().optional().write_only().doc("A password."),
        )
        .attr("secret_wo_version", int().optional().doc("Its version."))
        .attr(
            "web",
            object([
                ("nodes", int().default(2).doc("How many.")),
                ("flavor", text().optional().doc("Of which kind.")),
                ("address", text().computed().doc("Where it answers.")),
                (
                    "network",
                    text().optional().replace().doc("In which network."),
                ),
            ])
            .optional()
            .computed()
            .doc("The front."),
        )
        .attr(
            "rules",
            set_of([
                ("port", int().required().doc("Which port.")),
                ("open", boolean().default(false).doc("Whether it is open.")),
                ("seen", text().computed().doc("Who uses it.")),
            ])
            .optional()
            .doc("Rules."),
        )
        .attr(
            "disks",
            list_of([
                ("size", int().required().doc("How big.")),
                ("path", text().computed().doc("Where.")),
            ])
            .optional()
            .doc("Disks."),
        )
        .attr(
            "users",
            map_of([
                (
                    "role",
                    text()
                        .default("reader")
                        .one_of(&["reader", "writer"])
                        .doc("Which."),
                ),
                (
                    "token",
                    text().computed().keep().sensitive().doc("Its token."),
                ),
            ])
            .optional()
            .doc("Users."),
        )
        .attr(
            "tags",
            list(crate::plugin::Type::String).optional().doc("Tags."),
        )
        .attr(
            "timeouts",
            timeouts(&[("create", "30m"), ("delete", "10m")]),
        )
}
