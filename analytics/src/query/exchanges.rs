use super::Error;
use crate::money::NanoUsd;
use clickhouse::{Client, Row};
use jiff::Timestamp;
use serde::Deserialize;
use std::collections::BTreeMap;
use uuid::Uuid;

/// One exchange with all its columns; the meaning of each is that of the field of the same name
/// in [`crate::record::Record`].
#[derive(Clone, Debug, PartialEq, Row, Deserialize)]
#[allow(missing_docs, reason = "one meaning, written once, in crate::record")]
pub struct Exchange {
    /// Its place in the ledger.
    pub seq: u64,
    #[serde(with = "clickhouse::serde::uuid")]
    pub exchange: Uuid,
    pub started_us: i64,
    pub caller: String,
    pub team: String,
    pub wire: String,
    pub operation: String,
    pub stream: bool,
    pub model: String,
    /// Empty when the exchange went nowhere, as are the other columns of the route.
    pub endpoint: String,
    pub jurisdiction: String,
    pub transfer_basis: String,
    pub on_prem: bool,
    pub simulated: bool,
    pub effect: String,
    pub rule: String,
    pub reason: String,
    pub policy: String,
    pub findings: BTreeMap<String, u32>,
    pub replaced: u32,
    pub restored: u32,
    pub outcome: String,
    pub error: String,
    pub status: u16,
    pub request_bytes: u64,
    pub upstream_bytes: u64,
    pub response_bytes: u64,
    /// Whether the token counts mean anything.
    pub usage_known: bool,
    pub usage_estimated: bool,
    pub input_tokens: u64,
    pub cache_read_tokens: u64,
    pub cache_write_tokens: u64,
    pub output_tokens: u64,
    pub reasoning_tokens: u64,
    /// `priced`, `unpriced` or `free`.
    pub cost_standing: String,
    /// Means something only where `cost_standing` is `priced`: use [`Exchange::cost`].
    pub cost_nano_usd: NanoUsd,
    pub price: String,
    pub cost_missing: String,
    pub total_us: u64,
    pub gate_us: u64,
    pub inspect_cpu_us: u64,
    pub upstream_first_byte_us: u64,
}

impl Exchange {
    /// When the request's head had been read.
    pub fn started(&self) -> Timestamp {
        Timestamp::from_microsecond(self.started_us).unwrap_or_default()
    }

    /// What its tokens cost, if it was priced.
    pub fn cost(&self) -> Option<NanoUsd> {
        (self.cost_standing == "priced").then_some(self.cost_nano_usd)
    }

    /// Findings of all labels.
    pub fn findings_total(&self) -> u64 {
        self.findings.values().map(|n| u64::from(*n)).sum()
    }
}

/// Which exchanges to list, by ledger sequence number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cursor {
    /// The newest.
    Newest,
    /// The newest of those before this one: the next page back.
    Before(u64),
    /// The newest of those after this one: what came since.
    After(u64),
}

macro_rules! columns {
    () => {
        "seq, exchange, toUnixTimestamp64Micro(started) AS started_us, caller, team, wire,
    operation, stream, model, endpoint, jurisdiction, transfer_basis, on_prem, simulated,
    effect, rule, reason, policy, findings, replaced, restored, outcome, error, status,
    request_bytes, upstream_bytes, response_bytes, usage_known, usage_estimated,
    input_tokens, cache_read_tokens, cache_write_tokens, output_tokens, reasoning_tokens,
    cost_standing, cost_nano_usd, price, cost_missing, total_us, gate_us, inspect_cpu_us,
    upstream_first_byte_us"
    };
}

/// The SQL of [`latest`]; its `?` are the first sequence number, the one after the last, and the
/// number of rows.
pub const LATEST_SQL: &str = concat!(
    "SELECT
    ",
    columns!(),
    "
FROM exchanges
WHERE seq >= ? AND seq < ?
ORDER BY seq DESC
LIMIT ?"
);

/// At most `limit` exchanges at the cursor, newest first.
pub async fn latest(client: &Client, cursor: Cursor, limit: u32) -> Result<Vec<Exchange>, Error> {
    let (from, to) = match cursor {
        Cursor::Newest => (0, u64::MAX),
        Cursor::Before(seq) => (0, seq),
        Cursor::After(seq) => (seq.saturating_add(1), u64::MAX),
    };
    client
        .query(LATEST_SQL)
        .bind(from)
        .bind(to)
        .bind(limit)
        .fetch_all()
        .await
        .map_err(|source| Error::Store {
            question: "latest exchanges",
            source,
        })
}

/// The SQL of [`exchange`]; its `?` is the exchange's id.
pub const EXCHANGE_SQL: &str = concat!(
    "SELECT
    ",
    columns!(),
    "
FROM exchanges
WHERE exchange = toUUID(?)
LIMIT 1"
);

/// One exchange by the id that its caller got in the `tollgate-exchange` header, if the store has
/// it (it may not have followed the ledger that far yet).
pub async fn exchange(client: &Client, id: Uuid) -> Result<Option<Exchange>, Error> {
    client
        .query(EXCHANGE_SQL)
        .bind(id.to_string())
        .fetch_optional()
        .await
        .map_err(|source| Error::Store {
            question: "exchange",
            source,
        })
}
