//! What readers meet of an instance: listeners on the environment's balancer, and names.

use super::super::{
    super::object::{
        listener::Listener,
        monitor::Monitor,
        policy::Redirect,
        pool::Pool,
        recordset::Recordset,
        secret::{Content, Stored},
    },
    Draft,
};
use super::Shared;
use crate::engine::{Ref, generation};
use crate::site::{Id, Instance, Thing};
use serde_json::json;

/// The file that the balancer presents, without its generation.
const PKCS12: &str = "pkcs12";

impl Draft<'_> {
    pub(super) fn listeners(
        &mut self,
        instance: &Instance,
        shared: &Shared,
        balancer: &str,
        pool: &Ref<Pool>,
    ) {
        let monitor = Monitor {
            mark: self.mark("monitor"),
            name: self.name(""),
            balancer: balancer.to_owned(),
            pool: Some(pool.clone()),
            hostname: instance.hostname.clone(),
        };
        self.graph.add("monitor", monitor);
        let certificate = instance.certificate.as_ref().map(|id| self.presented(id));
        let allowed_cidrs: Vec<String> = shared
            .environment
            .access
            .allowed_cidrs
            .iter()
            .map(ToString::to_string)
            .collect();
        let listener = |mark, name, port, pool, certificate, after| Listener {
            mark,
            name,
            balancer: balancer.to_owned(),
            port,
            pool,
            certificate,
            idle_timeout_millis: millis(&instance.load_balancer.idle_timeout),
            allowed_cidrs: allowed_cidrs.clone(),
            after,
        };
        let mut after = vec![json!({ "$made": "monitor" })];
        if certificate.is_none() {
            let http = listener(
                self.mark("http"),
                self.name("http"),
                80,
                Some(pool.clone()),
                None,
                after,
            );
            self.graph.add("http", http);
            return;
        }
        let redirecting = listener(
            self.mark("redirecting"),
            self.name("http"),
            80,
            None,
            None,
            Vec::new(),
        );
        let redirecting = self.graph.add("redirecting", redirecting);
        let redirect = Redirect {
            mark: self.mark("redirect"),
            name: self.name("redirect"),
            balancer: balancer.to_owned(),
            listener: Some(redirecting),
            prefix: format!("https://{}", instance.hostname),
        };
        self.graph.add("redirect", redirect);
        after.push(json!({ "$made": "redirect" }));
        let https = listener(
            self.mark("https"),
            self.name("https"),
            443,
            Some(pool.clone()),
            certificate,
            after,
        );
        self.graph.add("https", https);
    }

    /// What the balancer presents. The file is the instance's own and not the certificate's: Octavia reads the files of all
    /// listeners at every change of the balancer, so the old one must stay until the new one is in use, even where the
    /// certificate that it was made of was replaced before.
    fn presented(&mut self, id: &Id) -> Ref<Stored> {
        let record = self.site.around.get(id);
        let certificate = match record.map(|record| &record.thing) {
            Some(Thing::Certificate(it)) => Some(it),
            _ => None,
        };
        let issued = certificate
            .and_then(|it| it.issued.clone())
            .unwrap_or_default();
        let bundle = record.and_then(|record| record.outputs.secret_id.clone());
        let which = (
            id.to_string(),
            certificate.map(|it| it.generation),
            &issued.certificate_pem,
            &issued.chain_pem,
        );
        self.secret(
            &format!("{PKCS12}-{}", generation(&which)),
            Content::Pkcs12 {
                bundle: bundle.unwrap_or_default(),
                certificate_pem: issued.certificate_pem,
                chain_pem: issued.chain_pem,
            },
        )
    }

    /// DNS records for those host names that lie in the environment's zone.
    pub(super) fn names(&mut self, instance: &Instance, shared: &Shared) {
        let Some(zone) = shared.environment.dns.zone.clone() else {
            return;
        };
        let address = shared.outputs.public_address.clone().unwrap_or_default();
        for hostname in std::iter::once(&instance.hostname).chain(&instance.additional_hostnames) {
            let name = format!("{}.", hostname.trim_end_matches('.'));
            if name != zone && !name.ends_with(&format!(".{zone}")) {
                continue;
            }
            let step = format!("dns-{}", name.trim_end_matches('.'));
            let recordset = Recordset {
                mark: self.mark(&step),
                zone: zone.clone(),
                name,
                address: address.clone(),
            };
            self.graph.add(step, recordset);
        }
    }
}

/// "60s", "2m": as the schema has checked it. A minute where it cannot be read.
fn millis(text: &str) -> u64 {
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let number: u64 = digits.parse().unwrap_or(60);
    match &text[digits.len()..] {
        "ms" => number,
        "m" => number * 60_000,
        "h" => number * 3_600_000,
        _ => number * 1_000,
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn timeouts_are_read() {
        assert_eq!(
            ["60s", "2m", "1h", "500ms"].map(super::millis),
            [60_000, 120_000, 3_600_000, 500]
        );
    }
}
