//! `invenioils_certificate`: a TLS certificate for an instance, renewed before it ends.

mod model;

pub use model::Model;

use super::parts::{environment_of, named};
use super::values::{Asked, Fit, from_strings, refused, strings, whole};
use super::{Declared, Names};
use crate::engine::{Error, Secret, Secrets};
use crate::plugin::{Schema, Value};
use crate::site::{self, Certificate, Finding, Issued, KeyType, Outputs, Sort, Source, Thing, tls};
use chrono::{DateTime, Utc};
use model::{AcmeModel, ImportedModel, ManagedModel, SelfSignedModel};

impl Declared for Model {
    const NAME: &'static str = "invenioils_certificate";
    const SORT: Sort = Sort::Certificate;

    fn schema() -> Schema {
        model::schema()
    }

    fn thing(&self) -> Fit<Thing> {
        Ok(Thing::Certificate(Certificate {
            environment: environment_of(&self.environment_id)?,
            name: named(&self.name, "name")?,
            hostnames: strings(&self.hostnames)?,
            key_type: key_type(
                &self
                    .key_type
                    .given()?
                    .unwrap_or_else(|| "ecdsa-p256".into()),
            )?,
            renew_before_days: whole(
                self.renew_before_days.given()?.unwrap_or(30),
                "renew_before_days",
            )?,
            source: self.source()?,
            revoke_on_destroy: self.revoke_on_destroy.given()?.unwrap_or(false),
            generation: 0,
            issued: None,
        }))
    }

    fn choose(&mut self, _thing: &Thing) {}

    fn compute(&mut self, thing: &Thing, outputs: &Outputs) {
        self.secret_id = outputs.secret_id.clone().into();
        let Thing::Certificate(it) = thing else {
            return;
        };
        let Some(issued) = &it.issued else { return };
        self.certificate_pem = Value::Known(issued.certificate_pem.clone());
        self.chain_pem = Value::Known(issued.chain_pem.clone());
        let Ok(facts) = tls::read(&issued.certificate_pem) else {
            return;
        };
        self.not_before = Value::Known(facts.not_before.to_rfc3339());
        self.not_after = Value::Known(facts.not_after.to_rfc3339());
        self.serial = Value::Known(facts.serial);
        self.fingerprint_sha256 = Value::Known(facts.fingerprint_sha256);
        self.issuer = Value::Known(facts.issuer);
        self.renewal_due = Value::Known(due(it, facts.not_after));
    }

    fn show(&mut self, thing: &Thing) {
        let Thing::Certificate(it) = thing else {
            return;
        };
        self.environment_id = Value::Known(it.environment.to_string());
        self.name = Value::Known(it.name.to_string());
        self.hostnames = from_strings(&it.hostnames);
        self.key_type = Value::Known(key_type_name(it.key_type).to_owned());
        self.renew_before_days = Value::Known(i64::from(it.renew_before_days));
        self.revoke_on_destroy = Value::Known(it.revoke_on_destroy);
        match &it.source {
            Source::Acme(it) => self.acme = Value::Known(AcmeModel::from(it)),
            Source::Imported(it) => self.imported = Value::Known(ImportedModel::from(it)),
            Source::SelfSigned(it) => {
                self.self_signed = Value::Known(SelfSignedModel {
                    validity_days: Value::Known(i64::from(it.validity_days)),
                });
            }
            Source::Managed(it) => {
                self.managed = Value::Known(ManagedModel {
                    issuer: it.issuer.clone().into(),
                })
            }
        }
    }

    fn secrets(&self) -> Secrets {
        let mut secrets = Secrets::default();
        if let Some(key) = self
            .imported
            .known()
            .and_then(|it| it.private_key_pem_wo.chosen())
        {
            secrets.put("imported.private_key_pem", Secret::new(key.clone()));
            secrets.put("private_key_pem", Secret::new(key));
        }
        let eab = self
            .acme
            .known()
            .and_then(|it| it.eab.known().and_then(|it| it.hmac_key_wo.chosen()));
        if let Some(key) = eab {
            secrets.put("acme.eab.hmac_key", Secret::new(key));
        }
        secrets
    }

    /// A new generation is a new key pair under new names; the old one stays until nobody uses it.
    fn evolve(thing: &mut Thing, before: Option<&Thing>) -> Vec<Finding> {
        let (Thing::Certificate(now), before) = (thing, before.and_then(as_certificate)) else {
            return Vec::new();
        };
        let Some(before) = before else {
            now.generation = 1;
            now.issued = imported(now);
            return Vec::new();
        };
        let due = before
            .issued
            .as_ref()
            .and_then(|it| tls::read(&it.certificate_pem).ok())
            .filter(|it| !matches!(now.source, Source::Imported(_)) && due(now, it.not_after));
        let same = before.hostnames == now.hostnames
            && before.key_type == now.key_type
            && before.source == now.source;
        if same && due.is_none() {
            now.generation = before.generation;
            now.issued = before.issued.clone();
            return Vec::new();
        }
        now.generation = before.generation + 1;
        now.issued = imported(now);
        due.map(|it| renewal(&before.hostnames, it.not_after))
            .into_iter()
            .collect()
    }

    /// Makes the key pair of a self-signed certificate; it goes to the secret store and nowhere else.
    fn prepare(thing: &mut Thing, secrets: &mut Secrets, stored: bool) -> Result<(), Error> {
        let Thing::Certificate(it) = thing else {
            return Ok(());
        };
        let Source::SelfSigned(source) = &it.source else {
            return Ok(());
        };
        if it.issued.is_some() && stored {
            return Ok(());
        }
        let failed = |why| {
            Error::fatal(
                format!("make the certificate for `{}`", it.hostnames.join("`, `")),
                why,
            )
        };
        let key = tls::make_key(it.key_type).map_err(failed)?;
        let certificate_pem =
            tls::self_signed(&it.hostnames, source.validity_days, &key, Utc::now())
                .map_err(failed)?;
        secrets.put("private_key_pem", Secret::new(key.expose()));
        it.issued = Some(Issued {
            certificate_pem,
            chain_pem: String::new(),
        });
        Ok(())
    }

    fn names(&self) -> Names<'_> {
        Names {
            environment_id: Some(&self.environment_id),
            name: &self.name,
        }
    }
    fn id(&mut self) -> &mut Value<String> {
        &mut self.id
    }
    fn status(&mut self) -> &mut Value<String> {
        &mut self.status
    }

    /// The key and the certificate must belong together, and be good for what they are brought for.
    fn offline(config: &Self, planned: &Self) -> Vec<Finding> {
        let Some(imported) = planned.imported.known() else {
            return Vec::new();
        };
        let Some(pem) = imported.certificate_pem.chosen() else {
            return Vec::new();
        };
        let (Ok(hostnames), Ok(chain)) = (strings(&planned.hostnames), imported.chain_pem.given())
        else {
            return Vec::new();
        };
        let key = config
            .imported
            .known()
            .and_then(|it| it.private_key_pem_wo.chosen())
            .map(site::Sealed::new);
        let findings = tls::check_material(
            &pem,
            &chain.unwrap_or_default(),
            key.as_ref(),
            &hostnames,
            Utc::now(),
        );
        let named = |it: Finding| match it.at.as_str() {
            "imported.private_key_pem" => Finding {
                at: "imported.private_key_pem_wo".into(),
                ..it
            },
            _ => it,
        };
        findings.into_iter().map(named).collect()
    }
}

fn as_certificate(thing: &Thing) -> Option<&Certificate> {
    if let Thing::Certificate(it) = thing {
        Some(it)
    } else {
        None
    }
}

fn imported(certificate: &Certificate) -> Option<Issued> {
    let Source::Imported(it) = &certificate.source else {
        return None;
    };
    Some(Issued {
        certificate_pem: it.certificate_pem.clone(),
        chain_pem: it.chain_pem.clone().unwrap_or_default(),
    })
}

fn due(certificate: &Certificate, not_after: DateTime<Utc>) -> bool {
    not_after - Utc::now() < chrono::Duration::days(i64::from(certificate.renew_before_days))
}

fn renewal(hostnames: &[String], not_after: DateTime<Utc>) -> Finding {
    Finding {
        at: "renew_before_days".into(),
        refuses: false,
        summary: "The certificate will be renewed".into(),
        detail: format!(
            "The certificate for `{}` ends on {}; this apply renews it.",
            hostnames.join("`, `"),
            not_after.date_naive()
        ),
    }
}

fn key_type(text: &str) -> Fit<KeyType> {
    KEY_TYPES
        .iter()
        .find(|(name, _)| *name == text)
        .map(|(_, it)| *it)
        .ok_or_else(|| {
            refused(
                "key_type",
                format!(
                    "`{text}` is none of {}",
                    KEY_TYPES.map(|it| it.0).join(", ")
                ),
            )
        })
}

fn key_type_name(key_type: KeyType) -> &'static str {
    KEY_TYPES
        .iter()
        .find(|(_, it)| *it == key_type)
        .map_or("ecdsa-p256", |it| it.0)
}

pub const KEY_TYPES: [(&str, KeyType); 4] = [
    ("ecdsa-p256", KeyType::EcdsaP256),
    ("ecdsa-p384", KeyType::EcdsaP384),
    ("rsa-2048", KeyType::Rsa2048),
    ("rsa-4096", KeyType::Rsa4096),
];
