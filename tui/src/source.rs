//! Where the figures come from, and the task that keeps them fresh. The screen never waits for
//! the store: it asks by a [`Request`], goes on, and hears a [`Loaded`] when there is an answer.

use crate::{
    action::Loaded,
    model::{Exchange, Snapshot},
    period::Period,
};
use jiff::Timestamp;
use std::{error::Error as _, future::Future, sync::Arc, time::Duration};
use tokio::sync::{mpsc, watch};
use tollgate_analytics::query;
use uuid::Uuid;

/// How long one reading of the store may take.
pub const LOAD_TIMEOUT: Duration = Duration::from_secs(15);

/// The rhythm of reading.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// How long to wait between two readings.
    pub every: Duration,
    /// How long one reading may take.
    pub limit: Duration,
}

/// What the screen wants to know.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// How far to look back.
    pub period: Period,
    /// An exchange to look up by its id.
    pub lookup: Option<Uuid>,
    /// Read now, but not again until asked.
    pub paused: bool,
    /// Counts up whenever the store shall be read at once.
    pub asked: u64,
}

/// Something that can be read: the store, or made-up figures in tests.
pub trait Source: Send + 'static {
    /// Everything shown of the period that ends `now`. May be dropped before it is done.
    fn load(
        &mut self,
        request: &Request,
        now: Timestamp,
    ) -> impl Future<Output = Result<Snapshot, LoadError>> + Send;
}

/// Why the figures could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// It took too long.
    #[error("the store did not answer within {} s", .0.as_secs())]
    Timeout(Duration),
    /// The store said no, or nothing at all.
    #[error("the store cannot be read")]
    Store(#[from] query::Error),
    /// The store holds something that this version cannot name.
    #[error(
        "the store holds the {field} {value:?}, unknown to this version: is a newer gate writing?"
    )]
    Unknown {
        /// Which column.
        field: &'static str,
        /// What stands in it.
        value: String,
    },
}

impl LoadError {
    /// The whole reason on one line.
    pub fn reason(&self) -> String {
        let mut reason = self.to_string();
        let mut cause = self.source();
        while let Some(error) = cause {
            let text = error.to_string();
            if !reason.ends_with(&text) {
                reason.push_str(": ");
                reason.push_str(&text);
            }
            cause = error.source();
        }
        reason.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

/// Reads `source` whenever the request changes and then at that pace, until nobody listens.
/// A new request interrupts the reading for the one before it.
pub async fn keep_loading<S: Source>(
    mut source: S,
    pace: Pace,
    mut wanted: watch::Receiver<Request>,
    loaded: mpsc::Sender<Loaded>,
    clock: fn() -> Timestamp,
) {
    let mut answered = None;
    loop {
        let request = wanted.borrow_and_update().clone();
        if !request.paused || answered.as_ref() != Some(&request) {
            let result = tokio::select! {
                result = tokio::time::timeout(pace.limit, source.load(&request, clock())) => result,
                changed = wanted.changed() => match changed {
                    Ok(()) => continue,
                    Err(_) => return,
                },
            };
            let result = result.unwrap_or(Err(LoadError::Timeout(pace.limit)));
            answered = Some(request.clone());
            let answer = Loaded {
                request,
                at: clock(),
                result: result.map(Arc::new).map_err(Arc::new),
            };
            if loaded.send(answer).await.is_err() {
                return;
            }
        }
        tokio::select! {
            changed = wanted.changed() => if changed.is_err() { return },
            () = tokio::time::sleep(pace.every) => {}
        }
    }
}

/// The exchange of that id among `exchanges`.
pub fn find(exchanges: &[Arc<Exchange>], id: Uuid) -> Option<Arc<Exchange>> {
    exchanges
        .iter()
        .find(|exchange| exchange.record.exchange == id)
        .cloned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::pending;

    /// Answers every period but the longest, for which it takes forever.
    struct Slow;

    impl Source for Slow {
        async fn load(&mut self, request: &Request, _: Timestamp) -> Result<Snapshot, LoadError> {
            match request.period {
                Period::All => pending().await,
                _ => Ok(Snapshot::default()),
            }
        }
    }

    fn start_within(
        limit: Duration,
        first: Request,
    ) -> (watch::Sender<Request>, mpsc::Receiver<Loaded>) {
        let (ask, wanted) = watch::channel(first);
        let (loaded, answers) = mpsc::channel(1);
        let every = Duration::from_millis(1);
        let pace = Pace { every, limit };
        let clock = || Timestamp::UNIX_EPOCH;
        tokio::spawn(keep_loading(Slow, pace, wanted, loaded, clock));
        (ask, answers)
    }

    fn start(first: Request) -> (watch::Sender<Request>, mpsc::Receiver<Loaded>) {
        start_within(LOAD_TIMEOUT, first)
    }

    #[tokio::test]
    async fn reads_again_and_again() {
        let (_ask, mut answers) = start(Request::default());
        for _ in 0..3 {
            assert!(answers.recv().await.unwrap().result.is_ok());
        }
    }

    #[tokio::test]
    async fn a_new_request_interrupts_a_slow_one() {
        let (ask, mut answers) = start(Request {
            period: Period::All,
            ..Request::default()
        });
        tokio::task::yield_now().await;
        ask.send(Request {
            period: Period::Hour,
            ..Request::default()
        })
        .unwrap();
        assert_eq!(answers.recv().await.unwrap().request.period, Period::Hour);
    }

    #[tokio::test]
    async fn paused_reads_once_for_each_request() {
        let paused = Request {
            paused: true,
            ..Request::default()
        };
        let (ask, mut answers) = start(paused.clone());
        assert_eq!(answers.recv().await.unwrap().request.asked, 0);
        ask.send(Request { asked: 1, ..paused }).unwrap();
        assert_eq!(answers.recv().await.unwrap().request.asked, 1);
        drop(ask);
        assert!(answers.recv().await.is_none());
    }

    #[tokio::test]
    async fn a_silent_store_is_a_timeout() {
        let (_ask, mut answers) = start_within(
            Duration::from_millis(1),
            Request {
                period: Period::All,
                ..Request::default()
            },
        );
        let error = answers.recv().await.unwrap().result.unwrap_err();
        assert_eq!(error.reason(), "the store did not answer within 0 s");
    }
}
