//! What is written into a secret: keys that exist are kept, the others are made.

use super::{CREDENTIAL, Content, Listed, Reference, Store, Stored, in_glance, read};
use crate::engine::{Cx, Error, Result};
use crate::platform::openstack::{OpenStack, lists::Marked};
use crate::site::{Sealed, secrets, tls};

pub(super) enum Payload {
    Text(Sealed),
    Bytes(zeroize::Zeroizing<Vec<u8>>),
}

impl Stored {
    /// What is to be written.
    pub(super) async fn payload(&self, cx: &Cx<'_, OpenStack>) -> Result<Payload> {
        let doing = format!("make secret `{}`", self.mark);
        let wrong = |why: String| Error::fatal(&doing, why);
        let given = |path: &str| {
            cx.secrets
                .get(path)
                .map(|secret| Sealed::new(secret.expose()))
        };
        let now = chrono::Utc::now();
        let bundle = match &self.content {
            Content::Server { service } => {
                let before = self.before(cx).await?;
                let mut bundle =
                    secrets::server_bundle(service, before.as_ref(), now).map_err(wrong)?;
                for name in [CREDENTIAL, "access_key", "secret_key"] {
                    keep_or_make(&mut bundle, name).map_err(wrong)?;
                }
                bundle
            }
            Content::Client { server } => {
                let server = read(cx.cloud, &cx.facts(server)?).await?;
                secrets::client_bundle(&secrets::Bundle::from_json(&server).map_err(wrong)?)
            }
            Content::External { service } => {
                let before = self.before(cx).await?;
                secrets::external_bundle(
                    service,
                    given("external.password").as_ref(),
                    before.as_ref(),
                )
            }
            Content::ObjectStore => match self.before(cx).await? {
                Some(bundle) => bundle,
                None => secrets::object_store_bundle(
                    &secrets::password().map_err(wrong)?,
                    &secrets::password().map_err(wrong)?,
                ),
            },
            Content::Instance { instance } => {
                let before = self.before(cx).await?;
                let mut bundle =
                    secrets::instance_bundle(instance, given, before.as_ref()).map_err(wrong)?;
                keep_or_make(&mut bundle, CREDENTIAL).map_err(wrong)?;
                bundle
            }
            Content::Certificate { certificate } => {
                let Some(key) =
                    given("private_key_pem").or_else(|| given("imported.private_key_pem"))
                else {
                    let why =
                        "the private key is not known in this run, and nothing was stored before";
                    return Err(Error::fatal(doing, why)
                        .remedy("apply again with the key, or replace the certificate"));
                };
                let (leaf, chain) = match &certificate.issued {
                    Some(issued) => (issued.certificate_pem.as_str(), issued.chain_pem.as_str()),
                    None => return Err(Error::fatal(doing, "the certificate has not been issued")),
                };
                secrets::certificate_bundle(certificate, &key, leaf, chain)
            }
            Content::Pkcs12 {
                bundle,
                certificate_pem,
                chain_pem,
            } => {
                let kept = read(cx.cloud, &Reference::of(bundle)).await?;
                let kept = secrets::Bundle::from_json(&kept).map_err(wrong)?;
                let key = kept
                    .get("private_key_pem")
                    .ok_or_else(|| wrong("its bundle has no private key".to_owned()))?;
                return tls::pkcs12(key, certificate_pem, chain_pem)
                    .map(Payload::Bytes)
                    .map_err(wrong);
            }
            Content::Given { paths } => {
                let mut bundle = self.before(cx).await?.unwrap_or_default();
                for path in paths {
                    if let Some(secret) = given(path) {
                        bundle.put(path.replace('.', "_"), secret);
                    }
                }
                bundle
            }
            Content::Unknown => return Err(wrong("nobody knows what was in it".to_owned())),
        };
        Ok(Payload::Text(bundle.to_json()))
    }

    /// The bundle of an earlier generation: keys that exist are kept, whatever else is new.
    async fn before(&self, cx: &Cx<'_, OpenStack>) -> Result<Option<secrets::Bundle>> {
        let Some((family, _)) = self.mark.as_str().rsplit_once('-') else {
            return Ok(None);
        };
        let since = cx.cloud.since(false, cx.since);
        let earlier = |mark: &str| {
            mark != self.mark.as_str()
                && mark
                    .rsplit_once('-')
                    .is_some_and(|(other, _)| other == family)
        };
        let found = match self.store {
            Store::Barbican => cx
                .cloud
                .secrets(since)
                .await?
                .iter()
                .rev()
                .find(|it| earlier(it.mark()))
                .map(Listed::reference),
            Store::Glance => cx
                .cloud
                .kept(since)
                .await?
                .iter()
                .find(|it| earlier(it.mark()))
                .map(|it| in_glance(&it.id)),
        };
        let Some(found) = found else { return Ok(None) };
        let text = read(cx.cloud, &found).await?;
        secrets::Bundle::from_json(&text)
            .map(Some)
            .map_err(|why| Error::fatal(format!("read secret `{}`", self.mark), why))
    }
}

fn keep_or_make(bundle: &mut secrets::Bundle, name: &str) -> Result<(), String> {
    if bundle.get(name).is_none() {
        bundle.put(name, secrets::password()?);
    }
    Ok(())
}
