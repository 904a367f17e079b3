//! Signing in to Keystone: one call gives the token, who we are, and the catalog. Knows no other service.

use super::{
    fault::{Reply, said_in},
    service::Service,
};
use crate::{
    engine::{Error, Kind, Result, Secret},
    platform::openstack::settings::{Credential, Domain, Login, Named},
};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::{Value, json};
use std::time::Duration;

/// A token and what came with it.
pub struct Token {
    pub secret: Secret,
    pub expires_at: DateTime<Utc>,
    pub user_id: String,
    pub project_id: String,
    pub project_name: String,
    catalog: Vec<Entry>,
}

#[derive(Deserialize)]
struct Answer {
    token: Body,
}
#[derive(Deserialize)]
struct Body {
    expires_at: DateTime<Utc>,
    user: Identified,
    #[serde(default)]
    project: Option<Identified>,
    #[serde(default)]
    catalog: Vec<Entry>,
}
#[derive(Deserialize)]
struct Identified {
    id: String,
    #[serde(default)]
    name: String,
}
#[derive(Deserialize)]
struct Entry {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    endpoints: Vec<Endpoint>,
}
#[derive(Deserialize)]
struct Endpoint {
    interface: String,
    #[serde(default)]
    region: Option<String>,
    #[serde(default)]
    region_id: Option<String>,
    url: String,
}

impl Token {
    /// Soon over: better a new one than a 401 in the middle.
    pub fn is_stale(&self) -> bool {
        self.expires_at - Utc::now() < chrono::Duration::seconds(60)
    }

    /// The service's endpoint for that region and interface, if the catalog has one.
    pub fn endpoint(
        &self,
        service: Service,
        region: Option<&str>,
        interface: &str,
    ) -> Option<&str> {
        let fits = |endpoint: &&Endpoint| {
            let here = region.is_none_or(|region| {
                [&endpoint.region_id, &endpoint.region]
                    .iter()
                    .any(|it| it.as_deref() == Some(region))
            });
            here && endpoint.interface == interface
        };
        let of_type = |kind: &&str| {
            self.catalog
                .iter()
                .find(|entry| entry.kind == **kind && !entry.endpoints.is_empty())
        };
        let entry = service.types().iter().find_map(of_type)?;
        entry
            .endpoints
            .iter()
            .find(fits)
            .map(|endpoint| endpoint.url.as_str())
    }

    /// Regions that the catalog knows, for messages.
    pub fn regions(&self) -> Vec<String> {
        let endpoints = self.catalog.iter().flat_map(|entry| &entry.endpoints);
        let mut regions: Vec<_> = endpoints
            .filter_map(|it| it.region_id.clone().or_else(|| it.region.clone()))
            .collect();
        regions.sort();
        regions.dedup();
        regions
    }
}

/// Where tokens are asked for.
pub fn identity_base(auth_url: &str) -> String {
    Service::Identity.base(auth_url, "")
}

/// Asks Keystone for a token. One call.
///
/// # Errors
/// Wrong credentials and an unreachable Keystone carry the attribute of the provider block that is to blame.
pub async fn sign_in(http: &reqwest::Client, login: &Login) -> Result<Token> {
    let url = format!("{}/auth/tokens", identity_base(&login.auth_url));
    let doing = format!("sign in at {} (from {})", login.auth_url, login.source);
    let request = http
        .post(&url)
        .timeout(Duration::from_secs(60))
        .json(&request_body(login));
    let sent = request.send().await;
    let response = sent.map_err(|why| unreachable(&doing, &why, login))?;
    let reply = Reply::read(response)
        .await
        .map_err(|why| unreachable(&doing, &why, login))?;
    let request_id = reply.request_id.clone();
    let with_id = |error: Error| match &request_id {
        Some(id) => error.request_id(id.clone()),
        None => error,
    };
    match reply.status {
        200 | 201 => {}
        401 => {
            return Err(with_id(
                Error::fatal(doing, format!("{} (HTTP 401)", refused(login)))
                    .remedy(remedy(login))
                    .at(blamed(login)),
            ));
        }
        429 | 500..=599 => return Err(with_id(Error::new(Kind::Busy, doing, said_in(&reply)))),
        404 => {
            let error = Error::fatal(doing, format!("{url} is not there: {}", said_in(&reply)));
            return Err(with_id(
                error
                    .remedy("the URL must lead to Keystone, like https://cloud.example.org:5000/v3")
                    .at(login.at),
            ));
        }
        _ => return Err(with_id(Error::fatal(doing, said_in(&reply)).at(login.at))),
    }
    let secret = reply
        .headers
        .get("x-subject-token")
        .and_then(|value| value.to_str().ok())
        .map(Secret::new);
    let body: Option<Answer> = serde_json::from_slice(&reply.body).ok();
    let (Some(secret), Some(Answer { token })) = (secret, body) else {
        return Err(with_id(
            Error::fatal(doing, "the answer is no Keystone token").at(login.at),
        ));
    };
    let Some(project) = token.project else {
        let remedy = "set `openstack.project_name`, or use an application credential of a project";
        return Err(Error::fatal(doing, "the token is of no project")
            .remedy(remedy)
            .at("openstack.project_name"));
    };
    Ok(Token {
        secret,
        expires_at: token.expires_at,
        user_id: token.user.id,
        project_id: project.id,
        project_name: project.name,
        catalog: token.catalog,
    })
}

fn unreachable(doing: &str, why: &reqwest::Error, login: &Login) -> Error {
    let cause = super::fault::innermost(why);
    let tls = cause.contains("certificate") || cause.contains("Certificate");
    let remedy = if tls {
        "set `openstack.cacert_file` (or `cacert` in clouds.yaml, or OS_CACERT) to the cloud's certificate authority"
    } else {
        "is the URL right, and is the cloud reachable from here?"
    };
    let at = if tls {
        "openstack.cacert_file"
    } else {
        login.at
    };
    let kind = if why.is_timeout() || why.is_connect() && !tls {
        Kind::Busy
    } else {
        Kind::Fatal
    };
    Error::new(kind, doing, cause).remedy(remedy).at(at)
}

fn refused(login: &Login) -> String {
    match &login.credential {
        Credential::Password {
            user: Named::Name { name, domain },
            ..
        } => {
            let domain = match domain {
                Domain::Id(id) => format!("with id `{id}`"),
                Domain::Name(name) => format!("`{name}`"),
            };
            let project = match &login.scope {
                Some(Named::Name { name, .. } | Named::Id(name)) => {
                    format!(" for project `{name}`")
                }
                None => String::new(),
            };
            format!("Keystone refused user `{name}` of domain {domain}{project}")
        }
        Credential::Password {
            user: Named::Id(id),
            ..
        } => format!("Keystone refused user `{id}`"),
        Credential::Application { id, name, .. } => {
            let which = id
                .as_ref()
                .or(name.as_ref())
                .map(String::as_str)
                .unwrap_or_default();
            format!("Keystone refused application credential `{which}`")
        }
        Credential::Token(_) => "Keystone refused the token".to_owned(),
    }
}

fn remedy(login: &Login) -> &'static str {
    match &login.credential {
        Credential::Password { .. } => "check user name, password, domains and project",
        Credential::Application { .. } => {
            "check its id and secret, and whether it has expired or was deleted"
        }
        Credential::Token(_) => "it may have expired: get a new one",
    }
}

fn blamed(login: &Login) -> &'static str {
    if login.at == "openstack.cloud" {
        return login.at;
    }
    match &login.credential {
        Credential::Password { .. } => "openstack.password",
        Credential::Application { .. } => "openstack.application_credential_secret",
        Credential::Token(_) => "openstack.token",
    }
}

fn request_body(login: &Login) -> Value {
    let identity = match &login.credential {
        Credential::Password { user, password } => {
            let mut user = named(user);
            user["password"] = json!(password.expose());
            json!({ "methods": ["password"], "password": { "user": user } })
        }
        Credential::Application {
            id,
            name,
            user,
            secret,
        } => {
            let mut credential = json!({ "secret": secret.expose() });
            match (id, name) {
                (Some(id), _) => credential["id"] = json!(id),
                (None, name) => {
                    credential["name"] = json!(name);
                    credential["user"] = user.as_ref().map(named).unwrap_or_default();
                }
            }
            json!({ "methods": ["application_credential"], "application_credential": credential })
        }
        Credential::Token(token) => {
            json!({ "methods": ["token"], "token": { "id": token.expose() } })
        }
    };
    match &login.scope {
        Some(scope) => {
            json!({ "auth": { "identity": identity, "scope": { "project": named(scope) } } })
        }
        None => json!({ "auth": { "identity": identity } }),
    }
}

fn named(it: &Named) -> Value {
    match it {
        Named::Id(id) => json!({ "id": id }),
        Named::Name {
            name,
            domain: Domain::Id(id),
        } => json!({ "name": name, "domain": { "id": id } }),
        Named::Name {
            name,
            domain: Domain::Name(domain),
        } => json!({ "name": name, "domain": { "name": domain } }),
    }
}
