//! List calls that many share: a snapshot that was asked for late enough serves everybody. Knows no cloud.

use super::error::{Error, Result};
use std::{
    future::Future,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

/// A point in this process's history: strictly ordered, also where a clock would show the same time twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(u64);

static LAST: AtomicU64 = AtomicU64::new(0);

impl Moment {
    /// Before everything: any snapshot will do.
    pub const START: Self = Self(0);
    /// Later than every moment so far.
    pub fn now() -> Self {
        Self(LAST.fetch_add(1, Ordering::SeqCst) + 1)
    }
}

/// One list of a cloud, read at most once for all who can live with the same snapshot.
///
/// Nobody has to invalidate it after a change of his own: the engine's looks name the moment that they need.
pub struct Reads<T> {
    kept: tokio::sync::Mutex<Kept<T>>,
    /// Snapshots from before this are worth nothing.
    floor: Mutex<Moment>,
    fetched: AtomicU64,
}

struct Kept<T> {
    snapshot: Option<(Moment, Arc<T>)>,
    /// How the fetch of that number failed: an answer for those who waited for it.
    failed: Option<(u64, Error)>,
}

impl<T> Default for Reads<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Reads<T> {
    pub fn new() -> Self {
        Self {
            kept: tokio::sync::Mutex::new(Kept {
                snapshot: None,
                failed: None,
            }),
            floor: Mutex::new(Moment::START),
            fetched: AtomicU64::new(0),
        }
    }

    /// The snapshot, if its fetch started at or after `since`; else a new one. One fetch is in flight at a time; who
    /// waits for it shares its answer, be it an error.
    pub async fn get<F, Fut>(&self, since: Moment, fetch: F) -> Result<Arc<T>>
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<T>>,
    {
        let before = self.fetched.load(Ordering::SeqCst);
        let mut kept = self.kept.lock().await;
        let since = since.max(*self.floor.lock().unwrap_or_else(PoisonError::into_inner));
        if let Some((at, snapshot)) = &kept.snapshot
            && *at >= since
        {
            return Ok(snapshot.clone());
        }
        if let Some((number, error)) = &kept.failed
            && *number > before
        {
            return Err(error.clone());
        }
        let at = Moment::now();
        let fetched = fetch().await;
        let number = self.fetched.fetch_add(1, Ordering::SeqCst) + 1;
        match fetched {
            Ok(list) => {
                let list = Arc::new(list);
                kept.snapshot = Some((at, list.clone()));
                kept.failed = None;
                Ok(list)
            }
            Err(error) => {
                kept.failed = Some((number, error.clone()));
                Err(error)
            }
        }
    }

    /// What was asked for until now serves nobody any more.
    pub fn invalidate(&self) {
        *self.floor.lock().unwrap_or_else(PoisonError::into_inner) = Moment::now();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Kind;
    use std::{sync::atomic::AtomicU32, time::Duration};
    use tokio::time::sleep;

    /// A list that takes a second, and how often it was asked for.
    async fn list(asked: &AtomicU32) -> Result<u32> {
        sleep(Duration::from_secs(1)).await;
        Ok(asked.fetch_add(1, Ordering::SeqCst) + 1)
    }

    #[tokio::test(start_paused = true)]
    async fn one_fetch_answers_all_who_can_live_with_it() {
        let (reads, asked) = (Reads::new(), AtomicU32::new(0));
        let since = Moment::now();
        let answers =
            futures::future::join_all((0..50).map(|_| reads.get(since, || list(&asked)))).await;
        assert!(
            answers
                .iter()
                .all(|it| it.as_ref().is_ok_and(|it| **it == 1))
        );
        assert_eq!(*reads.get(since, || list(&asked)).await.unwrap(), 1);
        assert_eq!(*reads.get(Moment::START, || list(&asked)).await.unwrap(), 1);
        assert_eq!(asked.load(Ordering::SeqCst), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_snapshot_from_before_is_too_old_even_in_the_same_instant() {
        let (reads, asked) = (Reads::new(), AtomicU32::new(0));
        reads.get(Moment::now(), || list(&asked)).await.unwrap();
        assert_eq!(*reads.get(Moment::now(), || list(&asked)).await.unwrap(), 2);
        reads.invalidate();
        assert_eq!(*reads.get(Moment::START, || list(&asked)).await.unwrap(), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn a_fetch_under_way_is_too_old_for_who_comes_later() {
        let (reads, asked) = (Reads::new(), AtomicU32::new(0));
        let early = reads.get(Moment::now(), || list(&asked));
        let late = async {
            sleep(Duration::from_millis(500)).await;
            reads.get(Moment::now(), || list(&asked)).await
        };
        let (early, late) = tokio::join!(early, late);
        assert_eq!((*early.unwrap(), *late.unwrap()), (1, 2));
    }

    #[tokio::test(start_paused = true)]
    async fn an_error_answers_those_who_waited_and_nobody_later() {
        let (reads, asked) = (Reads::new(), AtomicU32::new(0));
        let fails = || async {
            sleep(Duration::from_secs(1)).await;
            asked.fetch_add(1, Ordering::SeqCst);
            Err::<u32, _>(Error::new(Kind::Busy, "list", "busy"))
        };
        let since = Moment::now();
        let answers = futures::future::join_all((0..10).map(|_| reads.get(since, fails))).await;
        assert!(answers.iter().all(Result::is_err));
        assert_eq!(asked.load(Ordering::SeqCst), 1);
        assert_eq!(*reads.get(since, || list(&asked)).await.unwrap(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn who_gives_up_leaves_the_fetch_to_the_next() {
        let (reads, asked) = (Reads::new(), AtomicU32::new(0));
        let since = Moment::now();
        let impatient = tokio::time::timeout(
            Duration::from_millis(500),
            reads.get(since, || list(&asked)),
        );
        let (impatient, patient) = tokio::join!(impatient, reads.get(since, || list(&asked)));
        assert!(impatient.is_err());
        assert_eq!(*patient.unwrap(), 1);
    }
}
