//! What a plan takes from the project's quotas beyond what it has, and what is left of them.

use super::super::{
    OpenStack,
    api::Service,
    lists::{Marked, VOLUME},
    object::{
        floating_ip::FloatingIp, load_balancer::LoadBalancer, network::Network, port::Port,
        router::Router, rules::Rules, security_group::SecurityGroup, server::Server,
        server_group::ServerGroup, subnet::Subnet, volume::Volume,
    },
};
use crate::engine::{Journal, Kind, Object, Order, Result, Slot};
use crate::platform::{Demand, Host};
use crate::site::{Finding, Site, Thing};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// What is left of each quota, by our own names. Absent: no limit, or nobody says.
type Room = BTreeMap<&'static str, (u64, u64)>;

pub async fn demands(
    cloud: &OpenStack,
    site: &Site,
    journal: &Journal,
    findings: &mut Vec<Finding>,
) -> Result<Vec<Demand>> {
    if needs(cloud, site, journal, &BTreeSet::new())
        .await?
        .is_empty()
    {
        return Ok(Vec::new());
    }
    let room = match cloud.room.get_or_try_init(|| room(cloud)).await {
        Ok(room) => room,
        // Some clouds hide quotas: then apply will tell.
        Err(error) if error.kind == Kind::Fatal => {
            findings.push(Finding::warn(
                "",
                "The quotas cannot be read",
                error.to_string(),
            ));
            return Ok(Vec::new());
        }
        Err(error) => return Err(error),
    };
    // What an earlier apply has made bears its mark, though the state knows nothing of it.
    let standing = standing(cloud, site, room).await?;
    let needs = needs(cloud, site, journal, &standing).await?;
    let demand = |(quota, amount): (&'static str, u64)| {
        let left = room.get(quota);
        Demand {
            quota,
            amount,
            free: left.map(|it| it.0),
            limit: left.map(|it| it.1),
            at: blamed(&site.thing, quota).to_owned(),
        }
    };
    Ok(needs.into_iter().map(demand).collect())
}

/// The field to blame if it does not fit.
fn blamed(thing: &Thing, quota: &str) -> &'static str {
    match (thing, quota) {
        (Thing::Instance(_), "cores" | "ram_mib" | "instances" | "ports") => "web.nodes",
        (Thing::Service(_), "cores" | "ram_mib") => "size",
        (Thing::Service(_), "gigabytes") => "disk_gib",
        (Thing::Service(_), "instances" | "volumes" | "ports") => "nodes",
        (Thing::Environment(_), "networks" | "subnets" | "routers") => "network",
        (Thing::Environment(_), "floating_ips") => "network.external_network",
        (Thing::Environment(_), "load_balancers") => "load_balancer",
        _ => "",
    }
}

/// The amounts that steps need which do not exist yet.
async fn needs(
    cloud: &OpenStack,
    site: &Site,
    journal: &Journal,
    marks: &BTreeSet<String>,
) -> Result<BTreeMap<&'static str, u64>> {
    let graph = cloud.plan(site)?.describe();
    let mut needs: BTreeMap<&'static str, u64> = BTreeMap::new();
    let stands: BTreeMap<String, Value> = journal
        .entries()
        .into_iter()
        .filter(|(_, entry)| entry.facts.is_some())
        .map(|(step, entry)| (step, entry.spec))
        .collect();
    let occupied: BTreeSet<(String, u32)> = journal
        .entries()
        .into_iter()
        .filter(|(_, entry)| entry.facts.is_some())
        .filter_map(|(_, entry)| entry.slot.map(|it| (it.group, it.index)))
        .collect();
    let mut rolling = BTreeSet::new();
    for (step, planned) in graph.as_object().into_iter().flatten() {
        let (kind, spec) = (
            planned["kind"].as_str().unwrap_or_default(),
            &planned["spec"],
        );
        let mut take = |quota, amount| *needs.entry(quota).or_default() += amount;
        if let Some(old) = stands.get(step) {
            if kind == Volume::KIND {
                let size = |spec: &Value| spec["size_gib"].as_u64().unwrap_or_default();
                take("gigabytes", size(spec).saturating_sub(size(old)));
            }
            continue;
        }
        // Rules have no mark of their own: they came with their group.
        let group = spec["group"]["$ref"]
            .as_str()
            .filter(|_| kind == Rules::KIND);
        let group = group.map(|step| &graph[step]["spec"]["mark"]);
        let mark = group.unwrap_or(&spec["mark"]).as_str();
        if mark.is_some_and(|mark| !mark.is_empty() && marks.contains(mark)) {
            continue;
        }
        let slot: Option<Slot> = serde_json::from_value(planned["slot"].clone())
            .ok()
            .flatten();
        if let Some(slot) = slot.filter(|slot| occupied.contains(&(slot.group.clone(), slot.index)))
        {
            // The old one goes first; or machines are changed one by one, so there is one too many at a time.
            if slot.order == Order::RemoveFirst || !rolling.insert((slot.group, kind.to_owned())) {
                continue;
            }
        }
        match kind {
            Server::KIND => {
                take("instances", 1);
                // A flavor that is not there was refused before.
                if let Ok(flavor) = cloud
                    .flavor(spec["flavor"].as_str().unwrap_or_default(), cloud.epoch())
                    .await
                {
                    take("cores", u64::from(flavor.vcpus));
                    take("ram_mib", u64::from(flavor.ram));
                }
            }
            Volume::KIND => {
                take("volumes", 1);
                take("gigabytes", spec["size_gib"].as_u64().unwrap_or_default());
            }
            Rules::KIND => take(
                "security_group_rules",
                spec["ingress"].as_array().map_or(0, |it| it.len() as u64),
            ),
            // Two rules let everything out of each new group.
            SecurityGroup::KIND => {
                take("security_groups", 1);
                take("security_group_rules", 2);
            }
            // The balancer's own port and those of its machines.
            LoadBalancer::KIND => {
                take("load_balancers", 1);
                take("ports", 2);
            }
            Network::KIND => {
                take("networks", 1);
                // DHCP has one.
                take("ports", 1);
            }
            Router::KIND => {
                take("routers", 1);
                take("ports", 1);
            }
            Port::KIND => take("ports", 1),
            Subnet::KIND => take("subnets", 1),
            FloatingIp::KIND => take("floating_ips", 1),
            ServerGroup::KIND => take("server_groups", 1),
            _ => {}
        }
    }
    needs.retain(|_, amount| *amount > 0);
    Ok(needs)
}

/// The marks of the thing's kinds of object that stand already. Where nothing of a quota is used, nothing can stand.
async fn standing(cloud: &OpenStack, site: &Site, room: &Room) -> Result<BTreeSet<String>> {
    let used = |quota: &str, usual: u64| {
        room.get(quota)
            .is_none_or(|(free, limit)| limit - free > usual)
    };
    let since = cloud.epoch();
    let mut marks = BTreeSet::new();
    let mut note = |mark: &str| marks.extend([mark.to_owned()]);
    match &site.thing {
        Thing::Environment(_) => {
            if used("networks", 0) {
                cloud
                    .networks(since)
                    .await?
                    .iter()
                    .for_each(|it| note(it.mark()));
                cloud
                    .subnets(since)
                    .await?
                    .iter()
                    .for_each(|it| note(it.mark()));
            }
            if used("routers", 0) {
                cloud
                    .routers(since)
                    .await?
                    .iter()
                    .for_each(|it| note(it.mark()));
            }
            // Every project has a group of its own.
            if used("security_groups", 1) {
                cloud
                    .security_groups(since)
                    .await?
                    .iter()
                    .for_each(|it| note(it.mark()));
            }
            if used("server_groups", 0) {
                cloud
                    .server_groups(since)
                    .await?
                    .iter()
                    .for_each(|it| note(it.mark()));
            }
            if used("floating_ips", 0) {
                cloud
                    .floating_ips(since)
                    .await?
                    .iter()
                    .for_each(|it| note(it.mark()));
            }
            if cloud.offers.balancer && used("load_balancers", 0) {
                cloud
                    .balancers(since)
                    .await?
                    .iter()
                    .for_each(|it| note(it.mark()));
            }
        }
        Thing::Service(_) | Thing::Instance(_) => {
            if used("instances", 0) {
                cloud
                    .servers(since)
                    .await?
                    .iter()
                    .for_each(|it| note(it.mark()));
            }
            if used("volumes", 0) {
                cloud
                    .volumes(since)
                    .await?
                    .iter()
                    .for_each(|it| note(it.mark()));
            }
            if used("ports", 0) {
                cloud
                    .ports(since)
                    .await?
                    .iter()
                    .for_each(|it| note(it.mark()));
            }
        }
        _ => {}
    }
    Ok(marks)
}

async fn room(cloud: &OpenStack) -> Result<Room> {
    let project = &cloud.project_id;
    let compute = async {
        cloud
            .api
            .get(Service::Compute, "/limits", "read Nova's quotas")
            .json_answer()
            .await
    };
    let volume = async {
        cloud
            .api
            .get(Service::Volume, "/limits", "read Cinder's quotas")
            .microversion(VOLUME)
            .json_answer()
            .await
    };
    let network = async {
        cloud
            .api
            .get(
                Service::Network,
                format!("/quotas/{project}/details.json"),
                "read Neutron's quotas",
            )
            .json_answer()
            .await
    };
    let balancer = async {
        if !cloud.offers.balancer {
            return Ok(Value::Null);
        }
        cloud
            .api
            .get(
                Service::Balancer,
                format!("/quotas/{project}"),
                "read Octavia's quotas",
            )
            .json_answer()
            .await
    };
    let (compute, volume, network, balancer) =
        futures::try_join!(compute, volume, network, balancer)?;
    let mut room = Room::new();
    let absolute = |body: &Value, limit: &str, used: &str| -> Option<(u64, u64)> {
        let of = &body["limits"]["absolute"];
        left(of[limit].as_i64()?, of[used].as_u64().unwrap_or_default())
    };
    let mut note = |quota, found: Option<(u64, u64)>| room.extend(found.map(|it| (quota, it)));
    note(
        "cores",
        absolute(&compute, "maxTotalCores", "totalCoresUsed"),
    );
    note(
        "ram_mib",
        absolute(&compute, "maxTotalRAMSize", "totalRAMUsed"),
    );
    note(
        "instances",
        absolute(&compute, "maxTotalInstances", "totalInstancesUsed"),
    );
    note(
        "server_groups",
        absolute(&compute, "maxServerGroups", "totalServerGroupsUsed"),
    );
    note(
        "volumes",
        absolute(&volume, "maxTotalVolumes", "totalVolumesUsed"),
    );
    note(
        "gigabytes",
        absolute(&volume, "maxTotalVolumeGigabytes", "totalGigabytesUsed"),
    );
    for (quota, theirs) in [
        ("networks", "network"),
        ("subnets", "subnet"),
        ("routers", "router"),
        ("ports", "port"),
        ("floating_ips", "floatingip"),
        ("security_groups", "security_group"),
        ("security_group_rules", "security_group_rule"),
    ] {
        let of = &network["quota"][theirs];
        let used =
            of["used"].as_u64().unwrap_or_default() + of["reserved"].as_u64().unwrap_or_default();
        note(
            quota,
            of["limit"].as_i64().and_then(|limit| left(limit, used)),
        );
    }
    let limit = balancer["quota"]["loadbalancer"]
        .as_i64()
        .or_else(|| balancer["quota"]["load_balancer"].as_i64());
    if let Some(limit) = limit.filter(|limit| *limit >= 0) {
        let used = cloud.balancers(cloud.epoch()).await?.len() as u64;
        room.extend(left(limit, used).map(|it| ("load_balancers", it)));
    }
    Ok(room)
}

/// What is left and the limit; a negative limit is none.
fn left(limit: i64, used: u64) -> Option<(u64, u64)> {
    let limit = u64::try_from(limit).ok()?;
    Some((limit.saturating_sub(used), limit))
}

#[cfg(test)]
mod tests {
    use super::left;

    #[test]
    fn a_negative_limit_is_no_limit() {
        assert_eq!(left(-1, 5), None);
        assert_eq!(left(10, 4), Some((6, 10)));
        assert_eq!(left(3, 4), Some((0, 3)));
    }
}
