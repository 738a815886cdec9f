//! What the records of a period say, counted in one pass.

use crate::record::{Effect, Outcome, Record, Route};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// How many exchanges a paper lists one by one; more are counted and told.
pub(super) const LISTED_MAX: usize = 100_000;

/// Counts over the records of a period. Names no caller.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    pub(super) all: Count,
    pub(super) external: Count,
    pub(super) on_prem: Count,
    pub(super) simulated: u64,
    pub(super) outcomes: BTreeMap<&'static str, u64>,
    pub(super) effects: BTreeMap<Effect, u64>,
    pub(super) routes: BTreeMap<RouteKey, Taken>,
    pub(super) labels: BTreeMap<String, ByEffect>,
    pub(super) rules: BTreeMap<(String, Effect), Ruled>,
    pub(super) policies: BTreeMap<String, Span>,
    pub(super) teams: BTreeSet<String>,
    pub(super) models: BTreeSet<String>,
    pub(super) listed: Vec<Listed>,
    /// The first and the last of the records.
    pub(super) seqs: Option<(u64, u64)>,
}

/// Exchanges and what was found in them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Count {
    pub(super) exchanges: u64,
    pub(super) with_findings: u64,
    pub(super) found: u64,
    pub(super) replaced: u64,
    /// Findings that were not replaced.
    pub(super) as_they_were: u64,
}

impl Count {
    fn add(&mut self, record: &Record) {
        let found = found(record);
        self.exchanges += 1;
        self.with_findings += u64::from(found > 0);
        self.found += found;
        self.replaced += u64::from(record.replaced);
        self.as_they_were += found.saturating_sub(record.replaced.into());
    }
}

fn found(record: &Record) -> u64 {
    record.findings.values().map(|n| u64::from(*n)).sum()
}

/// A time from the first to the last of some exchanges, and how many they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    first_us: i64,
    last_us: i64,
    pub(super) exchanges: u64,
}

impl Default for Span {
    fn default() -> Span {
        Span {
            first_us: i64::MAX,
            last_us: i64::MIN,
            exchanges: 0,
        }
    }
}

impl Span {
    fn add(&mut self, at_us: i64) {
        self.first_us = self.first_us.min(at_us);
        self.last_us = self.last_us.max(at_us);
        self.exchanges += 1;
    }

    pub(super) fn first(&self) -> Timestamp {
        Timestamp::from_microsecond(self.first_us).unwrap_or_default()
    }

    pub(super) fn last(&self) -> Timestamp {
        Timestamp::from_microsecond(self.last_us).unwrap_or_default()
    }
}

/// A way that exchanges took, as it was configured at the time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct RouteKey {
    pub(super) on_prem: bool,
    pub(super) jurisdiction: String,
    pub(super) endpoint: String,
    pub(super) transfer_basis: String,
    pub(super) simulated: bool,
}

/// What took it.
#[derive(Clone, Debug, Default)]
pub(super) struct Taken {
    pub(super) count: Count,
    pub(super) span: Span,
    pub(super) upstream_bytes: u64,
    pub(super) labels: BTreeMap<String, ByEffect>,
}

/// Findings of one label, and the exchanges that held them, by what was decided.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct ByEffect {
    pub(super) exchanges: u64,
    pub(super) found: u64,
    pub(super) permitted: u64,
    pub(super) redacted: u64,
    pub(super) local: u64,
    pub(super) blocked: u64,
}

impl ByEffect {
    fn add(&mut self, effect: Effect, found: u64) {
        self.exchanges += 1;
        self.found += found;
        *match effect {
            Effect::Permit => &mut self.permitted,
            Effect::Redact => &mut self.redacted,
            Effect::Local => &mut self.local,
            Effect::Block => &mut self.blocked,
        } += found;
    }
}

/// What a rule decided.
#[derive(Clone, Debug, Default)]
pub(super) struct Ruled {
    pub(super) reason: String,
    pub(super) exchanges: u64,
    pub(super) found: u64,
}

/// One exchange, without who called.
#[derive(Clone, Debug)]
pub(super) struct Listed {
    pub(super) seq: u64,
    pub(super) exchange: Uuid,
    pub(super) started_us: i64,
    pub(super) team: String,
    pub(super) model: String,
    pub(super) route: Option<Route>,
    pub(super) effect: Effect,
    pub(super) rule: String,
    pub(super) policy: String,
    pub(super) findings: BTreeMap<String, u32>,
    pub(super) replaced: u32,
    pub(super) outcome: Outcome,
    pub(super) error: String,
}

impl Tally {
    /// Counts the record with this sequence number.
    pub fn add(&mut self, seq: u64, record: &Record) {
        let effect = record.decision.effect;
        self.all.add(record);
        self.seqs = Some(self.seqs.map_or((seq, seq), |(first, _)| (first, seq)));
        *self.outcomes.entry(record.outcome.as_str()).or_default() += 1;
        *self.effects.entry(effect).or_default() += 1;
        if !self.teams.contains(&record.team) {
            self.teams.insert(record.team.clone());
        }
        if !self.models.contains(&record.model) {
            self.models.insert(record.model.clone());
        }
        let policy = self
            .policies
            .entry(record.decision.policy.clone())
            .or_default();
        policy.add(record.started_us);
        let rule = self
            .rules
            .entry((record.decision.rule.clone(), effect))
            .or_default();
        if rule.exchanges == 0 {
            rule.reason.clone_from(&record.decision.reason);
        }
        rule.exchanges += 1;
        rule.found += found(record);
        for (label, n) in &record.findings {
            self.labels
                .entry(label.clone())
                .or_default()
                .add(effect, u64::from(*n));
        }
        if let Some(route) = &record.route {
            self.took(route, record);
        }
        if self.listed.len() < LISTED_MAX {
            self.listed.push(Listed::new(seq, record));
        }
    }

    fn took(&mut self, route: &Route, record: &Record) {
        let count = if route.on_prem {
            &mut self.on_prem
        } else {
            &mut self.external
        };
        count.add(record);
        self.simulated += u64::from(route.simulated);
        let key = RouteKey {
            on_prem: route.on_prem,
            jurisdiction: route.jurisdiction.clone(),
            endpoint: route.endpoint.clone(),
            transfer_basis: route.transfer_basis.clone(),
            simulated: route.simulated,
        };
        let taken = self.routes.entry(key).or_default();
        taken.count.add(record);
        taken.span.add(record.started_us);
        taken.upstream_bytes += record.upstream_bytes;
        for (label, n) in &record.findings {
            let of = taken.labels.entry(label.clone()).or_default();
            of.add(record.decision.effect, u64::from(*n));
        }
    }
}

impl Listed {
    fn new(seq: u64, record: &Record) -> Listed {
        Listed {
            seq,
            exchange: record.exchange,
            started_us: record.started_us,
            team: record.team.clone(),
            model: record.model.clone(),
            route: record.route.clone(),
            effect: record.decision.effect,
            rule: record.decision.rule.clone(),
            policy: record.decision.policy.clone(),
            findings: record.findings.clone(),
            replaced: record.replaced,
            outcome: record.outcome,
            error: record.error.clone(),
        }
    }

    pub(super) fn started(&self) -> Timestamp {
        Timestamp::from_microsecond(self.started_us).unwrap_or_default()
    }

    pub(super) fn is_external(&self) -> bool {
        self.route.as_ref().is_some_and(|route| !route.on_prem)
    }

    /// `EMAIL 2, PERSON 1`
    pub(super) fn findings_text(&self) -> String {
        let parts = self
            .findings
            .iter()
            .map(|(label, n)| format!("{label} {n}"));
        parts.collect::<Vec<_>>().join(", ")
    }
}
