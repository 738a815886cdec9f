use super::{Error, Period, in_period, rows};
use crate::money::NanoUsd;
use clickhouse::{Client, Row};
use jiff::Timestamp;
use serde::Deserialize;

/// How many points a series may have; more is an error, not a cut.
pub const MAX_POINTS: u64 = 10_000;

/// The length of one step of a series; steps start on whole minutes, hours or days of UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// 60 seconds.
    Minute,
    /// 3,600 seconds.
    Hour,
    /// 86,400 seconds.
    Day,
}

impl Step {
    /// Its length in seconds.
    pub fn seconds(self) -> i64 {
        match self {
            Step::Minute => 60,
            Step::Hour => 3_600,
            Step::Day => 86_400,
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Step::Minute => "minute",
            Step::Hour => "hour",
            Step::Day => "day",
        }
    }

    /// The shortest step that cuts `period` into at most `points` steps, else [`Step::Day`].
    pub fn fitting(period: Period, points: u64) -> Step {
        [Step::Minute, Step::Hour]
            .into_iter()
            .find(|step| steps(period, *step).1 <= points)
            .unwrap_or(Step::Day)
    }

    /// The SQL of [`series`] with this step.
    pub fn sql(self) -> &'static str {
        match self {
            Step::Minute => series_sql!("toStartOfMinute"),
            Step::Hour => series_sql!("toStartOfHour"),
            Step::Day => series_sql!("toStartOfDay"),
        }
    }
}

macro_rules! series_sql {
    ($start:literal) => {
        concat!(
            "SELECT
    toInt64(toUnixTimestamp(",
            $start,
            "(started))) AS at_second,
    count() AS exchanges,
    countIf(simulated) AS simulated_exchanges,
    countIf(outcome = 'blocked') AS blocked,
    sum(arraySum(mapValues(findings))) AS findings_total,
    sumIf(cost_nano_usd, cost_standing = 'priced') AS spend
FROM exchanges
WHERE ",
            in_period!(),
            "
GROUP BY at_second
ORDER BY at_second"
        )
    };
}
use series_sql;

/// What happened within one step.
#[derive(Clone, Debug, Default, PartialEq, Row, Deserialize)]
pub struct SeriesPoint {
    /// The step's first second, since the Unix epoch. The first step may begin before the period
    /// does; only what is within the period is counted.
    pub at_second: i64,
    /// All exchanges.
    pub exchanges: u64,
    /// Those with a simulated endpoint.
    pub simulated_exchanges: u64,
    /// Those that policy kept in.
    pub blocked: u64,
    /// Findings of all labels.
    pub findings_total: u64,
    /// What the priced exchanges cost, simulated ones included.
    pub spend: NanoUsd,
}

impl SeriesPoint {
    /// The step's first instant.
    pub fn at(&self) -> Timestamp {
        Timestamp::from_second(self.at_second).unwrap_or_default()
    }
}

/// The period cut into steps, oldest first, quiet steps included as zeros. Fails when that takes
/// more than [`MAX_POINTS`] points.
pub async fn series(
    client: &Client,
    period: Period,
    step: Step,
) -> Result<Vec<SeriesPoint>, Error> {
    let (first, points) = steps(period, step);
    if points > MAX_POINTS {
        return Err(Error::TooManyPoints { points });
    }
    let seen = rows(client, "series", step.sql(), period).await?;
    Ok(fill(seen, first, points, step))
}

/// The first step's second and the number of steps.
fn steps(period: Period, step: Step) -> (i64, u64) {
    let length = step.seconds();
    let floor = |microsecond: i64| microsecond.div_euclid(length * 1_000_000);
    let first = floor(period.from().as_microsecond());
    let last = floor(period.to().as_microsecond() - 1);
    (first * length, (last - first + 1).unsigned_abs())
}

/// Puts the steps seen (ordered) into their places among all.
fn fill(seen: Vec<SeriesPoint>, first: i64, points: u64, step: Step) -> Vec<SeriesPoint> {
    let mut seen = seen.into_iter().peekable();
    (0..points as i64)
        .map(|i| {
            let at_second = first + i * step.seconds();
            seen.next_if(|point| point.at_second == at_second)
                .unwrap_or(SeriesPoint {
                    at_second,
                    ..SeriesPoint::default()
                })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn period(from: &str, to: &str) -> Period {
        Period::new(from.parse().unwrap(), to.parse().unwrap()).unwrap()
    }

    #[test]
    fn steps_cover_the_period_and_no_more() {
        let whole = period("2026-11-01T10:00:00Z", "2026-11-01T12:00:00Z");
        assert_eq!(steps(whole, Step::Hour).1, 2);
        let ragged = period("2026-11-01T10:59:59.999999Z", "2026-11-01T12:00:00.000001Z");
        let (first, points) = steps(ragged, Step::Hour);
        assert_eq!(points, 3);
        assert_eq!(
            Timestamp::from_second(first).unwrap().to_string(),
            "2026-11-01T10:00:00Z"
        );
    }

    #[test]
    fn picks_the_finest_step_that_fits() {
        let hour = period("2026-11-01T10:00:00Z", "2026-11-01T11:00:00Z");
        assert_eq!(Step::fitting(hour, 60), Step::Minute);
        assert_eq!(Step::fitting(hour, 59), Step::Hour);
        let year = period("2025-11-01T00:00:00Z", "2026-11-01T00:00:00Z");
        assert_eq!(Step::fitting(year, 100), Step::Day);
    }

    #[test]
    fn quiet_steps_are_zeros() {
        let point = SeriesPoint {
            at_second: 120,
            exchanges: 7,
            ..SeriesPoint::default()
        };
        let filled = fill(vec![point.clone()], 60, 3, Step::Minute);
        assert_eq!(
            filled.iter().map(|p| p.at_second).collect::<Vec<_>>(),
            [60, 120, 180]
        );
        assert_eq!(
            filled.iter().map(|p| p.exchanges).collect::<Vec<_>>(),
            [0, 7, 0]
        );
    }
}
