//! Actions: planned, and run with progress as it comes.

use super::{Inner, can_defer, configure::with_defaults, to_wire};
use crate::plugin::{
    DeferReason, Diag, Diags, Progress,
    wire::tfplugin6::{
        invoke_action::{Event, Request, event},
        plan_action,
    },
};
use tokio::sync::mpsc;

impl Inner {
    pub(super) async fn plan_action(
        &self,
        request: &plan_action::Request,
        id: String,
    ) -> Result<plan_action::Response, Diags> {
        let entry = self.action(&request.action_type)?;
        let config = entry
            .schema
            .decode(request.config.as_ref(), "the configuration")?;
        let config = entry.schema.required(config, "The configuration")?;
        let client = request.client_capabilities.as_ref();
        if self.configured().defers && can_defer(client) {
            return Ok(plan_action::Response {
                deferred: Some(to_wire::deferred(DeferReason::ProviderConfigUnknown)),
                diagnostics: Vec::new(),
            });
        }
        let context = self.context(id);
        let asked = with_defaults(&entry.schema, &config);
        let deadline = entry.schema.deadline("invoke", &asked);
        let planned = entry.item.any_plan(&asked, deadline, &context).await;
        let mut diags = context.take_warnings();
        if let Err(failed) = planned {
            diags.extend(failed);
        }
        Ok(plan_action::Response {
            diagnostics: to_wire::diagnostics(diags),
            deferred: None,
        })
    }

    /// Runs an action to its end; `events` gets its progress, and at last how it ended.
    pub(super) async fn invoke_action(
        &self,
        request: &Request,
        id: String,
        events: &mpsc::Sender<Result<Event, tonic::Status>>,
    ) -> Diags {
        let read = self.action(&request.action_type).and_then(|entry| {
            let config = entry
                .schema
                .decode(request.config.as_ref(), "the configuration")?;
            let config = entry.schema.required(config, "The configuration")?;
            if !config.is_wholly_known() {
                return Err(Diag::error("The action's configuration is not known yet").into());
            }
            Ok((entry, config))
        });
        let (entry, config) = match read {
            Ok(read) => read,
            Err(diags) => return diags,
        };
        let context = self.context(id);
        let asked = with_defaults(&entry.schema, &config);
        let deadline = entry.schema.deadline("invoke", &asked);
        let (says, mut said) = mpsc::channel(16);
        let work = entry
            .item
            .any_invoke(&asked, deadline, &context, Progress(says));
        let tell = async {
            while let Some(message) = said.recv().await {
                let message = crate::plugin::secrets::mask(&message).into_owned();
                let progress = event::Type::Progress(event::Progress { message });
                // A reader that went away does not stop the action.
                let _ = events.send(Ok(event_of(progress))).await;
            }
        };
        let (ended, ()) = futures::join!(work, tell);
        let mut diags = context.take_warnings();
        if let Err(failed) = ended {
            diags.extend(failed);
        }
        diags
    }
}

pub(super) fn completed(diags: Diags) -> Event {
    event_of(event::Type::Completed(event::Completed {
        diagnostics: to_wire::diagnostics(diags),
    }))
}

fn event_of(what: event::Type) -> Event {
    Event { r#type: Some(what) }
}
