//! Where exchanges went, under whose law, on what basis.
//!
//! ```text
//! ── Routes ───────────────────────────────────── 148 on-prem · 1,039 external ──
//!  endpoint    law      basis     exchanges  tokens in  out  spend  clear  p95 ms
//!  SIM openai  US       scc             812  …
//!  local       on-prem  –               148
//! ```

use super::cells;
use crate::{
    app::App,
    format,
    model::{RouteRow, Snapshot},
    paint,
    table::{Table, column},
    theme::Theme,
};
use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::{Line, Span},
};

pub fn draw(app: &App, snapshot: &Snapshot, area: Rect, buf: &mut Buffer) {
    let theme = app.theme();
    let routed: u64 = snapshot.routes.iter().map(|row| row.spend.exchanges).sum();
    let on_prem = snapshot.totals.on_prem;
    let words = format!(
        "{} on-prem · {} external · {} nowhere",
        format::count(on_prem),
        format::count(routed.saturating_sub(on_prem)),
        format::count(snapshot.totals.exchanges.saturating_sub(routed)),
    );
    let note = Line::styled(words, theme.dim);
    let inner = paint::panel("Routes", note, area, buf, theme);
    let count = format::count;
    Table {
        columns: vec![
            column("endpoint", (10, 30), 20, |row: &RouteRow| name(row, theme)),
            column("law", (7, 7), 19, |row: &RouteRow| law(row, theme)),
            column("basis", (6, 12), 18, |row: &RouteRow| {
                cells::name(&row.transfer_basis, theme)
            }),
            column("exchanges", (9, 11), 17, |row: &RouteRow| {
                count(row.spend.exchanges)
            })
            .right(),
            column("in clear", (8, 9), 14, |row: &RouteRow| {
                match row.on_prem {
                    // Kept in: not a way out.
                    true => Line::styled(format::count(row.findings_in_clear), theme.dim),
                    false => cells::number(row.findings_in_clear, theme),
                }
            })
            .right(),
            column("tokens in", (9, 15), 10, |row: &RouteRow| {
                count(row.spend.input_tokens)
            })
            .right(),
            column("tokens out", (10, 15), 9, |row: &RouteRow| {
                count(row.spend.output_tokens)
            })
            .right(),
            column("spend", (9, 15), 16, |row: &RouteRow| {
                cells::money(&row.spend, theme)
            })
            .right(),
            column("unpriced", (8, 9), 12, |row: &RouteRow| {
                cells::unpriced(row.spend.unpriced, theme)
            })
            .right(),
            column("p95 ms", (6, 8), 15, |row: &RouteRow| {
                format::ms_or_dash(row.total_p95_us)
            })
            .right(),
        ],
        rows: &snapshot.routes,
        cursor: Some(app.cursor()),
        head: true,
        empty: "nothing went anywhere in this period",
    }
    .draw(inner, buf, theme);
}

fn name(row: &RouteRow, theme: &Theme) -> Line<'static> {
    let mut line = Line::default();
    if row.simulated {
        line.push_span(Span::styled("SIM", theme.simulated));
        line.push_span(Span::raw(" "));
    }
    line.push_span(Span::raw(row.endpoint.clone()));
    line
}

fn law(row: &RouteRow, theme: &Theme) -> Line<'static> {
    match row.on_prem {
        true => {
            let local = tollgate_analytics::record::Effect::Local;
            Line::styled("on-prem", theme.effect(local))
        }
        false => cells::name(&row.jurisdiction, theme),
    }
}

/// An endpoint with its law beside it, for lists.
pub fn endpoint(row: &RouteRow, theme: &Theme) -> Line<'static> {
    let mut line = name(row, theme);
    line.push_span(Span::raw(" "));
    line.push_span(Span::styled(law(row, theme).to_string(), theme.dim));
    line
}
