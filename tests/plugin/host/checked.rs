//! The calls about managed resources. Each holds its answer against the rules and gives it in plain values.

use std::collections::HashMap;

use tonic::transport::Channel;

use super::schemas::{Kind, Schemas};
use super::{Launch, Process};
use crate::plugin::messages6 as pb;
use crate::plugin::rules::{self, Broken, PlanAnswer};
use crate::plugin::value::Val;
use crate::plugin::wire::tfplugin6::provider_client::ProviderClient;

/// A diagnostic, its path as text: `disks[1].size`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diag {
    pub error: bool,
    pub summary: String,
    pub detail: String,
    pub path: String,
}

impl Diag {
    pub fn all(diagnostics: &[pb::Diagnostic]) -> Vec<Self> {
        diagnostics.iter().map(Self::read).collect()
    }

    pub fn read(diagnostic: &pb::Diagnostic) -> Self {
        use pb::diagnostic::Severity;
        assert_ne!(diagnostic.severity(), Severity::Invalid, "{diagnostic:?}");
        assert!(
            !diagnostic.summary.is_empty(),
            "a diagnostic without a summary: {diagnostic:?}"
        );
        Self {
            error: diagnostic.severity() == Severity::Error,
            summary: diagnostic.summary.clone(),
            detail: diagnostic.detail.clone(),
            path: diagnostic
                .attribute
                .as_ref()
                .map(path_text)
                .unwrap_or_default(),
        }
    }
}

pub fn errors(diagnostics: &[Diag]) -> Vec<&Diag> {
    diagnostics
        .iter()
        .filter(|diagnostic| diagnostic.error)
        .collect()
}

pub fn path_text(path: &pb::AttributePath) -> String {
    use pb::attribute_path::step::Selector;
    let mut text = String::new();
    for step in &path.steps {
        match step.selector.as_ref().expect("a step says what it selects") {
            Selector::AttributeName(name) if text.is_empty() => text.push_str(name),
            Selector::AttributeName(name) => text.push_str(&format!(".{name}")),
            Selector::ElementKeyString(key) => text.push_str(&format!("[{key:?}]")),
            Selector::ElementKeyInt(index) => text.push_str(&format!("[{index}]")),
        }
    }
    text
}

/// A running provider whose every answer is checked.
pub struct Provider {
    pub process: Process,
    pub rpc: ProviderClient<Channel>,
    pub schemas: Schemas,
    /// What this host can do.
    pub client: pb::ClientCapabilities,
    /// Results of functions by their call: the same call must give the same result. (N)
    pub(super) calls: HashMap<Vec<u8>, Vec<u8>>,
}

/// What a plan is asked for.
#[derive(Debug, Clone)]
pub struct PlanInput {
    pub prior: Val,
    pub config: Val,
    pub private: Vec<u8>,
    pub identity: Option<Val>,
}

impl PlanInput {
    pub fn create(config: Val) -> Self {
        Self {
            prior: Val::Null,
            config,
            private: Vec::new(),
            identity: None,
        }
    }
}

#[derive(Debug, Clone)]
pub struct Planned {
    pub state: Val,
    pub requires_replace: Vec<String>,
    pub private: Vec<u8>,
    pub identity: Option<Val>,
    pub deferred: Option<pb::Deferred>,
    pub diagnostics: Vec<Diag>,
}

/// A state with what travels beside it.
#[derive(Debug, Clone)]
pub struct Outcome {
    pub state: Val,
    pub private: Vec<u8>,
    pub identity: Option<Val>,
    pub diagnostics: Vec<Diag>,
}

pub enum Import<'a> {
    Id(&'a str),
    Identity(Val),
}

impl Launch {
    /// Starts the provider and reads its schemas.
    pub async fn provider(&self) -> Provider {
        Provider::over(self.start().await).await
    }
}

impl Provider {
    pub async fn over(process: Process) -> Self {
        let channel = process.connect().await;
        let mut rpc = ProviderClient::new(channel)
            .max_decoding_message_size(usize::MAX)
            .max_encoding_message_size(usize::MAX);
        let answer = rpc
            .get_provider_schema(pb::get_provider_schema::Request {})
            .await
            .unwrap()
            .into_inner();
        let identities = pb::get_resource_identity_schemas::Request {};
        let identities = rpc
            .get_resource_identity_schemas(identities)
            .await
            .unwrap()
            .into_inner();
        assert_eq!(errors(&Diag::all(&answer.diagnostics)), Vec::<&Diag>::new());
        assert_eq!(
            errors(&Diag::all(&identities.diagnostics)),
            Vec::<&Diag>::new()
        );
        let mut broken = Broken::default();
        let schemas = Schemas::read(&answer, &identities, &mut broken);
        broken.none("the schema");
        let client = pb::ClientCapabilities {
            deferral_allowed: false,
            write_only_attributes_allowed: true,
        };
        Self {
            process,
            rpc,
            schemas,
            client,
            calls: HashMap::new(),
        }
    }

    pub fn kind(&self, type_name: &str) -> &Kind {
        self.schemas
            .resources
            .get(type_name)
            .unwrap_or_else(|| panic!("no resource {type_name}"))
    }

    /// A configuration of a resource: what is given, all else null.
    pub fn config(&self, type_name: &str, given: Val) -> Val {
        self.kind(type_name).shape.config(&given)
    }

    pub async fn configure(&mut self, config: Val) -> Vec<Diag> {
        let config = self.schemas.provider.config(&config);
        let request = pb::validate_provider_config::Request {
            config: Some(config.to_wire()),
        };
        let answer = self
            .rpc
            .validate_provider_config(request)
            .await
            .unwrap()
            .into_inner();
        let mut diagnostics = Diag::all(&answer.diagnostics);
        if !errors(&diagnostics).is_empty() {
            return diagnostics;
        }
        let request = pb::configure_provider::Request {
            terraform_version: "1.16.0".into(),
            config: Some(config.to_wire()),
            client_capabilities: Some(self.client),
        };
        let answer = self
            .rpc
            .configure_provider(request)
            .await
            .unwrap()
            .into_inner();
        diagnostics.extend(Diag::all(&answer.diagnostics));
        diagnostics
    }

    pub async fn validate(&mut self, type_name: &str, config: &Val) -> Vec<Diag> {
        let request = pb::validate_resource_config::Request {
            type_name: type_name.into(),
            config: Some(config.to_wire()),
            client_capabilities: Some(self.client),
        };
        let answer = self
            .rpc
            .validate_resource_config(request)
            .await
            .unwrap()
            .into_inner();
        Diag::all(&answer.diagnostics)
    }

    pub async fn plan(&mut self, type_name: &str, input: &PlanInput) -> Planned {
        let kind = self.kind(type_name).clone();
        let mut broken = Broken::default();
        // Sets in one form, so that the answer can be compared.
        let config = kind
            .shape
            .fit(unset(&input.config), "", "test", &mut broken);
        let prior = kind.shape.fit(unset(&input.prior), "", "test", &mut broken);
        broken.none("the test's own request");
        let request = pb::plan_resource_change::Request {
            type_name: type_name.into(),
            prior_state: Some(prior.to_wire()),
            proposed_new_state: Some(super::proposed(&kind.shape, &prior, &config).to_wire()),
            config: Some(config.to_wire()),
            prior_private: input.private.clone(),
            provider_meta: None,
            client_capabilities: Some(self.client),
            prior_identity: identity_to_wire(input.identity.as_ref()),
            planned_private: Vec::new(),
        };
        let answer = self
            .rpc
            .plan_resource_change(request)
            .await
            .unwrap()
            .into_inner();
        let diagnostics = Diag::all(&answer.diagnostics);
        let failed = !errors(&diagnostics).is_empty();

        let mut broken = Broken::default();
        if answer.legacy_type_system {
            broken.add("P", "", "claims the legacy type system");
        }
        if answer.deferred.is_some() && !self.client.deferral_allowed {
            broken.add("P12", "", "deferred although the client does not allow it");
        }
        let state = decode(answer.planned_state.as_ref(), "P8", &mut broken);
        let state = kind.shape.fit(state, "", "P8", &mut broken);
        let identity = decode_identity(&kind, answer.planned_identity.as_ref(), "P13", &mut broken);
        if !failed {
            let answer = PlanAnswer {
                prior: &prior,
                config: &config,
                planned: &state,
                requires_replace: &answer.requires_replace,
            };
            rules::planned(&kind.shape, &answer, &mut broken);
            let replaced = !answer.requires_replace.is_empty();
            if let Some(identity) = &identity
                && !prior.is_null()
                && !replaced
            {
                if !identity.wholly_known() {
                    broken.add("P13", "identity", "unknown although the object exists");
                }
                if let Some(before) = &input.identity
                    && before != identity
                {
                    broken.add(
                        "P13",
                        "identity",
                        &format!("was {before:?}, planned as {identity:?}"),
                    );
                }
            }
        }
        broken.none(&format!("plan of {type_name}"));
        Planned {
            state,
            requires_replace: answer.requires_replace.iter().map(path_text).collect(),
            private: answer.planned_private,
            identity,
            deferred: answer.deferred,
            diagnostics,
        }
    }

    /// The state of the answer is null where Terraform would store nothing.
    pub async fn apply(
        &mut self,
        type_name: &str,
        input: &PlanInput,
        planned: &Planned,
    ) -> Outcome {
        let kind = self.kind(type_name).clone();
        let request = pb::apply_resource_change::Request {
            type_name: type_name.into(),
            prior_state: Some(input.prior.to_wire()),
            planned_state: Some(planned.state.to_wire()),
            config: Some(input.config.to_wire()),
            planned_private: planned.private.clone(),
            provider_meta: None,
            planned_identity: identity_to_wire(planned.identity.as_ref()),
        };
        let answer = self
            .rpc
            .apply_resource_change(request)
            .await
            .unwrap()
            .into_inner();
        let diagnostics = Diag::all(&answer.diagnostics);
        let failed = !errors(&diagnostics).is_empty();

        let mut broken = Broken::default();
        if answer.legacy_type_system {
            broken.add("A", "", "claims the legacy type system");
        }
        let state = match &answer.new_state {
            None if failed => input.prior.clone(),
            state => decode(state.as_ref(), "A9", &mut broken),
        };
        let state = kind.shape.fit(unset(&state), "", "A9", &mut broken);
        rules::applied(&kind.shape, &planned.state, &state, failed, &mut broken);
        let identity = decode_identity(&kind, answer.new_identity.as_ref(), "A11", &mut broken);
        if !failed && !state.is_null() {
            check_identity(&kind, identity.as_ref(), "A11", &mut broken);
        }
        broken.none(&format!("apply of {type_name}"));
        Outcome {
            state,
            private: answer.private,
            identity,
            diagnostics,
        }
    }

    pub async fn read(
        &mut self,
        type_name: &str,
        state: &Val,
        private: &[u8],
        identity: Option<&Val>,
    ) -> Outcome {
        let kind = self.kind(type_name).clone();
        let request = pb::read_resource::Request {
            type_name: type_name.into(),
            current_state: Some(state.to_wire()),
            private: private.to_vec(),
            provider_meta: None,
            client_capabilities: Some(self.client),
            current_identity: identity_to_wire(identity),
        };
        let answer = self.rpc.read_resource(request).await.unwrap().into_inner();
        let diagnostics = Diag::all(&answer.diagnostics);
        let mut broken = Broken::default();
        let failed = !errors(&diagnostics).is_empty();
        let state = match &answer.new_state {
            None if failed => state.clone(),
            state => decode(state.as_ref(), "R1", &mut broken),
        };
        let state = rules::stored(&kind.shape, unset(&state), "R1", &mut broken);
        let identity = decode_identity(&kind, answer.new_identity.as_ref(), "R5", &mut broken);
        if !failed && !state.is_null() {
            check_identity(&kind, identity.as_ref(), "R5", &mut broken);
        }
        broken.none(&format!("read of {type_name}"));
        Outcome {
            state,
            private: answer.private,
            identity,
            diagnostics,
        }
    }

    /// From a state as it is stored in a file, of any version.
    pub async fn upgrade(
        &mut self,
        type_name: &str,
        version: i64,
        stored: &serde_json::Value,
    ) -> (Val, Vec<Diag>) {
        let kind = self.kind(type_name).clone();
        let request = pb::upgrade_resource_state::Request {
            type_name: type_name.into(),
            version,
            raw_state: Some(pb::RawState {
                json: stored.to_string().into_bytes(),
                flatmap: HashMap::new(),
            }),
        };
        let answer = self
            .rpc
            .upgrade_resource_state(request)
            .await
            .unwrap()
            .into_inner();
        let diagnostics = Diag::all(&answer.diagnostics);
        let mut broken = Broken::default();
        let mut state = Val::Null;
        if errors(&diagnostics).is_empty() {
            state = decode(answer.upgraded_state.as_ref(), "U2", &mut broken);
            state = rules::stored(&kind.shape, state, "U2", &mut broken);
        }
        broken.none(&format!("upgrade of {type_name}"));
        (state, diagnostics)
    }

    /// Import and the read that follows it, as Terraform does both.
    pub async fn import(&mut self, type_name: &str, by: Import<'_>) -> Result<Outcome, Vec<Diag>> {
        let kind = self.kind(type_name).clone();
        let (id, identity) = match by {
            Import::Id(id) => (id.to_owned(), None),
            Import::Identity(identity) => (String::new(), Some(identity)),
        };
        let request = pb::import_resource_state::Request {
            type_name: type_name.into(),
            id,
            client_capabilities: Some(self.client),
            identity: identity_to_wire(identity.as_ref()),
        };
        let answer = self
            .rpc
            .import_resource_state(request)
            .await
            .unwrap()
            .into_inner();
        let diagnostics = Diag::all(&answer.diagnostics);
        if !errors(&diagnostics).is_empty() {
            return Err(diagnostics);
        }
        let mut broken = Broken::default();
        let Some(imported) = answer.imported_resources.first() else {
            broken.add("I1", "", "nothing imported, and no error");
            broken.none(&format!("import of {type_name}"));
            return Err(diagnostics);
        };
        if !self.schemas.resources.contains_key(&imported.type_name) {
            broken.add(
                "I3",
                "",
                &format!("imported an unknown type {:?}", imported.type_name),
            );
        }
        let state = decode(imported.state.as_ref(), "I1", &mut broken);
        let state = rules::stored(&kind.shape, state, "I1", &mut broken);
        if state.is_null() {
            broken.add("I1", "", "imported null");
        }
        let identity = decode_identity(&kind, imported.identity.as_ref(), "I1", &mut broken);
        broken.none(&format!("import of {type_name}"));
        let mut read = self
            .read(type_name, &state, &imported.private, identity.as_ref())
            .await;
        read.diagnostics.splice(0..0, diagnostics);
        if errors(&read.diagnostics).is_empty() && !read.state.is_null() {
            Ok(read)
        } else {
            Err(read.diagnostics)
        }
    }

    pub async fn end(self) -> String {
        let (status, logs) = self.process.shutdown().await;
        assert!(
            status.success(),
            "the provider ended with {status}; its log: {logs}"
        );
        logs
    }
}

pub(super) fn decode(value: Option<&pb::DynamicValue>, rule: &str, broken: &mut Broken) -> Val {
    match value.map(Val::decode) {
        Some(Ok(value)) => value,
        Some(Err(why)) => broken.add(rule, "", &why),
        None => broken.add(rule, "", "no value in the answer"),
    }
}

/// A value as it was before its sets were put into order: what a schema is asked to fit.
pub(super) fn unset(value: &Val) -> Val {
    match value {
        Val::List(values) | Val::Set(values) => Val::List(values.iter().map(unset).collect()),
        Val::Map(values) => Val::Map(
            values
                .iter()
                .map(|(key, value)| (key.clone(), unset(value)))
                .collect(),
        ),
        Val::Dynamic(of, value) => Val::Dynamic(of.clone(), Box::new(unset(value))),
        other => other.clone(),
    }
}

pub(super) fn identity_to_wire(identity: Option<&Val>) -> Option<pb::ResourceIdentityData> {
    identity.map(|identity| pb::ResourceIdentityData {
        identity_data: Some(identity.to_wire()),
    })
}

pub(super) fn decode_identity(
    kind: &Kind,
    data: Option<&pb::ResourceIdentityData>,
    rule: &str,
    broken: &mut Broken,
) -> Option<Val> {
    let data = data?.identity_data.as_ref()?;
    let Some(identity) = &kind.identity else {
        broken.add(rule, "identity", "an identity without a schema for it");
        return None;
    };
    let value = decode(Some(data), rule, broken);
    Some(identity.fit(value, rule, broken))
}

fn check_identity(kind: &Kind, identity: Option<&Val>, rule: &str, broken: &mut Broken) {
    if kind.identity.is_none() {
        return;
    }
    match identity {
        None | Some(Val::Null) => {
            broken.add(rule, "identity", "is missing");
        }
        Some(identity) if !identity.wholly_known() => {
            broken.add(rule, "identity", "is not wholly known");
        }
        Some(_) => {}
    }
}
