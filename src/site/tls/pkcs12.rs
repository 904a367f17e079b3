//! PKCS#12 without a password: the one file that load balancers take a key and its certificates in.
//!
//! Written by hand, since the form is fixed and small: bags in the clear (the secret store encrypts the whole), with the
//! integrity code that readers insist on, made with the empty password (RFC 7292).

use super::leaf::{Leaf, private_key, read, read_chain};
use crate::site::Sealed;
use ring::hmac;
use ring::rand::{SecureRandom, SystemRandom};
use rustls::pki_types::PrivateKeyDer;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

const ROUNDS: u32 = 2048;

/// Packs a key, its certificate and the chain to its issuer. The private key is in it: treat the whole as a secret.
pub fn pkcs12(
    key: &Sealed,
    certificate_pem: &str,
    chain_pem: &str,
) -> Result<Zeroizing<Vec<u8>>, String> {
    let leaf = read(certificate_pem)?;
    let rest = read_chain(chain_pem)?;
    let local_key = attribute_local_key(&Sha256::digest(&leaf.der)[..20]);

    let mut certificates = cert_bag(&leaf.der, Some(&local_key));
    for authority in rest.iter().filter(|authority| authority.der != leaf.der) {
        certificates.extend(cert_bag(&authority.der, None));
    }
    let keys = Zeroizing::new(bag(KEY_BAG, &pkcs8(key, &leaf)?, Some(&local_key)));
    let contents = [data(&sequence(&certificates)), data(&sequence(&keys))].concat();
    let safe = Zeroizing::new(sequence(&contents));

    let mut salt = [0; 20];
    SystemRandom::new()
        .fill(&mut salt)
        .map_err(|_| "the operating system gave no random numbers".to_owned())?;
    let code = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &mac_key(&salt)), &safe);
    let algorithm = sequence(&[oid(SHA256), tlv(0x05, &[])].concat());
    let digest = sequence(&[algorithm, tlv(0x04, code.as_ref())].concat());
    let mac = sequence(
        &[
            digest,
            tlv(0x04, &salt),
            tlv(0x02, &ROUNDS.to_be_bytes()[2..]),
        ]
        .concat(),
    );
    Ok(Zeroizing::new(sequence(
        &[tlv(0x02, &[3]), data(&safe), mac].concat(),
    )))
}

// object identifiers, without tag and length
const DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01];
const KEY_BAG: &[u8] = &[
    0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x0c, 0x0a, 0x01, 0x01,
];
const CERT_BAG: &[u8] = &[
    0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x0c, 0x0a, 0x01, 0x03,
];
const X509: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x16, 0x01];
const LOCAL_KEY_ID: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x15];
const SHA256: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01];

fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    let length = content.len();
    if length < 0x80 {
        out.push(length as u8);
    } else {
        let bytes = length.to_be_bytes();
        let used = &bytes[bytes.iter().take_while(|byte| **byte == 0).count()..];
        out.push(0x80 | used.len() as u8);
        out.extend_from_slice(used);
    }
    out.extend_from_slice(content);
    out
}
fn sequence(content: &[u8]) -> Vec<u8> {
    tlv(0x30, content)
}
fn oid(content: &[u8]) -> Vec<u8> {
    tlv(0x06, content)
}
fn data(content: &[u8]) -> Vec<u8> {
    sequence(&[oid(DATA), tlv(0xa0, &tlv(0x04, content))].concat())
}
fn bag(kind: &[u8], value: &[u8], attribute: Option<&[u8]>) -> Vec<u8> {
    let attributes = attribute
        .map(|attribute| tlv(0x31, attribute))
        .unwrap_or_default();
    sequence(&[oid(kind), tlv(0xa0, value), attributes].concat())
}
fn cert_bag(der: &[u8], attribute: Option<&[u8]>) -> Vec<u8> {
    bag(
        CERT_BAG,
        &sequence(&[oid(X509), tlv(0xa0, &tlv(0x04, der))].concat()),
        attribute,
    )
}
/// Ties the key to its certificate for readers that look for it.
fn attribute_local_key(id: &[u8]) -> Vec<u8> {
    sequence(&[oid(LOCAL_KEY_ID), tlv(0x31, &tlv(0x04, id))].concat())
}

/// The key as PKCS#8; the older forms are wrapped, with the algorithm that the certificate names.
fn pkcs8(key: &Sealed, leaf: &Leaf) -> Result<Zeroizing<Vec<u8>>, String> {
    let der = private_key(key)?;
    let inner = match &der {
        PrivateKeyDer::Pkcs8(der) => return Ok(Zeroizing::new(der.secret_pkcs8_der().to_vec())),
        PrivateKeyDer::Pkcs1(der) => der.secret_pkcs1_der(),
        PrivateKeyDer::Sec1(der) => der.secret_sec1_der(),
        _ => return Err("the private key is of an unknown form".to_owned()),
    };
    let algorithm =
        first_element(&leaf.public_key).ok_or("the certificate's public key cannot be read")?;
    Ok(Zeroizing::new(sequence(
        &[&tlv(0x02, &[0])[..], algorithm, &tlv(0x04, inner)].concat(),
    )))
}

/// The first element of a sequence, whole.
fn first_element(sequence: &[u8]) -> Option<&[u8]> {
    let header = |bytes: &[u8]| -> Option<(usize, usize)> {
        let first = *bytes.get(1)?;
        if first < 0x80 {
            return Some((2, usize::from(first)));
        }
        let count = usize::from(first & 0x7f);
        let length = bytes
            .get(2..2 + count)?
            .iter()
            .fold(0, |sum, byte| sum << 8 | usize::from(*byte));
        Some((2 + count, length))
    };
    let inner = sequence.get(header(sequence)?.0..)?;
    let (start, length) = header(inner)?;
    inner.get(..start + length)
}

/// The key of the integrity code: RFC 7292, appendix B, for SHA-256, purpose 3 and the empty password, which is written
/// there as two zero bytes.
fn mac_key(salt: &[u8]) -> [u8; 32] {
    const BLOCK: usize = 64;
    let fill = |from: &[u8]| {
        from.iter()
            .copied()
            .cycle()
            .take(BLOCK)
            .collect::<Vec<u8>>()
    };
    let mut digest = Sha256::digest([vec![3; BLOCK], fill(salt), fill(&[0, 0])].concat());
    for _ in 1..ROUNDS {
        digest = Sha256::digest(digest);
    }
    digest.into()
}
