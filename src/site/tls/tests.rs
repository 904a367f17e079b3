//! Certificates that we make are read back, by ourselves and by OpenSSL.

use super::*;
use crate::site::{KeyType, Sealed};
use chrono::{DateTime, TimeDelta, Utc};
use std::{io::Write, process::Command};

fn now() -> DateTime<Utc> {
    "2026-03-01T12:00:00Z".parse().unwrap()
}
fn names() -> Vec<String> {
    vec![
        "library.example.org".to_owned(),
        "*.library.example.org".to_owned(),
    ]
}

#[test]
fn every_kind_of_key_makes_a_certificate_that_it_matches() {
    for key_type in [KeyType::EcdsaP256, KeyType::EcdsaP384, KeyType::Rsa2048] {
        let key = make_key(key_type).unwrap();
        let pem = self_signed(&names(), 90, &key, now()).unwrap();
        let leaf = read(&pem).unwrap();
        assert_eq!(leaf.key_type, Some(key_type));
        assert_eq!(leaf.hostnames, names());
        assert_eq!(leaf.not_after, now() + TimeDelta::days(90));
        assert!(leaf.matches(&key).unwrap() && leaf.issued_by(&leaf));
        assert!(
            !leaf
                .matches(&make_key(KeyType::EcdsaP256).unwrap())
                .unwrap()
        );
        assert!(check_material(&pem, "", Some(&key), &names()[..1], now()).is_empty());
        assert!(!request(&names(), &key).unwrap().is_empty());
    }
}

#[test]
fn a_wildcard_stands_for_one_label() {
    let key = make_key(KeyType::EcdsaP256).unwrap();
    let leaf = read(&self_signed(&names(), 9, &key, now()).unwrap()).unwrap();
    for good in [
        "library.example.org",
        "LIBRARY.example.org.",
        "a.library.example.org",
    ] {
        assert!(leaf.covers(good), "{good}");
    }
    for bad in [
        "example.org",
        "a.b.library.example.org",
        ".library.example.org",
        "xlibrary.example.org",
    ] {
        assert!(!leaf.covers(bad), "{bad}");
    }
}

#[test]
fn what_does_not_fit_is_found() {
    let key = make_key(KeyType::EcdsaP256).unwrap();
    let other = make_key(KeyType::EcdsaP256).unwrap();
    let pem = self_signed(&names(), 10, &key, now()).unwrap();
    let at = |findings: Vec<crate::site::Finding>| {
        findings
            .into_iter()
            .filter(|it| it.refuses)
            .map(|it| it.summary)
            .collect::<Vec<_>>()
    };
    let late = now() + TimeDelta::days(11);
    assert_eq!(
        at(check_material(&pem, "", Some(&key), &names()[..1], late)),
        ["Expired certificate"]
    );
    let early = now() - TimeDelta::days(1);
    assert_eq!(
        at(check_material(&pem, "", Some(&key), &names()[..1], early)),
        ["Certificate not valid yet"]
    );
    let elsewhere = ["example.com".to_owned()];
    assert_eq!(
        at(check_material(&pem, "", Some(&key), &elsewhere, now())),
        ["Certificate for other host names"]
    );
    assert_eq!(
        at(check_material(&pem, "", Some(&other), &names()[..1], now())),
        ["Key of another certificate"]
    );
    assert_eq!(
        at(check_material(
            &pem,
            "nonsense",
            Some(&key),
            &names()[..1],
            now()
        )),
        ["Unreadable chain"]
    );
    let stranger = self_signed(&["other".to_owned()], 10, &other, now()).unwrap();
    assert_eq!(
        at(check_material(
            &pem,
            &stranger,
            Some(&key),
            &names()[..1],
            now()
        )),
        ["Chain out of order"]
    );
    let sealed = Sealed::new("-----BEGIN ENCRYPTED PRIVATE KEY-----");
    assert_eq!(
        at(check_material(
            &pem,
            "",
            Some(&sealed),
            &names()[..1],
            now()
        )),
        ["Unreadable private key"]
    );
    assert_eq!(
        at(check_material("no", "", None, &[], now())),
        ["Unreadable certificate"]
    );
}

/// OpenSSL is what load balancers read these files with.
#[test]
fn openssl_reads_our_pkcs12() {
    if Command::new("openssl").arg("version").output().is_err() {
        eprintln!("SKIPPED openssl_reads_our_pkcs12: there is no openssl on this machine");
        return;
    }
    for key_type in [KeyType::EcdsaP256, KeyType::Rsa2048] {
        let key = make_key(key_type).unwrap();
        let pem = self_signed(&names(), 10, &key, now()).unwrap();
        let chain = self_signed(
            &["issuer".to_owned()],
            10,
            &make_key(KeyType::EcdsaP384).unwrap(),
            now(),
        )
        .unwrap();
        for form in ["pkcs8", "traditional"] {
            let text = if form == "pkcs8" {
                key.clone()
            } else {
                traditional(&key)
            };
            let packed = pkcs12(&text, &pem, &chain).unwrap();
            let mut file = tempfile::NamedTempFile::new().unwrap();
            file.write_all(&packed).unwrap();
            let path = file.path().to_str().unwrap().to_owned();
            let out = Command::new("openssl")
                .args(["pkcs12", "-in", &path, "-passin", "pass:", "-nodes"])
                .output()
                .unwrap();
            let shown = String::from_utf8_lossy(&out.stdout);
            assert!(
                out.status.success(),
                "{}",
                String::from_utf8_lossy(&out.stderr)
            );
            assert_eq!(shown.matches("BEGIN CERTIFICATE").count(), 2);
            let opened = Sealed::new(&shown[shown.find("-----BEGIN PRIVATE KEY").unwrap()..]);
            assert!(read(&pem).unwrap().matches(&opened).unwrap());
        }
    }
}

/// The older form of the same key: SEC1 or PKCS#1.
fn traditional(key: &Sealed) -> Sealed {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(key.expose().as_bytes()).unwrap();
    let out = Command::new("openssl")
        .args(["pkey", "-traditional", "-in", file.path().to_str().unwrap()])
        .output()
        .unwrap();
    assert!(out.status.success());
    Sealed::new(String::from_utf8(out.stdout).unwrap())
}
