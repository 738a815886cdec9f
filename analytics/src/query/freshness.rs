use super::Error;
use clickhouse::{Client, Row};
use jiff::Timestamp;
use serde::Deserialize;

/// How far the store has followed the ledger.
#[derive(Clone, Debug, Default, PartialEq, Row, Deserialize)]
pub struct Freshness {
    /// Records held.
    pub records: u64,
    /// The highest ledger sequence number held; absent when the store is empty.
    pub last_seq: Option<u64>,
    /// When the newest exchange started, in microseconds since the Unix epoch; absent when the
    /// store is empty.
    pub last_started_us: Option<i64>,
}

impl Freshness {
    /// When the newest exchange started.
    pub fn last_started(&self) -> Option<Timestamp> {
        self.last_started_us
            .and_then(|us| Timestamp::from_microsecond(us).ok())
    }
}

/// The SQL of [`freshness`].
pub const FRESHNESS_SQL: &str = "SELECT
    count() AS records,
    maxOrNull(seq) AS last_seq,
    maxOrNull(toUnixTimestamp64Micro(started)) AS last_started_us
FROM exchanges";

/// How far the store has followed the ledger.
pub async fn freshness(client: &Client) -> Result<Freshness, Error> {
    client
        .query(FRESHNESS_SQL)
        .fetch_one()
        .await
        .map_err(|source| Error::Store {
            question: "freshness",
            source,
        })
}
