//! The tables that templates ask for by name.

use super::Facts;
use super::document::{Cell, Column, Table};
use super::tally::{ByEffect, LISTED_MAX, Listed, RouteKey, Taken};
use super::template::Shown;
use crate::ledger::Act;
use crate::report::{Jurisdiction, transfer_basis};
use jiff::Timestamp;
use serde::Deserialize;
use std::collections::BTreeMap;

/// A table, as templates name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kind {
    /// Each exchange.
    Exchanges,
    /// Where exchanges went, and on what basis.
    Transfers,
    /// What went there, by category of data.
    TransferCategories,
    /// Who stands behind the endpoints.
    Processors,
    /// What was found, by category of data and by what was decided.
    Categories,
    /// What the rules decided.
    Decisions,
    /// Which policies were in force.
    Policies,
    /// How long logs are to be kept, and are.
    Retention,
    /// Until when a breach is to be told, by jurisdiction.
    Deadlines,
    /// What people did.
    Acts,
}

/// Makes a table.
pub(super) fn make(shown: &Shown, facts: &Facts) -> Table {
    match shown.of {
        Kind::Exchanges => exchanges(shown, facts),
        Kind::Transfers => transfers(shown, facts),
        Kind::TransferCategories => transfer_categories(shown, facts),
        Kind::Processors => processors(facts),
        Kind::Categories => categories(shown, facts),
        Kind::Decisions => decisions(facts),
        Kind::Policies => policies(facts),
        Kind::Retention => retention(facts),
        Kind::Deadlines => deadlines(facts),
        Kind::Acts => acts(facts),
    }
}

fn columns<const N: usize>(of: [(&'static str, &'static str); N]) -> Vec<Column> {
    of.into_iter()
        .map(|(key, label)| Column { key, label })
        .collect()
}

fn table(
    id: &'static str,
    about: &str,
    columns: Vec<Column>,
    rows: impl IntoIterator<Item = Vec<Cell>>,
) -> Table {
    Table {
        id,
        about: about.to_owned(),
        columns,
        rows: rows.into_iter().collect(),
        left_out: 0,
    }
}

fn is_about<'a>(shown: &Shown, mut labels: impl Iterator<Item = &'a String>) -> bool {
    shown.labels.is_empty() || labels.any(|label| shown.labels.contains(label))
}

fn routes<'a>(shown: &Shown, facts: &'a Facts) -> Vec<(&'a RouteKey, &'a Taken)> {
    let external = shown.external;
    let routes = facts.tally.routes.iter();
    routes
        .filter(|(route, taken)| {
            !(external && route.on_prem) && is_about(shown, taken.labels.keys())
        })
        .collect()
}

fn exchanges(shown: &Shown, facts: &Facts) -> Table {
    let wanted = |listed: &&Listed| {
        (listed.is_external() || !shown.external) && is_about(shown, listed.findings.keys())
    };
    let row = |listed: &Listed| -> Vec<Cell> {
        let (endpoint, whose, simulated) = match &listed.route {
            Some(route) if route.on_prem => (route.endpoint.as_str(), "on-prem", route.simulated),
            Some(route) => (
                route.endpoint.as_str(),
                route.jurisdiction.as_str(),
                route.simulated,
            ),
            None => ("", "", false),
        };
        vec![
            listed.started().into(),
            listed.exchange.to_string().into(),
            listed.seq.into(),
            listed.team.as_str().into(),
            listed.model.as_str().into(),
            endpoint.into(),
            whose.into(),
            listed.effect.as_str().into(),
            listed.rule.as_str().into(),
            listed.policy.as_str().into(),
            listed.findings_text().into(),
            u64::from(listed.replaced).into(),
            listed.outcome.as_str().into(),
            listed.error.as_str().into(),
            if simulated { "simulated" } else { "" }.into(),
        ]
    };
    let columns = columns([
        ("started", "Began"),
        ("exchange", "Exchange"),
        ("record", "Record"),
        ("team", "Team"),
        ("model", "Model"),
        ("endpoint", "Endpoint"),
        ("jurisdiction", "Jurisdiction"),
        ("effect", "Decision"),
        ("rule", "Rule"),
        ("policy", "Policy"),
        ("findings", "Found"),
        ("replaced", "Replaced"),
        ("outcome", "Outcome"),
        ("error", "Error"),
        ("simulated", "Simulated"),
    ]);
    let rows = facts.tally.listed.iter().filter(wanted).map(row);
    let about = "Each exchange, from its record in the ledger.";
    let mut table = table("exchanges", about, columns, rows);
    // Those beyond the limit were counted and not looked at: how many this table lacks is known
    // only where it shows all.
    table.left_out = facts.tally.all.exchanges.saturating_sub(LISTED_MAX as u64);
    table
}

fn law<'a>(facts: &'a Facts, code: &str) -> Option<&'a Jurisdiction> {
    facts.jurisdictions.get(code)
}

fn transfers(shown: &Shown, facts: &Facts) -> Table {
    let columns = columns([
        ("jurisdiction", "Country"),
        ("endpoint", "Endpoint"),
        ("recipient", "Recipient"),
        ("transfer_basis", "Basis"),
        ("safeguard", "Safeguard and assessment"),
        ("eu_adequacy", "Adequate to the EU"),
        ("exchanges", "Exchanges"),
        ("with_findings", "With personal data"),
        ("found", "Found"),
        ("replaced", "Replaced"),
        ("in_clear", "Left in clear"),
        ("bytes", "Bytes sent"),
        ("first", "First"),
        ("last", "Last"),
        ("simulated", "Simulated"),
        ("law_source", "Source and confidence"),
    ]);
    let rows = routes(shown, facts).into_iter().map(|(route, taken)| {
        let processor = facts.organization.processor(&route.endpoint);
        let law = law(facts, &route.jurisdiction);
        let key = |field| format!("organization.processor({}).{field}", route.endpoint);
        let country = match law {
            Some(law) => format!("{} ({})", law.jurisdiction, route.jurisdiction),
            None => route.jurisdiction.clone(),
        };
        let basis = match route.transfer_basis.as_str() {
            "" | "none" => Cell::Gap(format!("endpoint({}).transfer_basis", route.endpoint)),
            basis => transfer_basis(basis).into(),
        };
        vec![
            country.into(),
            route.endpoint.as_str().into(),
            Cell::said(processor.and_then(|of| of.name.clone()), &key("name")),
            basis,
            Cell::said(
                processor.and_then(|of| of.safeguard.clone()),
                &key("safeguard"),
            ),
            law.map_or("not known", |law| law.eu_adequacy.as_str())
                .into(),
            taken.count.exchanges.into(),
            taken.count.with_findings.into(),
            taken.count.found.into(),
            taken.count.replaced.into(),
            taken.count.as_they_were.into(),
            taken.upstream_bytes.into(),
            taken.span.first().into(),
            taken.span.last().into(),
            if route.simulated { "simulated" } else { "" }.into(),
            law.map_or_else(String::new, |law| {
                format!("{} [{}]", law.source, law.confidence)
            })
            .into(),
        ]
    });
    let about = "Where exchanges went, by the endpoint's configuration at the time. What was replaced left as placeholders.";
    table("transfers", about, columns, rows)
}

fn transfer_categories(shown: &Shown, facts: &Facts) -> Table {
    let columns = columns([
        ("jurisdiction", "Country"),
        ("endpoint", "Endpoint"),
        ("label", "Category of data"),
        ("exchanges", "Exchanges"),
        ("found", "Found"),
        ("permitted", "In exchanges sent as they came"),
        ("redacted", "In exchanges sent with placeholders"),
        ("simulated", "Simulated"),
    ]);
    let mut rows = Vec::new();
    for (route, taken) in routes(shown, facts) {
        for (label, of) in wanted(shown, &taken.labels) {
            rows.push(vec![
                route.jurisdiction.as_str().into(),
                route.endpoint.as_str().into(),
                label.as_str().into(),
                of.exchanges.into(),
                of.found.into(),
                of.permitted.into(),
                of.redacted.into(),
                if route.simulated { "simulated" } else { "" }.into(),
            ]);
        }
    }
    table(
        "transfer_categories",
        "What went there, by category.",
        columns,
        rows,
    )
}

fn wanted<'a>(
    shown: &'a Shown,
    labels: &'a BTreeMap<String, ByEffect>,
) -> impl Iterator<Item = (&'a String, &'a ByEffect)> {
    labels
        .iter()
        .filter(|(label, _)| shown.labels.is_empty() || shown.labels.contains(label))
}

fn processors(facts: &Facts) -> Table {
    let columns = columns([
        ("endpoint", "Endpoint"),
        ("name", "Processor"),
        ("address", "Address"),
        ("jurisdiction", "Country"),
        ("contract", "Contract (Art. 28(3))"),
        ("safeguard", "Safeguard of transfers"),
        ("sub_processors", "Sub-processors"),
        ("exchanges", "Exchanges"),
        ("first", "First"),
        ("last", "Last"),
        ("simulated", "Simulated"),
    ]);
    let external = facts
        .tally
        .routes
        .iter()
        .filter(|(route, _)| !route.on_prem);
    let rows = external.map(|(route, taken)| {
        let of = facts.organization.processor(&route.endpoint);
        let said = |text: Option<&String>, field: &str| {
            Cell::said(
                text.cloned(),
                &format!("organization.processor({}).{field}", route.endpoint),
            )
        };
        vec![
            route.endpoint.as_str().into(),
            said(of.and_then(|of| of.name.as_ref()), "name"),
            said(of.and_then(|of| of.address.as_ref()), "address"),
            facts.jurisdictions.name(&route.jurisdiction).into(),
            said(of.and_then(|of| of.contract.as_ref()), "contract"),
            said(of.and_then(|of| of.safeguard.as_ref()), "safeguard"),
            said(
                of.and_then(|of| of.sub_processors.as_ref()),
                "sub_processors",
            ),
            taken.count.exchanges.into(),
            taken.span.first().into(),
            taken.span.last().into(),
            if route.simulated { "simulated" } else { "" }.into(),
        ]
    });
    let about = "Endpoints outside the organization that answered in the period.";
    table("processors", about, columns, rows)
}

fn categories(shown: &Shown, facts: &Facts) -> Table {
    let columns = columns([
        ("label", "Category of data"),
        ("found", "Found"),
        ("exchanges", "Exchanges"),
        ("permitted", "In exchanges sent as they came"),
        ("redacted", "… sent with placeholders"),
        ("local", "… kept on-prem"),
        ("blocked", "… sent nowhere"),
    ]);
    let rows = wanted(shown, &facts.tally.labels).map(|(label, of)| {
        vec![
            label.as_str().into(),
            of.found.into(),
            of.exchanges.into(),
            of.permitted.into(),
            of.redacted.into(),
            of.local.into(),
            of.blocked.into(),
        ]
    });
    table("categories", "What was found in prompts.", columns, rows)
}

fn decisions(facts: &Facts) -> Table {
    let columns = columns([
        ("rule", "Rule"),
        ("effect", "Decision"),
        ("reason", "Reason"),
        ("exchanges", "Exchanges"),
        ("found", "Found"),
    ]);
    let rows = facts.tally.rules.iter().map(|((rule, effect), of)| {
        vec![
            if rule.is_empty() {
                "no rule was reached"
            } else {
                rule.as_str()
            }
            .into(),
            effect.as_str().into(),
            of.reason.as_str().into(),
            of.exchanges.into(),
            of.found.into(),
        ]
    });
    table(
        "decisions",
        "What the policy's rules decided.",
        columns,
        rows,
    )
}

fn policies(facts: &Facts) -> Table {
    let columns = columns([
        ("policy", "Version"),
        ("exchanges", "Exchanges"),
        ("first", "First decision"),
        ("last", "Last decision"),
    ]);
    let rows = facts.tally.policies.iter().map(|(policy, span)| {
        vec![
            if policy.is_empty() {
                "none was reached"
            } else {
                policy.as_str()
            }
            .into(),
            span.exchanges.into(),
            span.first().into(),
            span.last().into(),
        ]
    });
    let about = "Policies that decided, by the first 16 hex digits of their SHA-256.";
    table("policies", about, columns, rows)
}

/// The jurisdictions that the organization names, or else all, with whether it named them.
fn concerned(facts: &Facts) -> (bool, Vec<(String, Option<&Jurisdiction>)>) {
    let named = &facts.organization.jurisdictions;
    if named.is_empty() {
        let all = facts.jurisdictions.iter();
        return (
            false,
            all.map(|law| (law.code.clone(), Some(law))).collect(),
        );
    }
    (
        true,
        named
            .iter()
            .map(|code| (code.clone(), law(facts, code)))
            .collect(),
    )
}

const UNCHOSEN: &str = " All jurisdictions of rules/jurisdictions.csv are listed, because `organization.jurisdictions` does not say whose law applies.";

fn retention(facts: &Facts) -> Table {
    let columns = columns([
        ("jurisdiction", "Jurisdiction"),
        ("keep_days", "Keep for days, at least"),
        ("note", "By which rule"),
        ("oldest", "Oldest record held"),
        ("state", "State"),
        ("law_source", "Source and confidence"),
    ]);
    let (chosen, laws) = concerned(facts);
    let oldest = facts.held.map(|(oldest, _)| oldest);
    let rows = laws.into_iter().filter_map(|(code, law)| {
        let Some(law) = law else {
            let unknown = "not in rules/jurisdictions.csv".into();
            return Some(vec![
                code.into(),
                Cell::None,
                unknown,
                Cell::None,
                Cell::None,
                Cell::None,
            ]);
        };
        let days = law.log_retention_days_hint.parse::<u64>().ok();
        if days.is_none() && !chosen {
            return None;
        }
        let state = match (days, oldest) {
            (None, _) => "no period is known here",
            (_, None) => "the ledger holds no record",
            (Some(days), Some(oldest)) => {
                let held_s = facts.made_at.as_second().saturating_sub(oldest.as_second());
                if u64::try_from(held_s / 86_400).unwrap_or(0) >= days {
                    "records reach back so far"
                } else if facts.ledger.first_erased.is_some() {
                    "records do not reach back so far, and some were erased: compare with the acts"
                } else {
                    "records do not reach back so far; none was erased"
                }
            }
        };
        Some(vec![
            format!("{} ({code})", law.jurisdiction).into(),
            days.map_or(Cell::None, Cell::Count),
            law.log_note.as_str().into(),
            oldest.map_or(Cell::None, Cell::At),
            state.into(),
            format!("{} [{}]", law.source, law.confidence).into(),
        ])
    });
    let about = "How long logs are to be kept where they must be.";
    let about = if chosen {
        about.to_owned()
    } else {
        format!("{about}{UNCHOSEN}")
    };
    table("retention", &about, columns, rows)
}

fn deadlines(facts: &Facts) -> Table {
    let columns = columns([
        ("jurisdiction", "Jurisdiction"),
        ("hours", "Hours"),
        ("deadline", "Tell the authority by"),
        ("left", "State"),
        ("regulator", "Authority"),
        ("note", "To be observed"),
        ("law_source", "Source and confidence"),
    ]);
    let (chosen, laws) = concerned(facts);
    let mut rows: Vec<(u64, Vec<Cell>)> = laws
        .into_iter()
        .map(|(code, law)| match law {
            Some(law) => (
                law.breach_hours.parse().unwrap_or(u64::MAX),
                deadline(&code, law, facts),
            ),
            None => {
                let unknown = Cell::from("not in rules/jurisdictions.csv");
                let mut row = vec![Cell::None; 7];
                (row[0], row[5]) = (code.into(), unknown);
                (u64::MAX, row)
            }
        })
        .collect();
    rows.sort_by_key(|(hours, _)| *hours);
    let about = "Hours run from when the breach became known, weekends and holidays included. Where none stands, the law gives no number.";
    let about = if chosen {
        about.to_owned()
    } else {
        format!("{about}{UNCHOSEN}")
    };
    table(
        "deadlines",
        &about,
        columns,
        rows.into_iter().map(|(_, row)| row),
    )
}

fn deadline(code: &str, law: &Jurisdiction, facts: &Facts) -> Vec<Cell> {
    let hours: Option<u64> = law.breach_hours.parse().ok();
    let by = |known: Timestamp, hours: u64| {
        let seconds = i64::try_from(hours).ok()?.checked_mul(3_600)?;
        known
            .checked_add(jiff::SignedDuration::from_secs(seconds))
            .ok()
    };
    let (deadline, state) = match (facts.breach_known_at, hours) {
        (None, Some(_)) => (Cell::Gap("--breach-known-at".into()), Cell::None),
        (_, None) => (
            Cell::None,
            "no number of hours: see what is to be observed".into(),
        ),
        (Some(known), Some(hours)) => match by(known, hours) {
            Some(at) if at < facts.made_at => (Cell::At(at), "PASSED".into()),
            Some(at) => {
                let left = (at.as_second() - facts.made_at.as_second()) / 3_600;
                (Cell::At(at), format!("{left} full hours left").into())
            }
            None => (Cell::None, Cell::None),
        },
    };
    vec![
        format!("{} ({code})", law.jurisdiction).into(),
        hours.map_or(Cell::None, Cell::Count),
        deadline,
        state,
        law.regulator.as_str().into(),
        law.breach_note.as_str().into(),
        format!("{} [{}]", law.source, law.confidence).into(),
    ]
}

fn acts(facts: &Facts) -> Table {
    let columns = columns([("at", "When"), ("act", "Act"), ("concerning", "Concerning")]);
    let rows = facts.acts.iter().map(|done| {
        // Who did it and whose key it was may name a person, and stands in the ledger of acts alone.
        let (act, concerning) = match &done.act {
            Act::GateStarted { policy } => ("gate started", format!("policy {policy}")),
            Act::Reloaded {
                policy,
                policy_before,
                ..
            } => (
                "configuration changed",
                match policy == policy_before {
                    true => format!("policy {policy}, as before"),
                    false => format!("policy {policy_before} to {policy}"),
                },
            ),
            Act::KeyCreated { team, .. } => ("key created", format!("team {team}")),
            Act::KeyRevoked { .. } => ("key revoked", String::new()),
            Act::Exported { from, to } => (
                "records exported",
                format!("records {from} to {}", to.saturating_sub(1)),
            ),
            Act::Erased {
                records,
                before_us,
                jurisdiction,
                finding,
                ..
            } => {
                let before = Timestamp::from_microsecond(*before_us).unwrap_or_default();
                let only = [jurisdiction, finding]
                    .into_iter()
                    .flatten()
                    .cloned()
                    .collect::<Vec<_>>()
                    .join(", ");
                (
                    "records erased",
                    format!("{records} from before {before} {only}"),
                )
            }
        };
        let at = Timestamp::from_microsecond(done.at_us).unwrap_or_default();
        vec![at.into(), act.into(), concerning.trim().into()]
    });
    let about = "What people did, from the ledger of acts; `tollgate ledger acts` says who.";
    table("acts", about, columns, rows)
}
