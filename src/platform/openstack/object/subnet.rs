//! A subnet. The upper half of its range is for Neutron to give away (balancers, DHCP); the lower half is for addresses
//! that we choose ourselves.

use super::{Compared, Of, network::Network};
use crate::engine::{Cx, Difference, Error, Moment, Object, Ref, Result, Seen, Standing};
use crate::platform::openstack::{
    OpenStack,
    api::Service,
    lists::{Marked, seek},
    mark::Mark,
};
use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::net::Ipv4Addr;

#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Subnet {
    pub mark: Mark,
    pub name: String,
    pub network: Option<Ref<Network>>,
    pub cidr: Ipv4Net,
    pub nameservers: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Listed {
    pub id: String,
    #[serde(default)]
    pub name: String,
    #[serde(default)]
    pub description: String,
    pub network_id: String,
    pub cidr: String,
    #[serde(default)]
    pub ip_version: u8,
    #[serde(default)]
    pub dns_nameservers: Vec<String>,
    #[serde(default)]
    pub enable_dhcp: bool,
    #[serde(default)]
    pub gateway_ip: Option<String>,
}

impl Marked for Listed {
    fn id(&self) -> &str {
        &self.id
    }
    fn mark(&self) -> &str {
        &self.description
    }
}

/// The half of a range that Neutron gives addresses from.
pub fn pool(cidr: Ipv4Net) -> Ipv4Net {
    cidr.subnets((cidr.prefix_len() + 1).min(32))
        .ok()
        .and_then(|halves| halves.last())
        .unwrap_or(cidr)
}

/// The addresses of a range that we choose from: the lower half without network and gateway.
pub fn own_addresses(cidr: Ipv4Net) -> (u32, u32) {
    let first = u32::from(cidr.network()) + 2;
    let last = u32::from(pool(cidr).network()).saturating_sub(1);
    (first, last)
}

impl OpenStack {
    /// The range of a subnet that stands already.
    pub async fn range_of(&self, subnet: &str, since: Moment) -> Result<String> {
        let list = self.subnets(self.since(false, since)).await?;
        let found = list.iter().find(|it| it.id == subnet);
        found.map(|it| it.cidr.clone()).ok_or_else(|| {
            Error::fatal("find the subnet", format!("there is no subnet {subnet}"))
                .at("network.existing.subnet_id")
        })
    }
}

impl Subnet {
    fn body(&self) -> Value {
        json!({ "name": self.name, "description": self.mark, "dns_nameservers": self.nameservers, "enable_dhcp": true })
    }
}

impl Object<OpenStack> for Subnet {
    const KIND: &'static str = "subnet";
    type Facts = Of;

    fn id(facts: &Of) -> String {
        facts.id.clone()
    }
    async fn find(&self, cx: &Cx<'_, OpenStack>, known: Option<&Of>) -> Result<Option<Seen<Of>>> {
        let list = cx
            .cloud
            .subnets(cx.cloud.since(known.is_some(), cx.since))
            .await?;
        let Some(found) = seek(&list, known, &self.mark) else {
            return Ok(None);
        };
        let mut compared = Compared::default();
        compared.field("name", &self.name, &found.name);
        compared.field("description", self.mark.as_str(), &found.description);
        compared.fixed("cidr", &self.cidr.to_string(), &found.cidr);
        compared.field("dns_nameservers", &self.nameservers, &found.dns_nameservers);
        compared.field("enable_dhcp", &true, &found.enable_dhcp);
        Ok(compared.seen(found.id.as_str().into(), Standing::Ready))
    }
    async fn create(&self, cx: &Cx<'_, OpenStack>) -> Result<Of> {
        let network = match &self.network {
            Some(network) => cx.facts(network)?.id,
            None => String::new(),
        };
        let pool = pool(self.cidr);
        let last = Ipv4Addr::from(u32::from(pool.broadcast()) - 1);
        let mut body = self.body();
        body["network_id"] = json!(network);
        body["ip_version"] = json!(4);
        body["cidr"] = json!(self.cidr);
        body["allocation_pools"] = json!([{ "start": pool.network(), "end": last }]);
        let call = cx.cloud.api.post(
            Service::Network,
            "/subnets",
            format!("create subnet `{}`", self.name),
            json!({ "subnet": body }),
        );
        call.answer("subnet").await
    }
    async fn update(&self, cx: &Cx<'_, OpenStack>, facts: &Of, _: &[Difference]) -> Result<()> {
        let path = format!("/subnets/{}", facts.id);
        cx.cloud
            .api
            .put(
                Service::Network,
                path,
                format!("update subnet `{}`", self.name),
                json!({ "subnet": self.body() }),
            )
            .send()
            .await
            .map(drop)
    }
    async fn delete(&self, cx: &Cx<'_, OpenStack>, facts: &Of) -> Result<()> {
        cx.cloud
            .api
            .delete(
                Service::Network,
                format!("/subnets/{}", facts.id),
                format!("delete subnet `{}`", self.name),
            )
            .await
    }
    fn instant(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_addresses_and_neutron_s_never_meet() {
        for cidr in [
            "10.20.0.0/24",
            "10.0.0.0/28",
            "192.168.0.0/16",
            "10.0.0.64/29",
        ] {
            let cidr: Ipv4Net = cidr.parse().unwrap();
            let (first, last) = own_addresses(cidr);
            assert!(
                first > u32::from(cidr.network()) + 1 && last < u32::from(pool(cidr).network()),
                "{cidr}"
            );
            assert_eq!(pool(cidr).broadcast(), cidr.broadcast());
        }
    }
}
