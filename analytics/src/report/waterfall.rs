//! How one amount becomes another, step by step: what all tokens would have cost, what staying
//! on-prem avoided, what the compliance tax added. Each step has its own standing and basis.

use super::data::Data;
use super::format;
use crate::money::{NanoUsd, group_thousands};
use crate::tax::{Quantity, Standing};
use crate::tco::Tco;
use crate::tco::words::usd;
use serde::Serialize;

/// Places in the picture are in thousandths of its width.
pub(super) const SIDE: i64 = 1_000;

/// What a step does, which is also its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kind {
    /// It begins at nothing: a total so far.
    Total,
    /// It adds to the total before.
    Rise,
    /// It takes from the total before.
    Fall,
}

/// One step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Step {
    pub(super) kind: Kind,
    pub(super) what: String,
    /// In billionths of a dollar in a waterfall of the records, in dollars in one of a scenario;
    /// negative in a fall.
    pub(super) amount: i64,
    /// The amount, for people.
    pub(super) words: String,
    pub(super) standing: Standing,
    pub(super) basis: String,
    /// Where its bar begins, and how wide it is.
    pub(super) from: i64,
    pub(super) width: i64,
}

/// What the tokens of the period's records came to, before and after, with the tax that the records
/// can tell. Empty when a sum does not fit.
pub(super) fn of_records(data: &Data) -> Vec<Step> {
    let spend = data.overview.spend;
    let mut steps = Steps::new(|nano| format::usd(NanoUsd(nano)));
    if let Some(avoided) = avoided(data) {
        let Some(gross) = spend.checked_add(avoided.amount) else {
            return Vec::new();
        };
        let all = "what all tokens would have come to at the mean price of an external one";
        steps.total("All tokens, external", gross.0, Standing::Derived, all);
        let fall = avoided.amount.0.saturating_neg();
        steps.add("Answered on-prem", fall, Standing::Derived, &avoided.basis);
    }
    let tokens = "measured tokens at list prices; what could not be priced is not in it";
    steps.total("Token spend", spend.0, Standing::Derived, tokens);
    for amount in &data.tax.amounts {
        if let Some(Quantity::Money(money)) = amount.quantity {
            let above = "the amount of this name above";
            steps.add(amount.label, money.0, amount.standing, above);
        }
    }
    let end = "tokens and the parts of the tax that the records can tell in money";
    let end_nano = steps.height;
    steps.total("Known cost", end_nano, Standing::Derived, end);
    steps.placed()
}

/// From the bill for tokens to what doing nothing costs, a year at today's rate, with what the
/// scenario assumes.
pub(super) fn of_year(tco: &Tco) -> Vec<Step> {
    let mut steps = Steps::new(usd);
    let mut parts = tco.baseline.parts.iter();
    if let Some(first) = parts.next() {
        steps.total(first.what, first.usd_per_year, first.standing, "");
    }
    for part in parts {
        steps.add(part.what, part.usd_per_year, part.standing, "");
    }
    let weakest = tco.baseline.parts.iter().map(|part| part.standing).max();
    let weakest = weakest.unwrap_or(Standing::Assumed);
    steps.total("Doing nothing", tco.baseline.total_usd(), weakest, "");
    steps.placed()
}

struct Avoided {
    amount: NanoUsd,
    basis: String,
}

/// What the tokens answered on-prem would have cost elsewhere: absent when there are none, or when
/// nothing external was priced, so that there is no rate.
fn avoided(data: &Data) -> Option<Avoided> {
    let (on_prem, external): (Vec<_>, Vec<_>) = data.routes.iter().partition(|row| row.on_prem);
    let tokens = on_prem
        .iter()
        .map(|row| row.input_tokens_total + row.output_tokens_total);
    let kept: u64 = tokens.sum();
    let priced: u64 = external.iter().map(|row| row.priced_tokens_total).sum();
    let spend = NanoUsd::checked_sum(external.iter().map(|row| row.spend))?;
    let amount = match (kept, priced) {
        (0, _) | (_, 0) => None,
        _ => spend.rate(kept.into(), priced.into()),
    }?;
    Some(Avoided {
        amount,
        basis: format!(
            "{} on-prem tokens x the mean price of the {} external tokens that were priced ({}), \
             input and output alike; what answering them on-prem costs is not in the records",
            group_thousands(kept),
            group_thousands(priced),
            format::usd(spend)
        ),
    })
}

struct Steps {
    words: fn(i64) -> String,
    height: i64,
    steps: Vec<Step>,
}

impl Steps {
    fn new(words: fn(i64) -> String) -> Steps {
        Steps {
            words,
            height: 0,
            steps: Vec::new(),
        }
    }

    fn total(&mut self, what: &str, amount: i64, standing: Standing, basis: &str) {
        self.height = amount;
        self.push(Kind::Total, what, amount, standing, basis);
    }

    fn add(&mut self, what: &str, amount: i64, standing: Standing, basis: &str) {
        self.height = self.height.saturating_add(amount);
        let kind = if amount < 0 { Kind::Fall } else { Kind::Rise };
        self.push(kind, what, amount, standing, basis);
    }

    fn push(&mut self, kind: Kind, what: &str, amount: i64, standing: Standing, basis: &str) {
        self.steps.push(Step {
            kind,
            what: what.to_owned(),
            amount,
            words: (self.words)(amount),
            standing,
            basis: basis.to_owned(),
            from: 0,
            width: 0,
        });
    }

    /// The steps with their places, on a scale from nothing to the highest that is reached.
    fn placed(mut self) -> Vec<Step> {
        let ends: Vec<[i64; 2]> = self.ends();
        let reached = ends.iter().flatten().copied();
        let (low, high) = reached.fold((0, 0), |(low, high), end| (end.min(low), end.max(high)));
        let span = (i128::from(high) - i128::from(low)).max(1);
        let place = |end: i64| {
            let at = (i128::from(end) - i128::from(low)) * i128::from(SIDE) / span;
            i64::try_from(at).unwrap_or(SIDE)
        };
        for (step, [start, end]) in self.steps.iter_mut().zip(ends) {
            let [left, right] = [place(start.min(end)), place(start.max(end))];
            // What is not nothing must be seen.
            let least = if step.amount == 0 { 0 } else { 4 };
            step.width = (right - left).max(least);
            step.from = left.min(SIDE - step.width);
        }
        self.steps
    }

    /// Between which totals each step stands.
    fn ends(&self) -> Vec<[i64; 2]> {
        let mut height = 0_i64;
        let ends = self.steps.iter().map(|step| {
            let start = if step.kind == Kind::Total { 0 } else { height };
            height = start.saturating_add(step.amount);
            [start, height]
        });
        ends.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::RouteRow;

    #[test]
    fn steps_stand_on_each_other() {
        let mut steps = Steps::new(|amount| amount.to_string());
        steps.total("gross", 100, Standing::Derived, "");
        steps.add("avoided", -40, Standing::Derived, "");
        steps.total("net", 60, Standing::Derived, "");
        steps.add("tax", 20, Standing::Assumed, "");
        steps.add("little", 0, Standing::Assumed, "");
        steps.total("all", 80, Standing::Assumed, "");
        let places: Vec<_> = steps
            .placed()
            .iter()
            .map(|s| (s.kind, s.from, s.width))
            .collect();
        let expected = [
            (Kind::Total, 0, 1_000),
            (Kind::Fall, 600, 400),
            (Kind::Total, 0, 600),
            (Kind::Rise, 600, 200),
            (Kind::Rise, 800, 0),
            (Kind::Total, 0, 800),
        ];
        assert_eq!(places, expected);
    }

    #[test]
    fn a_bar_never_leaves_the_picture() {
        let mut steps = Steps::new(|amount| amount.to_string());
        steps.total("tokens", i64::MAX, Standing::Derived, "");
        steps.add("one more", 1, Standing::Derived, "");
        for step in steps.placed() {
            assert!(step.from >= 0 && step.from + step.width <= SIDE, "{step:?}");
        }
    }

    #[test]
    fn what_stayed_is_priced_at_what_left() {
        let route = |on_prem, tokens, priced, nano| RouteRow {
            on_prem,
            input_tokens_total: tokens,
            priced_tokens_total: priced,
            spend: NanoUsd(nano),
            ..RouteRow::default()
        };
        let with = |routes: &[RouteRow]| {
            let mut data = Data::empty();
            data.routes = routes.to_vec();
            data.overview.spend = NanoUsd(routes.iter().map(|row| row.spend.0).sum());
            data
        };
        // 300 tokens at 2 each: tokens without a price are in no rate.
        let data = with(&[route(true, 300, 0, 0), route(false, 900, 500, 1_000)]);
        assert_eq!(avoided(&data).map(|of| of.amount), Some(NanoUsd(600)));
        let amounts: Vec<i64> = of_records(&data).iter().map(|step| step.amount).collect();
        assert_eq!(amounts, [1_600, -600, 1_000, 1_000]);
        // No rate, nothing said.
        for routes in [&[route(true, 300, 0, 0)][..], &[route(false, 5, 5, 1)]] {
            assert!(avoided(&with(routes)).is_none());
            assert_eq!(of_records(&with(routes)).len(), 2);
        }
    }
}
