//! What the trials say: percentiles, chances, break-even months.

use super::option::{COMPONENTS, Component, PLANS, Plan};
use super::simulation::Trials;
use serde::Serialize;

/// The business case's claim for high volume (figure 26), in months.
pub const CLAIMED_BREAK_EVEN: std::ops::RangeInclusive<u16> = 18..=24;

/// Percentiles of a number of trials.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Spread {
    /// One in ten trials is at or below.
    pub p10: i64,
    /// Half of the trials are at or below.
    pub p50: i64,
    /// Nine in ten trials are at or below.
    pub p90: i64,
    /// The mean of all trials.
    pub mean: i64,
}

/// One option's outcome. Amounts are whole dollars of net present cost.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PlanOutcome {
    /// Which option.
    pub plan: Plan,
    /// Its cost.
    pub cost_usd: Spread,
    /// The mean cost of its worst tenth of trials.
    pub worst_tenth_usd: i64,
    /// The standard error of the mean.
    pub standard_error_usd: i64,
    /// The mean of each component; they add up to the mean but for rounding.
    pub components_usd: Vec<ComponentMean>,
    /// The share of trials in which it costs least of all.
    pub cheapest: f64,
    /// The share of trials in which it costs less than each option, in [`Plan::ALL`]'s order.
    pub beats: [f64; PLANS],
    /// When it has cost less than the global API; absent for the global API itself.
    pub break_even: Option<BreakEven>,
}

/// The mean cost of one component.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ComponentMean {
    /// Which.
    pub component: Component,
    /// Its mean net present cost, whole dollars.
    pub usd: i64,
}

/// From which month on an option has cost less than the global API, to the end of the horizon.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BreakEven {
    /// The share of trials in which it never does.
    pub never: f64,
    /// The month among the trials in which it does: 10, 50, 90 of 100 at or before.
    pub months: Option<[u16; 3]>,
    /// The share of all trials that have broken even by the end of each month.
    pub by_month: Vec<f64>,
    /// The share of all trials in which it is within [`CLAIMED_BREAK_EVEN`].
    pub claimed: f64,
}

/// What an option has saved over the global API up to each month: the fan's lines.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Course {
    /// Which option.
    pub plan: Plan,
    /// By month, whole dollars, discounted.
    pub saved_usd: Vec<Spread>,
}

/// All options' outcomes.
pub(super) fn plans(trials: &Trials, horizon: usize) -> Vec<PlanOutcome> {
    let count = trials.npv.len() as f64;
    let mut cheapest = [0_u32; PLANS];
    let mut beats = [[0_u32; PLANS]; PLANS];
    for npv in &trials.npv {
        cheapest[least(npv)] += 1;
        for (of, row) in beats.iter_mut().enumerate() {
            for (over, wins) in row.iter_mut().enumerate() {
                *wins += u32::from(npv[of] < npv[over]);
            }
        }
    }
    let share = |n: u32| f64::from(n) / count;
    Plan::ALL
        .map(|plan| {
            let at = plan.index();
            let mut costs: Vec<f64> = trials.npv.iter().map(|npv| npv[at]).collect();
            let (mean, deviation) = mean_and_deviation(&costs);
            costs.sort_unstable_by(f64::total_cmp);
            let worst = &costs[costs.len() - (costs.len() / 10).max(1)..];
            PlanOutcome {
                plan,
                cost_usd: spread_sorted(&costs, mean),
                worst_tenth_usd: whole(worst.iter().sum::<f64>() / worst.len() as f64),
                standard_error_usd: whole(deviation / count.sqrt()),
                components_usd: components(&trials.components[at]),
                cheapest: share(cheapest[at]),
                beats: beats[at].map(share),
                break_even: (plan != Plan::Api).then(|| break_even(trials, at, horizon)),
            }
        })
        .to_vec()
}

fn components(means: &[f64; COMPONENTS]) -> Vec<ComponentMean> {
    let pairs = Component::ALL.into_iter().zip(means);
    pairs
        .map(|(component, mean)| ComponentMean {
            component,
            usd: whole(*mean),
        })
        .collect()
}

fn break_even(trials: &Trials, at: usize, horizon: usize) -> BreakEven {
    let count = trials.break_even.len() as f64;
    let mut months: Vec<u16> = trials.break_even.iter().map(|of| of[at]).collect();
    months.retain(|month| *month > 0);
    months.sort_unstable();
    let of = |p: f64| months[rank(p, months.len())];
    let up_to = |month: usize| months.partition_point(|m| usize::from(*m) <= month);
    let claimed = months.iter().filter(|m| CLAIMED_BREAK_EVEN.contains(m));
    BreakEven {
        never: 1.0 - months.len() as f64 / count,
        months: (!months.is_empty()).then(|| [of(0.1), of(0.5), of(0.9)]),
        by_month: (1..=horizon)
            .map(|month| up_to(month) as f64 / count)
            .collect(),
        claimed: claimed.count() as f64 / count,
    }
}

/// The courses of all options but the first.
pub(super) fn courses(trials: &Trials, horizon: usize) -> Vec<Course> {
    Plan::ALL[1..]
        .iter()
        .map(|plan| {
            let saved_usd = (0..horizon)
                .map(|month| {
                    let of_month = trials.courses.iter().skip(month).step_by(horizon);
                    let mut saved: Vec<f64> = of_month
                        .map(|course| f64::from(course[plan.index()]))
                        .collect();
                    let (mean, _) = mean_and_deviation(&saved);
                    saved.sort_unstable_by(f64::total_cmp);
                    spread_sorted(&saved, mean)
                })
                .collect();
            Course {
                plan: *plan,
                saved_usd,
            }
        })
        .collect()
}

/// The place of the least; the first of equals.
pub(super) fn least(costs: &[f64; PLANS]) -> usize {
    let places = 0..PLANS;
    places
        .min_by(|a, b| costs[*a].total_cmp(&costs[*b]))
        .unwrap_or(0)
}

/// The nearest-rank percentile's place among `count` sorted values (at least one).
fn rank(p: f64, count: usize) -> usize {
    ((p * count as f64).ceil() as usize).clamp(1, count) - 1
}

fn spread_sorted(sorted: &[f64], mean: f64) -> Spread {
    let of = |p: f64| whole(sorted[rank(p, sorted.len())]);
    Spread {
        p10: of(0.1),
        p50: of(0.5),
        p90: of(0.9),
        mean: whole(mean),
    }
}

/// Mean and standard deviation.
pub(super) fn mean_and_deviation(values: &[f64]) -> (f64, f64) {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (mean, (squares / (count - 1.0).max(1.0)).sqrt())
}

/// Whole dollars; what does not fit is the nearest that does.
pub(super) fn whole(usd: f64) -> i64 {
    usd.round() as i64
}
