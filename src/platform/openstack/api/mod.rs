//! One cloud's APIs over HTTP: tokens, endpoints, microversions, retries, patience, limits. Knows no object of ours.
//!
//! Bodies and headers are never logged: they carry tokens, passwords, `user_data` and payloads. A call's log line is its
//! service, method, path, status, time and request id.

mod fault;
mod service;
mod token;

pub use fault::Reply;
pub use service::Service;
pub use token::Token;

use super::settings::{Common, Credential, Login, Named};
use crate::engine::{Backoff, Error, Kind, Moment, Result};
use reqwest::Method;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::{
    sync::{Arc, PoisonError},
    time::{Duration, Instant},
};
use tokio::sync::{Mutex, Semaphore};

/// How often one call is tried before its error is told.
const ATTEMPTS: u32 = 7;
/// The longest `Retry-After` that we sit through inside one call.
const PATIENCE: Duration = Duration::from_secs(30);

/// A signed-in client for all services of one cloud.
pub struct Api {
    http: reqwest::Client,
    login: Login,
    token: Mutex<Option<Arc<Token>>>,
    parallel: Semaphore,
    past: std::sync::Mutex<Past>,
}

/// What this process has done so far, as far as it matters for how old lists may be.
struct Past {
    last_change: Moment,
    changes: std::collections::BTreeMap<Service, Moment>,
    /// When an answer was lost or something removed: lists from before may miss a twin, or show what is gone.
    doubt: Moment,
    doubted: Option<Instant>,
}

/// How long after a lost answer nothing but fresh lists will do.
const DOUBT: Duration = Duration::from_secs(60);

/// One request, not yet sent.
pub struct Call<'a> {
    api: &'a Api,
    service: Service,
    method: Method,
    path: String,
    doing: String,
    body: Option<Body>,
    microversion: Option<&'static str>,
    headers: Vec<(&'static str, String)>,
    /// Another URL than the service's base (its root, for versions).
    root: bool,
    accept: &'static str,
    busy: Option<u16>,
}

enum Body {
    Json(Value),
    /// Raw bytes with their media type.
    Bytes(Vec<u8>),
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
            builder = builder.tls_certs_merge(certificates(path)?);
        }
        if let Some((certificate, key)) = &login.client_certificate {
            let mut pem = read(certificate, "cloud")?;
            pem.extend(read(key, "cloud")?);
            let identity = reqwest::Identity::from_pem(&pem);
            let identity = identity.map_err(|_| {
                Error::fatal("read the client certificate", "it is no PEM pair")
                    .at("openstack.cloud")
            })?;
            builder = builder.identity(identity);
        }
        let past = std::sync::Mutex::new(Past {
            last_change: Moment::START,
            changes: Default::default(),
            doubt: Moment::START,
            doubted: None,
        });
        let http = builder
            .build()
            .map_err(|why| Error::fatal("set up HTTPS", fault::innermost(&why)))?;
        Ok(Self {
            http,
            login,
            token: Mutex::new(None),
            parallel: Semaphore::new(common.max_parallel_requests.max(1)),
            past,
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
        loop {
            attempt += 1;
            let began = Instant::now();
            match token::sign_in(&self.http, &self.login).await {
                Ok(token) => {
                    tracing::debug!(millis = began.elapsed().as_millis() as u64, "signed in");
                    let token = Arc::new(token);
                    *held = Some(token.clone());
                    return Ok(token);
                }
                Err(error) if error.kind == Kind::Busy && attempt < ATTEMPTS => {
                    tokio::time::sleep(backoff.pause()).await
                }
                Err(mut error) => {
                    error.kind = Kind::Fatal;
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

    /// The last moment at which this process changed something in the cloud.
    pub fn last_change(&self) -> Moment {
        self.past
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .last_change
    }
    /// How old a list may be in which a mark is looked for that nobody has seen yet, by somebody who asks for `since`.
    pub fn doubt(&self, since: Moment) -> Moment {
        let past = self.past.lock().unwrap_or_else(PoisonError::into_inner);
        let lately = past.doubted.is_some_and(|when| when.elapsed() < DOUBT);
        if lately {
            since.max(past.doubt)
        } else {
            past.doubt
        }
    }
    /// The last change of one service's objects.
    pub fn last_change_of(&self, service: Service) -> Moment {
        let past = self.past.lock().unwrap_or_else(PoisonError::into_inner);
        past.changes.get(&service).copied().unwrap_or(Moment::START)
    }
    fn changed(&self, service: Service, doubtful: bool) {
        let mut past = self.past.lock().unwrap_or_else(PoisonError::into_inner);
        past.last_change = Moment::now();
        let now = past.last_change;
        past.changes.insert(service, now);
        if doubtful {
            past.doubt = past.last_change;
            past.doubted = Some(Instant::now());
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

    pub fn call(
        &self,
        service: Service,
        method: Method,
        path: impl Into<String>,
        doing: impl Into<String>,
    ) -> Call<'_> {
        Call {
            api: self,
            service,
            method,
            path: path.into(),
            doing: doing.into(),
            body: None,
            microversion: None,
            headers: Vec::new(),
            root: false,
            accept: "application/json",
            busy: None,
        }
    }
    pub fn get(
        &self,
        service: Service,
        path: impl Into<String>,
        doing: impl Into<String>,
    ) -> Call<'_> {
        self.call(service, Method::GET, path, doing)
    }
    pub fn post(
        &self,
        service: Service,
        path: impl Into<String>,
        doing: impl Into<String>,
        body: Value,
    ) -> Call<'_> {
        self.call(service, Method::POST, path, doing).json(body)
    }
    pub fn put(
        &self,
        service: Service,
        path: impl Into<String>,
        doing: impl Into<String>,
        body: Value,
    ) -> Call<'_> {
        self.call(service, Method::PUT, path, doing).json(body)
    }

    /// Asks for the end of something; what is not there has ended.
    pub async fn delete(
        &self,
        service: Service,
        path: impl Into<String>,
        doing: impl Into<String>,
    ) -> Result<()> {
        self.call(service, Method::DELETE, path, doing)
            .send()
            .await
            .map(drop)
            .or_else(gone_is_fine)
    }

    /// Every item of a list, page after page.
    pub async fn list<T: DeserializeOwned>(
        &self,
        service: Service,
        path: &str,
        key: &str,
        microversion: Option<&'static str>,
    ) -> Result<Vec<T>> {
        let what = key.replace('_', " ");
        let base = path.split('?').next().unwrap_or(path).to_owned();
        let mut path = path.to_owned();
        let mut items = Vec::new();
        loop {
            let mut call = self.get(service, path, format!("list {what}"));
            call.microversion = microversion;
            let mut page = call.json_answer().await?;
            let Value::Array(found) = page[key].take() else {
                return Err(Error::fatal(
                    format!("list {what}"),
                    format!("{}'s answer has no `{key}`", service.project()),
                ));
            };
            let empty = found.is_empty();
            for item in found {
                let item = serde_json::from_value(item);
                items.push(item.map_err(|why| {
                    Error::fatal(
                        format!("list {what}"),
                        format!("an item cannot be read: {why}"),
                    )
                })?);
            }
            match next_page(&page, key).filter(|_| !empty) {
                Some(query) => path = format!("{base}?{query}"),
                None => return Ok(items),
            }
        }
    }
}

pub fn gone_is_fine(error: Error) -> Result<()> {
    if error.kind == Kind::Gone {
        Ok(())
    } else {
        Err(error)
    }
}

/// The query of the next page. Its host and path are ours to know: behind proxies they are often wrong.
fn next_page(page: &Value, key: &str) -> Option<String> {
    let links = page.get(format!("{key}_links")).and_then(Value::as_array);
    let in_links = links
        .and_then(|links| links.iter().find(|link| link["rel"] == "next"))
        .and_then(|link| link["href"].as_str());
    let href = in_links
        .or_else(|| page["next"].as_str())
        .or_else(|| page["links"]["next"].as_str())?;
    href.split_once('?').map(|(_, query)| query.to_owned())
}

impl Call<'_> {
    #[must_use]
    pub fn json(mut self, body: Value) -> Self {
        self.body = Some(Body::Json(body));
        self
    }
    #[must_use]
    pub fn bytes(mut self, bytes: Vec<u8>) -> Self {
        self.body = Some(Body::Bytes(bytes));
        self
    }
    #[must_use]
    pub fn microversion(mut self, version: &'static str) -> Self {
        self.microversion = Some(version);
        self
    }
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
    /// Speaks to the service's root instead of its versioned base.
    #[must_use]
    pub fn at_root(mut self) -> Self {
        self.root = true;
        self
    }

    #[must_use]
    pub fn accept(mut self, media_type: &'static str) -> Self {
        self.accept = media_type;
        self
    }
    /// With this status the object is only busy now.
    #[must_use]
    pub fn busy_when(mut self, status: u16) -> Self {
        self.busy = Some(status);
        self
    }

    /// The whole answer as one object.
    pub async fn whole<T: DeserializeOwned>(self) -> Result<T> {
        let (doing, project) = (self.doing.clone(), self.service.project());
        let body = self.json_answer().await?;
        serde_json::from_value(body)
            .map_err(|why| Error::fatal(doing, format!("{project}'s answer cannot be read: {why}")))
    }

    pub async fn json_answer(self) -> Result<Value> {
        let (doing, project) = (self.doing.clone(), self.service.project());
        let reply = self.send().await?;
        serde_json::from_slice(&reply.body).map_err(|_| {
            let error = Error::fatal(doing, format!("{project}'s answer is no JSON"));
            match reply.request_id {
                Some(id) => error.request_id(id),
                None => error,
            }
        })
    }

    /// The object under `key` in the answer.
    pub async fn answer<T: DeserializeOwned>(self, key: &str) -> Result<T> {
        let (doing, project) = (self.doing.clone(), self.service.project());
        let mut body = self.json_answer().await?;
        serde_json::from_value(body[key].take())
            .map_err(|why| Error::fatal(doing, format!("{project}'s answer cannot be read: {why}")))
    }

    /// Sends it, as often as that is safe and may help.
    ///
    /// # Errors
    /// `Busy` where trying later may help, `Unsure` where the work may be done though no answer came, `Gone` for 404.
    pub async fn send(self) -> Result<Reply> {
        let (api, service, method) = (self.api, self.service, self.method.clone());
        let result = self.attempts().await;
        if method != Method::GET && method != Method::HEAD {
            let lost = matches!(&result, Err(error) if error.kind == Kind::Unsure);
            api.changed(service, lost || method == Method::DELETE);
        }
        result
    }

    async fn attempts(self) -> Result<Reply> {
        let mut backoff = Backoff::default();
        let mut renewed = false;
        for attempt in 1.. {
            let last = attempt >= ATTEMPTS;
            let token = self.api.token().await?;
            let base = self.base(&token)?;
            let reply = match self.once(&base, &token).await {
                Ok(reply) => reply,
                Err(why) => {
                    let error = self.unanswered(&why, &base);
                    // Never sent, or harmless when done twice.
                    if last || error.kind != Kind::Busy {
                        return Err(error);
                    }
                    tokio::time::sleep(backoff.pause()).await;
                    continue;
                }
            };
            match reply.status {
                200..=399 => return Ok(reply),
                401 if !renewed => {
                    renewed = true;
                    self.api.renew(&token).await;
                    continue;
                }
                406 if self.microversion.is_some() => return Err(self.too_old(&reply)),
                _ => {}
            }
            let transient = matches!(reply.status, 429 | 500 | 502 | 503 | 504)
                || reply.status == 413 && reply.kind(self.service, &self.method) == Kind::Busy;
            if last || !transient || reply.kind(self.service, &self.method) != Kind::Busy {
                let mut error =
                    reply.error(self.service, &self.method, self.doing, &self.api.who());
                if self.busy == Some(reply.status) {
                    error.kind = Kind::Busy;
                }
                return Err(error);
            }
            let pause = reply
                .retry_after()
                .filter(|pause| !pause.is_zero())
                .unwrap_or_else(|| backoff.pause());
            tokio::time::sleep(pause.min(PATIENCE)).await;
        }
        unreachable!("the last attempt returns")
    }

    fn base(&self, token: &Token) -> Result<String> {
        let endpoint = self
            .api
            .endpoint(self.service, token)
            .ok_or_else(|| self.api.absent(self.service, token))?;
        let base = self.service.base(endpoint, &token.project_id);
        if self.root {
            let root = base.split("/v2").next().unwrap_or(&base);
            return Ok(root.to_owned());
        }
        Ok(base)
    }

    async fn once(&self, base: &str, token: &Token) -> Result<Reply, reqwest::Error> {
        let _turn = self
            .api
            .parallel
            .acquire()
            .await
            .expect("the semaphore is never closed");
        let mut request = self
            .api
            .http
            .request(self.method.clone(), format!("{base}{}", self.path));
        let mut token_header = reqwest::header::HeaderValue::from_str(token.secret.expose())
            .unwrap_or_else(|_| reqwest::header::HeaderValue::from_static(""));
        token_header.set_sensitive(true);
        request = request
            .header("x-auth-token", token_header)
            .header("accept", self.accept);
        if let Some(version) = self.microversion {
            let name = self.service.microversion_name();
            request = request.header("openstack-api-version", format!("{name} {version}"));
        }
        request = match &self.body {
            Some(Body::Json(body))
                if self.headers.iter().any(|(name, _)| *name == "content-type") =>
            {
                request.body(body.to_string())
            }
            Some(Body::Json(body)) => request.json(body),
            Some(Body::Bytes(bytes)) => request.body(bytes.clone()),
            None => request,
        };
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        let began = Instant::now();
        let response = request.send().await?;
        let reply = Reply::read(response).await?;
        tracing::debug!(
            service = self.service.project(),
            method = %self.method,
            path = %self.path,
            status = reply.status,
            millis = began.elapsed().as_millis() as u64,
            request_id = reply.request_id.as_deref().unwrap_or(""),
            "{}",
            self.doing
        );
        Ok(reply)
    }

    fn unanswered(&self, why: &reqwest::Error, base: &str) -> Error {
        let kind = match (&self.method, why.is_connect()) {
            (_, true) | (&Method::GET | &Method::PUT | &Method::DELETE | &Method::HEAD, _) => {
                Kind::Busy
            }
            _ => Kind::Unsure,
        };
        let cause = if why.is_timeout() {
            "no answer in time".to_owned()
        } else {
            fault::innermost(why)
        };
        Error::new(kind, self.doing.clone(), format!("{} at {base}: {cause}", self.service.project()))
            .remedy("the URL is from the cloud's catalog; `openstack.endpoint_overrides` and `openstack.interface` choose another")
            .at("openstack.endpoint_overrides")
    }

    fn too_old(&self, reply: &Reply) -> Error {
        let (project, version) = (
            self.service.project(),
            self.microversion.unwrap_or_default(),
        );
        let newest = reply
            .headers
            .get("openstack-api-maximum-version")
            .or_else(|| reply.headers.get("x-openstack-nova-api-maximum-version"));
        let newest = newest
            .and_then(|value| value.to_str().ok())
            .map(|it| format!("; it has up to {it}"))
            .unwrap_or_default();
        Error::fatal(
            self.doing.clone(),
            format!("{project} is too old: microversion {version} is needed{newest}"),
        )
        .remedy("the oldest release of OpenStack that this provider works with is Train (2019)")
    }
}

fn certificates(path: &std::path::Path) -> Result<Vec<reqwest::Certificate>> {
    let wrong = || {
        Error::fatal(
            format!("read {}", path.display()),
            "it holds no PEM certificates",
        )
        .at("openstack.cacert_file")
    };
    let found =
        reqwest::Certificate::from_pem_bundle(&read(path, "cacert_file")?).map_err(|_| wrong())?;
    if found.is_empty() {
        Err(wrong())
    } else {
        Ok(found)
    }
}

fn read(path: &std::path::Path, attribute: &str) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|why| {
        Error::fatal(format!("read {}", path.display()), why.to_string())
            .at(format!("openstack.{attribute}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_service_s_next_page_is_found() {
        let links = json!({ "networks": [], "networks_links": [{ "rel": "previous", "href": "http://x/?a=1" }, { "rel": "next", "href": "http://x/v2.0/networks?limit=2&marker=3" }] });
        assert_eq!(
            next_page(&links, "networks").as_deref(),
            Some("limit=2&marker=3")
        );
        let glance = json!({ "images": [], "next": "/v2/images?marker=7" });
        assert_eq!(next_page(&glance, "images").as_deref(), Some("marker=7"));
        let designate = json!({ "zones": [], "links": { "self": "x", "next": "http://wrong-host/v2/zones?marker=9" } });
        assert_eq!(next_page(&designate, "zones").as_deref(), Some("marker=9"));
        assert_eq!(
            next_page(&json!({ "zones": [], "links": { "self": "x" } }), "zones"),
            None
        );
    }
}
