//! Before anything is made: what is chosen at creation and kept, and everything that could fail at apply.

use super::{Simulator, catalog, clock, world};
use crate::engine::{Graph, Journal, Order, Result};
use crate::platform::{Demand, Host, Preflight};
use crate::site::{Environment, Finding, Machine, Record, Role, Site, Size, Thing, needs_of};
use serde_json::Value;
use std::collections::BTreeMap;

pub async fn preflight(
    cloud: &Simulator,
    site: &mut Site,
    before: Option<&Record>,
    journal: &Journal,
) -> Result<Preflight> {
    let mut findings = Vec::new();
    match (&mut site.thing, before.map(|it| &it.thing)) {
        (Thing::Environment(it), before) => {
            let before = before.and_then(|it| {
                if let Thing::Environment(it) = it {
                    Some(it)
                } else {
                    None
                }
            });
            environment(cloud, it, before, &mut findings).await?;
        }
        (Thing::Service(it), before) => {
            let before = before.and_then(|it| {
                if let Thing::Service(it) = it {
                    Some(&it.machine)
                } else {
                    None
                }
            });
            if it.machines() > 0 {
                choose(&mut it.machine, before, it.kind.into(), "", &mut findings);
            }
        }
        (Thing::Instance(it), before) => {
            let before = before.and_then(|it| {
                if let Thing::Instance(it) = it {
                    Some(it)
                } else {
                    None
                }
            });
            choose(
                &mut it.web.machine,
                before.map(|it| &it.web.machine),
                Role::Web,
                "web.",
                &mut findings,
            );
            choose(
                &mut it.worker.machine,
                before.map(|it| &it.worker.machine),
                Role::Worker,
                "worker.",
                &mut findings,
            );
        }
        (Thing::Certificate(_) | Thing::BackupPolicy(_), _) => {}
    }
    let refused = findings.iter().any(|it| it.refuses);
    let demands = if refused {
        Vec::new()
    } else {
        demands(cloud, site, journal).await?
    };
    Ok(Preflight { findings, demands })
}

async fn environment(
    cloud: &Simulator,
    it: &mut Environment,
    before: Option<&Environment>,
    findings: &mut Vec<Finding>,
) -> Result<()> {
    let kept = before.and_then(|it| it.network.external_network.clone());
    let external = it
        .network
        .external_network
        .get_or_insert_with(|| kept.unwrap_or_else(|| catalog::EXTERNAL_NETWORKS[0].to_owned()));
    if !catalog::EXTERNAL_NETWORKS.contains(&external.as_str()) {
        let there = catalog::EXTERNAL_NETWORKS.join(", ");
        findings.push(Finding::refuse(
            "network.external_network",
            format!("There is no external network `{external}`"),
            format!("This cloud has: {there}."),
        ));
    }
    image(it, before, findings);
    if let Some(existing) = &it.network.existing {
        let now = clock::now();
        for (field, id) in [
            ("network_id", &existing.network_id),
            ("subnet_id", &existing.subnet_id),
        ] {
            if cloud
                .file
                .read(|db| world::by_id(db, id, now))
                .await?
                .is_none()
            {
                findings.push(Finding::refuse(
                    format!("network.existing.{field}"),
                    format!("There is no `{id}`"),
                    "Give the id of a network and of its subnet that exist in this project and region.",
                ));
            }
        }
    }
    Ok(())
}

fn image(it: &mut Environment, before: Option<&Environment>, findings: &mut Vec<Finding>) {
    let wanted = it.image.id.clone().or_else(|| it.image.name.clone());
    let Some(wanted) = wanted else {
        let kept = before
            .filter(|before| before.image.name.is_none())
            .and_then(|before| before.image.id.clone());
        it.image.id = Some(kept.unwrap_or_else(|| catalog::IMAGES[0].id.to_owned()));
        return;
    };
    match catalog::image_named(&wanted) {
        Some(image) => it.image.id = Some(image.id.to_owned()),
        None => {
            let at = if it.image.id.is_some() {
                "image.id"
            } else {
                "image.name"
            };
            let there = catalog::IMAGES.map(|image| image.name).join(", ");
            findings.push(Finding::refuse(
                at,
                format!("There is no image `{wanted}`"),
                format!("This cloud has: {there}."),
            ));
        }
    }
}

/// The cheapest flavor that holds the size, chosen once and kept while the size is the same; or the one that the user names.
fn choose(
    machine: &mut Machine,
    before: Option<&Machine>,
    role: Role,
    at: &str,
    findings: &mut Vec<Finding>,
) {
    if let Some(flavor) = &machine.flavor {
        if catalog::flavor_named(flavor).is_none() {
            let there = catalog::FLAVORS.map(|it| it.name).join(", ");
            let summary = format!("There is no flavor `{flavor}`");
            findings.push(Finding::refuse(
                format!("{at}flavor"),
                summary,
                format!("This cloud has: {there}."),
            ));
        }
        return;
    }
    if let Some(before) =
        before.filter(|before| before.size == machine.size && before.flavor.is_some())
    {
        machine.flavor.clone_from(&before.flavor);
        return;
    }
    let needs = needs_of(role, machine.size.unwrap_or(Size::Small));
    match catalog::flavor_for(needs.vcpus, needs.ram_mib, needs.disk_gib) {
        Some(flavor) => machine.flavor = Some(flavor.name.to_owned()),
        None => findings.push(Finding::refuse(
            format!("{at}size"),
            "No flavor of this cloud is large enough",
            format!(
                "It takes {} vCPUs, {} MiB of memory and {} GiB of disk.",
                needs.vcpus, needs.ram_mib, needs.disk_gib
            ),
        )),
    }
}

/// What the thing takes from quotas beyond what it has.
async fn demands(cloud: &Simulator, site: &Site, journal: &Journal) -> Result<Vec<Demand>> {
    let Ok(graph) = cloud.plan(site) else {
        // What it stands on is not planned yet; apply will see.
        return Ok(Vec::new());
    };
    let mut wanted: BTreeMap<&'static str, u64> = BTreeMap::new();
    for (_, step) in graph.describe().as_object().into_iter().flatten() {
        add(&mut wanted, takes(step.get("kind"), step.get("spec")));
    }
    add(&mut wanted, extra(&graph, journal));
    let mut has: BTreeMap<&'static str, u64> = BTreeMap::new();
    for (_, entry) in journal
        .entries()
        .into_iter()
        .filter(|(_, entry)| entry.facts.is_some())
    {
        add(
            &mut has,
            takes(Some(&Value::String(entry.kind)), Some(&entry.spec)),
        );
    }
    let mut demands = Vec::new();
    for (quota, total) in wanted {
        let amount = total.saturating_sub(has.get(quota).copied().unwrap_or_default());
        if amount == 0 {
            continue;
        }
        let limit = cloud.settings.quota.get(quota).copied();
        let used = cloud
            .file
            .read(|db| world::used_of(db, cloud.region(), quota))
            .await?;
        let free = limit.map(|limit| limit.saturating_sub(used));
        demands.push(Demand {
            quota,
            amount,
            free,
            limit,
            at: blamed(&site.thing, quota).to_owned(),
        });
    }
    Ok(demands)
}

fn add(sum: &mut BTreeMap<&'static str, u64>, takes: Vec<(&'static str, u64)>) {
    for (quota, amount) in takes {
        *sum.entry(quota).or_default() += amount;
    }
}

/// While machines are replaced one by one, there is one more of a group at a time.
fn extra(graph: &Graph<Simulator>, journal: &Journal) -> Vec<(&'static str, u64)> {
    let described = graph.describe();
    let entries = journal.entries();
    let replaced = |group: &str| {
        entries.iter().any(|(name, it)| {
            it.slot.as_ref().is_some_and(|slot| slot.group == group)
                && !graph.names().any(|it| it == name)
        })
    };
    let new = graph.slots().find(|(name, slot)| {
        let machine = described
            .get(*name)
            .is_some_and(|it| it["kind"] == "machine");
        slot.order == Order::MakeFirst
            && machine
            && journal.get(name).is_none()
            && replaced(&slot.group)
    });
    let step = new.and_then(|(name, _)| described.get(name));
    step.map(|step| takes(step.get("kind"), step.get("spec")))
        .unwrap_or_default()
}

fn takes(kind: Option<&Value>, spec: Option<&Value>) -> Vec<(&'static str, u64)> {
    let (Some(kind), Some(spec)) = (kind.and_then(Value::as_str), spec) else {
        return Vec::new();
    };
    super::takes_of(kind, spec.clone())
}

fn blamed(thing: &Thing, quota: &str) -> &'static str {
    match (thing, quota) {
        (Thing::Service(_), "gigabytes") => "disk_gib",
        (Thing::Service(_), "cores" | "ram_mib") => "size",
        (Thing::Service(_), "machines" | "volumes" | "ports") => "nodes",
        (Thing::Instance(_), "cores" | "ram_mib") => "web.size",
        (Thing::Instance(_), "machines") => "web.nodes",
        _ => "",
    }
}
