//! Panics as values: where and why, for a log line and a diagnostic. Never a backtrace for the user.

use std::any::Any;
use std::cell::RefCell;
use std::future::Future;
use std::panic::{AssertUnwindSafe, PanicHookInfo};

use futures::FutureExt;

use super::{Diag, secrets};

/// A panic that was caught. Its message is masked.
#[derive(Debug, Clone)]
pub struct Panic {
    pub message: String,
    /// `file:line:column` in the source, where known.
    pub place: Option<String>,
}

thread_local! {
    static LAST: RefCell<Option<Panic>> = const { RefCell::new(None) };
}

/// Logs every panic of the process as an error with its place, in the place of the text with a backtrace that Rust writes.
pub fn install_hook() {
    std::panic::set_hook(Box::new(|what| {
        let panic = Panic {
            message: secrets::mask(message_of(what.payload())).into_owned(),
            place: place_of(what),
        };
        let place = panic.place.as_deref().unwrap_or("an unknown place");
        tracing::error!(place, "panic: {}", panic.message);
        LAST.with(|last| *last.borrow_mut() = Some(panic));
    }));
}

/// Runs a future to its end; a panic inside ends it with [`Panic`] and nothing else.
///
/// # Errors
/// The panic.
pub async fn guard<F: Future>(future: F) -> Result<F::Output, Panic> {
    // The hook ran on this very thread, within the same poll: what it left behind is about this panic.
    AssertUnwindSafe(future)
        .catch_unwind()
        .await
        .map_err(|payload| caught(payload.as_ref()))
}

/// The same for work that does not wait.
///
/// # Errors
/// The panic.
pub fn catch<T>(work: impl FnOnce() -> T) -> Result<T, Panic> {
    std::panic::catch_unwind(AssertUnwindSafe(work)).map_err(|payload| caught(payload.as_ref()))
}

impl Panic {
    /// What the user is told; `doing` says what was under way ("created the object").
    pub fn diag(&self, doing: &str) -> Diag {
        let place = self.place.as_deref().unwrap_or("an unknown place");
        Diag::error(format!("The provider failed while it {doing}")).detail(format!(
            "This is a mistake in the provider, at {place}: {}. Other operations are not affected, and what was made \
             before is in the state. Please report it.",
            self.message
        ))
    }
}

fn caught(payload: &(dyn Any + Send)) -> Panic {
    LAST.with(|last| last.borrow_mut().take())
        .unwrap_or_else(|| Panic {
            message: secrets::mask(message_of(payload)).into_owned(),
            place: None,
        })
}

fn message_of(payload: &(dyn Any + Send)) -> &str {
    if let Some(text) = payload.downcast_ref::<&'static str>() {
        text
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text
    } else {
        "no message"
    }
}

fn place_of(what: &PanicHookInfo<'_>) -> Option<String> {
    what.location().map(ToString::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_becomes_a_value_and_the_rest_goes_on() {
        assert_eq!(guard(async { 3 }).await.unwrap(), 3);
        let panic = guard(async { panic!("no {}", "bread") }).await.unwrap_err();
        assert_eq!(panic.message, "no bread");
    }

    #[test]
    fn a_panic_in_work_that_does_not_wait_is_a_value_too() {
        assert_eq!(catch(|| 3).unwrap(), 3);
        let panic = catch(|| panic!("out of luck")).unwrap_err();
        let diag = panic.diag("checked the configuration");
        assert!(diag.detail.contains("out of luck"), "{diag}");
    }

    #[tokio::test]
    async fn the_message_of_a_panic_shows_no_secret() {
        secrets::register("canary-of-panics");
        let panic = guard(async { panic!("bad key canary-of-panics") })
            .await
            .unwrap_err();
        assert_eq!(panic.message, "bad key (secret)");
    }
}
