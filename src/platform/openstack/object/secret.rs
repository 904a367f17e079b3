//! A secret in the store: a bundle of texts, or a certificate in the form that Octavia reads. Made or taken from what the
//! user gave, written once, forgotten. Its name is its mark.

mod payload;

use self::payload::Payload;
use super::{ready, record};
use crate::engine::{Cx, Difference, Error, Kind, Object, Ref, Result, Seen};
use crate::platform::openstack::{
    OpenStack,
    api::Service,
    lists::Marked,
    mark::{Mark, OURS},
};
use crate::site::{Certificate, Instance, Sealed, Service as SiteService};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The key under which a bundle keeps the secret of the application credential that its machines sign in with.
pub const CREDENTIAL: &str = "credential_secret";

#[derive(Serialize, Deserialize)]
pub struct Stored {
    pub mark: Mark,
    pub content: Content,
    pub store: Store,
}

/// Where secrets are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Store {
    Barbican,
    /// In a private image's properties, where a cloud has no Barbican.
    Glance,
}

/// What is in it, and how that is made.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::large_enum_variant, reason = "a plan has a few dozen of these")]
pub enum Content {
    /// What a service's machines keep.
    Server {
        service: SiteService,
    },
    /// What the application is given of it.
    Client {
        server: Ref<Stored>,
    },
    External {
        service: SiteService,
    },
    /// The keys of an object store: random, told to Keystone afterwards.
    ObjectStore,
    Instance {
        instance: Instance,
    },
    Certificate {
        certificate: Certificate,
    },
    /// In the form that Octavia reads, with the key out of the certificate's own bundle.
    Pkcs12 {
        bundle: String,
        certificate_pem: String,
        chain_pem: String,
    },
    /// What the user gave under these paths, and nothing else.
    Given {
        paths: Vec<String>,
    },
    /// Known by its mark only.
    Unknown,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Reference {
    pub id: String,
    /// How machines and Octavia call it: the whole URL at Barbican.
    pub reference: String,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Listed {
    #[serde(default)]
    pub name: Option<String>,
    pub secret_ref: String,
    #[serde(default)]
    pub status: String,
}

impl Listed {
    pub fn reference(&self) -> Reference {
        Reference {
            id: last(&self.secret_ref).to_owned(),
            reference: self.secret_ref.clone(),
        }
    }
}

impl Marked for Listed {
    fn id(&self) -> &str {
        last(&self.secret_ref)
    }
    fn mark(&self) -> &str {
        self.name.as_deref().unwrap_or_default()
    }
}

fn last(reference: &str) -> &str {
    reference
        .trim_end_matches('/')
        .rsplit('/')
        .next()
        .unwrap_or(reference)
}

const GLANCE: &str = "glance:";

impl Reference {
    /// What other things' outputs call it.
    pub fn of(reference: &str) -> Self {
        Self {
            id: last(reference.trim_start_matches(GLANCE)).to_owned(),
            reference: reference.to_owned(),
        }
    }
}

pub fn in_glance(id: &str) -> Reference {
    Reference {
        id: id.to_owned(),
        reference: format!("{GLANCE}{id}"),
    }
}

/// The text of a stored secret. What this process has written it need not ask for.
pub async fn read(cloud: &OpenStack, secret: &Reference) -> Result<Sealed> {
    if let Some(text) = cloud.vault.get(&secret.id) {
        return Ok(text);
    }
    let doing = format!("read secret {}", secret.id);
    let unreadable = || Error::fatal(&doing, "it is not one of ours");
    let text = if secret.reference.starts_with(GLANCE) {
        let image: record::Listed = cloud
            .api
            .get(Service::Image, format!("/images/{}", secret.id), &doing)
            .whole()
            .await?;
        Sealed::new(image.text().ok_or_else(unreadable)?)
    } else {
        let call = cloud
            .api
            .get(
                Service::Keys,
                format!("/secrets/{}/payload", secret.id),
                &doing,
            )
            .accept("text/plain");
        let bytes = zeroize::Zeroizing::new(call.send().await?.body);
        Sealed::new(std::str::from_utf8(&bytes).map_err(|_| unreadable())?)
    };
    cloud.vault.put(&secret.id, text.clone());
    Ok(text)
}

impl Object<OpenStack> for Stored {
    const KIND: &'static str = "secret";
    type Facts = Reference;

    fn id(facts: &Reference) -> String {
        facts.id.clone()
    }
    async fn find(
        &self,
        cx: &Cx<'_, OpenStack>,
        known: Option<&Reference>,
    ) -> Result<Option<Seen<Reference>>> {
        let since = cx.cloud.since(known.is_some(), cx.since);
        let known = known.map(|reference| reference.id.as_str().into());
        let found = match self.store {
            Store::Barbican => super::super::lists::seek(
                &cx.cloud.secrets(since).await?,
                known.as_ref(),
                &self.mark,
            )
            .map(Listed::reference),
            Store::Glance => {
                super::super::lists::seek(&cx.cloud.kept(since).await?, known.as_ref(), &self.mark)
                    .map(|it| in_glance(&it.id))
            }
        };
        Ok(found.and_then(ready))
    }
    async fn create(&self, cx: &Cx<'_, OpenStack>) -> Result<Reference> {
        let payload = self.payload(cx).await?;
        let doing = format!("store secret `{}`", self.mark);
        let reference = match (self.store, &payload) {
            (Store::Barbican, payload) => {
                let mut body = json!({ "name": self.mark, "secret_type": "opaque" });
                match payload {
                    Payload::Text(text) => {
                        body["payload"] = json!(text.expose());
                        body["payload_content_type"] = json!("text/plain");
                    }
                    Payload::Bytes(bytes) => {
                        body["payload"] = json!(STANDARD.encode(bytes));
                        body["payload_content_type"] = json!("application/octet-stream");
                        body["payload_content_encoding"] = json!("base64");
                    }
                }
                let answer: Value = cx
                    .cloud
                    .api
                    .post(Service::Keys, "/secrets", &doing, body)
                    .json_answer()
                    .await?;
                let reference = answer["secret_ref"].as_str().unwrap_or_default().to_owned();
                Reference {
                    id: last(&reference).to_owned(),
                    reference,
                }
            }
            (Store::Glance, payload) => {
                let text = match payload {
                    Payload::Text(text) => text.clone(),
                    Payload::Bytes(bytes) => Sealed::new(STANDARD.encode(bytes)),
                };
                let mut body =
                    record::image_body(&self.mark, &format!("{OURS}-secret"), text.expose());
                body.insert("protected".into(), json!(false));
                let answer = cx
                    .cloud
                    .api
                    .post(Service::Image, "/images", &doing, Value::Object(body))
                    .json_answer()
                    .await?;
                in_glance(answer["id"].as_str().unwrap_or_default())
            }
        };
        if reference.id.is_empty() {
            return Err(Error::new(
                Kind::Unsure,
                doing,
                "the answer names no secret",
            ));
        }
        if let Payload::Text(text) = payload {
            cx.cloud.vault.put(&reference.id, text);
        }
        Ok(reference)
    }
    async fn update(&self, _: &Cx<'_, OpenStack>, _: &Reference, _: &[Difference]) -> Result<()> {
        Ok(())
    }
    async fn delete(&self, cx: &Cx<'_, OpenStack>, facts: &Reference) -> Result<()> {
        let doing = format!("delete secret `{}`", self.mark);
        match self.store {
            Store::Barbican => {
                cx.cloud
                    .api
                    .delete(Service::Keys, format!("/secrets/{}", facts.id), doing)
                    .await
            }
            Store::Glance => {
                cx.cloud
                    .api
                    .delete(Service::Image, format!("/images/{}", facts.id), doing)
                    .await
            }
        }
    }
    fn instant(&self) -> bool {
        true
    }
}
