use super::{Error, Period, in_period, rows};
use clickhouse::{Client, Row};
use serde::Deserialize;

/// What one rule of the policy decided.
#[derive(Clone, Debug, Default, PartialEq, Row, Deserialize)]
pub struct DecisionRow {
    /// The rule's id; empty when no rule was reached.
    pub rule: String,
    /// Its effect: `permit`, `redact`, `local`, `block`.
    pub effect: String,
    /// The rule's own reason.
    pub reason: String,
    /// Exchanges that it decided.
    pub exchanges: u64,
    /// Of those, how many had a simulated endpoint.
    pub simulated_exchanges: u64,
    /// Findings in those exchanges.
    pub findings_total: u64,
    /// The policy files it stood in: first 16 hex digits of each SHA-256, sorted.
    pub policies: Vec<String>,
}

/// The SQL of [`decisions`].
pub const DECISIONS_SQL: &str = concat!(
    "SELECT
    rule,
    effect,
    reason,
    count() AS exchanges,
    countIf(simulated) AS simulated_exchanges,
    sum(arraySum(mapValues(findings))) AS findings_total,
    arraySort(groupUniqArray(toString(policy))) AS policies
FROM exchanges
WHERE ",
    in_period!(),
    "
GROUP BY rule, effect, reason
ORDER BY exchanges DESC, rule, effect, reason"
);

/// Decisions by rule, most frequent first. Every exchange is in exactly one row.
pub async fn decisions(client: &Client, period: Period) -> Result<Vec<DecisionRow>, Error> {
    rows(client, "decisions", DECISIONS_SQL, period).await
}
