//! Whether a certificate can serve a site: the findings a user should see before anything is made.

use super::leaf::{read, read_chain};
use crate::site::{Finding, Sealed};
use chrono::{DateTime, Utc};

/// Checks an imported certificate: readable, valid now, for all host names, with its own key and a chain in order.
/// Without the key (it is write-only and may not be at hand) that part is left out.
pub fn check_material(
    certificate_pem: &str,
    chain_pem: &str,
    key: Option<&Sealed>,
    hostnames: &[String],
    now: DateTime<Utc>,
) -> Vec<Finding> {
    const AT: &str = "imported.certificate_pem";
    let leaf = match read(certificate_pem) {
        Ok(leaf) => leaf,
        Err(why) => {
            return vec![Finding::refuse(
                AT,
                "Unreadable certificate",
                format!("The certificate cannot be read: {why}."),
            )];
        }
    };
    let mut findings = Vec::new();
    if leaf.not_after <= now {
        findings.push(Finding::refuse(
            AT,
            "Expired certificate",
            format!(
                "The certificate ended at {}. Import its successor.",
                leaf.not_after
            ),
        ));
    }
    if leaf.not_before > now {
        findings.push(Finding::refuse(
            AT,
            "Certificate not valid yet",
            format!("The certificate begins at {} only.", leaf.not_before),
        ));
    }
    let missing: Vec<_> = hostnames
        .iter()
        .filter(|name| !leaf.covers(name))
        .map(String::as_str)
        .collect();
    if !missing.is_empty() {
        let names = if leaf.hostnames.is_empty() {
            "no name at all".to_owned()
        } else {
            leaf.hostnames.join(", ")
        };
        let detail = format!(
            "The certificate is for {names}, and so not for {}.",
            missing.join(", ")
        );
        findings.push(Finding::refuse(
            AT,
            "Certificate for other host names",
            detail,
        ));
    }
    findings.extend(chain_findings(&leaf, certificate_pem, chain_pem));
    match key.map(|key| leaf.matches(key)) {
        None | Some(Ok(true)) => {}
        Some(Ok(false)) => findings.push(Finding::refuse(
            "imported.private_key_pem",
            "Key of another certificate",
            "The private key does not belong to the certificate: their public keys differ.",
        )),
        Some(Err(why)) => findings.push(Finding::refuse(
            "imported.private_key_pem",
            "Unreadable private key",
            format!("{}.", capital(&why)),
        )),
    }
    findings
}

fn chain_findings(leaf: &super::Leaf, certificate_pem: &str, chain_pem: &str) -> Vec<Finding> {
    const AT: &str = "imported.chain_pem";
    let chain = match read_chain(chain_pem) {
        Ok(chain) => chain,
        Err(why) => {
            return vec![Finding::refuse(
                AT,
                "Unreadable chain",
                format!("The chain cannot be read: {why}."),
            )];
        }
    };
    if chain.is_empty() && !chain_pem.trim().is_empty() {
        return vec![Finding::refuse(
            AT,
            "Unreadable chain",
            "There is no `-----BEGIN CERTIFICATE-----` in it.",
        )];
    }
    // some give the chain in one text with the certificate
    let beside = read_chain(certificate_pem).unwrap_or_default();
    let mut before = leaf;
    for next in beside.iter().skip(1).chain(&chain) {
        if next.der == before.der {
            continue;
        }
        if !before.issued_by(next) {
            let detail = format!(
                "`{}` was issued by `{}`, but `{}` follows it. Order the chain from the certificate up.",
                before.subject, before.issuer, next.subject
            );
            return vec![Finding::refuse(AT, "Chain out of order", detail)];
        }
        before = next;
    }
    if leaf.issuer_der != leaf.subject_der && beside.len() < 2 && chain.is_empty() {
        let detail = format!(
            "The certificate was issued by `{}`, and no chain is given: most clients will not trust it.",
            leaf.issuer
        );
        return vec![Finding::warn(AT, "No chain", detail)];
    }
    Vec::new()
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters
        .next()
        .map(|first| first.to_uppercase().collect::<String>() + letters.as_str())
        .unwrap_or_default()
}
