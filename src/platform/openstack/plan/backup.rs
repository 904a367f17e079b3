//! A backup policy: where backups go, the keys for it, and what tells each machine.

use super::{
    super::{
        Offers, mark,
        object::{container::Container, document::Document, s3_key::S3Key},
    },
    Draft, link,
};
use crate::site::{
    Backend, BackupPolicy, Id, Record, Service, ServiceKind, Thing,
    guest::{self, BackupDocument, FileStore},
};

/// The part of a machine's metadata that a policy writes.
pub fn part(policy: &BackupPolicy) -> String {
    format!("backup.{}", policy.name)
}

/// What a policy tells the machines of one service, whose own bundle holds the keys.
pub fn document(
    policy: &BackupPolicy,
    service: &Id,
    bucket: Option<String>,
    secret: &str,
    offers: &Offers,
    around: &[&Record],
) -> BackupDocument {
    let mut document = guest::backup_document(policy);
    if carrier(policy, around) == Some(service) {
        document.files = stores(policy, offers, around);
    }
    document.bucket = document.bucket.or(bucket);
    document.endpoint = document.endpoint.or_else(|| offers.s3_endpoint.clone());
    document.region = document.region.or_else(|| offers.region.clone());
    document.secrets = [("backup".to_owned(), secret.to_owned())].into();
    document
}

fn service_of<'a>(id: &Id, around: &[&'a Record]) -> Option<(&'a Record, &'a Service)> {
    around.iter().find_map(|record| match &record.thing {
        Thing::Service(it) if record.thing.id() == *id => Some((*record, it)),
        _ => None,
    })
}

/// Whose machines copy what lies in object stores. A database comes first: files are to be copied after it, so that all
/// that it knows are among them.
pub fn carrier<'a>(policy: &'a BackupPolicy, around: &[&Record]) -> Option<&'a Id> {
    let able = |id: &&Id| service_of(id, around).is_some_and(|(_, it)| it.is_backed_up());
    let of_database =
        |id: &&Id| service_of(id, around).is_some_and(|(_, it)| it.kind == ServiceKind::Database);
    let mut all = policy.services.iter().filter(able);
    all.clone().find(of_database).or_else(|| all.next())
}

/// The policy's services that are object stores of ours.
pub fn object_stores<'a>(
    policy: &'a BackupPolicy,
    around: &[&'a Record],
) -> impl Iterator<Item = (&'a Id, &'a Record)> {
    let of_ours = |id: &'a Id| {
        let (record, it) = service_of(id, around)?;
        (it.external.is_none() && it.backend == Some(Backend::Object)).then_some((id, record))
    };
    policy.services.iter().filter_map(of_ours)
}

fn stores(policy: &BackupPolicy, offers: &Offers, around: &[&Record]) -> Vec<FileStore> {
    let elsewhere = policy.target.endpoint.is_some();
    let store = |(id, record): (&Id, &Record)| {
        let endpoint = record.outputs.endpoint.as_ref();
        Some(FileStore {
            service: id.name.clone()?,
            bucket: endpoint.map_or_else(|| mark::name(id, ""), |it| it.name.clone()),
            endpoint: offers.s3_endpoint.clone().filter(|_| elsewhere),
            region: offers.region.clone().filter(|_| elsewhere),
        })
    };
    object_stores(policy, around).filter_map(store).collect()
}

impl Draft<'_> {
    pub(super) fn backup(&mut self, policy: &BackupPolicy) {
        let here = policy.target.endpoint.is_none();
        let own = here && policy.target.bucket.is_none();
        let name = self.name("");
        let container = own.then(|| {
            let container = Container {
                mark: self.mark("container"),
                name: name.clone(),
                keep: policy.keep_on_destroy,
            };
            self.graph.add("container", container)
        });
        let around: Vec<&Record> = self.site.around.values().collect();
        for id in &policy.services {
            let (Some((record, it)), Some(service)) = (service_of(id, &around), id.name.as_ref())
            else {
                continue;
            };
            // What lies in an object store is copied by the machines of another service.
            if it.machines() == 0 {
                continue;
            }
            let secret = link(&record.outputs, "server_secret");
            if here && self.offers.ec2 {
                let step = format!("s3-key-{service}");
                let key = S3Key {
                    mark: self.mark(&step),
                    bundle: None,
                    reference: Some(secret.clone()),
                    policy: Some(policy.name.to_string()),
                };
                self.graph.add(step, key);
            }
            let bucket = own.then(|| name.clone());
            let document = Document {
                service: id.clone(),
                part: part(policy),
                document: document(policy, id, bucket, &secret, self.offers, &around),
                container: container.clone(),
            };
            self.graph.add(format!("document-{service}"), document);
        }
    }
}
