//! Budgets of a calendar month (UTC), and what was spent of them.
//!
//! The truth is the ledger: at start the month's records are added up again ([`Spending::resume`]),
//! then each exchange as it is recorded. All callers, teams and projects are summed, with a budget
//! or without, so that a budget that begins within a month knows what came before it.

use super::Level;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::collections::{BTreeMap, HashMap};
use std::fmt::{self, Write as _};
use std::sync::Mutex;
use tollgate_analytics::money::NanoUsd;
use tollgate_analytics::record::{Cost, Record};

/// Percent of a budget at which it is told.
const TOLD_AT: [u8; 3] = [50, 80, 100];

/// What may be spent within a calendar month.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Budget {
    /// US dollars, more than 0: a number or a decimal text, exact to nine places.
    #[serde(serialize_with = "write_usd", deserialize_with = "read_usd")]
    pub usd: NanoUsd,
    /// Whether what would cost more is refused once it is spent. If not, it is told only.
    #[serde(default = "hard")]
    pub hard: bool,
}

fn hard() -> bool {
    true
}

fn write_usd<S: Serializer>(usd: &NanoUsd, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&usd.to_decimal())
}

fn read_usd<'de, D: Deserializer<'de>>(from: D) -> Result<NanoUsd, D::Error> {
    struct Usd;
    impl de::Visitor<'_> for Usd {
        type Value = NanoUsd;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("US dollars above 0 such as 500 or \"499.95\"")
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<NanoUsd, E> {
            let usd = text.parse().ok().filter(|usd: &NanoUsd| usd.0 > 0);
            usd.ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))
        }

        fn visit_i64<E: de::Error>(self, usd: i64) -> Result<NanoUsd, E> {
            self.visit_str(&usd.to_string())
        }

        fn visit_u64<E: de::Error>(self, usd: u64) -> Result<NanoUsd, E> {
            self.visit_str(&usd.to_string())
        }

        // The shortest decimal that means this float is what was written.
        fn visit_f64<E: de::Error>(self, usd: f64) -> Result<NanoUsd, E> {
            self.visit_str(&usd.to_string())
        }
    }
    from.deserialize_any(Usd)
}

/// A calendar month in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Month(Date);

impl Month {
    /// The month of an instant.
    pub fn of(at: Timestamp) -> Month {
        Month(TimeZone::UTC.to_datetime(at).date().first_of_month())
    }

    /// Its first instant.
    pub fn start(self) -> Timestamp {
        let midnight = TimeZone::UTC.to_timestamp(self.0.at(0, 0, 0, 0));
        midnight.unwrap_or(Timestamp::MIN)
    }

    /// The first day of the next one.
    pub fn next(self) -> Date {
        self.0.saturating_add(1.month())
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.0.year(), self.0.month())
    }
}

/// A budget of which 50, 80 or 100 % were just spent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BudgetEvent {
    /// `caller`, `team` or `project`.
    pub level: &'static str,
    /// Its name.
    pub name: String,
    /// `2026-11`.
    pub month: String,
    /// 50, 80 or 100.
    pub percent: u8,
    /// Decimal US dollars.
    pub spent_usd: String,
    /// Decimal US dollars.
    pub budget_usd: String,
    /// Whether more is refused from 100 % on.
    pub hard: bool,
}

/// What callers, teams and projects have spent this month.
#[derive(Default)]
pub struct Spending(Mutex<State>);

#[derive(Default)]
struct State {
    month: Option<Month>,
    /// By level and name.
    spent: [HashMap<String, Spent>; 3],
    /// By level and percent; since the start.
    events: BTreeMap<(Level, u8), u64>,
}

#[derive(Clone, Copy, Default)]
struct Spent {
    nano_usd: i64,
    /// The budget as it was last asked about.
    budget: Option<Budget>,
}

impl State {
    /// Begins the month if it is a later one; whether it is the one that is summed.
    fn begin(&mut self, month: Month) -> bool {
        if self.month.is_none_or(|held| held < month) {
            self.month = Some(month);
            self.spent = Default::default();
        }
        self.month == Some(month)
    }

    fn of(&mut self, level: Level, name: &str) -> &mut Spent {
        let spent = &mut self.spent[level as usize];
        if !spent.contains_key(name) {
            spent.insert(name.to_owned(), Spent::default());
        }
        spent.get_mut(name).expect("it was just put there")
    }
}

impl Spending {
    /// Adds a record of before this start.
    pub fn resume(&self, record: &Record) {
        self.add(record, |_| None);
    }

    /// Adds a record. What is now told of budgets: at most the highest mark of each level that it
    /// reaches.
    pub(super) fn add(
        &self,
        record: &Record,
        budget: impl Fn(Level) -> Option<Budget>,
    ) -> Vec<BudgetEvent> {
        let (Cost::Priced { nano_usd, .. }, Ok(at)) =
            (&record.cost, Timestamp::from_microsecond(record.started_us))
        else {
            return Vec::new();
        };
        let month = Month::of(at);
        let mut state = self.0.lock().expect("no panic while held");
        if !state.begin(month) {
            return Vec::new();
        }
        let mut events = Vec::new();
        let names = [&record.caller, &record.team, &record.project];
        for (level, name) in Level::ALL.into_iter().zip(names) {
            if name.is_empty() {
                continue;
            }
            let spent = state.of(level, name);
            let before = spent.nano_usd;
            spent.nano_usd = before.saturating_add(*nano_usd);
            let after = spent.nano_usd;
            let Some(budget) = budget(level) else {
                continue;
            };
            spent.budget = Some(budget);
            let reached = |percent: &&u8| {
                let mark = i128::from(budget.usd.0) * i128::from(**percent);
                i128::from(before) * 100 < mark && i128::from(after) * 100 >= mark
            };
            if let Some(&percent) = TOLD_AT.iter().rfind(reached) {
                *state.events.entry((level, percent)).or_default() += 1;
                events.push(BudgetEvent {
                    level: level.as_str(),
                    name: name.clone(),
                    month: month.to_string(),
                    percent,
                    spent_usd: NanoUsd(after).to_decimal(),
                    budget_usd: budget.usd.to_decimal(),
                    hard: budget.hard,
                });
            }
        }
        events
    }

    /// Whether a hard budget is spent in the month of `at`.
    pub(super) fn is_spent(&self, level: Level, name: &str, budget: Budget, at: Timestamp) -> bool {
        let mut state = self.0.lock().expect("no panic while held");
        state.begin(Month::of(at));
        let spent = state.of(level, name);
        spent.budget = Some(budget);
        budget.hard && spent.nano_usd >= budget.usd.0
    }

    /// In Prometheus' text format; only what has a budget.
    pub(super) fn render(&self, out: &mut String) {
        let state = self.0.lock().expect("no panic while held");
        let mut family = |name: &str, help: &str, value: &dyn Fn(&Spent) -> Option<i64>| {
            _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} gauge");
            for (level, spent) in Level::ALL.iter().zip(&state.spent) {
                let mut named: Vec<_> = spent.iter().collect();
                named.sort_unstable_by_key(|(whose, _)| *whose);
                for (whose, spent) in named {
                    if let Some(value) = value(spent) {
                        let level = level.as_str();
                        _ = writeln!(out, "{name}{{level=\"{level}\",name=\"{whose}\"}} {value}");
                    }
                }
            }
        };
        family(
            "tollgate_budget_nanousd",
            "Budget of a month, nano-USD.",
            &|spent| spent.budget.map(|budget| budget.usd.0),
        );
        family(
            "tollgate_budget_spent_nanousd",
            "Spent this month where there is a budget, nano-USD.",
            &|spent| spent.budget.map(|_| spent.nano_usd),
        );
        out.push_str("# HELP tollgate_budget_events_total Budgets of which so much was spent, by percent.\n# TYPE tollgate_budget_events_total counter\n");
        for ((level, percent), n) in &state.events {
            let level = level.as_str();
            _ = writeln!(
                out,
                "tollgate_budget_events_total{{level=\"{level}\",percent=\"{percent}\"}} {n}"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const USD: i64 = 1_000_000_000;

    fn record(at: &str, team: &str, nano_usd: i64) -> Record {
        let policy = "[[rule]]\nid = \"a\"\neffect = \"permit\"\nreason = \"r\"\n";
        let policy = crate::policy::Policy::parse(policy).expect("a policy");
        let mut record = crate::draft::Draft::new(&policy).finish().clone();
        record.started_us = at.parse::<Timestamp>().expect("a time").as_microsecond();
        (record.caller, record.team) = ("ci".into(), team.into());
        record.cost = Cost::Priced {
            nano_usd,
            price: "p".into(),
        };
        record
    }

    fn budget(text: &str) -> Result<Budget, toml::de::Error> {
        toml::from_str(text)
    }

    #[test]
    fn amounts_are_exact_and_above_nothing() {
        for (text, nano) in [
            ("500", 500 * USD),
            ("0.1", USD / 10),
            ("\"499.95\"", 499_950_000_000),
        ] {
            let budget = budget(&format!("usd = {text}")).expect(text);
            assert_eq!((budget.usd.0, budget.hard), (nano, true), "{text}");
            let json = serde_json::to_string(&budget).expect("JSON");
            assert_eq!(serde_json::from_str::<Budget>(&json).expect(&json), budget);
        }
        for text in ["0", "-1", "\"1e3\"", "\"ten\"", "nan", "true"] {
            let error = budget(&format!("usd = {text}"))
                .expect_err(text)
                .to_string();
            assert!(error.contains("US dollars"), "{text}: {error}");
        }
    }

    #[test]
    fn each_mark_is_told_once_and_the_month_begins_anew() {
        let spending = Spending::default();
        let soft = budget("usd = 10\nhard = false").expect("valid");
        let told = |at: &str, usd: i64| -> Vec<(&'static str, u8)> {
            let of = |level| (level == Level::Team).then_some(soft);
            let events = spending.add(&record(at, "a", usd * USD), of);
            events.into_iter().map(|e| (e.level, e.percent)).collect()
        };
        spending.resume(&record("2026-10-31T23:59:59Z", "a", 100 * USD));
        spending.resume(&record("2026-11-01T00:00:00Z", "a", 4 * USD));
        assert_eq!(told("2026-11-02T00:00:00Z", 1), [("team", 50)]);
        assert_eq!(told("2026-11-02T00:00:00Z", 1), []);
        assert_eq!(
            told("2026-11-03T00:00:00Z", 4),
            [("team", 100)],
            "the highest of two"
        );
        assert_eq!(told("2026-11-03T00:00:00Z", 1), []);
        assert_eq!(
            told("2026-10-31T00:00:00Z", 99),
            [],
            "of a month that is over"
        );
        assert_eq!(told("2026-12-01T00:00:00Z", 8), [("team", 80)]);
        let mut text = String::new();
        spending.render(&mut text);
        for line in [
            "tollgate_budget_spent_nanousd{level=\"team\",name=\"a\"} 8000000000",
            "tollgate_budget_nanousd{level=\"team\",name=\"a\"} 10000000000",
            "tollgate_budget_events_total{level=\"team\",percent=\"80\"} 1",
        ] {
            assert!(text.contains(line), "{text}");
        }
        assert!(!text.contains("ci"), "no budget, no figure");
    }

    #[test]
    fn only_a_hard_budget_is_ever_spent_and_only_in_its_month() {
        let spending = Spending::default();
        let hard = budget("usd = 1").expect("valid");
        let soft = budget("usd = 1\nhard = false").expect("valid");
        let spent = |budget, at: &str| {
            spending.is_spent(Level::Caller, "ci", budget, at.parse().expect("a time"))
        };
        spending.resume(&record("2026-11-02T00:00:00Z", "", USD - 1));
        assert!(!spent(hard, "2026-11-30T23:59:59Z"));
        let mut unpriced = record("2026-11-02T00:00:00Z", "", 0);
        unpriced.cost = Cost::Unpriced {
            missing: "model".into(),
        };
        spending.resume(&unpriced);
        assert!(!spent(hard, "2026-11-30T23:59:59Z"));
        spending.resume(&record("2026-11-02T00:00:00Z", "", 1));
        assert!(spent(hard, "2026-11-30T23:59:59Z") && !spent(soft, "2026-11-30T23:59:59Z"));
        assert!(!spent(hard, "2026-12-01T00:00:00Z"));
        let month = Month::of("2026-12-31T23:00:00Z".parse().expect("a time"));
        assert_eq!(
            (month.to_string(), month.next().to_string()),
            ("2026-12".into(), "2027-01-01".into())
        );
        assert_eq!(month.start().to_string(), "2026-12-01T00:00:00Z");
    }
}
