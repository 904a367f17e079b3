//! That boot files are what cloud-init and Nova take.

use super::*;
use crate::site::{Id, Role, Sealed, Service, ServiceKind, Sort, secrets};
use std::{collections::BTreeMap, io::Read};

fn guest(role: Role) -> Guest {
    let environment: crate::site::Name = "library".parse().unwrap();
    let thing = Id::within(
        Sort::Service,
        environment.clone(),
        "database".parse().unwrap(),
    );
    Guest {
        environment,
        thing,
        role,
        index: 0,
        source: DocumentSource::Metadata,
    }
}

fn opened(data: &UserData) -> String {
    let mut text = String::new();
    flate2::read::GzDecoder::new(data.bytes())
        .read_to_string(&mut text)
        .unwrap();
    text
}

/// The secrets of a site's application: its own, and those of each service that it uses.
fn bundles() -> BTreeMap<String, Sealed> {
    let service = |kind: ServiceKind| -> Service {
        let value = serde_json::json!({
            "environment": "library", "kind": kind, "name": kind.as_str(), "nodes": 3, "disk_gib": 10,
            "machine": { "size": "small" }, "settings": {}, "deletion_protection": true
        });
        serde_json::from_value(value).unwrap()
    };
    let mut bundles = BTreeMap::new();
    for kind in [
        ServiceKind::Database,
        ServiceKind::Search,
        ServiceKind::Cache,
        ServiceKind::Queue,
    ] {
        let server = secrets::server_bundle(&service(kind), None, chrono::Utc::now()).unwrap();
        bundles.insert(
            kind.as_str().to_owned(),
            secrets::client_bundle(&server).to_json(),
        );
    }
    let key = secrets::password().unwrap();
    let files = secrets::object_store_bundle(&key, &key);
    bundles.insert("storage".to_owned(), files.to_json());
    let mut own = secrets::Bundle::default();
    for name in ["admin_password", "mail_password", "secret_key"]
        .into_iter()
        .chain([
            "csrf", "login", "password", "confirm", "reset", "change", "remember",
        ])
    {
        own.put(name, secrets::password().unwrap());
    }
    bundles.insert(secrets::INSTANCE.to_owned(), own.to_json());
    bundles
}

#[test]
fn boot_files_fit_into_what_nova_takes_and_are_the_same_each_time() {
    for role in Role::ALL {
        // as where a cloud keeps no secrets for us
        let access = Access::Inline(bundles());
        let data = user_data(&guest(role), &access);
        let size = data.base64().len();
        eprintln!("{}: {size}", role.as_str());
        assert!(size < 63 * 1024, "{}: {size}", role.as_str());
        assert!(data.bytes() == user_data(&guest(role), &access).bytes());
        let text = opened(&data);
        let json: serde_json::Value =
            serde_json::from_str(text.strip_prefix("#cloud-config\n").unwrap()).unwrap();
        assert!(json["write_files"].as_array().unwrap().len() > 2);
    }
}

#[test]
fn a_packed_document_fits_into_metadata_and_comes_back() {
    let long = (0..400).map(|n| format!("{n:x}")).collect::<Vec<_>>();
    let pieces = pack("main", &long);
    assert!(pieces.len() > 1 && pieces.values().all(|value| value.len() <= 255));
    let (count, first) = pieces["main.0"].split_once(':').unwrap();
    assert_eq!(count.parse::<usize>().unwrap(), pieces.len());
    let rest = (1..pieces.len()).map(|n| pieces[&format!("main.{n}")].as_str());
    let text: String = std::iter::once(first).chain(rest).collect();
    use base64::Engine;
    let bytes = base64::engine::general_purpose::STANDARD
        .decode(text)
        .unwrap();
    let back: Vec<String> =
        serde_json::from_reader(flate2::read::GzDecoder::new(&bytes[..])).unwrap();
    assert_eq!(back, long);
}
