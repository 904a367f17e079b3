//! `invenioils_certificate`: a TLS certificate for an instance, renewed before it ends.

use super::parts::{
    count_attr, environment_attr, environment_of, hostnames_attr, id_attr, name_attr, named,
    status_attr,
};
use super::values::{Asked, Fit, Strings, from_strings, refused, strings, whole};
use super::{Declared, Names, Timeouts};
use crate::engine::{Error, Secret, Secrets};
use crate::plugin::{Attr, Schema, Type, Value, boolean, int, list, object, text, timeouts};
use crate::site::{
    self, Acme, Certificate, Challenge, Eab, Finding, Imported, Issued, KeyType, Managed, Outputs,
    SelfSigned, Sort, Source, Thing, tls,
};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

#[derive(Clone, Default, Serialize, Deserialize)]
pub struct Model {
    pub environment_id: Value<String>,
    pub name: Value<String>,
    pub hostnames: Strings,
    pub key_type: Value<String>,
    pub renew_before_days: Value<i64>,
    pub acme: Value<AcmeModel>,
    pub imported: Value<ImportedModel>,
    pub self_signed: Value<SelfSignedModel>,
    pub managed: Value<ManagedModel>,
    pub revoke_on_destroy: Value<bool>,
    pub timeouts: Value<Timeouts>,
    pub id: Value<String>,
    pub status: Value<String>,
    pub certificate_pem: Value<String>,
    pub chain_pem: Value<String>,
    pub not_before: Value<String>,
    pub not_after: Value<String>,
    pub serial: Value<String>,
    pub fingerprint_sha256: Value<String>,
    pub issuer: Value<String>,
    pub renewal_due: Value<bool>,
    pub secret_id: Value<String>,
}

#[derive(Clone, Default, Serialize, Deserialize)]
pub struct AcmeModel {
    pub directory_url: Value<String>,
    pub email: Value<String>,
    pub challenge: Value<String>,
    pub eab: Value<EabModel>,
    pub profile: Value<String>,
    pub preferred_chain: Value<String>,
    pub ca_pem: Value<String>,
    pub recursive_nameservers: Strings,
}

#[derive(Clone, Default, Serialize, Deserialize)]
pub struct EabModel {
    pub key_id: Value<String>,
    pub hmac_key_wo: Value<String>,
    pub hmac_key_wo_version: Value<i64>,
}

#[derive(Clone, Default, Serialize, Deserialize)]
pub struct ImportedModel {
    pub certificate_pem: Value<String>,
    pub chain_pem: Value<String>,
    pub private_key_pem_wo: Value<String>,
    pub private_key_pem_wo_version: Value<i64>,
}

#[derive(Clone, Default, Serialize, Deserialize)]
pub struct SelfSignedModel {
    pub validity_days: Value<i64>,
}

#[derive(Clone, Default, Serialize, Deserialize)]
pub struct ManagedModel {
    pub issuer: Value<String>,
}

impl Declared for Model {
    const NAME: &'static str = "invenioils_certificate";
    const SORT: Sort = Sort::Certificate;

    fn schema() -> Schema {
        Schema::new(0, "A TLS certificate for an instance, renewed before it ends. Its private key is kept in the environment's secret store.")
            .attr("environment_id", environment_attr())
            .attr("hostnames", hostnames_attr("Host names that it is for; the first is the common name.").required())
            .attr("name", name_attr("The certificate's name.").default("certificate"))
            .attr("key_type", text().default("ecdsa-p256").one_of(&["ecdsa-p256", "ecdsa-p384", "rsa-2048", "rsa-4096"]).doc("Kind of the private key."))
            .attr("renew_before_days", count_attr("Renewal is planned, and said, by the first plan inside this many days before the end.").default(30))
            .attr("acme", acme())
            .attr("imported", object([
                ("certificate_pem", text().required().doc("The certificate, PEM.")),
                ("chain_pem", text().optional().doc("The certificates between it and its root, PEM.")),
                ("private_key_pem_wo", text().optional().write_only().doc("Its private key, PEM.")),
                ("private_key_pem_wo_version", int().optional().doc("Change it to send a new `private_key_pem_wo`.")),
            ]).optional().doc("Bring a certificate."))
            .attr("self_signed", object([
                ("validity_days", count_attr("Days that it is valid.").default(365)),
            ]).optional().doc("A certificate that nobody else vouches for."))
            .attr("managed", object([
                ("issuer", text().optional().doc("The platform's issuer to ask.")),
            ]).optional().doc("A certificate of the platform's own issuer, where it has one."))
            .attr("revoke_on_destroy", boolean().default(false).doc("Revoke it when it is removed."))
            .attr("timeouts", timeouts(TIMEOUTS))
            .attr("id", id_attr("`<environment>/<name>`"))
            .attr("status", status_attr())
            .attr("certificate_pem", text().computed().doc("The certificate, PEM."))
            .attr("chain_pem", text().computed().doc("The certificates between it and its root, PEM."))
            .attr("not_before", text().computed().doc("Valid from, RFC 3339."))
            .attr("not_after", text().computed().doc("Valid until, RFC 3339."))
            .attr("serial", text().computed().doc("Serial number, hexadecimal."))
            .attr("fingerprint_sha256", text().computed().doc("SHA-256 of the certificate, hexadecimal."))
            .attr("issuer", text().computed().doc("Who vouches for it."))
            .attr("renewal_due", boolean().computed().doc("Whether the next apply renews it."))
            .attr("secret_id", text().computed().doc("Where its private key is kept: a reference, not the key."))
            .exactly_one_of(&["acme", "imported", "self_signed", "managed"])
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

fn acme() -> Attr {
    object([
        ("directory_url", text().default(LETS_ENCRYPT).doc("The authority's ACME directory.")),
        ("email", text().required().doc("Who hears of expiring certificates.")),
        ("challenge", text().default("dns-01").one_of(&["dns-01", "http-01"]).doc("How control of the host names is shown: through the environment's zone, or the instance's load balancer.")),
        ("eab", object([
            ("key_id", text().required().doc("Key id that the authority gave.")),
            ("hmac_key_wo", text().optional().write_only().doc("HMAC key that the authority gave, base64url.")),
            ("hmac_key_wo_version", int().optional().doc("Change it to send a new `hmac_key_wo`.")),
        ]).optional().doc("External account binding.")),
        ("profile", text().optional().doc("Certificate profile.")),
        ("preferred_chain", text().optional().doc("Common name of the root to prefer.")),
        ("ca_pem", text().optional().doc("Certificate authority of the directory's own address, PEM.")),
        ("recursive_nameservers", list(Type::String).optional().doc("Name servers to ask whether a record has arrived.")),
    ])
    .optional()
    .doc("A certificate of an ACME authority.")
}

const LETS_ENCRYPT: &str = "https://acme-v02.api.letsencrypt.org/directory";
const TIMEOUTS: &[(&str, &str)] = &[
    ("create", "15m"),
    ("read", "5m"),
    ("update", "15m"),
    ("delete", "10m"),
];

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

impl Model {
    fn source(&self) -> Fit<Source> {
        if let Some(it) = self.acme.given()? {
            return Ok(Source::Acme(it.domain()?));
        }
        if let Some(it) = self.imported.given()? {
            return Ok(Source::Imported(Imported {
                certificate_pem: it.certificate_pem.must("imported.certificate_pem")?,
                chain_pem: it.chain_pem.given()?,
                private_key_pem_wo_version: it.private_key_pem_wo_version.given()?,
            }));
        }
        if let Some(it) = self.self_signed.given()? {
            let days = whole(
                it.validity_days.given()?.unwrap_or(365),
                "self_signed.validity_days",
            )?;
            return Ok(Source::SelfSigned(SelfSigned {
                validity_days: days,
            }));
        }
        match self.managed.given()? {
            Some(it) => Ok(Source::Managed(Managed {
                issuer: it.issuer.given()?,
            })),
            None => Err(refused(
                "self_signed",
                "one of `acme`, `imported`, `self_signed` and `managed` must say where the certificate comes from",
            )),
        }
    }
}

impl AcmeModel {
    fn domain(&self) -> Fit<Acme> {
        let eab = self.eab.given()?.map(|it| {
            Ok::<_, super::values::Unfit>(Eab {
                key_id: it.key_id.must("acme.eab.key_id")?,
                hmac_key_wo_version: it.hmac_key_wo_version.given()?,
            })
        });
        Ok(Acme {
            directory_url: self.directory_url.must("acme.directory_url")?,
            email: self.email.must("acme.email")?,
            challenge: match self.challenge.given()?.as_deref() {
                None | Some("dns-01") => Challenge::Dns01,
                Some("http-01") => Challenge::Http01,
                Some(other) => {
                    return Err(refused(
                        "acme.challenge",
                        format!("`{other}` is neither `dns-01` nor `http-01`"),
                    ));
                }
            },
            eab: eab.transpose()?,
            profile: self.profile.given()?,
            preferred_chain: self.preferred_chain.given()?,
            ca_pem: self.ca_pem.given()?,
            recursive_nameservers: strings(&self.recursive_nameservers)?,
        })
    }
}

impl From<&Acme> for AcmeModel {
    fn from(it: &Acme) -> Self {
        Self {
            directory_url: Value::Known(it.directory_url.clone()),
            email: Value::Known(it.email.clone()),
            challenge: Value::Known(
                if it.challenge == Challenge::Dns01 {
                    "dns-01"
                } else {
                    "http-01"
                }
                .to_owned(),
            ),
            eab: it.eab.as_ref().map(EabModel::from).into(),
            profile: it.profile.clone().into(),
            preferred_chain: it.preferred_chain.clone().into(),
            ca_pem: it.ca_pem.clone().into(),
            recursive_nameservers: from_strings(&it.recursive_nameservers),
        }
    }
}

impl From<&Eab> for EabModel {
    fn from(it: &Eab) -> Self {
        Self {
            key_id: Value::Known(it.key_id.clone()),
            hmac_key_wo: Value::Null,
            hmac_key_wo_version: it.hmac_key_wo_version.into(),
        }
    }
}

impl From<&Imported> for ImportedModel {
    fn from(it: &Imported) -> Self {
        Self {
            certificate_pem: Value::Known(it.certificate_pem.clone()),
            chain_pem: it.chain_pem.clone().into(),
            private_key_pem_wo: Value::Null,
            private_key_pem_wo_version: it.private_key_pem_wo_version.into(),
        }
    }
}
