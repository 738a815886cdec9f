use super::{Error, Period, in_period, rows};
use crate::money::NanoUsd;
use clickhouse::{Client, Row};
use serde::Deserialize;

/// By what spend is grouped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpendBy {
    /// The team that the caller's key belongs to.
    Team,
    /// The model.
    Model,
    /// The endpoint; empty for exchanges that went nowhere.
    Endpoint,
}

impl SpendBy {
    /// The SQL of [`spend`] with this grouping.
    pub fn sql(self) -> &'static str {
        match self {
            SpendBy::Team => spend_sql!("team"),
            SpendBy::Model => spend_sql!("model"),
            SpendBy::Endpoint => spend_sql!("endpoint"),
        }
    }

    /// The column's name, for people: `team`, `model`, `endpoint`.
    pub fn name(self) -> &'static str {
        match self {
            SpendBy::Team => "team",
            SpendBy::Model => "model",
            SpendBy::Endpoint => "endpoint",
        }
    }
}

macro_rules! spend_sql {
    ($column:literal) => {
        concat!(
            "SELECT
    toString(",
            $column,
            ") AS name,
    count() AS exchanges,
    countIf(simulated) AS simulated_exchanges,
    sumIf(input_tokens, usage_known) AS input_tokens_total,
    sumIf(cache_read_tokens, usage_known) AS cache_read_tokens_total,
    sumIf(cache_write_tokens, usage_known) AS cache_write_tokens_total,
    sumIf(output_tokens, usage_known) AS output_tokens_total,
    sumIf(cost_nano_usd, cost_standing = 'priced') AS spend,
    sumIf(cost_nano_usd, cost_standing = 'priced' AND simulated) AS simulated_spend,
    countIf(cost_standing = 'priced') AS priced,
    countIf(cost_standing = 'unpriced') AS unpriced,
    countIf(cost_standing = 'free') AS free
FROM exchanges
WHERE ",
            in_period!(),
            "
GROUP BY name
ORDER BY spend DESC, exchanges DESC, name"
        )
    };
}
use spend_sql;

/// What one team, model or endpoint used and what that cost.
#[derive(Clone, Debug, Default, PartialEq, Row, Deserialize)]
pub struct SpendRow {
    /// The team, model or endpoint; may be empty (no team, sent nowhere).
    pub name: String,
    /// All exchanges.
    pub exchanges: u64,
    /// Those with a simulated endpoint.
    pub simulated_exchanges: u64,
    /// Input tokens where known; cache reads and writes are parts of them.
    pub input_tokens_total: u64,
    /// Input tokens read from a provider's cache.
    pub cache_read_tokens_total: u64,
    /// Input tokens written to a provider's cache.
    pub cache_write_tokens_total: u64,
    /// Output tokens where known.
    pub output_tokens_total: u64,
    /// What the priced exchanges cost, simulated ones included.
    pub spend: NanoUsd,
    /// The part of `spend` that is simulated and was never billed.
    pub simulated_spend: NanoUsd,
    /// Exchanges priced from the book.
    pub priced: u64,
    /// Exchanges whose cost is not in `spend` because it could not be priced.
    pub unpriced: u64,
    /// Exchanges that consumed nothing billed by the token.
    pub free: u64,
}

/// Spend by team, model or endpoint, dearest first. Every exchange is in exactly one row.
pub async fn spend(client: &Client, period: Period, by: SpendBy) -> Result<Vec<SpendRow>, Error> {
    rows(client, "spend", by.sql(), period).await
}

/// Exchanges that could not be priced, and why.
#[derive(Clone, Debug, Default, PartialEq, Row, Deserialize)]
pub struct UnpricedRow {
    /// The model asked for.
    pub model_name: String,
    /// What was missing: `model`, `usage`, `price`.
    pub missing: String,
    /// How many.
    pub exchanges: u64,
    /// Of those, how many were simulated.
    pub simulated_exchanges: u64,
}

/// The SQL of [`unpriced`].
pub const UNPRICED_SQL: &str = concat!(
    "SELECT
    toString(model) AS model_name,
    toString(cost_missing) AS missing,
    count() AS exchanges,
    countIf(simulated) AS simulated_exchanges
FROM exchanges
WHERE cost_standing = 'unpriced' AND ",
    in_period!(),
    "
GROUP BY model_name, missing
ORDER BY exchanges DESC, model_name, missing"
);

/// Exchanges that could not be priced, by model and by what was missing.
pub async fn unpriced(client: &Client, period: Period) -> Result<Vec<UnpricedRow>, Error> {
    rows(client, "unpriced", UNPRICED_SQL, period).await
}
