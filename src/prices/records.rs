//! `tollgate prices restate` and `reconcile`: the price book and invoices beside the ledger.

use super::{book, start_of};
use crate::args::Days;
use crate::config::Config;
use crate::exit::{Failure, Outcome};
use jiff::Timestamp;
use serde_json::json;
use std::collections::HashMap;
use std::io::{self, Write};
use std::path::Path;
use tollgate_analytics::ledger::Reader;
use tollgate_analytics::money::NanoUsd;
use tollgate_analytics::price::reconcile::{self, Reconciliation, Sum};
use tollgate_analytics::price::restate::Restatement;
use tollgate_analytics::query::Period;
use tollgate_analytics::record::Record;

/// Records read from the ledger at once.
const BLOCK: usize = 4096;

/// Prints what exchanges cost by the book beside what was recorded.
pub(super) fn restate(
    config: &Config,
    days: Days,
    known_at: Option<Timestamp>,
    json: bool,
) -> Outcome {
    let book = book(config)?;
    let endpoints: HashMap<_, _> = config
        .endpoint
        .iter()
        .map(|e| (e.name.as_str(), e))
        .collect();
    let mut restatement = Restatement::default();
    each_record(config, period(days)?, |record| {
        let endpoint = record.route.as_ref().map_or("", |route| &route.endpoint);
        let recorded = match &record.cost {
            tollgate_analytics::record::Cost::Priced { price, .. } => price.split('/').next(),
            _ => None,
        };
        let configured = endpoints.get(endpoint).map(|e| match &e.provider {
            Some(provider) => provider.as_str(),
            None => e.wire.as_str(),
        });
        // An endpoint that is not configured any more: the provider whose price was recorded.
        let provider = configured.or(recorded).unwrap_or_default();
        restatement
            .add(&book, record, provider, known_at)
            .map_err(Failure::new)
    })?;

    let mut out = io::stdout().lock();
    let difference =
        |recorded: NanoUsd, restated: NanoUsd| NanoUsd(restated.0.saturating_sub(recorded.0));
    if json {
        let rows: Vec<_> = restatement
            .sums
            .iter()
            .map(|(key, sum)| {
                json!({
                    "simulated": key.simulated,
                    "model": key.model,
                    "recorded_price": key.recorded,
                    "restated_price": key.restated,
                    "exchanges": sum.exchanges,
                    "recorded_usd": sum.recorded.to_decimal(),
                    "restated_usd": sum.restated.to_decimal(),
                    "difference_usd": difference(sum.recorded, sum.restated).to_decimal(),
                })
            })
            .collect();
        writeln!(out, "{}", serde_json::Value::from(rows))?;
        return Ok(());
    }
    writeln!(
        out,
        "{:<28} {:>9} {:>16} {:>16} {:>16}  price",
        "model", "exchanges", "recorded", "restated", "difference"
    )?;
    let (mut recorded, mut restated, mut exchanges) = (0_i128, 0_i128, 0);
    for (key, sum) in &restatement.sums {
        let change = match key.recorded == key.restated {
            true => key.recorded.clone(),
            false => format!("{} -> {}", key.recorded, key.restated),
        };
        let simulated = if key.simulated { " (simulated)" } else { "" };
        writeln!(
            out,
            "{:<28} {:>9} {:>16} {:>16} {:>16}  {change}{simulated}",
            key.model,
            sum.exchanges,
            sum.recorded.to_string(),
            sum.restated.to_string(),
            difference(sum.recorded, sum.restated).to_string(),
        )?;
        recorded += i128::from(sum.recorded.0);
        restated += i128::from(sum.restated.0);
        exchanges += sum.exchanges;
    }
    let total =
        |nano: i128| i64::try_from(nano).map_or("too much".to_owned(), |n| NanoUsd(n).to_string());
    writeln!(
        out,
        "{:<28} {exchanges:>9} {:>16} {:>16} {:>16}",
        "all",
        total(recorded),
        total(restated),
        total(restated - recorded)
    )?;
    Ok(())
}

/// Prints an invoice beside what was recorded.
pub(super) fn reconcile(config: &Config, file: &Path, days: Days, json: bool) -> Outcome {
    let book = book(config)?;
    let period = period(days)?;
    let of_file = |reason: String| Failure::usage(format!("{}: {reason}", file.display()));
    let text = std::fs::read_to_string(file).map_err(|error| of_file(error.to_string()))?;
    let charges = reconcile::read(&text).map_err(|error| of_file(error.to_string()))?;
    let mut found = Reconciliation::default();
    found
        .bill(&charges, period, &book, book.terms())
        .map_err(|error| of_file(error.to_string()))?;
    each_record(config, period, |record| {
        found.record(record).map_err(Failure::new)
    })?;

    let mut out = io::stdout().lock();
    let difference = |sum: &Sum| NanoUsd(sum.billed.0.saturating_sub(sum.recorded.0));
    if json {
        let rows: Vec<_> = found
            .sums
            .iter()
            .map(|(category, sum)| {
                json!({
                    "category": category.as_str(),
                    "is_model": matches!(category, reconcile::Category::Model(_)),
                    "lines": sum.lines,
                    "billed_usd": sum.billed.to_decimal(),
                    "exchanges": sum.exchanges,
                    "recorded_usd": sum.recorded.to_decimal(),
                    "unpriced_exchanges": sum.unpriced,
                    "difference_usd": difference(sum).to_decimal(),
                })
            })
            .collect();
        writeln!(
            out,
            "{}",
            json!({ "categories": rows, "lines_outside": found.outside })
        )?;
        return Ok(());
    }
    writeln!(
        out,
        "{:<36} {:>6} {:>16} {:>9} {:>16} {:>16}",
        "model or charge", "lines", "billed", "exchanges", "recorded", "difference"
    )?;
    for (category, sum) in &found.sums {
        let unpriced = match sum.unpriced {
            0 => String::new(),
            n => format!("  {n} unpriced and not in it"),
        };
        writeln!(
            out,
            "{:<36} {:>6} {:>16} {:>9} {:>16} {:>16}{unpriced}",
            category.as_str(),
            sum.lines,
            sum.billed.to_string(),
            sum.exchanges,
            sum.recorded.to_string(),
            difference(sum).to_string(),
        )?;
    }
    if found.outside > 0 {
        writeln!(
            out,
            "{} lines lie outside of the period and are in no sum",
            found.outside
        )?;
    }
    Ok(())
}

fn period(days: Days) -> Result<Period, Failure> {
    Period::new(start_of(days.from), start_of(days.to)).map_err(Failure::usage)
}

/// Calls for every record of the ledger that started within the period.
fn each_record(
    config: &Config,
    period: Period,
    mut call: impl FnMut(&Record) -> Result<(), Failure>,
) -> Outcome {
    let dir = crate::ledger::directory(config);
    if !dir.is_dir() {
        return Err(Failure::usage(format!(
            "there is no ledger in {}",
            dir.display()
        )));
    }
    let span = period.from().as_microsecond()..period.to().as_microsecond();
    let mut reader = Reader::new(&dir, 0);
    loop {
        let block = reader.next_block(BLOCK).map_err(Failure::new)?;
        if block.is_empty() {
            return Ok(());
        }
        for entry in block {
            if span.contains(&entry.record.started_us) {
                call(&entry.record)?;
            }
        }
    }
}
