use super::{Error, Period, in_period, row};
use crate::money::NanoUsd;
use clickhouse::{Client, Row};
use serde::Deserialize;

/// The totals of a period.
///
/// *External* means: sent to an endpoint that is not on-prem. *Routed* means: sent anywhere.
#[derive(Clone, Debug, Default, PartialEq, Row, Deserialize)]
pub struct Overview {
    /// All exchanges.
    pub exchanges: u64,
    /// Those with a simulated endpoint.
    pub simulated_exchanges: u64,
    /// Those that went to an external endpoint.
    pub external_exchanges: u64,
    /// Those that went to an on-prem endpoint.
    pub on_prem_exchanges: u64,

    // By outcome; these six add up to `exchanges`.
    /// The upstream's answer reached the caller.
    pub answered: u64,
    /// Policy kept it in.
    pub blocked: u64,
    /// Malformed, too large, not inspectable, unauthenticated.
    pub refused: u64,
    /// The upstream failed.
    pub upstream_error: u64,
    /// The caller left first.
    pub cancelled: u64,
    /// The gate failed closed.
    pub failed: u64,

    // By effect; these four add up to `exchanges`.
    /// Sent as it came.
    pub effect_permit: u64,
    /// Sent with placeholders.
    pub effect_redact: u64,
    /// Sent on-prem only.
    pub effect_local: u64,
    /// Sent nowhere.
    pub effect_block: u64,

    /// Findings of all labels.
    pub findings_total: u64,
    /// Exchanges with at least one finding.
    pub exchanges_with_findings: u64,
    /// Findings replaced before the request left.
    pub replaced_total: u64,
    /// Placeholders restored in answers.
    pub restored_total: u64,
    /// Findings in external exchanges that were not replaced: personal data that left in clear,
    /// because the policy allows it.
    pub findings_left_in_clear: u64,

    /// Exchanges with known token counts.
    pub usage_known_exchanges: u64,
    /// Of those, how many were counted by us and not told by the provider.
    pub usage_estimated_exchanges: u64,
    /// Input tokens (cache reads and writes are parts of them).
    pub input_tokens_total: u64,
    /// Input tokens read from a provider's cache.
    pub cache_read_tokens_total: u64,
    /// Input tokens written to a provider's cache.
    pub cache_write_tokens_total: u64,
    /// Output tokens (reasoning is part of them).
    pub output_tokens_total: u64,

    /// What the priced exchanges cost, simulated ones included.
    pub spend: NanoUsd,
    /// The part of `spend` that is simulated and was never billed.
    pub simulated_spend: NanoUsd,
    /// Exchanges priced from the book. The three standings add up to `exchanges`.
    pub priced: u64,
    /// Exchanges that consumed tokens and could not be priced: `spend` does not hold their cost.
    pub unpriced: u64,
    /// Exchanges that consumed nothing that is billed by the token.
    pub free: u64,

    /// What the gate added before the request went upstream, over routed exchanges; microseconds.
    pub gate_us_percentiles: Percentiles,
    /// From head read to last byte sent, over routed and answered exchanges; microseconds.
    pub total_us_percentiles: Percentiles,
    /// CPU time of inspection over all exchanges; microseconds.
    pub inspect_cpu_us_total: u64,
}

/// Exact percentiles (not approximations) of one quantity; all 0 when there was nothing to rank.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "(u64, u64, u64)")]
pub struct Percentiles {
    /// Half are at or below.
    pub p50: u64,
    /// 95 in 100 are at or below.
    pub p95: u64,
    /// 99 in 100 are at or below.
    pub p99: u64,
}

impl From<(u64, u64, u64)> for Percentiles {
    fn from((p50, p95, p99): (u64, u64, u64)) -> Self {
        Percentiles { p50, p95, p99 }
    }
}

/// The SQL of [`overview`].
pub const OVERVIEW_SQL: &str = concat!(
    "SELECT
    count() AS exchanges,
    countIf(simulated) AS simulated_exchanges,
    countIf(endpoint != '' AND NOT on_prem) AS external_exchanges,
    countIf(on_prem) AS on_prem_exchanges,
    countIf(outcome = 'answered') AS answered,
    countIf(outcome = 'blocked') AS blocked,
    countIf(outcome = 'refused') AS refused,
    countIf(outcome = 'upstream_error') AS upstream_error,
    countIf(outcome = 'cancelled') AS cancelled,
    countIf(outcome = 'failed') AS failed,
    countIf(effect = 'permit') AS effect_permit,
    countIf(effect = 'redact') AS effect_redact,
    countIf(effect = 'local') AS effect_local,
    countIf(effect = 'block') AS effect_block,
    sum(arraySum(mapValues(findings))) AS findings_total,
    countIf(length(findings) > 0) AS exchanges_with_findings,
    sum(replaced) AS replaced_total,
    sum(restored) AS restored_total,
    toUInt64(sumIf(
        greatest(toInt64(arraySum(mapValues(findings))) - toInt64(replaced), 0),
        endpoint != '' AND NOT on_prem)) AS findings_left_in_clear,
    countIf(usage_known) AS usage_known_exchanges,
    countIf(usage_known AND usage_estimated) AS usage_estimated_exchanges,
    sumIf(input_tokens, usage_known) AS input_tokens_total,
    sumIf(cache_read_tokens, usage_known) AS cache_read_tokens_total,
    sumIf(cache_write_tokens, usage_known) AS cache_write_tokens_total,
    sumIf(output_tokens, usage_known) AS output_tokens_total,
    sumIf(cost_nano_usd, cost_standing = 'priced') AS spend,
    sumIf(cost_nano_usd, cost_standing = 'priced' AND simulated) AS simulated_spend,
    countIf(cost_standing = 'priced') AS priced,
    countIf(cost_standing = 'unpriced') AS unpriced,
    countIf(cost_standing = 'free') AS free,
    tuple(
        quantileExactIf(0.5)(gate_us, endpoint != ''),
        quantileExactIf(0.95)(gate_us, endpoint != ''),
        quantileExactIf(0.99)(gate_us, endpoint != '')) AS gate_us_percentiles,
    tuple(
        quantileExactIf(0.5)(total_us, endpoint != '' AND outcome = 'answered'),
        quantileExactIf(0.95)(total_us, endpoint != '' AND outcome = 'answered'),
        quantileExactIf(0.99)(total_us, endpoint != '' AND outcome = 'answered')
    ) AS total_us_percentiles,
    sum(inspect_cpu_us) AS inspect_cpu_us_total
FROM exchanges
WHERE ",
    in_period!()
);

/// The totals of `period`; all zeros when nothing happened in it.
pub async fn overview(client: &Client, period: Period) -> Result<Overview, Error> {
    row(client, "overview", OVERVIEW_SQL, period).await
}
