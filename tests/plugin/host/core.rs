//! What Terraform's core does around the calls: proposes a new state, plans twice, replaces, and looks for a quiet plan.

use super::checked::{Diag, Outcome, PlanInput, Planned, Provider, errors};
use crate::plugin::rules::{Broken, compatible, elements};
use crate::plugin::schema::{Attribute, Nested, Nesting, Of, Shape};
use crate::plugin::value::Val;

/// One resource instance as a state file holds it.
#[derive(Debug, Clone)]
pub struct Managed {
    pub type_name: String,
    pub state: Val,
    pub private: Vec<u8>,
    pub identity: Option<Val>,
}

impl Managed {
    pub fn new(type_name: &str) -> Self {
        Self {
            type_name: type_name.into(),
            state: Val::Null,
            private: Vec::new(),
            identity: None,
        }
    }

    fn input(&self, config: &Val) -> PlanInput {
        PlanInput {
            prior: self.state.clone(),
            config: config.clone(),
            private: self.private.clone(),
            identity: self.identity.clone(),
        }
    }

    fn take(&mut self, outcome: Outcome) -> Vec<Diag> {
        self.state = outcome.state;
        self.private = outcome.private;
        self.identity = outcome
            .identity
            .or(self.identity.take())
            .filter(|_| !self.state.is_null());
        outcome.diagnostics
    }
}

impl Provider {
    /// Validate, plan, plan again, apply; a replacement destroys first. Gives all diagnostics; the state is what Terraform
    /// would hold afterwards.
    pub async fn bring(&mut self, managed: &mut Managed, config: &Val) -> Vec<Diag> {
        let type_name = managed.type_name.clone();
        let mut diagnostics = self.validate(&type_name, config).await;
        if !errors(&diagnostics).is_empty() {
            return diagnostics;
        }
        let planned = self.plan(&type_name, &managed.input(config)).await;
        diagnostics.extend(planned.diagnostics.clone());
        if !errors(&diagnostics).is_empty() {
            return diagnostics;
        }
        let mut planned = planned;
        if !managed.state.is_null()
            && !planned.requires_replace.is_empty()
            && planned.state != managed.state
        {
            // First as it will be made anew, then the old one goes.
            planned = self
                .plan(&type_name, &PlanInput::create(config.clone()))
                .await;
            diagnostics.extend(planned.diagnostics.clone());
            diagnostics.extend(self.destroy(managed).await);
            if !errors(&diagnostics).is_empty() {
                return diagnostics;
            }
        } else if planned.state == managed.state {
            return diagnostics;
        }
        let input = managed.input(config);
        let last = self.plan_again(&type_name, &input, &planned).await;
        diagnostics.extend(last.diagnostics.clone());
        if errors(&diagnostics).is_empty() {
            let outcome = self.apply(&type_name, &input, &last).await;
            diagnostics.extend(managed.take(outcome));
        }
        diagnostics
    }

    /// The plan at apply must keep what the first one promised. (F1, F2)
    async fn plan_again(&mut self, type_name: &str, input: &PlanInput, first: &Planned) -> Planned {
        let last = self.plan(type_name, input).await;
        if errors(&last.diagnostics).is_empty() {
            let mut broken = Broken::default();
            compatible(&first.state, &last.state, "", ["F2"; 4], &mut broken);
            if first.requires_replace != last.requires_replace && !input.prior.is_null() {
                broken.add("F1", "", "another action than planned");
            }
            broken.none(&format!("the final plan of {type_name}"));
        }
        last
    }

    pub async fn destroy(&mut self, managed: &mut Managed) -> Vec<Diag> {
        let type_name = managed.type_name.clone();
        let input = managed.input(&Val::Null);
        let planned = self.plan(&type_name, &input).await;
        let mut diagnostics = planned.diagnostics.clone();
        if errors(&diagnostics).is_empty() {
            let outcome = self.apply(&type_name, &input, &planned).await;
            diagnostics.extend(managed.take(outcome));
        }
        diagnostics
    }

    /// Upgrade and read, as at the start of every plan.
    pub async fn refresh(&mut self, managed: &mut Managed) -> Vec<Diag> {
        let version = self.kind(&managed.type_name).version;
        let (state, mut diagnostics) = self
            .upgrade(&managed.type_name, version, &managed.state.to_json())
            .await;
        assert_eq!(
            errors(&diagnostics),
            Vec::<&Diag>::new(),
            "upgrade of {}",
            managed.type_name
        );
        assert_eq!(
            state, managed.state,
            "an upgrade from the present version changes nothing"
        );
        let outcome = self
            .read(
                &managed.type_name,
                &state,
                &managed.private,
                managed.identity.as_ref(),
            )
            .await;
        diagnostics.extend(managed.take(outcome));
        diagnostics
    }

    /// The plan after an apply: nothing to do, without refresh and with it. (P14)
    #[track_caller]
    pub fn quiet<'a>(
        &'a mut self,
        managed: &'a mut Managed,
        config: &'a Val,
    ) -> impl Future<Output = ()> + 'a {
        let place = std::panic::Location::caller();
        async move {
            for refresh in [false, true] {
                if refresh {
                    let diagnostics = self.refresh(managed).await;
                    assert_eq!(errors(&diagnostics), Vec::<&Diag>::new(), "{place}");
                    assert!(!managed.state.is_null(), "{place}: the object is gone");
                }
                let type_name = managed.type_name.clone();
                let planned = self.plan(&type_name, &managed.input(config)).await;
                assert_eq!(errors(&planned.diagnostics), Vec::<&Diag>::new(), "{place}");
                assert_eq!(
                    planned.state, managed.state,
                    "{place}: P14: {type_name}, refresh: {refresh}"
                );
            }
        }
    }

    /// A whole life: made, quiet, imported if that is possible, gone.
    #[track_caller]
    pub fn lives<'a>(
        &'a mut self,
        type_name: &'a str,
        given: Val,
    ) -> impl Future<Output = Managed> + 'a {
        let place = std::panic::Location::caller();
        async move {
            let config = self.config(type_name, given);
            let mut managed = Managed::new(type_name);
            let diagnostics = self.bring(&mut managed, &config).await;
            assert_eq!(errors(&diagnostics), Vec::<&Diag>::new(), "{place}");
            assert!(!managed.state.is_null(), "{place}");
            self.quiet(&mut managed, &config).await;
            managed
        }
    }
}

/// The state that the core proposes: what is configured, and what was there where the provider may decide.
pub fn proposed(shape: &Shape, prior: &Val, config: &Val) -> Val {
    if config.is_null() {
        return Val::Null;
    }
    let empty = shape.empty();
    object(shape, if prior.is_null() { &empty } else { prior }, config)
}

fn object(shape: &Shape, prior: &Val, config: &Val) -> Val {
    if !config.is_known() || config.is_null() {
        return config.clone();
    }
    let attributes = shape.attributes.iter().map(|(name, attribute)| {
        let (prior, config) = (prior.get(name), config.get(name));
        let value = match attribute {
            Attribute { computed: true, .. } if config.is_null() => prior.clone(),
            Attribute {
                of: Of::Nested(nesting, shape),
                ..
            } => nested(*nesting, shape, prior, config),
            _ => config.clone(),
        };
        (name.clone(), value)
    });
    let blocks = shape
        .blocks
        .iter()
        .map(|(name, Nested { nesting, shape, .. })| {
            (
                name.clone(),
                nested(*nesting, shape, prior.get(name), config.get(name)),
            )
        });
    Val::Map(attributes.chain(blocks).collect())
}

fn nested(nesting: Nesting, shape: &Shape, prior: &Val, config: &Val) -> Val {
    if config.is_null() || !config.is_known() {
        return config.clone();
    }
    let before = elements(nesting, prior, "");
    let at = |place: &str| {
        before
            .iter()
            .find(|(other, _)| other == place)
            .map_or(&Val::Null, |(_, value)| *value)
    };
    match (nesting, config) {
        (Nesting::Single | Nesting::Group, config) => object(shape, prior, config),
        (Nesting::List, _) => {
            let all = elements(nesting, config, "");
            Val::List(
                all.into_iter()
                    .map(|(place, config)| object(shape, at(&place), config))
                    .collect(),
            )
        }
        (Nesting::Map, Val::Map(configs)) => {
            let all = configs.iter().map(|(key, config)| {
                (
                    key.clone(),
                    object(shape, at(&format!("[{key:?}]")), config),
                )
            });
            Val::Map(all.collect())
        }
        (Nesting::Set, _) => {
            let all = elements(nesting, config, "")
                .into_iter()
                .map(|(_, config)| {
                    let same = before
                        .iter()
                        .find(|(_, prior)| could_be(shape, prior, config));
                    object(shape, same.map_or(&Val::Null, |(_, prior)| *prior), config)
                });
            let mut all: Vec<Val> = all.collect();
            all.sort();
            Val::Set(all)
        }
        (_, config) => config.clone(),
    }
}

/// Whether an element of a set may be the same as before: all that is configured is equal.
fn could_be(shape: &Shape, prior: &Val, config: &Val) -> bool {
    shape.attributes.iter().all(|(name, attribute)| {
        let config = config.get(name);
        attribute.computed && config.is_null() || config == prior.get(name)
    }) && shape
        .blocks
        .keys()
        .all(|name| config.get(name) == prior.get(name))
}
