//! Rules for environments.

use super::in_zone;
use crate::site::{Environment, Finding};
use ipnet::Ipv4Net;
use std::net::Ipv4Addr;

/// Where machines ask their cloud who they are: no network of ours may hold it.
const LINK_LOCAL: Ipv4Net = Ipv4Net::new_assert(Ipv4Addr::new(169, 254, 0, 0), 16);
const LOOPBACK: Ipv4Net = Ipv4Net::new_assert(Ipv4Addr::new(127, 0, 0, 0), 8);
const MULTICAST: Ipv4Net = Ipv4Net::new_assert(Ipv4Addr::new(224, 0, 0, 0), 3);

pub(super) fn check(environment: &Environment) -> Vec<Finding> {
    let mut findings = network(environment);
    for (index, address) in environment.network.dns_nameservers.iter().enumerate() {
        if address.parse::<std::net::IpAddr>().is_err() {
            findings.push(Finding::refuse(
                format!("network.dns_nameservers.{index}"),
                "Not an address",
                format!("`{address}` is not an IP address; name servers are given by address."),
            ));
        }
    }
    findings.extend(dns(environment));
    findings.extend(access(environment));
    findings.extend(packages(environment));
    findings
}

fn network(environment: &Environment) -> Vec<Finding> {
    const AT: &str = "network.cidr";
    let cidr = environment.network.cidr;
    let mut findings = Vec::new();
    if cidr.addr() != cidr.network() {
        findings.push(Finding::refuse(
            AT,
            "Not a network",
            format!(
                "`{cidr}` names an address inside a network; the network is `{}`.",
                cidr.trunc()
            ),
        ));
    }
    if cidr.prefix_len() > 28 {
        findings.push(Finding::refuse(
            AT,
            "Network too small",
            format!("`{cidr}` has no room for a site: use /28 or larger, better /24."),
        ));
    }
    if cidr.prefix_len() < 8 {
        findings.push(Finding::refuse(
            AT,
            "Network too large",
            format!("`{cidr}`: use /8 or smaller, usually /24."),
        ));
    }
    let taken = [LINK_LOCAL, LOOPBACK, MULTICAST]
        .into_iter()
        .find(|special| overlap(*special, cidr));
    if let Some(special) = taken {
        findings.push(Finding::refuse(
            AT,
            "Reserved network",
            format!("`{cidr}` overlaps `{special}`, which is reserved."),
        ));
    }
    findings
}

fn overlap(one: Ipv4Net, other: Ipv4Net) -> bool {
    one.contains(&other) || other.contains(&one)
}

fn dns(environment: &Environment) -> Vec<Finding> {
    let dns = &environment.dns;
    match &dns.zone {
        None if dns.manage_zone => {
            vec![Finding::refuse(
                "dns.zone",
                "No zone",
                "`manage_zone` is set, but there is no `zone` to manage.",
            )]
        }
        Some(zone)
            if !zone.ends_with('.')
                || super::hostname_fault(zone.trim_end_matches('.'), false).is_some()
                || !in_zone(zone.trim_end_matches('.'), zone) =>
        {
            vec![Finding::refuse(
                "dns.zone",
                "Not a zone",
                format!("`{zone}`: write a zone with the dot at its end, such as `example.org.`."),
            )]
        }
        _ => Vec::new(),
    }
}

fn access(environment: &Environment) -> Vec<Finding> {
    let access = &environment.access;
    let mut findings = Vec::new();
    if let Some(key) = &access.ssh_public_key {
        let kinds = [
            "ssh-ed25519 ",
            "ssh-rsa ",
            "ecdsa-sha2-",
            "sk-ssh-ed25519",
            "sk-ecdsa-",
        ];
        if key.contains("PRIVATE KEY") {
            findings.push(Finding::refuse(
                "access.ssh_public_key",
                "A private key",
                "This is a private key. Give the public one, from the file that ends in `.pub`.",
            ));
        } else if !kinds.iter().any(|kind| key.starts_with(kind)) || key.trim().contains('\n') {
            findings.push(Finding::refuse(
                "access.ssh_public_key",
                "Not a public key",
                "An SSH public key is one line that begins with its kind, such as `ssh-ed25519`.",
            ));
        }
    } else if !access.ssh_cidrs.is_empty() {
        findings.push(Finding::warn(
            "access.ssh_cidrs",
            "Nobody can log in",
            "`ssh_cidrs` opens the port, but without `ssh_public_key` nobody can log in.",
        ));
    }
    if access.ssh_cidrs.iter().any(|cidr| cidr.prefix_len() == 0) {
        findings.push(Finding::warn(
            "access.ssh_cidrs",
            "SSH is open to everybody",
            "`0.0.0.0/0` lets the whole internet try to log in.",
        ));
    }
    findings
}

fn packages(environment: &Environment) -> Vec<Finding> {
    let packages = &environment.packages;
    let addresses = [
        ("packages.index_url", &packages.index_url),
        ("packages.apt_mirror", &packages.apt_mirror),
        ("packages.opensearch_url", &packages.opensearch_url),
    ];
    let mut findings: Vec<_> = addresses
        .into_iter()
        .filter_map(|(at, url)| {
            let url = url.as_ref()?;
            let good = (url.starts_with("https://") || url.starts_with("http://"))
                && !url
                    .chars()
                    .any(|letter| letter.is_whitespace() || "\"'\\".contains(letter));
            (!good).then(|| {
                Finding::refuse(
                    at,
                    "Not an address",
                    format!("`{url}`: write an address that begins with `https://`."),
                )
            })
        })
        .collect();
    if let Some(url) = &packages.opensearch_url
        && findings.is_empty()
    {
        findings.extend(archive(url));
    }
    if let Some(pem) = &packages.ca_pem
        && crate::site::tls::read(pem).is_err()
    {
        findings.push(Finding::refuse(
            "packages.ca_pem",
            "Unreadable certificate",
            "This is not a certificate in PEM.",
        ));
    }
    findings
}

/// The publisher's own archive is known by its signature. Another place is believed, or says by a sum what it has.
fn archive(url: &str) -> Option<Finding> {
    let at = "packages.opensearch_url";
    let Some((_, pin)) = url.split_once('#') else {
        return Some(Finding::warn(
            at,
            "Not pinned",
            "What machines install from there is compared with the `.sha512` beside it, if there is one, and with nothing \
             else. Add the archive's own sum to the address: `…#sha256=<64 hexadecimal digits>`.",
        ));
    };
    let sum = pin.strip_prefix("sha256=").unwrap_or_default();
    let whole = sum.len() == 64 && sum.bytes().all(|it| it.is_ascii_hexdigit());
    (!whole).then(|| {
        Finding::refuse(
            at,
            "Not a sum",
            format!("`#{pin}`: write the archive's SHA-256, `#sha256=` and 64 hexadecimal digits."),
        )
    })
}
