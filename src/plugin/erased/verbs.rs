//! Data sources, ephemeral resources, actions and functions of any model.

use super::{Boxed, model, panicked, through, written};
use crate::plugin::{
    Action, Ask, Context, DataSource, Diags, Dynamic, EphemeralResource, Function, FunctionError,
    Path, Private, Progress, Schema, Signature, Step, conform, de, panics, schema::Fields, ser,
};
use std::time::{Instant, SystemTime};

/// A [`DataSource`] of any model.
#[doc(hidden)]
pub trait AnyDataSource: Send + Sync {
    fn any_name(&self) -> &'static str;
    fn any_schema(&self) -> Schema;
    fn any_fit(&self, fields: &Fields) -> Vec<String>;
    fn any_validate(&self, config: &Dynamic, diags: &mut Diags);
    fn any_read<'a>(
        &'a self,
        config: &'a Dynamic,
        deadline: Instant,
        context: &'a Context,
    ) -> Boxed<'a, Result<Dynamic, Diags>>;
}

/// What an ephemeral resource opened, before it is held against its schema.
pub struct OpenedAny {
    pub result: Dynamic,
    pub private: Private,
    pub renew_at: Option<SystemTime>,
}

/// An [`EphemeralResource`] of any model.
#[doc(hidden)]
pub trait AnyEphemeral: Send + Sync {
    fn any_name(&self) -> &'static str;
    fn any_schema(&self) -> Schema;
    fn any_fit(&self, fields: &Fields) -> Vec<String>;
    fn any_validate(&self, config: &Dynamic, diags: &mut Diags);
    fn any_open<'a>(
        &'a self,
        config: &'a Dynamic,
        deadline: Instant,
        context: &'a Context,
    ) -> Boxed<'a, Result<OpenedAny, Diags>>;
    fn any_renew<'a>(
        &'a self,
        private: &'a mut Private,
        context: &'a Context,
    ) -> Boxed<'a, Result<Option<SystemTime>, Diags>>;
    fn any_close<'a>(
        &'a self,
        private: &'a Private,
        context: &'a Context,
    ) -> Boxed<'a, Result<(), Diags>>;
}

/// An [`Action`] of any model.
#[doc(hidden)]
pub trait AnyAction: Send + Sync {
    fn any_name(&self) -> &'static str;
    fn any_schema(&self) -> Schema;
    fn any_fit(&self, fields: &Fields) -> Vec<String>;
    fn any_validate(&self, config: &Dynamic, diags: &mut Diags);
    fn any_plan<'a>(
        &'a self,
        config: &'a Dynamic,
        deadline: Instant,
        context: &'a Context,
    ) -> Boxed<'a, Result<(), Diags>>;
    fn any_invoke<'a>(
        &'a self,
        config: &'a Dynamic,
        deadline: Instant,
        context: &'a Context,
        progress: Progress,
    ) -> Boxed<'a, Result<(), Diags>>;
}

/// A [`Function`] of any signature.
#[doc(hidden)]
pub trait AnyFunction: Send + Sync {
    fn any_name(&self) -> &'static str;
    fn any_signature(&self) -> Signature;
    fn any_call(&self, args: Dynamic) -> Result<Dynamic, FunctionError>;
}

macro_rules! described {
    ($model:ty) => {
        fn any_name(&self) -> &'static str {
            self.name()
        }

        fn any_schema(&self) -> Schema {
            self.schema()
        }

        fn any_fit(&self, fields: &Fields) -> Vec<String> {
            crate::plugin::fit::model::<$model>(fields)
        }

        fn any_validate(&self, config: &Dynamic, diags: &mut Diags) {
            let checked = panics::catch(|| match model::<$model>(config, "the configuration") {
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
    };
}

impl<D: DataSource> AnyDataSource for D {
    described!(D::Model);

    fn any_read<'a>(
        &'a self,
        value: &'a Dynamic,
        deadline: Instant,
        context: &'a Context,
    ) -> Boxed<'a, Result<Dynamic, Diags>> {
        Box::pin(async move {
            let config = model::<D::Model>(value, "the configuration")?;
            let ask = Ask {
                config: &config,
                deadline,
                context,
            };
            let read = panics::guard(self.read(&ask))
                .await
                .unwrap_or_else(|panic| Err(panicked(&panic, "read the data source")))?;
            let read = ser::dynamic(&read)
                .map_err(|error| written(&error, "what the data source returned"))?;
            Ok(conform::restore(read, &through(&config), value))
        })
    }
}

impl<E: EphemeralResource> AnyEphemeral for E {
    described!(E::Model);

    fn any_open<'a>(
        &'a self,
        value: &'a Dynamic,
        deadline: Instant,
        context: &'a Context,
    ) -> Boxed<'a, Result<OpenedAny, Diags>> {
        Box::pin(async move {
            let config = model::<E::Model>(value, "the configuration")?;
            let ask = Ask {
                config: &config,
                deadline,
                context,
            };
            let opened = panics::guard(self.open(&ask))
                .await
                .unwrap_or_else(|panic| Err(panicked(&panic, "opened the ephemeral resource")))?;
            let result = ser::dynamic(&opened.result)
                .map_err(|error| written(&error, "what the ephemeral resource returned"))?;
            Ok(OpenedAny {
                result: conform::restore(result, &through(&config), value),
                private: opened.private,
                renew_at: opened.renew_at,
            })
        })
    }

    fn any_renew<'a>(
        &'a self,
        private: &'a mut Private,
        context: &'a Context,
    ) -> Boxed<'a, Result<Option<SystemTime>, Diags>> {
        Box::pin(async move {
            panics::guard(self.renew(private, context))
                .await
                .unwrap_or_else(|panic| Err(panicked(&panic, "renewed the ephemeral resource")))
        })
    }

    fn any_close<'a>(
        &'a self,
        private: &'a Private,
        context: &'a Context,
    ) -> Boxed<'a, Result<(), Diags>> {
        Box::pin(async move {
            panics::guard(self.close(private, context))
                .await
                .unwrap_or_else(|panic| Err(panicked(&panic, "closed the ephemeral resource")))
        })
    }
}

impl<A: Action> AnyAction for A {
    described!(A::Model);

    fn any_plan<'a>(
        &'a self,
        config: &'a Dynamic,
        deadline: Instant,
        context: &'a Context,
    ) -> Boxed<'a, Result<(), Diags>> {
        Box::pin(async move {
            let config = model::<A::Model>(config, "the configuration")?;
            let ask = Ask {
                config: &config,
                deadline,
                context,
            };
            panics::guard(self.plan(&ask))
                .await
                .unwrap_or_else(|panic| Err(panicked(&panic, "planned the action")))
        })
    }

    fn any_invoke<'a>(
        &'a self,
        config: &'a Dynamic,
        deadline: Instant,
        context: &'a Context,
        progress: Progress,
    ) -> Boxed<'a, Result<(), Diags>> {
        Box::pin(async move {
            let config = model::<A::Model>(config, "the configuration")?;
            let ask = Ask {
                config: &config,
                deadline,
                context,
            };
            panics::guard(self.invoke(&ask, &progress))
                .await
                .unwrap_or_else(|panic| Err(panicked(&panic, "ran the action")))
        })
    }
}

impl<F: Function> AnyFunction for F {
    fn any_name(&self) -> &'static str {
        self.name()
    }

    fn any_signature(&self) -> Signature {
        self.signature()
    }

    fn any_call(&self, args: Dynamic) -> Result<Dynamic, FunctionError> {
        let read: F::Args = de::model(&args).map_err(|error| {
            let mut message = FunctionError::new(error.message());
            message.argument = match error.path().steps().first() {
                Some(Step::Index(index)) => usize::try_from(*index).ok(),
                _ => None,
            };
            let inner: Path = error
                .path()
                .steps()
                .iter()
                .skip(1)
                .fold(Path::root(), |path, step| path.step(step.clone()));
            if !inner.is_root() {
                message.text = format!("at `{inner}`: {}", message.text);
            }
            message
        })?;
        let called = panics::catch(|| self.call(read)).unwrap_or_else(|panic| {
            let diag = panic.diag("computed a function");
            Err(FunctionError::new(format!(
                "{}. {}",
                diag.summary, diag.detail
            )))
        })?;
        ser::dynamic(&called).map_err(|error| FunctionError::new(error.to_string()))
    }
}
