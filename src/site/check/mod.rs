//! Rules that need no cloud: what can be refused, or warned of, by looking at the site alone.

mod backup;
mod certificate;
mod config;
mod environment;
mod instance;
mod service;

pub use backup::shared;
pub use config::owned_settings;
pub use instance::seconds;

use super::{Finding, Schedule, Site, Tags, Thing, Window, schedule, schedule::Unusable, version};

/// Looks at a thing and its surroundings. `before` is the thing as it was made last, if it was.
pub fn check(site: &Site, before: Option<&Thing>) -> Vec<Finding> {
    let mut findings = match &site.thing {
        Thing::Environment(it) => environment::check(it),
        Thing::Service(it) => {
            let before = before.and_then(|thing| {
                if let Thing::Service(it) = thing {
                    Some(it)
                } else {
                    None
                }
            });
            service::check(it, before)
        }
        Thing::Certificate(it) => certificate::check(it, site),
        Thing::Instance(it) => {
            let before = before.and_then(|thing| {
                if let Thing::Instance(it) = thing {
                    Some(it)
                } else {
                    None
                }
            });
            instance::check(it, site, before)
        }
        Thing::BackupPolicy(it) => backup::check(it, site),
    };
    if let Some(own) = tags_of(&site.thing) {
        findings.extend(tag_findings(own));
    }
    findings
}

fn tags_of(thing: &Thing) -> Option<&Tags> {
    match thing {
        Thing::Environment(it) => Some(&it.tags),
        Thing::Service(it) => Some(&it.tags),
        Thing::Instance(it) => Some(&it.tags),
        Thing::Certificate(_) | Thing::BackupPolicy(_) => None,
    }
}

/// What every cloud takes as a tag: letters that need no escape, 60 for a key and 128 for a value.
fn tag_findings(tags: &Tags) -> Vec<Finding> {
    let simple = |text: &str| {
        text.chars()
            .all(|letter| letter.is_ascii_alphanumeric() || " _.-:@+=".contains(letter))
    };
    let fault = |key: &str, value: &str| {
        if key.is_empty() || key.len() > 60 || !simple(key) {
            return Some("a key has 1 to 60 letters, digits, spaces and `_.-:@+=`");
        }
        if key.starts_with("invenioils") || key.starts_with("ils:") {
            return Some(
                "keys that begin with `invenioils` or `ils:` are the provider's own marks",
            );
        }
        (value.len() > 128 || !simple(value))
            .then_some("a value has at most 128 letters, digits, spaces and `_.-:@+=`")
    };
    tags.iter()
        .filter_map(|(key, value)| {
            let why = fault(key, value)?;
            Some(Finding::refuse(
                format!("tags.{key}"),
                "Unusable tag",
                format!("`{key}` = `{value}`: {why}."),
            ))
        })
        .collect()
}

/// A host name as DNS has it: labels of letters, digits and hyphens. A leading `*.` only where `wildcard` says so.
pub fn hostname_fault(name: &str, wildcard: bool) -> Option<String> {
    let plain = if wildcard {
        name.strip_prefix("*.").unwrap_or(name)
    } else {
        name
    };
    let label_fault = |label: &str| {
        label.is_empty()
            || label.len() > 63
            || label.starts_with('-')
            || label.ends_with('-')
            || !label
                .chars()
                .all(|letter| letter.is_ascii_alphanumeric() || letter == '-')
    };
    if plain.contains("://") || plain.contains('/') {
        return Some(format!(
            "`{name}` is an address of a page, not a host name: write what stands between `https://` and the next `/`"
        ));
    }
    if plain.ends_with('.') {
        return Some(format!("`{name}`: leave the dot at the end out"));
    }
    if plain.len() > 253 || plain.split('.').any(label_fault) {
        return Some(format!(
            "`{name}` is not a host name: labels of at most 63 letters, digits and hyphens, joined by dots"
        ));
    }
    if plain.parse::<std::net::IpAddr>().is_ok()
        || plain
            .rsplit('.')
            .next()
            .is_some_and(|last| last.chars().all(|letter| letter.is_ascii_digit()))
    {
        return Some(format!("`{name}` is an IP address; a site needs a name"));
    }
    None
}

fn in_zone(name: &str, zone: &str) -> bool {
    let zone = zone.trim_end_matches('.').to_ascii_lowercase();
    let name = name.to_ascii_lowercase();
    name == zone
        || name
            .strip_suffix(&zone)
            .is_some_and(|rest| rest.ends_with('.'))
}

/// The findings about host names: syntax, twice the same, outside the environment's zone.
fn hostname_findings(names: &[(String, &str)], site: &Site, wildcard: bool) -> Vec<Finding> {
    let mut findings = Vec::new();
    let zone = site
        .environment()
        .and_then(|environment| environment.dns.zone.clone());
    for (index, (at, name)) in names.iter().enumerate() {
        if let Some(why) = hostname_fault(name, wildcard) {
            findings.push(Finding::refuse(at, "Not a host name", format!("{why}.")));
            continue;
        }
        if names[..index]
            .iter()
            .any(|(_, other)| other.eq_ignore_ascii_case(name))
        {
            findings.push(Finding::refuse(
                at,
                "Host name given twice",
                format!("`{name}` is there already."),
            ));
        }
        if let Some(zone) = &zone
            && !in_zone(name.trim_start_matches("*."), zone)
        {
            let detail = format!(
                "The environment's zone is `{zone}`, and `{name}` is not in it. Use a name that ends in `.{}`.",
                zone.trim_end_matches('.')
            );
            findings.push(Finding::refuse(at, "Host name outside the zone", detail));
        }
    }
    findings
}

fn schedule_findings(at: &str, line: &str, timezone: &str) -> Vec<Finding> {
    let refuse = |summary: &str, detail: String| vec![Finding::refuse(at, summary, detail)];
    match Schedule::parse(line, timezone) {
        Ok(_) => Vec::new(),
        Err(Unusable::Malformed(why)) => refuse(
            "Not a schedule",
            format!(
                "`{line}`: {why}. Write `minute hour day month weekday`, for example `0 3 * * *`."
            ),
        ),
        Err(Unusable::Zone(zone)) => {
            vec![Finding::refuse(
                "timezone",
                "Unknown time zone",
                format!("`{zone}` is no time zone: write a name like Europe/Zurich or UTC."),
            )]
        }
        Err(Unusable::Never) => refuse(
            "A schedule that never fires",
            format!("`{line}`: there is no such day in any year."),
        ),
        Err(Unusable::Overlaps(minutes)) => refuse(
            "A schedule that overlaps itself",
            format!(
                "`{line}` fires twice within {minutes} minutes. A run may take {} minutes: leave at least these between two.",
                schedule::LEAST_GAP.num_minutes()
            ),
        ),
    }
}

/// What is wrong with a schedule, whatever the time zone.
pub fn schedule_fault(line: &str) -> Option<String> {
    let finding = schedule_findings("schedule", line, "UTC")
        .into_iter()
        .next()?;
    Some(finding.detail.trim_end_matches('.').to_owned())
}

fn window_findings(window: Option<&Window>) -> Vec<Finding> {
    let fault = window.and_then(schedule::window_fault);
    fault
        .map(|(field, why)| {
            Finding::refuse(
                format!("maintenance_window.{field}"),
                "Unusable maintenance window",
                format!("{why}."),
            )
        })
        .into_iter()
        .collect()
}

/// A version that cannot be read, or is lower than the one that runs.
fn version_findings(wanted: &str, before: Option<&str>, instead: &str) -> Vec<Finding> {
    if !version::is_version(wanted) {
        return vec![Finding::refuse(
            "version",
            "Not a version",
            format!("`{wanted}` does not read as a version: write numbers, such as `9.0.1`."),
        )];
    }
    match before {
        Some(installed) if version::is_lower(wanted, installed) => {
            let detail = format!(
                "Version {installed} runs, and data that it has migrated cannot go back to {wanted}. {instead}"
            );
            vec![Finding::refuse("version", "A lower version", detail)]
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests;
