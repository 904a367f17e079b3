//! The calls about everything that is not a managed resource: data, ephemeral values, functions, lists, actions, moves.

use std::collections::HashMap;

use super::checked::{Diag, Outcome, Provider, decode, decode_identity, errors, unset};
use crate::plugin::messages6 as pb;
use crate::plugin::rules::{self, Broken, PlanAnswer};
use crate::plugin::value::Val;

/// What came of opening an ephemeral resource.
#[derive(Debug)]
pub struct Opened {
    pub result: Val,
    pub private: Option<Vec<u8>>,
    pub renew_at: Option<std::time::SystemTime>,
    pub diagnostics: Vec<Diag>,
}

/// One event of a list.
#[derive(Debug)]
pub struct Listed {
    pub name: String,
    pub identity: Val,
    pub object: Option<Val>,
    pub diagnostics: Vec<Diag>,
}

/// What an action said on its way, and at its end.
#[derive(Debug, Default)]
pub struct Invoked {
    pub progress: Vec<String>,
    pub diagnostics: Vec<Diag>,
}

/// A failed call of a function.
#[derive(Debug, PartialEq, Eq)]
pub struct CallError {
    pub text: String,
    pub argument: Option<i64>,
}

impl Provider {
    pub async fn read_data(&mut self, type_name: &str, given: Val) -> (Val, Vec<Diag>) {
        let shape = self.schemas.data_sources[type_name].clone();
        let config = shape.config(&given);
        let request = pb::validate_data_resource_config::Request {
            type_name: type_name.into(),
            config: Some(config.to_wire()),
        };
        let answer = self
            .rpc
            .validate_data_resource_config(request)
            .await
            .unwrap()
            .into_inner();
        let mut diagnostics = Diag::all(&answer.diagnostics);
        if !errors(&diagnostics).is_empty() {
            return (Val::Null, diagnostics);
        }
        let request = pb::read_data_source::Request {
            type_name: type_name.into(),
            config: Some(config.to_wire()),
            provider_meta: None,
            client_capabilities: Some(self.client),
        };
        let answer = self
            .rpc
            .read_data_source(request)
            .await
            .unwrap()
            .into_inner();
        diagnostics.extend(Diag::all(&answer.diagnostics));
        if !errors(&diagnostics).is_empty() {
            return (Val::Null, diagnostics);
        }
        let mut broken = Broken::default();
        let state = decode(answer.state.as_ref(), "D", &mut broken);
        let state = rules::stored(&shape, state, "D", &mut broken);
        if state.is_null() {
            broken.add("D", "", "null and no error");
        }
        // What was configured comes back as it was, or the next run would not find it.
        let config = shape.fit(unset(&config), "", "test", &mut broken);
        let answer = PlanAnswer {
            prior: &Val::Null,
            config: &config,
            planned: &state,
            requires_replace: &[],
        };
        rules::planned(&shape, &answer, &mut broken);
        broken.none(&format!("data source {type_name}"));
        (state, diagnostics)
    }

    pub async fn open(&mut self, type_name: &str, given: Val) -> Opened {
        let shape = self.schemas.ephemeral[type_name].clone();
        let config = shape.config(&given);
        let request = pb::validate_ephemeral_resource_config::Request {
            type_name: type_name.into(),
            config: Some(config.to_wire()),
        };
        let answer = self
            .rpc
            .validate_ephemeral_resource_config(request)
            .await
            .unwrap()
            .into_inner();
        let diagnostics = Diag::all(&answer.diagnostics);
        if !errors(&diagnostics).is_empty() {
            return Opened {
                result: Val::Null,
                private: None,
                renew_at: None,
                diagnostics,
            };
        }
        let request = pb::open_ephemeral_resource::Request {
            type_name: type_name.into(),
            config: Some(config.to_wire()),
            client_capabilities: Some(self.client),
        };
        let answer = self
            .rpc
            .open_ephemeral_resource(request)
            .await
            .unwrap()
            .into_inner();
        let diagnostics = Diag::all(&answer.diagnostics);
        let mut broken = Broken::default();
        let mut result = Val::Null;
        if errors(&diagnostics).is_empty() {
            result = decode(answer.result.as_ref(), "E", &mut broken);
            result = shape.fit(result, "", "E", &mut broken);
            let config = shape.fit(unset(&config), "", "test", &mut broken);
            let answer = PlanAnswer {
                prior: &Val::Null,
                config: &config,
                planned: &result,
                requires_replace: &[],
            };
            rules::planned(&shape, &answer, &mut broken);
            if !result.wholly_known() {
                broken.add("E", "", "the result holds unknown values");
            }
        }
        broken.none(&format!("ephemeral resource {type_name}"));
        Opened {
            result,
            private: answer.private,
            renew_at: answer.renew_at.map(|at| at.try_into().unwrap()),
            diagnostics,
        }
    }

    pub async fn renew(&mut self, type_name: &str, opened: &mut Opened) -> Vec<Diag> {
        let request = pb::renew_ephemeral_resource::Request {
            type_name: type_name.into(),
            private: opened.private.clone(),
        };
        let answer = self
            .rpc
            .renew_ephemeral_resource(request)
            .await
            .unwrap()
            .into_inner();
        opened.private = answer.private;
        opened.renew_at = answer.renew_at.map(|at| at.try_into().unwrap());
        Diag::all(&answer.diagnostics)
    }

    pub async fn close(&mut self, type_name: &str, opened: Opened) -> Vec<Diag> {
        let request = pb::close_ephemeral_resource::Request {
            type_name: type_name.into(),
            private: opened.private,
        };
        let answer = self
            .rpc
            .close_ephemeral_resource(request)
            .await
            .unwrap()
            .into_inner();
        Diag::all(&answer.diagnostics)
    }

    /// Calls a function with arguments as they are, twice, and demands the same result. (N)
    pub async fn call(&mut self, name: &str, arguments: Vec<Val>) -> Result<Val, CallError> {
        let request = pb::call_function::Request {
            name: name.into(),
            arguments: arguments.iter().map(Val::to_wire).collect(),
        };
        let key = prost::Message::encode_to_vec(&request);
        let mut broken = Broken::default();
        let mut result = None;
        for _ in 0..2 {
            let answer = self
                .rpc
                .call_function(request.clone())
                .await
                .unwrap()
                .into_inner();
            if let Some(error) = answer.error {
                return Err(CallError {
                    text: error.text,
                    argument: error.function_argument,
                });
            }
            let value = decode(answer.result.as_ref(), "N", &mut broken);
            let bytes = value.to_msgpack();
            let before = self
                .calls
                .entry(key.clone())
                .or_insert_with(|| bytes.clone());
            if *before != bytes {
                broken.add("N", "", "the same arguments gave another result");
            }
            result = Some(value);
        }
        let signature = self.schemas.functions[name].clone();
        signature.takes(&arguments, &mut broken);
        let result = signature
            .returns
            .fit(result.unwrap_or(Val::Null), "result", "N", &mut broken);
        broken.none(&format!("function {name}"));
        Ok(result)
    }

    pub async fn list(
        &mut self,
        type_name: &str,
        given: Val,
        limit: i64,
        with_object: bool,
    ) -> Vec<Listed> {
        let (kind, config) = (
            self.kind(type_name).clone(),
            self.schemas.lists[type_name].config(&given),
        );
        let request = pb::list_resource::Request {
            type_name: type_name.into(),
            config: Some(config.to_wire()),
            include_resource_object: with_object,
            limit,
        };
        let mut stream = self.rpc.list_resource(request).await.unwrap().into_inner();
        let (mut broken, mut all) = (Broken::default(), Vec::new());
        while let Some(event) = stream.message().await.unwrap() {
            let diagnostics = Diag::all(&event.diagnostic);
            if !errors(&diagnostics).is_empty() {
                all.push(Listed {
                    name: event.display_name,
                    identity: Val::Null,
                    object: None,
                    diagnostics,
                });
                continue;
            }
            let identity = decode_identity(&kind, event.identity.as_ref(), "L", &mut broken)
                .unwrap_or(Val::Null);
            if identity.is_null() || !identity.wholly_known() {
                broken.add("L", "identity", &format!("is {identity:?}"));
            }
            let object = event.resource_object.as_ref().map(|object| {
                let object = decode(Some(object), "L", &mut broken);
                rules::stored(&kind.shape, object, "L", &mut broken)
            });
            if object.is_some() != with_object {
                broken.add(
                    "L",
                    "",
                    "the object was asked for, and is missing, or the reverse",
                );
            }
            if event.display_name.is_empty() {
                broken.add("L", "", "no name to display");
            }
            all.push(Listed {
                name: event.display_name,
                identity,
                object,
                diagnostics,
            });
        }
        if limit > 0 && all.len() as i64 > limit {
            broken.add(
                "L",
                "",
                &format!("{} events, {limit} were wanted", all.len()),
            );
        }
        broken.none(&format!("list of {type_name}"));
        all
    }

    pub async fn invoke(&mut self, action: &str, given: Val) -> Invoked {
        let config = self.schemas.actions[action].config(&given);
        let request = pb::validate_action_config::Request {
            action_type: action.into(),
            config: Some(config.to_wire()),
        };
        let answer = self
            .rpc
            .validate_action_config(request)
            .await
            .unwrap()
            .into_inner();
        let mut invoked = Invoked {
            diagnostics: Diag::all(&answer.diagnostics),
            ..Invoked::default()
        };
        if !errors(&invoked.diagnostics).is_empty() {
            return invoked;
        }
        let request = pb::plan_action::Request {
            action_type: action.into(),
            config: Some(config.to_wire()),
            client_capabilities: Some(self.client),
        };
        let answer = self.rpc.plan_action(request).await.unwrap().into_inner();
        assert!(
            answer.deferred.is_none() || self.client.deferral_allowed,
            "P12: {action} is deferred"
        );
        invoked.diagnostics.extend(Diag::all(&answer.diagnostics));
        if !errors(&invoked.diagnostics).is_empty() {
            return invoked;
        }
        let request = pb::invoke_action::Request {
            action_type: action.into(),
            config: Some(config.to_wire()),
            client_capabilities: Some(self.client),
        };
        let mut stream = self.rpc.invoke_action(request).await.unwrap().into_inner();
        let mut completed = false;
        while let Some(event) = stream.message().await.unwrap() {
            assert!(!completed, "{action} goes on after its end");
            match event.r#type.expect("an event says what it is") {
                pb::invoke_action::event::Type::Progress(progress) => {
                    invoked.progress.push(progress.message)
                }
                pb::invoke_action::event::Type::Completed(end) => {
                    completed = true;
                    invoked.diagnostics.extend(Diag::all(&end.diagnostics));
                }
            }
        }
        assert!(completed, "{action} never says that it has ended");
        invoked
    }

    /// Takes over an object of another type.
    pub async fn move_state(
        &mut self,
        to: &str,
        from: pb::move_resource_state::Request,
    ) -> Result<Outcome, Vec<Diag>> {
        let kind = self.kind(to).clone();
        let answer = self
            .rpc
            .move_resource_state(from)
            .await
            .unwrap()
            .into_inner();
        let diagnostics = Diag::all(&answer.diagnostics);
        if !errors(&diagnostics).is_empty() {
            return Err(diagnostics);
        }
        let mut broken = Broken::default();
        let state = decode(answer.target_state.as_ref(), "M", &mut broken);
        let state = rules::stored(&kind.shape, state, "M", &mut broken);
        if state.is_null() {
            broken.add("M", "", "null and no error");
        }
        let identity = decode_identity(&kind, answer.target_identity.as_ref(), "M", &mut broken);
        broken.none(&format!("move to {to}"));
        Ok(Outcome {
            state,
            private: answer.target_private,
            identity,
            diagnostics,
        })
    }

    /// A configuration for an object: it must be one that plans no change.
    pub async fn generate(&mut self, type_name: &str, state: &Val) -> Result<Val, Vec<Diag>> {
        let shape = self.kind(type_name).shape.clone();
        let request = pb::generate_resource_config::Request {
            type_name: type_name.into(),
            state: Some(state.to_wire()),
        };
        let answer = self
            .rpc
            .generate_resource_config(request)
            .await
            .unwrap()
            .into_inner();
        let diagnostics = Diag::all(&answer.diagnostics);
        if !errors(&diagnostics).is_empty() {
            return Err(diagnostics);
        }
        let mut broken = Broken::default();
        let config = decode(answer.config.as_ref(), "G", &mut broken);
        let config = shape.fit(config, "", "G", &mut broken);
        for (name, attribute) in &shape.attributes {
            let given = !config.get(name).is_null();
            if attribute.required && !given {
                broken.add("G", name, "is required and was left out");
            }
            if given && !attribute.required && !attribute.optional {
                broken.add("G", name, "was written, and nobody can set it");
            }
        }
        broken.none(&format!("configuration for {type_name}"));
        Ok(config)
    }

    pub async fn upgrade_identity(
        &mut self,
        type_name: &str,
        version: i64,
        stored: &serde_json::Value,
    ) -> Result<Val, Vec<Diag>> {
        let kind = self.kind(type_name).clone();
        let request = pb::upgrade_resource_identity::Request {
            type_name: type_name.into(),
            version,
            raw_identity: Some(pb::RawState {
                json: stored.to_string().into_bytes(),
                flatmap: HashMap::new(),
            }),
        };
        let answer = self
            .rpc
            .upgrade_resource_identity(request)
            .await
            .unwrap()
            .into_inner();
        let diagnostics = Diag::all(&answer.diagnostics);
        if !errors(&diagnostics).is_empty() {
            return Err(diagnostics);
        }
        let mut broken = Broken::default();
        let newest = kind.identity.as_ref().map_or(0, |it| it.version);
        if version > newest {
            broken.add("U3", "identity", "taken, though a newer release wrote it");
        }
        let identity = decode_identity(&kind, answer.upgraded_identity.as_ref(), "U4", &mut broken);
        broken.none(&format!("identity of {type_name}"));
        identity.ok_or(diagnostics)
    }
}
