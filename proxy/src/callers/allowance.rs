//! What a caller, its team and its project may use: plain data, of the configuration and of keys.

use super::Budget;
use crate::pattern;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::num::{NonZeroU32, NonZeroU64};
use std::sync::Arc;

/// Bounds of one caller, team or project; what is absent or empty bounds nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Allowance {
    /// Requests within a minute; a minute's worth may come at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requests_per_minute: Option<NonZeroU64>,
    /// Tokens within a minute, of requests and answers together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokens_per_minute: Option<NonZeroU64>,
    /// Requests in work at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requests_max: Option<NonZeroU32>,
    /// Patterns of the models that may be asked for, by the name that the caller uses; `*` stands
    /// for any run of characters.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub models: Vec<String>,
    /// Names of the endpoints that may answer.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub endpoints: Vec<String>,
    /// What may be spent within a month.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget: Option<Budget>,
}

impl Allowance {
    /// Whether it bounds nothing.
    pub fn is_unbounded(&self) -> bool {
        *self == Allowance::default()
    }

    /// Whether a model may be asked for.
    pub fn allows_model(&self, name: &str) -> bool {
        self.models.is_empty() || self.models.iter().any(|p| pattern::matches(p, name))
    }

    /// Whether an endpoint may answer.
    pub fn allows_endpoint(&self, name: &str) -> bool {
        self.endpoints.is_empty() || self.endpoints.iter().any(|n| n == name)
    }
}

/// On what something is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// One key, or all callers without one together.
    Caller,
    /// All keys of a team.
    Team,
    /// All keys of a project.
    Project,
}

impl Level {
    /// All of them, in the order in which they are asked.
    pub const ALL: [Level; 3] = [Level::Caller, Level::Team, Level::Project];

    /// The name in configuration, metrics and events.
    pub fn as_str(self) -> &'static str {
        match self {
            Level::Caller => "caller",
            Level::Team => "team",
            Level::Project => "project",
        }
    }
}

/// `[caller.NAME]`, `[team.NAME]`, `[project.NAME]`. The name `*` is for each that has no table of
/// its own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Allowances([BTreeMap<String, Arc<Allowance>>; 3]);

/// The name that stands for all others.
const OTHERS: &str = "*";

impl Allowances {
    /// Of the configuration's tables, in the order of [`Level::ALL`].
    ///
    /// # Errors
    /// A name that no key can have, or an endpoint that is none of `endpoints`.
    pub fn new(
        tables: [&BTreeMap<String, Allowance>; 3],
        endpoints: &[&str],
    ) -> Result<Allowances, String> {
        for (level, table) in Level::ALL.iter().zip(tables) {
            for (name, allowance) in table {
                let key = format!("{}.{name:?}", level.as_str());
                if name != OTHERS && !crate::keys::is_name(name) {
                    return Err(format!(
                        "{key}: expected the name of a key, team or project, or \"*\""
                    ));
                }
                let unknown = |n: &&String| !endpoints.contains(&n.as_str());
                if let Some(unknown) = allowance.endpoints.iter().find(unknown) {
                    return Err(format!(
                        "{key}: expected names of endpoints, found {unknown:?}"
                    ));
                }
            }
        }
        let shared = |table: &BTreeMap<String, Allowance>| {
            let all = table.iter();
            all.map(|(name, a)| (name.clone(), Arc::new(a.clone())))
                .collect()
        };
        Ok(Allowances(tables.map(shared)))
    }

    /// What holds for a name: its own table; else what its key brings along; else the table for
    /// all others.
    pub(super) fn of(
        &self,
        level: Level,
        name: &str,
        own: Option<&Arc<Allowance>>,
    ) -> Option<Arc<Allowance>> {
        let table = &self.0[level as usize];
        let found = table.get(name).or(own).or_else(|| table.get(OTHERS));
        found.map(Arc::clone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str) -> Result<Allowances, String> {
        let all: BTreeMap<String, BTreeMap<String, Allowance>> =
            toml::from_str(text).map_err(|e| e.to_string())?;
        let none = BTreeMap::new();
        let of = |level: Level| all.get(level.as_str()).unwrap_or(&none);
        Allowances::new(Level::ALL.map(of), &["openai", "local"])
    }

    #[test]
    fn its_own_table_goes_first_then_what_the_key_brings_then_that_for_all_others() {
        let all = table(
            "[caller.ci]\nrequests_max = 1\n[caller.\"*\"]\nrequests_max = 2\n[team.a]\nmodels = [\"gpt-*\"]\n",
        )
        .expect("valid");
        let own = Arc::new(Allowance {
            requests_max: NonZeroU32::new(3),
            ..Allowance::default()
        });
        let max = |name: &str, own| {
            let found = all.of(Level::Caller, name, own);
            found
                .and_then(|a| a.requests_max)
                .map_or(0, NonZeroU32::get)
        };
        assert_eq!((max("ci", None), max("ci", Some(&own))), (1, 1));
        assert_eq!((max("other", None), max("other", Some(&own))), (2, 3));
        assert!(all.of(Level::Team, "b", None).is_none());
        let team = all.of(Level::Team, "a", None).expect("a table");
        assert!(team.allows_model("gpt-5") && !team.allows_model("claude-5"));
        assert!(team.allows_endpoint("anything") && !team.is_unbounded());
    }

    #[test]
    fn mistakes_are_told() {
        for (text, expected) in [
            ("[team.a]\nrequests_per_minute = 0", "nonzero"),
            ("[team.a]\nrequests_per_hour = 1", "unknown field"),
            (
                "[team.\"a b\"]\nrequests_max = 1",
                "team.\"a b\": expected the name",
            ),
            ("[caller.a]\nendpoints = [\"azure\"]", "found \"azure\""),
        ] {
            let error = table(text).expect_err(text);
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
