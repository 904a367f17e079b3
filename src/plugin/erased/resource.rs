//! Managed resources of any model.

use super::{Asked, Boxed, Done, Verb, model, panicked, through, written};
use crate::plugin::{
    Call, Context, Diag, Diags, Dynamic, Found, IdentitySchema, ImportKey, Listing, MoveSource,
    Path, Plan, Private, Query, Resource, Saved, Schema, conform, panics, planning::DeferReason,
    schema::Fields, ser,
};
use serde_json::Value as Json;
use std::marker::PhantomData;
use tokio::sync::mpsc;

/// What a resource's part of planning starts from.
pub struct PlanAsked<'a> {
    pub config: &'a Dynamic,
    pub prior: Option<&'a Dynamic>,
    pub planned: &'a Dynamic,
    pub changed: bool,
    pub replace: Vec<Path>,
    pub private: Private,
    pub planned_private: Option<Private>,
    pub can_defer: bool,
    pub context: &'a Context,
}

/// What a resource made of it.
pub struct PlanMade {
    pub planned: Dynamic,
    pub replace: Vec<Path>,
    pub private: Private,
    pub touched: bool,
    pub deferred: Option<DeferReason>,
    pub diags: Diags,
}

/// A [`Resource`] of any model; every `Resource` is one.
#[doc(hidden)]
pub trait AnyResource: Send + Sync {
    fn any_name(&self) -> &'static str;
    fn any_schema(&self) -> Schema;
    fn any_identity(&self) -> Option<IdentitySchema>;
    fn any_list_schema(&self) -> Option<Schema>;
    /// The attributes that the model and the schema do not have in common.
    fn any_fit(&self, fields: &Fields) -> Vec<String>;
    fn any_validate(&self, config: &Dynamic, diags: &mut Diags);
    fn any_plan<'a>(&'a self, asked: PlanAsked<'a>) -> Boxed<'a, PlanMade>;
    fn any_plan_destroy<'a>(&'a self, prior: &'a Dynamic, private: &'a Private)
    -> Boxed<'a, Diags>;
    fn any_act<'a>(&'a self, asked: Asked<'a>) -> Boxed<'a, Done>;
    fn any_import<'a>(&'a self, key: &'a ImportKey, blank: &'a Dynamic) -> Boxed<'a, Done>;
    fn any_upgrade(&self, from_version: i64, state: Json) -> Result<Json, Diags>;
    fn any_upgrade_identity(&self, from_version: i64, identity: Json) -> Result<Json, Diags>;
    fn any_met(&self, state: &Dynamic) -> Result<(), Diags>;
    fn any_moved(&self, source: &MoveSource<'_>) -> Result<Option<Dynamic>, Diags>;
    fn any_list<'a>(
        &'a self,
        query: &'a Query,
        sink: mpsc::Sender<(String, Result<Dynamic, Diags>)>,
    ) -> Boxed<'a, Result<(), Diags>>;
}

impl<R: Resource> AnyResource for R {
    fn any_name(&self) -> &'static str {
        self.name()
    }

    fn any_schema(&self) -> Schema {
        self.schema()
    }

    fn any_identity(&self) -> Option<IdentitySchema> {
        self.identity()
    }

    fn any_list_schema(&self) -> Option<Schema> {
        self.list_schema()
    }

    fn any_fit(&self, fields: &Fields) -> Vec<String> {
        crate::plugin::fit::model::<R::Model>(fields)
    }

    fn any_validate(&self, config: &Dynamic, diags: &mut Diags) {
        let checked = panics::catch(|| match model::<R::Model>(config, "the configuration") {
            Ok(config) => {
                let mut found = Diags::new();
                self.validate(&config, &mut found);
                found
            }
            Err(misfit) => misfit,
        });
        match checked {
            Ok(found) => diags.extend(found),
            Err(panic) => diags.extend(panicked(&panic, "checked the configuration")),
        }
    }

    fn any_plan<'a>(&'a self, asked: PlanAsked<'a>) -> Boxed<'a, PlanMade> {
        Box::pin(async move {
            let mut made = PlanMade {
                planned: asked.planned.clone(),
                replace: asked.replace.clone(),
                private: asked.private.clone(),
                touched: false,
                deferred: None,
                diags: Diags::new(),
            };
            let read = || -> Result<_, Diags> {
                Ok((
                    model::<R::Model>(asked.config, "the configuration")?,
                    asked
                        .prior
                        .map(|prior| model::<R::Model>(prior, "the stored object"))
                        .transpose()?,
                    model::<R::Model>(asked.planned, "the planned object")?,
                ))
            };
            let (config, prior, planned) = match read() {
                Ok(models) => models,
                Err(misfit) => {
                    made.diags = misfit;
                    return made;
                }
            };
            let before = through(&planned);
            let mut plan = Plan {
                config: &config,
                prior: prior.as_ref(),
                planned,
                private: asked.private,
                planned_private: asked.planned_private,
                provider_known: asked.context.provider_known,
                context: asked.context,
                replace: asked.replace,
                touched: false,
                changed: asked.changed,
                can_defer: asked.can_defer,
                deferred: None,
            };
            match panics::guard(self.plan(&mut plan)).await {
                Ok(Ok(())) => {}
                Ok(Err(diags)) => made.diags.extend(diags),
                Err(panic) => made.diags.extend(panicked(&panic, "planned the change")),
            }
            match ser::dynamic(&plan.planned) {
                Ok(after) => made.planned = conform::restore(after, &before, asked.planned),
                Err(error) => made
                    .diags
                    .push(written(&error, "the plan that the provider made")),
            }
            made.replace = plan.replace;
            made.private = plan.private;
            made.touched = plan.touched;
            made.deferred = plan.deferred;
            made
        })
    }

    fn any_plan_destroy<'a>(
        &'a self,
        prior: &'a Dynamic,
        private: &'a Private,
    ) -> Boxed<'a, Diags> {
        Box::pin(async move {
            let prior = match model::<R::Model>(prior, "the stored object") {
                Ok(prior) => prior,
                Err(misfit) => return misfit,
            };
            let mut diags = Diags::new();
            let planned = panics::guard(self.plan_destroy(&prior, private, &mut diags)).await;
            if let Err(panic) = planned {
                diags.extend(panicked(&panic, "planned the destruction"));
            }
            diags
        })
    }

    fn any_act<'a>(&'a self, asked: Asked<'a>) -> Boxed<'a, Done> {
        Box::pin(async move {
            let read = || -> Result<_, Diags> {
                Ok((
                    model::<R::Model>(asked.config, "the configuration")?,
                    model::<R::Model>(asked.planned, "the planned object")?,
                    asked
                        .prior
                        .map(|prior| model::<R::Model>(prior, "the stored object"))
                        .transpose()?,
                ))
            };
            let (config, planned, prior) = match read() {
                Ok(models) => models,
                Err(diags) => {
                    return Done {
                        object: asked.prior.cloned(),
                        private: asked.private,
                        gone: false,
                        diags,
                    };
                }
            };
            let before = (through(&planned), prior.as_ref().map(through));
            let mut saved = Saved::new(prior.clone(), asked.private);
            let call = Call {
                config: &config,
                planned: &planned,
                prior: prior.as_ref(),
                deadline: asked.deadline,
                context: asked.context,
            };
            let ended = panics::guard(async {
                match asked.verb {
                    Verb::Create => self.create(&call, &mut saved).await.map(|()| Found::Here),
                    Verb::Read => self.read(&call, &mut saved).await,
                    Verb::Update => self.update(&call, &mut saved).await.map(|()| Found::Here),
                    Verb::Delete => self.delete(&call, &mut saved).await.map(|()| Found::Gone),
                }
            })
            .await;
            let (gone, mut diags) = match ended {
                Ok(Ok(found)) => (found == Found::Gone, Diags::new()),
                Ok(Err(diags)) => (false, failed(diags, asked.verb)),
                Err(panic) => (false, panicked(&panic, doing(asked.verb))),
            };
            let (object, private) = saved.into_parts();
            let object = object.and_then(|object| match ser::dynamic(&object) {
                Ok(object) => {
                    let object = match (&before.1, asked.prior) {
                        (Some(through), Some(prior)) if asked.verb != Verb::Update => {
                            conform::restore(object, through, prior)
                        }
                        _ => conform::restore(object, &before.0, asked.planned),
                    };
                    Some(object)
                }
                Err(error) => {
                    diags.push(written(&error, "the object that the provider returned"));
                    asked.prior.or(Some(asked.planned)).cloned()
                }
            });
            Done {
                object,
                private,
                gone,
                diags,
            }
        })
    }

    fn any_import<'a>(&'a self, key: &'a ImportKey, blank: &'a Dynamic) -> Boxed<'a, Done> {
        Box::pin(async move {
            let failed = |diags| Done {
                object: None,
                private: Private::default(),
                gone: false,
                diags,
            };
            let blank = match model::<R::Model>(blank, "an empty object") {
                Ok(blank) => blank,
                Err(misfit) => return failed(misfit),
            };
            let mut saved = Saved::new(Some(blank), Private::default());
            match panics::guard(self.import(key, &mut saved)).await {
                Ok(Ok(())) => {}
                Ok(Err(diags)) => return failed(self::failed_import(diags)),
                Err(panic) => return failed(panicked(&panic, "imported the object")),
            }
            let (object, private) = saved.into_parts();
            match object.map(|object| ser::dynamic(&object)).transpose() {
                Ok(object) => Done {
                    object,
                    private,
                    gone: false,
                    diags: Diags::new(),
                },
                Err(error) => failed(written(&error, "the imported object").into()),
            }
        })
    }

    fn any_upgrade(&self, from_version: i64, state: Json) -> Result<Json, Diags> {
        panics::catch(|| self.upgrade(from_version, state))
            .unwrap_or_else(|panic| Err(panicked(&panic, "upgraded the stored object")))
    }

    fn any_upgrade_identity(&self, from_version: i64, identity: Json) -> Result<Json, Diags> {
        panics::catch(|| self.upgrade_identity(from_version, identity))
            .unwrap_or_else(|panic| Err(panicked(&panic, "upgraded the stored identity")))
    }

    fn any_met(&self, state: &Dynamic) -> Result<(), Diags> {
        let state = model::<R::Model>(state, "the stored object")?;
        panics::catch(|| self.met(&state))
            .map_err(|panic| panicked(&panic, "looked at the stored object"))
    }

    fn any_moved(&self, source: &MoveSource<'_>) -> Result<Option<Dynamic>, Diags> {
        let moved = panics::catch(|| self.moved(source))
            .unwrap_or_else(|panic| Err(panicked(&panic, "moved the stored object")))?;
        moved
            .map(|moved| {
                ser::dynamic(&moved).map_err(|error| written(&error, "the moved object").into())
            })
            .transpose()
    }

    fn any_list<'a>(
        &'a self,
        query: &'a Query,
        sink: mpsc::Sender<(String, Result<Dynamic, Diags>)>,
    ) -> Boxed<'a, Result<(), Diags>> {
        Box::pin(async move {
            let mut found = Listing {
                sink,
                left: query.limit.unwrap_or(u64::MAX),
                model: PhantomData,
            };
            panics::guard(self.list(query, &mut found))
                .await
                .unwrap_or_else(|panic| Err(panicked(&panic, "listed what exists")))
        })
    }
}

fn doing(verb: Verb) -> &'static str {
    match verb {
        Verb::Create => "created the object",
        Verb::Read => "read the object",
        Verb::Update => "changed the object",
        Verb::Delete => "deleted the object",
    }
}

/// An `Err` without an error in it would pass for success.
fn failed(mut diags: Diags, verb: Verb) -> Diags {
    if !diags.has_errors() {
        diags.push(Diag::error(format!(
            "The provider gave up while it {}, and did not say why",
            doing(verb)
        )));
    }
    diags
}

fn failed_import(mut diags: Diags) -> Diags {
    if !diags.has_errors() {
        diags.push(Diag::error(
            "The provider gave up the import, and did not say why",
        ));
    }
    diags
}
