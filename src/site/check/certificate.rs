//! Rules for certificates that need neither the moment nor the key: those are in [`crate::site::tls::check_material`].

use super::hostname_findings;
use crate::site::{Certificate, Challenge, Finding, Site, Source};

pub(super) fn check(certificate: &Certificate, site: &Site) -> Vec<Finding> {
    let mut findings = Vec::new();
    if certificate.hostnames.is_empty() {
        findings.push(Finding::refuse(
            "hostnames",
            "No host name",
            "A certificate is for at least one host name.",
        ));
    }
    if certificate.hostnames.len() > 100 {
        findings.push(Finding::refuse(
            "hostnames",
            "Too many host names",
            "A certificate has room for 100 names.",
        ));
    }
    let names: Vec<_> = certificate
        .hostnames
        .iter()
        .enumerate()
        .map(|(index, name)| (format!("hostnames.{index}"), name.as_str()))
        .collect();
    // who brings a certificate along may serve any name with it; the others must be proved or answered for here
    let mut about_names = hostname_findings(&names, site, true);
    if matches!(certificate.source, Source::Imported(_)) {
        about_names.retain(|finding| finding.summary != "Host name outside the zone");
    }
    findings.extend(about_names);
    match &certificate.source {
        Source::Acme(acme) => {
            if !acme.email.contains('@') {
                findings.push(Finding::refuse(
                    "acme.email",
                    "Not an address",
                    format!("`{}` is no e-mail address.", acme.email),
                ));
            }
            if !acme.directory_url.starts_with("https://") {
                findings.push(Finding::refuse(
                    "acme.directory_url",
                    "Not an address",
                    "The directory of an issuer is an address that begins with `https://`.",
                ));
            }
            let wildcard = certificate
                .hostnames
                .iter()
                .position(|name| name.starts_with("*."));
            if let (Challenge::Http01, Some(index)) = (acme.challenge, wildcard) {
                let detail =
                    "Wildcards can only be proved through DNS: use `challenge = \"dns-01\"`.";
                findings.push(Finding::refuse(
                    format!("hostnames.{index}"),
                    "A wildcard needs DNS",
                    detail,
                ));
            }
            let zone = site
                .environment()
                .is_some_and(|environment| environment.dns.zone.is_some());
            if acme.challenge == Challenge::Dns01 && !zone && site.environment().is_some() {
                let detail = "`dns-01` proves the names through the environment's zone, and it has none. Set `dns.zone` there, or use `http-01`.";
                findings.push(Finding::refuse(
                    "acme.challenge",
                    "No zone to prove names in",
                    detail,
                ));
            }
        }
        Source::SelfSigned(own) => {
            if own.validity_days == 0 || own.validity_days > 36500 {
                findings.push(Finding::refuse(
                    "self_signed.validity_days",
                    "Unusable validity",
                    "Use 1 to 36500 days.",
                ));
            } else if certificate.renew_before_days >= own.validity_days {
                let detail = format!(
                    "A certificate of {} days would be due for renewal from its first day on.",
                    own.validity_days
                );
                findings.push(Finding::refuse("renew_before_days", "Always due", detail));
            }
        }
        Source::Imported(_) | Source::Managed(_) => {}
    }
    findings
}
