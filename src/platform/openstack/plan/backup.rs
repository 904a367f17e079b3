//! A backup policy: where backups go, the keys for it, and what tells each machine.

use super::{
    super::{
        Offers,
        object::{container::Container, document::Document, s3_key::S3Key},
    },
    Draft, link,
};
use crate::site::{
    BackupPolicy, Thing,
    guest::{self, BackupDocument},
};

/// The part of a machine's metadata that a policy writes.
pub fn part(policy: &BackupPolicy) -> String {
    format!("backup.{}", policy.name)
}

/// What a policy tells the machines of one service, whose own bundle holds the keys.
pub fn document(
    policy: &BackupPolicy,
    bucket: Option<String>,
    secret: &str,
    offers: &Offers,
) -> BackupDocument {
    let mut document = guest::backup_document(policy);
    document.bucket = document.bucket.or(bucket);
    document.endpoint = document.endpoint.or_else(|| offers.s3_endpoint.clone());
    document.region = document.region.or_else(|| offers.region.clone());
    document.secrets = [("backup".to_owned(), secret.to_owned())].into();
    document
}

impl Draft<'_> {
    pub(super) fn backup(&mut self, policy: &BackupPolicy) {
        let own = policy.target.bucket.is_none() && policy.target.endpoint.is_none();
        let name = self.name("");
        let container = own.then(|| {
            let container = Container {
                mark: self.mark("container"),
                name: name.clone(),
                keep: policy.keep_on_destroy,
            };
            self.graph.add("container", container)
        });
        for id in &policy.services {
            let (Some(record), Some(service)) = (self.site.around.get(id), id.name.as_ref()) else {
                continue;
            };
            let has_machines = match &record.thing {
                Thing::Service(it) => it.machines() > 0,
                _ => false,
            };
            if !has_machines {
                continue;
            }
            let secret = link(&record.outputs, "server_secret");
            if own && self.offers.ec2 {
                let step = format!("s3-key-{service}");
                let key = S3Key {
                    mark: self.mark(&step),
                    bundle: None,
                    reference: Some(secret.clone()),
                    policy: Some(policy.name.to_string()),
                };
                self.graph.add(step, key);
            }
            let document = Document {
                service: id.clone(),
                part: part(policy),
                document: document(policy, own.then(|| name.clone()), &secret, self.offers),
                container: container.clone(),
            };
            self.graph.add(format!("document-{service}"), document);
        }
    }
}
