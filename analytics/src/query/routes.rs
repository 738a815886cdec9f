use super::{Error, Period, in_period, rows};
use crate::money::NanoUsd;
use clickhouse::{Client, Row};
use serde::Deserialize;

/// One way that exchanges took: an endpoint as it was configured at the time.
#[derive(Clone, Debug, Default, PartialEq, Row, Deserialize)]
pub struct RouteRow {
    /// The endpoint's configured name.
    pub endpoint: String,
    /// Whose law it is under: ISO 3166-1 alpha-2, `EU`, or empty for on-prem.
    pub jurisdiction: String,
    /// The transfer basis configured, or empty.
    pub transfer_basis: String,
    /// Whether the endpoint is under our own control.
    pub on_prem: bool,
    /// Whether the endpoint is a simulation.
    pub simulated: bool,
    /// Exchanges that took this way.
    pub exchanges: u64,
    /// Bytes of request bodies sent there.
    pub upstream_bytes_total: u64,
    /// Findings that went there without being replaced.
    pub findings_in_clear: u64,
    /// Input tokens, where known.
    pub input_tokens_total: u64,
    /// Output tokens, where known.
    pub output_tokens_total: u64,
    /// What the priced exchanges cost.
    pub spend: NanoUsd,
    /// Input and output tokens of the exchanges that make `spend`.
    pub priced_tokens_total: u64,
    /// Exchanges that could not be priced.
    pub unpriced: u64,
    /// 95th percentile from head read to last byte sent, over answered exchanges; microseconds.
    pub total_us_p95: u64,
}

/// The SQL of [`routes`].
pub const ROUTES_SQL: &str = concat!(
    "SELECT
    endpoint,
    jurisdiction,
    transfer_basis,
    on_prem,
    simulated,
    count() AS exchanges,
    sum(upstream_bytes) AS upstream_bytes_total,
    toUInt64(sum(greatest(toInt64(arraySum(mapValues(findings))) - toInt64(replaced), 0)))
        AS findings_in_clear,
    sumIf(input_tokens, usage_known) AS input_tokens_total,
    sumIf(output_tokens, usage_known) AS output_tokens_total,
    sumIf(cost_nano_usd, cost_standing = 'priced') AS spend,
    sumIf(input_tokens + output_tokens, cost_standing = 'priced') AS priced_tokens_total,
    countIf(cost_standing = 'unpriced') AS unpriced,
    quantileExactIf(0.95)(total_us, outcome = 'answered') AS total_us_p95
FROM exchanges
WHERE endpoint != '' AND ",
    in_period!(),
    "
GROUP BY endpoint, jurisdiction, transfer_basis, on_prem, simulated
ORDER BY exchanges DESC, endpoint, jurisdiction, transfer_basis, on_prem, simulated"
);

/// Where exchanges went, busiest first. Those that went nowhere are in none.
pub async fn routes(client: &Client, period: Period) -> Result<Vec<RouteRow>, Error> {
    rows(client, "routes", ROUTES_SQL, period).await
}
