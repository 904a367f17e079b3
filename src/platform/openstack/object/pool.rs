//! A pool: the web machines behind the load balancer. Its members and monitor go with it.

use super::{Compared, Of, load_balancer::standing};
use crate::engine::{Cx, Difference, Object, Result, Seen};
use crate::platform::openstack::{
    OpenStack,
    api::Service,
    lists::{Marked, seek},
    mark::Mark,
};
use serde::{Deserialize, Serialize};
use serde_json::json;

#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Pool {
    pub mark: Mark,
    pub name: String,
    pub balancer: String,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Listed {
    pub id: String,
    #[serde(default)]
    pub name: String,
    #[serde(default)]
    pub description: Option<String>,
    #[serde(default)]
    pub provisioning_status: String,
    #[serde(default)]
    pub lb_algorithm: String,
}

impl Marked for Listed {
    fn id(&self) -> &str {
        &self.id
    }
    fn mark(&self) -> &str {
        self.description.as_deref().unwrap_or_default()
    }
}

const ALGORITHM: &str = "LEAST_CONNECTIONS";

impl Object<OpenStack> for Pool {
    const KIND: &'static str = "pool";
    type Facts = Of;

    fn id(facts: &Of) -> String {
        facts.id.clone()
    }
    async fn find(&self, cx: &Cx<'_, OpenStack>, known: Option<&Of>) -> Result<Option<Seen<Of>>> {
        let list = cx
            .cloud
            .pools(cx.cloud.since(known.is_some(), cx.since))
            .await?;
        let Some(found) = seek(&list, known, &self.mark) else {
            return Ok(None);
        };
        let mut compared = Compared::default();
        compared.field("name", &self.name, &found.name);
        compared.field("lb_algorithm", ALGORITHM, found.lb_algorithm.as_str());
        Ok(compared.seen(
            found.id.as_str().into(),
            standing(&found.provisioning_status),
        ))
    }
    async fn create(&self, cx: &Cx<'_, OpenStack>) -> Result<Of> {
        let body = json!({ "pool": {
            "name": self.name, "description": self.mark, "loadbalancer_id": self.balancer, "protocol": "HTTP", "lb_algorithm": ALGORITHM,
        } });
        let _turn = cx.cloud.turn(&self.balancer).await?;
        cx.cloud
            .api
            .post(
                Service::Balancer,
                "/pools",
                format!("create pool `{}`", self.name),
                body,
            )
            .answer("pool")
            .await
    }
    async fn update(&self, cx: &Cx<'_, OpenStack>, facts: &Of, _: &[Difference]) -> Result<()> {
        let body = json!({ "pool": { "name": self.name, "lb_algorithm": ALGORITHM } });
        let _turn = cx.cloud.turn(&self.balancer).await?;
        let path = format!("/pools/{}", facts.id);
        cx.cloud
            .api
            .put(
                Service::Balancer,
                path,
                format!("update pool `{}`", self.name),
                body,
            )
            .send()
            .await
            .map(drop)
    }
    async fn delete(&self, cx: &Cx<'_, OpenStack>, facts: &Of) -> Result<()> {
        cx.cloud
            .delete_from_balancer(
                &self.balancer,
                format!("/pools/{}", facts.id),
                format!("delete pool `{}`", self.name),
            )
            .await
    }
    fn instant(&self) -> bool {
        true
    }
}

impl OpenStack {
    /// Removes a child of a balancer. A balancer that is gone has taken its children with it.
    pub async fn delete_from_balancer(
        &self,
        balancer: &str,
        path: String,
        doing: String,
    ) -> Result<()> {
        if balancer.is_empty() {
            return self.api.delete(Service::Balancer, path, doing).await;
        }
        match self.turn(balancer).await {
            Ok(_turn) => self.api.delete(Service::Balancer, path, doing).await,
            Err(error) if error.kind == crate::engine::Kind::Gone => Ok(()),
            Err(error) => Err(error),
        }
    }
}
