//! The compliance tax: what using global models lawfully cost beyond their tokens, as far as the
//! records can tell.
//!
//! Every amount carries its standing. Only measured and derived amounts are here; what a scenario
//! assumes (audits, legal review, staff) is not, and the business case's four figures for the tax
//! (its numbers 21 to 24) are alternatives to each other that are never part of a sum.

use crate::money::{NanoUsd, group_thousands, round_half_up};
use crate::query::{FOOTPRINT_SQL, Footprint, TAX_BASE_SQL, TaxBase};
use crate::rules::{self, Fault, RulesError};
use serde::{Deserialize, Serialize};
use std::path::Path;

const CPU_US_PER_CORE_HOUR: i128 = 3_600_000_000;
const BYTES_PER_GB: i128 = 1_000_000_000;
/// Days of a mean month, times 10,000 (365.25 / 12 = 30.4375).
const DAYS_PER_MONTH_E4: i128 = 304_375;

/// How far a figure can be relied on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Counted or timed: it comes from the records alone.
    Measured,
    /// A measured quantity times a stated rate.
    Derived,
    /// From a scenario or a published figure; nobody measured it here.
    Assumed,
}

impl Standing {
    /// The word shown beside a figure.
    pub fn as_str(self) -> &'static str {
        match self {
            Standing::Measured => "measured",
            Standing::Derived => "derived",
            Standing::Assumed => "assumed",
        }
    }
}

/// A quantity with its unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantity {
    /// US dollars.
    Money(NanoUsd),
    /// A duration in microseconds.
    Microseconds(u64),
    /// CPU time in microseconds.
    CpuMicroseconds(u64),
    /// Bytes, more or (negative) fewer.
    Bytes(i64),
    /// Tokens, more or (negative) fewer.
    Tokens(i64),
    /// A part of a whole, both counted in the same unit.
    Share {
        /// The part.
        part: u64,
        /// The whole, not 0.
        whole: u64,
    },
}

impl Quantity {
    /// The unit of [`Quantity::plain`].
    pub fn unit(self) -> &'static str {
        match self {
            Quantity::Money(_) => "USD",
            Quantity::Microseconds(_) => "us",
            Quantity::CpuMicroseconds(_) => "CPU us",
            Quantity::Bytes(_) => "bytes",
            Quantity::Tokens(_) => "tokens",
            Quantity::Share { .. } => "share",
        }
    }

    /// The plain decimal number, for CSV and JSON; shares to six places.
    pub fn plain(self) -> String {
        match self {
            Quantity::Money(amount) => amount.to_decimal(),
            Quantity::Microseconds(n) | Quantity::CpuMicroseconds(n) => n.to_string(),
            Quantity::Bytes(n) | Quantity::Tokens(n) => n.to_string(),
            Quantity::Share { part, whole } => {
                let scaled = i128::from(part) * i128::from(1_000_000_000_u64);
                let nano = round_half_up(scaled, i128::from(whole)).unwrap_or_default();
                let micro = round_half_up(nano, 1_000).unwrap_or_default();
                format!("{}.{:06}", micro / 1_000_000, micro % 1_000_000)
            }
        }
    }
}

/// One amount of the tax.
#[derive(Clone, Debug, PartialEq)]
pub struct Amount {
    /// A stable name for machines.
    pub key: &'static str,
    /// What it is, in words.
    pub label: &'static str,
    /// How much; absent when the period held nothing to measure it on.
    pub quantity: Option<Quantity>,
    /// How far it can be relied on.
    pub standing: Standing,
    /// How it came about: what was counted, which rate from which source.
    pub basis: String,
    /// The query whose answer it rests on.
    pub sql: &'static str,
}

/// The size of the ledger's files, which hold the same records as the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LedgerSize {
    /// Records in it.
    pub records: u64,
    /// Their bytes on disk.
    pub bytes: u64,
}

/// The rates that turn quantities into money.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rates {
    /// USD per hour of one CPU core.
    pub cpu_core_hour: Rate,
    /// USD per 1,000,000,000 bytes kept for a month.
    pub storage_gb_month: Rate,
    /// For how many days a record is kept.
    pub retention_days: u32,
    /// Where the retention comes from.
    pub retention_source: String,
}

/// A rate and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How much.
    pub amount: NanoUsd,
    /// Its source, date and confidence, in words.
    pub source: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RatesForm {
    cpu_core_hour: RateForm,
    storage_gb_month: RateForm,
    retention: RetentionForm,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RateForm {
    usd: toml::Spanned<String>,
    source: String,
    date: String,
    confidence: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RetentionForm {
    days: u32,
    source: String,
    date: String,
    confidence: String,
}

impl Rates {
    /// Reads `rates.toml`. Fails when it cannot be read, lacks a rate, or a rate is negative.
    pub fn load(file: &Path) -> Result<Rates, RulesError> {
        let text = rules::read(file)?;
        let form: RatesForm = rules::from_toml(file, &text)?;
        let rate = |form: RateForm| {
            let fault =
                |reason| RulesError::at(file, &text, form.usd.span().start, Fault::Value(reason));
            let amount: NanoUsd = form
                .usd
                .get_ref()
                .parse()
                .map_err(|error: crate::money::InvalidAmount| fault(error.to_string()))?;
            if amount < NanoUsd::ZERO {
                return Err(fault(format!("{:?} is negative", form.usd.get_ref())));
            }
            let source = sourced(&form.source, &form.date, &form.confidence);
            Ok(Rate { amount, source })
        };
        Ok(Rates {
            cpu_core_hour: rate(form.cpu_core_hour)?,
            storage_gb_month: rate(form.storage_gb_month)?,
            retention_days: form.retention.days,
            retention_source: sourced(
                &form.retention.source,
                &form.retention.date,
                &form.retention.confidence,
            ),
        })
    }
}

fn sourced(source: &str, date: &str, confidence: &str) -> String {
    format!("{source}; {date}; confidence: {confidence}")
}

/// The measured and derived part of the tax over one period.
#[derive(Clone, Debug, PartialEq)]
pub struct Tax {
    /// Each amount, in the order in which a report tells them.
    pub amounts: Vec<Amount>,
    /// The sum of all amounts in money (inspection and record keeping: they do not overlap);
    /// absent when none could be computed or the sum does not fit.
    pub money_total: Option<NanoUsd>,
    /// The bytes that the period's records take where they are kept; absent when there are none.
    pub kept_bytes: Option<u64>,
}

impl Tax {
    /// Computes the amounts. `ledger` is absent when its size is not known, and then only the
    /// store's copy of the records is counted.
    pub fn compute(
        base: &TaxBase,
        footprint: Footprint,
        ledger: Option<LedgerSize>,
        rates: &Rates,
    ) -> Tax {
        let mut amounts = inspection(base, rates).to_vec();
        amounts.extend(latency(base));
        amounts.extend(inflation(base));
        amounts.push(record_keeping(base, footprint, ledger, rates));
        amounts.extend(shares(base));
        let money: Vec<NanoUsd> = amounts
            .iter()
            .filter_map(|amount| match amount.quantity {
                Some(Quantity::Money(usd)) => Some(usd),
                _ => None,
            })
            .collect();
        let money_total = NanoUsd::checked_sum(money.iter().copied()).filter(|_| !money.is_empty());
        Tax {
            amounts,
            money_total,
            kept_bytes: kept_bytes(base.exchanges, footprint, ledger)
                .and_then(|bytes| u64::try_from(bytes).ok()),
        }
    }
}

/// An amount that comes from the records alone.
fn measured(
    key: &'static str,
    label: &'static str,
    quantity: Option<Quantity>,
    basis: &str,
) -> Amount {
    let basis = basis.to_owned();
    Amount {
        key,
        label,
        quantity,
        standing: Standing::Measured,
        basis,
        sql: TAX_BASE_SQL,
    }
}

/// An amount that rests on a rate.
fn derived(
    key: &'static str,
    label: &'static str,
    quantity: Option<Quantity>,
    basis: String,
) -> Amount {
    Amount {
        key,
        label,
        quantity,
        standing: Standing::Derived,
        basis,
        sql: TAX_BASE_SQL,
    }
}

fn inspection(base: &TaxBase, rates: &Rates) -> [Amount; 2] {
    let cpu_us = base.inspect_cpu_us_total;
    let cost = rates
        .cpu_core_hour
        .amount
        .rate(cpu_us.into(), CPU_US_PER_CORE_HOUR);
    [
        measured(
            "inspection_cpu",
            "Inspection, CPU time",
            (base.exchanges > 0).then_some(Quantity::CpuMicroseconds(cpu_us)),
            "CPU time of all threads that inspected requests, over all exchanges",
        ),
        derived(
            "inspection_cost",
            "Inspection, cost",
            cost.filter(|_| base.exchanges > 0).map(Quantity::Money),
            format!(
                "CPU time x {} per core-hour ({})",
                rates.cpu_core_hour.amount, rates.cpu_core_hour.source
            ),
        ),
    ]
}

fn latency(base: &TaxBase) -> [Amount; 4] {
    let percentile = |key, label, us| {
        let quantity = (base.routed > 0).then_some(Quantity::Microseconds(us));
        measured(
            key,
            label,
            quantity,
            "time that the gate added before a request was sent, over all that were sent; exact percentile",
        )
    };
    let gate = base.gate_us_percentiles;
    [
        percentile("latency_p50", "Added latency, median", gate.p50),
        percentile("latency_p95", "Added latency, 95th percentile", gate.p95),
        percentile("latency_p99", "Added latency, 99th percentile", gate.p99),
        measured(
            "latency_share",
            "Added latency, share of the answer's time",
            share(base.answered_gate_us_total, base.answered_total_us_total),
            "the gate's time over the whole time, both summed over answered exchanges",
        ),
    ]
}

fn inflation(base: &TaxBase) -> [Amount; 2] {
    let bytes = signed_difference(base.redacted_upstream_bytes, base.redacted_request_bytes)
        .filter(|_| base.redacted_sent > 0);
    let tokens = bytes.and_then(|bytes| {
        let told = i128::from(bytes) * i128::from(base.told_input_tokens);
        let tokens = round_half_up(told, base.told_upstream_bytes.into())?;
        i64::try_from(tokens).ok()
    });
    [
        measured(
            "placeholder_bytes",
            "Placeholders, bytes added to requests",
            bytes.map(Quantity::Bytes),
            "bytes sent less bytes received, over external exchanges with findings replaced; negative where placeholders are shorter than what they replace",
        ),
        derived(
            "placeholder_tokens",
            "Placeholders, input tokens added",
            tokens.map(Quantity::Tokens),
            format!(
                "those bytes x {} input tokens told by providers for {} request bytes in this period",
                group_thousands(base.told_input_tokens),
                group_thousands(base.told_upstream_bytes)
            ),
        ),
    ]
}

fn record_keeping(
    base: &TaxBase,
    footprint: Footprint,
    ledger: Option<LedgerSize>,
    rates: &Rates,
) -> Amount {
    let bytes = kept_bytes(base.exchanges, footprint, ledger);
    let cost = bytes.and_then(|bytes| {
        let byte_days = bytes.checked_mul(i128::from(rates.retention_days) * 10_000)?;
        rates
            .storage_gb_month
            .amount
            .rate(byte_days, BYTES_PER_GB * DAYS_PER_MONTH_E4)
    });
    let copies = match ledger {
        Some(_) => "store and ledger",
        None => "store only; the ledger's size was not given",
    };
    Amount {
        key: "record_keeping_cost",
        label: "Record keeping, cost",
        quantity: cost.map(Quantity::Money),
        standing: Standing::Derived,
        basis: format!(
            "{} bytes ({copies}) for this period's records x {} days ({}) x {} per GB-month ({})",
            group_thousands(
                bytes
                    .and_then(|n| u64::try_from(n).ok())
                    .unwrap_or_default()
            ),
            rates.retention_days,
            rates.retention_source,
            rates.storage_gb_month.amount,
            rates.storage_gb_month.source
        ),
        sql: FOOTPRINT_SQL,
    }
}

/// The bytes that a number of records takes, at the mean size of those that are held.
fn kept_bytes(records: u64, footprint: Footprint, ledger: Option<LedgerSize>) -> Option<i128> {
    let share_of =
        |bytes: u64, held: u64| round_half_up(i128::from(bytes) * i128::from(records), held.into());
    if records == 0 {
        return None;
    }
    let in_store = share_of(footprint.bytes_on_disk_total, footprint.records)?;
    let in_ledger = ledger.and_then(|ledger| share_of(ledger.bytes, ledger.records));
    Some(in_store + in_ledger.unwrap_or_default())
}

fn shares(base: &TaxBase) -> [Amount; 3] {
    [
        measured(
            "on_prem_share",
            "Kept on-prem",
            share(base.on_prem_exchanges, base.exchanges),
            "exchanges answered by on-prem endpoints over all exchanges",
        ),
        measured(
            "blocked_share",
            "Blocked by policy",
            share(base.blocked, base.exchanges),
            "blocked exchanges over all exchanges; each is work that did not get its answer",
        ),
        measured(
            "unpriced_share",
            "Without a price",
            share(base.unpriced, base.billed),
            "exchanges that could not be priced over those billed by the token; their cost is in no sum",
        ),
    ]
}

fn share(part: u64, whole: u64) -> Option<Quantity> {
    (whole > 0).then_some(Quantity::Share { part, whole })
}

fn signed_difference(a: u64, b: u64) -> Option<i64> {
    i64::try_from(i128::from(a) - i128::from(b)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::Percentiles;

    fn rates() -> Rates {
        let rate = |text: &str| Rate {
            amount: text.parse().unwrap(),
            source: "a test".to_owned(),
        };
        Rates {
            cpu_core_hour: rate("0.036"),
            storage_gb_month: rate("0.0304375"),
            retention_days: 100,
            retention_source: "a test".to_owned(),
        }
    }

    fn base() -> TaxBase {
        TaxBase {
            exchanges: 1_000,
            routed: 900,
            on_prem_exchanges: 250,
            blocked: 100,
            unpriced: 6,
            billed: 600,
            inspect_cpu_us_total: 7_200_000_000,
            gate_us_percentiles: Percentiles {
                p50: 10,
                p95: 20,
                p99: 30,
            },
            answered_gate_us_total: 1,
            answered_total_us_total: 3,
            redacted_sent: 5,
            redacted_request_bytes: 1_000,
            redacted_upstream_bytes: 1_100,
            told_input_tokens: 25,
            told_upstream_bytes: 100,
            ..TaxBase::default()
        }
    }

    fn footprint() -> Footprint {
        Footprint {
            records: 2_000,
            bytes_on_disk_total: 200_000_000_000,
        }
    }

    fn plain(tax: &Tax, key: &str) -> Option<String> {
        let amount = tax.amounts.iter().find(|amount| amount.key == key).unwrap();
        amount.quantity.map(Quantity::plain)
    }

    #[test]
    fn amounts_follow_from_the_records() {
        let ledger = Some(LedgerSize {
            records: 10,
            bytes: 1_000_000_000,
        });
        let tax = Tax::compute(&base(), footprint(), ledger, &rates());
        for (key, expected) in [
            ("inspection_cpu", "7200000000"),
            ("inspection_cost", "0.072"),
            ("latency_p50", "10"),
            ("latency_p95", "20"),
            ("latency_p99", "30"),
            ("latency_share", "0.333333"),
            ("placeholder_bytes", "100"),
            ("placeholder_tokens", "25"),
            // (100 GB + 100 GB) x 100 days / 30.4375 x 0.0304375
            ("record_keeping_cost", "20"),
            ("on_prem_share", "0.250000"),
            ("blocked_share", "0.100000"),
            ("unpriced_share", "0.010000"),
        ] {
            assert_eq!(plain(&tax, key).as_deref(), Some(expected), "{key}");
        }
        assert_eq!(tax.amounts.len(), 12);
        assert_eq!(tax.money_total, "20.072".parse().ok());
    }

    #[test]
    fn nothing_to_measure_is_not_zero() {
        let tax = Tax::compute(&TaxBase::default(), Footprint::default(), None, &rates());
        for amount in &tax.amounts {
            assert_eq!(amount.quantity, None, "{}", amount.key);
        }
        assert_eq!(tax.money_total, None);
    }

    #[test]
    fn placeholders_may_be_shorter_than_what_they_replace() {
        let shorter = TaxBase {
            redacted_upstream_bytes: 900,
            ..base()
        };
        let tax = Tax::compute(&shorter, footprint(), None, &rates());
        assert_eq!(plain(&tax, "placeholder_bytes").as_deref(), Some("-100"));
        assert_eq!(plain(&tax, "placeholder_tokens").as_deref(), Some("-25"));
    }

    #[test]
    fn every_money_amount_is_derived_with_its_source() {
        let tax = Tax::compute(&base(), footprint(), None, &rates());
        for amount in &tax.amounts {
            let is_money = matches!(amount.quantity, Some(Quantity::Money(_)));
            assert!(!is_money || amount.standing == Standing::Derived);
            assert!(
                !is_money || amount.basis.contains("a test"),
                "{}",
                amount.basis
            );
        }
    }

    #[test]
    fn the_shipped_rates_load() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../rules/tco/rates.toml");
        let rates = Rates::load(&file).unwrap_or_else(|error| panic!("{error}"));
        assert!(rates.cpu_core_hour.amount > NanoUsd::ZERO);
        assert_eq!(rates.retention_days, 183);
    }

    #[test]
    fn a_negative_rate_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("rates.toml");
        let shipped = include_str!("../../rules/tco/rates.toml");
        std::fs::write(&file, shipped.replace("\"0.023\"", "\"-0.023\"")).unwrap();
        let error = Rates::load(&file).unwrap_err();
        assert!(
            error
                .to_string()
                .ends_with("line 11: \"-0.023\" is negative"),
            "{error}"
        );
    }
}
