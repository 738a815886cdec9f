//! What was found, by entity, and what became of the exchanges that held it.
//!
//! ```text
//! ── Findings by entity ──────────────────────────────────────── 2,911 ──
//!  entity    found                           exchanges  → permit … ✕ block
//!  PERSON    1,204  ████████████████████████      412          12       3
//! ```

use super::cells;
use crate::{
    app::App,
    format,
    model::{EntityRow, Snapshot},
    paint,
    table::{Cell, Table, column},
};
use ratatui::{buffer::Buffer, layout::Rect, text::Line};

pub fn draw(app: &App, snapshot: &Snapshot, area: Rect, buf: &mut Buffer) {
    let theme = app.theme();
    let totals = &snapshot.totals;
    let words = format!(
        "{} found · {} replaced · {} left in clear",
        format::count(totals.findings),
        format::count(totals.replaced),
        format::count(totals.left_in_clear)
    );
    let note = Line::styled(words, theme.dim);
    let inner = paint::panel("Findings by entity", note, area, buf, theme);
    let most = snapshot
        .entities
        .iter()
        .map(|row| row.findings.sum())
        .max()
        .unwrap_or(0);
    Table {
        columns: vec![
            column("entity", (14, 24), 10, |row: &EntityRow| row.entity.clone()),
            column("found", (7, 13), 9, |row: &EntityRow| {
                format::count(row.findings.sum())
            })
            .right(),
            column("decisions", (10, 80), 3, |row: &EntityRow| {
                Cell::Bar(cells::effect_parts(&row.findings, theme), most)
            }),
            column("→ permit", (8, 11), 4, |row: &EntityRow| {
                cells::number(row.findings.permit, theme)
            })
            .right(),
            column("≈ redact", (8, 11), 5, |row: &EntityRow| {
                cells::number(row.findings.redact, theme)
            })
            .right(),
            column("⌂ local", (8, 11), 6, |row: &EntityRow| {
                cells::number(row.findings.local, theme)
            })
            .right(),
            column("✕ block", (8, 11), 7, |row: &EntityRow| {
                cells::number(row.findings.block, theme)
            })
            .right(),
            column("exchanges", (9, 11), 2, |row: &EntityRow| {
                format::count(row.exchanges)
            })
            .right(),
        ],
        rows: &snapshot.entities,
        cursor: Some(app.cursor()),
        head: true,
        empty: "nothing was found in this period",
    }
    .draw(inner, buf, theme);
}
