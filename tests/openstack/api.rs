//! Plain calls to the plain APIs. Not our client: what it gets wrong must not be wrong here, too.

use serde_json::{Value, json};
use std::{collections::BTreeMap, sync::Once};
use tokio::runtime::Runtime;

const IDENTITY: &str = "http://127.0.0.1:5000/v3";

pub struct Api {
    runtime: Runtime,
    http: reqwest::Client,
    token: String,
    urls: BTreeMap<String, String>,
}

pub fn password() -> String {
    std::env::var("OSDEV_PASSWORD").unwrap_or_else(|_| "osdev-pw".into())
}

impl Api {
    pub fn sign_in(user: &str, project: &str) -> Self {
        static PROVIDER: Once = Once::new();
        PROVIDER.call_once(|| {
            let _ = rustls::crypto::ring::default_provider().install_default();
        });
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        let http = reqwest::Client::builder()
            .no_proxy()
            .user_agent("acceptance-test")
            .build()
            .expect("a client");
        let body = json!({ "auth": {
            "identity": { "methods": ["password"], "password": { "user": {
                "name": user, "domain": { "id": "default" }, "password": password() } } },
            "scope": { "project": { "name": project, "domain": { "id": "default" } } } } });
        let (token, answer) = runtime.block_on(async {
            let answer = http
                .post(format!("{IDENTITY}/auth/tokens"))
                .json(&body)
                .send()
                .await
                .expect("Keystone answers");
            assert_eq!(answer.status(), 201, "{user} signs in to {project}");
            let token = answer.headers()["x-subject-token"]
                .to_str()
                .expect("a token")
                .to_owned();
            (token, answer.json::<Value>().await.expect("JSON"))
        });
        let mut urls = BTreeMap::from([("identity".to_owned(), IDENTITY.to_owned())]);
        for service in answer["token"]["catalog"].as_array().expect("a catalog") {
            let endpoints = service["endpoints"].as_array().expect("endpoints");
            if let Some(public) = endpoints.iter().find(|it| it["interface"] == "public") {
                let mut url = public["url"]
                    .as_str()
                    .expect("a url")
                    .trim_end_matches('/')
                    .to_owned();
                let kind = service["type"].as_str().expect("a type").to_owned();
                match kind.as_str() {
                    "network" => url.push_str("/v2.0"),
                    "load-balancer" => url.push_str("/v2"),
                    "dns" => url.push_str("/v2"),
                    "key-manager" => url.push_str("/v1"),
                    "image" => url.push_str("/v2"),
                    _ => {}
                }
                if kind != "identity" {
                    urls.insert(kind, url);
                }
            }
        }
        Self {
            runtime,
            http,
            token,
            urls,
        }
    }

    /// Any call: the status and the answer.
    pub fn call(
        &self,
        method: &str,
        service: &str,
        path: &str,
        body: Option<&Value>,
    ) -> (u16, Value) {
        let url = format!("{}{path}", self.urls[service]);
        let method = method.parse().expect("a method");
        let mut request = self
            .http
            .request(method, &url)
            .header("x-auth-token", &self.token)
            .header("accept", "application/json");
        if service == "compute" {
            request = request.header("openstack-api-version", "compute 2.90");
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        self.runtime.block_on(async {
            let answer = request
                .send()
                .await
                .unwrap_or_else(|error| panic!("{url}: {error}"));
            let status = answer.status().as_u16();
            let text = answer.text().await.unwrap_or_default();
            (
                status,
                serde_json::from_str(&text).unwrap_or(Value::String(text)),
            )
        })
    }

    #[track_caller]
    fn good(&self, method: &str, service: &str, path: &str, body: Option<&Value>) -> Value {
        let (status, answer) = self.call(method, service, path, body);
        assert!(status < 300, "{method} {service} {path}: {status} {answer}");
        answer
    }
    #[track_caller]
    pub fn get(&self, service: &str, path: &str) -> Value {
        self.good("GET", service, path, None)
    }
    #[track_caller]
    pub fn post(&self, service: &str, path: &str, body: &Value) -> Value {
        self.good("POST", service, path, Some(body))
    }
    #[track_caller]
    pub fn put(&self, service: &str, path: &str, body: &Value) -> Value {
        self.good("PUT", service, path, Some(body))
    }
    #[track_caller]
    pub fn patch(&self, service: &str, path: &str, body: &Value) -> Value {
        self.good("PATCH", service, path, Some(body))
    }
    #[track_caller]
    pub fn delete(&self, service: &str, path: &str) {
        self.good("DELETE", service, path, None);
    }
    /// What is no JSON: a secret's own text.
    #[track_caller]
    pub fn text(&self, service: &str, path: &str) -> String {
        let url = format!("{}{path}", self.urls[service]);
        let request = self
            .http
            .get(&url)
            .header("x-auth-token", &self.token)
            .header("accept", "text/plain");
        self.runtime.block_on(async {
            let answer = request.send().await.expect("an answer");
            assert!(answer.status().is_success(), "{url}: {}", answer.status());
            answer.text().await.expect("text")
        })
    }
    /// All entries of one list.
    #[track_caller]
    pub fn list(&self, service: &str, path: &str, key: &str) -> Vec<Value> {
        self.get(service, path)[key]
            .as_array()
            .cloned()
            .unwrap_or_default()
    }

    /// The bytes of something that is no JSON, as an image is.
    #[track_caller]
    pub fn upload(&self, service: &str, path: &str, bytes: Vec<u8>) {
        let url = format!("{}{path}", self.urls[service]);
        let request = self
            .http
            .put(&url)
            .header("x-auth-token", &self.token)
            .header("content-type", "application/octet-stream")
            .body(bytes);
        let status = self
            .runtime
            .block_on(async { request.send().await.expect("an answer").status() });
        assert!(status.is_success(), "PUT {url}: {status}");
    }
}
