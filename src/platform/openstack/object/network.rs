//! A network.

use super::{Compared, Of};
use crate::engine::{Cx, Difference, Object, Result, Seen, Standing};
use crate::platform::openstack::{
    OpenStack,
    api::Service,
    lists::{Marked, seek_only},
    mark::Mark,
};
use serde::{Deserialize, Serialize};
use serde_json::json;

#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Network {
    pub mark: Mark,
    pub name: String,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Listed {
    pub id: String,
    #[serde(default)]
    pub name: String,
    #[serde(default)]
    pub description: String,
    #[serde(default, rename = "router:external")]
    pub external: bool,
    #[serde(default)]
    pub status: String,
    #[serde(default = "up")]
    pub admin_state_up: bool,
    #[serde(default)]
    pub subnets: Vec<String>,
}

pub fn up() -> bool {
    true
}

impl Marked for Listed {
    fn id(&self) -> &str {
        &self.id
    }
    fn mark(&self) -> &str {
        &self.description
    }
}

impl Object<OpenStack> for Network {
    const KIND: &'static str = "network";
    type Facts = Of;

    fn id(facts: &Of) -> String {
        facts.id.clone()
    }
    async fn find(&self, cx: &Cx<'_, OpenStack>, known: Option<&Of>) -> Result<Option<Seen<Of>>> {
        let list = cx
            .cloud
            .networks(cx.cloud.since(known.is_some(), cx.since))
            .await?;
        let Some(found) = seek_only(&list, known, &self.mark)? else {
            return Ok(None);
        };
        let mut compared = Compared::default();
        compared.field("name", &self.name, &found.name);
        compared.field("description", self.mark.as_str(), &found.description);
        compared.field("admin_state_up", &true, &found.admin_state_up);
        Ok(compared.seen(found.id.as_str().into(), Standing::Ready))
    }
    async fn create(&self, cx: &Cx<'_, OpenStack>) -> Result<Of> {
        let body = json!({ "network": { "name": self.name, "description": self.mark } });
        let call = cx.cloud.api.post(
            Service::Network,
            "/networks",
            format!("create network `{}`", self.name),
            body,
        );
        call.answer("network").await
    }
    async fn update(&self, cx: &Cx<'_, OpenStack>, facts: &Of, _: &[Difference]) -> Result<()> {
        let body = json!({ "network": { "name": self.name, "description": self.mark, "admin_state_up": true } });
        let path = format!("/networks/{}", facts.id);
        cx.cloud
            .api
            .put(
                Service::Network,
                path,
                format!("update network `{}`", self.name),
                body,
            )
            .send()
            .await
            .map(drop)
    }
    async fn delete(&self, cx: &Cx<'_, OpenStack>, facts: &Of) -> Result<()> {
        cx.cloud
            .api
            .delete(
                Service::Network,
                format!("/networks/{}", facts.id),
                format!("delete network `{}`", self.name),
            )
            .await
    }
    fn instant(&self) -> bool {
        true
    }
}
