//! A server: a machine with its port, its volume and what it is told. It keeps nothing, so it can be made anew.

mod listed;

pub use listed::{Flavor, Listed, Machine};

use super::{
    Compared, Link, boot::Boot, key_pair::KeyPair, port::Port, server_group::ServerGroup,
    volume::Volume,
};
use crate::engine::{Cx, Difference, Error, Kind, Object, Ref, Result, Seen, Standing};
use crate::platform::openstack::{
    OpenStack,
    api::Service,
    lists::{COMPUTE, seek},
    mark::Mark,
    tags::{self, Tags},
};
use crate::site::{Node, guest};
use chrono::Utc;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::{
    collections::BTreeMap,
    sync::{MutexGuard, PoisonError},
    time::Duration,
};

#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Server {
    pub mark: Mark,
    pub name: String,
    /// The flavor's name or id.
    pub flavor: String,
    pub image: String,
    pub port: Option<Ref<Port>>,
    pub volume: Option<Ref<Volume>>,
    pub group: Link<ServerGroup>,
    pub key_pair: Option<Link<KeyPair>>,
    pub tags: Tags,
    pub boot: Option<Boot>,
}

impl Server {
    async fn metadata(&self, cx: &Cx<'_, OpenStack>) -> Result<BTreeMap<String, String>> {
        let mut metadata = tags::metadata(&self.mark, &self.tags);
        if let Some(boot) = &self.boot {
            metadata.extend(guest::pack(
                "main",
                &boot.document(cx, self.volume.as_ref()).await?,
            ));
        }
        Ok(metadata)
    }
    fn path(&self, facts: &Machine) -> String {
        format!("/servers/{}", facts.id)
    }
    async fn act(&self, cx: &Cx<'_, OpenStack>, facts: &Machine, action: &str) -> Result<()> {
        let path = format!("{}/action", self.path(facts));
        let call = cx.cloud.api.post(
            Service::Compute,
            path,
            format!("{action} server `{}`", self.name),
            json!({ action: null }),
        );
        call.microversion(COMPUTE)
            .busy_when(409)
            .send()
            .await
            .map(drop)
    }
    async fn mend_metadata(&self, cx: &Cx<'_, OpenStack>, facts: &Machine) -> Result<()> {
        let wanted = self.metadata(cx).await?;
        let _alone = cx.cloud.metadata.lock().await;
        let doing = format!("update what server `{}` is told", self.name);
        cx.cloud
            .api
            .post(
                Service::Compute,
                format!("{}/metadata", self.path(facts)),
                &doing,
                json!({ "metadata": wanted }),
            )
            .send()
            .await?;
        let list = cx.cloud.servers(cx.since).await?;
        let found = list
            .iter()
            .find(|it| it.id == facts.id)
            .map(|it| it.metadata.clone())
            .unwrap_or_default();
        for key in tags::stale(&wanted, &found) {
            cx.cloud
                .api
                .delete(
                    Service::Compute,
                    format!("{}/metadata/{key}", self.path(facts)),
                    &doing,
                )
                .await?;
        }
        Ok(())
    }
    async fn attach(&self, cx: &Cx<'_, OpenStack>, facts: &Machine) -> Result<()> {
        let Some(volume) = &self.volume else {
            return Ok(());
        };
        let body = json!({ "volumeAttachment": { "volumeId": cx.facts(volume)?.id } });
        let path = format!("{}/os-volume_attachments", self.path(facts));
        let call = cx.cloud.api.post(
            Service::Compute,
            path,
            format!("attach the volume of server `{}`", self.name),
            body,
        );
        call.microversion(COMPUTE)
            .busy_when(409)
            .send()
            .await
            .map(drop)
    }
    async fn plug(&self, cx: &Cx<'_, OpenStack>, facts: &Machine) -> Result<()> {
        let Some(port) = &self.port else {
            return Ok(());
        };
        let body = json!({ "interfaceAttachment": { "port_id": cx.facts(port)?.id } });
        let path = format!("{}/os-interface", self.path(facts));
        let call = cx.cloud.api.post(
            Service::Compute,
            path,
            format!("plug server `{}` in", self.name),
            body,
        );
        call.microversion(COMPUTE)
            .busy_when(409)
            .send()
            .await
            .map(drop)
    }
    /// Machines take turns: one that works goes when those of its thing that were made just now are ready, not merely running.
    /// Where the cloud shows no consoles, or it has nothing to say itself, nobody can tell.
    async fn others_stand(&self, cx: &Cx<'_, OpenStack>, facts: &Machine) -> Result<()> {
        let thing = self.mark.thing();
        let others: Vec<String> = cx
            .cloud
            .begun()
            .iter()
            .filter(|(id, whose)| *whose == thing && **id != facts.id)
            .map(|(id, _)| id.clone())
            .collect();
        if others.is_empty() || !matches!(cx.cloud.says(&facts.id).await, Ok(Some(_))) {
            return Ok(());
        }
        for other in others {
            let state = match cx.cloud.says(&other).await {
                Ok(Some(report)) => report.state(Utc::now()),
                Ok(None) => "starting".to_owned(),
                Err(_) => continue,
            };
            if state != Node::READY {
                return Err(Error::new(
                    Kind::Busy,
                    format!("delete server `{}`", self.name),
                    format!(
                        "server {other}, which was made before it goes, is not ready yet: {state}"
                    ),
                ));
            }
            cx.cloud.begun().remove(&other);
        }
        Ok(())
    }
    async fn compare(&self, cx: &Cx<'_, OpenStack>, found: &Listed) -> Result<Compared> {
        let mut compared = Compared::default();
        compared.field("name", &self.name, &found.name);
        compared.field("status", "ACTIVE", found.status.as_str());
        let flavor = found.flavor["original_name"].as_str().unwrap_or_default();
        if flavor != self.flavor
            && cx
                .cloud
                .flavor(&self.flavor, cx.since)
                .await
                .map_or(true, |it| it.name != flavor)
        {
            compared.fixed("flavor", self.flavor.as_str(), flavor);
        }
        compared.fixed(
            "image",
            self.image.as_str(),
            found.image["id"].as_str().unwrap_or_default(),
        );
        if let Some(port) = &self.port
            && let Ok(port) = cx.facts(port)
        {
            let ports = cx.cloud.ports(cx.since).await?;
            let device = ports
                .iter()
                .find(|it| it.id == port.id)
                .map_or("", |it| it.device_id.as_str());
            compared.field("port", found.id.as_str(), device);
        }
        if let Some(volume) = &self.volume
            && let Ok(volume) = cx.facts(volume)
        {
            let attached = found.volumes.iter().any(|it| it.id == volume.id);
            compared.field(
                "volume",
                volume.id.as_str(),
                if attached { &volume.id } else { "not attached" },
            );
        }
        if let Ok(wanted) = self.metadata(cx).await {
            let lacking: Vec<_> = tags::missing(&wanted, &found.metadata)
                .into_keys()
                .collect();
            compared.field("metadata", &Vec::new(), &lacking);
        }
        Ok(compared)
    }
}

impl OpenStack {
    fn begun(&self) -> MutexGuard<'_, BTreeMap<String, String>> {
        self.begun.lock().unwrap_or_else(PoisonError::into_inner)
    }
    /// The flavor that goes by that name or id.
    pub async fn flavor(&self, wanted: &str, since: crate::engine::Moment) -> Result<Flavor> {
        let flavors = self.flavors(self.since(false, since)).await?;
        let by_name = flavors.iter().find(|flavor| flavor.name == wanted);
        let found = by_name.or_else(|| flavors.iter().find(|flavor| flavor.id == wanted));
        found.cloned().ok_or_else(|| {
            Error::fatal("find the flavor", format!("Nova has no flavor `{wanted}`"))
        })
    }
}

impl Object<OpenStack> for Server {
    const KIND: &'static str = "server";
    type Facts = Machine;

    fn id(facts: &Machine) -> String {
        facts.id.clone()
    }
    async fn find(
        &self,
        cx: &Cx<'_, OpenStack>,
        known: Option<&Machine>,
    ) -> Result<Option<Seen<Machine>>> {
        let list = cx
            .cloud
            .servers(cx.cloud.since(known.is_some(), cx.since))
            .await?;
        let known = known.map(|machine| machine.id.as_str().into());
        let Some(found) = seek(&list, known.as_ref(), &self.mark) else {
            return Ok(None);
        };
        let standing = found.standing();
        let compared = if standing == Standing::Ready {
            self.compare(cx, found).await?
        } else {
            Compared::default()
        };
        Ok(compared.seen(found.machine(), standing))
    }
    async fn create(&self, cx: &Cx<'_, OpenStack>) -> Result<Machine> {
        let doing = format!("create server `{}`", self.name);
        let (Some(boot), Some(port)) = (&self.boot, &self.port) else {
            return Err(Error::fatal(
                doing,
                "nobody knows what it boots with any more",
            ));
        };
        let user_data = guest::user_data(&boot.guest, &boot.access(cx).await?);
        let mut disks = vec![
            json!({ "boot_index": 0, "uuid": self.image, "source_type": "image", "destination_type": "local", "delete_on_termination": true }),
        ];
        if let Some(volume) = &self.volume {
            let id = cx.facts(volume)?.id;
            disks.push(json!({ "boot_index": -1, "uuid": id, "source_type": "volume", "destination_type": "volume", "delete_on_termination": false }));
        }
        let mut metadata = self.metadata(cx).await?;
        metadata.extend(boot.backups(cx).await?);
        let mut body = json!({
            "name": self.name, "description": self.mark, "imageRef": self.image, "flavorRef": cx.cloud.flavor(&self.flavor, cx.since).await?.id,
            "networks": [{ "port": cx.facts(port)?.id }], "metadata": metadata, "user_data": *user_data.base64(), "block_device_mapping_v2": disks,
        });
        if let Some(key_pair) = &self.key_pair {
            body["key_name"] = json!(key_pair.id(cx)?);
        }
        let mut whole = json!({ "server": body });
        let group = self.group.id(cx)?;
        if !group.is_empty() {
            whole["os:scheduler_hints"] = json!({ "group": group });
        }
        let call = cx
            .cloud
            .api
            .post(Service::Compute, "/servers", doing, whole)
            .microversion(COMPUTE);
        let made: super::Of = call.answer("server").await?;
        let whose = self.mark.thing().to_owned();
        cx.cloud.begun().insert(made.id.clone(), whose);
        Ok(Machine {
            id: made.id,
            zone: String::new(),
            state: "build".to_owned(),
        })
    }
    async fn update(
        &self,
        cx: &Cx<'_, OpenStack>,
        facts: &Machine,
        differences: &[Difference],
    ) -> Result<()> {
        for difference in differences {
            match difference.field {
                "status" => match difference.found.as_str() {
                    "SHUTOFF" => self.act(cx, facts, "os-start").await?,
                    "PAUSED" => self.act(cx, facts, "unpause").await?,
                    "SUSPENDED" => self.act(cx, facts, "resume").await?,
                    _ => self.act(cx, facts, "revertResize").await?,
                },
                "name" => {
                    let body = json!({ "server": { "name": self.name } });
                    cx.cloud
                        .api
                        .put(
                            Service::Compute,
                            self.path(facts),
                            format!("rename server `{}`", self.name),
                            body,
                        )
                        .send()
                        .await?;
                }
                "volume" => self.attach(cx, facts).await?,
                "port" => self.plug(cx, facts).await?,
                "metadata" => self.mend_metadata(cx, facts).await?,
                _ => {}
            }
        }
        Ok(())
    }
    async fn delete(&self, cx: &Cx<'_, OpenStack>, facts: &Machine) -> Result<()> {
        if !cx.all_goes {
            self.others_stand(cx, facts).await?;
        }
        cx.cloud
            .api
            .delete(
                Service::Compute,
                self.path(facts),
                format!("delete server `{}`", self.name),
            )
            .await
    }
    fn usually(&self) -> Duration {
        Duration::from_secs(3)
    }
}
