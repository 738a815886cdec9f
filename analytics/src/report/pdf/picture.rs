//! Amounts as places in a picture, in thousandths of its side; the template draws them as vectors.

use crate::report::tco_chart::Scale;
use crate::tco::{Course, Influence, PlanOutcome};
use serde::Serialize;

/// The side of a picture.
pub(super) const SIDE: i64 = 1_000;

/// A part of a bar: which colour, from where, how wide.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Part {
    pub(super) kind: &'static str,
    pub(super) from: i64,
    pub(super) width: i64,
}

/// Parts side by side, on a scale whose full width is `max`. What is not nothing is seen.
pub(super) fn stacked(parts: &[(&'static str, u64)], max: u64) -> Vec<Part> {
    let mut from = 0;
    let mut placed = Vec::new();
    for (kind, amount) in parts.iter().filter(|(_, amount)| *amount > 0) {
        let wide = u128::from(*amount) * SIDE as u128 / u128::from(max.max(1));
        let width = i64::try_from(wide).unwrap_or(SIDE).clamp(4, SIDE);
        placed.push(Part { kind, from, width });
        from += width;
    }
    placed
}

/// A range on a scale from 0, with the line across it: from P10 to P90 with the median.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Range {
    parts: Vec<Part>,
    mark: i64,
}

/// An option's cost on a scale from 0 to `greatest`.
pub(super) fn range(plan: &PlanOutcome, greatest: i64) -> Range {
    let scale = Scale::of([greatest].into_iter());
    let cost = plan.cost_usd;
    let [low, mark, high] = [cost.p10, cost.p50, cost.p90].map(|amount| scale.place(amount));
    let part = Part {
        kind: "money",
        from: low,
        width: (high - low).max(4),
    };
    Range {
        parts: vec![part],
        mark,
    }
}

/// One bar of the tornado: the part that saves, the part that loses, and where nothing is saved.
pub(super) fn influence(bar: &Influence, scale: Scale) -> Range {
    let zero = scale.place(0);
    let [low, high] = [bar.saving_low_usd, bar.saving_high_usd].map(|usd| scale.place(usd));
    let (left, right) = (low.min(high), low.max(high));
    let loss = (zero.min(right) - left).max(0);
    let parts = [
        ("block", left, loss),
        ("redact", left + loss, right - left - loss),
    ];
    let parts = parts.into_iter().filter(|(_, _, width)| *width > 0);
    Range {
        parts: parts
            .map(|(kind, from, width)| Part { kind, from, width })
            .collect(),
        mark: zero,
    }
}

/// The fan of what an option has saved, from the bottom left; heights count from the top.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Fan {
    /// The band from P10 to P90 as a polygon.
    band: Vec<[i64; 2]>,
    /// The median, from left to right.
    middle: Vec<[i64; 2]>,
    /// Where nothing is saved.
    zero: i64,
    /// Where years end.
    years: Vec<i64>,
    /// What the top and the bottom stand for, whole dollars.
    pub(super) high: i64,
    pub(super) low: i64,
}

/// The picture of a course.
pub(super) fn fan(course: &Course) -> Fan {
    let saved = &course.saved_usd;
    let scale = Scale::of(saved.iter().flat_map(|of| [of.p10, of.p90]));
    let months = saved.len().max(1) as i64;
    let x = |month: usize| (month as i64) * SIDE / months;
    let y = |usd: i64| SIDE - scale.place(usd);
    let line = |of: &dyn Fn(usize) -> i64| -> Vec<[i64; 2]> {
        let points = (0..saved.len()).map(|at| [x(at + 1), y(of(at))]);
        [[0, y(0)]].into_iter().chain(points).collect()
    };
    let lower = line(&|at| saved[at].p10).into_iter().skip(1).rev();
    Fan {
        band: line(&|at| saved[at].p90).into_iter().chain(lower).collect(),
        middle: line(&|at| saved[at].p50),
        zero: y(0),
        years: (12..saved.len()).step_by(12).map(x).collect(),
        high: scale.high,
        low: scale.low,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tco::{Plan, Spread};

    #[test]
    fn parts_stand_side_by_side_and_never_vanish() {
        let placed = stacked(&[("money", 500), ("none", 0), ("other", 1)], 1_000_000);
        let part = |kind, from, width| Part { kind, from, width };
        assert_eq!(placed, [part("money", 0, 4), part("other", 4, 4)]);
        assert_eq!(stacked(&[("all", u64::MAX)], u64::MAX)[0].width, SIDE);
        assert_eq!(stacked(&[("all", 7)], 0)[0].width, SIDE);
    }

    #[test]
    fn the_fan_begins_at_nothing_and_ends_at_the_horizon() {
        let spread = |p50| Spread {
            p10: p50 - 50,
            p50,
            p90: p50 + 50,
            mean: p50,
        };
        let course = Course {
            plan: Plan::Hybrid,
            saved_usd: vec![spread(-50), spread(50)],
        };
        let fan = fan(&course);
        // From -100 to 100: nothing saved is half way up.
        assert_eq!(fan.middle, [[0, 500], [500, 750], [1_000, 250]]);
        let band = [[0, 500], [500, 500], [1_000, 0], [1_000, 500], [500, 1_000]];
        assert_eq!(fan.band, band);
        assert_eq!((fan.zero, fan.high, fan.low), (500, 100, -100));
    }
}
