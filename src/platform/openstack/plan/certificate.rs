//! A certificate: its parts in the secret store, as a bundle that machines and instances read.

use super::{super::object::secret::Content, Draft};
use crate::site::Certificate;

/// The bundle, without its generation.
pub const BUNDLE: &str = "bundle";

impl Draft<'_> {
    pub(super) fn certificate(&mut self, certificate: &Certificate) {
        let step = format!("{BUNDLE}-{}", certificate.generation);
        self.secret(
            &step,
            Content::Certificate {
                certificate: certificate.clone(),
            },
        );
    }
}
