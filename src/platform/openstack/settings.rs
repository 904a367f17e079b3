//! How to reach a cloud: what the provider block says, completed from `clouds.yaml`, `secure.yaml` and `OS_*` variables,
//! in the order in which openstacksdk does it. Knows files and variables; makes no call.

use super::clouds::{self, CloudFile};
use crate::engine::{Error, Result, Secret};
use std::{collections::BTreeMap, path::PathBuf};

/// The provider's `openstack` attribute, as written. Field names are attribute names.
#[derive(Clone, Default)]
pub struct Settings {
    pub cloud: Option<String>,
    pub auth_url: Option<String>,
    pub region: Option<String>,
    pub application_credential_id: Option<String>,
    pub application_credential_secret: Option<Secret>,
    pub username: Option<String>,
    pub password: Option<Secret>,
    pub project_name: Option<String>,
    pub project_domain_name: Option<String>,
    pub user_domain_name: Option<String>,
    pub token: Option<Secret>,
    pub cacert_file: Option<String>,
    pub insecure: Option<bool>,
    pub endpoint_overrides: BTreeMap<String, String>,
    pub interface: Option<String>,
}

/// What does not depend on the cloud.
#[derive(Debug, Clone)]
pub struct Common {
    pub max_parallel_requests: usize,
}

impl Default for Common {
    fn default() -> Self {
        Self {
            max_parallel_requests: 16,
        }
    }
}

/// Everything that signing in needs, wholly resolved.
#[derive(Clone)]
pub struct Login {
    pub auth_url: String,
    /// Where the URL was found, for messages: "`openstack.auth_url`", "cloud `library` in /etc/openstack/clouds.yaml".
    pub source: String,
    /// The attribute of the provider block that chose it.
    pub at: &'static str,
    pub credential: Credential,
    pub scope: Option<Scope>,
    pub region: Option<String>,
    pub interface: String,
    pub cacert_file: Option<PathBuf>,
    pub client_certificate: Option<(PathBuf, PathBuf)>,
    pub insecure: bool,
    pub endpoint_overrides: BTreeMap<String, String>,
}

#[derive(Clone)]
pub enum Credential {
    Password {
        user: Named,
        password: Secret,
    },
    Application {
        id: Option<String>,
        name: Option<String>,
        user: Option<Named>,
        secret: Secret,
    },
    Token(Secret),
}

/// A user or project: by id, or by name within a domain.
#[derive(Clone, Debug, PartialEq)]
pub enum Named {
    Id(String),
    Name { name: String, domain: Domain },
}

#[derive(Clone, Debug, PartialEq)]
pub enum Domain {
    Id(String),
    Name(String),
}

pub type Scope = Named;

/// Reads one environment variable.
pub type Env<'a> = &'a (dyn Fn(&str) -> Option<String> + Sync);

const DOING: &str = "sign in to OpenStack";

impl Settings {
    /// Completes the settings. Reads `clouds.yaml` and its companions, makes no call.
    ///
    /// # Errors
    /// A cloud that no file names, a file that does not parse, or a credential that lacks a part; `at` says which attribute.
    pub fn resolve(&self, env: Env<'_>) -> Result<Login> {
        let chosen = self.cloud.clone().or_else(|| {
            if self.auth_url.is_some() {
                None
            } else {
                env("OS_CLOUD")
            }
        });
        let file = match &chosen {
            Some(name) => Some(clouds::find(name, env)?),
            None if self.auth_url.is_none() && env("OS_AUTH_URL").is_none() => {
                clouds::only_one(env)?
            }
            None => None,
        };
        Resolver {
            own: self,
            file,
            env,
        }
        .login()
    }
}

struct Resolver<'a> {
    own: &'a Settings,
    file: Option<CloudFile>,
    env: Env<'a>,
}

impl Resolver<'_> {
    /// From the provider block, else from the chosen cloud's `auth` section; without a chosen cloud from the variable.
    fn auth(&self, own: Option<&String>, key: &str) -> Option<String> {
        own.cloned().or_else(|| match &self.file {
            Some(file) => file.auth(key),
            None => (self.env)(&format!("OS_{}", key.to_uppercase())),
        })
    }
    fn top(&self, own: Option<&String>, keys: &[&str], variable: &str) -> Option<String> {
        own.cloned().or_else(|| match &self.file {
            Some(file) => keys.iter().find_map(|key| file.top(key)),
            None => (self.env)(variable),
        })
    }
    fn secret(&self, own: Option<&Secret>, key: &str) -> Option<Secret> {
        own.cloned()
            .or_else(|| self.auth(None, key).map(Secret::new))
    }
    fn domain(&self, own: Option<&String>, which: &str) -> Domain {
        let own_name = own.cloned().map(Domain::Name);
        own_name
            .or_else(|| {
                self.auth(None, &format!("{which}_domain_id"))
                    .map(Domain::Id)
            })
            .or_else(|| {
                self.auth(None, &format!("{which}_domain_name"))
                    .map(Domain::Name)
            })
            .or_else(|| self.auth(None, "domain_id").map(Domain::Id))
            .or_else(|| self.auth(None, "domain_name").map(Domain::Name))
            .or_else(|| self.auth(None, "default_domain_id").map(Domain::Id))
            .or_else(|| self.auth(None, "default_domain_name").map(Domain::Name))
            .unwrap_or_else(|| Domain::Id("default".into()))
    }
    fn user(&self) -> Option<Named> {
        let own = self.own.username.as_ref();
        if own.is_none()
            && let Some(id) = self.auth(None, "user_id")
        {
            return Some(Named::Id(id));
        }
        let domain = self.domain(self.own.user_domain_name.as_ref(), "user");
        self.auth(own, "username")
            .map(|name| Named::Name { name, domain })
    }
    fn project(&self) -> Option<Scope> {
        let own = self.own.project_name.as_ref();
        if own.is_none()
            && let Some(id) = self
                .auth(None, "project_id")
                .or_else(|| self.auth(None, "tenant_id"))
        {
            return Some(Named::Id(id));
        }
        let domain = self.domain(self.own.project_domain_name.as_ref(), "project");
        let name = self
            .auth(own, "project_name")
            .or_else(|| self.auth(None, "tenant_name"));
        name.map(|name| Named::Name { name, domain })
    }

    fn login(self) -> Result<Login> {
        let (source, at) = match (&self.file, &self.own.auth_url) {
            (_, Some(_)) => ("`openstack.auth_url`".to_owned(), "openstack.auth_url"),
            (Some(file), None) => (file.source(), "openstack.cloud"),
            (None, None) => ("the variable OS_AUTH_URL".to_owned(), "openstack.auth_url"),
        };
        let auth_url = self.auth(self.own.auth_url.as_ref(), "auth_url").ok_or_else(|| {
            let why = if self.file.is_some() { format!("{source} has no `auth_url`") } else { "no `auth_url` is known".to_owned() };
            Error::fatal(DOING, why)
                .remedy("set `openstack.cloud` to a cloud of clouds.yaml, or `openstack.auth_url`, or OS_CLOUD or OS_AUTH_URL")
                .at(at)
        })?;
        let insecure = self.own.insecure.or_else(|| {
            self.file
                .as_ref()
                .and_then(CloudFile::verify)
                .map(|verify| !verify)
        });
        let insecure = insecure.unwrap_or_else(|| {
            (self.env)("OS_INSECURE").is_some_and(|it| it == "true" || it == "1")
        });
        let client = self
            .top(None, &["cert"], "OS_CERT")
            .zip(self.top(None, &["key"], "OS_KEY"));
        let mut endpoint_overrides = self
            .file
            .as_ref()
            .map(CloudFile::endpoint_overrides)
            .unwrap_or_default();
        endpoint_overrides.extend(self.own.endpoint_overrides.clone());
        let credential = self.credential(at)?;
        let scope = if matches!(credential, Credential::Application { .. }) {
            None
        } else {
            self.project()
        };
        if scope.is_none() && matches!(credential, Credential::Password { .. }) {
            return Err(Error::fatal(DOING, format!("{source} names a user but no project"))
                .remedy("set `openstack.project_name` (or `project_name` in clouds.yaml, or OS_PROJECT_NAME)")
                .at("openstack.project_name"));
        }
        Ok(Login {
            auth_url: auth_url.trim_end_matches('/').to_owned(),
            source,
            at,
            credential,
            scope,
            region: self.top(
                self.own.region.as_ref(),
                &["region_name", "region"],
                "OS_REGION_NAME",
            ),
            interface: self
                .top(
                    self.own.interface.as_ref(),
                    &["interface", "endpoint_type"],
                    "OS_INTERFACE",
                )
                .map_or_else(
                    || "public".to_owned(),
                    |it| it.trim_end_matches("URL").to_owned(),
                ),
            cacert_file: self
                .top(self.own.cacert_file.as_ref(), &["cacert"], "OS_CACERT")
                .map(PathBuf::from),
            client_certificate: client.map(|(cert, key)| (cert.into(), key.into())),
            insecure,
            endpoint_overrides,
        })
    }

    fn credential(&self, at: &'static str) -> Result<Credential> {
        let own = self.own;
        let has_own_password = own.username.is_some() || own.password.is_some();
        let application =
            own.application_credential_id.is_some() || (!has_own_password && own.token.is_none());
        if application {
            let id = self.auth(
                own.application_credential_id.as_ref(),
                "application_credential_id",
            );
            let name = if id.is_none() {
                self.auth(None, "application_credential_name")
            } else {
                None
            };
            if id.is_some() || name.is_some() {
                let secret = self.secret(
                    own.application_credential_secret.as_ref(),
                    "application_credential_secret",
                );
                let secret = secret.ok_or_else(|| {
                    missing(
                        "application_credential_secret",
                        "an application credential needs its secret",
                    )
                })?;
                return Ok(Credential::Application {
                    id,
                    name,
                    user: self.user(),
                    secret,
                });
            }
        }
        if let Some(token) = &own.token {
            return Ok(Credential::Token(token.clone()));
        }
        if let Some(user) = self.user() {
            let password = self.secret(own.password.as_ref(), "password");
            if let Some(password) = password {
                return Ok(Credential::Password { user, password });
            }
            if self.secret(None, "token").is_none() {
                return Err(missing(
                    "password",
                    "a user is named but no password is known",
                ));
            }
        }
        match self.secret(None, "token") {
            Some(token) => Ok(Credential::Token(token)),
            None => Err(Error::fatal(DOING, "no credential is known")
                .remedy("set `application_credential_id` and `_secret`, or `username` and `password`, or `token`, in the provider block, in clouds.yaml or as OS_* variables")
                .at(at)),
        }
    }
}

fn missing(attribute: &str, why: &str) -> Error {
    let variable = format!("OS_{}", attribute.to_uppercase());
    Error::fatal(DOING, why)
        .remedy(format!("set `openstack.{attribute}`, `{attribute}` in clouds.yaml or secure.yaml, or {variable}"))
        .at(format!("openstack.{attribute}"))
}

#[cfg(test)]
mod tests;
