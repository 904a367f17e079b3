//! Rules for instances.

use super::{config, hostname_findings, version_findings, window_findings};
use crate::site::{Certificate, Finding, Instance, Issued, ServiceKind, Site, Source, Thing, tls};

pub(super) fn check(instance: &Instance, site: &Site, before: Option<&Instance>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut names = vec![("hostname".to_owned(), instance.hostname.as_str())];
    let additional = instance.additional_hostnames.iter().enumerate();
    names.extend(
        additional.map(|(index, name)| (format!("additional_hostnames.{index}"), name.as_str())),
    );
    findings.extend(hostname_findings(&names, site, false));
    findings.extend(services(instance, site));
    findings.extend(certificate(instance, site));
    let instead = "Restore a backup that was taken with it into a new instance.";
    findings.extend(version_findings(
        &instance.version,
        before.map(|before| before.version.as_str()),
        instead,
    ));
    findings.extend(machines(instance));
    findings.extend(application(instance));
    findings.extend(config::check(&instance.config));
    findings.extend(window_findings(instance.maintenance_window.as_ref()));
    findings
}

fn services(instance: &Instance, site: &Site) -> Vec<Finding> {
    let mut findings = Vec::new();
    let missing: Vec<_> = ServiceKind::ALL
        .into_iter()
        .filter(|kind| !instance.services.contains_key(kind))
        .map(ServiceKind::as_str)
        .collect();
    if !missing.is_empty() {
        let detail = format!(
            "An instance needs a service of each kind; missing: {}. Use what exists elsewhere by a service with `external`.",
            missing.join(", ")
        );
        findings.push(Finding::refuse("services", "Services missing", detail));
    }
    for (kind, id) in &instance.services {
        let at = format!("services.{}", kind.as_str());
        if id.environment != instance.environment {
            let detail = format!(
                "`{id}` is in the environment `{}`, the instance in `{}`. Machines of one do not reach those of the other.",
                id.environment, instance.environment
            );
            findings.push(Finding::refuse(
                at,
                "Service of another environment",
                detail,
            ));
            continue;
        }
        let Some(Thing::Service(service)) = site.around.get(id).map(|record| &record.thing) else {
            continue;
        };
        if service.kind != *kind {
            let detail = format!(
                "`{id}` is a {}, not a {}.",
                service.kind.as_str(),
                kind.as_str()
            );
            findings.push(Finding::refuse(at, "Service of another kind", detail));
        }
    }
    findings
}

fn certificate(instance: &Instance, site: &Site) -> Vec<Finding> {
    let Some(id) = &instance.certificate else {
        if instance.insecure_http {
            let detail = "Passwords and loans travel in the clear. Use this for trials only.";
            return vec![Finding::warn("insecure_http", "Plain HTTP", detail)];
        }
        let detail = "Without a certificate the site would be plain HTTP. Give a certificate, or say that this is meant with `insecure_http = true`.";
        return vec![Finding::refuse("certificate_id", "No certificate", detail)];
    };
    if id.environment != instance.environment {
        return vec![Finding::refuse(
            "certificate_id",
            "Certificate of another environment",
            format!("`{id}` is in another environment."),
        )];
    }
    match site.around.get(id).map(|record| &record.thing) {
        Some(Thing::Certificate(certificate)) => covering(instance, certificate),
        _ => Vec::new(),
    }
}

fn covering(instance: &Instance, certificate: &Certificate) -> Vec<Finding> {
    // of an imported certificate what it says itself counts, of the others what will be asked for
    let pem = match (&certificate.source, &certificate.issued) {
        (Source::Imported(imported), _) => Some(&imported.certificate_pem),
        (
            _,
            Some(Issued {
                certificate_pem, ..
            }),
        ) => Some(certificate_pem),
        _ => None,
    };
    let leaf = pem.and_then(|pem| tls::read(pem).ok());
    let asked = |name: &str| {
        certificate.hostnames.iter().any(|have| {
            have.eq_ignore_ascii_case(name)
                || have.strip_prefix("*.").is_some_and(|parent| {
                    name.split_once('.')
                        .is_some_and(|(_, rest)| rest.eq_ignore_ascii_case(parent))
                })
        })
    };
    let names = std::iter::once(&instance.hostname).chain(&instance.additional_hostnames);
    let missing: Vec<_> = names
        .filter(|name| {
            !leaf
                .as_ref()
                .map_or_else(|| asked(name), |leaf| leaf.covers(name))
        })
        .map(String::as_str)
        .collect();
    if missing.is_empty() {
        return Vec::new();
    }
    let detail = format!(
        "The certificate is for {}, and so not for {}.",
        certificate.hostnames.join(", "),
        missing.join(", ")
    );
    vec![Finding::refuse(
        "certificate_id",
        "Certificate for other host names",
        detail,
    )]
}

fn machines(instance: &Instance) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut range = |at: &str, value: u32, least: u32, most: u32| {
        if !(least..=most).contains(&value) {
            findings.push(Finding::refuse(
                at,
                "Out of range",
                format!("{value} is not between {least} and {most}."),
            ));
        }
    };
    range("web.nodes", instance.web.nodes, 1, 50);
    range("web.processes", instance.web.processes, 1, 64);
    range("web.threads", instance.web.threads, 1, 64);
    range("worker.nodes", instance.worker.nodes, 1, 50);
    range("worker.concurrency", instance.worker.concurrency, 1, 64);
    range(
        "load_balancer.max_body_mib",
        instance.load_balancer.max_body_mib,
        1,
        51200,
    );
    let timeout = seconds(&instance.load_balancer.idle_timeout);
    if timeout.is_none_or(|timeout| !(1..=86400).contains(&timeout)) {
        let detail = format!(
            "`{}`: write seconds or minutes, such as `60s` or `5m`.",
            instance.load_balancer.idle_timeout
        );
        findings.push(Finding::refuse(
            "load_balancer.idle_timeout",
            "Not a length of time",
            detail,
        ));
    }
    findings
}

/// `60s`, `5m`, `1h`, `1m30s` in seconds.
pub fn seconds(text: &str) -> Option<u64> {
    let mut rest = text;
    let mut sum = 0_u64;
    while !rest.is_empty() {
        let end = rest.find(|letter: char| !letter.is_ascii_digit())?;
        let number: u64 = rest[..end].parse().ok()?;
        let unit = match rest[end..].chars().next()? {
            's' => 1,
            'm' => 60,
            'h' => 3600,
            _ => return None,
        };
        sum = sum.checked_add(number.checked_mul(unit)?)?;
        rest = &rest[end + 1..];
    }
    (!text.is_empty()).then_some(sum)
}

fn application(instance: &Instance) -> Vec<Finding> {
    let mut findings = Vec::new();
    let simple = |text: &str| {
        !text.is_empty()
            && !text.starts_with('-')
            && !text
                .chars()
                .any(|letter| letter.is_control() || "\"'\\`$".contains(letter))
    };
    if !simple(&instance.application.package) {
        findings.push(Finding::refuse(
            "application.package",
            "Not a package",
            format!(
                "`{}` is no name of a Python package.",
                instance.application.package
            ),
        ));
    }
    for (index, package) in instance.application.extra_packages.iter().enumerate() {
        if !simple(package) {
            let at = format!("application.extra_packages.{index}");
            findings.push(Finding::refuse(
                at,
                "Not a package",
                format!("`{package}` is no requirement of a Python package."),
            ));
        }
    }
    let frontend = &instance.frontend;
    if frontend.archive_url.is_some() && frontend.sha256.is_none() {
        let detail =
            "Give the archive's `sha256` too: machines install nothing that they cannot verify.";
        findings.push(Finding::refuse("frontend.sha256", "No checksum", detail));
    }
    if frontend
        .sha256
        .as_ref()
        .is_some_and(|sum| sum.len() != 64 || !sum.chars().all(|digit| digit.is_ascii_hexdigit()))
    {
        findings.push(Finding::refuse(
            "frontend.sha256",
            "Not a checksum",
            "A SHA-256 checksum has 64 hexadecimal digits.",
        ));
    }
    for (index, language) in instance.site.languages.iter().enumerate() {
        if language.len() < 2
            || !language
                .chars()
                .all(|letter| letter.is_ascii_alphanumeric() || letter == '_' || letter == '-')
        {
            findings.push(Finding::refuse(
                format!("site.languages.{index}"),
                "Not a language",
                format!("`{language}`: write a code such as `en`."),
            ));
        }
    }
    if let Some(zone) = &instance.site.timezone
        && zone.parse::<chrono_tz::Tz>().is_err()
    {
        findings.push(Finding::refuse(
            "site.timezone",
            "Unknown time zone",
            format!("`{zone}` is no time zone: write a name like Europe/Zurich."),
        ));
    }
    for (at, address) in [
        ("admin.email", &instance.admin.email),
        ("site.support_email", &instance.site.support_email),
    ] {
        if address.as_ref().is_some_and(|address| {
            !address.contains('@') || address.chars().any(char::is_whitespace)
        }) {
            findings.push(Finding::refuse(
                at,
                "Not an address",
                "This is no e-mail address.",
            ));
        }
    }
    findings
}
