//! A floating address on a load balancer. It has no name: its description is its mark.

use super::{Compared, interface::Interface, load_balancer::LoadBalancer};
use crate::engine::{Cx, Difference, Error, Kind, Made, Object, Ref, Result, Seen, Standing};
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
pub struct FloatingIp {
    pub mark: Mark,
    pub external_network: String,
    pub balancer: Option<Made<LoadBalancer>>,
    /// Neutron must know the way from the external network to the balancer.
    pub reached_through: Option<Ref<Interface>>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Address {
    pub id: String,
    pub address: String,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Listed {
    pub id: String,
    #[serde(default)]
    pub description: String,
    pub floating_ip_address: String,
    #[serde(default)]
    pub floating_network_id: String,
    #[serde(default)]
    pub port_id: Option<String>,
    #[serde(default)]
    pub status: String,
}

impl Marked for Listed {
    fn id(&self) -> &str {
        &self.id
    }
    fn mark(&self) -> &str {
        &self.description
    }
}

impl Listed {
    fn address(&self) -> Address {
        Address {
            id: self.id.clone(),
            address: self.floating_ip_address.clone(),
        }
    }
}

impl FloatingIp {
    fn port(&self, cx: &Cx<'_, OpenStack>) -> Result<String> {
        match &self.balancer {
            Some(balancer) => Ok(cx.made(balancer)?.vip_port),
            None => Err(Error::new(
                Kind::Gone,
                "find the balancer's port",
                "its balancer is not known",
            )),
        }
    }
}

impl Object<OpenStack> for FloatingIp {
    const KIND: &'static str = "floating_ip";
    type Facts = Address;

    fn id(facts: &Address) -> String {
        facts.id.clone()
    }
    async fn find(
        &self,
        cx: &Cx<'_, OpenStack>,
        known: Option<&Address>,
    ) -> Result<Option<Seen<Address>>> {
        let list = cx
            .cloud
            .floating_ips(cx.cloud.since(known.is_some(), cx.since))
            .await?;
        let known = known.map(|address| address.id.as_str().into());
        let Some(found) = seek_only(&list, known.as_ref(), &self.mark)? else {
            return Ok(None);
        };
        let mut compared = Compared::default();
        compared.field("description", self.mark.as_str(), &found.description);
        if let Ok(port) = self.port(cx) {
            compared.field("port", &port, &found.port_id.clone().unwrap_or_default());
        }
        Ok(compared.seen(found.address(), Standing::Ready))
    }
    async fn create(&self, cx: &Cx<'_, OpenStack>) -> Result<Address> {
        let network = cx
            .cloud
            .external_network(&self.external_network, cx.since)
            .await?;
        let body = json!({ "floatingip": { "floating_network_id": network, "port_id": self.port(cx)?, "description": self.mark } });
        let call = cx.cloud.api.post(
            Service::Network,
            "/floatingips",
            "create the public address",
            body,
        );
        match call.answer::<Listed>("floatingip").await {
            Ok(found) => Ok(found.address()),
            // The network's pool is empty: nothing that trying again could mend.
            Err(error) if error.kind == Kind::Fatal => Err(error.at("network.external_network")),
            Err(error) => Err(error),
        }
    }
    async fn update(
        &self,
        cx: &Cx<'_, OpenStack>,
        facts: &Address,
        _: &[Difference],
    ) -> Result<()> {
        let body = json!({ "floatingip": { "port_id": self.port(cx)?, "description": self.mark } });
        let path = format!("/floatingips/{}", facts.id);
        cx.cloud
            .api
            .put(Service::Network, path, "update the public address", body)
            .send()
            .await
            .map(drop)
    }
    async fn delete(&self, cx: &Cx<'_, OpenStack>, facts: &Address) -> Result<()> {
        cx.cloud
            .api
            .delete(
                Service::Network,
                format!("/floatingips/{}", facts.id),
                "release the public address",
            )
            .await
    }
    fn instant(&self) -> bool {
        true
    }
}
