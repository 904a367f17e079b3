//! The platform alone, without Terraform, for moments that no kill of Terraform is sure to meet.

use super::{Project, api::password, project::text, shared};
use invenioils::{
    engine::{Journal, Run, Secret, Secrets},
    platform::{Hosted, Platform, openstack},
    site::{KeyType, Site, Thing, tls},
};
use serde_json::{Value, json};
use std::{collections::BTreeMap, time::Duration};
use tokio::runtime::Runtime;

type Cloud = Hosted<openstack::OpenStack>;

/// A process of its own: nothing is known from before.
async fn process(project: &Project) -> Cloud {
    let settings = openstack::Settings {
        auth_url: Some("http://127.0.0.1:5000/v3".into()),
        username: Some(project.name.clone()),
        password: Some(Secret::new(password())),
        project_name: Some(project.name.clone()),
        user_domain_name: Some("Default".into()),
        project_domain_name: Some("Default".into()),
        region: Some("RegionOne".into()),
        ..openstack::Settings::default()
    };
    let cloud = openstack::connect(settings, openstack::Common::default()).await;
    Hosted::new(cloud.unwrap_or_else(|error| panic!("{error}")))
}

/// A certificate that was issued just now: its text, all of it, and its key.
fn issued() -> (String, Site, Secrets) {
    let hostnames = ["library.example.org".to_owned()];
    let key = tls::make_key(KeyType::EcdsaP256).expect("a key");
    let pem = tls::self_signed(&hostnames, 30, &key, chrono::Utc::now()).expect("a certificate");
    let mut secrets = Secrets::default();
    secrets.put("private_key_pem", Secret::new(key.expose()));
    let certificate = json!({
        "environment": "library", "name": "certificate", "hostnames": hostnames, "key_type": "ecdsa-p256", "renew_before_days": 30,
        "source": { "self_signed": { "validity_days": 30 } }, "revoke_on_destroy": false, "generation": 1,
        "issued": { "certificate_pem": pem, "chain_pem": "" },
    });
    let thing: Thing =
        serde_json::from_value(json!({ "certificate": certificate })).expect("a thing");
    let site = Site {
        owner: "test".into(),
        default_tags: BTreeMap::new(),
        thing,
        around: BTreeMap::new(),
    };
    (pem, site, secrets)
}

/// What a run leaves that ended between a certificate's key and its record is a key whose certificate nobody knows: were it
/// taken for the next one's, no load balancer could read the pair.
#[test]
fn a_key_that_a_killed_run_stored_is_not_taken_for_another_certificates() {
    let Some(_turn) = shared() else { return };
    let project = Project::new();
    let before = project.inventory();
    let api = project.api();
    let runtime = Runtime::new().expect("a runtime");
    let run = |secrets| Run::lasting(Duration::from_secs(300)).with_secrets(secrets);
    let make = |site: &Site, journal: &Journal, secrets| {
        let made = runtime.block_on(async {
            let cloud = process(&project).await;
            cloud.converge(site, journal, &run(secrets)).await
        });
        assert!(made.complete, "{:?}", made.errors);
    };

    let (_, site, secrets) = issued();
    make(&site, &Journal::new(), secrets);
    let ours = format!("/images?owner={}&tag=invenioils", project.id);
    let records = api.list("image", &ours, "images");
    assert_eq!(records.len(), 1, "{records:?}");
    api.delete("image", &format!("/images/{}", text(&records[0]["id"])));

    let alone = |pem: &str| {
        let now = project.inventory();
        let [secret] = now.all("secret") else {
            panic!("one bundle: {:?}", now.names("secret"))
        };
        let reference = text(&secret["secret_ref"]);
        let (_, id) = reference.rsplit_once('/').expect("an address");
        let kept = api.text("key-manager", &format!("/secrets/{id}/payload"));
        let bundle: Value = serde_json::from_str(&kept).expect("a bundle is JSON");
        assert_eq!(bundle["certificate_pem"], pem);
    };
    let (pem, site, secrets) = issued();
    let journal = Journal::new();
    make(&site, &journal, secrets);
    alone(&pem);

    // Nor is that of a run that renewed it and was killed, and what it knew with it.
    let before_it = journal.to_bytes();
    let (_, site, secrets) = issued();
    make(&site, &journal, secrets);
    let journal = Journal::from_bytes(&before_it).expect("a journal");
    let (pem, site, secrets) = issued();
    make(&site, &journal, secrets);
    alone(&pem);

    let gone = runtime.block_on(async {
        let cloud = process(&project).await;
        cloud
            .remove(&site, &journal, &run(Secrets::default()))
            .await
    });
    assert!(gone.complete, "{:?}", gone.errors);
    project.is_as(&before);
}
