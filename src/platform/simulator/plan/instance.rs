//! An instance: web and worker machines behind the environment's balancer.

use super::{Plan, has_secret, outside, secret_of};
use crate::engine::{Order, Result, Slot, generation};
use crate::platform::simulator::{
    catalog,
    item::To,
    items::{Credential, DnsRecord, Document, Listener, Machine, Member, Pool, SecretEntry},
};
use crate::site::{Id, Instance, Role};

pub fn plan(plan: &mut Plan<'_>, it: &Instance) -> Result<()> {
    let reads = secrets(plan, it);
    let others = it.services.values().chain(&it.certificate);
    let has_secret = |id: &&Id| {
        plan.site
            .around
            .get(*id)
            .is_none_or(|record| has_secret(&record.thing))
    };
    let reads_outside = others.filter(has_secret).map(secret_of).collect();
    let credential = plan.add(
        "credential",
        Credential {
            reads,
            reads_outside,
        },
    );
    plan.add(
        "document",
        Document {
            content: serde_json::json!({
                "site": it.site, "mail": it.mail, "config": it.config, "services": plan.site.machines_behind(it),
            }),
        },
    );
    let pool = front(plan, it);
    names(plan, it)?;
    for index in 0..it.web.nodes {
        let flavor = it.web.machine.flavor.as_deref().unwrap_or_default();
        let boot = generation(&(
            &it.version,
            &it.application,
            &it.frontend,
            &it.web.server,
            it.web.processes,
            it.web.threads,
        ));
        let (step, machine) = machine(plan, "web", index, flavor, boot, &credential)?;
        plan.slot(slot("web", index), |plan| {
            let machine = plan.add(format!("{step}/machine"), machine);
            let port = Role::Web.port().unwrap_or(8080);
            plan.add(
                format!("{step}/member"),
                Member {
                    pool: pool.clone(),
                    machine,
                    port,
                },
            );
        });
    }
    for index in 0..it.worker.nodes {
        let flavor = it.worker.machine.flavor.as_deref().unwrap_or_default();
        let boot = generation(&(&it.version, &it.application, it.worker.concurrency));
        let (step, machine) = machine(plan, "worker", index, flavor, boot, &credential)?;
        plan.slot(slot("worker", index), |plan| {
            plan.add(format!("{step}/machine"), machine)
        });
    }
    Ok(())
}

fn slot(group: &str, index: u32) -> Slot {
    Slot {
        group: group.to_owned(),
        index,
        order: Order::MakeFirst,
    }
}

fn secrets(plan: &mut Plan<'_>, it: &Instance) -> Vec<To<SecretEntry>> {
    let text = |version: Option<i64>| version.map(|it| it.to_string());
    let made = Some("1".to_owned());
    let admin = text(it.admin.password_wo_version);
    let wanted = [
        (
            "secret-admin",
            "administrator's password",
            admin.as_ref().map(|_| "admin.password"),
            admin.or(made.clone()),
        ),
        ("secret-application", "application's secret key", None, made),
        (
            "secret-mail",
            "mail password",
            Some("mail.password"),
            text(it.mail.as_ref().and_then(|it| it.password_wo_version)),
        ),
        (
            "secret-sentry",
            "Sentry DSN",
            Some("monitoring.sentry_dsn"),
            text(it.monitoring.sentry_dsn_wo_version),
        ),
    ];
    let mut reads = Vec::new();
    for (step, label, given, version) in wanted {
        if let Some(version) = version {
            let entry = SecretEntry {
                label: label.to_owned(),
                given: given.map(str::to_owned),
                version,
            };
            reads.push(plan.add(step, entry));
        }
    }
    reads
}

/// Listeners and the pool on the environment's balancer.
fn front(plan: &mut Plan<'_>, it: &Instance) -> To<Pool> {
    let balancer = plan.of_environment("balancer");
    let certificate = it.certificate.as_ref().map(|id| outside(id, "key"));
    let listener = |protocol: &str, port, certificate| Listener {
        balancer: balancer.clone(),
        protocol: protocol.to_owned(),
        port,
        certificate,
        idle_timeout: it.load_balancer.idle_timeout.clone(),
    };
    let serving = if certificate.is_some() {
        plan.add("listener-redirect", listener("HTTP", 80, None));
        plan.add(
            "listener-https",
            listener("TERMINATED_HTTPS", 443, certificate),
        )
    } else {
        plan.add("listener-http", listener("HTTP", 80, None))
    };
    plan.add(
        "pool",
        Pool {
            listener: serving,
            health_path: "/ping".to_owned(),
        },
    )
}

/// DNS records for the host names inside the environment's zone.
fn names(plan: &mut Plan<'_>, it: &Instance) -> Result<()> {
    let Some(zone) = plan.environment()?.dns.zone.clone() else {
        return Ok(());
    };
    let suffix = format!(".{}", zone.trim_end_matches('.'));
    for hostname in std::iter::once(&it.hostname).chain(&it.additional_hostnames) {
        if hostname.ends_with(&suffix) {
            let address = plan.of_environment("address");
            plan.add(
                format!("dns-{hostname}"),
                DnsRecord {
                    zone: zone.clone(),
                    hostname: hostname.clone(),
                    address,
                },
            );
        }
    }
    Ok(())
}

fn machine(
    plan: &Plan<'_>,
    role: &str,
    index: u32,
    flavor: &str,
    boot: String,
    credential: &To<Credential>,
) -> Result<(String, Machine)> {
    let environment = plan.environment()?;
    let machine = Machine {
        role: role.to_owned(),
        flavor: flavor.to_owned(),
        image: environment
            .image
            .id
            .clone()
            .unwrap_or_else(|| catalog::IMAGES[0].id.to_owned()),
        boot,
        port: None,
        credential: Some(credential.clone()),
        subnet: plan.subnet()?,
        firewall: plan.of_environment(&format!("firewall-{role}")),
        cidr: environment.network.cidr,
    };
    Ok((format!("{role}-{index}-{}", generation(&machine)), machine))
}
