//! The price book: what a model's tokens cost at a given time, and as was known at a given time.
//!
//! Prices are list prices in USD from the files of `rules/prices`. What a usage costs is computed in
//! integers and rounded once. A usage that cannot be priced is *unpriced*, and never costs 0.

mod file;
pub mod import;
mod names;
mod pattern;
mod rate;
pub mod reconcile;
pub mod restate;
mod terms;
mod unit;
mod write;

pub use rate::{Hours, Price, Rates, Tier};
pub use terms::{NoRate, Terms};
pub use unit::{Quantities, Unit};

use crate::money::NanoUsd;
use crate::record::{Cost, Usage};
use crate::rules::RulesError;
use file::{Model, Provider};
use jiff::Timestamp;
use names::{Names, Place};
use rate::InForce;
use std::collections::BTreeSet;
use std::path::Path;

/// All prices known.
#[derive(Clone, Debug, Default)]
pub struct PriceBook {
    providers: Vec<Provider>,
    names: Names,
    terms: Terms,
}

/// What is to be priced.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// The provider, by its id or another name of it.
    pub provider: &'a str,
    /// The model, by any of its names.
    pub model: &'a str,
    /// Where the endpoint lies; empty if that is not known.
    pub jurisdiction: &'a str,
    /// When the exchange took place.
    pub at: Timestamp,
    /// What was known when; absent: all that is known now.
    pub known_at: Option<Timestamp>,
    /// What the answer told of how it was served, such as `("service_tier", "priority")`.
    pub context: &'a [(&'a str, &'a str)],
    /// What was used.
    pub used: Quantities,
}

/// What a usage costs, and by which price.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quote {
    /// How much, under the organization's own terms.
    pub amount: NanoUsd,
    /// How much by list price.
    pub list: NanoUsd,
    /// The entry of the book, `provider/model@effective-date`; a price that replaces others in some
    /// respect is added as `+service_tier=priority`, and own terms as `+10%-12.5%`.
    pub price: String,
}

/// An entry of the book.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// The provider's id.
    pub provider: &'a str,
    /// The model's name.
    pub model: &'a str,
    /// The price.
    pub price: &'a Price,
    /// Where it comes from.
    pub source: &'a str,
    /// What the source says about the model's prices beyond the figures.
    pub note: Option<&'a str>,
}

impl PriceBook {
    /// Reads every `*.toml` of a directory. Fails on the first fault, telling file, line and
    /// reason; a book without any price is a fault too.
    pub fn load(dir: &Path) -> Result<PriceBook, RulesError> {
        let providers = file::load(dir)?;
        let names = Names::new(&providers);
        Ok(PriceBook {
            providers,
            names,
            terms: Terms::default(),
        })
    }

    /// The book with an organization's own terms over its list prices.
    pub fn with_terms(self, terms: Terms) -> PriceBook {
        PriceBook { terms, ..self }
    }

    /// The organization's own terms.
    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    /// What a usage cost at a time, by the standard price. Never [`Cost::Free`]: whether tokens are
    /// billed at all is for the caller to know.
    ///
    /// Unpriced for the reasons that [`PriceBook::quote`] gives.
    pub fn price(&self, provider: &str, model: &str, at: Timestamp, usage: &Usage) -> Cost {
        self.cost(&Question {
            provider,
            model,
            jurisdiction: "",
            at,
            known_at: None,
            context: &[],
            used: usage.into(),
        })
    }

    /// As [`PriceBook::quote`], as a record's cost. Never [`Cost::Free`].
    pub fn cost(&self, question: &Question) -> Cost {
        match self.quote(question) {
            Ok(quote) => Cost::Priced {
                nano_usd: quote.amount.0,
                price: quote.price,
            },
            Err(missing) => Cost::Unpriced { missing },
        }
    }

    /// What a usage cost.
    ///
    /// # Errors
    /// With what was missing:
    /// - `model`: the book has no such provider or model,
    /// - `usage`: the counts contradict each other (cache parts beyond the input, reasoning beyond
    ///   the output),
    /// - `price`: no price was in force or known yet, or the cost does not fit,
    /// - `price of cache_write` (or of another unit): the price lacks the rate for what was used.
    pub fn quote(&self, question: &Question) -> Result<Quote, String> {
        let asked = self.provider(question.provider).ok_or("model")?;
        let place = self.find(asked, question.model).ok_or("model")?;
        let (provider, model) = self.at(place);
        // A provider's terms (batch, priority) are not those of another who sells the same model.
        let context = match place.provider == asked {
            true => question.context,
            false => &[],
        };
        let prices = model
            .in_force(question.at, question.known_at, context)
            .ok_or("price")?;
        let list = prices.cost(&question.used)?;
        let effective = prices.standard.effective_text();
        let mut price = format!("{}/{}@{effective}", provider.id, model.name);
        for (key, value) in prices.variants.iter().flat_map(|price| &price.when) {
            let condition = format!("+{key}={value}");
            if !price.contains(&condition) {
                price.push_str(&condition);
            }
        }
        let seller = &self.providers[asked].id;
        let adjusted = self
            .terms
            .apply(
                list,
                seller,
                &model.name,
                question.jurisdiction,
                question.at,
            )
            .ok_or("price")?;
        price.push_str(&adjusted.told);
        Ok(Quote {
            amount: adjusted.amount,
            list,
            price,
        })
    }

    /// The book's name of a model, if it has one: the name that may be recorded, where the
    /// caller's own text may not. The provider that such names usually mean is asked first; of
    /// others only names that stand in the book as they are count, no patterns.
    pub fn canonical_model(&self, name: &str) -> Option<&str> {
        let lower = name.to_lowercase();
        let meant = |provider: &usize| {
            let names = &self.providers[*provider].names;
            names.iter().any(|pattern| pattern.fits(&lower))
        };
        let meant = (0..self.providers.len()).filter(meant);
        let place = self
            .names
            .find(&self.providers, meant, name)
            .or_else(|| self.names.find_exact(name))?;
        Some(self.at(place).1.name.as_str())
    }

    /// The standard price in force at a time.
    pub fn lookup(&self, provider: &str, model: &str, at: Timestamp) -> Option<&Price> {
        let place = self.find(self.provider(provider)?, model)?;
        Some(self.at(place).1.in_force(at, None, &[])?.standard)
    }

    /// Every price, in the files' order.
    pub fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        self.providers.iter().flat_map(|provider| {
            provider.models.iter().flat_map(move |model| {
                let prices = model.prices.iter();
                prices.map(move |price| entry(provider, model, price))
            })
        })
    }

    /// What of it was in force at a time, by what was known by another; absent: all times.
    pub fn entries_at(
        &self,
        at: Option<Timestamp>,
        known_at: Option<Timestamp>,
    ) -> impl Iterator<Item = Entry<'_>> {
        let in_force = move |model: &Model, price: &Price| {
            let of_statement = |other: &Price| std::ptr::eq(other, price);
            let latest = |at: Timestamp| {
                model
                    .statement(known_at)
                    .rfind(|other| other.when == price.when && other.applies(at))
            };
            model.statement(known_at).any(of_statement)
                && at.is_none_or(|at| latest(at).is_some_and(of_statement))
        };
        self.providers.iter().flat_map(move |provider| {
            provider.models.iter().flat_map(move |model| {
                let prices = model.prices.iter();
                prices
                    .filter(move |price| in_force(model, price))
                    .map(move |price| entry(provider, model, price))
            })
        })
    }

    /// The standard price that a record names (see [`Quote::price`]), as it is known now.
    pub fn recorded(&self, id: &str) -> Option<&Price> {
        let (provider, rest) = id.split_once('/')?;
        let (model, from) = rest.rsplit_once('@')?;
        let provider = self.providers.iter().find(|p| p.id == provider)?;
        let model = provider.models.iter().find(|m| m.name == model)?;
        model
            .statement(None)
            .rfind(|price| price.when.is_empty() && from.starts_with(&price.effective_text()))
    }

    /// The prompt lengths beyond which some price of the book changes, shortest first.
    pub fn tier_bounds(&self) -> Vec<u64> {
        let tiers = self.entries().flat_map(|entry| &entry.price.tiers);
        let bounds: BTreeSet<u64> = tiers.map(|tier| tier.above).collect();
        bounds.into_iter().collect()
    }

    /// A provider by its id or, failing that, by another name of it.
    fn provider(&self, name: &str) -> Option<usize> {
        let by_id = self.providers.iter().position(|p| p.id == name);
        by_id.or_else(|| {
            let lower = name.to_lowercase();
            let called = |p: &Provider| p.also.iter().any(|pattern| pattern.fits(&lower));
            self.providers.iter().position(called)
        })
    }

    /// The model that a name means at a provider, or else at those whose models it sells.
    fn find(&self, provider: usize, name: &str) -> Option<Place> {
        let others = &self.providers[provider].sells;
        let others = others
            .iter()
            .filter_map(|id| self.providers.iter().position(|p| p.id == *id));
        let among = std::iter::once(provider).chain(others);
        self.names.find(&self.providers, among, name)
    }

    fn at(&self, place: Place) -> (&Provider, &Model) {
        let provider = &self.providers[place.provider];
        (provider, &provider.models[place.model])
    }
}

fn entry<'a>(provider: &'a Provider, model: &'a Model, price: &'a Price) -> Entry<'a> {
    Entry {
        provider: &provider.id,
        model: &model.name,
        price,
        source: price.source.as_deref().unwrap_or(&provider.source),
        note: model.note.as_deref(),
    }
}

impl Model {
    /// The prices of the latest statement that was known.
    fn statement(&self, known_at: Option<Timestamp>) -> impl DoubleEndedIterator<Item = &Price> {
        let known = |price: &&Price| known_at.is_none_or(|limit| price.known_at <= limit);
        let latest = self.prices.iter().filter(known).map(|p| p.known_at).max();
        self.prices
            .iter()
            .filter(move |price| Some(price.known_at) == latest)
    }

    /// The last standard price that was in force at a time, and what replaces parts of it: of
    /// several with the same condition, the latest first.
    fn in_force(
        &self,
        at: Timestamp,
        known_at: Option<Timestamp>,
        context: &[(&str, &str)],
    ) -> Option<InForce<'_>> {
        let active = |price: &&Price| price.applies(at);
        let standard = self
            .statement(known_at)
            .rev()
            .filter(active)
            .find(|price| price.when.is_empty())?;
        let mut variants: Vec<&Price> = Vec::new();
        if !context.is_empty() {
            let told = |(key, value): &(String, String)| context.contains(&(key, value));
            let fits = |price: &&Price| !price.when.is_empty() && price.when.iter().all(told);
            for price in self.statement(known_at).filter(active).filter(fits) {
                let place = variants.iter().position(|other| other.when == price.when);
                variants.insert(place.unwrap_or(variants.len()), price);
            }
        }
        Some(InForce { standard, variants })
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
            ("gpt-4o-2024-05-13", Some("gpt-4o-2024-05-13")),
            ("", None),
        ] {
            assert_eq!(book.canonical_model(asked), name, "{asked}");
        }
        for entry in book.entries() {
            let name = book.canonical_model(entry.model);
            assert!(name.is_some(), "{}", entry.model);
        }
    }

    #[test]
    fn what_was_known_can_be_asked_for() {
        let dir = tempfile::tempdir().unwrap();
        let text = "provider = \"p\"\nsource = \"s\"\nknown_at = \"2026-01-01\"\n[[model]]\nname = \"m\"\n\
            [[model.price]]\nrates = { input = \"1\" }\n\
            [[model.price]]\neffective = \"2026-02-01\"\nrates = { input = \"2\" }\n\
            [[model.price]]\nknown_at = \"2026-03-01\"\nrates = { input = \"1\" }\n\
            [[model.price]]\nknown_at = \"2026-03-01\"\neffective = \"2026-01-15\"\nrates = { input = \"3\" }\n\
            [[model.price]]\nknown_at = \"2026-03-01\"\nwhen = { service_tier = \"flex\" }\nrates = { input = \"0.5\" }\n";
        std::fs::write(dir.path().join("p.toml"), text).unwrap();
        let book = PriceBook::load(dir.path()).unwrap();
        let flex = [("service_tier", "flex")];
        for (day, known, context, expected) in [
            ("2026-02-10", None, &[][..], Ok(3)),
            ("2026-02-10", Some("2026-02-28"), &[], Ok(2)),
            ("2026-01-20", Some("2026-02-28"), &[], Ok(1)),
            ("2026-01-20", Some("2026-03-01"), &[], Ok(3)),
            (
                "2026-01-20",
                Some("2025-12-31"),
                &[],
                Err("price".to_owned()),
            ),
            ("2026-02-10", None, &flex, Ok(0)),
            ("2026-02-10", Some("2026-02-28"), &flex, Ok(2)),
        ] {
            let quote = book.quote(&Question {
                provider: "p",
                model: "m",
                jurisdiction: "",
                at: at(&format!("{day}T12:00:00Z")),
                known_at: known.map(|day| at(&format!("{day}T00:00:00Z"))),
                context,
                used: (&usage(1_000_000, 0, 0, 0)).into(),
            });
            let dollars = quote.map(|quote| quote.amount.0 / 1_000_000_000);
            assert_eq!(dollars, expected, "{day} {known:?} {context:?}");
        }
        let shown: Vec<_> = book
            .entries_at(Some(at("2026-02-10T00:00:00Z")), None)
            .collect();
        assert_eq!(shown.len(), 2, "{shown:?}");
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
