//! The price book: what a model's tokens cost at a given time.
//!
//! Prices are list prices of the standard service tier, in USD per million tokens, from the files
//! of `rules/prices`. What a usage costs is computed in integers and rounded once. A usage that
//! cannot be priced is *unpriced*, and never costs 0.
//!
//! What it does not know: batch, flex and priority tiers, one-hour cache writes (all cache writes
//! are priced as five-minute ones), regional surcharges, tool calls, audio and images.

mod file;
mod names;
mod pattern;

use crate::money::{NanoUsd, round_half_up};
use crate::record::{Cost, Usage};
use crate::rules::RulesError;
use file::{Model, Provider};
use jiff::Timestamp;
use names::Names;
use std::path::Path;

/// Prices are per this many tokens.
const TOKENS_PER_PRICE: i128 = 1_000_000;

/// All prices known.
#[derive(Clone, Debug, Default)]
pub struct PriceBook {
    providers: Vec<Provider>,
    names: Names,
}

/// A model's price from a certain time on. Absent rates are unknown, not 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Price {
    /// From when it applies; absent: since the model's launch, at a date that the source does not
    /// tell.
    pub effective: Option<Timestamp>,
    /// When we learnt of it.
    pub known_at: Timestamp,
    /// Where it comes from.
    pub source: String,
    /// The rates of prompts up to the first tier.
    pub rates: Rates,
    /// Rates of longer prompts, shortest first.
    pub tiers: Vec<Tier>,
}

/// USD per million tokens, by what the tokens are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rates {
    /// Input that is neither read from nor written to the provider's cache.
    pub input: Option<NanoUsd>,
    /// Input read from the cache.
    pub cache_read: Option<NanoUsd>,
    /// Input written to the cache.
    pub cache_write: Option<NanoUsd>,
    /// Output, reasoning included.
    pub output: Option<NanoUsd>,
}

/// A context tier: a cliff, whose rates apply to all tokens of an exchange with a long prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tier {
    /// The tier applies to prompts with more input tokens than this.
    pub above: u64,
    /// Its rates.
    pub rates: Rates,
}

impl PriceBook {
    /// Reads every `*.toml` of a directory. Fails on the first fault, telling file, line and
    /// reason; a book without any price is a fault too.
    pub fn load(dir: &Path) -> Result<PriceBook, RulesError> {
        let providers = file::load(dir)?;
        let names = Names::new(&providers);
        Ok(PriceBook { providers, names })
    }

    /// What a usage cost at a time. Never [`Cost::Free`]: whether tokens are billed at all is for
    /// the caller to know.
    ///
    /// Unpriced, with what was missing, when
    /// - `model`: the book has no such provider or model,
    /// - `usage`: the counts contradict each other (cache parts beyond the input, reasoning beyond
    ///   the output),
    /// - `price`: no price was in force yet, or the cost does not fit,
    /// - `price of cache_read` (or of another part): the price lacks the rate for tokens used.
    pub fn price(&self, provider: &str, model: &str, at: Timestamp, usage: &Usage) -> Cost {
        let Some((provider, model)) = self.find(Some(provider), model) else {
            return unpriced("model");
        };
        let Some(price) = model.price_at(at) else {
            return unpriced("price");
        };
        match price.cost(usage) {
            Ok(nano_usd) => Cost::Priced {
                nano_usd: nano_usd.0,
                price: format!("{}/{}@{}", provider.id, model.name, price.effective_text()),
            },
            Err(missing) => unpriced(missing),
        }
    }

    /// The book's name of a model, if it has one: the name that may be recorded, where the
    /// caller's own text may not.
    pub fn canonical_model(&self, name: &str) -> Option<&str> {
        self.find(None, name).map(|(_, model)| model.name.as_str())
    }

    /// The price in force at a time.
    pub fn lookup(&self, provider: &str, model: &str, at: Timestamp) -> Option<&Price> {
        self.find(Some(provider), model)?.1.price_at(at)
    }

    /// Every price with its provider and its model's name, in the files' order.
    pub fn entries(&self) -> impl Iterator<Item = (&str, &str, &Price)> {
        self.providers.iter().flat_map(|provider| {
            provider.models.iter().flat_map(move |model| {
                let name = (provider.id.as_str(), model.name.as_str());
                model
                    .prices
                    .iter()
                    .map(move |price| (name.0, name.1, price))
            })
        })
    }

    /// The model whose pattern fits the name best, of one provider or of any.
    fn find(&self, provider: Option<&str>, name: &str) -> Option<(&Provider, &Model)> {
        let provider = match provider {
            Some(id) => Some(self.providers.iter().position(|p| p.id == id)?),
            None => None,
        };
        let place = self.names.find(provider, name)?;
        let provider = &self.providers[place.provider];
        Some((provider, &provider.models[place.model]))
    }
}

impl Model {
    /// The last price that was in force at a time.
    fn price_at(&self, at: Timestamp) -> Option<&Price> {
        self.prices
            .iter()
            .rev()
            .find(|price| price.effective.is_none_or(|from| from <= at))
    }
}

impl Price {
    /// The date from which it applies, or `launch`.
    pub fn effective_text(&self) -> String {
        self.effective
            .map_or_else(|| "launch".to_owned(), |at| at.strftime("%F").to_string())
    }

    /// The rates that apply to all tokens of an exchange with a prompt of so many input tokens.
    pub fn rates_for(&self, input: u64) -> Rates {
        self.tiers
            .iter()
            .rev()
            .find(|tier| input > tier.above)
            .map_or(self.rates, |tier| tier.rates)
    }

    /// What a usage costs at this price, or what is missing to tell.
    fn cost(&self, usage: &Usage) -> Result<NanoUsd, &'static str> {
        let cached = usage
            .cache_read
            .checked_add(usage.cache_write)
            .ok_or("usage")?;
        let fresh = usage.input.checked_sub(cached).ok_or("usage")?;
        if usage.reasoning > usage.output {
            return Err("usage");
        }
        let rates = self.rates_for(usage.input);
        let mut total: i128 = 0;
        for (tokens, rate, missing) in [
            (fresh, rates.input, "price of input"),
            (usage.cache_read, rates.cache_read, "price of cache_read"),
            (usage.cache_write, rates.cache_write, "price of cache_write"),
            (usage.output, rates.output, "price of output"),
        ] {
            if tokens > 0 {
                // Fits: four times 2^64 tokens, at rates that loading bounds to 2^50.
                total += i128::from(tokens) * i128::from(rate.ok_or(missing)?.0);
            }
        }
        round_half_up(total, TOKENS_PER_PRICE)
            .and_then(|nano| i64::try_from(nano).ok())
            .map(NanoUsd)
            .ok_or("price")
    }
}

fn unpriced(missing: &str) -> Cost {
    Cost::Unpriced {
        missing: missing.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn book() -> PriceBook {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../rules/prices");
        PriceBook::load(&dir).unwrap_or_else(|error| panic!("{error}"))
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn now() -> Timestamp {
        at("2026-11-20T00:00:00Z")
    }

    fn usage(input: u64, cache_read: u64, cache_write: u64, output: u64) -> Usage {
        Usage {
            input,
            cache_read,
            cache_write,
            output,
            ..Usage::default()
        }
    }

    fn nano(cost: &Cost) -> i64 {
        match cost {
            Cost::Priced { nano_usd, .. } => *nano_usd,
            other => panic!("not priced: {other:?}"),
        }
    }

    #[test]
    fn prices_by_part() {
        let book = book();
        // gpt-4o: 2.50 in, 1.25 cached, 10 out.
        let cost = book.price("openai", "gpt-4o", now(), &usage(1_000, 400, 0, 100));
        assert_eq!(nano(&cost), 600 * 2_500 + 400 * 1_250 + 100 * 10_000);
        assert!(matches!(cost, Cost::Priced { price, .. } if price == "openai/gpt-4o@launch"));
        // claude-sonnet-5: 2 in, 0.20 read, 2.50 written, 10 out; reasoning is within output.
        let thinking = Usage {
            reasoning: 40,
            ..usage(100, 30, 20, 50)
        };
        let cost = book.price("anthropic", "claude-sonnet-5-20260601", now(), &thinking);
        assert_eq!(
            nano(&cost),
            50 * 2_000 + 30 * 200 + 20 * 2_500 + 50 * 10_000
        );
    }

    #[test]
    fn a_context_tier_reprices_all_tokens() {
        let book = book();
        let at_edge = book.price("openai", "gpt-5.4", now(), &usage(272_000, 0, 0, 1));
        assert_eq!(nano(&at_edge), 272_000 * 2_500 + 15_000);
        let beyond = book.price("openai", "gpt-5.4", now(), &usage(272_001, 0, 0, 1));
        assert_eq!(nano(&beyond), 272_001 * 5_000 + 22_500);
    }

    #[test]
    fn the_price_is_that_of_the_time() {
        let book = book();
        let one = usage(1_000_000, 0, 0, 0);
        let before = book.price("openai", "o3", at("2025-06-09T23:59:59Z"), &one);
        let after = book.price("openai", "o3", at("2025-06-10T00:00:00Z"), &one);
        assert_eq!(
            (nano(&before), nano(&after)),
            (10_000_000_000, 2_000_000_000)
        );
        assert!(matches!(after, Cost::Priced { price, .. } if price == "openai/o3@2025-06-10"));
    }

    #[test]
    fn what_cannot_be_priced_is_unpriced() {
        let book = book();
        let max = u64::MAX;
        for (provider, model, usage, missing) in [
            ("openai", "gpt-99", usage(1, 0, 0, 1), "model"),
            ("nobody", "gpt-4o", usage(1, 0, 0, 1), "model"),
            ("anthropic", "gpt-4o", usage(1, 0, 0, 1), "model"),
            ("openai", "", usage(1, 0, 0, 1), "model"),
            ("openai", "gpt-4o", usage(10, 11, 0, 1), "usage"),
            ("anthropic", "claude-sonnet-5", usage(10, 6, 5, 1), "usage"),
            ("openai", "gpt-4o", usage(max, max, max, 1), "usage"),
            (
                "openai",
                "gpt-4o",
                Usage {
                    reasoning: 2,
                    ..usage(1, 0, 0, 1)
                },
                "usage",
            ),
            (
                "openai",
                "gpt-4o",
                usage(10, 0, 5, 1),
                "price of cache_write",
            ),
            (
                "openai",
                "text-embedding-3-small",
                usage(1, 0, 0, 1),
                "price of output",
            ),
            ("openai", "gpt-4o", usage(max, 0, 0, max), "price"),
        ] {
            assert_eq!(
                book.price(provider, model, now(), &usage),
                Cost::Unpriced {
                    missing: missing.to_owned()
                },
                "{provider} {model}"
            );
        }
    }

    #[test]
    fn names_are_the_books_own() {
        let book = book();
        for (asked, name) in [
            ("gpt-4o", Some("gpt-4o")),
            ("GPT-4o-2024-08-06", Some("gpt-4o")),
            ("claude-sonnet-5-20260601", Some("claude-sonnet-5")),
            ("claude-haiku-4-5-20251001", Some("claude-haiku-4-5")),
            ("gpt-6-sol-2026-08-21", Some("gpt-6-sol")),
            ("gpt-6-sol-my name is Ada", None),
            ("gpt-4o-2024-05-13", None),
            ("", None),
        ] {
            assert_eq!(book.canonical_model(asked), name, "{asked}");
        }
        for (_, name, _) in book.entries() {
            assert_eq!(book.canonical_model(name), Some(name));
        }
    }

    proptest! {
        #[test]
        fn a_cost_is_never_negative_and_grows_with_use(
            input in 0_u64..2_000_000,
            read_share in 0_u64..=100,
            output in 0_u64..500_000,
        ) {
            let book = book();
            let read = input * read_share / 100;
            let price = |usage: &Usage| nano(&book.price("openai", "gpt-6-sol", now(), usage));
            let cost = price(&usage(input, read, 0, output));
            prop_assert!(cost >= 0);
            prop_assert!(price(&usage(input, read, 0, output + 1)) >= cost);
            prop_assert!(price(&usage(input + 1, read, 0, output)) >= cost);
        }

        #[test]
        fn any_usage_gives_a_cost_or_a_reason(
            input: u64, cache_read: u64, cache_write: u64, output: u64, reasoning: u64,
        ) {
            let usage = Usage { input, cache_read, cache_write, output, reasoning, estimated: false };
            let cost = book().price("anthropic", "claude-opus-5", now(), &usage);
            if cache_read.checked_add(cache_write).is_none_or(|c| c > input) || reasoning > output {
                prop_assert_eq!(cost, Cost::Unpriced { missing: "usage".to_owned() });
            } else {
                prop_assert!(!matches!(cost, Cost::Free));
            }
        }
    }
}
