//! Mutual TLS in which each side knows the other's one certificate. No authority, no names, nobody else.
//!
//! Terraform shows a self-signed certificate with a P-521 key that is marked as an authority, which the usual verifiers turn
//! away, and whose curve the cryptography in use here does not know. So the certificate is compared byte by byte, and its
//! signature is checked with the curve's own crate.

use std::io;
use std::sync::Arc;

use base64::Engine;
use p521::ecdsa::signature::Verifier;
use p521::ecdsa::{DerSignature, Signature, VerifyingKey};
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{WebPkiSupportedAlgorithms, ring, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer, UnixTime};
use rustls::server::NoServerSessionStorage;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, ServerConfig,
    SignatureScheme,
};
use tokio_rustls::TlsAcceptor;
use x509_parser::oid_registry::OID_NIST_EC_P521;
use x509_parser::prelude::{FromDer, Validity, X509Certificate};

/// Our end of the connection.
pub struct Identity {
    pub acceptor: TlsAcceptor,
    /// Our certificate for the handshake line: DER in base64 without padding.
    pub certificate: String,
}

impl Identity {
    /// A fresh key and certificate that speak to the holder of one certificate alone.
    ///
    /// # Errors
    /// When the text holds no certificate, or one that cannot be read.
    pub fn for_client(pem: &str) -> io::Result<Self> {
        let client = CertificateDer::from_pem_slice(pem.as_bytes())
            .map_err(|why| invalid("reading PLUGIN_CLIENT_CERT", &why))?;
        let provider = Arc::new(ring::default_provider());
        let verifier = Pinned::new(client, provider.signature_verification_algorithms)?;

        let (key, certificate) =
            self_signed().map_err(|why| invalid("making a certificate", &why))?;
        let encoded = base64::engine::general_purpose::STANDARD_NO_PAD.encode(&certificate);
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])
            .map_err(|why| invalid("setting up TLS", &why))?
            .with_client_cert_verifier(Arc::new(verifier))
            .with_single_cert(vec![certificate], key.into())
            .map_err(|why| invalid("setting up TLS", &why))?;
        config.alpn_protocols = vec![b"h2".to_vec()];
        // A resumed session would not show its certificate again.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        Ok(Self {
            acceptor: TlsAcceptor::from(Arc::new(config)),
            certificate: encoded,
        })
    }
}

fn self_signed() -> Result<(PrivatePkcs8KeyDer<'static>, CertificateDer<'static>), rcgen::Error> {
    let key = rcgen::KeyPair::generate()?;
    let mut parameters = rcgen::CertificateParams::new(["localhost".to_owned()])?;
    parameters
        .distinguished_name
        .push(rcgen::DnType::CommonName, "localhost");
    // The host puts it among its authorities and then verifies it against them.
    parameters.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let certificate = parameters.self_signed(&key)?;
    Ok((
        PrivatePkcs8KeyDer::from(key.serialize_der()),
        certificate.der().clone(),
    ))
}

/// Lets in the holder of one certificate, as long as it is valid.
#[derive(Debug)]
struct Pinned {
    certificate: CertificateDer<'static>,
    validity: Validity,
    key: Key,
}

enum Key {
    P521(VerifyingKey),
    Other(WebPkiSupportedAlgorithms),
}

impl std::fmt::Debug for Key {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(match self {
            Self::P521(_) => "P-521",
            Self::Other(_) => "other",
        })
    }
}

impl Pinned {
    fn new(
        certificate: CertificateDer<'static>,
        algorithms: WebPkiSupportedAlgorithms,
    ) -> io::Result<Self> {
        const DOING: &str = "reading the host's certificate";
        let (_, parsed) =
            X509Certificate::from_der(&certificate).map_err(|why| invalid(DOING, &why))?;
        let public_key = parsed.public_key();
        let curve = public_key.algorithm.parameters.as_ref();
        let is_p521 = curve.is_some_and(|curve| curve.as_oid() == Ok(OID_NIST_EC_P521));
        let key = if is_p521 {
            let point = &public_key.subject_public_key.data;
            Key::P521(VerifyingKey::from_sec1_bytes(point).map_err(|why| invalid(DOING, &why))?)
        } else {
            Key::Other(algorithms)
        };
        let validity = parsed.validity().clone();
        Ok(Self {
            validity,
            key,
            certificate,
        })
    }
}

impl ClientCertVerifier for Pinned {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        shown: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        if *shown != self.certificate {
            return Err(CertificateError::UnknownIssuer.into());
        }
        let now = now.as_secs() as i64;
        if now < self.validity.not_before.timestamp() {
            return Err(CertificateError::NotValidYet.into());
        }
        if now > self.validity.not_after.timestamp() {
            return Err(CertificateError::Expired.into());
        }
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Error::General("only TLS 1.3 is spoken here".to_owned()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let key = match &self.key {
            Key::P521(key) => key,
            Key::Other(algorithms) => {
                return verify_tls13_signature(message, certificate, signed, algorithms);
            }
        };
        let bad = |_| Error::from(CertificateError::BadSignature);
        if signed.scheme != SignatureScheme::ECDSA_NISTP521_SHA512 {
            return Err(CertificateError::BadSignature.into());
        }
        let signature = DerSignature::try_from(signed.signature()).map_err(bad)?;
        let signature = Signature::try_from(signature).map_err(bad)?;
        key.verify(message, &signature).map_err(bad)?;
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        match &self.key {
            Key::P521(_) => vec![SignatureScheme::ECDSA_NISTP521_SHA512],
            Key::Other(algorithms) => algorithms.supported_schemes(),
        }
    }
}

fn invalid(doing: &str, why: &dyn std::fmt::Display) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("{doing}: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_certificate_is_an_error_and_not_an_open_door() {
        assert!(Identity::for_client("").is_err());
        assert!(
            Identity::for_client("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
                .is_err()
        );
    }

    #[test]
    fn every_start_has_a_key_of_its_own() {
        let (_, client) = self_signed().unwrap();
        let encoded = base64::engine::general_purpose::STANDARD.encode(client);
        let pem = format!("-----BEGIN CERTIFICATE-----\n{encoded}\n-----END CERTIFICATE-----\n");
        let (one, two) = (
            Identity::for_client(&pem).unwrap(),
            Identity::for_client(&pem).unwrap(),
        );
        assert_ne!(one.certificate, two.certificate);
    }
}
