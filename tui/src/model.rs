//! What the views show: the totals, rows and exchanges of one period, read at one time. The same
//! value is printed by `tollgate top --json`, so that a script sees what an officer sees.
//!
//! Durations are microseconds; money is nano-USD (1 USD = 1,000,000,000).

use jiff::Timestamp;
use serde::{Serialize, Serializer};
use std::{collections::BTreeMap, sync::Arc};
use tollgate_analytics::{
    money::NanoUsd,
    record::{Effect, Outcome, Record},
};

/// The four effects, in the order in which they are always shown.
pub const EFFECTS: [Effect; 4] = [Effect::Permit, Effect::Redact, Effect::Local, Effect::Block];

/// Everything shown of one period.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Snapshot {
    /// Sums over the whole period.
    pub totals: Totals,
    /// Exchanges over time, oldest first, quiet steps included.
    pub series: Vec<Step>,
    /// Findings by entity, most first.
    pub entities: Vec<EntityRow>,
    /// Endpoints that exchanges went to, busiest first.
    pub routes: Vec<RouteRow>,
    /// Spend by team, dearest first.
    pub teams: Vec<SpendRow>,
    /// Spend by model, dearest first.
    pub models: Vec<SpendRow>,
    /// What could not be priced and why, most first.
    pub unpriced: Vec<UnpricedRow>,
    /// Decisions by rule, most first.
    pub rules: Vec<RuleRow>,
    /// The latest exchanges of the period that are at hand, newest first.
    #[serde(serialize_with = "shared")]
    pub exchanges: Vec<Arc<Exchange>>,
    /// Whether `exchanges` holds all of the period.
    pub exchanges_complete: bool,
    /// The exchange asked for by its id; absent if none was asked for or the store has none.
    #[serde(skip)]
    pub looked_up: Option<Arc<Exchange>>,
}

fn shared<S: Serializer>(exchanges: &[Arc<Exchange>], to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(exchanges.iter().map(AsRef::as_ref))
}

/// A number for each effect.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Effects {
    /// Sent as they came.
    pub permit: u64,
    /// Sent with placeholders.
    pub redact: u64,
    /// Kept on-prem.
    pub local: u64,
    /// Sent nowhere.
    pub block: u64,
}

impl Effects {
    /// The number of one effect.
    pub fn get(&self, effect: Effect) -> u64 {
        match effect {
            Effect::Permit => self.permit,
            Effect::Redact => self.redact,
            Effect::Local => self.local,
            Effect::Block => self.block,
        }
    }

    /// All of them together.
    pub fn sum(&self) -> u64 {
        EFFECTS
            .iter()
            .fold(0, |sum, &effect| sum.saturating_add(self.get(effect)))
    }
}

/// Sums over the whole period.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Totals {
    /// Exchanges recorded.
    pub exchanges: u64,
    /// Of those, how many went to a simulated endpoint.
    pub simulated: u64,
    /// Exchanges by the effect decided.
    pub effects: Effects,
    /// Exchanges that went to an endpoint under our own control, whatever the effect.
    pub on_prem: u64,
    /// Exchanges by outcome (`answered`, `blocked`, `refused`, …); none of them zero.
    pub outcomes: BTreeMap<&'static str, u64>,
    /// Findings of all entities.
    pub findings: u64,
    /// Findings replaced before the request left.
    pub replaced: u64,
    /// Findings that left in clear to an external endpoint because the policy allows it.
    pub left_in_clear: u64,
    /// What the exchanges consumed and what it cost.
    pub spend: Spend,
    /// What the gate added before the request went upstream; absent when nothing went anywhere.
    pub gate: Option<Latency>,
    /// From the request read to the last byte answered; absent when nothing was answered.
    pub total: Option<Latency>,
}

/// Exact percentiles of one duration; microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Latency {
    /// Half are at or below.
    pub p50_us: u64,
    /// 95 in 100 are at or below.
    pub p95_us: u64,
    /// 99 in 100 are at or below.
    pub p99_us: u64,
}

/// What happened within one step of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Step {
    /// Where the step begins; it ends where the next one begins.
    pub start: Timestamp,
    /// Exchanges.
    pub exchanges: u64,
    /// Of those, how many policy kept in.
    pub blocked: u64,
}

/// The findings of one entity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EntityRow {
    /// The entity's label, such as `IBAN`.
    pub entity: String,
    /// Findings, by the effect decided on the exchange that held them.
    pub findings: Effects,
    /// Exchanges that held at least one.
    pub exchanges: u64,
}

/// One endpoint, as it was configured at the time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RouteRow {
    /// The endpoint's configured name.
    pub endpoint: String,
    /// ISO 3166-1 alpha-2 code or `EU`; empty for an on-prem endpoint.
    pub jurisdiction: String,
    /// The transfer basis configured, or empty.
    pub transfer_basis: String,
    /// Whether it is under our own control.
    pub on_prem: bool,
    /// Whether it is a simulation.
    pub simulated: bool,
    /// Exchanges, tokens and money.
    pub spend: Spend,
    /// Findings that went there unreplaced.
    pub findings_in_clear: u64,
    /// 95th percentile of the whole exchange; absent when none was answered.
    pub total_p95_us: Option<u64>,
}

/// What some exchanges consumed and what it cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Spend {
    /// Exchanges.
    pub exchanges: u64,
    /// Input tokens where known, cache reads and writes included.
    pub input_tokens: u64,
    /// Output tokens where known, reasoning included.
    pub output_tokens: u64,
    /// What the priced exchanges cost, the simulated ones included.
    pub nano_usd: NanoUsd,
    /// Exchanges that could not be priced. Their cost is unknown; it is not 0.
    pub unpriced: u64,
}

/// The spend of one team or one model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SpendRow {
    /// The team or the model; empty when none is recorded.
    pub name: String,
    /// What it consumed.
    pub spend: Spend,
    /// The part of the money that was simulated and never billed.
    pub simulated_nano_usd: NanoUsd,
}

/// Exchanges that could not be priced for one reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UnpricedRow {
    /// The model asked for.
    pub model: String,
    /// What was missing: `model`, `usage`, `price`.
    pub missing: String,
    /// How many.
    pub exchanges: u64,
}

/// The decisions of one rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RuleRow {
    /// The rule's id; empty when no rule was reached.
    pub rule: String,
    /// What it decided.
    pub effect: Effect,
    /// Its own reason.
    pub reason: String,
    /// How often it decided.
    pub decisions: u64,
    /// Findings in the exchanges that it decided.
    pub findings: u64,
    /// The policies that it stood in: first 16 hex digits of each file's SHA-256.
    pub policies: Vec<String>,
}

/// One exchange as recorded, with its place in the ledger.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Exchange {
    /// The record's sequence number in the ledger.
    pub seq: u64,
    /// The record.
    #[serde(flatten)]
    pub record: Record,
}

impl Exchange {
    /// When it began.
    pub fn started(&self) -> Timestamp {
        Timestamp::from_microsecond(self.record.started_us).unwrap_or_default()
    }

    /// All findings together.
    pub fn findings(&self) -> u64 {
        self.record.findings.values().map(|&n| u64::from(n)).sum()
    }

    /// Whether the gate itself said no.
    pub fn is_refusal(&self) -> bool {
        matches!(
            self.record.outcome,
            Outcome::Blocked | Outcome::Refused | Outcome::Failed
        )
    }
}
