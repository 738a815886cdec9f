//! The options, and what each costs in each month of one trial.

use super::capacity::Capacity;
use super::fleet::Fleet;
use super::input::Input;
use super::path::{Draw, HOURS_PER_MONTH, Month};
use super::scenario::{Choice, Gpu, Hosting, MONTHS_MAX};
use serde::{Deserialize, Serialize};

/// A way of answering the organization's prompts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Plan {
    /// Global APIs, with the compliance tax: nothing is done.
    Api,
    /// An own model, trained from scratch.
    Build,
    /// An open model, fine-tuned and run by the organization.
    FineTune,
    /// A sovereign cloud's managed model.
    Managed,
    /// An open model behind this gate for the share that must stay, global APIs for the rest.
    Hybrid,
}

/// How many options there are.
pub const PLANS: usize = 5;

impl Plan {
    /// All options, in the order in which they are told. The first is the one to which the others
    /// are compared.
    pub const ALL: [Plan; PLANS] = [
        Plan::Api,
        Plan::Build,
        Plan::FineTune,
        Plan::Managed,
        Plan::Hybrid,
    ];

    /// Its name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Plan::Api => "Global API and its tax",
            Plan::Build => "Build from scratch",
            Plan::FineTune => "Fine-tune open source",
            Plan::Managed => "Managed sovereign cloud",
            Plan::Hybrid => "Hybrid through this gate",
        }
    }

    /// Its place in [`Plan::ALL`].
    pub fn index(self) -> usize {
        self as usize
    }
}

/// What an option's cost is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Component {
    /// Tokens at list price, paid to the global API.
    Tokens,
    /// The compliance tax: its yearly part, surcharges, the gate.
    Tax,
    /// Talent and operators.
    People,
    /// GPUs, power, maintenance, rent or a service fee.
    Hosting,
    /// Training and retraining.
    Training,
    /// Platform and gate.
    Platform,
    /// Compliance, legal, audit of the own model.
    Compliance,
    /// Moving the applications.
    Migration,
}

/// How many components there are.
pub const COMPONENTS: usize = 8;

impl Component {
    /// All of them, in the order in which they are told.
    pub const ALL: [Component; COMPONENTS] = [
        Component::Tokens,
        Component::Tax,
        Component::People,
        Component::Hosting,
        Component::Training,
        Component::Platform,
        Component::Compliance,
        Component::Migration,
    ];

    /// Its name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Component::Tokens => "API tokens",
            Component::Tax => "Compliance tax",
            Component::People => "People",
            Component::Hosting => "Hosting",
            Component::Training => "Training",
            Component::Platform => "Platform",
            Component::Compliance => "Compliance of the own model",
            Component::Migration => "Migration",
        }
    }
}

/// One option's cost in one trial, in USD after corporate tax.
pub(super) struct Flow {
    /// Not discounted, by month.
    pub(super) monthly: [f64; MONTHS_MAX],
    /// Discounted, by component.
    pub(super) components: [f64; COMPONENTS],
}

impl Flow {
    /// The net present value of all cost.
    pub(super) fn npv(&self) -> f64 {
        self.components.iter().sum()
    }
}

/// What tells one option from another.
struct Terms {
    /// Months before it answers; [`NEVER`] if it does not.
    delay: usize,
    /// Share of the traffic's tokens that it answers once it does.
    share: f64,
    /// Share of the yearly tax that remains once it answers.
    tax_kept: f64,
    /// Before the salary premium, USD a year.
    people: f64,
    platform: f64,
    compliance: f64,
    training: f64,
    retraining_share: f64,
    migration_share: f64,
    hosting: Host,
}

const NEVER: usize = usize::MAX;

enum Host {
    /// GPUs sized for the traffic.
    Gpus(Gpu),
    /// An amount a year at the first month's volume.
    Fee(f64),
    /// The same, and no less than what the traffic's GPUs rent for: nobody sells below that.
    FeeOrRent(f64),
}

/// What an option costs in one trial.
pub(super) fn flow(plan: Plan, draw: &Draw, choice: Choice, months: &[Month]) -> Flow {
    let terms = terms(plan, draw, choice);
    let capacity = Capacity::new(draw);
    let mut fleet = Fleet::new(draw);
    let mut flow = Flow {
        monthly: [0.0; MONTHS_MAX],
        components: [0.0; COMPONENTS],
    };
    let after_tax = 1.0 - draw[Input::TaxRate];
    let people = terms.people * (1.0 + draw[Input::Premium]) / 12.0;
    let overrun = 1.0 + draw[Input::OverrunEvent] * draw[Input::OverrunSize];
    let migration =
        draw[Input::Migration] * draw[Input::MigrationFactor] * overrun * terms.migration_share;
    let project_months = terms.delay.max(1);
    for (at, month) in months.iter().enumerate() {
        let answers = at >= terms.delay;
        let own = if answers { terms.share } else { 0.0 };
        let tax_kept = if answers { terms.tax_kept } else { 1.0 };
        let of_project = |amount: f64| {
            if at < project_months {
                amount / project_months as f64
            } else {
                0.0
            }
        };
        let once_answering = |amount: f64| if answers { amount } else { 0.0 };
        let retraining = terms.training * terms.retraining_share / 12.0;
        let gpus = || capacity.gpus(month.requests * terms.share);
        let rent = || gpus() * HOURS_PER_MONTH * draw[Input::GpuRent] * month.gpu_price;
        let fee = |yearly: f64| {
            let grows = draw[Input::FeeVolumeShare];
            yearly / 12.0 * month.inflation * (1.0 - grows + grows * month.volume)
        };
        let hosting = match terms.hosting {
            _ if !answers => 0.0,
            // Its own corporate tax is in it.
            Host::Gpus(Gpu::Buy) => fleet.month(at, gpus(), months) / after_tax,
            Host::Gpus(Gpu::Rent) => rent(),
            Host::Fee(yearly) => fee(yearly),
            Host::FeeOrRent(yearly) => fee(yearly).max(rent()),
        };
        let costs: [f64; COMPONENTS] = [
            month.tokens * (1.0 - own),
            month.surcharge * (1.0 - own) + month.tax * tax_kept,
            people * month.inflation,
            hosting,
            of_project(terms.training) + once_answering(retraining * month.inflation),
            terms.platform / 12.0 * month.inflation,
            once_answering(terms.compliance / 12.0 * month.inflation),
            of_project(migration),
        ];
        let worth = month.discount * after_tax;
        let mut sum = 0.0;
        for (total, cost) in flow.components.iter_mut().zip(costs) {
            *total += cost * worth;
            sum += cost;
        }
        flow.monthly[at] = sum * after_tax;
    }
    if let (Host::Gpus(Gpu::Buy), Some(last)) = (&terms.hosting, months.last()) {
        let sale = fleet.sale(months);
        flow.monthly[months.len() - 1] -= sale;
        flow.components[Component::Hosting as usize] -= sale * last.discount;
    }
    flow
}

fn terms(plan: Plan, draw: &Draw, choice: Choice) -> Terms {
    let delay = |input: Input| (draw[input] * draw[Input::Schedule]).ceil() as usize;
    let own_hosting = |table: f64| match choice.hosting {
        Hosting::Capacity => Host::Gpus(choice.gpu),
        Hosting::Table => Host::Fee(table),
    };
    match plan {
        Plan::Api => Terms {
            delay: NEVER,
            share: 0.0,
            tax_kept: 1.0,
            people: 0.0,
            platform: 0.0,
            compliance: 0.0,
            training: 0.0,
            retraining_share: 0.0,
            migration_share: 0.0,
            hosting: Host::Fee(0.0),
        },
        Plan::Build => Terms {
            delay: delay(Input::BuildTime),
            share: 1.0,
            tax_kept: 0.0,
            people: draw[Input::BuildTalent],
            platform: draw[Input::BuildPlatform],
            compliance: draw[Input::BuildCompliance],
            training: draw[Input::BuildTraining],
            retraining_share: draw[Input::BuildRetraining],
            migration_share: 1.0,
            hosting: own_hosting(draw[Input::BuildHosting]),
        },
        Plan::FineTune => Terms {
            delay: delay(Input::FineTuneTime),
            share: 1.0,
            tax_kept: 0.0,
            people: draw[Input::FineTuneTalent],
            platform: draw[Input::FineTunePlatform],
            compliance: draw[Input::FineTuneCompliance],
            training: draw[Input::FineTuneTraining],
            retraining_share: draw[Input::FineTuneRetraining],
            migration_share: 1.0,
            hosting: own_hosting(draw[Input::FineTuneHosting]),
        },
        Plan::Managed => Terms {
            delay: delay(Input::ManagedTime),
            share: 1.0,
            tax_kept: 0.0,
            people: draw[Input::ManagedTalent],
            platform: 0.0,
            compliance: draw[Input::ManagedCompliance],
            training: 0.0,
            retraining_share: 0.0,
            migration_share: 1.0,
            hosting: match choice.hosting {
                Hosting::Capacity => Host::FeeOrRent(draw[Input::ManagedFee]),
                Hosting::Table => Host::Fee(draw[Input::ManagedFee]),
            },
        },
        Plan::Hybrid => Terms {
            delay: delay(Input::HybridTime),
            share: draw[Input::HybridLocalShare],
            tax_kept: draw[Input::HybridTaxKept],
            people: draw[Input::OpsFte] * draw[Input::FteCost],
            platform: draw[Input::HybridPlatform],
            compliance: draw[Input::HybridCompliance],
            training: 0.0,
            retraining_share: 0.0,
            migration_share: draw[Input::HybridMigration],
            hosting: own_hosting(draw[Input::FineTuneHosting] * draw[Input::HybridLocalShare]),
        },
    }
}

#[cfg(test)]
mod tests;
