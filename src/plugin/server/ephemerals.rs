//! Ephemeral resources: opened, renewed, closed, and stored nowhere.

use super::{Inner, configure::with_defaults, read::checked, to_wire};
use crate::plugin::{
    DeferReason, Diag, Diags, Dynamic, Private, draft,
    wire::tfplugin6::{
        close_ephemeral_resource, open_ephemeral_resource, renew_ephemeral_resource,
    },
};
use prost_types::Timestamp;
use std::time::SystemTime;

impl Inner {
    pub(super) async fn open_ephemeral(
        &self,
        request: &open_ephemeral_resource::Request,
        id: String,
    ) -> Result<open_ephemeral_resource::Response, Diags> {
        let entry = self.ephemeral(&request.type_name)?;
        let schema = &entry.schema;
        let config = schema.decode(request.config.as_ref(), "the configuration")?;
        let config = schema.required(config, "The configuration")?;
        if self.puts_off(request.client_capabilities.as_ref()) {
            let fields = &schema.schema.fields;
            let nothing = &Dynamic::Null;
            let planned = draft::draft(fields, &config, nothing, draft::Computed::Fresh);
            return Ok(open_ephemeral_resource::Response {
                result: schema.encode(&planned),
                deferred: Some(to_wire::deferred(DeferReason::ProviderConfigUnknown)),
                ..open_ephemeral_resource::Response::default()
            });
        }
        let context = self.context(id);
        let asked = with_defaults(schema, &config);
        let deadline = schema.deadline("open", &asked);
        let opened = entry.item.any_open(&asked, deadline, &context).await;
        let mut diags = context.take_warnings();
        let opened = match opened {
            Ok(opened) => opened,
            Err(failed) => {
                diags.extend(failed);
                return Err(diags);
            }
        };
        let result = checked(schema, &config, opened.result, ("E", "E"), &mut diags);
        Ok(open_ephemeral_resource::Response {
            result: schema.encode(&result),
            private: Some(opened.private.encode()),
            renew_at: opened.renew_at.map(timestamp),
            diagnostics: to_wire::diagnostics(diags),
            deferred: None,
        })
    }

    pub(super) async fn renew_ephemeral(
        &self,
        request: &renew_ephemeral_resource::Request,
        id: String,
    ) -> Result<renew_ephemeral_resource::Response, Diags> {
        let entry = self.ephemeral(&request.type_name)?;
        let mut private = private(request.private.as_deref())?;
        let context = self.context(id);
        let renewed = entry.item.any_renew(&mut private, &context).await;
        let mut diags = context.take_warnings();
        let renew_at = match renewed {
            Ok(renew_at) => renew_at,
            Err(failed) => {
                diags.extend(failed);
                None
            }
        };
        Ok(renew_ephemeral_resource::Response {
            renew_at: renew_at.map(timestamp),
            private: Some(private.encode()),
            diagnostics: to_wire::diagnostics(diags),
        })
    }

    pub(super) async fn close_ephemeral(
        &self,
        request: &close_ephemeral_resource::Request,
        id: String,
    ) -> Result<close_ephemeral_resource::Response, Diags> {
        let entry = self.ephemeral(&request.type_name)?;
        let private = private(request.private.as_deref())?;
        let context = self.context(id);
        let closed = entry.item.any_close(&private, &context).await;
        let mut diags = context.take_warnings();
        if let Err(failed) = closed {
            diags.extend(failed);
        }
        Ok(close_ephemeral_resource::Response {
            diagnostics: to_wire::diagnostics(diags),
        })
    }
}

fn private(bytes: Option<&[u8]>) -> Result<Private, Diags> {
    Private::decode(bytes.unwrap_or_default()).map_err(|error| {
        Diag::error("Cannot read what was kept of the ephemeral resource")
            .detail(error)
            .into()
    })
}

fn timestamp(moment: SystemTime) -> Timestamp {
    Timestamp::from(moment)
}
