//! What a machine is told: at its making by `user_data`, and as long as it lives by its document.

use super::{
    credential::Credential,
    port::Port,
    secret::{self, Stored},
    volume::Volume,
};
use crate::engine::{Cx, Error, Ref, Result};
use crate::platform::openstack::{OpenStack, plan::backup};
use crate::site::{
    Thing,
    guest::{self, Access, Document, Guest, Neighbour},
    secrets::{self, Bundle},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a machine is told. What only the run knows (addresses, ids, references) is filled in from other steps.
#[derive(Clone, Serialize, Deserialize)]
pub struct Boot {
    pub guest: Guest,
    pub document: Document,
    /// A subnet that stands already, whose range the plan does not know.
    #[serde(default)]
    pub subnet: Option<String>,
    /// All machines of its role, in order.
    pub nodes: Vec<(String, Ref<Port>)>,
    /// Bundles of this thing, and of others by reference.
    pub own: BTreeMap<String, Ref<Stored>>,
    pub others: BTreeMap<String, String>,
    pub credential: Option<Ref<Credential>>,
    /// The bundle with the credential's secret.
    pub bundle: Option<Ref<Stored>>,
    /// How many machines each service that the application uses is meant to have. Where they are is in the document; a
    /// change of this is what tells a plan that it will change.
    #[serde(default)]
    pub expects: BTreeMap<String, u32>,
    /// Without credentials of their own, machines are given their secrets in `user_data`.
    pub inline: bool,
}

impl Boot {
    /// The document with all that the run knows by now.
    pub async fn document(
        &self,
        cx: &Cx<'_, OpenStack>,
        volume: Option<&Ref<Volume>>,
    ) -> Result<Document> {
        let mut document = self.document.clone();
        if let Some(subnet) = &self.subnet {
            document.cidr = cx.cloud.range_of(subnet, cx.since).await?;
        }
        for (name, port) in &self.nodes {
            document.nodes.push(Neighbour {
                name: name.clone(),
                address: cx.facts(port)?.address,
            });
        }
        if let Some(volume) = volume {
            document.volume = Some(cx.facts(volume)?.id);
        }
        if !self.inline {
            for (name, secret) in &self.own {
                document
                    .secrets
                    .insert(name.clone(), cx.facts(secret)?.reference);
            }
            document.secrets.extend(self.others.clone());
        }
        Ok(document)
    }

    /// What the policies that stand say of the service's backups: a machine that is made later must be told, too.
    pub async fn backups(&self, cx: &Cx<'_, OpenStack>) -> Result<BTreeMap<String, String>> {
        let mut parts = BTreeMap::new();
        let Some(server) = self.own.get(secrets::SERVER) else {
            return Ok(parts);
        };
        let secret = cx.facts(server)?.reference;
        let records = cx.cloud.all_records().await?;
        let around: Vec<_> = records.iter().collect();
        for record in &records {
            if let Thing::BackupPolicy(policy) = &record.thing
                && policy.services.contains(&self.guest.thing)
            {
                let document = backup::document(
                    policy,
                    &self.guest.thing,
                    record.outputs.bucket.clone(),
                    &secret,
                    &cx.cloud.offers,
                    &around,
                );
                parts.extend(guest::pack(&backup::part(policy), &document));
            }
        }
        Ok(parts)
    }

    pub async fn access(&self, cx: &Cx<'_, OpenStack>) -> Result<Access> {
        let wrong = |why: String| Error::fatal("write a machine's boot files", why);
        if self.inline {
            let mut bundles = BTreeMap::new();
            for (name, own) in &self.own {
                bundles.insert(name.clone(), secret::read(cx.cloud, &cx.facts(own)?).await?);
            }
            for (name, reference) in &self.others {
                let id = reference
                    .rsplit(['/', ':'])
                    .next()
                    .unwrap_or_default()
                    .to_owned();
                let reference = secret::Reference {
                    id,
                    reference: reference.clone(),
                };
                bundles.insert(name.clone(), secret::read(cx.cloud, &reference).await?);
            }
            return Ok(Access::Inline(bundles));
        }
        let (Some(credential), Some(bundle)) = (&self.credential, &self.bundle) else {
            return Ok(Access::Inline(BTreeMap::new()));
        };
        let text = secret::read(cx.cloud, &cx.facts(bundle)?).await?;
        let bundle = Bundle::from_json(&text).map_err(wrong)?;
        let secret = bundle
            .get(secret::CREDENTIAL)
            .cloned()
            .ok_or_else(|| wrong("the bundle has no credential".to_owned()))?;
        Ok(Access::Barbican {
            auth_url: cx.cloud.api.identity_url(),
            region: cx.cloud.api.region().map(str::to_owned),
            credential_id: cx.facts(credential)?.id,
            credential_secret: secret,
            ca_pem: cx.cloud.api.ca_pem(),
        })
    }
}
