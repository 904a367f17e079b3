//! The redirect from HTTP to HTTPS: a policy with its one rule, which matches everything. Both go with their listener.

use super::{Compared, Of, listener::Listener, load_balancer::child};
use crate::engine::{Cx, Difference, Error, Kind, Object, Ref, Result, Seen};
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
pub struct Redirect {
    pub mark: Mark,
    pub name: String,
    pub balancer: String,
    pub listener: Option<Ref<Listener>>,
    /// `https://library.example.org`
    pub prefix: String,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Listed {
    pub id: String,
    #[serde(default)]
    pub description: Option<String>,
    #[serde(default)]
    pub provisioning_status: String,
    #[serde(default)]
    pub redirect_prefix: Option<String>,
    #[serde(default)]
    pub redirect_http_code: Option<u16>,
    #[serde(default)]
    pub rules: Vec<Of>,
}

impl Marked for Listed {
    fn id(&self) -> &str {
        &self.id
    }
    fn mark(&self) -> &str {
        self.description.as_deref().unwrap_or_default()
    }
}

const CODE: u16 = 301;

impl Redirect {
    /// Without a rule a policy never matches.
    async fn add_rule(&self, cx: &Cx<'_, OpenStack>, policy: &str) -> Result<()> {
        let body =
            json!({ "rule": { "type": "PATH", "compare_type": "STARTS_WITH", "value": "/" } });
        let _turn = cx.cloud.turn(&self.balancer).await?;
        let path = format!("/l7policies/{policy}/rules");
        cx.cloud
            .api
            .post(
                Service::Balancer,
                path,
                format!("create the rule of redirect `{}`", self.name),
                body,
            )
            .send()
            .await
            .map(drop)
    }
}

impl Object<OpenStack> for Redirect {
    const KIND: &'static str = "l7policy";
    type Facts = Of;

    fn id(facts: &Of) -> String {
        facts.id.clone()
    }
    async fn find(&self, cx: &Cx<'_, OpenStack>, known: Option<&Of>) -> Result<Option<Seen<Of>>> {
        let list = cx
            .cloud
            .policies(cx.cloud.since(known.is_some(), cx.since))
            .await?;
        let Some(found) = seek(&list, known, &self.mark) else {
            return Ok(None);
        };
        let mut compared = Compared::default();
        compared.field(
            "redirect_prefix",
            self.prefix.as_str(),
            found.redirect_prefix.as_deref().unwrap_or_default(),
        );
        compared.field("redirect_http_code", &Some(CODE), &found.redirect_http_code);
        compared.field("rules", &1, &found.rules.len());
        Ok(compared.seen(found.id.as_str().into(), child(&found.provisioning_status)))
    }
    async fn create(&self, cx: &Cx<'_, OpenStack>) -> Result<Of> {
        let gone = || {
            Error::new(
                Kind::Gone,
                "create the redirect",
                "its listener is not known",
            )
        };
        let listener = cx.facts(self.listener.as_ref().ok_or_else(gone)?)?.id;
        let body = json!({ "l7policy": {
            "name": self.name, "description": self.mark, "listener_id": listener, "action": "REDIRECT_PREFIX",
            "redirect_prefix": self.prefix, "redirect_http_code": CODE,
        } });
        let made: Of = {
            let _turn = cx.cloud.turn(&self.balancer).await?;
            cx.cloud
                .api
                .post(
                    Service::Balancer,
                    "/l7policies",
                    format!("create redirect `{}`", self.name),
                    body,
                )
                .answer("l7policy")
                .await?
        };
        // Should this be cut off, the next look finds a policy without a rule and mends it.
        self.add_rule(cx, &made.id).await?;
        Ok(made)
    }
    async fn update(
        &self,
        cx: &Cx<'_, OpenStack>,
        facts: &Of,
        differences: &[Difference],
    ) -> Result<()> {
        if differences.iter().any(|it| it.field == "rules") {
            self.add_rule(cx, &facts.id).await?;
        }
        if differences.iter().all(|it| it.field == "rules") {
            return Ok(());
        }
        let body =
            json!({ "l7policy": { "redirect_prefix": self.prefix, "redirect_http_code": CODE } });
        let _turn = cx.cloud.turn(&self.balancer).await?;
        let path = format!("/l7policies/{}", facts.id);
        cx.cloud
            .api
            .put(
                Service::Balancer,
                path,
                format!("update redirect `{}`", self.name),
                body,
            )
            .send()
            .await
            .map(drop)
    }
    async fn delete(&self, _: &Cx<'_, OpenStack>, _: &Of) -> Result<()> {
        Ok(())
    }
    fn instant(&self) -> bool {
        true
    }
}
