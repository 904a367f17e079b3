//! A router's leg in a subnet. It bears no mark of its own: it is the router's port there.

use super::{ready, router::Router, subnet::Subnet};
use crate::engine::{Cx, Difference, Kind, Object, Ref, Result, Seen};
use crate::platform::openstack::{OpenStack, api::Service};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Interface {
    pub router: Option<Ref<Router>>,
    pub subnet: Option<Ref<Subnet>>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Leg {
    pub id: String,
    pub router: String,
    pub subnet: String,
}

impl Interface {
    fn ends(&self, cx: &Cx<'_, OpenStack>) -> Result<(String, String)> {
        let gone = || {
            crate::engine::Error::new(
                Kind::Gone,
                "find the router's interface",
                "its router or subnet is not known",
            )
        };
        let router = cx.facts(self.router.as_ref().ok_or_else(gone)?)?.id;
        let subnet = cx.facts(self.subnet.as_ref().ok_or_else(gone)?)?.id;
        Ok((router, subnet))
    }
}

impl Object<OpenStack> for Interface {
    const KIND: &'static str = "router_interface";
    type Facts = Leg;

    fn id(facts: &Leg) -> String {
        facts.id.clone()
    }
    async fn find(&self, cx: &Cx<'_, OpenStack>, known: Option<&Leg>) -> Result<Option<Seen<Leg>>> {
        let (router, subnet) = self.ends(cx)?;
        let list = cx
            .cloud
            .ports(cx.cloud.since(known.is_some(), cx.since))
            .await?;
        let leg = list.iter().find(|port| {
            port.device_id == router
                && port.device_owner.contains("router_interface")
                && port.fixed_ips.iter().any(|ip| ip.subnet_id == subnet)
        });
        Ok(leg.and_then(|port| {
            ready(Leg {
                id: port.id.clone(),
                router,
                subnet,
            })
        }))
    }
    async fn create(&self, cx: &Cx<'_, OpenStack>) -> Result<Leg> {
        let (router, subnet) = self.ends(cx)?;
        let path = format!("/routers/{router}/add_router_interface");
        let call = cx.cloud.api.put(
            Service::Network,
            path,
            "put the router into the subnet",
            json!({ "subnet_id": subnet }),
        );
        let answer: Value = call.json_answer().await?;
        let id = answer["port_id"].as_str().unwrap_or_default().to_owned();
        Ok(Leg { id, router, subnet })
    }
    async fn update(&self, _: &Cx<'_, OpenStack>, _: &Leg, _: &[Difference]) -> Result<()> {
        Ok(())
    }
    async fn delete(&self, cx: &Cx<'_, OpenStack>, facts: &Leg) -> Result<()> {
        let path = format!("/routers/{}/remove_router_interface", facts.router);
        let call = cx.cloud.api.put(
            Service::Network,
            path,
            "take the router out of the subnet",
            json!({ "subnet_id": facts.subnet }),
        );
        match call.send().await {
            Err(error) if error.kind == Kind::Gone => Ok(()),
            answer => answer.map(drop),
        }
    }
    fn instant(&self) -> bool {
        true
    }
}
