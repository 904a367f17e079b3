//! One cloud's APIs over HTTP: tokens, endpoints, microversions, retries, patience, limits. Knows no object of ours.
//!
//! Bodies and headers are never logged: they carry tokens, passwords, `user_data` and payloads. A call's log line is its
//! service, method, path, status, time and request id.

mod call;
mod fault;
mod list;
mod past;
mod service;
mod token;
mod trust;

pub use call::{Call, gone_is_fine};
pub use fault::Reply;
pub use past::Past;
pub use service::Service;
pub use token::Token;

use super::settings::{Common, Credential, Login, Named};
use crate::engine::{Backoff, Error, Kind, Result};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::{Mutex, Semaphore};

/// A signed-in client for all services of one cloud.
pub struct Api {
    http: reqwest::Client,
    login: Login,
    token: Mutex<Option<Arc<Token>>>,
    parallel: Semaphore,
    pub past: Past,
}

impl Api {
    pub fn new(login: Login, common: &Common) -> Result<Self> {
        // Only the first installation counts; another one in the same process is just as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        // Users tell their runs apart by what they append, by the variable that other providers read as well.
        let appended = std::env::var("TF_APPEND_USER_AGENT")
            .map(|text| format!(" {text}"))
            .unwrap_or_default();
        let agent = format!(
            "terraform-provider-invenioils/{}{appended}",
            env!("CARGO_PKG_VERSION")
        );
        let mut builder = reqwest::Client::builder()
            .user_agent(agent)
            .connect_timeout(Duration::from_secs(10))
            .timeout(Duration::from_secs(180))
            .pool_idle_timeout(Duration::from_secs(60))
            .redirect(reqwest::redirect::Policy::limited(3));
        if login.insecure {
            builder = builder.tls_danger_accept_invalid_certs(true);
        }
        if let Some(path) = &login.cacert_file {
            builder = builder.tls_certs_merge(trust::certificates(path)?);
        }
        if let Some((certificate, key)) = &login.client_certificate {
            let mut pem = trust::read(certificate, "cloud")?;
            pem.extend(trust::read(key, "cloud")?);
            let identity = reqwest::Identity::from_pem(&pem);
            let identity = identity.map_err(|_| {
                Error::fatal("read the client certificate", "it is no PEM pair")
                    .at("openstack.cloud")
            })?;
            builder = builder.identity(identity);
        }
        let http = builder
            .build()
            .map_err(|why| Error::fatal("set up HTTPS", fault::innermost(&why)))?;
        Ok(Self {
            http,
            login,
            token: Mutex::new(None),
            parallel: Semaphore::new(common.max_parallel_requests.max(1)),
            past: Past::default(),
        })
    }

    /// The token in use, asked for if there is none yet. Many who ask at once share one call.
    pub async fn token(&self) -> Result<Arc<Token>> {
        let mut held = self.token.lock().await;
        if let Some(token) = held.as_ref().filter(|token| !token.is_stale()) {
            return Ok(token.clone());
        }
        let mut backoff = Backoff::default();
        let mut attempt = 0;
        // Whoever could sign in before will be able to again.
        let before = self.past.has_answered(Service::Identity);
        let most = if before {
            call::ATTEMPTS_WHEN_KNOWN
        } else {
            call::ATTEMPTS
        };
        loop {
            attempt += 1;
            let began = Instant::now();
            match token::sign_in(&self.http, &self.login).await {
                Ok(token) => {
                    tracing::debug!(millis = began.elapsed().as_millis() as u64, "signed in");
                    let token = Arc::new(token);
                    *held = Some(token.clone());
                    self.past.answered(Service::Identity);
                    return Ok(token);
                }
                Err(error) if error.kind == Kind::Busy && attempt < most => {
                    tokio::time::sleep(backoff.pause()).await
                }
                Err(mut error) => {
                    if !before {
                        error.kind = Kind::Fatal;
                    }
                    return Err(error);
                }
            }
        }
    }

    /// A service turned this token down: the next caller gets a new one, unless somebody has fetched it already.
    async fn renew(&self, old: &Arc<Token>) {
        let mut held = self.token.lock().await;
        if held.as_ref().is_some_and(|token| Arc::ptr_eq(token, old)) {
            *held = None;
        }
    }

    /// Whether the cloud has the service at all.
    pub async fn has(&self, service: Service) -> Result<bool> {
        let token = self.token().await?;
        Ok(self.endpoint(service, &token).is_some())
    }

    /// The base URL of a service, as others who will speak to it need it.
    pub async fn base(&self, service: Service) -> Result<String> {
        let token = self.token().await?;
        match self.endpoint(service, &token) {
            Some(endpoint) => Ok(service.base(endpoint, &token.project_id)),
            None => Err(self.absent(service, &token)),
        }
    }

    /// Keystone's own URL, for those who sign in with another credential.
    pub fn identity_url(&self) -> String {
        token::identity_base(&self.login.auth_url)
    }
    /// The authority that the cloud's certificates come from, where the user named one.
    pub fn ca_pem(&self) -> Option<String> {
        let path = self.login.cacert_file.as_ref()?;
        std::fs::read_to_string(path).ok()
    }
    pub fn region(&self) -> Option<&str> {
        self.login.region.as_deref()
    }
    /// An application credential may usually not make another.
    pub fn is_delegated(&self) -> bool {
        matches!(self.login.credential, Credential::Application { .. })
    }

    fn endpoint<'a>(&'a self, service: Service, token: &'a Token) -> Option<&'a str> {
        let overrides = &self.login.endpoint_overrides;
        let overridden = service.types().iter().find_map(|kind| {
            overrides
                .get(*kind)
                .or_else(|| overrides.get(&kind.replace('-', "_")))
        });
        match (overridden, service) {
            (Some(url), _) => Some(url),
            // The URL that let us in is the one that surely works from here.
            (None, Service::Identity) => Some(&self.login.auth_url),
            (None, _) => token.endpoint(service, self.region(), &self.login.interface),
        }
    }

    fn absent(&self, service: Service, token: &Token) -> Error {
        let (project, kind) = (service.project(), service.types()[0]);
        let region = self
            .region()
            .map(|region| format!(" in region `{region}`"))
            .unwrap_or_default();
        let why = format!(
            "the catalog has no `{kind}` endpoint{region} with interface `{}`",
            self.login.interface
        );
        let error = Error::fatal(format!("find {project}"), why);
        match self
            .region()
            .filter(|region| !token.regions().iter().any(|it| it == region))
        {
            Some(_) => error
                .remedy(format!(
                    "the cloud has these regions: {}",
                    token.regions().join(", ")
                ))
                .at("openstack.region"),
            None => error
                .remedy(format!(
                    "set `openstack.endpoint_overrides` for `{kind}` if the cloud has it"
                ))
                .at("openstack.endpoint_overrides"),
        }
    }

    /// Who we are, for messages.
    fn who(&self) -> String {
        match &self.login.credential {
            Credential::Password {
                user: Named::Name { name, .. } | Named::Id(name),
                ..
            } => format!("user `{name}`"),
            Credential::Application { id, name, .. } => {
                format!(
                    "application credential `{}`",
                    id.as_ref()
                        .or(name.as_ref())
                        .map(String::as_str)
                        .unwrap_or_default()
                )
            }
            Credential::Token(_) => "the given token".to_owned(),
        }
    }
}
