use super::{Error, Period, in_period};
use crate::money::NanoUsd;
use clickhouse::{Client, Row};
use serde::Deserialize;

/// The SQL of [`charges`]. Its first `?` is an array: the prompt lengths at which context tiers
/// begin, so that all exchanges of a row were billed at the same rates.
pub const CHARGES_SQL: &str = concat!(
    "SELECT
    toInt64(toUnixTimestamp(toStartOfDay(started))) AS day_second,
    toString(team) AS team_name,
    toString(endpoint) AS endpoint_name,
    toString(jurisdiction) AS jurisdiction_code,
    toString(model) AS model_name,
    toString(price) AS price_name,
    simulated AS was_simulated,
    arrayCount(t -> input_tokens > t, ?) AS tier,
    count() AS exchanges,
    max(input_tokens) AS input_tokens_max,
    sum(input_tokens) AS input_tokens_total,
    sum(cache_read_tokens) AS cache_read_tokens_total,
    sum(cache_write_tokens) AS cache_write_tokens_total,
    sum(output_tokens) AS output_tokens_total,
    sum(reasoning_tokens) AS reasoning_tokens_total,
    sum(cost_nano_usd) AS spend
FROM exchanges
WHERE cost_standing = 'priced' AND ",
    in_period!(),
    "
GROUP BY day_second, team_name, endpoint_name, jurisdiction_code, model_name, price_name,
    was_simulated, tier
ORDER BY day_second, team_name, endpoint_name, jurisdiction_code, model_name, price_name,
    was_simulated, tier"
);

/// The priced exchanges of a day that were billed alike.
#[derive(Clone, Debug, Default, PartialEq, Row, Deserialize)]
pub struct ChargeRow {
    /// When the day began, UTC; seconds since the Unix epoch.
    pub day_second: i64,
    /// The team; may be empty.
    pub team_name: String,
    /// The endpoint.
    pub endpoint_name: String,
    /// Where it lies.
    pub jurisdiction_code: String,
    /// The model.
    pub model_name: String,
    /// The price book's entry.
    pub price_name: String,
    /// Whether it was simulated and never billed.
    pub was_simulated: bool,
    /// How many context tiers the prompts were beyond.
    pub tier: u32,
    /// How many exchanges.
    pub exchanges: u64,
    /// The longest prompt.
    pub input_tokens_max: u64,
    /// Input tokens; cache reads and writes are parts of them.
    pub input_tokens_total: u64,
    /// Input tokens read from a provider's cache.
    pub cache_read_tokens_total: u64,
    /// Input tokens written to a provider's cache.
    pub cache_write_tokens_total: u64,
    /// Output tokens; reasoning is part of them.
    pub output_tokens_total: u64,
    /// Reasoning tokens.
    pub reasoning_tokens_total: u64,
    /// What they cost.
    pub spend: NanoUsd,
}

/// Priced exchanges by day and by all that a bill tells apart. `tiers` are the prompt lengths at
/// which prices change.
pub async fn charges(
    client: &Client,
    period: Period,
    tiers: &[u64],
) -> Result<Vec<ChargeRow>, Error> {
    let asked = client
        .query(CHARGES_SQL)
        .bind(tiers)
        .bind(period.from.as_microsecond())
        .bind(period.to.as_microsecond())
        .fetch_all();
    asked.await.map_err(|source| Error::Store {
        question: "charges",
        source,
    })
}
