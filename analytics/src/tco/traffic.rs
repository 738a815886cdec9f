//! Whose traffic a simulation is about: it decides how much may be said.

use super::demand::{Demand, Unusable};
use super::scenario::Scenario;
use crate::query::{DemandBase, Period};
use crate::tax::Tax;
use jiff::Timestamp;
use serde::Serialize;

/// Where the traffic of a simulation comes from.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "from", rename_all = "snake_case")]
pub enum Traffic {
    /// The scenario assumes it.
    Scenario {
        /// Why it is not that of the records, where those were asked.
        why: Option<String>,
    },
    /// The records show it.
    Records {
        /// The first instant that is covered.
        begin: Timestamp,
        /// The first that is not any more.
        end: Timestamp,
        /// Exchanges with known token counts.
        exchanges: u64,
        /// Those with a simulated endpoint: with any, nothing can be decided by it.
        simulated_exchanges: u64,
    },
}

impl Traffic {
    /// That of the records put into the scenario, or the scenario's own where the records are too
    /// few to plan by.
    pub fn of_records(
        scenario: &mut Scenario,
        base: DemandBase,
        period: Period,
        tax: &Tax,
    ) -> Traffic {
        match Traffic::measured(scenario, base, period, tax) {
            Ok(traffic) => traffic,
            Err(why) => Traffic::Scenario {
                why: Some(why.to_string()),
            },
        }
    }

    /// That of the records put into the scenario; fails where they are too few to plan by.
    pub fn measured(
        scenario: &mut Scenario,
        base: DemandBase,
        period: Period,
        tax: &Tax,
    ) -> Result<Traffic, Unusable> {
        let (exchanges, simulated_exchanges) = (base.exchanges, base.simulated_exchanges);
        let demand = Demand::new(base, period)?;
        demand.apply(scenario, tax);
        let (begin, end) = demand.covered();
        Ok(Traffic::Records {
            begin,
            end,
            exchanges,
            simulated_exchanges,
        })
    }

    /// Whether an organization may decide by it: it is its own, and not simulated.
    pub fn can_decide(&self) -> bool {
        matches!(
            self,
            Traffic::Records {
                simulated_exchanges: 0,
                ..
            }
        )
    }

    /// In words.
    pub fn words(&self) -> String {
        let counted = crate::money::group_thousands;
        match self {
            Traffic::Scenario { why: None } => {
                "The traffic is the one that the scenario assumes.".to_owned()
            }
            Traffic::Scenario { why: Some(why) } => {
                format!("The traffic is the one that the scenario assumes: {why}.")
            }
            Traffic::Records {
                begin,
                end,
                exchanges,
                simulated_exchanges,
            } => {
                let simulated = match simulated_exchanges {
                    0 => String::new(),
                    n => format!(
                        ", {} of them SIMULATED: they show how the figures come about and decide \
                         nothing",
                        counted(*n)
                    ),
                };
                format!(
                    "The traffic is that of {} exchanges from {} to {}{simulated}.",
                    counted(*exchanges),
                    begin.strftime("%F %H:%M"),
                    end.strftime("%F %H:%M UTC")
                )
            }
        }
    }
}
