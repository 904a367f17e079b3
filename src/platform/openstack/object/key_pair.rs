//! A key pair: the public key that may log in. It has neither description nor metadata: its name is its mark.

use super::{Compared, Of};
use crate::engine::{Cx, Difference, Object, Result, Seen, Standing};
use crate::platform::openstack::{OpenStack, api::Service, lists::COMPUTE};
use serde::{Deserialize, Serialize};
use serde_json::json;

#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub struct KeyPair {
    pub name: String,
    pub public_key: String,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Listed {
    pub keypair: Inner,
}
#[derive(Debug, Clone, Deserialize)]
pub struct Inner {
    pub name: String,
    #[serde(default)]
    pub public_key: String,
}

/// Kind and key, without the comment that people put behind it.
fn essence(key: &str) -> String {
    key.split_whitespace().take(2).collect::<Vec<_>>().join(" ")
}

impl Object<OpenStack> for KeyPair {
    const KIND: &'static str = "key_pair";
    type Facts = Of;

    fn id(facts: &Of) -> String {
        facts.id.clone()
    }
    async fn find(&self, cx: &Cx<'_, OpenStack>, known: Option<&Of>) -> Result<Option<Seen<Of>>> {
        let list = cx
            .cloud
            .key_pairs(cx.cloud.since(known.is_some(), cx.since))
            .await?;
        let Some(found) = list.iter().find(|it| it.keypair.name == self.name) else {
            return Ok(None);
        };
        let mut compared = Compared::default();
        compared.fixed(
            "public_key",
            &essence(&self.public_key),
            &essence(&found.keypair.public_key),
        );
        Ok(compared.seen(
            Of {
                id: found.keypair.name.clone(),
            },
            Standing::Ready,
        ))
    }
    async fn create(&self, cx: &Cx<'_, OpenStack>) -> Result<Of> {
        let body = json!({ "keypair": { "name": self.name, "public_key": self.public_key } });
        let call = cx.cloud.api.post(
            Service::Compute,
            "/os-keypairs",
            format!("create key pair `{}`", self.name),
            body,
        );
        call.send()
            .await
            .map_err(|error| error.at("access.ssh_public_key"))?;
        Ok(Of {
            id: self.name.clone(),
        })
    }
    async fn update(&self, _: &Cx<'_, OpenStack>, _: &Of, _: &[Difference]) -> Result<()> {
        Ok(())
    }
    async fn delete(&self, cx: &Cx<'_, OpenStack>, facts: &Of) -> Result<()> {
        let call = cx.cloud.api.call(
            Service::Compute,
            reqwest::Method::DELETE,
            format!("/os-keypairs/{}", facts.id),
            format!("delete key pair `{}`", facts.id),
        );
        call.microversion(COMPUTE)
            .send()
            .await
            .map(drop)
            .or_else(crate::platform::openstack::api::gone_is_fine)
    }
    fn instant(&self) -> bool {
        true
    }
}
