//! What doing nothing costs today, and how much of it rests on records.

use super::input::{COUNT, INPUTS, Input};
use super::path::{Draw, Month, months};
use super::scenario::{Scenario, TaxMethod};
use crate::tax::Standing;
use serde::Serialize;

/// The global API's cost in the first month, taken for a year, with every input at its median.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Baseline {
    /// Its parts; they add up to all of it.
    pub parts: Vec<BaselinePart>,
}

/// One part of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BaselinePart {
    /// What it is.
    pub what: &'static str,
    /// Whole dollars a year, before corporate tax.
    pub usd_per_year: i64,
    /// The weakest standing among the inputs that make it.
    pub standing: Standing,
}

impl Baseline {
    pub(super) fn of(scenario: &Scenario) -> Baseline {
        let value = |input: &Input| scenario.value(*input, 0.5);
        let mut medians = [0.0; COUNT];
        for (median, input) in medians.iter_mut().zip(INPUTS) {
            *median = value(input);
        }
        let draw = Draw(medians);
        let mut first = [Month::default()];
        months(&draw, scenario.choice, &mut first);
        let [first] = first;
        let gate = first.requests * value(&Input::GateCost) / 1e6;
        let tokens = [
            Input::Requests,
            Input::InputTokens,
            Input::OutputTokens,
            Input::CachedShare,
            Input::PriceInput,
            Input::PriceCached,
            Input::PriceOutput,
            Input::PriceFactor,
        ];
        let surcharge = [&tokens[..], &[Input::Residency, Input::TokenInflation]].concat();
        let yearly: &[Input] = match scenario.choice.tax {
            TaxMethod::TeamCapacity => &[Input::TaxBudget, Input::TaxCapacity, Input::TaxAudits],
            TaxMethod::BudgetShare => &[Input::TaxBudget, Input::TaxBudgetShare],
            TaxMethod::YearlyAmount => &[Input::TaxYearly],
        };
        let part = |what, monthly: f64, inputs: &[Input]| BaselinePart {
            what,
            usd_per_year: (monthly * 12.0).round() as i64,
            standing: weakest(scenario, inputs),
        };
        Baseline {
            parts: vec![
                part("API tokens", first.tokens, &tokens),
                part(
                    "Regional prices and placeholders",
                    first.surcharge,
                    &surcharge,
                ),
                part(
                    "Inspection and records",
                    gate,
                    &[Input::Requests, Input::GateCost],
                ),
                part(scenario.choice.tax.title(), first.tax - gate, yearly),
            ],
        }
    }

    /// All of it, whole dollars a year.
    pub fn total_usd(&self) -> i64 {
        let amounts = self.parts.iter().map(|part| part.usd_per_year);
        amounts.fold(0, i64::saturating_add)
    }

    /// The share of it that is measured or derived; absent when there is no cost.
    pub fn share_from_records(&self) -> Option<f64> {
        let total = self.total_usd();
        let known = self
            .parts
            .iter()
            .filter(|part| part.standing != Standing::Assumed);
        let known: f64 = known.map(|part| part.usd_per_year as f64).sum();
        (total > 0).then(|| known / total as f64)
    }
}

/// The weakest standing of some inputs.
fn weakest(scenario: &Scenario, inputs: &[Input]) -> Standing {
    let standings = inputs.iter().map(|input| scenario[*input].standing);
    standings.max().unwrap_or(Standing::Measured)
}
