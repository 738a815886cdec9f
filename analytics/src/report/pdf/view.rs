//! What the template shows, as JSON: words and figures as people read them, charts as places.

use super::picture::{fan, influence, range, stacked};
use crate::money::NanoUsd;
use crate::query::{SpendBy, SpendRow};
use crate::report::by_month::Months;
use crate::report::data::Data;
use crate::report::jurisdiction::transfer_basis;
use crate::report::section::{method, routes, summary, tco as tco_section};
use crate::report::tco_chart::{Scale, greatest};
use crate::report::waterfall::{self, Kind, Step};
use crate::report::{Facts, Meta, card, format, message};
use crate::tax::{Amount, Standing};
use crate::tco::words::{bare, condition_words, flip_words, number, percent, usd};
use crate::tco::{Component, Plan, Tco};
use serde_json::{Value, json};

/// How many bars the tornado has, and how many flips and conditions are told.
const BARS: usize = 12;
const TOLD: usize = 5;

/// The whole view.
pub(super) fn of(data: &Data, facts: &Facts, meta: &Meta) -> Value {
    json!({
        "organization": meta.organization,
        "period": format::period(data.period),
        "made": format::instant(meta.generated_at),
        "version": meta.version,
        "empty": data.is_empty(),
        "held": method::points(data, facts).last(),
        "simulated": simulated(data),
        "statements": list(&message::statements(data, facts), |statement| json!({
            "title": statement.title, "text": statement.text, "standing": statement.standing,
        })),
        "cards": cards(data),
        "series": series(data),
        "spend": [
            spend(SpendBy::Team, &data.by_team, "no team"),
            spend(SpendBy::Model, &data.by_model, "no model"),
            spend(SpendBy::Endpoint, &data.by_endpoint, "sent nowhere"),
        ],
        "months": months(data),
        "unpriced": list(&data.unpriced, |row| json!([
            named(&row.model_name, "no model"), row.missing, format::count(row.exchanges),
        ])),
        "findings": findings(data),
        "routes": list(&data.routes, |row| json!([
            row.endpoint,
            if row.on_prem { "on-prem" } else { named(facts.jurisdictions.name(&row.jurisdiction), "not configured") },
            if row.on_prem { "no transfer" } else { transfer_basis(&row.transfer_basis) },
            format::count(row.exchanges),
            if row.on_prem { "within".to_owned() } else { format::count(row.findings_in_clear) },
            if row.on_prem { "not billed".to_owned() } else { format::usd(row.spend) },
            row.simulated,
        ])),
        "decisions": list(&data.decisions, |row| json!([
            named(&row.rule, "no rule reached"), row.effect, row.reason, format::count(row.exchanges),
            format::percent(row.exchanges, data.overview.exchanges), format::count(row.findings_total),
        ])),
        "tax": tax(data),
        "tco": data.tco.as_ref().map(tco),
        "method": method::points(data, facts),
        "laws": {
            "each": routes::laws(&data.routes, &facts.jurisdictions),
            "unknown": routes::UNKNOWN_LAW,
            "source": routes::LAW_SOURCE,
        },
        "queries": method::queries(data),
    })
}

fn list<T>(rows: &[T], row: impl Fn(&T) -> Value) -> Value {
    rows.iter().map(row).collect::<Vec<_>>().into()
}

fn named<'a>(name: &'a str, otherwise: &'a str) -> &'a str {
    if name.is_empty() { otherwise } else { name }
}

fn simulated(data: &Data) -> Option<String> {
    let (part, whole) = (data.overview.simulated_exchanges, data.overview.exchanges);
    (part > 0).then(|| {
        format!(
            "{} of {} in this period went to simulated endpoints: no provider answered them and none of their cost was billed.",
            if part == whole { "All".to_owned() } else { format::count(part) },
            format::counted(whole, "exchange"),
        )
    })
}

/// The total cost of ownership first, because the decision hangs on it.
fn cards(data: &Data) -> Vec<card::Card> {
    let tco = data.tco.as_ref().map(card::of_tco).unwrap_or_default();
    tco.into_iter().chain(card::of_records(data)).collect()
}

fn series(data: &Data) -> Value {
    let max = data.series.iter().map(|point| point.exchanges).max();
    let columns = list(&data.series, |point| {
        let passed = point.exchanges.saturating_sub(point.blocked);
        json!(stacked(
            &[("passed", passed), ("block", point.blocked)],
            max.unwrap_or(0)
        ))
    });
    let last = data.series.len().saturating_sub(1);
    let label = |at: usize| {
        let point = data.series.get(at);
        point.map(|point| summary::label(data.step, point))
    };
    json!({
        "step": data.step.name(),
        "max": format::count(max.unwrap_or(0)),
        "labels": [label(0), label(last / 2), label(last)],
        "columns": columns,
    })
}

fn spend(by: SpendBy, rows: &[SpendRow], nameless: &str) -> Value {
    let max = rows.iter().map(|row| row.spend.0.unsigned_abs()).max();
    let sum = |of: fn(&SpendRow) -> u64| format::count(rows.iter().map(of).sum());
    let total = NanoUsd::checked_sum(rows.iter().map(|row| row.spend));
    json!({
        "by": by.name(),
        "rows": list(rows, |row| {
            let billed = row.spend.0.saturating_sub(row.simulated_spend.0);
            json!({
                "name": named(&row.name, nameless),
                "simulated": row.simulated_exchanges > 0,
                "bar": stacked(
                    &[("money", billed.unsigned_abs()), ("simulated", row.simulated_spend.0.unsigned_abs())],
                    max.unwrap_or(0),
                ),
                "cells": [
                    cost(row),
                    format::count(row.exchanges),
                    format::count(row.input_tokens_total),
                    format::count(row.output_tokens_total),
                    format::count(row.unpriced),
                ],
            })
        }),
        "sums": [
            total.map_or_else(|| "too large".to_owned(), format::usd),
            sum(|row| row.exchanges),
            sum(|row| row.input_tokens_total),
            sum(|row| row.output_tokens_total),
            sum(|row| row.unpriced),
        ],
    })
}

/// The months, each team's part of a bar by the number of its colour; nothing where a sum does not fit.
fn months(data: &Data) -> Option<Value> {
    let months = Months::of(&data.by_month)?;
    let max = months.greatest();
    let colours = ["team-1", "team-2", "team-3", "team-4", "team-5"];
    let named = colours.into_iter().take(months.teams.len());
    let colours: Vec<&str> = named.chain(months.others.then_some("team-other")).collect();
    Some(json!({
        "titles": months.titles(),
        "colours": colours,
        "rows": list(&months.months, |month| {
            let amounts = month.spend.iter().map(|spend| spend.0.unsigned_abs());
            let parts: Vec<_> = colours.iter().copied().zip(amounts).collect();
            json!({
                "month": month.month,
                "simulated": month.simulated_of[0] > 0,
                "bar": stacked(&parts, max),
                "cells": month.spend.iter().chain([&month.total]).map(|usd| format::usd(*usd)).collect::<Vec<_>>(),
            })
        }),
    }))
}

/// A waterfall's steps.
fn steps(steps: &[Step]) -> Value {
    list(steps, |step| {
        let kind = match step.kind {
            Kind::Total => "money",
            Kind::Rise => "block",
            Kind::Fall => "redact",
        };
        let sign = if step.kind == Kind::Rise { "+" } else { "" };
        json!({
            "what": step.what,
            "total": step.kind == Kind::Total,
            "bar": [{ "kind": kind, "from": step.from, "width": step.width }],
            "usd": format!("{sign}{}", step.words),
            "standing": step.standing,
            "basis": step.basis,
        })
    })
}

fn cost(row: &SpendRow) -> String {
    match (row.priced, row.unpriced) {
        (1.., _) => format::usd(row.spend),
        (0, 1..) => "unpriced".to_owned(),
        (0, 0) => "not billed".to_owned(),
    }
}

fn findings(data: &Data) -> Value {
    let max = data.findings.iter().map(|row| row.found).max().unwrap_or(0);
    list(&data.findings, |row| {
        let cells = [
            row.found,
            row.exchanges,
            row.in_redacted,
            row.in_local,
            row.in_blocked,
            row.in_permitted,
        ];
        json!({
            "name": row.label,
            "bar": stacked(&[
                ("redact", row.in_redacted),
                ("local", row.in_local),
                ("block", row.in_blocked),
                ("permit", row.in_permitted),
            ], max),
            "cells": cells.map(format::count),
        })
    })
}

fn tax(data: &Data) -> Value {
    let value = |amount: &Amount| {
        amount
            .quantity
            .map_or_else(|| "nothing to measure".to_owned(), format::quantity)
    };
    json!({
        "rows": list(&data.tax.amounts, |amount| json!({
            "label": amount.label,
            "value": value(amount),
            "standing": amount.standing,
            "basis": amount.basis,
        })),
        "total": data.tax.money_total.map_or_else(|| "not known".to_owned(), format::usd),
        "waterfall": steps(&waterfall::of_records(data)),
    })
}

fn tco(tco: &Tco) -> Value {
    let widest = greatest(&tco.plans);
    let bars = &tco.tornado[..tco.tornado.len().min(BARS)];
    let ends = bars
        .iter()
        .flat_map(|bar| [bar.saving_low_usd, bar.saving_high_usd]);
    let scale = Scale::of(ends);
    let alternative = tco.decision.alternative;
    let saved = fan(&tco.courses[alternative.index() - 1]);
    json!({
        "simulated": tco_section::is_simulated(tco),
        "traffic": tco.traffic.words(),
        "months": tco.horizon_months,
        "trials": format::count(tco.trials.into()),
        "scenario": tco.scenario,
        "about": tco.about,
        "seed": tco.seed,
        "headline": tco.decision.headline(),
        "reasons": [tco.decision_reason(), tco.flip_sentence(), tco.known_sentence()],
        "plans": list(&tco.plans, |outcome| {
            let cost = outcome.cost_usd;
            json!({
                "name": outcome.plan.name(),
                "range": range(outcome, widest),
                "cells": [
                    usd(cost.p10), usd(cost.p50), usd(cost.p90), usd(cost.mean), percent(outcome.cheapest),
                    if outcome.plan == Plan::Api { "–".to_owned() } else { percent(outcome.beats[0]) },
                    outcome.break_even.as_ref().map_or_else(|| "–".to_owned(), tco_section::break_even),
                ],
            })
        }),
        "components": Component::ALL.iter().enumerate().map(|(at, component)| {
            let of = tco.plans.iter().map(|plan| usd(plan.components_usd[at].usd));
            [component.name().to_owned()].into_iter().chain(of).collect::<Vec<_>>()
        }).collect::<Vec<_>>(),
        "component_sums": tco.plans.iter().map(|plan| usd(plan.cost_usd.mean)).collect::<Vec<_>>(),
        "alternative": alternative.name(),
        "fan": { "picture": saved, "high": usd(saved.high), "low": usd(saved.low) },
        "tornado": list(bars, |bar| json!({
            "what": bar.input.spec().what,
            "key": bar.input.spec().key,
            "low": bare(bar.input, bar.range[0]),
            "high": bare(bar.input, bar.range[1]),
            "saves_low": usd(bar.saving_low_usd),
            "saves_high": usd(bar.saving_high_usd),
            "range": influence(bar, scale),
        })),
        "flips": if tco.flips.is_empty() { json!([tco.flip_sentence()]) } else { list(first(&tco.flips), |flip| flip_words(flip).into()) },
        "claim": tco.claim_sentence(),
        "conditions": list(first(&tco.claim.conditions), |condition| condition_words(condition).into()),
        "pessimistic": tco.pessimistic_sentence(),
        "waterfall": steps(&waterfall::of_year(tco)),
        "assumptions": list(&tco.assumptions, |input| json!({
            "what": input.what,
            "key": input.key,
            "cells": input.percentiles.map(number),
            "unit": input.unit,
            "standing": input.standing,
            "source": input.source,
        })),
        "standing": Standing::Assumed,
    })
}

fn first<T>(of: &[T]) -> &[T] {
    &of[..of.len().min(TOLD)]
}
