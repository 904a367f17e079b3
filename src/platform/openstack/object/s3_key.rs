//! An access key for the object store's S3 interface: told to Keystone with values that lie in a bundle already. It has
//! no name; its id is a digest of the access key, so it is found by that.

use super::{
    Of, ready,
    secret::{Reference, Stored, read},
};
use crate::engine::{Cx, Difference, Error, Object, Ref, Result, Seen};
use crate::platform::openstack::{OpenStack, api::Service, mark::Mark};
use crate::site::{
    Sealed,
    secrets::{Bundle, of_policy},
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest, Sha256};

#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub struct S3Key {
    pub mark: Mark,
    /// The bundle with `access_key` and `secret_key`: of this plan, or another thing's by its reference.
    pub bundle: Option<Ref<Stored>>,
    pub reference: Option<String>,
    /// The backup policy whose own key it is, made of those in the bundle.
    pub policy: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Listed {
    pub id: String,
    #[serde(default)]
    pub blob: String,
}

impl S3Key {
    async fn keys(&self, cx: &Cx<'_, OpenStack>) -> Result<(Sealed, Sealed)> {
        let doing = format!("read the keys of `{}`", self.mark);
        let reference = match (&self.bundle, &self.reference) {
            (Some(bundle), _) => cx.facts(bundle)?,
            (None, Some(reference)) => Reference {
                id: reference.rsplit('/').next().unwrap_or_default().to_owned(),
                reference: reference.clone(),
            },
            (None, None) => {
                return Err(Error::new(
                    crate::engine::Kind::Gone,
                    doing,
                    "its bundle is not known",
                ));
            }
        };
        let bundle = Bundle::from_json(&read(cx.cloud, &reference).await?)
            .map_err(|why| Error::fatal(&doing, why))?;
        let get = |name: &str| {
            bundle
                .get(name)
                .cloned()
                .ok_or_else(|| Error::fatal(&doing, format!("the bundle has no `{name}`")))
        };
        let (access, secret) = (get("access_key")?, get("secret_key")?);
        Ok(match &self.policy {
            Some(policy) => (of_policy(&access, policy), of_policy(&secret, policy)),
            None => (access, secret),
        })
    }
}

/// Keystone's own way to name such a credential.
fn id_of(access: &str) -> String {
    Sha256::digest(access.as_bytes())
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

impl Object<OpenStack> for S3Key {
    const KIND: &'static str = "s3_key";
    type Facts = Of;

    fn id(facts: &Of) -> String {
        facts.id.clone()
    }
    async fn find(&self, cx: &Cx<'_, OpenStack>, known: Option<&Of>) -> Result<Option<Seen<Of>>> {
        let list = cx
            .cloud
            .s3_keys(cx.cloud.since(known.is_some(), cx.since))
            .await?;
        let found = list.iter().find(|key| match known {
            Some(known) => key.id == known.id,
            // The mark is in the part that Keystone keeps for us.
            None => serde_json::from_str::<serde_json::Value>(&key.blob)
                .is_ok_and(|blob| blob["invenioils"] == self.mark.as_str()),
        });
        Ok(found.and_then(|key| ready(key.id.as_str().into())))
    }
    async fn create(&self, cx: &Cx<'_, OpenStack>) -> Result<Of> {
        let (access, secret) = self.keys(cx).await?;
        let blob = json!({ "access": access.expose(), "secret": secret.expose(), "invenioils": self.mark });
        let body = json!({ "credential": {
            "type": "ec2", "user_id": cx.cloud.user_id, "project_id": cx.cloud.project_id, "blob": blob.to_string(),
        } });
        let call = cx.cloud.api.post(
            Service::Identity,
            "/credentials",
            format!("create S3 key `{}`", self.mark),
            body,
        );
        call.send().await.map_err(|error| error.remedy("S3 keys need a login by user and password; an application credential may not make them"))?;
        Ok(Of {
            id: id_of(access.expose()),
        })
    }
    async fn update(&self, _: &Cx<'_, OpenStack>, _: &Of, _: &[Difference]) -> Result<()> {
        Ok(())
    }
    async fn delete(&self, cx: &Cx<'_, OpenStack>, facts: &Of) -> Result<()> {
        cx.cloud
            .api
            .delete(
                Service::Identity,
                format!("/credentials/{}", facts.id),
                format!("delete S3 key `{}`", self.mark),
            )
            .await
    }
    fn instant(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_id_is_the_digest_that_keystone_uses() {
        assert_eq!(
            super::id_of("abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }
}
