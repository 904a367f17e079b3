//! A service: per node a port, a volume and a replaceable machine; or a bucket; or only the login for what exists.

use super::Plan;
use crate::engine::{Order, Result, Slot, generation};
use crate::platform::simulator::{
    catalog,
    items::{Attachment, Bucket, Credential, Document, Machine, Port, SecretEntry, Volume},
};
use crate::site::{Backend, Service};

pub fn plan(plan: &mut Plan<'_>, it: &Service) -> Result<()> {
    let kind = it.kind.as_str();
    if let Some(external) = &it.external {
        if let Some(version) = external.password_wo_version {
            let given = Some("external.password".to_owned());
            plan.add(
                "secret",
                SecretEntry {
                    label: format!("{kind} login"),
                    given,
                    version: version.to_string(),
                },
            );
        }
        return Ok(());
    }
    let version = "1".to_owned();
    let secret = plan.add(
        "secret",
        SecretEntry {
            label: format!("{kind} login"),
            given: None,
            version,
        },
    );
    plan.add("document", Document { content: serde_json::json!({ "settings": it.settings, "nodes": it.nodes, "window": it.maintenance_window }) });
    if it.backend == Some(Backend::Object) {
        plan.add(
            "bucket",
            Bucket {
                bucket: format!("{}-{}", it.environment, it.name),
                outlives: false,
            },
        );
        return Ok(());
    }
    let credential = plan.add(
        "credential",
        Credential {
            reads: vec![secret],
            reads_outside: Vec::new(),
        },
    );
    let environment = plan.environment()?;
    let (cidr, subnet) = (environment.network.cidr, plan.subnet()?);
    let firewall = plan.of_environment(&format!("firewall-{kind}"));
    let image = environment
        .image
        .id
        .clone()
        .unwrap_or_else(|| catalog::IMAGES[0].id.to_owned());
    let flavor = it.machine.flavor.clone().unwrap_or_default();
    let boot = generation(&serde_json::json!({ "version": it.version, "kind": it.kind }));
    for index in 0..it.nodes {
        let port = Port {
            subnet: subnet.clone(),
            firewall: firewall.clone(),
            cidr,
        };
        let port = plan.add(format!("port-{index}"), port);
        let volume = plan.add(
            format!("volume-{index}"),
            Volume {
                size_gib: it.disk_gib,
                disk_type: it.disk_type.clone(),
            },
        );
        let machine = Machine {
            role: kind.to_owned(),
            flavor: flavor.clone(),
            image: image.clone(),
            boot: boot.clone(),
            port: Some(port),
            credential: Some(credential.clone()),
            subnet: subnet.clone(),
            firewall: firewall.clone(),
            cidr,
        };
        let step = format!("{kind}-{index}-{}", generation(&machine));
        let slot = Slot {
            group: kind.to_owned(),
            index,
            order: Order::RemoveFirst,
        };
        plan.slot(slot, |plan| {
            let machine = plan.add(format!("{step}/machine"), machine);
            plan.add(format!("{step}/attachment"), Attachment { machine, volume });
        });
    }
    Ok(())
}
