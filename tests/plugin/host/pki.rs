//! Certificates as Terraform makes them: self-signed, a P-521 key, marked as an authority. Written out by hand, because no
//! library in use here makes them.

use std::sync::Arc;

use base64::Engine;
use chrono::{DateTime, Duration, Utc};
use p521::ecdsa::signature::Signer as _;
use p521::ecdsa::{Signature, SigningKey};
use ring::rand::{SecureRandom, SystemRandom};
use rustls::client::ResolvesClientCert;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{WebPkiSupportedAlgorithms, ring as provider, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::sign::{CertifiedKey, Signer};
use rustls::{ClientConfig, DigitallySignedStruct, Error, SignatureAlgorithm, SignatureScheme};

/// A key and its certificate.
#[derive(Clone)]
pub struct Identity {
    key: SigningKey,
    certificate: CertificateDer<'static>,
}

impl Identity {
    /// Valid for an hour around now.
    pub fn fresh() -> Self {
        Self::valid_until(Utc::now() + Duration::hours(1))
    }

    pub fn valid_until(end: DateTime<Utc>) -> Self {
        let key = random_key();
        let certificate = certificate(&key, end - Duration::hours(2), end);
        Self { key, certificate }
    }

    pub fn pem(&self) -> String {
        let encoded = base64::engine::general_purpose::STANDARD.encode(&self.certificate);
        let lines: Vec<&str> = encoded
            .as_bytes()
            .chunks(64)
            .map(|line| std::str::from_utf8(line).unwrap())
            .collect();
        format!(
            "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
            lines.join("\n")
        )
    }

    /// The same certificate over another's key: what a thief of the certificate alone could show.
    pub fn with_the_key_of(&self, other: &Self) -> Self {
        Self {
            key: other.key.clone(),
            certificate: self.certificate.clone(),
        }
    }
}

/// TLS that trusts one server certificate and shows `identity`, if any.
pub fn client_config(server: CertificateDer<'static>, identity: Option<Identity>) -> ClientConfig {
    let algorithms = provider::default_provider().signature_verification_algorithms;
    let mut config = ClientConfig::builder_with_provider(Arc::new(provider::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(OneServer { server, algorithms }))
        .with_client_cert_resolver(Arc::new(Shown(identity)));
    config.alpn_protocols = vec![b"h2".to_vec()];
    config
}

fn random_key() -> SigningKey {
    loop {
        let mut scalar = [0; 66];
        SystemRandom::new().fill(&mut scalar).unwrap();
        scalar[0] &= 1;
        // A few values in 2^521 are no keys.
        if let Ok(key) = SigningKey::from_slice(&scalar) {
            return key;
        }
    }
}

fn certificate(
    key: &SigningKey,
    start: DateTime<Utc>,
    end: DateTime<Utc>,
) -> CertificateDer<'static> {
    let ecdsa_with_sha512 = der(
        0x30,
        &der(0x06, &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x04]),
    );
    let common_name = [der(0x06, &[0x55, 0x04, 0x03]), der(0x0c, b"localhost")].concat();
    let name = der(0x30, &der(0x31, &der(0x30, &common_name)));
    let time = |time: DateTime<Utc>| der(0x17, time.format("%y%m%d%H%M%SZ").to_string().as_bytes());
    let curve = [
        der(0x06, &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01]),
        der(0x06, &[0x2b, 0x81, 0x04, 0x00, 0x23]),
    ]
    .concat();
    let verifying = p521::ecdsa::VerifyingKey::from(key);
    let point = verifying.to_encoded_point(false);
    let public_key = [
        der(0x30, &curve),
        der(0x03, &[&[0], point.as_bytes()].concat()),
    ]
    .concat();
    let extension = |oid: u8, value: &[u8]| {
        let parts = [
            der(0x06, &[0x55, 0x1d, oid]),
            der(0x01, &[0xff]),
            der(0x04, value),
        ];
        der(0x30, &parts.concat())
    };
    let extensions = [
        extension(19, &der(0x30, &der(0x01, &[0xff]))),
        extension(15, &der(0x03, &[2, 0xac])),
        extension(17, &der(0x30, &der(0x82, b"localhost"))),
    ]
    .concat();
    let body = [
        der(0xa0, &der(0x02, &[2])),
        der(0x02, &[1]),
        ecdsa_with_sha512.clone(),
        name.clone(),
        der(0x30, &[time(start), time(end)].concat()),
        name,
        der(0x30, &public_key),
        der(0xa3, &der(0x30, &extensions)),
    ]
    .concat();
    let body = der(0x30, &body);
    let signature: Signature = key.sign(&body);
    let signature = der(0x03, &[&[0], signature.to_der().as_bytes()].concat());
    der(0x30, &[body, ecdsa_with_sha512, signature].concat()).into()
}

fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let mut encoded = vec![tag];
    if length < 128 {
        encoded.push(length as u8);
    } else if length < 256 {
        encoded.extend([0x81, length as u8]);
    } else {
        encoded.extend([0x82, (length >> 8) as u8, length as u8]);
    }
    encoded.extend(content);
    encoded
}

/// Trusts one certificate.
#[derive(Debug)]
struct OneServer {
    server: CertificateDer<'static>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl ServerCertVerifier for OneServer {
    fn verify_server_cert(
        &self,
        shown: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if *shown == self.server {
            Ok(ServerCertVerified::assertion())
        } else {
            Err(Error::General(
                "not the certificate of the handshake".into(),
            ))
        }
    }
    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Error::General("TLS 1.2 was not expected".into()))
    }
    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.algorithms)
    }
    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// Shows one certificate, or none, whatever the server asks for.
#[derive(Debug)]
struct Shown(Option<Identity>);

impl ResolvesClientCert for Shown {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        let identity = self.0.as_ref()?;
        let key = Arc::new(P521(identity.key.clone()));
        Some(Arc::new(CertifiedKey::new(
            vec![identity.certificate.clone()],
            key,
        )))
    }
    fn has_certs(&self) -> bool {
        self.0.is_some()
    }
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Identity")
    }
}

struct P521(SigningKey);

impl std::fmt::Debug for P521 {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("P521")
    }
}

impl rustls::sign::SigningKey for P521 {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        offered
            .contains(&SignatureScheme::ECDSA_NISTP521_SHA512)
            .then(|| Box::new(P521(self.0.clone())) as _)
    }
    fn algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::ECDSA
    }
}

impl Signer for P521 {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        let signature: Signature = self.0.sign(message);
        Ok(signature.to_der().as_bytes().to_vec())
    }
    fn scheme(&self) -> SignatureScheme {
        SignatureScheme::ECDSA_NISTP521_SHA512
    }
}
