//! What the outcome says to do.

use super::option::{PLANS, Plan};
use super::outcome::PlanOutcome;
use super::words::lower_first;
use serde::Serialize;

/// The option that costs least on average, and how sure that is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Decision {
    /// Which option costs least on average.
    pub chosen: Plan,
    /// The best option that is not [`Decision::chosen`].
    pub next: Plan,
    /// Which alternative to the global API costs least on average.
    pub alternative: Plan,
    /// The mean cost of `next` less that of `chosen`, whole dollars.
    pub margin_usd: i64,
    /// In how many trials of all `chosen` costs less than `next`.
    pub confidence: f64,
    /// How sure it is.
    pub certainty: Certainty,
}

/// How sure a decision is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Certainty {
    /// It costs less than the next in at least four trials of five.
    Clear,
    /// In at least three of five.
    Likely,
    /// Neither: what is not known decides.
    Open,
}

impl Decision {
    /// The decision on all options' outcomes, in [`Plan::ALL`]'s order.
    pub(super) fn on(plans: &[PlanOutcome]) -> Decision {
        let mean = |plan: &Plan| plans[plan.index()].cost_usd.mean;
        let mut ranked: [Plan; PLANS] = Plan::ALL;
        ranked.sort_by_key(mean);
        let [chosen, next, ..] = ranked;
        let alternative = if chosen == Plan::Api { next } else { chosen };
        let confidence = plans[chosen.index()].beats[next.index()];
        Decision {
            chosen,
            next,
            alternative,
            margin_usd: mean(&next) - mean(&chosen),
            confidence,
            certainty: match confidence {
                0.8.. => Certainty::Clear,
                0.6.. => Certainty::Likely,
                _ => Certainty::Open,
            },
        }
    }

    /// The decision in a few words.
    pub fn headline(&self) -> String {
        let act = match self.chosen {
            Plan::Api => "Do not build: stay with global APIs",
            Plan::Build => "Build a model from scratch",
            Plan::FineTune => "Fine-tune an open model and run it",
            Plan::Managed => "Take a managed sovereign cloud",
            Plan::Hybrid => "Go hybrid through this gate; do not build",
        };
        match self.certainty {
            Certainty::Clear => act.to_owned(),
            Certainty::Likely => format!("{act} (likely, not certain)"),
            Certainty::Open => format!(
                "No clear decision: {} costs least on average, but not reliably",
                lower_first(self.chosen.name())
            ),
        }
    }
}
