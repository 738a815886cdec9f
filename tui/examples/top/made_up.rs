//! Made-up figures: an office that never was. The totals are summed from the exchanges, so that
//! the screens add up.

use jiff::Timestamp;
use std::{collections::BTreeMap, sync::Arc};
use tollgate_analytics::{
    money::NanoUsd,
    record::{Cost, DecisionRecord, Effect, Outcome, Record, Route, Timing, Usage},
};
use tollgate_tui::model::{
    Effects, EntityRow, Exchange, Latency, RouteRow, RuleRow, Snapshot, Spend, SpendRow, Step,
    Totals, UnpricedRow,
};
use uuid::Uuid;

/// A small generator (SplitMix64): the same seed, the same office.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % sides
    }
}

const TEAMS: [(&str, &str); 7] = [
    ("payments", "checkout-bot"),
    ("hr", "cv-screener"),
    ("radiology", "report-writer"),
    ("developers", "ide-plugin"),
    ("研究開発", "翻訳アシスタント"),
    (
        "Group Treasury, Risk and Regulatory Reporting",
        "quarterly-narrative-generator-v2",
    ),
    ("", "anonymous"),
];

const MODELS: [(&str, &str, i64); 4] = [
    ("gpt-4o-mini", "openai/gpt-4o-mini@2024-07-18", 150),
    ("gpt-4o", "openai/gpt-4o@2024-08-06", 2_500),
    (
        "claude-sonnet-4-5",
        "anthropic/claude-sonnet-4-5@2025-09-29",
        3_000,
    ),
    ("mistral-large-preview-next", "", 0),
];

const LABELS: [&str; 12] = [
    "PERSON",
    "EMAIL",
    "PHONE",
    "IBAN",
    "CARD",
    "ADDRESS",
    "DATE_OF_BIRTH",
    "NATIONAL_ID",
    "HEALTH",
    "SECRET",
    "URL",
    "ORG",
];

/// The last `n` exchanges before `now`, over 24 hours.
pub fn office(n: u64, now: Timestamp) -> Snapshot {
    let mut dice = Dice(n);
    let mut back_us = 1_500_000;
    let exchanges: Vec<Arc<Exchange>> = (0..n)
        .map(|i| {
            let hour = (now.as_second() - back_us / 1_000_000).rem_euclid(86_400) / 3_600;
            let quiet = if (7..19).contains(&hour) { 1 } else { 5 };
            back_us += (86_400_000_000 / n as i64) * (dice.roll(9) as i64 + 1) * quiet / 12;
            let started = now.as_microsecond() - back_us;
            Arc::new(Exchange {
                seq: n - i,
                record: record(started, n - i, &mut dice),
            })
        })
        .take_while(|exchange| now.as_microsecond() - exchange.record.started_us < 86_400_000_000)
        .collect();
    summed(exchanges, now)
}

fn record(started_us: i64, seq: u64, dice: &mut Dice) -> Record {
    let (team, caller) = TEAMS[dice.roll(7).min(dice.roll(7)) as usize];
    let (model, price, rate) = MODELS[dice.roll(4).min(dice.roll(4)) as usize];
    let mut findings = BTreeMap::new();
    for _ in 0..dice.roll(5) {
        let label = LABELS[dice.roll(12).min(dice.roll(12)) as usize];
        *findings.entry(label.to_owned()).or_insert(0) += 1 + dice.roll(3) as u32;
    }
    let special = findings.contains_key("HEALTH");
    let secret = findings.contains_key("SECRET");
    let opaque = dice.roll(40) == 0;
    let malformed = dice.roll(60) == 0;
    let (effect, rule, reason) = match () {
        () if malformed => {
            findings.clear();
            (Effect::Block, "", "")
        }
        () if opaque => (
            Effect::Block,
            "opaque-content",
            "Images, audio and files cannot be inspected yet.",
        ),
        () if secret => (
            Effect::Local,
            "secrets-stay",
            "Credentials never leave the organization.",
        ),
        () if special => (
            Effect::Local,
            "special-categories-stay",
            "Special categories of personal data are answered on-prem.",
        ),
        () if findings
            .keys()
            .any(|label| label != "URL" && label != "ORG") =>
        {
            (
                Effect::Redact,
                "pseudonymise-personal-data",
                "Personal data leaves only as placeholders.",
            )
        }
        () => (
            Effect::Permit,
            "the-rest",
            "Nothing found that policy keeps in.",
        ),
    };
    let anthropic = model.starts_with("claude");
    let route = match effect {
        Effect::Block => None,
        Effect::Local => Some(Route {
            endpoint: "local".into(),
            jurisdiction: String::new(),
            transfer_basis: String::new(),
            on_prem: true,
            simulated: false,
        }),
        _ => Some(Route {
            endpoint: if anthropic { "anthropic-eu" } else { "openai" }.into(),
            jurisdiction: if anthropic { "EU" } else { "US" }.into(),
            transfer_basis: if anthropic { "" } else { "scc" }.into(),
            on_prem: false,
            simulated: !anthropic,
        }),
    };
    let upstream_failed = route.is_some() && dice.roll(50) == 0;
    let (outcome, error, status) = match () {
        () if malformed => (Outcome::Refused, "malformed_json", 422),
        () if effect == Effect::Block => (Outcome::Blocked, "policy_blocked", 403),
        () if upstream_failed => (Outcome::UpstreamError, "upstream_reset", 502),
        () if dice.roll(70) == 0 => (Outcome::Cancelled, "", 0),
        () => (Outcome::Answered, "", 200),
    };
    let usage = (outcome == Outcome::Answered).then(|| Usage {
        input: 200 + dice.roll(9_000),
        cache_read: dice.roll(150),
        output: 20 + dice.roll(900),
        estimated: effect == Effect::Local,
        ..Usage::default()
    });
    let cost = match (&route, &usage) {
        (Some(route), Some(usage)) if !route.on_prem => match rate {
            0 => Cost::Unpriced {
                missing: "price".into(),
            },
            _ => Cost::Priced {
                nano_usd: rate * (usage.input as i64 + 4 * usage.output as i64),
                price: price.into(),
            },
        },
        _ => Cost::Free,
    };
    let found: u32 = findings.values().sum();
    let replaced = if effect == Effect::Redact { found } else { 0 };
    let gate_us = 180 + dice.roll(4_000) + if found > 0 { dice.roll(24_000) } else { 0 };
    let first = if route.is_some() {
        80_000 + dice.roll(900_000)
    } else {
        0
    };
    let rest = if usage.is_some() {
        dice.roll(2_500_000)
    } else {
        0
    };
    let size = 300 + dice.roll(60_000);
    Record {
        exchange: Uuid::from_u64_pair(0x0199_f1c2_7a30_7000 + seq, 0x8000_0000_0000_0000 | seq),
        started_us,
        caller: caller.into(),
        team: team.into(),
        project: String::new(),
        trace: String::new(),
        wire: if anthropic { "anthropic" } else { "openai" }.into(),
        operation: "chat".into(),
        stream: dice.roll(2) == 0,
        model: if malformed {
            String::new()
        } else {
            model.into()
        },
        tried: Vec::new(),
        decision: DecisionRecord {
            effect,
            rule: rule.into(),
            reason: reason.into(),
            policy: if malformed {
                String::new()
            } else {
                "4f1d0c93ab27e685".into()
            },
        },
        findings,
        replaced,
        restored: if usage.is_some() { replaced / 2 } else { 0 },
        outcome,
        error: error.into(),
        status,
        request_bytes: size,
        upstream_bytes: if route.is_some() {
            size + u64::from(replaced) * 7
        } else {
            0
        },
        response_bytes: usage.map_or(312, |usage| usage.output * 6),
        usage,
        cost,
        timing: Timing {
            total_us: gate_us + first + rest,
            gate_us,
            inspect_cpu_us: gate_us * 8 / 10,
            upstream_first_byte_us: first,
        },
        route,
    }
}

/// Everything else of a snapshot, summed from its exchanges.
fn summed(exchanges: Vec<Arc<Exchange>>, now: Timestamp) -> Snapshot {
    let mut totals = Totals::default();
    let mut entities: BTreeMap<String, EntityRow> = BTreeMap::new();
    let mut routes: BTreeMap<String, RouteRow> = BTreeMap::new();
    let mut teams: BTreeMap<String, SpendRow> = BTreeMap::new();
    let mut models: BTreeMap<String, SpendRow> = BTreeMap::new();
    let mut unpriced: BTreeMap<String, UnpricedRow> = BTreeMap::new();
    let mut rules: BTreeMap<String, RuleRow> = BTreeMap::new();
    let minutes = 24 * 60;
    let mut series: Vec<Step> = (0..minutes)
        .map(|i| Step {
            start: Timestamp::from_second(now.as_second() - (minutes - i) * 60).expect("a moment"),
            exchanges: 0,
            blocked: 0,
        })
        .collect();
    for exchange in &exchanges {
        let record = &exchange.record;
        let effect = record.decision.effect;
        let found = exchange.findings();
        let simulated = record.route.as_ref().is_some_and(|route| route.simulated);
        totals.exchanges += 1;
        totals.simulated += u64::from(simulated);
        *count(&mut totals.effects, effect) += 1;
        totals.on_prem += u64::from(record.route.as_ref().is_some_and(|route| route.on_prem));
        *totals.outcomes.entry(record.outcome.as_str()).or_default() += 1;
        totals.findings += found;
        totals.replaced += u64::from(record.replaced);
        if record.route.as_ref().is_some_and(|route| !route.on_prem) {
            totals.left_in_clear += found - u64::from(record.replaced);
        }
        add(&mut totals.spend, record);
        for (label, n) in &record.findings {
            let row = entities.entry(label.clone()).or_insert_with(|| EntityRow {
                entity: label.clone(),
                findings: Effects::default(),
                exchanges: 0,
            });
            *count(&mut row.findings, effect) += u64::from(*n);
            row.exchanges += 1;
        }
        if let Some(route) = &record.route {
            let row = routes
                .entry(route.endpoint.clone())
                .or_insert_with(|| RouteRow {
                    endpoint: route.endpoint.clone(),
                    jurisdiction: route.jurisdiction.clone(),
                    transfer_basis: route.transfer_basis.clone(),
                    on_prem: route.on_prem,
                    simulated: route.simulated,
                    spend: Spend::default(),
                    findings_in_clear: 0,
                    total_p95_us: None,
                });
            add(&mut row.spend, record);
            row.findings_in_clear += found - u64::from(record.replaced);
            row.total_p95_us = row
                .total_p95_us
                .max(Some(record.timing.total_us * 95 / 100));
        }
        for (rows, name) in [(&mut teams, &record.team), (&mut models, &record.model)] {
            let row = rows.entry(name.clone()).or_insert_with(|| SpendRow {
                name: name.clone(),
                spend: Spend::default(),
                simulated_nano_usd: NanoUsd::ZERO,
            });
            add(&mut row.spend, record);
            if let (true, Cost::Priced { nano_usd, .. }) = (simulated, &record.cost) {
                row.simulated_nano_usd.0 += nano_usd;
            }
        }
        if let Cost::Unpriced { missing } = &record.cost {
            let row = unpriced
                .entry(record.model.clone())
                .or_insert_with(|| UnpricedRow {
                    model: record.model.clone(),
                    missing: missing.clone(),
                    exchanges: 0,
                });
            row.exchanges += 1;
        }
        let row = rules
            .entry(record.decision.rule.clone())
            .or_insert_with(|| RuleRow {
                rule: record.decision.rule.clone(),
                effect,
                reason: record.decision.reason.clone(),
                decisions: 0,
                findings: 0,
                policies: vec![record.decision.policy.clone()],
            });
        row.decisions += 1;
        row.findings += found;
        let ago = (now.as_second() - record.started_us.div_euclid(1_000_000)) / 60;
        if let Some(step) = usize::try_from(minutes - 1 - ago)
            .ok()
            .and_then(|i| series.get_mut(i))
        {
            step.exchanges += 1;
            step.blocked += u64::from(effect == Effect::Block);
        }
    }
    let latency = |of: fn(&Record) -> u64| {
        let mut all: Vec<u64> = exchanges
            .iter()
            .map(|exchange| of(&exchange.record))
            .collect();
        all.sort_unstable();
        let at = |percent: usize| all[(all.len() - 1) * percent / 100];
        (!all.is_empty()).then(|| Latency {
            p50_us: at(50),
            p95_us: at(95),
            p99_us: at(99),
        })
    };
    totals.gate = latency(|record| record.timing.gate_us);
    totals.total = latency(|record| record.timing.total_us);
    Snapshot {
        totals,
        series,
        entities: most_first(entities, |row| row.findings.sum() as i64),
        routes: most_first(routes, |row| row.spend.exchanges as i64),
        teams: most_first(teams, |row| row.spend.nano_usd.0),
        models: most_first(models, |row| row.spend.nano_usd.0),
        unpriced: most_first(unpriced, |row| row.exchanges as i64),
        rules: most_first(rules, |row| row.decisions as i64),
        exchanges,
        exchanges_complete: true,
        looked_up: None,
    }
}

fn count(effects: &mut Effects, effect: Effect) -> &mut u64 {
    match effect {
        Effect::Permit => &mut effects.permit,
        Effect::Redact => &mut effects.redact,
        Effect::Local => &mut effects.local,
        Effect::Block => &mut effects.block,
    }
}

fn add(spend: &mut Spend, record: &Record) {
    spend.exchanges += 1;
    if let Some(usage) = &record.usage {
        spend.input_tokens += usage.input;
        spend.output_tokens += usage.output;
    }
    match &record.cost {
        Cost::Priced { nano_usd, .. } => spend.nano_usd.0 += nano_usd,
        Cost::Unpriced { .. } => spend.unpriced += 1,
        Cost::Free => {}
    }
}

fn most_first<T>(rows: BTreeMap<String, T>, of: impl Fn(&T) -> i64) -> Vec<T> {
    let mut rows: Vec<T> = rows.into_values().collect();
    rows.sort_by_key(|row| std::cmp::Reverse(of(row)));
    rows
}
