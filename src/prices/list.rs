//! `tollgate prices list`.

use crate::exit::{Failure, Outcome};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::io::{self, Write};
use std::path::Path;
use tollgate_analytics::money::NanoUsd;
use tollgate_analytics::price::{Entry, Price, PriceBook, Rates, Unit};

/// Which prices to show.
pub(super) struct Filter<'a> {
    /// A part of `provider/model`; empty: all.
    pub(super) text: &'a str,
    pub(super) provider: Option<&'a str>,
    pub(super) model: Option<&'a str>,
    pub(super) at: Option<Timestamp>,
    pub(super) known_at: Option<Timestamp>,
}

/// Prints the prices. Rates are USD for a million tokens, or for what else the unit is priced by.
pub(super) fn run(dir: &Path, filter: &Filter, json: bool) -> Outcome {
    let book = PriceBook::load(dir).map_err(Failure::usage)?;
    let shown = shown(&book, filter)?;
    let mut out = io::stdout().lock();
    if json {
        let shown: Vec<_> = shown.iter().map(to_json).collect();
        writeln!(out, "{}", Value::from(shown))?;
        return Ok(());
    }
    writeln!(
        out,
        "{:<44} {:<10} {:<10} rates: USD per 1,000,000 tokens, or as told",
        "", "from", "known"
    )?;
    for entry in shown {
        let price = entry.price;
        writeln!(
            out,
            "{:<44} {:<10} {:<10} {}{}",
            format!("{}/{}", entry.provider, entry.model),
            price.effective_text(),
            price.known_at.strftime("%F"),
            conditions(price),
            rates(&price.rates),
        )?;
        for tier in &price.tiers {
            let above = format!("  all tokens, if the prompt exceeds {}", tier.above);
            writeln!(out, "{above:<66} {}", rates(&tier.rates))?;
        }
    }
    Ok(())
}

fn shown<'a>(book: &'a PriceBook, filter: &Filter) -> Result<Vec<Entry<'a>>, Failure> {
    let meant = match filter.model {
        Some(name) => Some(
            book.canonical_model(name)
                .ok_or_else(|| Failure::usage(format!("the price book has no model {name:?}")))?,
        ),
        None => None,
    };
    if let Some(id) = filter.provider
        && book.entries().all(|entry| entry.provider != id)
    {
        return Err(Failure::usage(format!(
            "the price book has no provider {id:?}"
        )));
    }
    let wanted = |entry: &Entry| {
        format!("{}/{}", entry.provider, entry.model).contains(filter.text)
            && filter.provider.is_none_or(|id| id == entry.provider)
            && meant.is_none_or(|name| name == entry.model)
    };
    let time = (filter.at, filter.known_at);
    let shown = match time {
        (None, None) => book.entries().filter(wanted).collect(),
        (at, known_at) => book.entries_at(at, known_at).filter(wanted).collect(),
    };
    Ok(shown)
}

/// What must be so for the price to apply, followed by a colon.
fn conditions(price: &Price) -> String {
    let when = price
        .when
        .iter()
        .map(|(key, value)| format!("{key}={value}"));
    let hours = price.hours.map(|hours| format!("{hours} UTC"));
    let all: Vec<_> = when.chain(hours).collect();
    match all.is_empty() {
        true => String::new(),
        false => format!("{}: ", all.join(" ")),
    }
}

fn rates(rates: &Rates) -> String {
    let rate = |(unit, rate): (Unit, NanoUsd)| {
        let per = match unit.per() {
            1_000_000 => String::new(),
            per => format!(" per {per}"),
        };
        format!("{} {}{per}", unit.name(), shown_rate(rate))
    };
    rates.iter().map(rate).collect::<Vec<_>>().join(", ")
}

fn to_json(entry: &Entry) -> Value {
    let price = entry.price;
    let rates = |rates: &Rates| {
        let rate = |(unit, rate): (Unit, NanoUsd)| json!({ "unit": unit.name(), "per": unit.per(), "nano_usd": rate.0 });
        Value::from(rates.iter().map(rate).collect::<Vec<_>>())
    };
    let tiers: Vec<_> = price
        .tiers
        .iter()
        .map(|tier| json!({ "above_input_tokens": tier.above, "rates": rates(&tier.rates) }))
        .collect();
    let when: serde_json::Map<_, _> = price
        .when
        .iter()
        .map(|(key, value)| (key.clone(), Value::from(value.as_str())))
        .collect();
    json!({
        "provider": entry.provider,
        "model": entry.model,
        "effective": price.effective.map(|at| at.to_string()),
        "known_at": price.known_at.to_string(),
        "when": when,
        "hours_utc": price.hours.map(|hours| hours.to_string()),
        "rates": rates(&price.rates),
        "tiers": tiers,
        "source": entry.source,
        "note": entry.note,
    })
}

/// Dollars with as many decimals as the rate has, at least two.
fn shown_rate(NanoUsd(nano): NanoUsd) -> String {
    let exact = format!("{}.{:09}", nano / 1_000_000_000, nano % 1_000_000_000);
    let needed = exact.trim_end_matches('0').len();
    let two_decimals = exact.len() - 7;
    exact[..needed.max(two_decimals)].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_show_what_they_have() {
        let shown = |nano| shown_rate(NanoUsd(nano));
        assert_eq!(shown(2_500_000_000), "2.50");
        assert_eq!(shown(75_000_000), "0.075");
        assert_eq!(shown(15_000_000_000), "15.00");
        assert_eq!(shown(1), "0.000000001");
    }
}
