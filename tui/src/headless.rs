//! The figures without a terminal: as JSON for programs, as plain text for people and logs. The
//! text is drawn by the same views as the screen.

use crate::{
    Error, Options,
    action::{Action, Loaded},
    app::{App, View},
    model::{Exchange, Snapshot},
    source::{LOAD_TIMEOUT, LoadError, Source},
    start,
    store::Store,
    theme::ThemeName,
    view,
};
use jiff::Timestamp;
use ratatui::{buffer::Buffer, layout::Rect};
use serde::Serialize;
use std::{fmt::Write as _, sync::Arc};

/// How many of the latest exchanges, and of the latest refusals, are written.
pub const EXCHANGES: usize = 50;

/// How wide the text is, in columns.
const WIDTH: u16 = 120;

/// What is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One JSON object: [`Snapshot`] with `period` and `at`; durations in microseconds, money in
    /// nano-USD.
    Json,
    /// Plain text of 120 columns without colour, one panel after the other; times in UTC.
    Text,
}

#[derive(Serialize)]
struct Json<'a> {
    at: Timestamp,
    period: &'static str,
    #[serde(flatten)]
    snapshot: &'a Snapshot,
    refusals: Vec<&'a Exchange>,
}

/// Reads the store once and writes the figures of `options.period` down.
pub async fn snapshot(
    client: clickhouse::Client,
    options: &Options,
    format: Format,
) -> Result<String, Error> {
    write(Store::new(client), options, format).await
}

/// As [`snapshot`], from any source of figures.
pub async fn write<S: Source>(
    mut source: S,
    options: &Options,
    format: Format,
) -> Result<String, Error> {
    let mut app = start(options);
    app.theme = ThemeName::Mono;
    app.utc = true;
    let request = app.request();
    let read = tokio::time::timeout(LOAD_TIMEOUT, source.load(&request, app.now)).await;
    let figures = read
        .unwrap_or(Err(LoadError::Timeout(LOAD_TIMEOUT)))
        .map_err(Error::Load)?;
    match format {
        Format::Json => {
            let refusals = figures
                .exchanges
                .iter()
                .filter(|exchange| exchange.is_refusal());
            let refusals = refusals.take(EXCHANGES).cloned().collect::<Vec<_>>();
            let mut figures = figures;
            if figures.exchanges.len() > EXCHANGES {
                figures.exchanges.truncate(EXCHANGES);
                figures.exchanges_complete = false;
            }
            let json = Json {
                at: app.now,
                period: app.period.name(),
                snapshot: &figures,
                refusals: refusals.iter().map(AsRef::as_ref).collect(),
            };
            serde_json::to_string_pretty(&json).map_err(Error::Json)
        }
        Format::Text => {
            let at = app.now;
            app.update(Action::Loaded(Loaded {
                request,
                at,
                result: Ok(Arc::new(figures)),
            }));
            Ok(text(&app))
        }
    }
}

/// All views of a state that has figures, one after the other.
fn text(app: &App) -> String {
    let mut app = app.clone();
    let Some(data) = app.data.clone() else {
        return String::new();
    };
    let figures = data.snapshot.as_ref();
    let at = data.at.strftime("%Y-%m-%d %H:%M:%S UTC");
    let mut out = format!("tollgate  {}  {}  {at}\n", app.context, data.period.name());
    if app.simulated {
        out.push_str("SIMULATED providers: answers and spend are made up, findings are real\n");
    }
    for view in View::EVERY {
        app.view = view;
        let rows = match view {
            View::Overview => 24,
            View::Exchanges => figures.exchanges.len().min(EXCHANGES) + 2,
            View::Findings => figures.entities.len() + 2,
            View::Routes => figures.routes.len() + 2,
            View::Spend => figures.teams.len() + figures.models.len() + 6,
            View::Rules => figures.rules.len() + 2 + 4,
        };
        let rows = u16::try_from(rows.max(5)).unwrap_or(u16::MAX);
        let mut buf = Buffer::empty(Rect::new(0, 0, WIDTH, rows));
        view::draw_view(&app, figures, buf.area, &mut buf);
        out.push('\n');
        for line in lines(&buf) {
            let _ = writeln!(out, "{line}");
        }
    }
    out
}

/// The buffer's rows as text without trailing space. A wide character covers two cells, of which
/// the second is empty.
pub(crate) fn lines(buf: &Buffer) -> impl Iterator<Item = String> + '_ {
    let width = usize::from(buf.area.width.max(1));
    buf.content().chunks(width).map(|row| {
        let mut line = String::new();
        let mut covered = 0;
        for cell in row {
            if covered > 0 {
                covered -= 1;
                continue;
            }
            covered = ratatui::text::Span::raw(cell.symbol())
                .width()
                .saturating_sub(1);
            line.push_str(cell.symbol());
        }
        line.truncate(line.trim_end().len());
        line
    })
}

#[cfg(test)]
mod tests;
