use super::{Error, Period, in_period, rows};
use crate::money::NanoUsd;
use clickhouse::{Client, Row};
use serde::Deserialize;

/// What one team used within one calendar month of UTC, and what that cost.
#[derive(Clone, Debug, Default, PartialEq, Row, Deserialize)]
pub struct MonthRow {
    /// The month, `2026-11`. Only what is within the period is counted, so that the first and the
    /// last may be parts of months.
    pub month: String,
    /// The team; may be empty.
    #[serde(rename = "team_name")]
    pub team: String,
    /// All exchanges.
    pub exchanges: u64,
    /// Those with a simulated endpoint.
    pub simulated_exchanges: u64,
    /// What the priced exchanges cost, simulated ones included.
    pub spend: NanoUsd,
    /// The part of `spend` that is simulated and was never billed.
    pub simulated_spend: NanoUsd,
    /// Exchanges whose cost is not in `spend` because it could not be priced.
    pub unpriced: u64,
}

/// The SQL of [`months`].
pub const MONTHS_SQL: &str = concat!(
    "SELECT
    formatDateTime(toStartOfMonth(started), '%Y-%m') AS month,
    toString(team) AS team_name,
    count() AS exchanges,
    countIf(simulated) AS simulated_exchanges,
    sumIf(cost_nano_usd, cost_standing = 'priced') AS spend,
    sumIf(cost_nano_usd, cost_standing = 'priced' AND simulated) AS simulated_spend,
    countIf(cost_standing = 'unpriced') AS unpriced
FROM exchanges
WHERE ",
    in_period!(),
    "
GROUP BY month, team_name
ORDER BY month, spend DESC, exchanges DESC, team_name"
);

/// Spend by month and team, oldest month first. Every exchange is in exactly one row; months without
/// any are absent.
pub async fn months(client: &Client, period: Period) -> Result<Vec<MonthRow>, Error> {
    rows(client, "months", MONTHS_SQL, period).await
}
