//! The provider block, and the validation of every other block.

use super::{Configured, Inner};
use crate::plugin::{
    Diags, Dynamic, draft,
    draft::Computed,
    validate,
    wire::tfplugin6::{
        configure_provider, validate_action_config, validate_data_resource_config,
        validate_ephemeral_resource_config, validate_list_resource_config,
        validate_provider_config, validate_resource_config,
    },
};

use super::{described::Described, to_wire};

impl Inner {
    pub(super) fn validate_provider(
        &self,
        request: &validate_provider_config::Request,
    ) -> Result<validate_provider_config::Response, Diags> {
        let config = self
            .config
            .decode(request.config.as_ref(), "the provider block")?;
        let diags = check(&self.config, &config, true, |config, diags| {
            self.provider.any_validate(config, diags);
        });
        Ok(validate_provider_config::Response {
            diagnostics: to_wire::diagnostics(diags),
        })
    }

    pub(super) async fn configure(
        &self,
        request: &configure_provider::Request,
        id: String,
    ) -> Result<configure_provider::Response, Diags> {
        let config = self
            .config
            .decode(request.config.as_ref(), "the provider block")?;
        let config = with_defaults(&self.config, &config);
        let known = config.is_wholly_known();
        let configured = Configured {
            known,
            defers: !known && self.provider.any_defers(&config),
        };
        *self
            .configured
            .write()
            .unwrap_or_else(|poisoned| poisoned.into_inner()) = configured;
        let context = self.context(id);
        let made = self
            .provider
            .any_configure(&config, &request.terraform_version, &context)
            .await;
        let mut diags = context.take_warnings();
        if let Err(failed) = made {
            diags.extend(failed);
        }
        Ok(configure_provider::Response {
            diagnostics: to_wire::diagnostics(diags),
        })
    }

    pub(super) fn validate_resource(
        &self,
        request: &validate_resource_config::Request,
    ) -> Result<validate_resource_config::Response, Diags> {
        let entry = self.resource(&request.type_name)?;
        let config = entry
            .schema
            .decode(request.config.as_ref(), "the configuration")?;
        let write_only = request
            .client_capabilities
            .as_ref()
            .is_some_and(|client| client.write_only_attributes_allowed);
        let diags = check(&entry.schema, &config, write_only, |config, diags| {
            entry.item.any_validate(config, diags);
        });
        Ok(validate_resource_config::Response {
            diagnostics: to_wire::diagnostics(diags),
        })
    }

    pub(super) fn validate_data_source(
        &self,
        request: &validate_data_resource_config::Request,
    ) -> Result<validate_data_resource_config::Response, Diags> {
        let entry = self.data_source(&request.type_name)?;
        let config = entry
            .schema
            .decode(request.config.as_ref(), "the configuration")?;
        let diags = check(&entry.schema, &config, true, |config, diags| {
            entry.item.any_validate(config, diags);
        });
        Ok(validate_data_resource_config::Response {
            diagnostics: to_wire::diagnostics(diags),
        })
    }

    pub(super) fn validate_ephemeral(
        &self,
        request: &validate_ephemeral_resource_config::Request,
    ) -> Result<validate_ephemeral_resource_config::Response, Diags> {
        let entry = self.ephemeral(&request.type_name)?;
        let config = entry
            .schema
            .decode(request.config.as_ref(), "the configuration")?;
        let diags = check(&entry.schema, &config, true, |config, diags| {
            entry.item.any_validate(config, diags);
        });
        Ok(validate_ephemeral_resource_config::Response {
            diagnostics: to_wire::diagnostics(diags),
        })
    }

    pub(super) fn validate_action(
        &self,
        request: &validate_action_config::Request,
    ) -> Result<validate_action_config::Response, Diags> {
        let entry = self.action(&request.action_type)?;
        let config = entry
            .schema
            .decode(request.config.as_ref(), "the configuration")?;
        let diags = check(&entry.schema, &config, true, |config, diags| {
            entry.item.any_validate(config, diags);
        });
        Ok(validate_action_config::Response {
            diagnostics: to_wire::diagnostics(diags),
        })
    }

    pub(super) fn validate_list(
        &self,
        request: &validate_list_resource_config::Request,
    ) -> Result<validate_list_resource_config::Response, Diags> {
        let list = self.list_of(&request.type_name)?.1;
        let config = list.decode(request.config.as_ref(), "the list block")?;
        let diags = check(list, &config, true, |_, _| {});
        Ok(validate_list_resource_config::Response {
            diagnostics: to_wire::diagnostics(diags),
        })
    }
}

/// The schema's own checks, then the author's. A configuration that is not there at all has nothing to check.
fn check(
    described: &Described,
    config: &Dynamic,
    write_only: bool,
    author: impl FnOnce(&Dynamic, &mut Diags),
) -> Diags {
    let mut diags = Diags::new();
    if config.is_known() {
        validate::config(&described.schema, config, write_only, &mut diags);
        author(config, &mut diags);
    }
    diags
}

/// What the user wrote, with defaults filled in; nothing else is computed. Write-only values stay.
pub(super) fn with_defaults(described: &Described, config: &Dynamic) -> Dynamic {
    if !config.is_known() {
        return config.clone();
    }
    let nothing = &Dynamic::Null;
    let filled = draft::draft(&described.schema.fields, config, nothing, Computed::Absent);
    crate::plugin::conform::with_write_only(filled, &described.schema.fields, config)
}
