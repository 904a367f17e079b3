//! The load balancer: the environment's front door, without listeners. The slowest of all, so nobody waits for it who
//! need not.

mod twins;

use super::{Compared, security_group::SecurityGroup, subnet::Subnet};
use super::{Link, Of};
use crate::engine::{Cx, Difference, Error, Kind, Object, Ref, Result, Seen, Standing, waits_for};
use crate::platform::openstack::{
    OpenStack,
    api::Service,
    lists::Marked,
    mark::Mark,
    tags::{self, Tags},
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::time::{Duration, Instant};

#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub struct LoadBalancer {
    pub mark: Mark,
    pub name: String,
    pub subnet: Link<Subnet>,
    pub group: Option<Ref<SecurityGroup>>,
    pub provider: Option<String>,
    /// The flavor's name or id.
    pub flavor: Option<String>,
    pub tags: Tags,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Balancer {
    pub id: String,
    pub vip_port: String,
    pub vip_address: String,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Listed {
    pub id: String,
    #[serde(default)]
    pub name: String,
    #[serde(default)]
    pub description: Option<String>,
    pub provisioning_status: String,
    #[serde(default)]
    pub operating_status: String,
    #[serde(default)]
    pub vip_port_id: Option<String>,
    #[serde(default)]
    pub vip_address: Option<String>,
    #[serde(default)]
    vip_subnet_id: Option<String>,
    /// ISO 8601, to the second: as text the older one is the lesser one.
    #[serde(default)]
    created_at: String,
    #[serde(default)]
    listeners: Vec<Of>,
    #[serde(default)]
    pools: Vec<Of>,
    #[serde(default)]
    pub provider: Option<String>,
    #[serde(default)]
    pub vip_sg_ids: Option<Vec<String>>,
    #[serde(default)]
    pub tags: Vec<String>,
    #[serde(default = "super::network::up")]
    pub admin_state_up: bool,
}

impl Listed {
    fn balancer(&self) -> Balancer {
        Balancer {
            id: self.id.clone(),
            vip_port: self.vip_port_id.clone().unwrap_or_default(),
            vip_address: self.vip_address.clone().unwrap_or_default(),
        }
    }
}

impl Marked for Listed {
    fn id(&self) -> &str {
        &self.id
    }
    fn mark(&self) -> &str {
        self.description.as_deref().unwrap_or_default()
    }
}

/// How Octavia's `provisioning_status` reads.
pub fn standing(status: &str) -> Standing {
    match status {
        "ACTIVE" => Standing::Ready,
        "ERROR" => Standing::Broken("provisioning_status is ERROR".to_owned()),
        "PENDING_DELETE" | "DELETED" => Standing::Leaving,
        other => Standing::Pending(other.to_owned()),
    }
}

/// The same for what hangs on a balancer. That it is being updated says only that something beside it changes.
pub fn child(status: &str) -> Standing {
    match status {
        "PENDING_UPDATE" => Standing::Ready,
        other => standing(other),
    }
}

/// How long one change of a balancer may keep the next one waiting before the run is told so.
const SETTLES: Duration = Duration::from_secs(90);

/// Returns when the balancer takes a change, and whether it was busy when first looked at. While one holds its turn this
/// is the only look at it.
///
/// # Errors
/// `Busy` if it stays pending, `Broken` if it has failed, `Gone` if it is not there.
pub async fn settled(cloud: &OpenStack, balancer: &str) -> Result<bool> {
    let began = Instant::now();
    // its state is what a deadline tells of, also while it is asked for anew
    let mut waits = None;
    loop {
        let doing = "wait for the load balancer";
        let found: Listed = cloud
            .api
            .get(
                Service::Balancer,
                format!("/loadbalancers/{balancer}"),
                doing,
            )
            .answer("loadbalancer")
            .await?;
        match standing(&found.provisioning_status) {
            Standing::Ready => return Ok(waits.is_some()),
            Standing::Broken(why) => {
                let error = Error::new(Kind::Broken, doing, format!("{balancer}: {why}"));
                return Err(error.remedy("ask the cloud's operators for a failover of it, or replace the environment's load balancer"));
            }
            Standing::Leaving => {
                return Err(Error::new(
                    Kind::Gone,
                    doing,
                    format!("{balancer} is being deleted"),
                ));
            }
            Standing::Pending(state) if began.elapsed() > SETTLES => {
                return Err(Error::new(
                    Kind::Busy,
                    doing,
                    format!("load balancer {balancer} is {state}"),
                ));
            }
            Standing::Pending(state) => {
                // the one before ends first: each gives back what it found
                drop(waits.take());
                waits = Some(waits_for(format!("load balancer {balancer} is {state}")));
                tokio::time::sleep(pause(began.elapsed())).await;
            }
        }
    }
}

fn pause(waited: Duration) -> Duration {
    (waited / 3).clamp(Duration::from_millis(250), Duration::from_secs(3))
}

impl LoadBalancer {
    fn groups(&self, cx: &Cx<'_, OpenStack>) -> Result<Vec<String>> {
        self.group
            .iter()
            .map(|group| Ok(cx.facts(group)?.id))
            .collect()
    }
}

impl Object<OpenStack> for LoadBalancer {
    const KIND: &'static str = "load_balancer";
    type Facts = Balancer;

    fn id(facts: &Balancer) -> String {
        facts.id.clone()
    }
    async fn find(
        &self,
        cx: &Cx<'_, OpenStack>,
        known: Option<&Balancer>,
    ) -> Result<Option<Seen<Balancer>>> {
        let list = cx
            .cloud
            .balancers(cx.cloud.since(known.is_some(), cx.since))
            .await?;
        let known = known.map(|balancer| balancer.id.as_str());
        let Some(found) =
            twins::seek(&list, known, &self.mark)?.filter(|it| it.provisioning_status != "DELETED")
        else {
            return Ok(None);
        };
        let mut compared = Compared::default();
        compared.field("name", &self.name, &found.name);
        compared.field("description", self.mark.as_str(), found.mark());
        compared.field("admin_state_up", &true, &found.admin_state_up);
        compared.field(
            "tags",
            &sorted(&tags::plain(&self.tags)),
            &sorted(&found.tags),
        );
        let twins = list.iter().filter(|it| it.is_twin_of(found)).count();
        compared.field(twins::FIELD, &0, &twins);
        if let Some(provider) = self
            .provider
            .as_deref()
            .filter(|it| *it != "amphora" && *it != "octavia")
        {
            compared.fixed(
                "provider",
                provider,
                found.provider.as_deref().unwrap_or_default(),
            );
        }
        // Absent in older Octavia: there its own group stands before the balancer.
        if let (Some(groups), Ok(wanted)) = (&found.vip_sg_ids, self.groups(cx)) {
            compared.field("security_groups", &sorted(&wanted), &sorted(groups));
        }
        Ok(compared.seen(found.balancer(), standing(&found.provisioning_status)))
    }
    async fn create(&self, cx: &Cx<'_, OpenStack>) -> Result<Balancer> {
        let doing = format!("create load balancer `{}`", self.name);
        let mut body = json!({
            "name": self.name, "description": self.mark, "vip_subnet_id": self.subnet.id(cx)?, "admin_state_up": true, "tags": tags::plain(&self.tags),
        });
        if cx.cloud.own_vip_groups().await? {
            body["vip_sg_ids"] = json!(self.groups(cx)?);
        }
        if let Some(provider) = &self.provider {
            body["provider"] = json!(provider);
        }
        if let Some(flavor) = &self.flavor {
            body["flavor_id"] = json!(cx.cloud.balancer_flavor(flavor).await?);
        }
        let call = cx.cloud.api.post(
            Service::Balancer,
            "/loadbalancers",
            doing,
            json!({ "loadbalancer": body }),
        );
        Ok(call.answer::<Listed>("loadbalancer").await?.balancer())
    }
    async fn update(
        &self,
        cx: &Cx<'_, OpenStack>,
        facts: &Balancer,
        differences: &[Difference],
    ) -> Result<()> {
        if differences.iter().any(|it| it.field == twins::FIELD) {
            twins::remove(cx, facts).await?;
        }
        if differences.iter().all(|it| it.field == twins::FIELD) {
            return Ok(());
        }
        let mut body = json!({ "name": self.name, "description": self.mark, "admin_state_up": true, "tags": tags::plain(&self.tags) });
        if cx.cloud.own_vip_groups().await? {
            body["vip_sg_ids"] = json!(self.groups(cx)?);
        }
        let _turn = cx.cloud.turn(&facts.id).await?;
        let path = format!("/loadbalancers/{}", facts.id);
        cx.cloud
            .api
            .put(
                Service::Balancer,
                path,
                format!("update load balancer `{}`", self.name),
                json!({ "loadbalancer": body }),
            )
            .send()
            .await
            .map(drop)
    }
    async fn delete(&self, cx: &Cx<'_, OpenStack>, facts: &Balancer) -> Result<()> {
        // It may have failed, and must go all the same; if it is busy it says so.
        let path = format!("/loadbalancers/{}?cascade=true", facts.id);
        cx.cloud
            .api
            .delete(
                Service::Balancer,
                path,
                format!("delete load balancer `{}`", self.name),
            )
            .await
    }
    fn awaited(&self) -> bool {
        false
    }
    fn usually(&self) -> Duration {
        Duration::from_secs(2)
    }
}

fn sorted(items: &[String]) -> Vec<String> {
    let mut items = items.to_vec();
    items.sort();
    items
}

#[derive(Deserialize)]
struct Flavor {
    id: String,
    name: String,
}

impl OpenStack {
    async fn balancer_flavor(&self, wanted: &str) -> Result<String> {
        let flavors: Vec<Flavor> = self
            .api
            .list(Service::Balancer, "/flavors", "flavors", None)
            .await?;
        let found = flavors
            .iter()
            .find(|flavor| flavor.id == wanted || flavor.name == wanted);
        found.map(|flavor| flavor.id.clone()).ok_or_else(|| {
            let known: Vec<_> = flavors.iter().map(|flavor| flavor.name.as_str()).collect();
            Error::fatal(
                "find the load balancer's flavor",
                format!(
                    "Octavia has no flavor `{wanted}`; it has: {}",
                    known.join(", ")
                ),
            )
            .at("load_balancer.flavor")
        })
    }
    /// Names and ids of Octavia's flavors.
    pub async fn balancer_flavors(&self) -> Result<Vec<String>> {
        let flavors: Vec<Flavor> = self
            .api
            .list(Service::Balancer, "/flavors", "flavors", None)
            .await?;
        Ok(flavors
            .into_iter()
            .flat_map(|flavor| [flavor.name, flavor.id])
            .collect())
    }
}
