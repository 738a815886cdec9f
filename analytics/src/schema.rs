//! A record as a row of the table `exchanges`.

use crate::record::{Cost, Record};
use clickhouse::Row;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::BTreeMap;
use uuid::Uuid;

/// The table's name.
pub const TABLE: &str = "exchanges";

/// A row of [`TABLE`], column by column; what each means is said at the field of the same name in
/// [`crate::record::Record`], and in the migrations.
#[derive(Clone, Debug, PartialEq, Row, Serialize, Deserialize)]
#[allow(missing_docs, reason = "one meaning, written once, in crate::record")]
pub struct ExchangeRow<'a> {
    /// Its place in the ledger.
    pub seq: u64,
    #[serde(with = "clickhouse::serde::uuid")]
    pub exchange: Uuid,
    /// Microseconds since the Unix epoch.
    pub started: i64,
    pub caller: &'a str,
    pub team: &'a str,
    pub wire: &'a str,
    pub operation: &'a str,
    pub stream: bool,
    pub model: &'a str,
    pub endpoint: &'a str,
    pub jurisdiction: &'a str,
    pub transfer_basis: &'a str,
    pub on_prem: bool,
    pub simulated: bool,
    pub effect: &'a str,
    pub rule: &'a str,
    pub reason: &'a str,
    pub policy: &'a str,
    pub findings: Cow<'a, BTreeMap<String, u32>>,
    pub replaced: u32,
    pub restored: u32,
    pub outcome: &'a str,
    pub error: &'a str,
    pub status: u16,
    pub request_bytes: u64,
    pub upstream_bytes: u64,
    pub response_bytes: u64,
    pub usage_known: bool,
    pub usage_estimated: bool,
    pub input_tokens: u64,
    pub cache_read_tokens: u64,
    pub cache_write_tokens: u64,
    pub output_tokens: u64,
    pub reasoning_tokens: u64,
    /// `priced`, `unpriced` or `free`.
    pub cost_standing: &'a str,
    pub cost_nano_usd: i64,
    pub price: &'a str,
    pub cost_missing: &'a str,
    pub total_us: u64,
    pub gate_us: u64,
    pub inspect_cpu_us: u64,
    pub upstream_first_byte_us: u64,
}

impl<'a> ExchangeRow<'a> {
    /// The row of the record with sequence number `seq`.
    pub fn new(seq: u64, record: &'a Record) -> ExchangeRow<'a> {
        let route = record.route.as_ref();
        let usage = record.usage.unwrap_or_default();
        let (cost_standing, cost_nano_usd, price, cost_missing) = match &record.cost {
            Cost::Priced { nano_usd, price } => ("priced", *nano_usd, price.as_str(), ""),
            Cost::Unpriced { missing } => ("unpriced", 0, "", missing.as_str()),
            Cost::Free => ("free", 0, "", ""),
        };
        ExchangeRow {
            seq,
            exchange: record.exchange,
            started: record.started_us,
            caller: &record.caller,
            team: &record.team,
            wire: &record.wire,
            operation: &record.operation,
            stream: record.stream,
            model: &record.model,
            endpoint: route.map_or("", |route| &route.endpoint),
            jurisdiction: route.map_or("", |route| &route.jurisdiction),
            transfer_basis: route.map_or("", |route| &route.transfer_basis),
            on_prem: route.is_some_and(|route| route.on_prem),
            simulated: route.is_some_and(|route| route.simulated),
            effect: record.decision.effect.as_str(),
            rule: &record.decision.rule,
            reason: &record.decision.reason,
            policy: &record.decision.policy,
            findings: Cow::Borrowed(&record.findings),
            replaced: record.replaced,
            restored: record.restored,
            outcome: record.outcome.as_str(),
            error: &record.error,
            status: record.status,
            request_bytes: record.request_bytes,
            upstream_bytes: record.upstream_bytes,
            response_bytes: record.response_bytes,
            usage_known: record.usage.is_some(),
            usage_estimated: usage.estimated,
            input_tokens: usage.input,
            cache_read_tokens: usage.cache_read,
            cache_write_tokens: usage.cache_write,
            output_tokens: usage.output,
            reasoning_tokens: usage.reasoning,
            cost_standing,
            cost_nano_usd,
            price,
            cost_missing,
            total_us: record.timing.total_us,
            gate_us: record.timing.gate_us,
            inspect_cpu_us: record.timing.inspect_cpu_us,
            upstream_first_byte_us: record.timing.upstream_first_byte_us,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::tests::sample;

    #[test]
    fn an_exchange_that_went_nowhere_has_empty_columns_and_no_zero_cost() {
        let mut record = sample(1);
        record.usage = None;
        record.cost = Cost::Unpriced {
            missing: "usage".into(),
        };
        let row = ExchangeRow::new(9, &record);
        assert_eq!(
            (row.endpoint, row.on_prem, row.usage_known),
            ("", false, false)
        );
        assert_eq!((row.cost_standing, row.cost_missing), ("unpriced", "usage"));
        assert_eq!((row.seq, row.input_tokens), (9, 0));
    }
}
