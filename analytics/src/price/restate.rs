//! What recorded exchanges would cost by what the book says now, or said on another day.
//!
//! A month is frozen by asking for what was known at its end: the same book always gives the same
//! figures for it. A restatement is the difference between what was recorded and what is known now.

use super::{PriceBook, Question};
use crate::money::NanoUsd;
use crate::record::{Cost, Record};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// What changes together: a provider, a model, and how it was priced and would be.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// Whether the exchanges were simulated and never billed.
    pub simulated: bool,
    /// The model of the records.
    pub model: String,
    /// The recorded price, or `unpriced: ` and what was missing.
    pub recorded: String,
    /// The price now, or `unpriced: ` and what is missing.
    pub restated: String,
}

/// The exchanges of a key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sum {
    /// How many.
    pub exchanges: u64,
    /// What was recorded; exchanges that were unpriced add nothing.
    pub recorded: NanoUsd,
    /// What they cost by the book; exchanges that are unpriced add nothing.
    pub restated: NanoUsd,
}

/// Sums by key.
#[derive(Clone, Debug, Default)]
pub struct Restatement {
    /// All billable exchanges of the period.
    pub sums: BTreeMap<Key, Sum>,
}

/// A sum is larger than money can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the period's spend does not fit: ask for a shorter one")]
pub struct TooMuch;

impl Restatement {
    /// Adds a record; `provider` is whose prices hold at its endpoint. Exchanges that consumed nothing
    /// are passed over. What was unpriced for want of usage stays so.
    pub fn add(
        &mut self,
        book: &PriceBook,
        record: &Record,
        provider: &str,
        known_at: Option<Timestamp>,
    ) -> Result<(), TooMuch> {
        let Some(route) = record.route.as_ref().filter(|_| record.cost != Cost::Free) else {
            return Ok(());
        };
        let restated = match (
            &record.usage,
            Timestamp::from_microsecond(record.started_us),
        ) {
            (Some(usage), Ok(at)) => book.cost(&Question {
                provider,
                model: &record.model,
                jurisdiction: &route.jurisdiction,
                at,
                known_at,
                context: &[],
                used: usage.into(),
            }),
            _ => record.cost.clone(),
        };
        let key = Key {
            simulated: route.simulated,
            model: record.model.clone(),
            recorded: told(&record.cost),
            restated: told(&restated),
        };
        let sum = self.sums.entry(key).or_default();
        sum.exchanges += 1;
        sum.recorded = sum
            .recorded
            .checked_add(amount(&record.cost))
            .ok_or(TooMuch)?;
        sum.restated = sum.restated.checked_add(amount(&restated)).ok_or(TooMuch)?;
        Ok(())
    }
}

fn told(cost: &Cost) -> String {
    match cost {
        Cost::Priced { price, .. } => price.clone(),
        Cost::Unpriced { missing } => format!("unpriced: {missing}"),
        Cost::Free => "free".to_owned(),
    }
}

fn amount(cost: &Cost) -> NanoUsd {
    match cost {
        Cost::Priced { nano_usd, .. } => NanoUsd(*nano_usd),
        Cost::Unpriced { .. } | Cost::Free => NanoUsd::ZERO,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::tests::sample;
    use crate::record::{Route, Usage};

    const BOOK: &str = "provider = \"p\"\nsource = \"s\"\nknown_at = \"2026-01-01\"\n[[model]]\nname = \"m\"\n\
        [[model.price]]\nrates = { input = \"1\", output = \"2\" }\n\
        [[model.price]]\nknown_at = \"2026-03-05\"\nrates = { input = \"3\", output = \"2\" }\n";

    #[test]
    fn a_freeze_stays_and_a_correction_shows() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("p.toml"), BOOK).unwrap();
        let book = PriceBook::load(dir.path()).unwrap();
        let february: Timestamp = "2026-02-10T00:00:00Z".parse().unwrap();
        let mut record = Record {
            model: "m".to_owned(),
            started_us: february.as_microsecond(),
            route: Some(Route {
                endpoint: "e".to_owned(),
                jurisdiction: "US".to_owned(),
                transfer_basis: "scc".to_owned(),
                on_prem: false,
                simulated: false,
            }),
            usage: Some(Usage {
                input: 1_000,
                output: 100,
                ..Usage::default()
            }),
            ..sample(1)
        };
        let restated = |record: &Record, known_at: Option<&str>| {
            let known_at = known_at.map(|day| format!("{day}T23:59:59Z").parse().unwrap());
            let mut found = Restatement::default();
            found.add(&book, record, "p", known_at).unwrap();
            let row = found.sums.pop_first();
            row.map(|(key, sum)| (key.restated, sum.recorded.0, sum.restated.0))
        };
        record.cost = Cost::Priced {
            nano_usd: 1_200_000,
            price: "p/m@launch".to_owned(),
        };
        let m = || "p/m@launch".to_owned();
        assert_eq!(
            restated(&record, Some("2026-02-28")),
            Some((m(), 1_200_000, 1_200_000))
        );
        assert_eq!(restated(&record, None), Some((m(), 1_200_000, 3_200_000)));
        let before = Some(("unpriced: price".to_owned(), 1_200_000, 0));
        assert_eq!(restated(&record, Some("2025-12-31")), before);

        record.cost = Cost::Unpriced {
            missing: "model".to_owned(),
        };
        assert_eq!(restated(&record, None), Some((m(), 0, 3_200_000)));
        record.usage = None;
        assert_eq!(
            restated(&record, None),
            Some(("unpriced: model".to_owned(), 0, 0))
        );
        record.cost = Cost::Free;
        assert_eq!(restated(&record, None), None);
    }
}
