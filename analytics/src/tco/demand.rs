//! The demand that the records show, in place of the one that a scenario assumes.

use super::distribution::Distribution;
use super::input::Input;
use super::scenario::{Quantity, Scenario};
use crate::query::{DemandBase, Period};
use crate::tax::{Quantity as TaxQuantity, Standing, Tax};
use jiff::Timestamp;

const HOURS_PER_MONTH: f64 = super::path::HOURS_PER_MONTH;
/// What a plan over years may rest on at least: a whole week, so that nights and the weekend are
/// in it.
const HOURS_MIN: f64 = 7.0 * 24.0;
/// And enough exchanges for a mix of lengths.
const EXCHANGES_MIN: u64 = 1_000;

/// What the records show, enough of it to plan by.
#[derive(Clone, Debug, PartialEq)]
pub struct Demand {
    base: DemandBase,
    hours: f64,
    from: Timestamp,
    to: Timestamp,
}

/// Why records cannot be planned by.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Unusable {
    /// There are none with token counts.
    #[error("the records of this period hold no exchange with known token counts")]
    Empty,
    /// They do not cover a week.
    #[error("the records cover {hours:.0} hours: at least 168, a whole week, can be planned by")]
    TooShort {
        /// From the first of them to the period's end.
        hours: f64,
    },
    /// They are few.
    #[error("the records hold {exchanges} exchanges: at least {EXCHANGES_MIN} can be planned by")]
    TooFew {
        /// With known token counts.
        exchanges: u64,
    },
}

impl Demand {
    /// The demand of a period, if its records are enough to plan by.
    pub fn new(base: DemandBase, period: Period) -> Result<Demand, Unusable> {
        if base.exchanges == 0 {
            return Err(Unusable::Empty);
        }
        let first = Timestamp::from_microsecond(base.first_started_us).unwrap_or(period.from());
        let from = first.max(period.from());
        let hours = (period.to().as_microsecond() - from.as_microsecond()) as f64 / 3.6e9;
        if hours < HOURS_MIN {
            return Err(Unusable::TooShort { hours });
        }
        if base.exchanges < EXCHANGES_MIN {
            return Err(Unusable::TooFew {
                exchanges: base.exchanges,
            });
        }
        Ok(Demand {
            base,
            hours,
            from,
            to: period.to(),
        })
    }

    /// Whether simulated exchanges are in it: then it shows how the figures come about, not what
    /// the organization needs.
    pub fn is_simulated(&self) -> bool {
        self.base.simulated_exchanges > 0
    }

    /// The first instant covered, and the first that is not any more.
    pub fn covered(&self) -> (Timestamp, Timestamp) {
        (self.from, self.to)
    }

    /// Puts the measured traffic into a scenario, and the measured part of the tax.
    pub fn apply(&self, scenario: &mut Scenario, tax: &Tax) {
        let base = &self.base;
        let exchanges = base.exchanges as f64;
        let tokens = (base.input_tokens + base.output_tokens) as f64;
        let mut put = |input: Input, value: f64, standing: Standing, words: &str| {
            if value.is_finite() {
                let quantity = self.quantity(value, standing, words);
                scenario.put(input, quantity);
            }
        };
        let measured = Standing::Measured;
        let a_month = exchanges / self.hours * HOURS_PER_MONTH;
        put(
            Input::Requests,
            a_month,
            measured,
            "exchanges with known token counts",
        );
        let input = base.input_tokens as f64;
        put(
            Input::InputTokens,
            input / exchanges,
            measured,
            "input tokens told",
        );
        let output = base.output_tokens as f64;
        put(
            Input::OutputTokens,
            output / exchanges,
            measured,
            "output tokens told",
        );
        let cached = base.cache_read_tokens as f64 / input.max(1.0);
        put(
            Input::CachedShare,
            cached,
            measured,
            "input tokens read from caches",
        );
        let peak = base.busiest_hour_tokens as f64 / (tokens / self.hours);
        put(
            Input::Peak,
            peak.max(1.0),
            measured,
            "tokens of the busiest hour",
        );
        if tokens > 0.0 {
            for (input, of_class) in [
                (Input::MixShort, base.short_tokens),
                (Input::MixPromptHeavy, base.prompt_heavy_tokens),
                (Input::MixBalanced, base.balanced_tokens),
                (Input::MixLong, base.long_tokens),
            ] {
                put(
                    input,
                    of_class as f64,
                    measured,
                    "tokens by class of length",
                );
            }
            let local = base.on_prem_tokens as f64 / tokens;
            put(
                Input::HybridLocalShare,
                local,
                measured,
                "tokens answered on-prem",
            );
        }
        self.put_tax(tax, &mut put);
        let listed = self.listed_usd(scenario);
        let spend = base.spend.0 as f64 / 1e9;
        if listed > 0.0 && spend > 0.0 {
            let words = "spend over the scenario's list prices for the same tokens";
            let quantity = self.quantity(spend / listed, Standing::Derived, words);
            scenario.put(Input::PriceFactor, quantity);
        }
    }

    fn put_tax(&self, tax: &Tax, put: &mut impl FnMut(Input, f64, Standing, &str)) {
        let of = |key: &str| {
            let amount = tax.amounts.iter().find(|amount| amount.key == key);
            amount.and_then(|amount| amount.quantity)
        };
        if let Some(total) = tax.money_total {
            let per_million = total.0 as f64 / 1e9 / self.base.exchanges as f64 * 1e6;
            let words = "inspection and record keeping at the stated rates";
            put(Input::GateCost, per_million, Standing::Derived, words);
        }
        if let Some(TaxQuantity::Tokens(added)) = of("placeholder_tokens") {
            let sent = (self.base.input_tokens as f64 - added as f64).max(1.0);
            let words = "placeholders' tokens over the input tokens";
            let share = (added as f64 / sent).clamp(-0.5, 10.0);
            put(Input::TokenInflation, share, Standing::Derived, words);
        }
    }

    /// What the priced tokens come to at the scenario's list prices.
    fn listed_usd(&self, scenario: &Scenario) -> f64 {
        let price = |input: Input| scenario.value(input, 0.5) / 1e6;
        let cached = self.base.priced_cache_read_tokens as f64;
        let fresh = self.base.priced_input_tokens as f64 - cached;
        fresh * price(Input::PriceInput)
            + cached * price(Input::PriceCached)
            + self.base.priced_output_tokens as f64 * price(Input::PriceOutput)
    }

    /// A value of the records; simulated ones are assumptions.
    fn quantity(&self, value: f64, standing: Standing, words: &str) -> Quantity {
        let day = |at: Timestamp| at.strftime("%F").to_string();
        let (from, to) = (day(self.from), day(self.to));
        let (standing, label) = if self.is_simulated() {
            let (part, whole) = (self.base.simulated_exchanges, self.base.exchanges);
            (
                Standing::Assumed,
                format!("; SIMULATED: {part} of {whole} exchanges"),
            )
        } else {
            (standing, String::new())
        };
        Quantity {
            distribution: Distribution::Fixed(value),
            source: format!("records, {from} to {to}: {words}{label}"),
            standing,
        }
    }
}
