//! The platform alone, without Terraform, for moments that no kill of Terraform is sure to meet.

use super::{Project, api::password, inventory::Inventory, project::text, shared};
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

/// The images that we keep texts in: what becomes of a thing, and secrets where there is no Barbican.
fn kept(project: &Project) -> Vec<Value> {
    let ours = format!("/images?owner={}&tag=invenioils", project.id);
    project.api().list("image", &ours, "images")
}

fn is_secret(image: &Value) -> bool {
    image["name"] == "invenioils-secret"
}

/// The texts of all secrets, wherever they are.
fn secrets(project: &Project) -> Vec<String> {
    let api = project.api();
    let in_barbican = project.inventory();
    let in_barbican = in_barbican.all("secret").iter().map(|secret| {
        let reference = text(&secret["secret_ref"]);
        let (_, id) = reference.rsplit_once('/').expect("an address");
        api.text("key-manager", &format!("/secrets/{id}/payload"))
    });
    let images = kept(project);
    let in_glance = images.iter().filter(|it| is_secret(it)).map(|image| {
        assert_eq!(image["invenioils_pieces"], "1", "{image}");
        text(&image["invenioils_0"])
    });
    in_barbican.chain(in_glance).collect()
}

/// What a run leaves that ended between a certificate's key and its record is a key whose certificate nobody knows: were it
/// taken for the next one's, no load balancer could read the pair.
fn each_key_is_its_certificates(project: &Project, before: &Inventory, barbican: bool) {
    let runtime = Runtime::new().expect("a runtime");
    let run = |secrets| Run::lasting(Duration::from_secs(300)).with_secrets(secrets);
    let make = |site: &Site, journal: &Journal, secrets| {
        let made = runtime.block_on(async {
            let cloud = process(project).await;
            cloud.converge(site, journal, &run(secrets)).await
        });
        assert!(made.complete, "{:?}", made.errors);
    };
    let alone = |pem: &str| {
        let secrets = secrets(project);
        let [bundle] = secrets.as_slice() else {
            panic!("one bundle, not {}", secrets.len())
        };
        let bundle: Value = serde_json::from_str(bundle).expect("a bundle is JSON");
        assert_eq!(bundle["certificate_pem"], pem);
        let there = project.inventory().all("secret").len();
        assert_eq!(there, usize::from(barbican));
    };

    let (_, site, key) = issued();
    make(&site, &Journal::new(), key);
    let images = kept(project);
    let [record] = images
        .iter()
        .filter(|it| !is_secret(it))
        .collect::<Vec<_>>()[..]
    else {
        panic!("one record: {images:?}")
    };
    let id = text(&record["id"]);
    project.api().delete("image", &format!("/images/{id}"));

    let (pem, site, key) = issued();
    let journal = Journal::new();
    make(&site, &journal, key);
    alone(&pem);

    // Nor is that of a run that renewed it and was killed, and what it knew with it.
    let known = journal.to_bytes();
    let (_, site, key) = issued();
    make(&site, &journal, key);
    let journal = Journal::from_bytes(&known).expect("a journal");
    let (pem, site, key) = issued();
    make(&site, &journal, key);
    alone(&pem);

    let gone = runtime.block_on(async {
        let cloud = process(project).await;
        let run = run(Secrets::default());
        cloud.remove(&site, &journal, &run).await
    });
    assert!(gone.complete, "{:?}", gone.errors);
    project.is_as(before);
    assert!(kept(project).is_empty());
}

#[test]
fn a_key_that_a_killed_run_stored_is_not_taken_for_another_certificates() {
    let Some(_turn) = shared() else { return };
    let project = Project::new();
    let before = project.inventory();
    each_key_is_its_certificates(&project, &before, true);
}

#[test]
fn nor_is_it_where_a_cloud_has_no_barbican() {
    let Some(_turn) = shared() else { return };
    let project = Project::new();
    let before = project.inventory();
    project.without("key-manager");
    each_key_is_its_certificates(&project, &before, false);
}
