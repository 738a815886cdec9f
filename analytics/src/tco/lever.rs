//! What would have to be true, outside of the scenario's ranges, for another option to cost least.

use super::distribution::Distribution;
use super::input::Input;
use super::option::{PLANS, Plan};
use super::outcome::least;
use super::scenario::Scenario;
use super::sensitivity::Flip;
use super::simulation::{Settings, Trials};

/// Trials of each question: enough for a mean, since draws are the same in all of them.
const TRIALS: u32 = 1_000;
/// How far beyond its range an input is looked at, as a factor.
const REACH: f64 = 100.0;
/// Halvings of the search: the value is within 2 % for a reach of 100.
const HALVINGS: usize = 8;

/// The flips of some inputs beyond their ranges, nearest to the median first.
pub(super) fn beyond(
    scenario: &Scenario,
    settings: Settings,
    chosen: Plan,
    inputs: &[Input],
) -> Vec<Flip> {
    let settings = Settings {
        trials: TRIALS,
        ..settings
    };
    let mut flips: Vec<(f64, Flip)> = Vec::new();
    for input in inputs {
        let median = scenario.value(*input, 0.5);
        for above in [true, false] {
            let flip = search(scenario, settings, chosen, *input, above);
            if let Some(flip) = flip.filter(|_| median > 0.0) {
                flips.push(((flip.value / median).ln().abs(), flip));
            }
        }
    }
    flips.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    flips.into_iter().map(|(_, flip)| flip).collect()
}

/// The value beyond one end of an input's range from which on another option costs least.
fn search(
    scenario: &Scenario,
    settings: Settings,
    chosen: Plan,
    input: Input,
    above: bool,
) -> Option<Flip> {
    let (min, max) = input.spec().bounds;
    let edge = scenario.value(input, if above { 0.999 } else { 0.001 });
    let end = if above { edge * REACH } else { edge / REACH };
    let end = end.clamp(min, max);
    if edge <= 0.0 || end <= 0.0 || edge == end {
        return None;
    }
    let mut to = cheapest_at(scenario, settings, input, end);
    if to == chosen {
        return None;
    }
    let (mut kept, mut flipped) = (edge.ln(), end.ln());
    for _ in 0..HALVINGS {
        let middle = (kept + flipped) / 2.0;
        let there = cheapest_at(scenario, settings, input, middle.exp());
        if there == chosen {
            kept = middle;
        } else {
            (flipped, to) = (middle, there);
        }
    }
    Some(Flip {
        input,
        value: flipped.exp(),
        above,
        to,
        chance: 0.0,
    })
}

/// Which option costs least on average with an input at a value.
fn cheapest_at(scenario: &Scenario, settings: Settings, input: Input, value: f64) -> Plan {
    let mut scenario = scenario.clone();
    let mut quantity = scenario[input].clone();
    quantity.distribution = Distribution::Fixed(value);
    scenario.put(input, quantity);
    let trials = Trials::run(&scenario, settings);
    let mut sums = [0.0; PLANS];
    for npv in &trials.npv {
        for (sum, cost) in sums.iter_mut().zip(npv) {
            *sum += cost;
        }
    }
    Plan::ALL[least(&sums)]
}
