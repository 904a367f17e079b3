//! An application credential for machines: it can read the secrets that it names, and do nothing else. Its secret is
//! chosen by us and kept in the machines' own bundle, so that a machine can be made again. Its name is its mark.

use super::{
    Of, ready,
    secret::{CREDENTIAL, Stored, read},
};
use crate::engine::{Cx, Difference, Error, Kind, Object, Ref, Result, Seen};
use crate::platform::openstack::{
    OpenStack,
    api::Service,
    lists::{Marked, seek},
    mark::Mark,
};
use crate::site::secrets::Bundle;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::time::Duration;

#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Credential {
    pub mark: Mark,
    /// The bundle that holds its secret.
    pub bundle: Option<Ref<Stored>>,
    /// What it can read: own secrets, and the references of others'.
    pub own: Vec<Ref<Stored>>,
    pub others: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Listed {
    pub id: String,
    pub name: String,
}

impl Marked for Listed {
    fn id(&self) -> &str {
        &self.id
    }
    fn mark(&self) -> &str {
        &self.name
    }
}

impl Object<OpenStack> for Credential {
    const KIND: &'static str = "application_credential";
    type Facts = Of;

    fn id(facts: &Of) -> String {
        facts.id.clone()
    }
    async fn find(&self, cx: &Cx<'_, OpenStack>, known: Option<&Of>) -> Result<Option<Seen<Of>>> {
        let list = cx
            .cloud
            .credentials(cx.cloud.since(known.is_some(), cx.since))
            .await?;
        Ok(seek(&list, known, &self.mark).and_then(|found| ready(found.id.as_str().into())))
    }
    async fn create(&self, cx: &Cx<'_, OpenStack>) -> Result<Of> {
        let doing = format!("create application credential `{}`", self.mark);
        let Some(bundle) = &self.bundle else {
            return Err(Error::fatal(doing, "nobody knows its secret any more"));
        };
        let text = read(cx.cloud, &cx.facts(bundle)?).await?;
        let bundle = Bundle::from_json(&text).map_err(|why| Error::fatal(&doing, why))?;
        let secret = bundle
            .get(CREDENTIAL)
            .ok_or_else(|| Error::fatal(&doing, "its bundle has no secret for it"))?;
        let mut ids = Vec::new();
        for own in &self.own {
            ids.push(cx.facts(own)?.id);
        }
        ids.extend(
            self.others
                .iter()
                .filter_map(|reference| reference.rsplit('/').next())
                .map(str::to_owned),
        );
        let rule = |id: &String| json!({ "service": "key-manager", "method": "GET", "path": format!("/v1/secrets/{id}/payload") });
        let body = json!({ "application_credential": {
            "name": self.mark, "description": "machines read their own secrets with it", "secret": secret.expose(), "unrestricted": false,
            "access_rules": ids.iter().map(rule).collect::<Vec<_>>(),
        } });
        let path = format!("/users/{}/application_credentials", cx.cloud.user_id);
        // Just after a role was given, Keystone's caches may not know it yet: it says 400 then.
        let mut tries = 0;
        loop {
            tries += 1;
            let call = cx
                .cloud
                .api
                .post(Service::Identity, &path, &doing, body.clone());
            match call.busy_when(400).answer("application_credential").await {
                Err(error) if error.kind == Kind::Busy && tries < 4 => {
                    tokio::time::sleep(Duration::from_millis(700) * tries).await;
                }
                Err(mut error) if error.kind == Kind::Busy => {
                    error.kind = Kind::Fatal;
                    return Err(error);
                }
                answer => return answer,
            }
        }
    }
    async fn update(&self, _: &Cx<'_, OpenStack>, _: &Of, _: &[Difference]) -> Result<()> {
        Ok(())
    }
    async fn delete(&self, cx: &Cx<'_, OpenStack>, facts: &Of) -> Result<()> {
        let path = format!(
            "/users/{}/application_credentials/{}",
            cx.cloud.user_id, facts.id
        );
        cx.cloud
            .api
            .delete(
                Service::Identity,
                path,
                format!("delete application credential `{}`", self.mark),
            )
            .await
    }
    fn instant(&self) -> bool {
        true
    }
}
