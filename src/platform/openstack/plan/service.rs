//! A service: machines with volumes and what they keep secret; or a container; or only a record of what exists elsewhere.

use super::{
    super::{
        mark,
        object::{
            Link,
            boot::Boot,
            container::Container,
            credential::Credential,
            s3_key::S3Key,
            secret::{Content, Stored},
            server::Server,
            volume::Volume,
        },
    },
    Draft, link, server_group_link,
};
use crate::engine::{Error, Order, Ref, Result, Slot, generation};
use crate::site::{
    Backend, Role, Service,
    guest::{self, DocumentSource, Guest},
    secrets,
};
use std::collections::BTreeMap;

/// The bundle that users of the service are given.
pub const CLIENT: &str = "client";
/// The bundle of its own machines.
pub const SERVER: &str = "server";

impl Draft<'_> {
    pub(super) fn service(&mut self, service: &Service) -> Result<()> {
        if let Some(external) = &service.external {
            let step = format!(
                "{CLIENT}-{}",
                generation(&(
                    external.password_wo_version,
                    &external.username,
                    &external.ca_pem
                ))
            );
            self.secret(
                &step,
                Content::External {
                    service: service.clone(),
                },
            );
            return Ok(());
        }
        if service.backend == Some(Backend::Object) {
            self.object_storage(service);
            return Ok(());
        }
        self.machines_of(service)
    }

    pub(super) fn secret(&mut self, step: &str, content: Content) -> Ref<Stored> {
        let stored = Stored {
            mark: self.mark(step),
            content,
            store: self.store(),
        };
        self.graph.add(step, stored)
    }

    fn object_storage(&mut self, _service: &Service) {
        let step = format!("{CLIENT}-1");
        let keys = self.secret(&step, Content::ObjectStore);
        let container = Container {
            mark: self.mark("container"),
            name: self.name(""),
            keep: false,
        };
        self.graph.add("container", container);
        let key = S3Key {
            mark: self.mark("s3-key"),
            bundle: Some(keys),
            reference: None,
            policy: None,
        };
        self.graph.add("s3-key", key);
    }

    fn machines_of(&mut self, service: &Service) -> Result<()> {
        let role = Role::from(service.kind);
        let (environment, outputs) = self.surroundings()?;
        let (environment, outputs) = (environment.clone(), outputs);
        let bundle = self.secret(
            &format!("{SERVER}-1"),
            Content::Server {
                service: service.clone(),
            },
        );
        self.secret(
            &format!("{CLIENT}-1"),
            Content::Client {
                server: bundle.clone(),
            },
        );
        let inline = self.inline(&outputs);
        let credential = if inline {
            None
        } else {
            let others: Vec<String> = outputs.links.get("alerts").cloned().into_iter().collect();
            let credential = Credential {
                mark: self.mark("credential-1"),
                bundle: Some(bundle.clone()),
                own: vec![bundle.clone()],
                others,
            };
            Some(self.graph.add("credential-1", credential))
        };
        let tags = self.tags(&service.tags);
        let mut ports = Vec::new();
        let mut volumes = Vec::new();
        for index in 0..service.nodes {
            let step = format!("port-{index}");
            let port = self.port(
                &step,
                self.name(&index.to_string()),
                role,
                &environment,
                &outputs,
            );
            ports.push(self.graph.add(step, port));
            let step = format!("volume-{index}");
            let volume = Volume {
                mark: self.mark(&step),
                name: self.name(&index.to_string()),
                size_gib: service.disk_gib,
                volume_type: service.disk_type.clone(),
                tags: tags.clone(),
            };
            volumes.push(self.graph.add(step, volume));
        }
        let document = guest::document(self.site, role)
            .ok_or_else(|| Error::fatal("plan a service", "it has no machines"))?;
        let nodes: Vec<_> = (0..service.nodes)
            .zip(&ports)
            .map(|(index, port)| {
                (
                    guest::neighbour(&self.id, role, index, "").name,
                    port.clone(),
                )
            })
            .collect();
        let own: BTreeMap<_, _> = [(secrets::SERVER.to_owned(), bundle.clone())].into();
        let mut others = BTreeMap::new();
        if let Some(alerts) = outputs.links.get("alerts") {
            others.insert("alerts".to_owned(), alerts.clone());
        }
        for ((index, port), volume) in (0..service.nodes).zip(ports).zip(volumes) {
            let guest = Guest::of(self.site, role, index, DocumentSource::Metadata)
                .ok_or_else(|| Error::fatal("plan a service", "it has no machines"))?;
            let flavor = service.machine.flavor.clone().unwrap_or_default();
            let image = environment.image.id.clone().unwrap_or_default();
            let key_pair = environment
                .access
                .ssh_public_key
                .as_ref()
                .map(|_| Link::Id(link(&outputs, "key_pair")));
            // A machine is made of these; whatever else changes, it is told.
            let make = generation(&(&flavor, &image, inline, &environment.access.ssh_public_key));
            let place = format!("node-{index}-{make}");
            let slot = Slot {
                group: "node".to_owned(),
                index,
                order: Order::RemoveFirst,
            };
            let step = format!("{place}/server");
            let server = Server {
                mark: self.mark(&step),
                name: mark::name(&self.id, &index.to_string()),
                flavor,
                image,
                port: Some(port),
                volume: Some(volume),
                group: Link::Id(link(&outputs, &server_group_link(role))),
                key_pair,
                tags: tags.clone(),
                boot: Some(Boot {
                    guest,
                    document: document.clone(),
                    subnet: environment
                        .network
                        .existing
                        .as_ref()
                        .map(|it| it.subnet_id.clone()),
                    nodes: nodes.clone(),
                    own: own.clone(),
                    others: others.clone(),
                    credential: credential.clone(),
                    expects: BTreeMap::new(),
                    bundle: Some(bundle.clone()),
                    inline,
                }),
            };
            self.graph.slot(slot, |graph| graph.add(step, server));
        }
        Ok(())
    }

    /// Whether machines of this environment are given their secrets in `user_data`. Chosen with the environment, and kept.
    pub(super) fn inline(&self, environment: &crate::site::Outputs) -> bool {
        match environment.secret_store.as_deref() {
            Some(store) => store != super::super::outputs::BARBICAN,
            None => !(self.offers.keys && self.offers.credentials),
        }
    }
}
