//! One web machine in the pool.

use super::{
    Compared, Of, load_balancer::standing, monitor::SETTLED, pool::Pool, port::Port, server::Server,
};
use crate::engine::{Cx, Difference, Error, Kind, Made, Object, Ref, Result, Seen, Standing};
use crate::platform::openstack::{OpenStack, api::Service, mark::Mark};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::{
    sync::PoisonError,
    time::{Duration, Instant},
};

#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Member {
    pub mark: Mark,
    pub name: String,
    pub balancer: String,
    pub pool: Option<Ref<Pool>>,
    pub port: Option<Ref<Port>>,
    /// It is put in when its machine runs.
    pub server: Option<Ref<Server>>,
    /// While it is being made anew the machine is known, not running.
    pub made: Option<Made<Server>>,
    pub protocol_port: u16,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct InPool {
    pub id: String,
    pub pool: String,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Listed {
    pub id: String,
    #[serde(default)]
    pub name: String,
    #[serde(default)]
    pub address: String,
    #[serde(default)]
    pub protocol_port: u16,
    #[serde(default)]
    pub provisioning_status: String,
    #[serde(default)]
    pub operating_status: String,
    #[serde(default = "one")]
    pub weight: u32,
    #[serde(default = "super::network::up")]
    pub admin_state_up: bool,
}

impl OpenStack {
    fn has_put_in(&self, id: &str) {
        let mut put_in = self.put_in.lock().unwrap_or_else(PoisonError::into_inner);
        put_in.insert(id.to_owned(), Instant::now());
    }
    fn just_put_in(&self, id: &str) -> bool {
        let put_in = self.put_in.lock().unwrap_or_else(PoisonError::into_inner);
        put_in.get(id).is_some_and(|at| at.elapsed() < SETTLED)
    }
}

fn one() -> u32 {
    1
}

impl Member {
    fn pool(&self, cx: &Cx<'_, OpenStack>) -> Result<String> {
        let gone = || {
            Error::new(
                Kind::Gone,
                "find the pool's member",
                "its pool is not known",
            )
        };
        Ok(cx.facts(self.pool.as_ref().ok_or_else(gone)?)?.id)
    }
    /// Whether the balancer finds it well. A balancer that has never reported its own health tells nothing of others'.
    async fn answers(&self, cx: &Cx<'_, OpenStack>, found: &Listed) -> Result<bool> {
        let balancers = cx.cloud.balancers(cx.since).await?;
        let reports = balancers.iter().any(|it| {
            it.id == self.balancer
                && matches!(
                    it.operating_status.as_str(),
                    "ONLINE" | "DEGRADED" | "ERROR"
                )
        });
        Ok(!reports
            || !cx.cloud.just_put_in(&found.id)
                && matches!(
                    found.operating_status.as_str(),
                    "ONLINE" | "NO_MONITOR" | "DRAINING"
                ))
    }
    fn address(&self, cx: &Cx<'_, OpenStack>) -> Result<String> {
        let gone = || {
            Error::new(
                Kind::Gone,
                "find the pool's member",
                "its port is not known",
            )
        };
        Ok(cx.facts(self.port.as_ref().ok_or_else(gone)?)?.address)
    }
}

impl Object<OpenStack> for Member {
    const KIND: &'static str = "pool_member";
    type Facts = InPool;

    fn id(facts: &InPool) -> String {
        facts.id.clone()
    }
    async fn find(
        &self,
        cx: &Cx<'_, OpenStack>,
        known: Option<&InPool>,
    ) -> Result<Option<Seen<InPool>>> {
        if known.is_some_and(|known| cx.cloud.has_ended(&known.id)) {
            return Ok(None);
        }
        let pool = match known {
            Some(known) => known.pool.clone(),
            None => self.pool(cx)?,
        };
        let address = self.address(cx).ok();
        // A pool that this run has just made has no list yet: an address is in it once at most, so a second one is refused.
        let list = cx
            .cloud
            .members(&pool, cx.cloud.since(known.is_some(), cx.since))
            .await?;
        let by_id = known.and_then(|known| list.iter().find(|it| it.id == known.id));
        let at_address = || {
            list.iter().find(|it| {
                address.as_ref() == Some(&it.address) && it.protocol_port == self.protocol_port
            })
        };
        let Some(found) = by_id.or_else(at_address) else {
            return Ok(None);
        };
        let mut compared = Compared::default();
        if let Some(address) = &address {
            compared.fixed("address", address, &found.address);
        }
        compared.fixed("protocol_port", &self.protocol_port, &found.protocol_port);
        compared.field("weight", &1, &found.weight);
        compared.field("admin_state_up", &true, &found.admin_state_up);
        let standing = match standing(&found.provisioning_status) {
            Standing::Ready if !self.answers(cx, found).await? => Standing::Pending(format!(
                "it does not answer yet ({})",
                found.operating_status
            )),
            standing => standing,
        };
        let facts = InPool {
            id: found.id.clone(),
            pool,
        };
        Ok(compared.seen(facts, standing))
    }
    async fn create(&self, cx: &Cx<'_, OpenStack>) -> Result<InPool> {
        let pool = self.pool(cx)?;
        let body = json!({ "member": {
            "name": self.name, "address": self.address(cx)?, "protocol_port": self.protocol_port, "weight": 1, "tags": [self.mark],
        } });
        let _turn = cx.cloud.turn(&self.balancer).await?;
        let call = cx.cloud.api.post(
            Service::Balancer,
            format!("/pools/{pool}/members"),
            format!("put `{}` into the pool", self.name),
            body,
        );
        let made: Of = call.answer("member").await?;
        cx.cloud.has_put_in(&made.id);
        Ok(InPool { id: made.id, pool })
    }
    async fn update(&self, cx: &Cx<'_, OpenStack>, facts: &InPool, _: &[Difference]) -> Result<()> {
        let body = json!({ "member": { "weight": 1, "admin_state_up": true } });
        let _turn = cx.cloud.turn(&self.balancer).await?;
        let path = format!("/pools/{}/members/{}", facts.pool, facts.id);
        cx.cloud
            .api
            .put(
                Service::Balancer,
                path,
                format!("update pool member `{}`", self.name),
                body,
            )
            .send()
            .await
            .map(drop)
    }
    async fn delete(&self, cx: &Cx<'_, OpenStack>, facts: &InPool) -> Result<()> {
        if cx.all_goes {
            // It goes with its pool.
            cx.cloud.end(&facts.id);
            return Ok(());
        }
        let path = format!("/pools/{}/members/{}", facts.pool, facts.id);
        cx.cloud
            .delete_from_balancer(
                &self.balancer,
                &facts.id,
                path,
                format!("take `{}` out of the pool", self.name),
            )
            .await
    }
    fn usually(&self) -> Duration {
        Duration::from_millis(600)
    }
}
