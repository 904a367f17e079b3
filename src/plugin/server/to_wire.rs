//! Diagnostics, paths and reasons as the protocol has them. Every text that leaves is masked here.

use crate::plugin::{
    DeferReason, Diag, Diags, Path, Severity, Step, secrets,
    wire::tfplugin6::{
        AttributePath, Deferred, Diagnostic, attribute_path, attribute_path::step::Selector,
        deferred, diagnostic,
    },
};

pub(super) fn diagnostics(diags: Diags) -> Vec<Diagnostic> {
    diags.into_iter().map(diagnostic).collect()
}

fn diagnostic(diag: Diag) -> Diagnostic {
    let severity = match diag.severity {
        Severity::Error => diagnostic::Severity::Error,
        Severity::Warning => diagnostic::Severity::Warning,
    };
    let mut detail = diag.detail;
    if let Some(path) = &diag.path
        && !names(path, &diag.summary)
        && !names(path, &detail)
    {
        // Terraform shows no path for what does not stand in the configuration.
        if !detail.is_empty() {
            detail.push_str("\n\n");
        }
        detail.push_str(&format!("Attribute: `{path}`."));
    }
    Diagnostic {
        severity: severity.into(),
        summary: secrets::mask(&diag.summary).into_owned(),
        detail: secrets::mask(&detail).into_owned(),
        attribute: diag.path.as_ref().map(path),
    }
}

/// Whether a text mentions the attribute that the path leads to.
fn names(path: &Path, text: &str) -> bool {
    let name = path.steps().iter().rev().find_map(|step| match step {
        Step::Attr(name) => Some(name.as_str()),
        _ => None,
    });
    name.is_none_or(|name| {
        text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .any(|word| word == name)
    })
}

pub(super) fn path(path: &Path) -> AttributePath {
    let steps = path.steps().iter().map(|step| {
        let selector = match step {
            Step::Attr(name) => Selector::AttributeName(name.clone()),
            Step::Key(key) => Selector::ElementKeyString(key.clone()),
            Step::Index(index) => Selector::ElementKeyInt(*index),
        };
        attribute_path::Step {
            selector: Some(selector),
        }
    });
    AttributePath {
        steps: steps.collect(),
    }
}

pub(super) fn deferred(reason: DeferReason) -> Deferred {
    let reason = match reason {
        DeferReason::ResourceConfigUnknown => deferred::Reason::ResourceConfigUnknown,
        DeferReason::ProviderConfigUnknown => deferred::Reason::ProviderConfigUnknown,
        DeferReason::AbsentPrerequisite => deferred::Reason::AbsentPrereq,
    };
    Deferred {
        reason: reason.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_names_the_attribute_once() {
        let told = diagnostic(Diag::error("too big").at("web.nodes"));
        assert!(told.detail.contains("`web.nodes`"));
        let told = diagnostic(Diag::error("`web.nodes` is too big").at("web.nodes"));
        assert_eq!(told.detail, "");
        assert_eq!(told.attribute.unwrap().steps.len(), 2);
    }

    #[test]
    fn secrets_are_masked_in_every_text() {
        secrets::register("canary-of-diagnostics");
        let told =
            diagnostic(Diag::error("no canary-of-diagnostics").detail("got canary-of-diagnostics"));
        assert!(!format!("{told:?}").contains("canary-of-diagnostics"));
    }
}
