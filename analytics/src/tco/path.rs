//! What all options face in one trial, month by month: traffic, prices, the tax, the worth of money.

use super::input::{COUNT, Input};
use super::scenario::{Choice, TaxMethod};
use std::ops::Index;

/// Seconds of a mean month: a twelfth of 365.25 days.
pub(super) const SECONDS_PER_MONTH: f64 = 2_629_800.0;
/// Hours of a mean month.
pub(super) const HOURS_PER_MONTH: f64 = 730.5;

/// The value of every input in one trial.
#[derive(Clone, Debug)]
pub(super) struct Draw(pub(super) [f64; COUNT]);

impl Index<Input> for Draw {
    type Output = f64;

    fn index(&self, input: Input) -> &f64 {
        &self.0[input.index()]
    }
}

/// One month. Amounts are USD before corporate tax.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Month {
    /// Traffic over that of the first month.
    pub(super) volume: f64,
    /// Requests.
    pub(super) requests: f64,
    /// All traffic's tokens at the global API.
    pub(super) tokens: f64,
    /// What regional processing and placeholders add to that.
    pub(super) surcharge: f64,
    /// The tax that does not depend on where tokens go: people, audits, the gate.
    pub(super) tax: f64,
    /// The rise of salaries, fees and services since the start.
    pub(super) inflation: f64,
    /// GPU price over that at the start.
    pub(super) gpu_price: f64,
    /// What a dollar at this month's end is worth at the start.
    pub(super) discount: f64,
}

/// Fills in the months of one trial.
pub(super) fn months(draw: &Draw, choice: Choice, months: &mut [Month]) {
    let monthly = |yearly: f64| yearly.powf(1.0 / 12.0);
    let growth = monthly(1.0 + draw[Input::Growth]);
    let price = monthly(draw[Input::PriceYearly]);
    let inflation = monthly(1.0 + draw[Input::Inflation]);
    let gpu_price = monthly(draw[Input::GpuPriceYearly]);
    let discount = 1.0 / monthly(1.0 + draw[Input::Discount]);

    let tokens = draw[Input::Requests] * usd_per_request(draw, 0.0);
    let inflated = draw[Input::Requests] * usd_per_request(draw, draw[Input::TokenInflation]);
    let surcharge = inflated * draw[Input::Residency] - tokens;
    let tax = yearly_tax(draw, choice.tax) / 12.0;
    let gate = draw[Input::Requests] * draw[Input::GateCost] / 1e6;

    let mut at = Month {
        volume: 1.0,
        requests: draw[Input::Requests],
        tokens,
        surcharge,
        tax: tax + gate,
        inflation: 1.0,
        gpu_price: 1.0,
        discount,
    };
    for month in months {
        *month = at;
        at.volume *= growth;
        at.requests = draw[Input::Requests] * at.volume;
        at.tokens *= growth * price;
        at.surcharge *= growth * price;
        at.inflation *= inflation;
        at.tax = tax * at.inflation + gate * at.volume;
        at.gpu_price *= gpu_price;
        at.discount *= discount;
    }
}

/// The API's tokens of one request at the start, with a share of input tokens added.
fn usd_per_request(draw: &Draw, added: f64) -> f64 {
    let cached = draw[Input::CachedShare];
    let input = draw[Input::InputTokens] * (1.0 + added);
    let input_price = (1.0 - cached) * draw[Input::PriceInput] + cached * draw[Input::PriceCached];
    let output = draw[Input::OutputTokens] * draw[Input::PriceOutput];
    draw[Input::PriceFactor] * (input * input_price + output) / 1e6
}

/// The assumed part of the tax in the first year: one of the alternatives.
fn yearly_tax(draw: &Draw, method: TaxMethod) -> f64 {
    match method {
        TaxMethod::TeamCapacity => {
            draw[Input::TaxBudget] * draw[Input::TaxCapacity] + draw[Input::TaxAudits]
        }
        TaxMethod::BudgetShare => draw[Input::TaxBudget] * draw[Input::TaxBudgetShare],
        TaxMethod::YearlyAmount => draw[Input::TaxYearly],
    }
}
