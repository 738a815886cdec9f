//! A price: rates by unit, and what a usage costs at them.

use super::unit::{Quantities, Unit};
use crate::money::{NanoUsd, round_half_up};
use jiff::Timestamp;
use jiff::civil::Time;
use jiff::tz::TimeZone;
use std::fmt;

/// The least number that every unit's `per` divides.
const COMMON_PER: i128 = 9_000_000_000;

/// A model's price from a certain time on. Absent rates are unknown, not 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Price {
    /// From when it applies; absent: since the model's launch, at a date that the source does not
    /// tell.
    pub effective: Option<Timestamp>,
    /// When we learnt of it. All prices of a model that were learnt at one time are one statement,
    /// which a later one replaces as a whole.
    pub known_at: Timestamp,
    /// Where it comes from, if elsewhere than the rest of its provider's file.
    pub source: Option<String>,
    /// Empty for the standard price. Else what must be so for these rates to replace the
    /// standard's, such as `service_tier = priority` or `processing = batch`.
    pub when: Vec<(String, String)>,
    /// The time of day at which it applies; absent: all day.
    pub hours: Option<Hours>,
    /// The rates of prompts up to the first tier.
    pub rates: Rates,
    /// Rates of longer prompts, shortest first.
    pub tiers: Vec<Tier>,
}

/// USD for [`Unit::per`] of each unit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rates(pub(super) Vec<(Unit, NanoUsd)>);

/// A context tier: a cliff, whose rates apply to all tokens of an exchange with a long prompt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tier {
    /// The tier applies to prompts with more input tokens than this.
    pub above: u64,
    /// Its rates; what it does not name stays as it is below it.
    pub rates: Rates,
}

/// A daily interval in UTC, its end not in it; past midnight if the end is before the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hours {
    pub(super) from: Time,
    pub(super) to: Time,
}

impl Rates {
    /// The rate of a unit.
    pub fn get(&self, unit: Unit) -> Option<NanoUsd> {
        let found = self.0.iter().find(|(of, _)| *of == unit);
        found.map(|(_, rate)| *rate)
    }

    /// All rates, in order of unit.
    pub fn iter(&self) -> impl Iterator<Item = (Unit, NanoUsd)> {
        self.0.iter().copied()
    }
}

impl Price {
    /// The date from which it applies, or `launch`.
    pub fn effective_text(&self) -> String {
        self.effective
            .map_or_else(|| "launch".to_owned(), |at| at.strftime("%F").to_string())
    }

    /// Whether it is in force at a time.
    pub(super) fn applies(&self, at: Timestamp) -> bool {
        self.effective.is_none_or(|from| from <= at)
            && self.hours.is_none_or(|hours| hours.contain(at))
    }

    /// The rate of a unit in an exchange with a prompt of so many input tokens.
    pub fn rate(&self, unit: Unit, input: u64) -> Option<NanoUsd> {
        let tiers = self.tiers.iter().rev().filter(|tier| input > tier.above);
        tiers
            .map(|tier| &tier.rates)
            .find_map(|rates| rates.get(unit))
            .or_else(|| self.rates.get(unit))
    }
}

impl Hours {
    fn contain(self, at: Timestamp) -> bool {
        let time = TimeZone::UTC.to_datetime(at).time();
        if self.to < self.from {
            time >= self.from || time < self.to
        } else {
            (self.from..self.to).contains(&time)
        }
    }
}

impl fmt::Display for Hours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [from, to] = [self.from, self.to].map(|time| time.strftime("%H:%M"));
        write!(f, "{from}-{to}")
    }
}

/// The prices that hold for an exchange: a standard one, and those that replace some of its rates,
/// the first of them first.
#[derive(Clone, Debug)]
pub(super) struct InForce<'a> {
    pub(super) standard: &'a Price,
    pub(super) variants: Vec<&'a Price>,
}

impl InForce<'_> {
    /// The rate of each unit that has one.
    fn rates(&self, input: u64) -> Vec<(Unit, NanoUsd)> {
        let prices = || self.variants.iter().chain(std::iter::once(&self.standard));
        let rate = |unit| {
            let priced = prices().find_map(|price| price.rate(unit, input));
            priced.map(|rate| (unit, rate))
        };
        let mut rates: Vec<_> = Unit::all().filter_map(rate).collect();
        // The narrowest first: what a unit has left after its parts is known once they are.
        rates.sort_by_key(|(unit, _)| std::cmp::Reverse(unit.depth()));
        rates
    }

    /// What a usage costs, rounded once, or what is missing to tell.
    ///
    /// A part without a rate of its own costs what its whole does: a provider that names no price
    /// for reasoning bills it as output. Cache writes are the exception, because they cost more than
    /// the input that they are part of.
    pub(super) fn cost(&self, used: &Quantities) -> Result<NanoUsd, String> {
        let contradiction = || "usage".to_owned();
        let too_much = || "price".to_owned();
        let parts = |whole: Unit, parts: &[Unit]| {
            let sum = parts
                .iter()
                .try_fold(0_u64, |sum, part| sum.checked_add(used.get(*part)));
            sum.is_some_and(|sum| sum <= used.get(whole))
        };
        if !parts(Unit::INPUT, &[Unit::CACHE_READ, Unit::CACHE_WRITE])
            || !parts(Unit::OUTPUT, &[Unit::OUTPUT_REASONING])
        {
            return Err(contradiction());
        }
        let rates = self.rates(used.get(Unit::INPUT));
        if let Some((unit, _)) = used.used().find(|(unit, _)| !is_priced(*unit, &rates)) {
            return Err(format!("price of {}", unit.name()));
        }
        let mut total: i128 = 0;
        let mut left: Vec<(Unit, u64)> = Vec::with_capacity(rates.len());
        for (unit, rate) in rates {
            let quantity = match unit.name() {
                "requests" => 1,
                _ => used.get(unit),
            };
            let inner = left.iter().filter(|(part, _)| unit.covers(*part));
            let own = inner
                .map(|(_, own)| own)
                .try_fold(quantity, |rest, own| rest.checked_sub(*own))
                .ok_or_else(contradiction)?;
            left.push((unit, own));
            total = i128::from(rate.0)
                .checked_mul(i128::from(own))
                .and_then(|amount| amount.checked_mul(COMMON_PER / i128::from(unit.per())))
                .and_then(|amount| total.checked_add(amount))
                .ok_or_else(too_much)?;
        }
        round_half_up(total, COMMON_PER)
            .and_then(|nano| i64::try_from(nano).ok())
            .map(NanoUsd)
            .ok_or_else(too_much)
    }
}

/// Whether a unit has a rate, its own or that of a whole that it may be billed as.
fn is_priced(unit: Unit, rates: &[(Unit, NanoUsd)]) -> bool {
    let dearer = ["cache_write", "1h"];
    rates.iter().any(|(whole, _)| {
        whole.covers(unit)
            && dearer
                .iter()
                .all(|dimension| !unit.has(dimension) || whole.has(dimension))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_per_divides_the_common_one() {
        for unit in Unit::all() {
            assert_eq!(COMMON_PER % i128::from(unit.per()), 0, "{}", unit.name());
        }
    }

    #[test]
    fn hours_may_pass_midnight() {
        let hours = |from, to| Hours {
            from: Time::constant(from, 30, 0, 0),
            to: Time::constant(to, 30, 0, 0),
        };
        for (hours, at, inside) in [
            (hours(0, 16), "2026-11-01T00:29:59Z", false),
            (hours(0, 16), "2026-11-01T00:30:00Z", true),
            (hours(0, 16), "2026-11-01T16:30:00Z", false),
            (hours(16, 0), "2026-11-01T16:30:00Z", true),
            (hours(16, 0), "2026-11-01T00:29:59Z", true),
            (hours(16, 0), "2026-11-01T12:00:00Z", false),
        ] {
            assert_eq!(hours.contain(at.parse().unwrap()), inside, "{hours} {at}");
        }
    }
}
