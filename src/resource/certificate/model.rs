//! What users write of a certificate, to the domain and back.

use super::super::Timeouts;
use super::super::parts::{
    count_attr, environment_attr, hostnames_attr, id_attr, name_attr, status_attr,
};
use super::super::values::{Asked, Fit, Strings, Unfit, from_strings, refused, strings, whole};
use crate::plugin::{Attr, Schema, Type, Value, boolean, int, list, object, text, timeouts};
use crate::site::{Acme, Challenge, Eab, Imported, Managed, SelfSigned, Source};
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

pub fn schema() -> Schema {
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

impl Model {
    pub fn source(&self) -> Fit<Source> {
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
            Ok::<_, Unfit>(Eab {
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
