//! What a backup policy tells a machine of a service: a part of the server's metadata. It belongs to the policy, not to
//! the server, and goes with it.

use super::{Of, container::Container};
use crate::engine::{Cx, Difference, Object, Ref, Result, Seen, Standing};
use crate::platform::openstack::{
    OpenStack,
    api::{Service, gone_is_fine},
};
use crate::site::guest::{self, BackupDocument};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;

#[derive(Serialize, Deserialize)]
pub struct Document {
    pub server: String,
    /// `backup.<name>`
    pub part: String,
    pub document: BackupDocument,
    pub container: Option<Ref<Container>>,
}

impl Document {
    fn pieces(&self) -> BTreeMap<String, String> {
        guest::pack(&self.part, &self.document)
    }
    fn is_piece(&self, key: &str) -> bool {
        key.strip_prefix(&self.part)
            .and_then(|rest| rest.strip_prefix('.'))
            .is_some_and(|index| index.parse::<u32>().is_ok())
    }
}

impl Object<OpenStack> for Document {
    const KIND: &'static str = "document";
    type Facts = Of;

    fn id(facts: &Of) -> String {
        facts.id.clone()
    }
    async fn find(&self, cx: &Cx<'_, OpenStack>, known: Option<&Of>) -> Result<Option<Seen<Of>>> {
        let since = if known.is_some() {
            cx.since
        } else {
            cx.cloud
                .since(false, cx.since)
                .max(cx.cloud.api.past.last_change_of(Service::Compute))
        };
        let list = cx.cloud.servers(since).await?;
        let Some(server) = list.iter().find(|server| server.id == self.server) else {
            return Ok(None);
        };
        if !server.metadata.keys().any(|key| self.is_piece(key)) {
            return Ok(None);
        }
        let wanted = self.pieces();
        let changed = wanted
            .iter()
            .any(|(key, value)| server.metadata.get(key) != Some(value));
        let differences = if changed {
            vec![Difference::update(
                "document",
                "as declared",
                "of an earlier apply",
            )]
        } else {
            Vec::new()
        };
        Ok(Some(Seen {
            facts: Of {
                id: self.server.clone(),
            },
            standing: Standing::Ready,
            differences,
        }))
    }
    async fn create(&self, cx: &Cx<'_, OpenStack>) -> Result<Of> {
        let facts = Of {
            id: self.server.clone(),
        };
        self.update(cx, &facts, &[]).await?;
        Ok(facts)
    }
    async fn update(&self, cx: &Cx<'_, OpenStack>, facts: &Of, _: &[Difference]) -> Result<()> {
        let body = json!({ "metadata": self.pieces() });
        let path = format!("/servers/{}/metadata", facts.id);
        cx.cloud
            .api
            .post(
                Service::Compute,
                path,
                format!("tell server {} its backups", facts.id),
                body,
            )
            .send()
            .await
            .map(drop)
    }
    async fn delete(&self, cx: &Cx<'_, OpenStack>, facts: &Of) -> Result<()> {
        let list = cx
            .cloud
            .servers(
                cx.since
                    .max(cx.cloud.api.past.last_change_of(Service::Compute)),
            )
            .await?;
        let Some(server) = list.iter().find(|server| server.id == facts.id) else {
            return Ok(());
        };
        if !server.metadata.keys().any(|key| self.is_piece(key)) {
            return Ok(());
        }
        let rest: BTreeMap<_, _> = server
            .metadata
            .iter()
            .filter(|(key, _)| !self.is_piece(key))
            .collect();
        let path = format!("/servers/{}/metadata", facts.id);
        let doing = format!("tell server {} that backups have ended", facts.id);
        let call = cx
            .cloud
            .api
            .put(Service::Compute, path, doing, json!({ "metadata": rest }));
        call.send().await.map(drop).or_else(gone_is_fine)
    }
    fn instant(&self) -> bool {
        true
    }
}
