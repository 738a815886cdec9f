//! The report's figures as one JSON document: money in decimal USD as text, times in microseconds,
//! each amount of the tax with its standing, its basis and its query.

use super::Meta;
use super::data::Data;
use super::waterfall;
use crate::money::NanoUsd;
use crate::query::{SpendRow, drill_down};
use crate::tax::Quantity;
use serde_json::{Value, json};

/// The file's text.
pub(super) fn render(data: &Data, meta: &Meta) -> String {
    let seen = &data.overview;
    let document = json!({
        "period": { "from": data.period.from().to_string(), "to": data.period.to().to_string() },
        "organization": meta.organization,
        "generated_at": meta.generated_at.to_string(),
        "tollgate": meta.version,
        "exchanges": {
            "all": seen.exchanges,
            "simulated": seen.simulated_exchanges,
            "external": seen.external_exchanges,
            "on_prem": seen.on_prem_exchanges,
            "blocked": seen.blocked,
            "standing": "measured",
        },
        "findings": {
            "all": seen.findings_total,
            "replaced": seen.replaced_total,
            "left_in_clear": seen.findings_left_in_clear,
            "by_label": list(&data.findings, |row| json!({
                "label": row.label,
                "found": row.found,
                "exchanges": row.exchanges,
                "simulated": row.simulated_found,
            })),
            "standing": "measured",
        },
        "spend": {
            "usd": seen.spend.to_decimal(),
            "simulated_usd": seen.simulated_spend.to_decimal(),
            "priced_exchanges": seen.priced,
            "unpriced_exchanges": seen.unpriced,
            "free_exchanges": seen.free,
            "estimated_usage_exchanges": seen.usage_estimated_exchanges,
            "by_team": list(&data.by_team, spend),
            "by_model": list(&data.by_model, spend),
            "by_endpoint": list(&data.by_endpoint, spend),
            "by_month": list(&data.by_month, |row| json!({
                "month": row.month,
                "team": row.team,
                "exchanges": row.exchanges,
                "simulated_exchanges": row.simulated_exchanges,
                "usd": row.spend.to_decimal(),
                "simulated_usd": row.simulated_spend.to_decimal(),
                "unpriced_exchanges": row.unpriced,
            })),
            "unpriced": list(&data.unpriced, |row| json!({
                "model": row.model_name,
                "missing": row.missing,
                "exchanges": row.exchanges,
            })),
            "standing": "derived",
        },
        "routes": list(&data.routes, |row| json!({
            "endpoint": row.endpoint,
            "jurisdiction": row.jurisdiction,
            "transfer_basis": row.transfer_basis,
            "on_prem": row.on_prem,
            "simulated": row.simulated,
            "exchanges": row.exchanges,
            "upstream_bytes": row.upstream_bytes_total,
            "findings_in_clear": row.findings_in_clear,
            "spend_usd": row.spend.to_decimal(),
        })),
        "decisions": list(&data.decisions, |row| json!({
            "rule": row.rule,
            "effect": row.effect,
            "reason": row.reason,
            "exchanges": row.exchanges,
            "findings": row.findings_total,
            "policies": row.policies,
        })),
        "tax": {
            "money_total_usd": data.tax.money_total.map(|usd| usd.to_decimal()),
            "waterfall": list(&waterfall::of_records(data), |step| json!({
                "what": step.what,
                "kind": step.kind,
                "usd": NanoUsd(step.amount).to_decimal(),
                "standing": step.standing,
                "basis": step.basis,
            })),
            "amounts": list(&data.tax.amounts, |amount| json!({
                "key": amount.key,
                "label": amount.label,
                "value": amount.quantity.map(Quantity::plain),
                "unit": amount.quantity.map(Quantity::unit),
                "standing": amount.standing.as_str(),
                "basis": amount.basis,
                "query": drill_down(amount.sql, data.period),
            })),
        },
        "tco": data.tco,
    });
    format!("{document:#}\n")
}

fn list<T>(rows: &[T], row: impl Fn(&T) -> Value) -> Value {
    rows.iter().map(row).collect::<Vec<_>>().into()
}

fn spend(row: &SpendRow) -> Value {
    json!({
        "name": row.name,
        "exchanges": row.exchanges,
        "simulated_exchanges": row.simulated_exchanges,
        "input_tokens": row.input_tokens_total,
        "cache_read_tokens": row.cache_read_tokens_total,
        "cache_write_tokens": row.cache_write_tokens_total,
        "output_tokens": row.output_tokens_total,
        "usd": row.spend.to_decimal(),
        "simulated_usd": row.simulated_spend.to_decimal(),
        "unpriced_exchanges": row.unpriced,
    })
}
