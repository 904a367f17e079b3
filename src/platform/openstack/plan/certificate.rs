//! A certificate: its parts in the secret store, for machines as a bundle, for Octavia as PKCS#12.

use super::{super::object::secret::Content, Draft};
use crate::site::{Certificate, Source};

/// The bundle and the file, without their generation.
pub const BUNDLE: &str = "bundle";
pub const PKCS12: &str = "pkcs12";

impl Draft<'_> {
    pub(super) fn certificate(&mut self, certificate: &Certificate) {
        let (certificate_pem, chain_pem) = match (&certificate.issued, &certificate.source) {
            (Some(issued), _) => (issued.certificate_pem.clone(), issued.chain_pem.clone()),
            (None, Source::Imported(it)) => (
                it.certificate_pem.clone(),
                it.chain_pem.clone().unwrap_or_default(),
            ),
            (None, _) => (String::new(), String::new()),
        };
        let generation = certificate.generation;
        let bundle = self.secret(
            &format!("{BUNDLE}-{generation}"),
            Content::Certificate {
                certificate: certificate.clone(),
            },
        );
        self.secret(
            &format!("{PKCS12}-{generation}"),
            Content::Pkcs12 {
                bundle,
                certificate_pem,
                chain_pem,
            },
        );
    }
}
