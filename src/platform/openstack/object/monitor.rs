//! A pool's health monitor: asks each web machine whether it serves. It goes with its pool.

use super::{Compared, Of, load_balancer::child, pool::Pool};
use crate::engine::{Cx, Difference, Error, Kind, Object, Ref, Result, Seen};
use crate::platform::openstack::{OpenStack, api::Service, mark::Mark};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::time::Duration;

#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Monitor {
    pub mark: Mark,
    pub name: String,
    pub balancer: String,
    pub pool: Option<Ref<Pool>>,
    /// The site's host name: an application that trusts only its own name answers to no other.
    pub hostname: String,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Listed {
    pub id: String,
    #[serde(default)]
    pub name: String,
    #[serde(default)]
    pub provisioning_status: String,
    #[serde(default)]
    pub url_path: Option<String>,
    #[serde(default)]
    pub domain_name: Option<String>,
    #[serde(default)]
    pub delay: u32,
    #[serde(default)]
    pub timeout: u32,
    #[serde(default)]
    pub max_retries: u32,
    #[serde(default)]
    pub pools: Vec<Of>,
}

const PATH: &str = "/ping";
const DELAY: u32 = 5;
const TIMEOUT: u32 = 4;
const RETRIES: u32 = 3;

/// How long what a balancer says of a new member may be a guess: members are taken for well until all tries have failed,
/// and balancers report every ten seconds.
pub const SETTLED: Duration = Duration::from_secs((DELAY * RETRIES + TIMEOUT + 10) as u64);

impl Monitor {
    fn body(&self) -> Value {
        json!({
            "name": self.name, "delay": DELAY, "timeout": TIMEOUT, "max_retries": RETRIES, "http_method": "GET", "url_path": PATH,
            "expected_codes": "200", "http_version": 1.1, "domain_name": self.hostname, "tags": [self.mark],
        })
    }
    fn pool(&self, cx: &Cx<'_, OpenStack>) -> Result<String> {
        let gone = || {
            Error::new(
                Kind::Gone,
                "find the health monitor",
                "its pool is not known",
            )
        };
        Ok(cx.facts(self.pool.as_ref().ok_or_else(gone)?)?.id)
    }
}

impl Object<OpenStack> for Monitor {
    const KIND: &'static str = "health_monitor";
    type Facts = Of;

    fn id(facts: &Of) -> String {
        facts.id.clone()
    }
    async fn find(&self, cx: &Cx<'_, OpenStack>, known: Option<&Of>) -> Result<Option<Seen<Of>>> {
        let pool = self.pool(cx)?;
        let list = cx
            .cloud
            .monitors(cx.cloud.since(known.is_some(), cx.since))
            .await?;
        // A pool has one at most.
        let Some(found) = list
            .iter()
            .find(|it| it.pools.iter().any(|of| of.id == pool))
        else {
            return Ok(None);
        };
        let mut compared = Compared::default();
        compared.field(
            "url_path",
            PATH,
            found.url_path.as_deref().unwrap_or_default(),
        );
        compared.field(
            "domain_name",
            self.hostname.as_str(),
            found.domain_name.as_deref().unwrap_or_default(),
        );
        compared.field("delay", &DELAY, &found.delay);
        compared.field("timeout", &TIMEOUT, &found.timeout);
        compared.field("max_retries", &RETRIES, &found.max_retries);
        Ok(compared.seen(found.id.as_str().into(), child(&found.provisioning_status)))
    }
    async fn create(&self, cx: &Cx<'_, OpenStack>) -> Result<Of> {
        let mut body = self.body();
        body["pool_id"] = json!(self.pool(cx)?);
        body["type"] = json!("HTTP");
        let _turn = cx.cloud.turn(&self.balancer).await?;
        let call = cx.cloud.api.post(
            Service::Balancer,
            "/healthmonitors",
            format!("create health monitor `{}`", self.name),
            json!({ "healthmonitor": body }),
        );
        call.answer("healthmonitor").await
    }
    async fn update(&self, cx: &Cx<'_, OpenStack>, facts: &Of, _: &[Difference]) -> Result<()> {
        let body = json!({ "healthmonitor": self.body() });
        let _turn = cx.cloud.turn(&self.balancer).await?;
        let path = format!("/healthmonitors/{}", facts.id);
        cx.cloud
            .api
            .put(
                Service::Balancer,
                path,
                format!("update health monitor `{}`", self.name),
                body,
            )
            .send()
            .await
            .map(drop)
    }
    async fn delete(&self, _: &Cx<'_, OpenStack>, _: &Of) -> Result<()> {
        Ok(())
    }
    fn instant(&self) -> bool {
        true
    }
}
