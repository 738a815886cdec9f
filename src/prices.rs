//! `tollgate prices`: the price book as the gate reads it.

use crate::args::PricesCommand;
use crate::config::Config;
use crate::exit::{Failure, Outcome};
use serde_json::{Value, json};
use std::io::{self, Write};
use tollgate_analytics::money::NanoUsd;
use tollgate_analytics::price::{Price, PriceBook, Rates};

/// Prints the prices. Rates are USD for a million tokens; what the book does not know is `-`.
///
/// # Errors
/// When the price book is malformed.
pub fn run(command: &PricesCommand, config: &Config) -> Outcome {
    let PricesCommand::List { filter, json } = command;
    let book = PriceBook::load(&config.rules.dir.join("prices")).map_err(Failure::usage)?;
    let shown = book
        .entries()
        .filter(|(provider, model, _)| format!("{provider}/{model}").contains(filter.as_str()));
    let mut out = io::stdout().lock();
    if *json {
        let shown: Vec<_> = shown
            .map(|(provider, model, price)| to_json(provider, model, price))
            .collect();
        writeln!(out, "{}", Value::from(shown))?;
        return Ok(());
    }
    writeln!(
        out,
        "{:<44} {:<10} {:>10} {:>10} {:>10} {:>10}  source",
        "USD per 1,000,000 tokens", "from", "input", "cache read", "cache write", "output"
    )?;
    for (provider, model, price) in shown {
        let Rates {
            input,
            cache_read,
            cache_write,
            output,
        } = price.rates;
        let [input, read, write, output] = [input, cache_read, cache_write, output].map(shown_rate);
        writeln!(
            out,
            "{:<44} {:<10} {input:>10} {read:>10} {write:>10} {output:>10}  {}",
            format!("{provider}/{model}"),
            price.effective_text(),
            price.source
        )?;
        for tier in &price.tiers {
            let Rates {
                input,
                cache_read,
                cache_write,
                output,
            } = tier.rates;
            let [input, read, write, output] =
                [input, cache_read, cache_write, output].map(shown_rate);
            let above = format!("  all tokens, if the prompt exceeds {}", tier.above);
            writeln!(
                out,
                "{above:<44} {:<10} {input:>10} {read:>10} {write:>10} {output:>10}",
                ""
            )?;
        }
    }
    Ok(())
}

fn to_json(provider: &str, model: &str, price: &Price) -> Value {
    let tiers: Vec<_> = price
        .tiers
        .iter()
        .map(|tier| json!({ "above_input_tokens": tier.above, "nano_usd_per_mtok": rates(&tier.rates) }))
        .collect();
    json!({
        "provider": provider,
        "model": model,
        "effective": price.effective.map(|at| at.to_string()),
        "known_at": price.known_at.to_string(),
        "source": price.source,
        "nano_usd_per_mtok": rates(&price.rates),
        "tiers": tiers,
    })
}

fn rates(rates: &Rates) -> Value {
    let nano = |rate: Option<NanoUsd>| rate.map(|rate| rate.0);
    json!({
        "input": nano(rates.input),
        "cache_read": nano(rates.cache_read),
        "cache_write": nano(rates.cache_write),
        "output": nano(rates.output),
    })
}

/// Dollars with as many decimals as the rate has, at least two.
fn shown_rate(rate: Option<NanoUsd>) -> String {
    let Some(NanoUsd(nano)) = rate else {
        return "-".to_owned();
    };
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
        let shown = |nano| shown_rate(Some(NanoUsd(nano)));
        assert_eq!(shown(2_500_000_000), "2.50");
        assert_eq!(shown(75_000_000), "0.075");
        assert_eq!(shown(15_000_000_000), "15.00");
        assert_eq!(shown(1), "0.000000001");
        assert_eq!(shown_rate(None), "-");
    }
}
