//! Spend by month and team, cut to as many teams as a chart can tell apart: the dearest of the
//! period by name, the others together.

use crate::money::NanoUsd;
use crate::query::MonthRow;

/// How many teams are told apart.
pub(super) const NAMED: usize = 5;

/// The months of a period.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Months {
    /// The dearest teams' names, dearest first; at most [`NAMED`].
    pub(super) teams: Vec<String>,
    /// Whether there are more teams than those.
    pub(super) others: bool,
    /// Oldest first; months without any exchange are absent.
    pub(super) months: Vec<Month>,
}

/// What one month cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Month {
    /// `2026-11`.
    pub(super) month: String,
    /// By team, in the order of [`Months::teams`], and then the others where there are any.
    pub(super) spend: Vec<NanoUsd>,
    /// The sum of them.
    pub(super) total: NanoUsd,
    /// Exchanges that are simulated, and all.
    pub(super) simulated_of: [u64; 2],
}

impl Months {
    /// Nothing when a sum does not fit.
    pub(super) fn of(rows: &[MonthRow]) -> Option<Months> {
        let teams = dearest(rows)?;
        let named = &teams[..teams.len().min(NAMED)];
        let others = teams.len() > NAMED;
        let columns = named.len() + usize::from(others);
        let mut months: Vec<Month> = Vec::new();
        for row in rows {
            if months.last().is_none_or(|last| last.month != row.month) {
                months.push(Month {
                    month: row.month.clone(),
                    spend: vec![NanoUsd::ZERO; columns],
                    total: NanoUsd::ZERO,
                    simulated_of: [0, 0],
                });
            }
            let month = months.last_mut()?;
            let at = named.iter().position(|team| *team == row.team);
            let cell = &mut month.spend[at.unwrap_or(named.len())];
            *cell = cell.checked_add(row.spend)?;
            month.total = month.total.checked_add(row.spend)?;
            month.simulated_of[0] += row.simulated_exchanges;
            month.simulated_of[1] += row.exchanges;
        }
        Some(Months {
            teams: named.iter().map(|team| (*team).to_owned()).collect(),
            others,
            months,
        })
    }

    /// The titles of the columns of [`Month::spend`].
    pub(super) fn titles(&self) -> Vec<&str> {
        let named = self.teams.iter().map(|team| match team.as_str() {
            "" => "no team",
            team => team,
        });
        named.chain(self.others.then_some("other teams")).collect()
    }

    /// The greatest total of a month: what the full width of a bar stands for.
    pub(super) fn greatest(&self) -> u64 {
        let totals = self.months.iter().map(|month| month.total.0.unsigned_abs());
        totals.max().unwrap_or(0)
    }
}

/// All teams, dearest first.
fn dearest(rows: &[MonthRow]) -> Option<Vec<&str>> {
    let mut teams: Vec<(&str, NanoUsd)> = Vec::new();
    for row in rows {
        match teams.iter_mut().find(|(team, _)| *team == row.team) {
            Some((_, spend)) => *spend = spend.checked_add(row.spend)?,
            None => teams.push((&row.team, row.spend)),
        }
    }
    teams.sort_by(|a, b| (b.1.0, a.0).cmp(&(a.1.0, b.0)));
    Some(teams.into_iter().map(|(team, _)| team).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(month: &str, team: &str, nano: i64) -> MonthRow {
        MonthRow {
            month: month.to_owned(),
            team: team.to_owned(),
            exchanges: 2,
            simulated_exchanges: 1,
            spend: NanoUsd(nano),
            ..MonthRow::default()
        }
    }

    #[test]
    fn the_dearest_are_named_and_nothing_is_lost() {
        let mut rows = vec![row("2026-10", "a", 1), row("2026-10", "", 70)];
        rows.extend(["b", "c", "d", "e", "f"].map(|team| row("2026-11", team, 10)));
        rows.push(row("2026-11", "a", 99));
        let months = Months::of(&rows).unwrap();
        assert_eq!(
            months.titles(),
            ["a", "no team", "b", "c", "d", "other teams"]
        );
        let spend: Vec<_> = months.months.iter().map(|month| &month.spend).collect();
        let nano = |of: [i64; 6]| of.map(NanoUsd).to_vec();
        assert_eq!(
            spend,
            [&nano([1, 70, 0, 0, 0, 0]), &nano([99, 0, 10, 10, 10, 20])]
        );
        for month in &months.months {
            let sum = NanoUsd::checked_sum(month.spend.iter().copied());
            assert_eq!(sum, Some(month.total));
        }
        assert_eq!(months.greatest(), 149);
        assert_eq!(months.months[0].simulated_of, [2, 4]);
    }

    #[test]
    fn few_teams_have_no_others_and_what_does_not_fit_is_nothing() {
        let months = Months::of(&[row("2026-10", "a", 1)]).unwrap();
        assert_eq!((months.titles(), months.others), (vec!["a"], false));
        assert_eq!(Months::of(&[]), Some(Months::default()));
        let rows = [row("2026-10", "a", i64::MAX), row("2026-11", "a", 1)];
        assert_eq!(Months::of(&rows), None);
    }
}
