//! What a certificate says.

use crate::site::{KeyType, Sealed};
use chrono::{DateTime, Utc};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use sha2::{Digest, Sha256};
use x509_parser::prelude::*;

/// One certificate, read.
#[derive(Debug, Clone, PartialEq)]
pub struct Leaf {
    /// DNS names and addresses it is for, in its own order; wildcards as written.
    pub hostnames: Vec<String>,
    pub not_before: DateTime<Utc>,
    pub not_after: DateTime<Utc>,
    pub subject: String,
    pub issuer: String,
    /// Hexadecimal pairs with colons, as browsers show it.
    pub serial: String,
    /// Hexadecimal, lower case, without colons.
    pub fingerprint_sha256: String,
    /// None: a kind of key that we do not make.
    pub key_type: Option<KeyType>,
    pub is_authority: bool,
    pub der: Vec<u8>,
    /// The public key with its algorithm, DER.
    pub(super) public_key: Vec<u8>,
    pub(super) subject_der: Vec<u8>,
    pub(super) issuer_der: Vec<u8>,
}

/// Reads the first certificate of a PEM text.
pub fn read(pem: &str) -> Result<Leaf, String> {
    let mut found = read_chain(pem)?;
    if found.is_empty() {
        return Err("there is no `-----BEGIN CERTIFICATE-----` in it".to_owned());
    }
    Ok(found.swap_remove(0))
}

/// Reads every certificate of a PEM text, in order.
pub fn read_chain(pem: &str) -> Result<Vec<Leaf>, String> {
    CertificateDer::pem_slice_iter(pem.as_bytes())
        .enumerate()
        .map(|(index, der)| {
            let der = der.map_err(|why| format!("certificate {} is not PEM: {why}", index + 1))?;
            Leaf::from_der(&der).map_err(|why| format!("certificate {}: {why}", index + 1))
        })
        .collect()
}

impl Leaf {
    fn from_der(der: &[u8]) -> Result<Self, String> {
        let (rest, parsed) =
            X509Certificate::from_der(der).map_err(|why| format!("not a certificate: {why}"))?;
        if !rest.is_empty() {
            return Err("there is something behind the certificate".to_owned());
        }
        let moment = |time: &ASN1Time| {
            DateTime::from_timestamp(time.timestamp(), 0).ok_or("a date out of range".to_owned())
        };
        Ok(Self {
            hostnames: names_of(&parsed),
            not_before: moment(&parsed.validity().not_before)?,
            not_after: moment(&parsed.validity().not_after)?,
            subject: parsed.subject().to_string(),
            issuer: parsed.issuer().to_string(),
            serial: parsed.raw_serial_as_string(),
            fingerprint_sha256: hex(&Sha256::digest(der)),
            key_type: key_type_of(parsed.public_key()),
            is_authority: parsed.is_ca(),
            der: der.to_vec(),
            public_key: parsed.public_key().raw.to_vec(),
            subject_der: parsed.subject().as_raw().to_vec(),
            issuer_der: parsed.issuer().as_raw().to_vec(),
        })
    }

    /// Whether browsers accept it for this host name. A wildcard stands for exactly one label.
    pub fn covers(&self, hostname: &str) -> bool {
        let wanted = hostname.trim_end_matches('.').to_ascii_lowercase();
        self.hostnames.iter().any(|name| {
            let name = name.to_ascii_lowercase();
            match name.strip_prefix("*.") {
                Some(parent) => wanted
                    .split_once('.')
                    .is_some_and(|(label, rest)| !label.is_empty() && rest == parent),
                None => name == wanted,
            }
        })
    }

    /// Whether a private key belongs to it. An error: the key cannot be read.
    pub fn matches(&self, key: &Sealed) -> Result<bool, String> {
        let der = private_key(key)?;
        let signer = rustls::crypto::ring::sign::any_supported_type(&der)
            .map_err(|_| UNREADABLE.to_owned())?;
        let public = signer.public_key().ok_or_else(|| UNREADABLE.to_owned())?;
        Ok(public.as_ref() == self.public_key)
    }

    /// Whether it was issued by the holder of another certificate, by their names.
    pub fn issued_by(&self, other: &Self) -> bool {
        self.issuer_der == other.subject_der
    }
}

const UNREADABLE: &str =
    "the private key is not an RSA, ECDSA P-256/P-384 or Ed25519 key that can be read";

/// Reads a private key as users have them: PKCS#8, SEC1 or PKCS#1, not encrypted.
pub(super) fn private_key(key: &Sealed) -> Result<PrivateKeyDer<'static>, String> {
    if key.expose().contains("ENCRYPTED") {
        return Err("the private key is protected by a passphrase; give it without one".to_owned());
    }
    PrivateKeyDer::from_pem_slice(key.expose().as_bytes())
        .map_err(|_| "the private key is not PEM".to_owned())
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn names_of(certificate: &X509Certificate<'_>) -> Vec<String> {
    let Ok(Some(alternative)) = certificate.subject_alternative_name() else {
        return Vec::new();
    };
    let text = |name: &GeneralName<'_>| match name {
        GeneralName::DNSName(dns) => Some((*dns).to_owned()),
        GeneralName::IPAddress(bytes) => match bytes.len() {
            4 => <[u8; 4]>::try_from(*bytes)
                .ok()
                .map(|four| std::net::Ipv4Addr::from(four).to_string()),
            16 => <[u8; 16]>::try_from(*bytes)
                .ok()
                .map(|sixteen| std::net::Ipv6Addr::from(sixteen).to_string()),
            _ => None,
        },
        _ => None,
    };
    alternative
        .value
        .general_names
        .iter()
        .filter_map(text)
        .collect()
}

fn key_type_of(public: &SubjectPublicKeyInfo<'_>) -> Option<KeyType> {
    use x509_parser::public_key::PublicKey;
    match public.parsed().ok()? {
        PublicKey::RSA(rsa) => match rsa.key_size() {
            2048 => Some(KeyType::Rsa2048),
            4096 => Some(KeyType::Rsa4096),
            _ => None,
        },
        PublicKey::EC(point) => match point.key_size() {
            256 => Some(KeyType::EcdsaP256),
            384 => Some(KeyType::EcdsaP384),
            _ => None,
        },
        _ => None,
    }
}
