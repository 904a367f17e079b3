//! Making keys, certificates and signing requests.

use super::leaf::private_key;
use crate::site::{KeyType, Sealed};
use chrono::{DateTime, TimeDelta, Utc};
use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, date_time_ymd,
};
use ring::rand::{SecureRandom, SystemRandom};
use rsa::pkcs8::{EncodePrivateKey, LineEnding};
use rsa::rand_core::{TryCryptoRng, TryRng};
use std::time::Duration;

/// A new private key, PKCS#8 in PEM.
pub fn make_key(key_type: KeyType) -> Result<Sealed, String> {
    let ecdsa = |algorithm| {
        KeyPair::generate_for(algorithm)
            .map(|pair| Sealed::new(pair.serialize_pem()))
            .map_err(|why| why.to_string())
    };
    match key_type {
        KeyType::EcdsaP256 => ecdsa(&PKCS_ECDSA_P256_SHA256),
        KeyType::EcdsaP384 => ecdsa(&PKCS_ECDSA_P384_SHA384),
        KeyType::Rsa2048 => make_rsa(2048),
        KeyType::Rsa4096 => make_rsa(4096),
    }
}

/// A certificate for these names, signed with its own key; the first name is the common name. It is valid from an hour
/// before `now`, since machines' clocks differ.
pub fn self_signed(
    hostnames: &[String],
    validity_days: u32,
    key: &Sealed,
    now: DateTime<Utc>,
) -> Result<String, String> {
    let mut params = params(hostnames)?;
    let epoch = date_time_ymd(1970, 1, 1);
    params.not_before = epoch + since_epoch(now - TimeDelta::hours(1))?;
    params.not_after = epoch + since_epoch(now + TimeDelta::days(i64::from(validity_days)))?;
    params
        .self_signed(&pair(key)?)
        .map(|made| made.pem())
        .map_err(|why| why.to_string())
}

/// A signing request for these names, DER, as ACME takes it.
pub fn request(hostnames: &[String], key: &Sealed) -> Result<Vec<u8>, String> {
    let mut params = params(hostnames)?;
    params.key_usages.clear();
    params.extended_key_usages.clear();
    let request = params
        .serialize_request(&pair(key)?)
        .map_err(|why| why.to_string())?;
    Ok(request.der().to_vec())
}

fn params(hostnames: &[String]) -> Result<CertificateParams, String> {
    let mut params = CertificateParams::new(hostnames.to_vec())
        .map_err(|why| format!("the host names cannot be written into a certificate: {why}"))?;
    params.distinguished_name = DistinguishedName::new();
    // a common name has room for 64 letters; browsers read the alternative names only
    if let Some(common) = hostnames.first().filter(|name| name.len() <= 64) {
        params
            .distinguished_name
            .push(DnType::CommonName, common.as_str());
    }
    params.key_usages = vec![
        KeyUsagePurpose::DigitalSignature,
        KeyUsagePurpose::KeyEncipherment,
    ];
    // nodes of one service show it to each other from both ends
    params.extended_key_usages = vec![
        ExtendedKeyUsagePurpose::ServerAuth,
        ExtendedKeyUsagePurpose::ClientAuth,
    ];
    Ok(params)
}

fn pair(key: &Sealed) -> Result<KeyPair, String> {
    let der = private_key(key)?;
    KeyPair::try_from(&der).map_err(|_| {
        "the private key cannot sign: write it as PKCS#8 (`-----BEGIN PRIVATE KEY-----`)".to_owned()
    })
}

fn since_epoch(at: DateTime<Utc>) -> Result<Duration, String> {
    u64::try_from(at.timestamp())
        .map(Duration::from_secs)
        .map_err(|_| "a date before 1970".to_owned())
}

fn make_rsa(bits: usize) -> Result<Sealed, String> {
    let key = rsa::PrivateKey::new(&mut Entropy(SystemRandom::new()), bits)
        .map_err(|why| why.to_string())?;
    let pem = key
        .to_pkcs8_pem(LineEnding::LF)
        .map_err(|why| why.to_string())?;
    Ok(Sealed::new(pem.as_str()))
}

/// The operating system's random numbers, in the shape that the RSA library takes.
struct Entropy(SystemRandom);

#[derive(Debug)]
struct NoEntropy;
impl std::fmt::Display for NoEntropy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the operating system gave no random numbers")
    }
}
impl std::error::Error for NoEntropy {}

impl TryRng for Entropy {
    type Error = NoEntropy;
    fn try_next_u32(&mut self) -> Result<u32, NoEntropy> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }
    fn try_next_u64(&mut self) -> Result<u64, NoEntropy> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }
    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), NoEntropy> {
        self.0.fill(bytes).map_err(|_| NoEntropy)
    }
}
impl TryCryptoRng for Entropy {}
