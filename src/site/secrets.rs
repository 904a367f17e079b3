//! The secrets of a site: which there are, and how they are made. They are kept in bundles, so that a machine has one to
//! fetch for each thing it uses: the server's own, and the one that its users are given.
//!
//! A bundle is a JSON object of texts. It is made once, written to the secret store and forgotten.

use super::{Certificate, Instance, KeyType, Sealed, Service, tls};
use chrono::{DateTime, Utc};
use ring::rand::{SecureRandom, SystemRandom};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// Names of bundles as guests ask for them. `SERVER` is a service machine's own; of the services that an application
/// uses, the name is the kind.
pub const SERVER: &str = "server";
pub const INSTANCE: &str = "instance";

/// The user that the application signs in to every service with.
pub const USER: &str = "ils";

/// Texts by name, all of them secret.
#[derive(Clone, Default)]
pub struct Bundle(BTreeMap<String, Sealed>);

impl Bundle {
    pub fn put(&mut self, name: impl Into<String>, value: Sealed) {
        self.0.insert(name.into(), value);
    }
    pub fn get(&self, name: &str) -> Option<&Sealed> {
        self.0.get(name)
    }
    /// As the secret store keeps it.
    pub fn to_json(&self) -> Sealed {
        let plain: BTreeMap<&str, &str> = self
            .0
            .iter()
            .map(|(name, value)| (name.as_str(), value.expose()))
            .collect();
        Sealed::new(serde_json::to_string(&plain).unwrap_or_default())
    }
    pub fn from_json(text: &Sealed) -> Result<Self, String> {
        let plain: BTreeMap<String, String> =
            serde_json::from_str(text.expose()).map_err(|_| {
                "a secret in the store is not one of ours: no JSON object of texts".to_owned()
            })?;
        Ok(Self(
            plain
                .into_iter()
                .map(|(name, value)| (name, Sealed::new(value)))
                .collect(),
        ))
    }
    fn keep_or(
        &mut self,
        name: &str,
        make: impl FnOnce() -> Result<Sealed, String>,
    ) -> Result<(), String> {
        if !self.0.contains_key(name) {
            self.put(name, make()?);
        }
        Ok(())
    }
}

/// What a service with machines of its own keeps: `password` of [`USER`], `admin_password`, `peer_password` among its
/// nodes, `tls_key` and `tls_certificate`. `before`: what is there already is kept.
pub fn server_bundle(
    service: &Service,
    before: Option<&Bundle>,
    now: DateTime<Utc>,
) -> Result<Bundle, String> {
    let mut bundle = before.cloned().unwrap_or_default();
    for name in ["password", "admin_password", "peer_password"] {
        bundle.keep_or(name, password)?;
    }
    if bundle.get("tls_key").is_none() || bundle.get("tls_certificate").is_none() {
        let key = tls::make_key(KeyType::EcdsaP256)?;
        let zone = internal_zone(service);
        // its users trust this very certificate and no authority, so it may live as long as the service
        let certificate =
            tls::self_signed(&[zone.clone(), format!("*.{zone}")], 20 * 365, &key, now)?;
        bundle.put("tls_key", key);
        bundle.put("tls_certificate", Sealed::new(certificate));
    }
    Ok(bundle)
}

/// What the application is given of a service: `username`, `password`, `ca_pem`.
pub fn client_bundle(server: &Bundle) -> Bundle {
    let mut bundle = Bundle::default();
    bundle.put("username", Sealed::new(USER));
    for (from, to) in [("password", "password"), ("tls_certificate", "ca_pem")] {
        if let Some(value) = server.get(from) {
            bundle.put(to, value.clone());
        }
    }
    bundle
}

/// The same of a service that exists already. `password` is what the user gave, or else what was kept.
pub fn external_bundle(
    service: &Service,
    password: Option<&Sealed>,
    before: Option<&Bundle>,
) -> Bundle {
    let mut bundle = before.cloned().unwrap_or_default();
    let Some(external) = &service.external else {
        return bundle;
    };
    bundle.put(
        "username",
        Sealed::new(external.username.clone().unwrap_or_else(|| USER.to_owned())),
    );
    if let Some(given) = password {
        bundle.put("password", given.clone());
    }
    if let Some(ca) = &external.ca_pem {
        bundle.put("ca_pem", Sealed::new(ca.clone()));
    }
    bundle
}

/// A backup policy's own half of a key pair, made of a service's: several policies may look after one service, and each
/// of their keys comes and goes alone. The guests make it the same way.
pub fn of_policy(half: &Sealed, policy: &str) -> Sealed {
    let digest = Sha256::digest(format!("{}/{policy}", half.expose()));
    Sealed::new(
        digest[..16]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>(),
    )
}

/// The same of an object store.
pub fn object_store_bundle(access_key: &Sealed, secret_key: &Sealed) -> Bundle {
    let mut bundle = Bundle::default();
    bundle.put("access_key", access_key.clone());
    bundle.put("secret_key", secret_key.clone());
    bundle
}

/// What the application itself keeps. What `given` has (`admin.password`, `mail.password`, `monitoring.sentry_dsn`) wins,
/// what is there already is kept: a new key would make encrypted columns unreadable and sign everybody out.
pub fn instance_bundle(
    _instance: &Instance,
    given: impl Fn(&str) -> Option<Sealed>,
    before: Option<&Bundle>,
) -> Result<Bundle, String> {
    let mut bundle = before.cloned().unwrap_or_default();
    for path in ["admin.password", "mail.password", "monitoring.sentry_dsn"] {
        if let Some(value) = given(path) {
            bundle.put(path.replace('.', "_"), value);
        }
    }
    bundle.keep_or("admin_password", password)?;
    for name in [
        "secret_key",
        "csrf_secret_salt",
        "security_login_salt",
        "security_password_salt",
        "security_confirm_salt",
        "security_reset_salt",
        "security_change_salt",
        "security_remember_salt",
    ] {
        bundle.keep_or(name, password)?;
    }
    Ok(bundle)
}

/// A certificate's private key, certificate and chain, as guests and platforms without an own form take them.
pub fn certificate_bundle(
    _certificate: &Certificate,
    key: &Sealed,
    certificate_pem: &str,
    chain_pem: &str,
) -> Bundle {
    let mut bundle = Bundle::default();
    bundle.put("private_key_pem", key.clone());
    bundle.put("certificate_pem", Sealed::new(certificate_pem));
    bundle.put("chain_pem", Sealed::new(chain_pem));
    bundle
}

/// 40 letters and digits: 238 bits, and nothing that any configuration file would have to quote.
pub fn password() -> Result<Sealed, String> {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let entropy = SystemRandom::new();
    let mut text = zeroize::Zeroizing::new(String::with_capacity(40));
    while text.len() < 40 {
        let mut bytes = zeroize::Zeroizing::new([0_u8; 64]);
        entropy
            .fill(&mut bytes[..])
            .map_err(|_| "the operating system gave no random numbers".to_owned())?;
        // 248 is the largest multiple of 62 that fits: beyond it some letters would be likelier than others
        let usable = bytes
            .iter()
            .filter(|byte| **byte < 248)
            .map(|byte| char::from(LETTERS[usize::from(byte % 62)]));
        let room = 40 - text.len();
        text.extend(usable.take(room));
    }
    Ok(Sealed::new(text.as_str()))
}

/// `database.library.internal`: the names that a service's machines know each other by, and that its certificate is for.
pub fn internal_zone(service: &Service) -> String {
    format!("{}.{}.internal", service.name, service.environment)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_policy_has_keys_of_its_own_that_guests_make_the_same_way() {
        let half = Sealed::new("half");
        // python3 -c 'import hashlib; print(hashlib.sha256(b"half/nightly").hexdigest()[:32])'
        assert_eq!(
            of_policy(&half, "nightly").expose(),
            "0d1c5207632108e8da7eda09e82d4a62"
        );
        assert_ne!(
            of_policy(&half, "nightly").expose(),
            of_policy(&half, "hourly").expose()
        );
    }
}
