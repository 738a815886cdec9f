//! All answers that the report needs, asked once.

use super::{Facts, Meta};
use crate::query::{self, Period, SpendBy, Step};
use crate::tax::Tax;
use crate::tco::{Settings, Tco, Traffic};
use clickhouse::Client;
#[cfg(test)]
use jiff::Timestamp;
use std::num::NonZeroUsize;
use std::thread::available_parallelism;

/// How many columns the chart over time may have.
const CHART_POINTS: u64 = 120;
/// As `tollgate tco` by default.
const TRIALS: u32 = 100_000;
const SEED: u64 = 1;

/// What the store says about a period.
#[derive(Clone, Debug)]
pub(super) struct Data {
    pub(super) period: Period,
    pub(super) overview: query::Overview,
    pub(super) step: Step,
    pub(super) series: Vec<query::SeriesPoint>,
    pub(super) by_team: Vec<query::SpendRow>,
    pub(super) by_model: Vec<query::SpendRow>,
    pub(super) by_endpoint: Vec<query::SpendRow>,
    pub(super) by_month: Vec<query::MonthRow>,
    pub(super) unpriced: Vec<query::UnpricedRow>,
    pub(super) findings: Vec<query::FindingRow>,
    pub(super) routes: Vec<query::RouteRow>,
    pub(super) decisions: Vec<query::DecisionRow>,
    pub(super) tax: Tax,
    /// Absent when nothing happened.
    pub(super) tco: Option<Tco>,
    pub(super) freshness: query::Freshness,
}

impl Data {
    pub(super) async fn gather(
        client: &Client,
        period: Period,
        facts: &Facts,
        meta: &Meta,
    ) -> Result<Data, query::Error> {
        let step = Step::fitting(period, CHART_POINTS);
        let tax_base = query::tax_base(client, period).await?;
        let footprint = query::footprint(client).await?;
        let tax = Tax::compute(&tax_base, footprint, meta.ledger, &facts.rates);
        let tco = match tax_base.exchanges {
            0 => None,
            _ => Some(simulate(
                query::demand(client, period).await?,
                period,
                &tax,
                facts,
            )),
        };
        Ok(Data {
            period,
            overview: query::overview(client, period).await?,
            step,
            series: query::series(client, period, step).await?,
            by_team: query::spend(client, period, SpendBy::Team).await?,
            by_model: query::spend(client, period, SpendBy::Model).await?,
            by_endpoint: query::spend(client, period, SpendBy::Endpoint).await?,
            by_month: query::months(client, period).await?,
            unpriced: query::unpriced(client, period).await?,
            findings: query::findings(client, period).await?,
            routes: query::routes(client, period).await?,
            decisions: query::decisions(client, period).await?,
            tax,
            tco,
            freshness: query::freshness(client).await?,
        })
    }

    /// Of a period in which nothing happened, for tests to fill.
    #[cfg(test)]
    pub(super) fn empty() -> Data {
        let day = Period::new(Timestamp::UNIX_EPOCH, Timestamp::MAX);
        Data {
            period: day.unwrap(),
            overview: query::Overview::default(),
            step: Step::Day,
            series: Vec::new(),
            by_team: Vec::new(),
            by_model: Vec::new(),
            by_endpoint: Vec::new(),
            by_month: Vec::new(),
            unpriced: Vec::new(),
            findings: Vec::new(),
            routes: Vec::new(),
            decisions: Vec::new(),
            tax: Tax {
                amounts: Vec::new(),
                money_total: None,
                kept_bytes: None,
            },
            tco: None,
            freshness: query::Freshness::default(),
        }
    }

    /// Whether nothing happened.
    pub(super) fn is_empty(&self) -> bool {
        self.overview.exchanges == 0
    }

    /// Exchanges that went nowhere.
    pub(super) fn sent_nowhere(&self) -> u64 {
        let sent = self.overview.external_exchanges + self.overview.on_prem_exchanges;
        self.overview.exchanges.saturating_sub(sent)
    }

    /// Findings that neither were replaced nor left: they stayed on-prem or were stopped.
    pub(super) fn findings_that_stayed(&self) -> u64 {
        let gone = self.overview.replaced_total + self.overview.findings_left_in_clear;
        self.overview.findings_total.saturating_sub(gone)
    }
}

/// The total cost of ownership with the traffic of the period, as far as it can be planned by.
fn simulate(base: query::DemandBase, period: Period, tax: &Tax, facts: &Facts) -> Tco {
    let mut scenario = facts.scenario.clone();
    let traffic = Traffic::of_records(&mut scenario, base, period, tax);
    let settings = Settings {
        trials: TRIALS,
        seed: SEED,
        threads: available_parallelism().unwrap_or(NonZeroUsize::MIN),
    };
    Tco::simulate(&scenario, traffic, settings)
}
