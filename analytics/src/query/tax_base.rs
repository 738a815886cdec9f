use super::{Error, Percentiles, Period, in_period, row};
use clickhouse::{Client, Row};
use serde::Deserialize;

/// The measured quantities that the compliance tax is computed from, over one period.
#[derive(Clone, Debug, Default, PartialEq, Row, Deserialize)]
pub struct TaxBase {
    /// All exchanges.
    pub exchanges: u64,
    /// Those with a simulated endpoint.
    pub simulated_exchanges: u64,
    /// Those that were sent anywhere.
    pub routed: u64,
    /// Those that were sent to an on-prem endpoint.
    pub on_prem_exchanges: u64,
    /// Those that policy kept in.
    pub blocked: u64,
    /// Those that consumed tokens and could not be priced.
    pub unpriced: u64,
    /// Those that consumed tokens billed by the token: priced and unpriced.
    pub billed: u64,
    /// CPU time of inspection over all exchanges; microseconds.
    pub inspect_cpu_us_total: u64,
    /// What the gate added before sending, over routed exchanges; microseconds.
    pub gate_us_percentiles: Percentiles,
    /// The gate's time and the whole time, summed over routed and answered exchanges;
    /// microseconds.
    pub answered_gate_us_total: u64,
    /// See `answered_gate_us_total`.
    pub answered_total_us_total: u64,
    /// Exchanges sent to an external endpoint with findings replaced.
    pub redacted_sent: u64,
    /// Bytes that those requests had when they came; and when they left.
    pub redacted_request_bytes: u64,
    /// See `redacted_request_bytes`.
    pub redacted_upstream_bytes: u64,
    /// Input tokens that external providers told (not estimated), and the request bytes that
    /// they were told for: their ratio turns bytes into tokens.
    pub told_input_tokens: u64,
    /// See `told_input_tokens`.
    pub told_upstream_bytes: u64,
}

/// The SQL of [`tax_base`].
pub const TAX_BASE_SQL: &str = concat!(
    "WITH
    endpoint != '' AND outcome = 'answered' AS was_answered,
    endpoint != '' AND NOT on_prem AND replaced > 0 AND upstream_bytes > 0 AS was_redacted,
    endpoint != '' AND NOT on_prem AND usage_known AND NOT usage_estimated
        AND upstream_bytes > 0 AND input_tokens > 0 AS was_told
SELECT
    count() AS exchanges,
    countIf(simulated) AS simulated_exchanges,
    countIf(endpoint != '') AS routed,
    countIf(on_prem) AS on_prem_exchanges,
    countIf(outcome = 'blocked') AS blocked,
    countIf(cost_standing = 'unpriced') AS unpriced,
    countIf(cost_standing IN ('priced', 'unpriced')) AS billed,
    sum(inspect_cpu_us) AS inspect_cpu_us_total,
    tuple(
        quantileExactIf(0.5)(gate_us, endpoint != ''),
        quantileExactIf(0.95)(gate_us, endpoint != ''),
        quantileExactIf(0.99)(gate_us, endpoint != '')) AS gate_us_percentiles,
    sumIf(gate_us, was_answered) AS answered_gate_us_total,
    sumIf(total_us, was_answered) AS answered_total_us_total,
    countIf(was_redacted) AS redacted_sent,
    sumIf(request_bytes, was_redacted) AS redacted_request_bytes,
    sumIf(upstream_bytes, was_redacted) AS redacted_upstream_bytes,
    sumIf(input_tokens, was_told) AS told_input_tokens,
    sumIf(upstream_bytes, was_told) AS told_upstream_bytes
FROM exchanges
WHERE ",
    in_period!()
);

/// The measured part of the compliance tax; all zeros when nothing happened in the period.
pub async fn tax_base(client: &Client, period: Period) -> Result<TaxBase, Error> {
    row(client, "compliance tax", TAX_BASE_SQL, period).await
}
