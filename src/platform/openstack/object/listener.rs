//! A listener: where the load balancer answers. Its policies go with it.

use super::{
    Compared, Of,
    load_balancer::{child, settled},
    pool::Pool,
    secret::Stored,
};
use crate::engine::{Cx, Difference, Object, Ref, Result, Seen};
use crate::platform::openstack::{
    OpenStack,
    api::{Service, gone_is_fine},
    lists::{Marked, seek},
    mark::Mark,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::time::Duration;

#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Listener {
    pub mark: Mark,
    pub name: String,
    pub balancer: String,
    pub port: u16,
    /// None: it only redirects.
    pub pool: Option<Ref<Pool>>,
    /// The PKCS#12 file; with one it speaks HTTPS.
    pub certificate: Option<Ref<Stored>>,
    pub idle_timeout_millis: u64,
    pub allowed_cidrs: Vec<String>,
    /// What must stand before.
    pub after: Vec<Value>,
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
    pub protocol: String,
    #[serde(default)]
    pub protocol_port: u16,
    #[serde(default)]
    pub default_pool_id: Option<String>,
    #[serde(default)]
    pub default_tls_container_ref: Option<String>,
    #[serde(default)]
    pub timeout_client_data: u64,
    #[serde(default)]
    pub timeout_member_data: u64,
    #[serde(default)]
    pub timeout_member_connect: u64,
    #[serde(default)]
    pub insert_headers: Value,
    #[serde(default = "super::network::up")]
    pub admin_state_up: bool,
}

impl Marked for Listed {
    fn id(&self) -> &str {
        &self.id
    }
    fn mark(&self) -> &str {
        self.description.as_deref().unwrap_or_default()
    }
}

/// A machine next door answers within milliseconds. One that is gone costs whoever asks three such tries, then the next
/// machine is asked; Octavia's own five seconds each would be an outage.
const CONNECT_MILLIS: u64 = 1000;

impl Listener {
    fn protocol(&self) -> &'static str {
        if self.certificate.is_some() {
            "TERMINATED_HTTPS"
        } else {
            "HTTP"
        }
    }
    fn headers(&self) -> Value {
        let mut headers = json!({ "X-Forwarded-For": "true", "X-Forwarded-Port": "true" });
        headers["X-Forwarded-Proto"] = json!("true");
        headers
    }
    fn body(&self, cx: &Cx<'_, OpenStack>) -> Result<Value> {
        let mut body = json!({
            "name": self.name, "description": self.mark, "admin_state_up": true, "insert_headers": self.headers(),
            "timeout_client_data": self.idle_timeout_millis, "timeout_member_data": self.idle_timeout_millis,
            "timeout_member_connect": CONNECT_MILLIS,
        });
        if let Some(pool) = &self.pool {
            body["default_pool_id"] = json!(cx.facts(pool)?.id);
        }
        if let Some(certificate) = &self.certificate {
            body["default_tls_container_ref"] = json!(cx.facts(certificate)?.reference);
        }
        Ok(body)
    }
}

impl Object<OpenStack> for Listener {
    const KIND: &'static str = "listener";
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
            .listeners(cx.cloud.since(known.is_some(), cx.since))
            .await?;
        let Some(found) = seek(&list, known, &self.mark) else {
            return Ok(None);
        };
        let mut compared = Compared::default();
        compared.field("name", &self.name, &found.name);
        compared.fixed("protocol", self.protocol(), found.protocol.as_str());
        compared.fixed("protocol_port", &self.port, &found.protocol_port);
        compared.field("admin_state_up", &true, &found.admin_state_up);
        compared.field(
            "idle_timeout",
            &self.idle_timeout_millis,
            &found.timeout_client_data,
        );
        compared.field(
            "idle_timeout",
            &self.idle_timeout_millis,
            &found.timeout_member_data,
        );
        compared.field(
            "timeout_member_connect",
            &CONNECT_MILLIS,
            &found.timeout_member_connect,
        );
        compared.field("insert_headers", &self.headers(), &found.insert_headers);
        // One that is not stored yet is another one.
        let certificate = self.certificate.as_ref().and_then(|it| cx.facts(it).ok());
        compared.field(
            "certificate",
            certificate
                .map(|it| it.reference)
                .unwrap_or_default()
                .as_str(),
            found
                .default_tls_container_ref
                .as_deref()
                .unwrap_or_default(),
        );
        if let Some(pool) = &self.pool
            && let Ok(pool) = cx.facts(pool)
        {
            compared.field(
                "pool",
                pool.id.as_str(),
                found.default_pool_id.as_deref().unwrap_or_default(),
            );
        }
        Ok(compared.seen(found.id.as_str().into(), child(&found.provisioning_status)))
    }
    async fn create(&self, cx: &Cx<'_, OpenStack>) -> Result<Of> {
        let mut body = self.body(cx)?;
        body["loadbalancer_id"] = json!(self.balancer);
        body["protocol"] = json!(self.protocol());
        body["protocol_port"] = json!(self.port);
        if !self.allowed_cidrs.is_empty() && !cx.cloud.own_vip_groups().await? {
            body["allowed_cidrs"] = json!(self.allowed_cidrs);
        }
        let _turn = cx.cloud.turn(&self.balancer).await?;
        let call = cx.cloud.api.post(
            Service::Balancer,
            "/listeners",
            format!("create listener `{}`", self.name),
            json!({ "listener": body }),
        );
        call.answer("listener").await
    }
    async fn update(&self, cx: &Cx<'_, OpenStack>, facts: &Of, _: &[Difference]) -> Result<()> {
        let body = json!({ "listener": self.body(cx)? });
        let _turn = cx.cloud.turn(&self.balancer).await?;
        let path = format!("/listeners/{}", facts.id);
        cx.cloud
            .api
            .put(
                Service::Balancer,
                path,
                format!("update listener `{}`", self.name),
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
                format!("/listeners/{}", facts.id),
                format!("delete listener `{}`", self.name),
            )
            .await?;
        if self.certificate.is_none() || self.balancer.is_empty() {
            return Ok(());
        }
        // The balancer reads the certificate once more to let go of it: were it gone by then, the balancer would stay
        // busy for ever.
        settled(cx.cloud, &self.balancer)
            .await
            .map(drop)
            .or_else(gone_is_fine)
    }
    fn usually(&self) -> Duration {
        Duration::from_millis(600)
    }
    /// A redirecting listener is followed by others, who wait for the balancer themselves.
    fn instant(&self) -> bool {
        self.pool.is_none()
    }
}
