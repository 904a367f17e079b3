//! A backup policy: where backups go, the keys for it, and what tells each machine.

use super::{
    super::object::{container::Container, document::Document, s3_key::S3Key},
    Draft, link,
};
use crate::site::{BackupPolicy, guest};

impl Draft<'_> {
    pub(super) fn backup(&mut self, policy: &BackupPolicy) {
        let own = policy.target.bucket.is_none() && policy.target.endpoint.is_none();
        let mut document = guest::backup_document(policy);
        let container = own.then(|| {
            let container = Container {
                mark: self.mark("container"),
                name: self.name(""),
                keep: policy.keep_on_destroy,
            };
            document.bucket = Some(container.name.clone());
            self.graph.add("container", container)
        });
        if document.endpoint.is_none() {
            document.endpoint.clone_from(&self.offers.s3_endpoint);
        }
        if document.region.is_none() {
            document.region.clone_from(&self.offers.region);
        }
        for id in &policy.services {
            let Some(record) = self.site.around.get(id) else {
                continue;
            };
            let Some(name) = id.name.as_ref() else {
                continue;
            };
            if record.outputs.nodes.is_empty() {
                continue;
            }
            let secret = link(&record.outputs, "server_secret");
            if own && self.offers.ec2 {
                let step = format!("s3-key-{name}");
                let key = S3Key {
                    mark: self.mark(&step),
                    bundle: None,
                    reference: Some(secret.clone()),
                };
                self.graph.add(step, key);
            }
            document.secrets = [("backup".to_owned(), secret)].into();
            for (index, node) in record.outputs.nodes.iter().enumerate() {
                let document = Document {
                    server: node.platform_id.clone(),
                    part: format!("backup.{}", policy.name),
                    document: document.clone(),
                    container: container.clone(),
                };
                self.graph.add(format!("document-{name}-{index}"), document);
            }
        }
    }
}
