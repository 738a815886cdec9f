//! All reading of the analytics store, in one place: typed answers to the questions that the
//! dashboard and the report ask.
//!
//! Each question is one function with one public `SQL` text beside it, so that every figure shown
//! anywhere can be traced to the query behind it ([`drill_down`] fills in the period). Groups are
//! never cut off: their keys (labels, teams, models, endpoints, rules) come from configuration and
//! price book, so their number is bounded, and totals always equal the sum of their parts.
//!
//! Simulated traffic (demo, tests) is counted apart in every answer.
//!
//! Functions take the caller's [`clickhouse::Client`] and set no time limit: wrap them in
//! `tokio::time::timeout` where one is wanted.

mod charges;
mod decisions;
mod demand;
mod exchanges;
mod findings;
mod footprint;
mod freshness;
mod months;
mod overview;
mod routes;
mod series;
mod spend;
mod tax_base;

pub use charges::{CHARGES_SQL, ChargeRow, charges};
pub use decisions::{DECISIONS_SQL, DecisionRow, decisions};
pub use demand::{DEMAND_SQL, DemandBase, demand};
pub use exchanges::{Cursor, EXCHANGE_SQL, Exchange, LATEST_SQL, exchange, latest};
pub use findings::{FINDINGS_SQL, FindingRow, findings};
pub use footprint::{FOOTPRINT_SQL, Footprint, footprint};
pub use freshness::{FRESHNESS_SQL, Freshness, freshness};
pub use months::{MONTHS_SQL, MonthRow, months};
pub use overview::{OVERVIEW_SQL, Overview, Percentiles, overview};
pub use routes::{ROUTES_SQL, RouteRow, routes};
pub use series::{MAX_POINTS, SeriesPoint, Step, series};
pub use spend::{SpendBy, SpendRow, UNPRICED_SQL, UnpricedRow, spend, unpriced};
pub use tax_base::{TAX_BASE_SQL, TaxBase, tax_base};

use clickhouse::{Client, Row, RowOwned, RowRead};
use jiff::{SignedDuration, Timestamp};

/// A half-open period of time: `from` is in it, `to` is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    from: Timestamp,
    to: Timestamp,
}

impl Period {
    /// The period from `from` up to, but not including, `to`. Fails unless `from` is before `to`.
    pub fn new(from: Timestamp, to: Timestamp) -> Result<Period, Error> {
        if from < to {
            Ok(Period { from, to })
        } else {
            Err(Error::EmptyPeriod { from, to })
        }
    }

    /// The period of `length` that ends with, and includes, the instant `now`.
    ///
    /// An exchange that starts within the microsecond of `now` is in it.
    pub fn last(length: SignedDuration, now: Timestamp) -> Result<Period, Error> {
        let to = now
            .saturating_add(SignedDuration::from_micros(1))
            .unwrap_or(Timestamp::MAX);
        let from = now.saturating_sub(length).unwrap_or(Timestamp::MIN);
        Period::new(from, to)
    }

    /// The first instant.
    pub fn from(self) -> Timestamp {
        self.from
    }

    /// The first instant after it.
    pub fn to(self) -> Timestamp {
        self.to
    }
}

/// Why a question was not answered.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The store refused, failed or answered with other columns than expected.
    #[error("the store did not answer the {question} query")]
    Store {
        /// Which question was asked.
        question: &'static str,
        /// What the client said.
        #[source]
        source: clickhouse::error::Error,
    },
    /// The period's end is not after its start.
    #[error("the period from {from} to {to} is empty: its end must be after its start")]
    EmptyPeriod {
        /// Its start.
        from: Timestamp,
        /// Its end.
        to: Timestamp,
    },
    /// The period holds more steps than a series may have.
    #[error("{points} points are too many for a series: at most {MAX_POINTS}, use a longer step")]
    TooManyPoints {
        /// How many points the period would have.
        points: u64,
    },
}

/// The SQL of a question with its period filled in, ready to be pasted into any ClickHouse client.
///
/// The two `?` of a question's SQL are the period's bounds, in microseconds since the Unix epoch.
pub fn drill_down(sql: &str, period: Period) -> String {
    sql.replacen('?', &period.from.as_microsecond().to_string(), 1)
        .replacen('?', &period.to.as_microsecond().to_string(), 1)
}

/// Runs a question about a period; `sql` has two `?`, the bounds in microseconds.
async fn rows<T>(
    client: &Client,
    question: &'static str,
    sql: &str,
    period: Period,
) -> Result<Vec<T>, Error>
where
    T: Row + RowOwned + RowRead,
{
    client
        .query(sql)
        .bind(period.from.as_microsecond())
        .bind(period.to.as_microsecond())
        .fetch_all()
        .await
        .map_err(|source| Error::Store { question, source })
}

/// As [`rows`], for a question whose answer is exactly one row.
async fn row<T>(
    client: &Client,
    question: &'static str,
    sql: &str,
    period: Period,
) -> Result<T, Error>
where
    T: Row + RowOwned + RowRead,
{
    client
        .query(sql)
        .bind(period.from.as_microsecond())
        .bind(period.to.as_microsecond())
        .fetch_one()
        .await
        .map_err(|source| Error::Store { question, source })
}

/// The condition that an exchange started within the period, as a literal for `concat!`.
macro_rules! in_period {
    () => {
        "started >= fromUnixTimestamp64Micro(?, 'UTC') AND started < fromUnixTimestamp64Micro(?, 'UTC')"
    };
}
use in_period;

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_period_is_not_empty() {
        let noon = at("2026-11-01T12:00:00Z");
        assert!(matches!(
            Period::new(noon, noon),
            Err(Error::EmptyPeriod { .. })
        ));
        assert!(matches!(
            Period::new(noon, at("2026-11-01T11:00:00Z")),
            Err(Error::EmptyPeriod { .. })
        ));
        let hour = Period::last(SignedDuration::from_hours(1), noon).unwrap();
        assert_eq!(hour.from(), at("2026-11-01T11:00:00Z"));
        assert!(hour.to() > noon);
    }

    #[test]
    fn drill_down_fills_in_the_period() {
        let day = Period::new(at("1970-01-01T00:00:01Z"), at("1970-01-01T00:00:02Z")).unwrap();
        for sql in [
            OVERVIEW_SQL,
            FINDINGS_SQL,
            ROUTES_SQL,
            DECISIONS_SQL,
            UNPRICED_SQL,
            TAX_BASE_SQL,
            DEMAND_SQL,
            MONTHS_SQL,
        ]
        .into_iter()
        .chain([SpendBy::Team, SpendBy::Model, SpendBy::Endpoint].map(SpendBy::sql))
        .chain([Step::Minute, Step::Hour, Step::Day].map(Step::sql))
        {
            let filled = drill_down(sql, day);
            assert!(!filled.contains('?'), "{filled}");
            assert!(filled.contains("(1000000, 'UTC')") && filled.contains("(2000000, 'UTC')"));
        }
    }
}
