//! A security group, without its rules.

use super::{Compared, Of, rules};
use crate::engine::{Cx, Difference, Object, Result, Seen, Standing};
use crate::platform::openstack::{
    OpenStack,
    api::Service,
    lists::{Marked, seek},
    mark::Mark,
};
use serde::{Deserialize, Serialize};
use serde_json::json;

#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub struct SecurityGroup {
    pub mark: Mark,
    pub name: String,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Listed {
    pub id: String,
    #[serde(default)]
    pub name: String,
    #[serde(default)]
    pub description: String,
    #[serde(default)]
    pub security_group_rules: Vec<rules::Listed>,
}

impl Marked for Listed {
    fn id(&self) -> &str {
        &self.id
    }
    fn mark(&self) -> &str {
        &self.description
    }
}

impl Object<OpenStack> for SecurityGroup {
    const KIND: &'static str = "security_group";
    type Facts = Of;

    fn id(facts: &Of) -> String {
        facts.id.clone()
    }
    async fn find(&self, cx: &Cx<'_, OpenStack>, known: Option<&Of>) -> Result<Option<Seen<Of>>> {
        let list = cx
            .cloud
            .security_groups(cx.cloud.since(known.is_some(), cx.since))
            .await?;
        let Some(found) = seek(&list, known, &self.mark) else {
            return Ok(None);
        };
        let mut compared = Compared::default();
        compared.field("name", &self.name, &found.name);
        compared.field("description", self.mark.as_str(), &found.description);
        Ok(compared.seen(found.id.as_str().into(), Standing::Ready))
    }
    async fn create(&self, cx: &Cx<'_, OpenStack>) -> Result<Of> {
        let body = json!({ "security_group": { "name": self.name, "description": self.mark } });
        let call = cx.cloud.api.post(
            Service::Network,
            "/security-groups",
            format!("create security group `{}`", self.name),
            body,
        );
        call.answer("security_group").await
    }
    async fn update(&self, cx: &Cx<'_, OpenStack>, facts: &Of, _: &[Difference]) -> Result<()> {
        let body = json!({ "security_group": { "name": self.name, "description": self.mark } });
        let path = format!("/security-groups/{}", facts.id);
        cx.cloud
            .api
            .put(
                Service::Network,
                path,
                format!("update security group `{}`", self.name),
                body,
            )
            .send()
            .await
            .map(drop)
    }
    async fn delete(&self, cx: &Cx<'_, OpenStack>, facts: &Of) -> Result<()> {
        let path = format!("/security-groups/{}", facts.id);
        cx.cloud
            .api
            .delete(
                Service::Network,
                path,
                format!("delete security group `{}`", self.name),
            )
            .await
    }
    fn instant(&self) -> bool {
        true
    }
}
