//! One request: what it asks, how often it is tried, and what its failure means. Knows no service's objects.

use super::{
    Api,
    fault::{self, Reply},
    service::Service,
    token::Token,
};
use crate::engine::{Backoff, Error, Kind, Result, waits_for};
use reqwest::Method;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::time::{Duration, Instant};

/// How often one call is tried before its error is told: some twenty seconds.
pub(super) const ATTEMPTS: u32 = 7;
/// The same where the service has answered this process before and is now gone, as when it is restarted: a minute.
pub(super) const ATTEMPTS_WHEN_KNOWN: u32 = 12;
/// How often one call signs in again because its token is refused.
const RENEWALS: u32 = 2;
/// The longest `Retry-After` that we sit through inside one call.
const PATIENCE: Duration = Duration::from_secs(30);

/// One request, not yet sent.
pub struct Call<'a> {
    api: &'a Api,
    service: Service,
    method: Method,
    path: String,
    doing: String,
    body: Option<Body>,
    pub(super) microversion: Option<&'static str>,
    headers: Vec<(&'static str, String)>,
    /// Another URL than the service's base (its root, for versions).
    root: bool,
    accept: &'static str,
    busy: Option<u16>,
    /// Asks, whatever its method.
    asks: bool,
}

enum Body {
    Json(Value),
    /// Raw bytes with their media type.
    Bytes(Vec<u8>),
}

impl Api {
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
            asks: false,
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
}

pub fn gone_is_fine(error: Error) -> Result<()> {
    if error.kind == Kind::Gone {
        Ok(())
    } else {
        Err(error)
    }
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

    /// It changes nothing, whatever its method.
    #[must_use]
    pub fn asking(mut self) -> Self {
        self.asks = true;
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
        let asks = self.asks || method == Method::GET || method == Method::HEAD;
        let result = self.attempts().await;
        if !asks {
            let lost = matches!(&result, Err(error) if error.kind == Kind::Unsure);
            api.past.changed(service, lost || method == Method::DELETE);
        }
        result
    }

    async fn attempts(self) -> Result<Reply> {
        let mut backoff = Backoff::default();
        let mut renewed = 0;
        for attempt in 1.. {
            let most = |away: bool| match away && self.api.past.has_answered(self.service) {
                true => ATTEMPTS_WHEN_KNOWN,
                false => ATTEMPTS,
            };
            let token = self.api.token().await?;
            let base = self.base(&token)?;
            let reply = match self.once(&base, &token).await {
                Ok(reply) => reply,
                Err(why) => {
                    let error = self.unanswered(&why, &base);
                    // Never sent, or harmless when done twice.
                    if attempt >= most(why.is_connect()) || error.kind != Kind::Busy {
                        return Err(error);
                    }
                    let _waits = waits_for(error.to_string());
                    tokio::time::sleep(backoff.pause()).await;
                    continue;
                }
            };
            match reply.status {
                200..=399 => {
                    self.api.past.answered(self.service);
                    return Ok(reply);
                }
                401 if renewed < RENEWALS => {
                    // Keystone revokes by the second: a token of the same second as the revocation is no good, either.
                    if renewed > 0 {
                        tokio::time::sleep(Duration::from_millis(1100)).await;
                    }
                    renewed += 1;
                    self.api.renew(&token).await;
                    continue;
                }
                406 if self.microversion.is_some() => return Err(self.too_old(&reply)),
                _ => {}
            }
            let passed_on = reply.passes_on(self.service);
            if passed_on && renewed == 0 {
                renewed += 1;
                self.api.renew(&token).await;
            }
            let answered_busy = matches!(reply.status, 413 | 429 | 500 | 502 | 503 | 504)
                && reply.kind(self.service, &self.method) == Kind::Busy;
            let last = attempt >= most(passed_on || reply.status == 503);
            if last || !(passed_on || answered_busy) {
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
            let project = self.service.project();
            let _waits = waits_for(format!("{project} says: {}", fault::said_in(&reply)));
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
