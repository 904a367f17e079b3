//! An instance: web and worker machines, what the balancer does for them, names, secrets.

mod front;

use super::{
    super::object::{
        Link,
        boot::Boot,
        credential::Credential,
        member::Member,
        pool::Pool,
        port::Port,
        secret::{Content, Stored},
        server::Server,
    },
    Draft, link, server_group_link,
};
use crate::engine::{Error, Order, Ref, Result, Slot, generation};
use crate::site::{
    Environment, Instance, Machine, Outputs, Role,
    guest::{self, DocumentSource, Guest},
    secrets,
};
use std::collections::BTreeMap;

/// The instance's own bundle, without its generation.
pub const SECRETS: &str = "secrets";

/// What all machines of the instance share.
struct Shared {
    environment: Environment,
    outputs: Outputs,
    bundle: Ref<Stored>,
    credential: Option<Ref<Credential>>,
    /// Bundles of the services, by kind.
    others: BTreeMap<String, String>,
    /// How many machines each service is meant to have.
    expects: BTreeMap<String, u32>,
    inline: bool,
    /// What a change of secrets does to machines: they sign in with another credential.
    access: String,
}

/// The machines of one role.
struct Fleet<'a> {
    role: Role,
    nodes: u32,
    machine: &'a Machine,
    pool: Option<Ref<Pool>>,
    balancer: String,
}

impl Draft<'_> {
    pub(super) fn instance(&mut self, instance: &Instance) -> Result<()> {
        let shared = self.shared(instance)?;
        let balancer = link(&shared.outputs, "balancer");
        let pool = self.graph.add(
            "pool",
            Pool {
                mark: Draft::mark(self, "pool"),
                name: self.name(""),
                balancer: balancer.clone(),
            },
        );
        self.listeners(instance, &shared, &balancer, &pool);
        let web = Fleet {
            role: Role::Web,
            nodes: instance.web.nodes,
            machine: &instance.web.machine,
            pool: Some(pool),
            balancer,
        };
        self.fleet(instance, &shared, &web)?;
        let worker = Fleet {
            role: Role::Worker,
            nodes: instance.worker.nodes,
            machine: &instance.worker.machine,
            pool: None,
            balancer: String::new(),
        };
        self.fleet(instance, &shared, &worker)?;
        self.names(instance, &shared);
        Ok(())
    }

    fn shared(&mut self, instance: &Instance) -> Result<Shared> {
        let (environment, outputs) = self.surroundings()?;
        let (environment, outputs) = (environment.clone(), outputs);
        let versions = (
            instance.admin.password_wo_version,
            instance
                .mail
                .as_ref()
                .and_then(|mail| mail.password_wo_version),
            instance.monitoring.sentry_dsn_wo_version,
        );
        let step = format!("{SECRETS}-{}", generation(&versions));
        let bundle = self.secret(
            &step,
            Content::Instance {
                instance: instance.clone(),
            },
        );
        let mut others = BTreeMap::new();
        for (kind, id) in &instance.services {
            let secret = self
                .site
                .around
                .get(id)
                .and_then(|record| record.outputs.secret_id.clone());
            others.extend(secret.map(|secret| (kind.as_str().to_owned(), secret)));
        }
        if let Some(alerts) = outputs.links.get("alerts") {
            others.insert("alerts".to_owned(), alerts.clone());
        }
        let expects = self.site.machines_behind(instance);
        let inline = self.inline(&outputs);
        let readable: Vec<String> = others.values().cloned().collect();
        let access = generation(&(&versions, &readable));
        let credential = (!inline).then(|| {
            let step = format!("credential-{access}");
            let credential = Credential {
                mark: self.mark(&step),
                bundle: Some(bundle.clone()),
                own: vec![bundle.clone()],
                others: readable,
            };
            self.graph.add(step, credential)
        });
        Ok(Shared {
            environment,
            outputs,
            bundle,
            credential,
            others,
            expects,
            inline,
            access,
        })
    }

    fn fleet(&mut self, instance: &Instance, shared: &Shared, fleet: &Fleet<'_>) -> Result<()> {
        let role = fleet.role;
        let flavor = fleet.machine.flavor.clone().unwrap_or_default();
        let image = shared.environment.image.id.clone().unwrap_or_default();
        // A machine is made of these; whatever else changes, it is told.
        let make = generation(&(
            &flavor,
            &image,
            shared.inline,
            &shared.access,
            &shared.environment.access.ssh_public_key,
            self.of_the_application(instance),
        ));
        let mut nodes: Vec<(String, Ref<Port>)> = Vec::new();
        let place = |index: u32| format!("{}-{index}-{make}", role.as_str());
        let slot = |index: u32| Slot {
            group: role.as_str().to_owned(),
            index,
            order: Order::MakeFirst,
        };
        for index in 0..fleet.nodes {
            let step = format!("{}/port", place(index));
            let port = self.port(
                &step,
                self.name(&format!("{}-{index}", role.as_str())),
                role,
                &shared.environment,
                &shared.outputs,
            );
            let port = self.graph.slot(slot(index), |graph| graph.add(step, port));
            nodes.push((guest::neighbour(&self.id, role, index, "").name, port));
        }
        for index in 0..fleet.nodes {
            let port = nodes[index as usize].1.clone();
            let step = format!("{}/server", place(index));
            let server = self.machine(
                instance,
                shared,
                fleet,
                index,
                &step,
                (&flavor, &image),
                &nodes,
            )?;
            let server = Server {
                port: Some(port.clone()),
                ..server
            };
            let server = self
                .graph
                .slot(slot(index), |graph| graph.add(step, server));
            let Some(pool) = &fleet.pool else { continue };
            let step = format!("{}/member", place(index));
            let member = Member {
                mark: self.mark(&step),
                name: self.name(&format!("{}-{index}", role.as_str())),
                balancer: fleet.balancer.clone(),
                pool: Some(pool.clone()),
                port: Some(port),
                server: Some(server),
                made: None,
                protocol_port: role.port().unwrap_or(8080),
            };
            self.graph
                .slot(slot(index), |graph| graph.add(step, member));
        }
        Ok(())
    }

    /// What of the application a machine is made with, so that another make of it is rolled in machine by machine.
    fn of_the_application(&self, instance: &Instance) -> impl serde::Serialize {
        (
            instance.version.clone(),
            instance.application.clone(),
            instance.frontend.clone(),
        )
    }

    // Called once, in a loop: a struct of these would be written and taken apart within ten lines.
    #[allow(clippy::too_many_arguments)]
    fn machine(
        &self,
        instance: &Instance,
        shared: &Shared,
        fleet: &Fleet<'_>,
        index: u32,
        step: &str,
        (flavor, image): (&str, &str),
        nodes: &[(String, Ref<Port>)],
    ) -> Result<Server> {
        let role = fleet.role;
        let none = || Error::fatal("plan an instance", "it has no environment");
        let key_pair = shared
            .environment
            .access
            .ssh_public_key
            .as_ref()
            .map(|_| Link::Id(link(&shared.outputs, "key_pair")));
        Ok(Server {
            mark: self.mark(step),
            name: self.name(&format!("{}-{index}", role.as_str())),
            flavor: flavor.to_owned(),
            image: image.to_owned(),
            port: None,
            volume: None,
            group: Link::Id(link(&shared.outputs, &server_group_link(role))),
            key_pair,
            tags: self.tags(&instance.tags),
            boot: Some(Boot {
                guest: Guest::of(self.site, role, index, DocumentSource::Metadata)
                    .ok_or_else(none)?,
                document: guest::document(self.site, role).ok_or_else(none)?,
                subnet: shared
                    .environment
                    .network
                    .existing
                    .as_ref()
                    .map(|it| it.subnet_id.clone()),
                nodes: nodes.to_vec(),
                own: [(secrets::INSTANCE.to_owned(), shared.bundle.clone())].into(),
                others: shared.others.clone(),
                credential: shared.credential.clone(),
                bundle: Some(shared.bundle.clone()),
                expects: shared.expects.clone(),
                inline: shared.inline,
            }),
        })
    }
}
