//! The charts of the total cost of ownership, as inline SVG whose texts stand beside it in HTML.

use crate::tco::words::{bare, usd};
use crate::tco::{Course, Influence, PlanOutcome};
use maud::{Markup, html};

/// Charts are drawn in this many units each way and stretched to their place.
const SIDE: i64 = 1_000;

/// A scale from the least to the greatest amount.
#[derive(Clone, Copy)]
pub(super) struct Scale {
    pub(super) low: i64,
    pub(super) high: i64,
}

impl Scale {
    /// The scale that holds all amounts.
    pub(super) fn of(amounts: impl Iterator<Item = i64>) -> Scale {
        let scale = Scale { low: 0, high: 0 };
        amounts.fold(scale, |Scale { low, high }, amount| Scale {
            low: low.min(amount),
            high: high.max(amount),
        })
    }

    /// Where an amount is, from 0 to [`SIDE`].
    pub(super) fn place(self, amount: i64) -> i64 {
        let width = (i128::from(self.high) - i128::from(self.low)).max(1);
        let from_low = i128::from(amount) - i128::from(self.low);
        i64::try_from(from_low * i128::from(SIDE) / width).unwrap_or(SIDE)
    }
}

/// The greatest P90 of all options: what the full width of a [`range`] stands for.
pub(super) fn greatest(plans: &[PlanOutcome]) -> i64 {
    plans
        .iter()
        .map(|plan| plan.cost_usd.p90)
        .max()
        .unwrap_or(0)
}

/// The range from P10 to P90 as a bar, the median as a line across it, from 0 to `greatest`.
pub(super) fn range(plan: &PlanOutcome, greatest: i64) -> Markup {
    let scale = Scale {
        low: 0,
        high: greatest,
    };
    let cost = plan.cost_usd;
    let [low, middle, high] = [cost.p10, cost.p50, cost.p90].map(|amount| scale.place(amount));
    let label = format!(
        "{} to {}, median {}",
        usd(cost.p10),
        usd(cost.p90),
        usd(cost.p50)
    );
    html! {
        svg.bar viewBox={ "0 0 " (SIDE) " 10" } preserveAspectRatio="none" role="img" aria-label=(label) {
            rect.money x=(low) y="1" width=((high - low).max(4)) height="8" { title { (label) } }
            rect.ink x=(middle - 2) y="0" width="5" height="10" {}
        }
    }
}

/// What an option has saved over the global API up to each month: the band from P10 to P90, the
/// median in it, and the line above which it has paid.
pub(super) fn fan(course: &Course) -> Markup {
    let months = course.saved_usd.len();
    let amounts = course.saved_usd.iter().flat_map(|of| [of.p10, of.p90]);
    let scale = Scale::of(amounts);
    let x = |at: usize| (at as i64 + 1) * SIDE / months.max(1) as i64;
    let y = |amount: i64| SIDE - scale.place(amount);
    let points = |of: &mut dyn Iterator<Item = (usize, i64)>| -> String {
        let points: Vec<String> = of
            .map(|(at, amount)| format!("{},{}", x(at), y(amount)))
            .collect();
        points.join(" ")
    };
    let saved = || course.saved_usd.iter().enumerate();
    let start = format!("0,{}", y(0));
    let upper = points(&mut saved().map(|(at, of)| (at, of.p90)));
    let lower = points(&mut saved().rev().map(|(at, of)| (at, of.p10)));
    let middle = points(&mut saved().map(|(at, of)| (at, of.p50)));
    let years = (12..months).step_by(12);
    let label = format!(
        "Saved over the global API after {months} months: {}",
        course
            .saved_usd
            .last()
            .map_or_else(String::new, |of| format!(
                "{} to {}, median {}",
                usd(of.p10),
                usd(of.p90),
                usd(of.p50)
            ))
    );
    html! {
        figure.columns.fan {
            div.scale { span { (usd(scale.high)) } span { (usd(scale.low)) } }
            svg viewBox={ "0 0 " (SIDE) " " (SIDE) } preserveAspectRatio="none" role="img" aria-label=(label) {
                @for month in years { line.grid x1=(x(month - 1)) y1="0" x2=(x(month - 1)) y2=(SIDE) {} }
                polygon.band points={ (start) " " (upper) " " (lower) } {}
                polyline.middle points={ (start) " " (middle) } {}
                line.axis x1="0" y1=(y(0)) x2=(SIDE) y2=(y(0)) {}
            }
            div.ticks { span { "start" } span { "month " (months / 2) } span { "month " (months) } }
            div.scale.foot { span { "lowest " (usd(scale.low)) } span {} }
        }
    }
}

/// What a saving hangs on: for each input a bar from the mean saving where it is low to that where
/// it is high, all on one scale, with the line at which nothing is saved.
pub(super) fn tornado(bars: &[Influence]) -> Markup {
    let ends = |bar: &Influence| [bar.saving_low_usd, bar.saving_high_usd];
    let scale = Scale::of(bars.iter().flat_map(ends));
    let zero = scale.place(0);
    html! {
        div.wide { table.tornado {
            thead { tr { th { "Input" } th.number { "Low" } th.number { "Saves" } th.chart { "From low to high" } th.number { "Saves" } th.number { "High" } } }
            tbody { @for bar in bars { tr {
                th scope="row" { (bar.input.spec().what) br; code { (bar.input.spec().key) } }
                td.number { (bare(bar.input, bar.range[0])) }
                td.number { (usd(bar.saving_low_usd)) }
                td.chart { (span(bar, scale, zero)) }
                td.number { (usd(bar.saving_high_usd)) }
                td.number { (bare(bar.input, bar.range[1])) }
            } } }
        } }
    }
}

fn span(bar: &Influence, scale: Scale, zero: i64) -> Markup {
    let (low, high) = (
        scale.place(bar.saving_low_usd),
        scale.place(bar.saving_high_usd),
    );
    let (left, right) = (low.min(high), low.max(high));
    // The part below nothing saved has the colour of a loss.
    let loss = (zero.min(right) - left).max(0);
    let label = format!(
        "{} to {}",
        usd(bar.saving_low_usd),
        usd(bar.saving_high_usd)
    );
    html! {
        svg.bar viewBox={ "0 0 " (SIDE) " 10" } preserveAspectRatio="none" role="img" aria-label=(label) {
            @if loss > 0 { rect.block x=(left) y="1" width=(loss) height="8" {} }
            @if right > left + loss { rect.redact x=(left + loss) y="1" width=(right - left - loss) height="8" { title { (label) } } }
            rect.ink x=(zero.clamp(0, SIDE - 3)) y="0" width="3" height="10" {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tco::{Plan, Spread};

    #[test]
    fn places_are_in_proportion_and_hold_the_zero() {
        let scale = Scale::of([-50, 150].into_iter());
        assert_eq!(
            [-50, 0, 150].map(|amount| scale.place(amount)),
            [0, 250, SIDE]
        );
        // Nothing spent at all, and amounts as large as there are.
        assert_eq!(Scale::of([0].into_iter()).place(0), 0);
        let widest = Scale::of([i64::MIN, i64::MAX].into_iter());
        assert_eq!(widest.place(i64::MAX), SIDE);
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
        let svg = fan(&course).into_string();
        // From -100 to 100: nothing saved is half way up.
        assert!(svg.contains("points=\"0,500 500,750 1000,250\""), "{svg}");
        assert!(
            svg.contains("points=\"0,500 500,500 1000,0 1000,500 500,1000\""),
            "{svg}"
        );
    }
}
