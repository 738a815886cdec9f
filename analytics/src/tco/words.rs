//! The outcome in sentences, the same in the terminal and in the report.

use super::option::Plan;
use super::outcome::CLAIMED_BREAK_EVEN;
use super::sensitivity::{Condition, Flip};
use super::{Tco, input::Input};
use crate::money::group_thousands;

/// Dollars to three digits: `$950`, `$12.3k`, `$4.56M`, `-$1.20B`.
pub fn usd(amount: i64) -> String {
    let sign = if amount < 0 { "-" } else { "" };
    let of = amount.unsigned_abs();
    let scaled = |unit: u64, suffix: &str| {
        let value = of as f64 / unit as f64;
        let places = match value {
            100.0.. => 0,
            10.0.. => 1,
            _ => 2,
        };
        format!("{sign}${value:.places$}{suffix}")
    };
    match of {
        0..1_000 => format!("{sign}${of}"),
        1_000..999_500 => scaled(1_000, "k"),
        999_500..999_500_000 => scaled(1_000_000, "M"),
        999_500_000..999_500_000_000 => scaled(1_000_000_000, "B"),
        _ => scaled(1_000_000_000_000, "T"),
    }
}

/// A number to three significant digits, with separators: `1,500,000`, `0.0123`.
pub fn number(value: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    let digits = value.abs().log10().floor() as i32;
    let places = (2 - digits).max(0) as usize;
    if places > 9 {
        return format!("{value:.2e}");
    }
    let scale = 10_f64.powi(2 - digits);
    let rounded = (value * scale).round() / scale;
    let sign = if rounded < 0.0 { "-" } else { "" };
    let text = format!("{:.places$}", rounded.abs());
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let fraction = fraction.trim_end_matches('0');
    let point = if fraction.is_empty() { "" } else { "." };
    match whole.parse() {
        Ok(whole) => format!("{sign}{}{point}{fraction}", group_thousands(whole)),
        Err(_) => format!("{value:.2e}"),
    }
}

/// A value with its unit, as a sentence has it: `17.5 %`, `$2.30M a year`, `4 x mean`.
pub fn valued(input: Input, value: f64) -> String {
    let unit = input.spec().unit;
    match unit {
        "share" => percent(value),
        "share/year" => format!("{} a year", percent(value)),
        "USD" => usd(value.round() as i64),
        "USD/year" => format!("{} a year", usd(value.round() as i64)),
        "yes or no" => if value > 0.5 { "yes" } else { "no" }.to_owned(),
        unit => format!("{} {unit}", number(value)),
    }
}

/// A share in percent: whole from 10 % on, with more digits below; never 0 or 100 for what is not.
pub fn percent(share: f64) -> String {
    let percent = share * 100.0;
    match percent.abs() {
        0.0 => "0 %".to_owned(),
        0.0..0.05 => "under 0.1 %".to_owned(),
        0.05..9.95 => format!("{percent:.1} %"),
        99.5..100.0 => "over 99 %".to_owned(),
        _ => format!("{percent:.0} %"),
    }
}

impl Tco {
    /// How the decision came about, after its headline.
    pub fn decision_reason(&self) -> String {
        let decision = &self.decision;
        let [chosen, next] = [decision.chosen, decision.next].map(|plan| self.plan(plan));
        format!(
            "Over {} months it costs {} on average, {} less than the next ({}, {}), and less than \
             it in {} of trials.",
            self.horizon_months,
            usd(chosen.cost_usd.mean),
            usd(decision.margin_usd),
            lower_first(next.plan.name()),
            usd(next.cost_usd.mean),
            percent(decision.confidence)
        )
    }

    /// The one assumption that flips the decision most easily, and from which value on.
    pub fn flip_sentence(&self) -> String {
        match self.flips.first() {
            Some(flip) if flip.chance > 0.0 => flip_words(flip),
            Some(flip) => format!(
                "No single assumption within its range changes which option costs least on \
                 average; beyond its range one would: {}",
                flip_words(flip)
            ),
            None => "No single assumption changes which option costs least on average, within its \
                 range or, for those that matter most, a hundred times beyond it."
                .to_owned(),
        }
    }

    /// How much of what doing nothing costs today the records bear out.
    pub fn known_sentence(&self) -> String {
        let year = usd(self.baseline.total_usd());
        match self.baseline.share_from_records() {
            Some(share) if share > 0.0 => format!(
                "Of what doing nothing costs today, {year} a year, {} is measured or derived; the \
                 rest is assumed, as is all that is to come.",
                percent(share)
            ),
            _ => format!(
                "Nothing of what doing nothing costs today, {year} a year, is measured: all of it \
                 is assumed."
            ),
        }
    }

    /// How far the claim of a break-even in 18-24 months holds.
    pub fn claim_sentence(&self) -> String {
        let (from, to) = (CLAIMED_BREAK_EVEN.start(), CLAIMED_BREAK_EVEN.end());
        let claim = &self.claim;
        if claim.share == 0.0 {
            return format!(
                "In none of the trials does any alternative break even in months {from} to {to}."
            );
        }
        format!(
            "Break-even in months {from} to {to}: in {} of trials at most, for {}.",
            percent(claim.share),
            lower_first(claim.plan.name())
        )
    }

    /// The do-nothing baseline and the pessimistic case.
    pub fn pessimistic_sentence(&self) -> String {
        let baseline = self.plan(Plan::Api);
        let alternative = self.plan(self.decision.alternative);
        format!(
            "Doing nothing costs {} on average and {} in the worst tenth of trials; the best \
             alternative ({}) {} and {}.",
            usd(baseline.cost_usd.mean),
            usd(baseline.worst_tenth_usd),
            lower_first(alternative.plan.name()),
            usd(alternative.cost_usd.mean),
            usd(alternative.worst_tenth_usd)
        )
    }
}

/// `Growth of the traffic (demand.growth) above 60 % a year: then …`
pub fn flip_words(flip: &Flip) -> String {
    let spec = flip.input.spec();
    let chance = match flip.chance {
        0.0 => "that is outside of the scenario's range".to_owned(),
        chance => format!("the scenario gives that a chance of {}", percent(chance)),
    };
    format!(
        "{} ({}) {} {}: then {} costs least on average; {chance}.",
        spec.what,
        spec.key,
        if flip.above { "above" } else { "below" },
        valued(flip.input, flip.value),
        lower_first(flip.to.name()),
    )
}

/// `Growth of the traffic 33 % a year, 8 of 10 within 13 % to 59 %; in all trials 35 %`, all of
/// them medians.
pub fn condition_words(condition: &Condition) -> String {
    let bare = |of: f64| bare(condition.input, of);
    let [low, middle, high] = condition.within;
    format!(
        "{}: {}, 8 of 10 within {} to {}; in all trials {}",
        condition.input.spec().what,
        valued(condition.input, middle),
        bare(low),
        bare(high),
        bare(condition.median)
    )
}

/// A value without the words of its unit: `17.5 %`, `$2.30M`, `4`.
pub fn bare(input: Input, value: f64) -> String {
    let words = valued(input, value);
    let unit = input.spec().unit;
    let bare = words.strip_suffix(unit).unwrap_or(&words);
    bare.trim_end_matches(" a year").trim().to_owned()
}

/// A name within a sentence; `API` keeps its capitals.
pub fn lower_first(name: &str) -> String {
    let mut letters = name.chars();
    let first = letters
        .next()
        .map(|letter| letter.to_lowercase().to_string());
    first.unwrap_or_default() + letters.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_three_digits() {
        for (amount, text) in [
            (0, "$0"),
            (999, "$999"),
            (1_000, "$1.00k"),
            (12_345, "$12.3k"),
            (-999_400, "-$999k"),
            (999_600, "$1.00M"),
            (4_560_000, "$4.56M"),
            (-1_200_000_000, "-$1.20B"),
            (i64::MAX, "$9223372T"),
        ] {
            assert_eq!(usd(amount), text);
        }
    }

    #[test]
    fn numbers_have_three_digits_and_shares_never_lie() {
        for (value, text) in [
            (0.0, "0"),
            (1_234_567.0, "1,230,000"),
            (999.9, "1,000"),
            (12.345, "12.3"),
            (-0.012_34, "-0.0123"),
            (4.0, "4"),
            (1e-12, "1.00e-12"),
        ] {
            assert_eq!(number(value), text);
        }
        for (share, text) in [
            (0.0, "0 %"),
            (0.000_1, "under 0.1 %"),
            (0.012, "1.2 %"),
            (0.175, "18 %"),
            (0.999, "over 99 %"),
            (1.0, "100 %"),
            (-0.2, "-20 %"),
        ] {
            assert_eq!(percent(share), text);
        }
    }
}
