//! A certificate for host names. Its private key is a secret and is not here.

use super::Name;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Certificate {
    pub environment: Name,
    pub name: Name,
    /// The first is the common name.
    pub hostnames: Vec<String>,
    pub key_type: KeyType,
    pub renew_before_days: u32,
    pub source: Source,
    pub revoke_on_destroy: bool,
    /// Grows with every renewal or replacement of the key: part of the names of the stored secrets.
    #[serde(default)]
    pub generation: u32,
    /// The issued certificate and chain, once there are any; public.
    #[serde(default)]
    pub issued: Option<Issued>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Issued {
    pub certificate_pem: String,
    pub chain_pem: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum KeyType {
    #[serde(rename = "ecdsa-p256")]
    EcdsaP256,
    #[serde(rename = "ecdsa-p384")]
    EcdsaP384,
    #[serde(rename = "rsa-2048")]
    Rsa2048,
    #[serde(rename = "rsa-4096")]
    Rsa4096,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    Acme(Acme),
    /// The key is the secret `imported.private_key_pem`.
    Imported(Imported),
    SelfSigned(SelfSigned),
    Managed(Managed),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Acme {
    pub directory_url: String,
    pub email: String,
    pub challenge: Challenge,
    #[serde(default)]
    pub eab: Option<Eab>,
    #[serde(default)]
    pub profile: Option<String>,
    #[serde(default)]
    pub preferred_chain: Option<String>,
    #[serde(default)]
    pub ca_pem: Option<String>,
    #[serde(default)]
    pub recursive_nameservers: Vec<String>,
}

/// The key is the secret `acme.eab.hmac_key`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Eab {
    pub key_id: String,
    #[serde(default)]
    pub hmac_key_wo_version: Option<i64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Challenge {
    #[serde(rename = "dns-01")]
    Dns01,
    #[serde(rename = "http-01")]
    Http01,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Imported {
    pub certificate_pem: String,
    #[serde(default)]
    pub chain_pem: Option<String>,
    #[serde(default)]
    pub private_key_pem_wo_version: Option<i64>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SelfSigned {
    pub validity_days: u32,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Managed {
    #[serde(default)]
    pub issuer: Option<String>,
}
