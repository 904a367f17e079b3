//! A certificate: its key in the secret store, the certificate beside it.

use super::Plan;
use crate::engine::{Error, Result, generation};
use crate::platform::simulator::items::{Document, SecretEntry};
use crate::site::{Certificate, Source};

pub fn plan(plan: &mut Plan<'_>, it: &Certificate) -> Result<()> {
    let given = match &it.source {
        Source::Imported(_) => "imported.private_key_pem",
        Source::SelfSigned(_) | Source::Acme(_) => "private_key_pem",
        Source::Managed(_) => {
            return Err(Error::fatal(
                format!("plan `{}`", plan.site.thing.id()),
                "the simulator has no issuer of its own",
            )
            .at("managed")
            .remedy("use `self_signed = {}`"));
        }
    };
    // The key belongs to its certificate: another certificate means another key.
    let version = generation(&(&it.issued, it.generation));
    plan.add(
        "key",
        SecretEntry {
            label: format!("key of {}", it.hostnames.join(", ")),
            given: Some(given.to_owned()),
            version,
        },
    );
    plan.add(
        "certificate",
        Document {
            content: serde_json::json!({ "hostnames": it.hostnames, "issued": it.issued }),
        },
    );
    Ok(())
}
