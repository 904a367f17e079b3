//! A pool: the web machines behind the load balancer. Its members and monitor go with it.

use super::{Compared, Of, load_balancer::child};
use crate::engine::{Cx, Difference, Object, Result, Seen};
use crate::platform::openstack::{
    OpenStack,
    api::Service,
    lists::{Marked, seek},
    mark::Mark,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::PoisonError;

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
        if known.is_some_and(|known| cx.cloud.has_ended(&known.id)) {
            return Ok(None);
        }
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
        Ok(compared.seen(found.id.as_str().into(), child(&found.provisioning_status)))
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
                &facts.id,
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
        id: &str,
        path: String,
        doing: String,
    ) -> Result<()> {
        if !balancer.is_empty() {
            match self.turn(balancer).await {
                Ok(_turn) => self.api.delete(Service::Balancer, path, doing).await?,
                Err(error) if error.kind == crate::engine::Kind::Gone => {}
                Err(error) => return Err(error),
            }
        } else {
            self.api.delete(Service::Balancer, path, doing).await?;
        }
        self.end(id);
        Ok(())
    }
    /// Octavia has taken on its end, or that of what it hangs on: from now on it counts as gone.
    pub fn end(&self, id: &str) {
        let mut ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        ended.insert(id.to_owned());
    }
    pub fn has_ended(&self, id: &str) -> bool {
        let ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        ended.contains(id)
    }
}
