//! What a failed answer means: its words, its request id, and what may be done about it. Makes no call.

use super::service::Service;
use crate::engine::{Error, Kind};
use reqwest::{Method, header::HeaderMap};
use serde_json::Value;
use std::time::Duration;

/// A whole answer in memory.
pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
    pub request_id: Option<String>,
}

impl Reply {
    pub async fn read(response: reqwest::Response) -> Result<Self, reqwest::Error> {
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let ids = [
            "x-openstack-request-id",
            "x-compute-request-id",
            "x-trans-id",
        ];
        let request_id = ids
            .iter()
            .find_map(|name| headers.get(*name))
            .and_then(|id| id.to_str().ok())
            .map(str::to_owned);
        Ok(Self {
            status,
            headers,
            body: response.bytes().await?.to_vec(),
            request_id,
        })
    }

    /// How long the cloud asks us to wait.
    pub fn retry_after(&self) -> Option<Duration> {
        let text = self.headers.get("retry-after")?.to_str().ok()?;
        text.trim().parse().ok().map(Duration::from_secs)
    }

    /// The machine-readable name of the fault, where the service gives one (Neutron's `OverQuota`).
    fn code(&self) -> Option<String> {
        let body: Value = serde_json::from_slice(&self.body).ok()?;
        Some(body.get("NeutronError")?.get("type")?.as_str()?.to_owned())
    }

    /// Whether the same call may help later, and how.
    pub fn kind(&self, service: Service, method: &Method) -> Kind {
        match self.status {
            404 => Kind::Gone,
            409 => self.conflict(service, method),
            // Cinder and Nova say "over limit" like this; a real rate limit asks for some patience.
            413 if self.retry_after().is_none_or(|pause| pause.is_zero()) => Kind::Fatal,
            413 | 429 | 503 => Kind::Busy,
            500 | 502 | 504 if method == Method::POST || method == Method::PATCH => Kind::Unsure,
            500 | 502 | 504 => Kind::Busy,
            _ => Kind::Fatal,
        }
    }

    /// Whether a service tells as our mistake what another one has answered it: Octavia reads a listener's certificate from
    /// Barbican, and the network of a balancer from Neutron, with our token, which may have ended in between, and they may
    /// be away. What was really never there is refused after a minute.
    pub fn passes_on(&self, service: Service) -> bool {
        if self.status != 400 || service != Service::Balancer {
            return false;
        }
        let said = said_in(self);
        let gone = ["Subnet ", "Network ", "Port "]
            .iter()
            .any(|it| said.starts_with(it));
        said.contains("Could not retrieve certificate") || gone && said.contains(" not found.")
    }

    fn conflict(&self, service: Service, method: &Method) -> Kind {
        match service {
            // "immutable": the balancer is busy with another change.
            Service::Balancer => Kind::Busy,
            // Something that is still on its way out holds it.
            Service::Network | Service::Compute | Service::Volume if method == Method::DELETE => {
                Kind::Busy
            }
            Service::Network => match self.code().as_deref() {
                Some("RetryRequest" | "DBDeadlock") => Kind::Busy,
                // Another address may be free; a leg is free as soon as its floating address has gone.
                Some(
                    "IpAddressAlreadyAllocated"
                    | "IpAddressInUse"
                    | "RouterInterfaceInUseByFloatingIP",
                ) => Kind::Busy,
                _ => Kind::Fatal,
            },
            _ => Kind::Fatal,
        }
    }

    /// The error to tell, with what the user may do next.
    pub fn error(&self, service: Service, method: &Method, doing: String, who: &str) -> Error {
        let kind = self.kind(service, method);
        let mut error = Error::new(
            kind,
            doing,
            format!("{} says: {}", service.project(), said_in(self)),
        );
        error.request_id = self.request_id.as_deref().map(Into::into);
        let project = service.project();
        match (self.status, self.code().as_deref()) {
            (401, _) => error.remedy(format!("{project} does not take the token of {who}: its Keystone middleware may be set up wrong")),
            (403, _) => error.remedy(format!("{who} lacks the right, or a quota is used up: see the message")),
            (409, Some("OverQuota")) | (413, _) => error.remedy("raise that quota, or use fewer or smaller nodes"),
            (409, Some("IpAddressGenerationFailure" | "ExternalIpAddressExhausted")) => {
                error.remedy("the network has no free address: use another one, or free some")
            }
            (500..=599, _) => error.remedy(format!("{project} has failed: try again later, or ask the cloud's operators with the request id")),
            _ => error,
        }
    }
}

/// The message inside an error's body, whatever the service wraps it in.
pub fn said_in(reply: &Reply) -> String {
    let found = serde_json::from_slice::<Value>(&reply.body)
        .ok()
        .and_then(|body| message(&body));
    let text = found.unwrap_or_else(|| plain(&String::from_utf8_lossy(&reply.body)));
    let text = text.trim();
    match text.is_empty() {
        true => format!("HTTP {}", reply.status),
        false => format!(
            "{} (HTTP {})",
            text.chars().take(600).collect::<String>(),
            reply.status
        ),
    }
}

fn message(body: &Value) -> Option<String> {
    match body {
        Value::Object(map) => {
            for key in ["message", "faultstring", "description", "detail", "title"] {
                if let Some(Value::String(text)) = map.get(key) {
                    return Some(text.clone());
                }
            }
            map.values().find_map(message)
        }
        Value::Array(items) => items.iter().find_map(message),
        _ => None,
    }
}

fn plain(text: &str) -> String {
    let mut words = String::new();
    let mut inside = false;
    for letter in text.chars() {
        match letter {
            '<' => inside = true,
            '>' => {
                inside = false;
                words.push(' ');
            }
            other if !inside => words.push(other),
            _ => {}
        }
    }
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The cause at the bottom of a chain: "Connection refused", not "error sending request".
pub fn innermost(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(status: u16, body: &str, retry_after: Option<&str>) -> Reply {
        let mut headers = HeaderMap::new();
        if let Some(pause) = retry_after {
            headers.insert("retry-after", pause.parse().unwrap());
        }
        Reply {
            status,
            headers,
            body: body.as_bytes().to_vec(),
            request_id: Some("req-1".into()),
        }
    }

    #[test]
    fn a_quota_is_no_rate_limit() {
        let over = reply(
            413,
            r#"{"overLimit": {"message": "VolumeLimitExceeded", "code": 413}}"#,
            Some("0"),
        );
        assert_eq!(over.kind(Service::Volume, &Method::POST), Kind::Fatal);
        assert_eq!(
            reply(413, "", Some("7")).kind(Service::Compute, &Method::POST),
            Kind::Busy
        );
        assert_eq!(
            reply(429, "", None).kind(Service::Compute, &Method::POST),
            Kind::Busy
        );
    }

    #[test]
    fn what_octavia_was_refused_by_others_is_no_mistake_of_ours() {
        let told = |text: &str, service| {
            let body = serde_json::json!({ "faultcode": "Client", "faultstring": text });
            reply(400, &body.to_string(), None).passes_on(service)
        };
        for text in [
            "Subnet 0b5ce1f4-9a4d-4a52-b1a0-3f2f6c1f0001 not found.",
            "Could not retrieve certificate: ['https://keys.example.org/v1/secrets/1']",
        ] {
            assert!(told(text, Service::Balancer), "{text}");
            assert!(!told(text, Service::Network), "{text}");
        }
        for text in [
            "Validation failure: Subnet and network mismatch",
            "Flavor 1 not found.",
        ] {
            assert!(!told(text, Service::Balancer), "{text}");
        }
    }

    #[test]
    fn a_lost_post_is_unsure_and_a_lost_get_is_not() {
        assert_eq!(
            reply(502, "", None).kind(Service::Network, &Method::POST),
            Kind::Unsure
        );
        assert_eq!(
            reply(502, "", None).kind(Service::Network, &Method::GET),
            Kind::Busy
        );
    }

    #[test]
    fn a_busy_balancer_is_waited_for() {
        assert_eq!(
            reply(409, "", None).kind(Service::Balancer, &Method::POST),
            Kind::Busy
        );
    }

    #[test]
    fn every_service_s_words_are_found() {
        let said = |body| said_in(&reply(400, body, None));
        assert_eq!(
            said(r#"{"NeutronError": {"type": "X", "message": "no", "detail": ""}}"#),
            "no (HTTP 400)"
        );
        assert_eq!(
            said(r#"{"badRequest": {"code": 400, "message": "bad"}}"#),
            "bad (HTTP 400)"
        );
        assert_eq!(
            said(r#"{"faultcode": "Client", "faultstring": "fault", "debuginfo": null}"#),
            "fault (HTTP 400)"
        );
        assert_eq!(
            said(r#"{"code": 400, "title": "T", "description": "d"}"#),
            "d (HTTP 400)"
        );
        assert_eq!(
            said("<html><h1>Bad</h1>\n gateway</html>"),
            "Bad gateway (HTTP 400)"
        );
        assert_eq!(said(""), "HTTP 400");
    }

    #[test]
    fn errors_carry_the_request_id() {
        let error = reply(500, "", None).error(
            Service::Network,
            &Method::GET,
            "list networks".into(),
            "user `u`",
        );
        assert!(error.to_string().contains("req-1"), "{error}");
    }
}
