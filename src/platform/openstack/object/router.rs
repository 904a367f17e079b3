//! A router with a gateway to an external network.

use super::{Compared, Of};
use crate::engine::{Cx, Difference, Object, Result, Seen, Standing};
use crate::platform::openstack::{
    OpenStack,
    api::Service,
    lists::{Marked, seek},
    mark::Mark,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Router {
    pub mark: Mark,
    pub name: String,
    /// The external network: an id, or a name as the user wrote it.
    pub external_network: String,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Listed {
    pub id: String,
    #[serde(default)]
    pub name: String,
    #[serde(default)]
    pub description: String,
    #[serde(default)]
    pub status: String,
    #[serde(default = "super::network::up")]
    pub admin_state_up: bool,
    #[serde(default)]
    pub external_gateway_info: Option<Gateway>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Gateway {
    pub network_id: String,
}

impl Marked for Listed {
    fn id(&self) -> &str {
        &self.id
    }
    fn mark(&self) -> &str {
        &self.description
    }
}

impl Router {
    async fn body(&self, cx: &Cx<'_, OpenStack>) -> Result<Value> {
        let network = cx
            .cloud
            .external_network(&self.external_network, cx.since)
            .await?;
        Ok(json!({ "router": {
            "name": self.name, "description": self.mark, "admin_state_up": true,
            "external_gateway_info": { "network_id": network },
        } }))
    }
}

impl OpenStack {
    /// The id of a network that goes by that id or name. Preflight has said what is wrong where there is none.
    pub async fn external_network(
        &self,
        wanted: &str,
        since: crate::engine::Moment,
    ) -> Result<String> {
        let list = self.networks(self.since(false, since)).await?;
        let by_id = list.iter().find(|network| network.id == wanted);
        let found = by_id.or_else(|| {
            list.iter()
                .find(|network| network.external && network.name == wanted)
        });
        found.map(|network| network.id.clone()).ok_or_else(|| {
            crate::engine::Error::fatal(
                "find the external network",
                format!("there is no external network `{wanted}`"),
            )
            .at("network.external_network")
        })
    }
}

impl Object<OpenStack> for Router {
    const KIND: &'static str = "router";
    type Facts = Of;

    fn id(facts: &Of) -> String {
        facts.id.clone()
    }
    async fn find(&self, cx: &Cx<'_, OpenStack>, known: Option<&Of>) -> Result<Option<Seen<Of>>> {
        let list = cx
            .cloud
            .routers(cx.cloud.since(known.is_some(), cx.since))
            .await?;
        let Some(found) = seek(&list, known, &self.mark) else {
            return Ok(None);
        };
        let mut compared = Compared::default();
        compared.field("name", &self.name, &found.name);
        compared.field("description", self.mark.as_str(), &found.description);
        compared.field("admin_state_up", &true, &found.admin_state_up);
        let wanted = cx
            .cloud
            .external_network(&self.external_network, cx.since)
            .await?;
        let gateway = found
            .external_gateway_info
            .as_ref()
            .map(|it| it.network_id.clone())
            .unwrap_or_default();
        compared.field("external_gateway", &wanted, &gateway);
        Ok(compared.seen(found.id.as_str().into(), Standing::Ready))
    }
    async fn create(&self, cx: &Cx<'_, OpenStack>) -> Result<Of> {
        let body = self.body(cx).await?;
        cx.cloud
            .api
            .post(
                Service::Network,
                "/routers",
                format!("create router `{}`", self.name),
                body,
            )
            .answer("router")
            .await
    }
    async fn update(&self, cx: &Cx<'_, OpenStack>, facts: &Of, _: &[Difference]) -> Result<()> {
        let body = self.body(cx).await?;
        let path = format!("/routers/{}", facts.id);
        cx.cloud
            .api
            .put(
                Service::Network,
                path,
                format!("update router `{}`", self.name),
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
                format!("/routers/{}", facts.id),
                format!("delete router `{}`", self.name),
            )
            .await
    }
    fn instant(&self) -> bool {
        true
    }
}
