//! From the ledger to the store, each record exactly once.
//!
//! The store itself says how far it got: the next record to send is the one after its highest
//! sequence number. That holds because
//!
//! - a block of consecutive records is one `INSERT` of one partition, which the engine keeps
//!   whole or not at all;
//! - blocks are sent in order, the next one only after the one before was answered;
//! - after any error nothing is sent before inserts that may still run have ended, and the store
//!   was asked again.
//!
//! There must be one shipper per store. Two would both be right about where to go on, and send
//! the same records; the check at the next start would find the rows too many.
//!
//! The store being down costs nothing but time: the ledger waits.

mod block;
mod session;

pub use session::rebuild;

use crate::ledger::{self, Ledger};
use crate::migrate;
use clickhouse::Client;
use session::Session;
use std::future::Future;
use std::time::Duration;
use tokio::sync::watch;

/// How shipping goes about its work.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Records per insert at most. Default: 10,000.
    pub block_records_max: usize,
    /// How long a lone record waits for company, so that the store gets few large parts rather
    /// than many small ones. Default: 200 ms.
    pub linger: Duration,
    /// The first and the longest pause between tries while the store fails. Default: 100 ms, 10 s.
    pub backoff: (Duration, Duration),
    /// An insert unanswered for so long counts as failed. Default: 60 s.
    pub insert_timeout: Duration,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            block_records_max: 10_000,
            linger: Duration::from_millis(200),
            backoff: (Duration::from_millis(100), Duration::from_secs(10)),
            insert_timeout: Duration::from_secs(60),
        }
    }
}

/// How far shipping is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ShipStatus {
    /// How many records the store is known to hold: the next sequence number to ship.
    pub shipped: u64,
    /// How many the ledger holds.
    pub recorded: u64,
    /// Failed tries since the start.
    pub errors: u64,
    /// What the last try failed with ([`Error::kind`]); `None` when it went well.
    pub failing: Option<&'static str>,
}

impl ShipStatus {
    /// The sequence number of the last record that the store is known to hold.
    pub fn last_shipped(&self) -> Option<u64> {
        self.shipped.checked_sub(1)
    }

    /// How many records the store still lacks.
    pub fn lag(&self) -> u64 {
        self.recorded.saturating_sub(self.shipped)
    }
}

/// Why records could not be shipped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The store holds another ledger's records.
    #[error(
        "the store is filled from the ledger {found}, and this ledger is {expected}: give this \
         one an empty database, or find the other's directory"
    )]
    OtherLedger {
        /// The identity that the store holds.
        found: String,
        /// This ledger's.
        expected: String,
    },
    /// The store holds rows, and nothing says from where.
    #[error("the store holds {rows} rows of an unknown ledger: give this one an empty database")]
    UnknownRows {
        /// How many.
        rows: u64,
    },
    /// The store holds records that the ledger has lost.
    #[error(
        "the store holds record {stored}, and the ledger ends at {recorded}: the ledger was cut \
         off or put back from a backup"
    )]
    Ahead {
        /// The highest sequence number in the store.
        stored: u64,
        /// How many records the ledger holds.
        recorded: u64,
    },
    /// Records are missing in the middle of the store, or stand there twice.
    #[error(
        "the store holds {rows} rows for the records {first} to {last}: rebuild it from the \
         ledger into an empty database"
    )]
    Inconsistent {
        /// Rows found.
        rows: u64,
        /// The lowest sequence number.
        first: u64,
        /// The highest one.
        last: u64,
    },
    /// The schema is not ours, or could not be made.
    #[error("the store's schema could not be brought forward")]
    Schema(#[source] migrate::Error),
    /// The ledger could not be read.
    #[error("the ledger could not be read")]
    Ledger(#[source] ledger::Error),
    /// The store refused or could not be reached.
    #[error("the store did not {action}")]
    Store {
        /// What was asked of it.
        action: &'static str,
        /// Why it failed.
        source: clickhouse::error::Error,
    },
}

impl Error {
    /// A stable word for it, for metrics.
    pub fn kind(&self) -> &'static str {
        use clickhouse::error::Error as Client;
        match self {
            Error::OtherLedger { .. } | Error::UnknownRows { .. } => "other_ledger",
            Error::Ahead { .. } => "ledger_cut",
            Error::Inconsistent { .. } => "inconsistent",
            Error::Schema(migrate::Error::Store {
                source: Client::Network(_),
                ..
            })
            | Error::Store {
                source: Client::Network(_),
                ..
            } => "unreachable",
            Error::Store {
                source: Client::TimedOut,
                ..
            } => "timeout",
            Error::Schema(_) => "schema",
            Error::Ledger(_) => "ledger",
            Error::Store { .. } => "refused",
        }
    }

    /// Whether trying again cannot help: somebody has to look.
    pub fn is_final(&self) -> bool {
        match self {
            Error::Store { .. } | Error::Schema(migrate::Error::Store { .. }) => false,
            Error::Ledger(ledger::Error::Io { .. }) => false,
            Error::Schema(_)
            | Error::Ledger(_)
            | Error::OtherLedger { .. }
            | Error::UnknownRows { .. }
            | Error::Ahead { .. }
            | Error::Inconsistent { .. } => true,
        }
    }
}

/// Ships an open ledger's records to a store, as long as it is run.
#[derive(Debug)]
pub struct Shipper {
    client: Client,
    ledger: Ledger,
    options: Options,
    status: watch::Sender<ShipStatus>,
}

impl Shipper {
    /// A shipper from `ledger` to the store of `client`, and where to see how far it is.
    pub fn new(ledger: &Ledger, client: Client) -> (Shipper, watch::Receiver<ShipStatus>) {
        Shipper::with_options(ledger, client, Options::default())
    }

    /// [`Shipper::new`] with other options.
    pub fn with_options(
        ledger: &Ledger,
        client: Client,
        options: Options,
    ) -> (Shipper, watch::Receiver<ShipStatus>) {
        let recorded = ledger.next_seq();
        let (status, seen) = watch::channel(ShipStatus {
            recorded,
            ..ShipStatus::default()
        });
        (
            Shipper {
                client,
                ledger: ledger.clone(),
                options,
                status,
            },
            seen,
        )
    }

    /// Ships until `stop` says true (or its sender is gone), then what is left, once. While the
    /// store fails, tries again with growing pauses.
    ///
    /// Dropping the future is safe at any point: whoever ships next asks the store.
    ///
    /// # Errors
    /// Only those that need somebody to look ([`Error::is_final`]), and whatever keeps the last
    /// records from being shipped at the end.
    pub async fn run(self, mut stop: watch::Receiver<bool>) -> Result<(), Error> {
        let (shortest, longest) = self.options.backoff;
        let mut pause = shortest;
        let stopped = async move { drop(stop.wait_for(|&stop| stop).await) };
        tokio::pin!(stopped);
        loop {
            let before = self.status.borrow().shipped;
            let error = tokio::select! {
                biased;
                () = &mut stopped => break,
                error = self.follow() => error,
            };
            if error.is_final() {
                return Err(error);
            }
            if self.status.borrow().shipped > before {
                pause = shortest;
            }
            tokio::select! {
                () = &mut stopped => break,
                () = tokio::time::sleep(pause) => {}
            }
            pause = longest.min(pause * 2);
        }
        self.catch_up_once().await.map(drop)
    }

    /// Ships what the ledger holds now and returns how many records that were.
    ///
    /// # Errors
    /// At the first failure; what was shipped before it stays.
    pub async fn catch_up_once(&self) -> Result<u64, Error> {
        let caught_up = async {
            let mut session = self.session().await?;
            let first = session.next_seq();
            session.ship_all(&self.status).await?;
            Ok(session.next_seq() - first)
        };
        self.noted(caught_up).await
    }

    /// Ships, and waits for more, until something fails.
    async fn follow(&self) -> Error {
        let followed = async {
            let mut session = self.session().await?;
            loop {
                session.ship_all(&self.status).await?;
                session.wait(self.options.linger).await;
            }
        };
        match self.noted::<std::convert::Infallible>(followed).await {
            Ok(never) => match never {},
            Err(error) => error,
        }
    }

    async fn session(&self) -> Result<Session, Error> {
        let session = Session::begin(&self.client, &self.ledger, self.options).await?;
        let (shipped, recorded) = (session.next_seq(), self.ledger.next_seq());
        self.status.send_modify(|status| {
            (status.shipped, status.recorded, status.failing) = (shipped, recorded, None);
        });
        Ok(session)
    }

    async fn noted<T>(&self, work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        // Boxed: sessions hold blocks of records.
        let result = Box::pin(work).await;
        if let Err(error) = &result {
            let (kind, recorded) = (error.kind(), self.ledger.next_seq());
            tracing::warn!(kind, error = %error, "records could not be shipped");
            self.status.send_modify(|status| {
                status.errors += 1;
                status.failing = Some(kind);
                status.recorded = recorded;
            });
        }
        result
    }
}
