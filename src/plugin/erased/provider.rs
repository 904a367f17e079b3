//! A provider of any configuration.

use super::{
    AnyAction, AnyDataSource, AnyEphemeral, AnyFunction, AnyResource, Boxed, model, panicked,
};
use crate::plugin::{Configure, Context, Diags, Dynamic, Provider, Schema, panics, schema::Fields};

/// A [`Provider`] of any configuration.
#[doc(hidden)]
pub trait AnyProvider: Send + Sync {
    fn any_name(&self) -> &'static str;
    fn any_schema(&self) -> Schema;
    fn any_fit(&self, fields: &Fields) -> Vec<String>;
    fn any_validate(&self, config: &Dynamic, diags: &mut Diags);
    fn any_configure<'a>(
        &'a self,
        config: &'a Dynamic,
        terraform_version: &'a str,
        context: &'a Context,
    ) -> Boxed<'a, Result<(), Diags>>;
    fn any_defers(&self, config: &Dynamic) -> bool;
    fn any_resources(&self) -> Vec<Box<dyn AnyResource>>;
    fn any_data_sources(&self) -> Vec<Box<dyn AnyDataSource>>;
    fn any_ephemerals(&self) -> Vec<Box<dyn AnyEphemeral>>;
    fn any_functions(&self) -> Vec<Box<dyn AnyFunction>>;
    fn any_actions(&self) -> Vec<Box<dyn AnyAction>>;
}

impl<P: Provider> AnyProvider for P {
    fn any_name(&self) -> &'static str {
        self.name()
    }

    fn any_schema(&self) -> Schema {
        self.schema()
    }

    fn any_fit(&self, fields: &Fields) -> Vec<String> {
        crate::plugin::fit::model::<P::Config>(fields)
    }

    fn any_validate(&self, config: &Dynamic, diags: &mut Diags) {
        let checked = panics::catch(|| match model::<P::Config>(config, "the provider block") {
            Ok(config) => {
                let mut found = Diags::new();
                self.validate(&config, &mut found);
                found
            }
            Err(misfit) => misfit,
        });
        match checked {
            Ok(found) => diags.extend(found),
            Err(panic) => diags.extend(panicked(&panic, "checked the provider block")),
        }
    }

    fn any_configure<'a>(
        &'a self,
        config: &'a Dynamic,
        terraform_version: &'a str,
        context: &'a Context,
    ) -> Boxed<'a, Result<(), Diags>> {
        Box::pin(async move {
            let known = config.is_wholly_known();
            let config = model::<P::Config>(config, "the provider block")?;
            let configure = Configure {
                config: &config,
                known,
                terraform_version,
                context,
            };
            panics::guard(self.configure(&configure))
                .await
                .unwrap_or_else(|panic| Err(panicked(&panic, "configured itself")))
        })
    }

    fn any_defers(&self, config: &Dynamic) -> bool {
        let asked = panics::catch(|| {
            model::<P::Config>(config, "the provider block").map(|config| self.defers(&config))
        });
        matches!(asked, Ok(Ok(true)))
    }

    fn any_resources(&self) -> Vec<Box<dyn AnyResource>> {
        self.resources()
    }

    fn any_data_sources(&self) -> Vec<Box<dyn AnyDataSource>> {
        self.data_sources()
    }

    fn any_ephemerals(&self) -> Vec<Box<dyn AnyEphemeral>> {
        self.ephemerals()
    }

    fn any_functions(&self) -> Vec<Box<dyn AnyFunction>> {
        self.functions()
    }

    fn any_actions(&self) -> Vec<Box<dyn AnyAction>> {
        self.actions()
    }
}
