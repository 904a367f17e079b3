//! What a backup policy tells the machines of a service: a part of each server's metadata. It belongs to the policy, not to
//! the servers, and goes with it. A machine that is made later takes it from the policy's record when it is made.

use super::{Of, container::Container, server};
use crate::engine::{Cx, Difference, Error, Kind, Object, Ref, Result, Seen, Standing};
use crate::platform::openstack::{
    OpenStack,
    api::{Service, gone_is_fine},
    lists::Marked,
    mark::Mark,
};
use crate::site::{
    Id,
    guest::{self, BackupDocument},
};
use futures::future::try_join_all;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;

#[derive(Serialize, Deserialize)]
pub struct Document {
    pub service: Id,
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
        let index = key
            .strip_prefix(&self.part)
            .and_then(|rest| rest.strip_prefix('.'));
        index.is_some_and(|index| index.parse::<u32>().is_ok())
    }
    fn is_told(&self, server: &server::Listed) -> bool {
        server.metadata.keys().any(|key| self.is_piece(key))
    }
    fn lacks(&self, server: &server::Listed) -> bool {
        self.pieces()
            .iter()
            .any(|(key, value)| server.metadata.get(key) != Some(value))
    }
    /// The machines of the service that are there to stay.
    fn machines<'a>(
        &'a self,
        list: &'a [server::Listed],
    ) -> impl Iterator<Item = &'a server::Listed> {
        list.iter().filter(|server| {
            Mark::step_of(server.mark(), &self.service).is_some() && !server.is_leaving()
        })
    }
    async fn tell(&self, cx: &Cx<'_, OpenStack>, server: &str) -> Result<()> {
        let body = json!({ "metadata": self.pieces() });
        let path = format!("/servers/{server}/metadata");
        let doing = format!("tell server {server} its backups");
        let call = cx.cloud.api.post(Service::Compute, path, doing, body);
        // A machine that is gone need not be told.
        call.send().await.map(drop).or_else(gone_is_fine)
    }
}

impl Object<OpenStack> for Document {
    const KIND: &'static str = "document";
    type Facts = Of;

    fn id(facts: &Of) -> String {
        facts.id.clone()
    }
    async fn find(&self, cx: &Cx<'_, OpenStack>, _: Option<&Of>) -> Result<Option<Seen<Of>>> {
        let list = cx
            .cloud
            .servers(
                cx.since
                    .max(cx.cloud.api.past.last_change_of(Service::Compute)),
            )
            .await?;
        if !self.machines(&list).any(|server| self.is_told(server)) {
            return Ok(None);
        }
        let lacking = self.machines(&list).filter(|server| self.lacks(server));
        let difference = |server: &server::Listed| {
            Difference::update(
                "document",
                "as declared",
                format!("missing or old at {}", server.name),
            )
        };
        let differences = lacking.map(difference).collect();
        let id = format!("{} of {}", self.part, self.service);
        Ok(Some(Seen {
            facts: Of { id },
            standing: Standing::Ready,
            differences,
        }))
    }
    async fn create(&self, cx: &Cx<'_, OpenStack>) -> Result<Of> {
        let id = format!("{} of {}", self.part, self.service);
        let list = cx
            .cloud
            .servers(
                cx.since
                    .max(cx.cloud.api.past.last_change_of(Service::Compute)),
            )
            .await?;
        if self.machines(&list).next().is_none() {
            let error = Error::new(
                Kind::Fatal,
                format!("tell the machines of `{}` their backups", self.service),
                "it has no machines",
            );
            return Err(error.remedy("apply the service first"));
        }
        let _alone = cx.cloud.metadata.lock().await;
        try_join_all(self.machines(&list).map(|server| self.tell(cx, &server.id))).await?;
        Ok(Of { id })
    }
    async fn update(&self, cx: &Cx<'_, OpenStack>, _: &Of, _: &[Difference]) -> Result<()> {
        let _alone = cx.cloud.metadata.lock().await;
        let list = cx.cloud.servers(cx.since).await?;
        let lacking = self.machines(&list).filter(|server| self.lacks(server));
        try_join_all(lacking.map(|server| self.tell(cx, &server.id)))
            .await
            .map(drop)
    }
    async fn delete(&self, cx: &Cx<'_, OpenStack>, _: &Of) -> Result<()> {
        let _alone = cx.cloud.metadata.lock().await;
        let list = cx
            .cloud
            .servers(
                cx.since
                    .max(cx.cloud.api.past.last_change_of(Service::Compute)),
            )
            .await?;
        for server in self.machines(&list).filter(|server| self.is_told(server)) {
            let rest: BTreeMap<_, _> = server
                .metadata
                .iter()
                .filter(|(key, _)| !self.is_piece(key))
                .collect();
            let path = format!("/servers/{}/metadata", server.id);
            let doing = format!("tell server {} that backups have ended", server.id);
            let call = cx
                .cloud
                .api
                .put(Service::Compute, path, doing, json!({ "metadata": rest }));
            call.send().await.map(drop).or_else(gone_is_fine)?;
        }
        Ok(())
    }
    fn instant(&self) -> bool {
        true
    }
}
