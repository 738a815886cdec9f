//! The latest exchanges, newest first, as they come.
//!
//! ```text
//! ── Exchanges ──────────────────────────────── 37 of 1,204 · effect:block ──
//!  time      team      effect    findings      route     model   …  ms
//!  12:04:03  payments  ≈ redact  IBAN PERSON   openai US  gpt-…     4.21
//! ```

use super::cells;
use crate::{
    app::App,
    format,
    model::{Exchange, Snapshot},
    paint,
    table::{Table, column},
};
use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::{Line, Span},
};
use std::sync::Arc;

pub fn draw(app: &App, snapshot: &Snapshot, area: Rect, buf: &mut Buffer) {
    let theme = app.theme();
    let inner = paint::panel("Exchanges", note(app, snapshot), area, buf, theme);
    let empty = match (app.filter.is_empty(), snapshot.exchanges_complete) {
        (true, _) => "no exchanges in this period",
        (false, true) => "no exchange matches the filter; Esc drops it",
        (false, false) => "none of the latest exchanges matches; older ones are still being read",
    };
    Table {
        columns: vec![
            column("time", (8, 11), 20, |row: &Arc<Exchange>| {
                format::moment(row.started(), app.now, app.zone())
            }),
            column("team", (10, 22), 17, |row: &Arc<Exchange>| {
                cells::name(&row.record.team, theme)
            }),
            column("caller", (12, 18), 9, |row: &Arc<Exchange>| {
                cells::name(&row.record.caller, theme)
            }),
            column("effect", (8, 8), 19, |row: &Arc<Exchange>| {
                cells::effect(row.record.decision.effect, theme)
            }),
            column("findings", (14, 34), 18, |row: &Arc<Exchange>| {
                cells::findings(row, theme)
            }),
            column("route", (16, 26), 16, |row: &Arc<Exchange>| {
                cells::route(row.record.route.as_ref(), theme)
            }),
            column("model", (12, 28), 11, |row: &Arc<Exchange>| {
                cells::name(&row.record.model, theme)
            }),
            column("wire", (6, 9), 3, |row: &Arc<Exchange>| {
                Line::styled(row.record.wire.clone(), theme.dim)
            }),
            column("rule", (16, 28), 8, |row: &Arc<Exchange>| {
                cells::name(&row.record.decision.rule, theme)
            }),
            column("status", (6, 18), 12, |row: &Arc<Exchange>| {
                cells::outcome(row, theme)
            }),
            column("tokens", (9, 14), 6, |row: &Arc<Exchange>| tokens(row, app)).right(),
            column("cost", (9, 12), 7, |row: &Arc<Exchange>| {
                cells::cost(&row.record.cost, theme)
            })
            .right(),
            column("gate ms", (7, 7), 10, |row: &Arc<Exchange>| {
                format::ms(row.record.timing.gate_us)
            })
            .right(),
        ],
        rows: &app.listed,
        cursor: Some(app.cursor()),
        head: true,
        empty,
    }
    .draw(inner, buf, theme);
}

/// How many are listed of how many, and by which filter.
fn note(app: &App, snapshot: &Snapshot) -> Line<'static> {
    let theme = app.theme();
    let held = format::count(snapshot.exchanges.len() as u64);
    let mut spans = Vec::new();
    if app.filter.is_empty() {
        spans.push(Span::styled(held, theme.dim));
    } else {
        let listed = format::count(app.listed.len() as u64);
        spans.push(Span::styled(format!("{listed} of {held}"), theme.dim));
    }
    if !snapshot.exchanges_complete {
        spans.push(Span::styled(" latest", theme.dim));
    }
    if !app.filter.is_empty() {
        spans.push(Span::styled(" · ", theme.dim));
        spans.push(Span::styled(app.filter.to_string(), theme.accent));
    }
    Line::from(spans)
}

fn tokens(exchange: &Exchange, app: &App) -> Line<'static> {
    let theme = app.theme();
    let Some(usage) = &exchange.record.usage else {
        return Line::styled("–", theme.dim);
    };
    let (input, output) = (
        format::short_count(usage.input),
        format::short_count(usage.output),
    );
    let told = if usage.estimated { "~" } else { "" };
    Line::raw(format!("{told}{input}→{output}"))
}
