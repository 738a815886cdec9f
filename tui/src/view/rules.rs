//! Which rule decided how often, and why it exists. The reason of the rule under the cursor is
//! written out below.
//!
//! ```text
//! ── Decisions by rule ──────────────────────────────────────────────────
//!  rule                        effect    decisions         findings  reason
//!  pseudonymise-personal-data  ≈ redact        312  █████     1,811  Personal…
//! ── pseudonymise-personal-data ─────────────────────────── policy 1a2b… ──
//!  Personal data leaves only as placeholders.
//! ```

use super::cells;
use crate::{
    app::App,
    format,
    model::{RuleRow, Snapshot},
    paint,
    table::{Cell, Table, column},
};
use ratatui::{buffer::Buffer, layout::Rect, text::Line};

pub fn draw(app: &App, snapshot: &Snapshot, area: Rect, buf: &mut Buffer) {
    let theme = app.theme();
    let below_rows = if area.height >= 12 { 4 } else { 0 };
    let list = paint::above(area, area.height - below_rows);
    let inner = paint::panel("Decisions by rule", Line::default(), list, buf, theme);
    let most = snapshot
        .rules
        .iter()
        .map(|row| row.decisions)
        .max()
        .unwrap_or(0);
    Table {
        columns: vec![
            column("rule", (14, 40), 20, |row: &RuleRow| {
                cells::name(&row.rule, theme)
            }),
            column("effect", (8, 8), 19, |row: &RuleRow| {
                cells::effect(row.effect, theme)
            }),
            column("decisions", (9, 11), 18, |row: &RuleRow| {
                format::count(row.decisions)
            })
            .right(),
            column("", (6, 30), 4, |row: &RuleRow| {
                let part = (
                    row.decisions,
                    theme.effect(row.effect),
                    theme.fill(row.effect),
                );
                Cell::Bar(vec![part], most)
            }),
            column("findings", (8, 11), 17, |row: &RuleRow| {
                cells::number(row.findings, theme)
            })
            .right(),
            column("reason", (20, 120), 6, |row: &RuleRow| {
                Line::styled(row.reason.clone(), theme.dim)
            }),
        ],
        rows: &snapshot.rules,
        cursor: Some(app.cursor()),
        head: true,
        empty: "no decisions in this period",
    }
    .draw(inner, buf, theme);

    let Some(row) = snapshot.rules.get(app.cursor()) else {
        return;
    };
    if below_rows == 0 {
        return;
    }
    let name = if row.rule.is_empty() {
        "no rule reached"
    } else {
        &row.rule
    };
    let note = Line::styled(format!("policy {}", row.policies.join(", ")), theme.dim);
    let inner = paint::panel(name, note, paint::below(area, list.height), buf, theme);
    let reason = paint::wrap(&row.reason, inner.width);
    for (i, line) in reason.into_iter().take(inner.height.into()).enumerate() {
        paint::left(&Line::raw(line), paint::below(inner, i as u16), buf);
    }
}
