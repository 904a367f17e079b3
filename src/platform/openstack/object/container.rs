//! A container of the object store. PUT makes it whether or not it is there, so whose it is must be looked at first: the
//! mark is in its metadata.

use super::{Of, ready};
use crate::engine::{Cx, Difference, Error, Kind, Object, Result, Seen};
use crate::platform::openstack::{
    OpenStack,
    api::{Api, Service},
    mark::Mark,
};
use reqwest::Method;
use serde::{Deserialize, Serialize};
use std::time::Duration;

#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Container {
    pub mark: Mark,
    pub name: String,
    /// Left with its objects when the thing goes.
    pub keep: bool,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Listed {
    pub name: String,
    #[serde(default)]
    pub count: u64,
}

const MARK: &str = "x-container-meta-invenioils";

/// All containers of the account.
pub async fn list(api: &Api) -> Result<Vec<Listed>> {
    let mut all: Vec<Listed> = Vec::new();
    loop {
        let marker = all
            .last()
            .map(|it| format!("&marker={}", it.name))
            .unwrap_or_default();
        let call = api.get(
            Service::Objects,
            format!("?format=json{marker}"),
            "list containers",
        );
        let page: Vec<Listed> = match call.whole().await {
            Ok(page) => page,
            // An account that was never written to is not there.
            Err(error) if error.kind == Kind::Gone => return Ok(all),
            Err(error) => return Err(error),
        };
        let ended = page.len() < 10_000;
        all.extend(page);
        if ended {
            return Ok(all);
        }
    }
}

impl Container {
    /// A container of that name that is not marked as this one is somebody else's.
    async fn is_ours(&self, cx: &Cx<'_, OpenStack>) -> Result<bool> {
        let call = cx.cloud.api.call(
            Service::Objects,
            Method::HEAD,
            format!("/{}", self.name),
            format!("look at container `{}`", self.name),
        );
        match call.send().await {
            Ok(reply) => {
                let mark = reply
                    .headers
                    .get(MARK)
                    .and_then(|value| value.to_str().ok())
                    .unwrap_or_default();
                if mark == self.mark.as_str() {
                    return Ok(true);
                }
                let why = "there is one of that name which is not ours";
                Err(
                    Error::fatal(format!("create container `{}`", self.name), why)
                        .remedy("rename one of them"),
                )
            }
            Err(error) if error.kind == Kind::Gone => Ok(false),
            Err(error) => Err(error),
        }
    }

    async fn empty(&self, cx: &Cx<'_, OpenStack>) -> Result<()> {
        loop {
            let call = cx.cloud.api.get(
                Service::Objects,
                format!("/{}?format=json&limit=1000", self.name),
                format!("list container `{}`", self.name),
            );
            let objects: Vec<Listed> = call.whole().await?;
            if objects.is_empty() {
                return Ok(());
            }
            // One call removes a thousand.
            let names: String = objects
                .iter()
                .map(|object| format!("/{}/{}\n", self.name, encoded(&object.name)))
                .collect();
            let call = cx.cloud.api.call(
                Service::Objects,
                Method::POST,
                "?bulk-delete",
                format!("empty container `{}`", self.name),
            );
            call.bytes(names.into_bytes())
                .header("content-type", "text/plain")
                .send()
                .await?;
        }
    }
}

/// As it stands in a URL.
pub fn encoded(name: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~/".contains(&byte);
    name.bytes()
        .map(|byte| {
            if plain(byte) {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect()
}

impl Object<OpenStack> for Container {
    const KIND: &'static str = "container";
    type Facts = Of;

    fn id(facts: &Of) -> String {
        facts.id.clone()
    }
    async fn find(&self, cx: &Cx<'_, OpenStack>, known: Option<&Of>) -> Result<Option<Seen<Of>>> {
        let list = cx
            .cloud
            .containers(cx.cloud.since(known.is_some(), cx.since))
            .await?;
        if !list.iter().any(|it| it.name == self.name)
            || known.is_none() && !self.is_ours(cx).await?
        {
            return Ok(None);
        }
        Ok(ready(Of {
            id: self.name.clone(),
        }))
    }
    async fn create(&self, cx: &Cx<'_, OpenStack>) -> Result<Of> {
        let call = cx.cloud.api.call(
            Service::Objects,
            Method::PUT,
            format!("/{}", self.name),
            format!("create container `{}`", self.name),
        );
        call.header(MARK, self.mark.as_str()).send().await?;
        Ok(Of {
            id: self.name.clone(),
        })
    }
    async fn update(&self, _: &Cx<'_, OpenStack>, _: &Of, _: &[Difference]) -> Result<()> {
        Ok(())
    }
    async fn delete(&self, cx: &Cx<'_, OpenStack>, facts: &Of) -> Result<()> {
        let delete = || {
            cx.cloud
                .api
                .call(
                    Service::Objects,
                    Method::DELETE,
                    format!("/{}", facts.id),
                    format!("delete container `{}`", self.name),
                )
                .busy_when(409)
        };
        match delete().send().await {
            Err(error) if error.kind == Kind::Gone => Ok(()),
            // There are objects in it.
            Err(error) if error.kind == Kind::Busy => {
                self.empty(cx).await?;
                delete()
                    .send()
                    .await
                    .map(drop)
                    .or_else(crate::platform::openstack::api::gone_is_fine)
            }
            answer => answer.map(drop),
        }
    }
    fn keeps_data(&self) -> bool {
        true
    }
    fn outlives(&self) -> bool {
        self.keep
    }
    fn instant(&self) -> bool {
        true
    }
    fn usually(&self) -> Duration {
        Duration::from_millis(250)
    }
}

/// The name of the container in a thing's journal.
pub fn found(journal: &crate::engine::Journal) -> Option<String> {
    journal
        .facts::<OpenStack, Container>("container")
        .ok()
        .map(|of| of.id)
}
