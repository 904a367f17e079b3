//! What time it is in the simulator. Wall-clock time, so that several processes agree; but it runs with the runtime's
//! clock, so that tests may let hours pass in a moment.

use std::{
    sync::OnceLock,
    time::{SystemTime, UNIX_EPOCH},
};

/// Milliseconds since 1970. Never negative, never overflows: the end of time is the largest value.
pub type Millis = i64;

pub const NEVER: Millis = i64::MAX;

pub fn now() -> Millis {
    static BASE: OnceLock<(Millis, std::time::Instant)> = OnceLock::new();
    let (unix, at) = *BASE.get_or_init(|| {
        let unix = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        (millis(unix.as_millis()), std::time::Instant::now())
    });
    let now = tokio::time::Instant::now().into_std();
    match now.checked_duration_since(at) {
        Some(later) => unix.saturating_add(millis(later.as_millis())),
        None => unix.saturating_sub(millis(at.duration_since(now).as_millis())),
    }
}

pub fn millis(count: u128) -> Millis {
    Millis::try_from(count).unwrap_or(NEVER)
}
