use super::{Error, Period, in_period, row};
use crate::money::NanoUsd;
use clickhouse::{Client, Row};
use serde::Deserialize;

/// The traffic that an own model would have to answer: exchanges with known token counts, on
/// whatever endpoint.
///
/// The classes of length are those of the measured GPU throughputs: *short* is at most 512 tokens
/// in all, *long* more than 4,096 input tokens, *prompt-heavy* at least four input tokens for each
/// output token, *balanced* the rest.
#[derive(Clone, Debug, Default, PartialEq, Row, Deserialize)]
pub struct DemandBase {
    /// Exchanges with known token counts.
    pub exchanges: u64,
    /// Those with a simulated endpoint.
    pub simulated_exchanges: u64,
    /// When the first of them began; microseconds since the Unix epoch, 0 without any.
    pub first_started_us: i64,
    /// Input tokens.
    pub input_tokens: u64,
    /// Input tokens read from a provider's cache.
    pub cache_read_tokens: u64,
    /// Output tokens.
    pub output_tokens: u64,
    /// Tokens in and out that on-prem endpoints answered.
    pub on_prem_tokens: u64,
    /// Tokens in and out of short exchanges. The four classes add up to all tokens.
    pub short_tokens: u64,
    /// Of prompt-heavy ones.
    pub prompt_heavy_tokens: u64,
    /// Of balanced ones.
    pub balanced_tokens: u64,
    /// Of long ones.
    pub long_tokens: u64,
    /// Tokens in and out of the busiest hour.
    pub busiest_hour_tokens: u64,
    /// Input tokens of the exchanges that were priced.
    pub priced_input_tokens: u64,
    /// Of those, read from a cache.
    pub priced_cache_read_tokens: u64,
    /// Output tokens of the exchanges that were priced.
    pub priced_output_tokens: u64,
    /// What those cost.
    pub spend: NanoUsd,
}

/// The SQL of [`demand`].
pub const DEMAND_SQL: &str = concat!(
    "WITH
    input_tokens + output_tokens AS tokens,
    multiIf(
        tokens <= 512, 'short',
        input_tokens > 4096, 'long',
        output_tokens * 4 <= input_tokens, 'prompt-heavy',
        'balanced') AS length,
    cost_standing = 'priced' AS was_priced
SELECT
    sum(n) AS exchanges,
    sum(n_simulated) AS simulated_exchanges,
    minIf(first_us, n > 0) AS first_started_us,
    sum(input) AS input_tokens,
    sum(cached) AS cache_read_tokens,
    sum(output) AS output_tokens,
    sum(local) AS on_prem_tokens,
    sum(short) AS short_tokens,
    sum(prompt_heavy) AS prompt_heavy_tokens,
    sum(balanced) AS balanced_tokens,
    sum(long) AS long_tokens,
    max(input + output) AS busiest_hour_tokens,
    sum(priced_input) AS priced_input_tokens,
    sum(priced_cached) AS priced_cache_read_tokens,
    sum(priced_output) AS priced_output_tokens,
    sum(cost) AS spend
FROM
(
    SELECT
        toStartOfHour(started) AS hour,
        count() AS n,
        countIf(simulated) AS n_simulated,
        toUnixTimestamp64Micro(min(started)) AS first_us,
        sum(e.input_tokens) AS input,
        sum(e.cache_read_tokens) AS cached,
        sum(e.output_tokens) AS output,
        sumIf(tokens, on_prem) AS local,
        sumIf(tokens, length = 'short') AS short,
        sumIf(tokens, length = 'prompt-heavy') AS prompt_heavy,
        sumIf(tokens, length = 'balanced') AS balanced,
        sumIf(tokens, length = 'long') AS long,
        sumIf(e.input_tokens, was_priced) AS priced_input,
        sumIf(e.cache_read_tokens, was_priced) AS priced_cached,
        sumIf(e.output_tokens, was_priced) AS priced_output,
        sumIf(cost_nano_usd, was_priced) AS cost
    FROM exchanges AS e
    WHERE usage_known AND endpoint != '' AND ",
    in_period!(),
    "
    GROUP BY hour
)"
);

/// The traffic of `period` to plan by; all zeros when there was none.
pub async fn demand(client: &Client, period: Period) -> Result<DemandBase, Error> {
    row(client, "demand", DEMAND_SQL, period).await
}
