//! A certificate: its parts in the secret store, as a bundle that machines and instances read.

use super::{super::object::secret::Content, Draft};
use crate::engine::generation;
use crate::site::Certificate;

/// The bundle, without its generation.
const BUNDLE: &str = "bundle";

impl Draft<'_> {
    pub(super) fn certificate(&mut self, certificate: &Certificate) {
        // A key belongs to its certificate: what a killed run stored for one that nobody knows any more is not taken for
        // another one's.
        let which = generation(&(&certificate.issued, certificate.generation));
        self.secret(
            &format!("{BUNDLE}-{which}"),
            Content::Certificate {
                certificate: certificate.clone(),
            },
        );
    }
}
