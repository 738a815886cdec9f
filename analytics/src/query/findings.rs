use super::{Error, Period, in_period, rows};
use clickhouse::{Client, Row};
use serde::Deserialize;

/// The findings of one entity label.
#[derive(Clone, Debug, Default, PartialEq, Row, Deserialize)]
pub struct FindingRow {
    /// The entity label (`PERSON`, `IBAN`, …).
    pub label: String,
    /// How many were found; the four by effect add up to it.
    pub found: u64,
    /// In how many exchanges.
    pub exchanges: u64,
    /// Of `found`, how many were in simulated exchanges.
    pub simulated_found: u64,
    /// Of `found`, how many were in exchanges sent as they came.
    pub in_permitted: u64,
    /// … in exchanges sent with placeholders.
    pub in_redacted: u64,
    /// … in exchanges kept on-prem.
    pub in_local: u64,
    /// … in exchanges sent nowhere.
    pub in_blocked: u64,
}

/// The SQL of [`findings`].
pub const FINDINGS_SQL: &str = concat!(
    "SELECT
    toString(key) AS label,
    sum(toUInt64(n)) AS found,
    count() AS exchanges,
    sumIf(toUInt64(n), simulated) AS simulated_found,
    sumIf(toUInt64(n), effect = 'permit') AS in_permitted,
    sumIf(toUInt64(n), effect = 'redact') AS in_redacted,
    sumIf(toUInt64(n), effect = 'local') AS in_local,
    sumIf(toUInt64(n), effect = 'block') AS in_blocked
FROM exchanges
ARRAY JOIN mapKeys(findings) AS key, mapValues(findings) AS n
WHERE ",
    in_period!(),
    "
GROUP BY label
ORDER BY found DESC, label"
);

/// Findings by entity label, most frequent first.
pub async fn findings(client: &Client, period: Period) -> Result<Vec<FindingRow>, Error> {
    rows(client, "findings", FINDINGS_SQL, period).await
}
