//! Which inputs the outcome hangs on, read from the same trials: a trial's draw of an input is made
//! again from its number, and trials are compared by it.

use super::input::Input;
use super::option::{PLANS, Plan};
use super::outcome::{CLAIMED_BREAK_EVEN, least, whole};
use super::random::Stream;
use super::scenario::Scenario;
use super::simulation::Trials;
use serde::{Serialize, Serializer};

/// How many bins of equal probability a search for flips has.
const BINS: usize = 20;
/// How many standard errors a difference of means must have to count.
const ERRORS: f64 = 4.0;
/// How many trials must be in a window before conditions are told.
const WINDOW_MIN: usize = 100;

/// How much the saving of one option over another depends on one input: a bar of the tornado.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Influence {
    /// Which input.
    #[serde(serialize_with = "as_key")]
    pub input: Input,
    /// Its 10th and 90th percentile.
    pub range: [f64; 2],
    /// The mean saving over the tenth of trials in which it is lowest.
    pub saving_low_usd: i64,
    /// The mean saving over the tenth in which it is highest.
    pub saving_high_usd: i64,
}

impl Influence {
    /// How far apart its ends are, in whole dollars.
    pub fn swing(&self) -> u64 {
        self.saving_high_usd.abs_diff(self.saving_low_usd)
    }
}

/// An input that decides, and from which value on.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Flip {
    /// Which input.
    #[serde(serialize_with = "as_key")]
    pub input: Input,
    /// From here on, up or down, another option costs least on average.
    pub value: f64,
    /// Whether it is above the value that the other option costs least, or below.
    pub above: bool,
    /// Which option that is.
    pub to: Plan,
    /// How probable the scenario holds such values; 0 where they are outside its range.
    pub chance: f64,
}

/// How an input differs among the trials of a window from all trials.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Condition {
    /// Which input.
    #[serde(serialize_with = "as_key")]
    pub input: Input,
    /// Its median over all trials.
    pub median: f64,
    /// Its 10th, 50th and 90th percentile among the trials of the window.
    pub within: [f64; 3],
}

/// The trials that meet the business case's break-even claim.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Claim {
    /// Of which option.
    pub plan: Plan,
    /// The share of trials that meet it.
    pub share: f64,
    /// What is different in them, most different first; empty when they are too few to tell.
    pub conditions: Vec<Condition>,
}

fn as_key<S: Serializer>(input: &Input, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(input.spec().key)
}

/// The draws of one input over all trials, as probabilities.
fn draws(input: Input, seed: u64, trials: &Trials) -> impl Iterator<Item = f64> {
    let stream = Stream::new(seed, input.spec().key);
    (0..trials.npv.len() as u32).map(move |trial| stream.uniform(trial))
}

/// The tornado of `plan`'s saving over the global API: inputs whose tenths differ by more than
/// chance, widest first.
pub(super) fn tornado(
    scenario: &Scenario,
    seed: u64,
    trials: &Trials,
    plan: Plan,
) -> Vec<Influence> {
    let saving = |npv: &[f64; PLANS]| npv[Plan::Api.index()] - npv[plan.index()];
    let mut bars: Vec<Influence> = scenario
        .uncertain()
        .filter_map(|input| {
            let (mut low, mut high) = (Tally::default(), Tally::default());
            for (p, npv) in draws(input, seed, trials).zip(&trials.npv) {
                if p < 0.1 {
                    low.add(saving(npv));
                } else if p >= 0.9 {
                    high.add(saving(npv));
                }
            }
            let is_told = low.differs(&high);
            is_told.then(|| Influence {
                input,
                range: [scenario.value(input, 0.1), scenario.value(input, 0.9)],
                saving_low_usd: whole(low.mean()),
                saving_high_usd: whole(high.mean()),
            })
        })
        .collect();
    bars.sort_by_key(|bar| std::cmp::Reverse(bar.swing()));
    bars
}

/// The inputs that change which option costs least on average, likeliest first.
pub(super) fn flips(scenario: &Scenario, seed: u64, trials: &Trials, chosen: Plan) -> Vec<Flip> {
    let mut flips: Vec<Flip> = scenario
        .uncertain()
        .flat_map(|input| flips_of(scenario, input, seed, trials, chosen))
        .collect();
    flips.sort_by(|a, b| b.chance.total_cmp(&a.chance));
    flips
}

/// The flips at the upper and at the lower end of one input.
fn flips_of(
    scenario: &Scenario,
    input: Input,
    seed: u64,
    trials: &Trials,
    chosen: Plan,
) -> Vec<Flip> {
    // By bin and option, what it costs more than the chosen one.
    let mut bins = vec![[Tally::default(); PLANS]; BINS];
    for (p, npv) in draws(input, seed, trials).zip(&trials.npv) {
        let bin = &mut bins[((p * BINS as f64) as usize).min(BINS - 1)];
        for (tally, cost) in bin.iter_mut().zip(npv) {
            tally.add(cost - npv[chosen.index()]);
        }
    }
    let winner = |bin: &[Tally; PLANS]| least(&bin.map(|tally| tally.mean()));
    let ends = [true, false].into_iter().filter_map(|above| {
        let inward: Vec<usize> = if above {
            (0..BINS).rev().collect()
        } else {
            (0..BINS).collect()
        };
        let end = &bins[inward[0]];
        let to = winner(end);
        if to == chosen.index() || !end[to].is_below_zero() {
            return None;
        }
        let flipped = inward
            .iter()
            .take_while(|bin| winner(&bins[**bin]) != chosen.index());
        let count = flipped.count();
        if count == BINS {
            return None;
        }
        // Between the middles of the last bin that flips and the first that does not, in
        // proportion to how far each is from equal cost.
        let middle = |bin: usize| (bin as f64 + 0.5) / BINS as f64;
        let (out, kept) = (inward[count - 1], inward[count]);
        let to = winner(&bins[out]);
        let (gain, loss) = (-bins[out][to].mean(), bins[kept][to].mean());
        let p = middle(out) + (middle(kept) - middle(out)) * gain / (gain + loss);
        Some(Flip {
            input,
            value: scenario.value(input, p),
            above,
            to: Plan::ALL[to],
            chance: if above { 1.0 - p } else { p },
        })
    });
    ends.collect()
}

/// Of which option most trials break even within the window that the business case claims, and
/// what is different in them.
pub(super) fn claim(scenario: &Scenario, seed: u64, trials: &Trials) -> Claim {
    let is_in = |of: &[u16; PLANS], plan: Plan| CLAIMED_BREAK_EVEN.contains(&of[plan.index()]);
    let count = |plan: Plan| {
        trials
            .break_even
            .iter()
            .filter(|of| is_in(of, plan))
            .count()
    };
    // The last of equals is the first option, so that ties are told of the plainest.
    let plan = Plan::ALL[1..]
        .iter()
        .copied()
        .rev()
        .max_by_key(|plan| count(*plan))
        .unwrap_or(Plan::Api);
    let within = count(plan);
    let mut conditions: Vec<(f64, Condition)> = Vec::new();
    if within >= WINDOW_MIN {
        for input in scenario.uncertain() {
            let mut ps: Vec<f64> = draws(input, seed, trials)
                .zip(&trials.break_even)
                .filter(|(_, of)| is_in(of, plan))
                .map(|(p, _)| p)
                .collect();
            let mean = ps.iter().sum::<f64>() / within as f64;
            let distance = (mean - 0.5).abs();
            if distance < ERRORS * (1.0 / 12.0 / within as f64).sqrt() {
                continue;
            }
            ps.sort_unstable_by(f64::total_cmp);
            let at = |q: f64| scenario.value(input, ps[(q * within as f64) as usize]);
            let condition = Condition {
                input,
                median: scenario.value(input, 0.5),
                within: [at(0.1), at(0.5), at(0.9)],
            };
            conditions.push((distance, condition));
        }
    }
    conditions.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    Claim {
        plan,
        share: within as f64 / trials.break_even.len() as f64,
        conditions: conditions.into_iter().map(|(_, c)| c).collect(),
    }
}

/// Count, sum and sum of squares.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    count: f64,
    sum: f64,
    squares: f64,
}

impl Tally {
    fn add(&mut self, value: f64) {
        self.count += 1.0;
        self.sum += value;
        self.squares += value * value;
    }

    fn mean(&self) -> f64 {
        self.sum / self.count.max(1.0)
    }

    /// The variance of the mean.
    fn variance(&self) -> f64 {
        let count = self.count.max(2.0);
        (self.squares / count - self.mean().powi(2)).max(0.0) / (count - 1.0)
    }

    fn differs(&self, other: &Tally) -> bool {
        let error = (self.variance() + other.variance()).sqrt();
        (self.mean() - other.mean()).abs() > ERRORS * error
    }

    fn is_below_zero(&self) -> bool {
        self.mean() < -ERRORS * self.variance().sqrt()
    }
}
