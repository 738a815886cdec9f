//! The overview: what happened in the period, at one look.
//!
//! ```text
//!  1,204           312  25%        148  12%        17  1%
//!  exchanges       ≈ redacted      ⌂ on-prem       ✕ blocked
//!  2,911           $1,234.57       12              4.21 / 18.3 ms
//!  findings        spend           unpriced        added p50/p95
//! ── Exchanges over time ─────────────────────────── most 42 in 10 min ──
//!       ▂▅█▇▆▃▂▁      ▂▃▅▆
//!  09:00:00                    15:00:00                              now
//! ── Decisions ──────────────────────────────────────────────────────────
//!  ██████████████████████████████████████████████████████████████████████
//!  → permit 727 60%   ≈ redact 312 25%   ⌂ local 148 12%   ✕ block 17 1%
//! ── Findings by entity ────────────── ── Decisions by rule ────────────
//!  PERSON  ████████████████████  1,204  pseudonymise-personal-…  ≈    312
//! ── Latest refusals ────────────────────── 17 blocked · 3 refused ──
//!  12:03:59  payments  ✕ block  opaque-content  Images, audio and …
//! ```
//!
//! The eight figures stand in one row from 120 columns up; the lists stand three abreast, with
//! the routes, from 150 columns up.

use super::cells;
use crate::{
    app::App,
    chart, format,
    model::{EFFECTS, EntityRow, Exchange, RouteRow, RuleRow, Snapshot},
    paint,
    table::{Cell, Table, column},
    theme::{ThemeName, sign},
};
use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::Style,
    text::{Line, Span},
};
use std::sync::Arc;
use tollgate_analytics::record::Effect;

pub fn draw(app: &App, snapshot: &Snapshot, area: Rect, buf: &mut Buffer) {
    let theme = app.theme();
    if snapshot.totals.exchanges == 0 {
        let middle = paint::below(area, area.height / 2);
        let said = format!(
            "Nothing passed the gate in this period ({}).",
            app.period.name()
        );
        paint::centre(&Line::styled(said, theme.strong), middle, buf);
        let hint = Line::styled("] looks back farther", theme.dim);
        paint::centre(&hint, paint::below(middle, 1), buf);
        return;
    }
    let roomy = area.height >= 30;
    let mut rest = figures(app, snapshot, area, buf);
    rest = paint::below(rest, u16::from(roomy));

    let decisions_rows = 3 + u16::from(roomy);
    let left = rest.height.saturating_sub(decisions_rows);
    let chart_rows = (left * 3 / 10).clamp(5, 14);
    let lists_rows = ((left.saturating_sub(chart_rows)) * 55 / 100).max(4);

    over_time(app, snapshot, paint::above(rest, chart_rows), buf);
    rest = paint::below(rest, chart_rows + u16::from(roomy && chart_rows < left));
    decisions(app, snapshot, paint::above(rest, 3), buf);
    rest = paint::below(rest, decisions_rows);
    lists(app, snapshot, paint::above(rest, lists_rows), buf);
    rest = paint::below(rest, lists_rows + u16::from(roomy));
    refusals(app, snapshot, rest, buf);
}

/// The eight figures; returns what is left below them.
fn figures(app: &App, snapshot: &Snapshot, area: Rect, buf: &mut Buffer) -> Rect {
    let theme = app.theme();
    let totals = &snapshot.totals;
    let share = |n| format::percent(n, totals.exchanges);
    let (number, effect) = (format::count, |effect| theme.effect(effect));
    let spend = match (totals.spend.nano_usd.0, totals.spend.unpriced) {
        (0, 1..) => "unknown".to_owned(),
        _ => format::usd_headline(totals.spend.nano_usd),
    };
    let simulated = if totals.simulated > 0 { "SIM" } else { "" };
    let added = totals.gate.map_or_else(
        || "–".to_owned(),
        |gate| format!("{} / {}", format::ms(gate.p50_us), format::ms(gate.p95_us)),
    );
    let unpriced_style = if totals.spend.unpriced > 0 {
        theme.warning
    } else {
        Style::new()
    };
    let redacted = totals.effects.redact;
    let blocked = totals.effects.block;
    let plain = Style::new();
    let figures: [(String, String, String, Style); 8] = [
        (
            number(totals.exchanges),
            String::new(),
            "exchanges".into(),
            plain,
        ),
        (
            number(redacted),
            share(redacted),
            "≈ redacted".into(),
            effect(Effect::Redact),
        ),
        (
            number(totals.on_prem),
            share(totals.on_prem),
            "⌂ on-prem".into(),
            effect(Effect::Local),
        ),
        (
            number(blocked),
            share(blocked),
            "✕ blocked".into(),
            effect(Effect::Block),
        ),
        (
            number(totals.findings),
            String::new(),
            "findings".into(),
            plain,
        ),
        (spend, simulated.into(), "spend".into(), plain),
        (
            number(totals.spend.unpriced),
            String::new(),
            "unpriced".into(),
            unpriced_style,
        ),
        (added, "ms".into(), "added p50/p95".into(), plain),
    ];
    let abreast = if area.width >= 118 { 8 } else { 4 };
    let mut top = area;
    for row in figures.chunks(abreast) {
        let places = paint::split(top, abreast as u16, 1);
        for ((value, note, label, style), place) in row.iter().zip(places) {
            let note_style = if note == "SIM" {
                theme.simulated
            } else {
                theme.dim
            };
            let value = Line::from(vec![
                Span::styled(value.clone(), theme.strong.patch(*style)),
                Span::raw(if note.is_empty() { "" } else { " " }),
                Span::styled(note.clone(), note_style),
            ]);
            paint::left(&value, paint::above(place, 1), buf);
            let label = Line::styled(label.clone(), theme.dim.patch(*style));
            paint::left(&label, paint::above(paint::below(place, 1), 1), buf);
        }
        top = paint::below(top, 2);
    }
    top
}

fn over_time(app: &App, snapshot: &Snapshot, area: Rect, buf: &mut Buffer) {
    let theme = app.theme();
    let steps = chart::merge(&snapshot.series, area.width.into());
    let most = steps.iter().map(|step| step.exchanges).max().unwrap_or(0);
    let blocked: u64 = steps.iter().map(|step| step.blocked).sum();
    let mut note = Line::default();
    if blocked > 0 && theme.name != ThemeName::Mono {
        note.push_span(Span::styled("✕ blocked", theme.effect(Effect::Block)));
        note.push_span(Span::styled(" at the foot · ", theme.dim));
    }
    note.push_span(Span::styled(
        format!("most {}", format::count(most)),
        theme.dim,
    ));
    if let Some(length) = chart::step_length(&steps) {
        note.push_span(Span::styled(format!(" in {length}"), theme.dim));
    }
    let inner = paint::panel("Exchanges over time", note, area, buf, theme);
    let columns = paint::above(inner, inner.height.saturating_sub(1));
    chart::draw(&steps, columns, buf, theme);
    let axis = paint::below(inner, columns.height);
    let read = app.data.as_ref().map_or(app.now, |data| data.at);
    chart::axis(&steps, (read, app.now), app.zone(), axis, buf, theme);
}

fn decisions(app: &App, snapshot: &Snapshot, area: Rect, buf: &mut Buffer) {
    let theme = app.theme();
    let effects = &snapshot.totals.effects;
    let clear = snapshot.totals.left_in_clear;
    let note = match clear {
        0 => Line::default(),
        _ => Line::styled(
            format!("{} findings left in clear", format::count(clear)),
            theme.dim,
        ),
    };
    let inner = paint::panel("Decisions", note, area, buf, theme);
    let bar = paint::bar(
        &cells::effect_parts(effects, theme),
        effects.sum(),
        inner.width,
    );
    paint::left(&bar, paint::above(inner, 1), buf);
    let legend = paint::above(paint::below(inner, 1), 1);
    for (effect, place) in EFFECTS.into_iter().zip(paint::split(legend, 4, 1)) {
        let n = effects.get(effect);
        let words = Line::from(vec![
            Span::styled(
                format!("{} {}", sign(effect), effect.as_str()),
                theme.effect(effect),
            ),
            Span::styled(format!(" {}", format::short_count(n)), theme.strong),
            Span::styled(format!(" {}", format::percent(n, effects.sum())), theme.dim),
        ]);
        paint::left(&words, place, buf);
    }
}

fn lists(app: &App, snapshot: &Snapshot, area: Rect, buf: &mut Buffer) {
    let theme = app.theme();
    let abreast = if area.width >= 148 { 3 } else { 2 };
    let places = paint::split(area, abreast, 2);
    let of = |shown: u16, all: usize| match all > usize::from(shown) {
        true => Line::styled(format!("{shown} of {all}"), theme.dim),
        false => Line::default(),
    };
    let most = snapshot
        .entities
        .iter()
        .map(|row| row.findings.sum())
        .max()
        .unwrap_or(0);
    let rows = places[0].height.saturating_sub(1);
    let note = of(rows, snapshot.entities.len());
    let inner = paint::panel("Findings by entity", note, places[0], buf, theme);
    Table {
        columns: vec![
            column("", (6, 16), 9, |row: &EntityRow| row.entity.clone()),
            column("", (4, 60), 1, |row: &EntityRow| {
                Cell::Bar(cells::effect_parts(&row.findings, theme), most)
            }),
            column("", (5, 9), 8, |row: &EntityRow| {
                format::count(row.findings.sum())
            })
            .right(),
        ],
        rows: &snapshot.entities,
        cursor: None,
        head: false,
        empty: "nothing found",
    }
    .draw(inner, buf, theme);

    let note = of(rows, snapshot.rules.len());
    let inner = paint::panel("Decisions by rule", note, places[1], buf, theme);
    Table {
        columns: vec![
            column("", (1, 1), 7, |row: &RuleRow| {
                Line::styled(sign(row.effect), theme.effect(row.effect))
            }),
            column("", (8, 40), 9, |row: &RuleRow| {
                cells::name(&row.rule, theme)
            }),
            column("", (5, 9), 8, |row: &RuleRow| format::count(row.decisions)).right(),
        ],
        rows: &snapshot.rules,
        cursor: None,
        head: false,
        empty: "no decisions",
    }
    .draw(inner, buf, theme);

    let Some(&place) = places.get(2) else { return };
    let note = of(rows, snapshot.routes.len());
    let inner = paint::panel("Routes", note, place, buf, theme);
    Table {
        columns: vec![
            column("", (8, 40), 9, |row: &RouteRow| {
                super::routes::endpoint(row, theme)
            }),
            column("", (5, 9), 8, |row: &RouteRow| {
                format::count(row.spend.exchanges)
            })
            .right(),
            column("", (8, 12), 7, |row: &RouteRow| {
                cells::money(&row.spend, theme)
            })
            .right(),
        ],
        rows: &snapshot.routes,
        cursor: None,
        head: false,
        empty: "nothing went anywhere",
    }
    .draw(inner, buf, theme);
}

fn refusals(app: &App, snapshot: &Snapshot, area: Rect, buf: &mut Buffer) {
    let theme = app.theme();
    let counts: Vec<String> = ["blocked", "refused", "failed"]
        .into_iter()
        .filter_map(|name| {
            let n = snapshot.totals.outcomes.get(name)?;
            Some(format!("{} {name}", format::count(*n)))
        })
        .collect();
    let note = Line::styled(counts.join(" · "), theme.dim);
    let inner = paint::panel("Latest refusals", note, area, buf, theme);
    let refused: Vec<&Arc<Exchange>> = snapshot
        .exchanges
        .iter()
        .filter(|exchange| exchange.is_refusal())
        .take(inner.height.into())
        .collect();
    let empty = match (counts.is_empty(), snapshot.exchanges_complete) {
        (true, _) => "nothing was refused",
        (false, _) => "none among the latest exchanges",
    };
    Table {
        columns: vec![
            column("", (8, 11), 10, |row: &&Arc<Exchange>| {
                let at = format::moment(row.started(), app.now, app.zone());
                Line::styled(at, theme.dim)
            }),
            column("", (9, 9), 9, |row: &&Arc<Exchange>| {
                let style = theme.effect(Effect::Block);
                Line::styled(format!("✕ {}", row.record.outcome.as_str()), style)
            }),
            column("", (8, 20), 7, |row: &&Arc<Exchange>| {
                cells::name(&row.record.team, theme)
            }),
            column("", (10, 20), 3, |row: &&Arc<Exchange>| {
                cells::name(&row.record.caller, theme)
            }),
            column("", (14, 30), 4, |row: &&Arc<Exchange>| {
                cells::findings(row, theme)
            }),
            column("", (14, 30), 8, |row: &&Arc<Exchange>| {
                match row.record.decision.rule.is_empty() {
                    true => row.record.error.clone(),
                    false => row.record.decision.rule.clone(),
                }
            }),
            column("", (22, 200), 5, |row: &&Arc<Exchange>| {
                Line::styled(row.record.decision.reason.clone(), theme.dim)
            }),
        ],
        rows: &refused,
        cursor: None,
        head: false,
        empty,
    }
    .draw(inner, buf, theme);
}
