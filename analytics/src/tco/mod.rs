//! Total cost of ownership: what it costs, over years, to answer the organization's prompts in five
//! ways, as a simulation over uncertain inputs. `docs/tco.md` is the model's definition.
//!
//! ```text
//! Scenario ──► Draw (one value per input) ──► Month (traffic, prices) ──► Flow (cost by option)
//!     │           └─ by seed, input, trial        └─ path                    └─ option, fleet
//!     └───────────────────── Trials ──► PlanOutcome, Influence, Flip, Claim ──► Decision
//! ```
//!
//! Amounts within the simulation are `f64` dollars, since they are estimates; what is told of them
//! is whole dollars. Nothing here reads a record: [`Demand`] brings what the records say.

mod baseline;
mod business_case;
mod capacity;
mod decision;
mod demand;
mod distribution;
mod fleet;
mod input;
mod lever;
mod near;
mod normal;
mod option;
mod outcome;
mod path;
mod random;
mod scenario;
mod sensitivity;
mod simulation;
mod traffic;
pub mod words;

pub use baseline::{Baseline, BaselinePart};
pub use business_case::{APPROACHES, BusinessCase, Cell, Figure, TAX_ALTERNATIVES, TableRow};
pub use decision::{Certainty, Decision};
pub use demand::{Demand, Unusable};
pub use distribution::{Distribution, Invalid};
pub use input::{INPUTS, Input, Spec};
pub use option::{COMPONENTS, Component, PLANS, Plan};
pub use outcome::{BreakEven, CLAIMED_BREAK_EVEN, ComponentMean, Course, PlanOutcome, Spread};
pub use scenario::{Choice, Gpu, Hosting, MONTHS_MAX, Quantity, Scenario, SetError, TaxMethod};
pub use sensitivity::{Claim, Condition, Flip, Influence};
pub use simulation::{COURSES_MAX, Settings, TRIALS};
pub use traffic::Traffic;

use serde::Serialize;
use simulation::Trials;

/// Of how many inputs values beyond their ranges are looked at, besides the traffic.
const LEVERS: usize = 4;

/// Everything that a simulation tells.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Tco {
    /// The scenario's title.
    pub scenario: String,
    /// What must be known to read the scenario.
    pub about: String,
    /// Whose traffic it is about.
    pub traffic: Traffic,
    /// What doing nothing costs today.
    pub baseline: Baseline,
    /// How many months were looked at.
    pub horizon_months: usize,
    /// Which ways of reckoning held.
    pub choice: Choice,
    /// How many trials were run.
    pub trials: u32,
    /// The seed.
    pub seed: u64,
    /// What it says to do.
    pub decision: Decision,
    /// Each option, in [`Plan::ALL`]'s order.
    pub plans: Vec<PlanOutcome>,
    /// What the saving of the best alternative over the global API depends on, widest first.
    pub tornado: Vec<Influence>,
    /// What changes which option costs least on average, likeliest first; where nothing within its
    /// range does, what would beyond it, nearest first.
    pub flips: Vec<Flip>,
    /// How far the business case's claim of a break-even in 18-24 months holds.
    pub claim: Claim,
    /// What each alternative saves over the global API up to each month, over the first
    /// [`COURSES_MAX`] trials.
    pub courses: Vec<Course>,
    /// The inputs, with their sources and standings.
    pub assumptions: Vec<Assumption>,
}

/// One input as a report tells it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Assumption {
    /// Its key in scenario files.
    pub key: &'static str,
    /// What it is.
    pub what: &'static str,
    /// Its unit.
    pub unit: &'static str,
    /// The distribution's name.
    pub distribution: &'static str,
    /// The numbers that state the distribution.
    pub numbers: Vec<f64>,
    /// Its 10th, 50th and 90th percentile.
    pub percentiles: [f64; 3],
    /// Where it comes from.
    pub source: String,
    /// How far it can be relied on.
    pub standing: crate::tax::Standing,
}

impl Tco {
    /// Simulates a scenario. The result is the same, to the byte, for the same scenario, seed and
    /// number of trials, whatever the number of threads.
    pub fn simulate(scenario: &Scenario, traffic: Traffic, settings: Settings) -> Tco {
        let settings = Settings {
            trials: settings.trials.clamp(*TRIALS.start(), *TRIALS.end()),
            ..settings
        };
        let trials = Trials::run(scenario, settings);
        let plans = outcome::plans(&trials, scenario.horizon_months);
        let decision = Decision::on(&plans);
        let seed = settings.seed;
        let tornado = sensitivity::tornado(scenario, seed, &trials, decision.alternative);
        let mut flips = sensitivity::flips(scenario, seed, &trials, decision.chosen);
        if flips.is_empty() {
            let widest = tornado.iter().map(|bar| bar.input).take(LEVERS);
            let mut levers: Vec<Input> = widest.collect();
            if !levers.contains(&Input::Requests) {
                levers.push(Input::Requests);
            }
            flips = lever::beyond(scenario, settings, decision.chosen, &levers);
        }
        Tco {
            scenario: scenario.title.clone(),
            about: scenario.about.clone(),
            traffic,
            baseline: Baseline::of(scenario),
            horizon_months: scenario.horizon_months,
            choice: scenario.choice,
            trials: settings.trials,
            seed,
            tornado,
            flips,
            claim: sensitivity::claim(scenario, seed, &trials),
            courses: outcome::courses(&trials, scenario.horizon_months),
            assumptions: assumptions(scenario),
            plans,
            decision,
        }
    }

    /// An option's outcome.
    pub fn plan(&self, plan: Plan) -> &PlanOutcome {
        &self.plans[plan.index()]
    }
}

fn assumptions(scenario: &Scenario) -> Vec<Assumption> {
    let one = |input: &Input| {
        let quantity = &scenario[*input];
        let Spec {
            key, unit, what, ..
        } = *input.spec();
        Assumption {
            key,
            what,
            unit,
            distribution: quantity.distribution.name(),
            numbers: quantity.distribution.numbers(),
            percentiles: [0.1, 0.5, 0.9].map(|p| scenario.value(*input, p)),
            source: quantity.source.clone(),
            standing: quantity.standing,
        }
    };
    INPUTS.iter().map(one).collect()
}
