//! A port: a machine's place in the network, with its address and security group. It outlives the machine.

use super::{Compared, Link, network::Network, security_group::SecurityGroup};
use crate::engine::{Cx, Difference, Kind, Object, Result, Seen, Standing};
use crate::platform::openstack::{
    OpenStack,
    api::Service,
    lists::{Marked, seek},
    mark::Mark,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::net::Ipv4Addr;

#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Port {
    pub mark: Mark,
    pub name: String,
    pub network: Link<Network>,
    pub subnet: String,
    pub group: Link<SecurityGroup>,
    /// Addresses to ask for, in this order; where all are taken, or none is given, Neutron chooses.
    pub wishes: Vec<Ipv4Addr>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Placed {
    pub id: String,
    pub address: String,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Listed {
    pub id: String,
    #[serde(default)]
    pub name: String,
    #[serde(default)]
    pub description: String,
    #[serde(default)]
    pub network_id: String,
    #[serde(default)]
    pub device_id: String,
    #[serde(default)]
    pub device_owner: String,
    #[serde(default)]
    pub fixed_ips: Vec<FixedIp>,
    #[serde(default)]
    pub security_groups: Vec<String>,
    #[serde(default = "super::network::up")]
    pub admin_state_up: bool,
}

#[derive(Debug, Clone, Deserialize)]
pub struct FixedIp {
    pub subnet_id: String,
    pub ip_address: String,
}

impl Listed {
    pub fn placed(&self) -> Placed {
        let address = self
            .fixed_ips
            .first()
            .map(|ip| ip.ip_address.clone())
            .unwrap_or_default();
        Placed {
            id: self.id.clone(),
            address,
        }
    }
}

impl Marked for Listed {
    fn id(&self) -> &str {
        &self.id
    }
    fn mark(&self) -> &str {
        &self.description
    }
}

impl Object<OpenStack> for Port {
    const KIND: &'static str = "port";
    type Facts = Placed;

    fn id(facts: &Placed) -> String {
        facts.id.clone()
    }
    async fn find(
        &self,
        cx: &Cx<'_, OpenStack>,
        known: Option<&Placed>,
    ) -> Result<Option<Seen<Placed>>> {
        let list = cx
            .cloud
            .ports(cx.cloud.since(known.is_some(), cx.since))
            .await?;
        let known = known.map(|placed| placed.id.as_str().into());
        let Some(found) = seek(&list, known.as_ref(), &self.mark) else {
            return Ok(None);
        };
        let mut compared = Compared::default();
        compared.field("name", &self.name, &found.name);
        compared.field("description", self.mark.as_str(), &found.description);
        compared.field("admin_state_up", &true, &found.admin_state_up);
        if let Ok(group) = self.group.id(cx)
            && !group.is_empty()
        {
            compared.field("security_groups", &vec![group], &found.security_groups);
        }
        Ok(compared.seen(found.placed(), Standing::Ready))
    }
    async fn create(&self, cx: &Cx<'_, OpenStack>) -> Result<Placed> {
        let taken = cx.cloud.ports(cx.cloud.since(false, cx.since)).await?;
        let is_free = |wish: &&Ipv4Addr| {
            let text = wish.to_string();
            !taken.iter().flat_map(|port| &port.fixed_ips).any(|ip| {
                ip.ip_address == text && (self.subnet.is_empty() || ip.subnet_id == self.subnet)
            })
        };
        let mut body = json!({
            "name": self.name, "description": self.mark, "network_id": self.network.id(cx)?, "security_groups": [self.group.id(cx)?],
        });
        let doing = format!("create port `{}`", self.name);
        for wish in self.wishes.iter().filter(is_free) {
            body["fixed_ips"] = json!([{ "subnet_id": self.subnet, "ip_address": wish }]);
            let call = cx.cloud.api.post(
                Service::Network,
                "/ports",
                doing.clone(),
                json!({ "port": body.clone() }),
            );
            match call.answer::<Listed>("port").await {
                Ok(port) => return Ok(port.placed()),
                // Somebody was quicker: the next one.
                Err(error) if error.kind == Kind::Busy => {}
                Err(error) => return Err(error),
            }
        }
        body["fixed_ips"] = json!([{ "subnet_id": self.subnet }]);
        let call = cx
            .cloud
            .api
            .post(Service::Network, "/ports", doing, json!({ "port": body }));
        Ok(call.answer::<Listed>("port").await?.placed())
    }
    async fn update(&self, cx: &Cx<'_, OpenStack>, facts: &Placed, _: &[Difference]) -> Result<()> {
        let body = json!({ "port": {
            "name": self.name, "description": self.mark, "admin_state_up": true, "security_groups": [self.group.id(cx)?],
        } });
        let path = format!("/ports/{}", facts.id);
        cx.cloud
            .api
            .put(
                Service::Network,
                path,
                format!("update port `{}`", self.name),
                body,
            )
            .send()
            .await
            .map(drop)
    }
    async fn delete(&self, cx: &Cx<'_, OpenStack>, facts: &Placed) -> Result<()> {
        cx.cloud
            .api
            .delete(
                Service::Network,
                format!("/ports/{}", facts.id),
                format!("delete port `{}`", self.name),
            )
            .await
    }
    fn instant(&self) -> bool {
        true
    }
}
