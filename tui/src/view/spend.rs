//! What was spent, by team and by model. What could not be priced is said, never counted as 0.
//!
//! ```text
//!  $1,234.567890123 for what could be priced   SIM 812 exchanges never billed
//!  12 unpriced, cost unknown: 12 × gpt-next (no price)
//! ── Spend by team ──────────────────── ── Spend by model ───────────────────
//!  team       spend         unpriced     model        spend        unpriced
//! ```
//!
//! Side by side from 150 columns up, else one above the other.

use super::cells;
use crate::{
    app::App,
    format,
    model::{Snapshot, SpendRow},
    paint,
    table::{Cell, Table, column},
};
use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::{Line, Span},
};

pub fn draw(app: &App, snapshot: &Snapshot, area: Rect, buf: &mut Buffer) {
    let mut rest = area;
    for line in summary(app, snapshot) {
        paint::left(&line, paint::above(rest, 1), buf);
        rest = paint::below(rest, 1);
    }
    rest = paint::below(rest, u16::from(area.height >= 22));
    let (teams, models) = if area.width >= 148 {
        let sides = paint::split(rest, 2, 2);
        (sides[0], sides[1])
    } else {
        let all = (snapshot.teams.len() + snapshot.models.len()).max(1);
        let room = usize::from(rest.height.saturating_sub(4));
        let fair = room * snapshot.teams.len() / all;
        let rows = fair.clamp(1, snapshot.teams.len().max(1)) as u16 + 2;
        (paint::above(rest, rows), paint::below(rest, rows))
    };
    let at = app.cursor();
    let in_models = at.checked_sub(snapshot.teams.len());
    let in_teams = in_models.is_none().then_some(at);
    list(app, "team", &snapshot.teams, in_teams, teams, buf);
    list(app, "model", &snapshot.models, in_models, models, buf);
}

/// The exact sum, and what is missing from it.
fn summary(app: &App, snapshot: &Snapshot) -> Vec<Line<'static>> {
    let theme = app.theme();
    let spend = &snapshot.totals.spend;
    let mut sum = Line::from(vec![
        Span::styled(spend.nano_usd.to_string(), theme.strong),
        Span::styled(" for what could be priced", theme.dim),
    ]);
    if snapshot.totals.simulated > 0 {
        let exchanges = format::count(snapshot.totals.simulated);
        sum.push_span(Span::raw("   "));
        sum.push_span(Span::styled("SIM", theme.simulated));
        sum.push_span(Span::styled(
            format!(" {exchanges} exchanges never billed"),
            theme.dim,
        ));
    }
    if spend.unpriced == 0 {
        return vec![sum];
    }
    let reasons = snapshot.unpriced.iter().map(|row| {
        format!(
            "{} × {} (no {})",
            format::count(row.exchanges),
            row.model,
            row.missing
        )
    });
    let reasons = reasons.collect::<Vec<_>>().join(", ");
    let missing = Line::from(vec![
        Span::styled(
            format!("{} unpriced", format::count(spend.unpriced)),
            theme.warning,
        ),
        Span::styled(format!(", cost unknown: {reasons}"), theme.dim),
    ]);
    vec![sum, missing]
}

fn list(
    app: &App,
    by: &'static str,
    rows: &[SpendRow],
    cursor: Option<usize>,
    area: Rect,
    buf: &mut Buffer,
) {
    let theme = app.theme();
    let note = Line::styled(format::count(rows.len() as u64), theme.dim);
    let inner = paint::panel(&format!("Spend by {by}"), note, area, buf, theme);
    let most = rows
        .iter()
        .map(|row| row.spend.nano_usd.0.unsigned_abs())
        .max()
        .unwrap_or(0);
    let count = format::count;
    Table {
        columns: vec![
            column(by, (10, 34), 20, |row: &SpendRow| {
                cells::name(&row.name, theme)
            }),
            column("spend", (9, 15), 19, |row: &SpendRow| {
                cells::money(&row.spend, theme)
            })
            .right(),
            column("", (6, 40), 2, |row: &SpendRow| {
                let nano = row.spend.nano_usd.0.unsigned_abs();
                let simulated = row.simulated_nano_usd.0.unsigned_abs().min(nano);
                let fill = |n, fill| (n, theme.chart, fill);
                Cell::Bar(
                    vec![fill(nano - simulated, "█"), fill(simulated, "▒")],
                    most,
                )
            }),
            column("unpriced", (8, 9), 18, |row: &SpendRow| {
                cells::unpriced(row.spend.unpriced, theme)
            })
            .right(),
            column("exchanges", (9, 11), 17, |row: &SpendRow| {
                count(row.spend.exchanges)
            })
            .right(),
            column("tokens in", (9, 15), 16, |row: &SpendRow| {
                count(row.spend.input_tokens)
            })
            .right(),
            column("tokens out", (10, 15), 15, |row: &SpendRow| {
                count(row.spend.output_tokens)
            })
            .right(),
        ],
        rows,
        cursor,
        head: true,
        empty: "nothing consumed in this period",
    }
    .draw(inner, buf, theme);
}
