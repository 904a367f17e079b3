//! Logs as Terraform reads them: one JSON line per event on standard error. Knows levels, lines and masks; not what is
//! logged.

mod layer;
mod level;
mod line;

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use ring::rand::{SecureRandom, SystemRandom};
use tracing_subscriber::layer::SubscriberExt;

pub use level::from_environment as level_from_environment;

/// Writes the events of this process to standard error from now on, as far as the environment asks for them: `TF_LOG`,
/// `TF_LOG_PROVIDER` and `TF_LOG_PROVIDER_<NAME>`, the last one counts most. A second call changes nothing.
pub fn start(provider_name: &str) {
    let level = level_from_environment(provider_name, |name| std::env::var(name).ok());
    let layer = layer::Layer::new(provider_name, level, std::io::stderr);
    // An error only says that somebody, such as a test, has already set up logs.
    let _ = tracing::subscriber::set_global_default(tracing_subscriber::registry().with(layer));
}

/// The span of one request. Every line inside carries the name of the RPC, the type it is about (empty for none) and an id
/// that no other request has.
pub fn request_span(rpc: &'static str, type_name: &str) -> tracing::Span {
    request(rpc, type_name).0
}

/// The same, with the id: what the request is about may be named after it elsewhere.
pub fn request(rpc: &'static str, type_name: &str) -> (tracing::Span, String) {
    let id = request_id();
    let span = tracing::info_span!(
        "rpc",
        tf_rpc = rpc,
        tf_resource_type = type_name,
        tf_req_id = id
    );
    (span, id)
}

/// Unique in this process by its count and among processes by its start.
fn request_id() -> String {
    static START: LazyLock<String> = LazyLock::new(|| {
        let mut bytes = [0; 6];
        // Without randomness ids are still unique within one log.
        let _ = SystemRandom::new().fill(&mut bytes);
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    });
    static COUNT: AtomicU64 = AtomicU64::new(1);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("{}-{count}", *START)
}
