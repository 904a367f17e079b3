//! A DNS record that leads to the load balancer.

use super::{Compared, zone};
use crate::engine::{Cx, Difference, Error, Kind, Object, Result, Seen};
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
pub struct Recordset {
    pub mark: Mark,
    /// The zone's name, with the dot.
    pub zone: String,
    pub name: String,
    pub address: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct InZone {
    pub id: String,
    pub zone: String,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Listed {
    pub id: String,
    pub name: String,
    #[serde(default, rename = "type")]
    pub kind: String,
    #[serde(default)]
    pub records: Vec<String>,
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

impl Recordset {
    async fn zone_id(&self, cx: &Cx<'_, OpenStack>) -> Result<String> {
        let zones = cx.cloud.zones(cx.cloud.since(false, cx.since)).await?;
        let zone = zones
            .iter()
            .find(|zone| zone.name == self.zone && zone.action != "DELETE");
        let missing = || {
            Error::new(
                Kind::Gone,
                format!("find zone `{}`", self.zone),
                "Designate has no such zone",
            )
            .at("hostname")
        };
        zone.map(|zone| zone.id.clone()).ok_or_else(missing)
    }
}

impl Object<OpenStack> for Recordset {
    const KIND: &'static str = "recordset";
    type Facts = InZone;

    fn id(facts: &InZone) -> String {
        facts.id.clone()
    }
    async fn find(
        &self,
        cx: &Cx<'_, OpenStack>,
        known: Option<&InZone>,
    ) -> Result<Option<Seen<InZone>>> {
        let zone = match known {
            Some(known) => known.zone.clone(),
            None => self.zone_id(cx).await?,
        };
        let list = cx
            .cloud
            .recordsets(&zone, cx.cloud.since(known.is_some(), cx.since))
            .await?;
        let known = known.map(|known| known.id.as_str().into());
        let Some(found) = seek(&list, known.as_ref(), &self.mark) else {
            return Ok(None);
        };
        let mut compared = Compared::default();
        compared.fixed("name", &self.name, &found.name);
        compared.field("records", &vec![self.address.clone()], &found.records);
        Ok(compared.seen(
            InZone {
                id: found.id.clone(),
                zone,
            },
            zone::standing(&found.status, &found.action),
        ))
    }
    async fn create(&self, cx: &Cx<'_, OpenStack>) -> Result<InZone> {
        let zone = self.zone_id(cx).await?;
        let body = json!({ "name": self.name, "type": "A", "records": [self.address], "ttl": 300, "description": self.mark });
        let call = cx.cloud.api.post(
            Service::Dns,
            format!("/zones/{zone}/recordsets"),
            format!("create DNS record `{}`", self.name),
            body,
        );
        let made: Listed = call.whole().await.map_err(|error| error.at("hostname"))?;
        Ok(InZone { id: made.id, zone })
    }
    async fn update(&self, cx: &Cx<'_, OpenStack>, facts: &InZone, _: &[Difference]) -> Result<()> {
        let body = json!({ "records": [self.address], "ttl": 300, "description": self.mark });
        let path = format!("/zones/{}/recordsets/{}", facts.zone, facts.id);
        cx.cloud
            .api
            .put(
                Service::Dns,
                path,
                format!("update DNS record `{}`", self.name),
                body,
            )
            .send()
            .await
            .map(drop)
    }
    async fn delete(&self, cx: &Cx<'_, OpenStack>, facts: &InZone) -> Result<()> {
        let path = format!("/zones/{}/recordsets/{}", facts.zone, facts.id);
        cx.cloud
            .api
            .delete(
                Service::Dns,
                path,
                format!("delete DNS record `{}`", self.name),
            )
            .await
    }
    fn usually(&self) -> Duration {
        Duration::from_secs(3)
    }
}
