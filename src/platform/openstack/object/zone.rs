//! A DNS zone that the environment manages.

use super::Of;
use crate::engine::{Cx, Difference, Object, Result, Seen, Standing};
use crate::platform::openstack::{
    OpenStack,
    api::Service,
    lists::{Marked, seek},
    mark::Mark,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::time::Duration;

#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Zone {
    pub mark: Mark,
    pub name: String,
    pub email: String,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Listed {
    pub id: String,
    pub name: String,
    #[serde(default)]
    pub description: Option<String>,
    #[serde(default)]
    pub status: String,
    #[serde(default)]
    pub action: String,
}

impl Marked for Listed {
    fn id(&self) -> &str {
        &self.id
    }
    fn mark(&self) -> &str {
        self.description.as_deref().unwrap_or_default()
    }
}

/// How Designate's `status` and `action` read.
pub fn standing(status: &str, action: &str) -> Standing {
    match (status, action) {
        (_, "DELETE") => Standing::Leaving,
        ("ACTIVE", _) => Standing::Ready,
        ("ERROR", _) => Standing::Broken("ERROR".to_owned()),
        (other, _) => Standing::Pending(other.to_owned()),
    }
}

impl Object<OpenStack> for Zone {
    const KIND: &'static str = "zone";
    type Facts = Of;

    fn id(facts: &Of) -> String {
        facts.id.clone()
    }
    async fn find(&self, cx: &Cx<'_, OpenStack>, known: Option<&Of>) -> Result<Option<Seen<Of>>> {
        let list = cx
            .cloud
            .zones(cx.cloud.since(known.is_some(), cx.since))
            .await?;
        let Some(found) = seek(&list, known, &self.mark) else {
            return Ok(None);
        };
        Ok(super::Compared::default().seen(
            found.id.as_str().into(),
            standing(&found.status, &found.action),
        ))
    }
    async fn create(&self, cx: &Cx<'_, OpenStack>) -> Result<Of> {
        let body = json!({ "name": self.name, "email": self.email, "description": self.mark });
        let call = cx.cloud.api.post(
            Service::Dns,
            "/zones",
            format!("create zone `{}`", self.name),
            body,
        );
        call.whole().await.map_err(|error| error.at("dns.zone"))
    }
    async fn update(&self, _: &Cx<'_, OpenStack>, _: &Of, _: &[Difference]) -> Result<()> {
        Ok(())
    }
    async fn delete(&self, cx: &Cx<'_, OpenStack>, facts: &Of) -> Result<()> {
        cx.cloud
            .api
            .delete(
                Service::Dns,
                format!("/zones/{}", facts.id),
                format!("delete zone `{}`", self.name),
            )
            .await
    }
    fn usually(&self) -> Duration {
        Duration::from_secs(2)
    }
}
