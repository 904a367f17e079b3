//! A volume: where a service's data lives. It grows in place and is never made anew.

use super::{Compared, Of};
use crate::engine::{Cx, Difference, Object, Result, Seen, Standing};
use crate::platform::openstack::{
    OpenStack,
    api::Service,
    lists::{Marked, VOLUME, seek_only},
    mark::{Mark, OURS},
    tags::{self, Tags},
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::{collections::BTreeMap, time::Duration};

#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Volume {
    pub mark: Mark,
    pub name: String,
    pub size_gib: u32,
    pub volume_type: Option<String>,
    pub tags: Tags,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Listed {
    pub id: String,
    #[serde(default)]
    pub name: Option<String>,
    pub status: String,
    pub size: u32,
    #[serde(default)]
    pub volume_type: Option<String>,
    #[serde(default)]
    pub metadata: BTreeMap<String, String>,
}

/// A volume type, for the check that it exists.
#[derive(Debug, Clone, Deserialize)]
pub struct Type {
    pub id: String,
    pub name: String,
}

impl Marked for Listed {
    fn id(&self) -> &str {
        &self.id
    }
    fn mark(&self) -> &str {
        self.metadata.get(OURS).map_or("", String::as_str)
    }
}

impl Volume {
    fn metadata(&self) -> BTreeMap<String, String> {
        tags::metadata(&self.mark, &self.tags)
    }
}

impl Object<OpenStack> for Volume {
    const KIND: &'static str = "volume";
    type Facts = Of;

    fn id(facts: &Of) -> String {
        facts.id.clone()
    }
    async fn find(&self, cx: &Cx<'_, OpenStack>, known: Option<&Of>) -> Result<Option<Seen<Of>>> {
        let list = cx
            .cloud
            .volumes(cx.cloud.since(known.is_some(), cx.since))
            .await?;
        let Some(found) = seek_only(&list, known, &self.mark)? else {
            return Ok(None);
        };
        let standing = match found.status.as_str() {
            "available" | "in-use" | "backing-up" => Standing::Ready,
            "error" | "error_deleting" | "error_restoring" => {
                Standing::Broken(found.status.clone())
            }
            // It was not enlarged, but it is whole: asking again is right.
            "error_extending" => Standing::Ready,
            "deleting" => Standing::Leaving,
            other => Standing::Pending(other.to_owned()),
        };
        let mut compared = Compared::default();
        compared.field(
            "name",
            self.name.as_str(),
            found.name.as_deref().unwrap_or_default(),
        );
        if found.size < self.size_gib {
            compared.field("size_gib", &self.size_gib, &found.size);
        } else {
            // What somebody has enlarged by hand cannot shrink; it is data, so it is refused, with words.
            compared.fixed("size_gib", &self.size_gib, &found.size);
        }
        if let Some(wanted) = &self.volume_type {
            compared.fixed(
                "volume_type",
                wanted.as_str(),
                found.volume_type.as_deref().unwrap_or_default(),
            );
        }
        compared.field(
            "metadata",
            &BTreeMap::new(),
            &tags::missing(&self.metadata(), &found.metadata),
        );
        Ok(compared.seen(found.id.as_str().into(), standing))
    }
    async fn create(&self, cx: &Cx<'_, OpenStack>) -> Result<Of> {
        let mut body =
            json!({ "name": self.name, "size": self.size_gib, "metadata": self.metadata() });
        if let Some(kind) = &self.volume_type {
            body["volume_type"] = json!(kind);
        }
        let call = cx.cloud.api.post(
            Service::Volume,
            "/volumes",
            format!("create volume `{}`", self.name),
            json!({ "volume": body }),
        );
        call.microversion(VOLUME).answer("volume").await
    }
    async fn update(
        &self,
        cx: &Cx<'_, OpenStack>,
        facts: &Of,
        differences: &[Difference],
    ) -> Result<()> {
        let path = format!("/volumes/{}", facts.id);
        if differences.iter().any(|it| it.field != "size_gib") {
            let body = json!({ "volume": { "name": self.name, "metadata": self.metadata() } });
            cx.cloud
                .api
                .put(
                    Service::Volume,
                    &path,
                    format!("update volume `{}`", self.name),
                    body,
                )
                .send()
                .await?;
        }
        if differences.iter().any(|it| it.field == "size_gib") {
            let body = json!({ "os-extend": { "new_size": self.size_gib } });
            let call = cx.cloud.api.post(
                Service::Volume,
                format!("{path}/action"),
                format!("enlarge volume `{}`", self.name),
                body,
            );
            call.microversion(VOLUME)
                .send()
                .await
                .map_err(|error| error.at("disk_gib"))?;
        }
        Ok(())
    }
    async fn delete(&self, cx: &Cx<'_, OpenStack>, facts: &Of) -> Result<()> {
        cx.cloud
            .api
            .delete(
                Service::Volume,
                format!("/volumes/{}", facts.id),
                format!("delete volume `{}`", self.name),
            )
            .await
    }
    fn keeps_data(&self) -> bool {
        true
    }
    fn usually(&self) -> Duration {
        Duration::from_secs(1)
    }
}
