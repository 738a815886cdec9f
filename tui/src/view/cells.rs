//! What several views write in the same way.

use crate::{
    format,
    model::{EFFECTS, Effects, Exchange, Spend},
    paint::Part,
    theme::{Theme, sign},
};
use ratatui::text::{Line, Span};
use tollgate_analytics::money::NanoUsd;
use tollgate_analytics::record::{Cost, Effect, Outcome, Route};

/// An effect's sign and name in its colour.
pub fn effect(effect: Effect, theme: &Theme) -> Line<'static> {
    Line::styled(
        format!("{} {}", sign(effect), effect.as_str()),
        theme.effect(effect),
    )
}

/// The parts of a bar by effect.
pub fn effect_parts(effects: &Effects, theme: &Theme) -> Vec<Part> {
    EFFECTS
        .iter()
        .map(|&effect| {
            (
                effects.get(effect),
                theme.effect(effect),
                theme.fill(effect),
            )
        })
        .collect()
}

/// A name, or a dash where there is none.
pub fn name(name: &str, theme: &Theme) -> Line<'static> {
    match name {
        "" => Line::styled("–", theme.dim),
        name => Line::raw(name.to_owned()),
    }
}

/// Where an exchange went.
pub fn route(route: Option<&Route>, theme: &Theme) -> Line<'static> {
    let Some(route) = route else {
        return Line::styled("nowhere", theme.dim);
    };
    let place = if route.on_prem {
        "on-prem"
    } else {
        &route.jurisdiction
    };
    let mut line = Line::default();
    if route.simulated {
        line.push_span(Span::styled("SIM", theme.simulated));
        line.push_span(Span::raw(" "));
    }
    line.push_span(Span::raw(route.endpoint.clone()));
    line.push_span(Span::styled(format!(" {place}"), theme.dim));
    line
}

/// What was found: labels and their numbers, most first.
pub fn findings(exchange: &Exchange, theme: &Theme) -> Line<'static> {
    let mut found: Vec<_> = exchange.record.findings.iter().collect();
    found.sort_by_key(|(_, n)| std::cmp::Reverse(**n));
    let mut line = Line::default();
    for (label, n) in found {
        if line.width() > 0 {
            line.push_span(Span::raw(" "));
        }
        line.push_span(Span::raw(label.clone()));
        if *n > 1 {
            line.push_span(Span::styled(format!("×{n}"), theme.dim));
        }
    }
    line
}

/// The HTTP status and, unless the exchange was answered, why not.
pub fn outcome(exchange: &Exchange, theme: &Theme) -> Line<'static> {
    let record = &exchange.record;
    let status = match record.status {
        0 => "–".to_owned(),
        status => status.to_string(),
    };
    match record.outcome {
        Outcome::Answered => Line::styled(status, theme.dim),
        outcome => Line::styled(format!("{status} {}", outcome_name(outcome)), theme.warning),
    }
}

/// An outcome in words.
pub fn outcome_name(outcome: Outcome) -> String {
    outcome.as_str().replace('_', " ")
}

/// What an exchange cost.
pub fn cost(cost: &Cost, theme: &Theme) -> Line<'static> {
    match cost {
        Cost::Priced { nano_usd, .. } => Line::raw(format::usd(NanoUsd(*nano_usd), 4)),
        Cost::Unpriced { .. } => Line::styled("unpriced", theme.warning),
        Cost::Free => Line::styled("–", theme.dim),
    }
}

/// What some exchanges cost. Only unpriced ones: unknown, which is not nothing.
pub fn money(spend: &Spend, theme: &Theme) -> Line<'static> {
    match (spend.nano_usd.0, spend.unpriced) {
        (0, 0) => Line::styled("–", theme.dim),
        (0, _) => Line::styled("unknown", theme.warning),
        _ => Line::raw(format::usd(spend.nano_usd, 4)),
    }
}

/// How many exchanges are missing from the money because they could not be priced.
pub fn unpriced(n: u64, theme: &Theme) -> Line<'static> {
    match n {
        0 => Line::styled("–", theme.dim),
        n => Line::styled(format::count(n), theme.warning),
    }
}

/// A number set apart when it is nothing.
pub fn number(n: u64, theme: &Theme) -> Line<'static> {
    match n {
        0 => Line::styled("–", theme.dim),
        n => Line::raw(format::count(n)),
    }
}
