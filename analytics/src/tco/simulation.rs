//! The simulation: every option in every trial, with the same draws for all options.
//!
//! The result depends on scenario, seed and number of trials only: a trial's draws are functions of
//! its number, each trial writes to places of its own, and sums are taken in the order of trials.

use super::input::{COUNT, INPUTS};
use super::option::{COMPONENTS, Flow, PLANS, Plan, flow};
use super::path::{self, Draw, Month};
use super::random::Stream;
use super::scenario::{MONTHS_MAX, Scenario};
use std::num::NonZeroUsize;

/// The fewest and the most trials that may be asked for.
pub const TRIALS: std::ops::RangeInclusive<u32> = 1_000..=2_000_000;

/// Of how many trials the monthly course is kept.
pub const COURSES_MAX: u32 = 10_000;

/// How many trials a thread takes at a time.
const CHUNK: u32 = 1_024;

/// How a simulation is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// How many trials, within [`TRIALS`].
    pub trials: u32,
    /// The same seed makes the same bytes.
    pub seed: u64,
    /// Threads; the result does not depend on them.
    pub threads: NonZeroUsize,
}

/// What happened in each trial. Amounts are `f64` dollars: they are estimates, not accounts.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Trials {
    /// Net present cost of each option, by trial.
    pub(super) npv: Vec<[f64; PLANS]>,
    /// From which month on each option has cost less than the first, by trial; 0: never.
    pub(super) break_even: Vec<[u16; PLANS]>,
    /// What each option has saved over the first up to each month, discounted, by trial and month,
    /// for the first [`COURSES_MAX`] trials.
    pub(super) courses: Vec<[f32; PLANS]>,
    /// The mean of each component of each option.
    pub(super) components: [[f64; COMPONENTS]; PLANS],
}

impl Trials {
    /// Runs the trials.
    pub(super) fn run(scenario: &Scenario, settings: Settings) -> Trials {
        let sampler = Sampler::new(scenario, settings.seed);
        let count = settings.trials as usize;
        let horizon = scenario.horizon_months;
        let courses = settings.trials.min(COURSES_MAX) as usize * horizon;
        let mut trials = Trials {
            npv: vec![[0.0; PLANS]; count],
            break_even: vec![[0; PLANS]; count],
            courses: vec![[0.0; PLANS]; courses],
            components: [[0.0; COMPONENTS]; PLANS],
        };
        let chunk = CHUNK as usize;
        let mut jobs: Vec<Job<'_>> = Vec::with_capacity(count.div_ceil(chunk));
        let mut courses = trials.courses.as_mut_slice();
        for (npv, break_even) in
            (trials.npv.chunks_mut(chunk)).zip(trials.break_even.chunks_mut(chunk))
        {
            let kept = courses.len().min(npv.len() * horizon);
            let (mine, rest) = courses.split_at_mut(kept);
            courses = rest;
            jobs.push(Job {
                first: jobs.len() as u32 * CHUNK,
                npv,
                break_even,
                courses: mine,
                components: [[0.0; COMPONENTS]; PLANS],
            });
        }
        let share = jobs.len().div_ceil(settings.threads.get());
        std::thread::scope(|scope| {
            for jobs in jobs.chunks_mut(share.max(1)) {
                let sampler = &sampler;
                scope.spawn(move || jobs.iter_mut().for_each(|job| job.run(sampler)));
            }
        });
        let mut components = [[0.0; COMPONENTS]; PLANS];
        for job in &jobs {
            for (sums, of_job) in components.iter_mut().zip(job.components) {
                for (sum, part) in sums.iter_mut().zip(of_job) {
                    *sum += part / count as f64;
                }
            }
        }
        trials.components = components;
        trials
    }
}

/// Makes the draws of trials.
pub(super) struct Sampler<'a> {
    scenario: &'a Scenario,
    streams: [Stream; COUNT],
    /// The values of the inputs that are fixed; the others are drawn.
    fixed: [Option<f64>; COUNT],
}

impl Sampler<'_> {
    pub(super) fn new(scenario: &Scenario, seed: u64) -> Sampler<'_> {
        let fixed = |i: usize| {
            let is_fixed = scenario[INPUTS[i]].distribution.is_fixed();
            is_fixed.then(|| scenario.value(INPUTS[i], 0.5))
        };
        Sampler {
            scenario,
            streams: std::array::from_fn(|i| Stream::new(seed, INPUTS[i].spec().key)),
            fixed: std::array::from_fn(fixed),
        }
    }

    /// The draws of one trial.
    fn draw(&self, trial: u32) -> Draw {
        Draw(std::array::from_fn(|i| {
            self.fixed[i].unwrap_or_else(|| {
                self.scenario
                    .value(INPUTS[i], self.streams[i].uniform(trial))
            })
        }))
    }
}

/// A run of trials, and the places that they write to.
struct Job<'a> {
    first: u32,
    npv: &'a mut [[f64; PLANS]],
    break_even: &'a mut [[u16; PLANS]],
    courses: &'a mut [[f32; PLANS]],
    components: [[f64; COMPONENTS]; PLANS],
}

impl Job<'_> {
    fn run(&mut self, sampler: &Sampler<'_>) {
        let scenario = sampler.scenario;
        let horizon = scenario.horizon_months;
        let mut months = [Month::default(); MONTHS_MAX];
        let months = &mut months[..horizon];
        let mut course = vec![[0.0; PLANS]; horizon];
        for at in 0..self.npv.len() {
            let draw = sampler.draw(self.first + at as u32);
            path::months(&draw, scenario.choice, months);
            let flows = Plan::ALL.map(|plan| flow(plan, &draw, scenario.choice, months));
            self.npv[at] = std::array::from_fn(|plan| flows[plan].npv());
            self.break_even[at] = savings(&flows, months, &mut course);
            let kept = self.courses.get_mut(at * horizon..(at + 1) * horizon);
            if let Some(kept) = kept {
                for (kept, saved) in kept.iter_mut().zip(&course) {
                    *kept = saved.map(|usd| usd as f32);
                }
            }
            for (sums, flow) in self.components.iter_mut().zip(&flows) {
                for (sum, part) in sums.iter_mut().zip(flow.components) {
                    *sum += part;
                }
            }
        }
    }
}

/// Fills in what each option has saved over the first up to each month, discounted, and tells from
/// which month on (from 1; 0: never) it has cost less.
fn savings(flows: &[Flow; PLANS], months: &[Month], course: &mut [[f64; PLANS]]) -> [u16; PLANS] {
    let mut saved = [0.0; PLANS];
    let mut last_behind = [0; PLANS];
    for (at, (month, course)) in months.iter().zip(course).enumerate() {
        for plan in 0..PLANS {
            let saving = flows[0].monthly[at] - flows[plan].monthly[at];
            saved[plan] += saving * month.discount;
            if saved[plan] <= 0.0 {
                last_behind[plan] = at + 1;
            }
        }
        *course = saved;
    }
    last_behind.map(|behind| {
        if behind == months.len() {
            0
        } else {
            behind as u16 + 1
        }
    })
}

#[cfg(test)]
mod tests;
