//! A server group: keeps the machines of one role on different hosts where it can. Its name is its mark.

use super::Of;
use super::ready;
use crate::engine::{Cx, Difference, Object, Result, Seen};
use crate::platform::openstack::{
    OpenStack,
    api::Service,
    lists::{COMPUTE, Marked, seek},
    mark::Mark,
};
use serde::{Deserialize, Serialize};
use serde_json::json;

#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ServerGroup {
    pub mark: Mark,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Listed {
    pub id: String,
    #[serde(default)]
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

impl Object<OpenStack> for ServerGroup {
    const KIND: &'static str = "server_group";
    type Facts = Of;

    fn id(facts: &Of) -> String {
        facts.id.clone()
    }
    async fn find(&self, cx: &Cx<'_, OpenStack>, known: Option<&Of>) -> Result<Option<Seen<Of>>> {
        let list = cx
            .cloud
            .server_groups(cx.cloud.since(known.is_some(), cx.since))
            .await?;
        Ok(seek(&list, known, &self.mark).and_then(|found| ready(found.id.as_str().into())))
    }
    async fn create(&self, cx: &Cx<'_, OpenStack>) -> Result<Of> {
        let body = json!({ "server_group": { "name": self.mark, "policy": "soft-anti-affinity" } });
        let call = cx.cloud.api.post(
            Service::Compute,
            "/os-server-groups",
            format!("create server group `{}`", self.mark),
            body,
        );
        call.microversion(COMPUTE).answer("server_group").await
    }
    async fn update(&self, _: &Cx<'_, OpenStack>, _: &Of, _: &[Difference]) -> Result<()> {
        Ok(())
    }
    async fn delete(&self, cx: &Cx<'_, OpenStack>, facts: &Of) -> Result<()> {
        cx.cloud
            .api
            .delete(
                Service::Compute,
                format!("/os-server-groups/{}", facts.id),
                format!("delete server group `{}`", self.mark),
            )
            .await
    }
    fn instant(&self) -> bool {
        true
    }
}
