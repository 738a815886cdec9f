//! The screen: a frame that is always there, and one view in it. One panel per file.
//!
//! ```text
//!  tollgate · Example Bank          15m 1h 24h 7d all   ● live 2 s   12:04:05 UTC   header
//!  1 Overview  2 Exchanges  3 Findings  4 Routes  5 Spend  6 Rules                  tabs
//!  SIMULATED providers: …                                                           banners
//!
//!                                    the view
//!
//!  ? keys  / filter  [ ] period  p pause  t theme  u UTC  q quit                    footer
//! ```

mod cells;
mod detail;
mod exchanges;
mod findings;
mod help;
mod overview;
mod routes;
mod rules;
mod spend;

use crate::{
    app::{App, Overlay, View},
    format,
    model::Snapshot,
    paint,
    period::Period,
};
use ratatui::{
    buffer::Buffer,
    layout::{Position, Rect},
    style::Style,
    text::{Line, Span},
};

/// Draws the whole screen. Returns where the cursor blinks, when something is being typed.
pub fn draw(app: &App, area: Rect, buf: &mut Buffer) -> Option<Position> {
    let area = area.intersection(buf.area);
    buf.set_style(area, app.theme().text);
    header(app, paint::above(area, 1), buf);
    tabs(app, paint::above(paint::below(area, 1), 1), buf);
    let mut body = paint::below(area, 2);
    for (banner, style) in banners(app, area.width) {
        let line = paint::above(body, 1);
        buf.set_style(line, style);
        paint::left(&Line::styled(banner, style), paint::inset(line, 1), buf);
        body = paint::below(body, 1);
    }
    let footer_rows = u16::from(body.height > 1);
    let view_area = paint::inset(paint::above(body, body.height - footer_rows), 1);
    content(app, view_area, buf);
    footer(app, paint::below(body, body.height - footer_rows), buf)
}

/// Draws a view, without the frame, of a snapshot that is there.
pub fn draw_view(app: &App, snapshot: &Snapshot, area: Rect, buf: &mut Buffer) {
    match app.view {
        View::Overview => overview::draw(app, snapshot, area, buf),
        View::Exchanges => exchanges::draw(app, snapshot, area, buf),
        View::Findings => findings::draw(app, snapshot, area, buf),
        View::Routes => routes::draw(app, snapshot, area, buf),
        View::Spend => spend::draw(app, snapshot, area, buf),
        View::Rules => rules::draw(app, snapshot, area, buf),
    }
}

/// How far the overlay can be scrolled, in rows.
pub fn scroll_max(app: &App) -> usize {
    let (columns, rows) = app.size;
    let frame = 3 + banners(app, columns).len() + 1;
    let shown = usize::from(rows).saturating_sub(frame);
    let width = columns.saturating_sub(2);
    let lines = match &app.overlay {
        Some(Overlay::Help) => help::lines(app, width).len(),
        Some(Overlay::Detail(exchange)) => detail::lines(app, exchange, width).len(),
        None => 0,
    };
    lines.saturating_sub(shown)
}

fn content(app: &App, area: Rect, buf: &mut Buffer) {
    let scrolled = |title: &str, lines: Vec<Line<'static>>, buf: &mut Buffer| {
        let note = Line::styled("Esc closes", app.theme().dim);
        let inner = paint::panel(title, note, area, buf, app.theme());
        for (i, line) in lines
            .iter()
            .skip(app.scroll)
            .take(inner.height.into())
            .enumerate()
        {
            paint::left(line, paint::below(inner, i as u16), buf);
        }
    };
    match (&app.overlay, app.snapshot()) {
        (Some(Overlay::Help), _) => scrolled("Keys", help::lines(app, area.width), buf),
        (Some(Overlay::Detail(exchange)), _) => {
            let title = format!("Exchange {}", exchange.record.exchange);
            scrolled(&title, detail::lines(app, exchange, area.width), buf);
        }
        (None, Some(snapshot)) => draw_view(app, snapshot, area, buf),
        (None, None) => {
            let text = match app.failure {
                None => "Reading the store…",
                Some(_) => "No figures yet.",
            };
            let middle = paint::below(area, area.height / 2);
            paint::centre(&Line::styled(text, app.theme().dim), middle, buf);
        }
    }
}

fn header(app: &App, area: Rect, buf: &mut Buffer) {
    let theme = app.theme();
    let mut spans = Vec::new();
    if area.width >= 60 {
        for period in Period::EVERY {
            let style = if period == app.period {
                theme.accent
            } else {
                theme.dim
            };
            let text = match period == app.period {
                true => format!("[{}]", period.name()),
                false => format!(" {} ", period.name()),
            };
            spans.push(Span::styled(text, style));
        }
        spans.push(Span::raw("  "));
    } else {
        spans.push(Span::styled(
            format!("{}  ", app.period.name()),
            theme.accent,
        ));
    }
    let (state, style) = freshness(app);
    spans.push(Span::styled(state, style));
    if area.width >= 75 {
        let clock = app
            .now
            .to_zoned_datetime(app.zone().clone())
            .strftime("%H:%M:%S %Z")
            .to_string();
        spans.push(Span::styled(format!("   {clock}"), theme.dim));
    }
    let status = Line::from(spans);
    let area = paint::inset(area, 1);
    let mut name = vec![Span::styled("tollgate", theme.accent)];
    if !app.context.is_empty() {
        name.push(Span::styled(format!(" · {}", app.context), theme.text));
    }
    let room = area.width.saturating_sub(paint::columns(&status) + 2);
    paint::left(
        &Line::from(name),
        Rect {
            width: room,
            ..area
        },
        buf,
    );
    paint::right(&status, area, buf);
}

/// How fresh the figures are, in words.
fn freshness(app: &App) -> (String, Style) {
    let theme = app.theme();
    let Some(data) = &app.data else {
        return match app.failure {
            None => ("○ reading".to_owned(), theme.dim),
            Some(_) => ("▲ no data".to_owned(), theme.warning),
        };
    };
    let seconds = app.now.as_second() - data.at.as_second();
    let age = format::age(seconds);
    if app.paused {
        (format!("‖ paused {age}"), theme.warning)
    } else if data.period != app.period {
        (format!("○ {} shown", data.period.name()), theme.warning)
    } else if app.failure.is_some() || seconds > stale_after(app) {
        (format!("▲ stale {age}"), theme.warning)
    } else {
        (format!("● live {age}"), theme.accent)
    }
}

/// After how many seconds without an answer the figures are called stale.
fn stale_after(app: &App) -> i64 {
    i64::try_from(app.every.as_secs())
        .unwrap_or(i64::MAX)
        .saturating_mul(3)
        .max(5)
}

fn tabs(app: &App, area: Rect, buf: &mut Buffer) {
    let theme = app.theme();
    let mut spans = Vec::new();
    for (i, view) in View::EVERY.into_iter().enumerate() {
        let current = view == app.view;
        let name = if area.width >= 66 || current {
            view.title()
        } else {
            ""
        };
        let (key, title) = match current {
            true => (theme.accent, theme.accent.patch(theme.selected)),
            false => (theme.dim, theme.text),
        };
        spans.push(Span::styled(format!("{} ", i + 1), key));
        spans.push(Span::styled(name, title));
        spans.push(Span::raw("  "));
    }
    paint::left(&Line::from(spans), paint::inset(area, 1), buf);
}

/// What must not be overlooked, on lines of its own.
fn banners(app: &App, width: u16) -> Vec<(String, Style)> {
    let theme = app.theme();
    let mut banners = Vec::new();
    if app.simulated {
        let text = "SIMULATED providers: answers and spend are made up, findings are real";
        banners.push((text.to_owned(), theme.simulated));
    }
    if let Some(failure) = &app.failure {
        let at = |moment| format::moment(moment, app.now, app.zone());
        let shown = match &app.data {
            Some(data) => format!("figures of {}", at(data.at)),
            None => "no figures yet".to_owned(),
        };
        let since = at(failure.since);
        banners.push((
            format!("▲ STORE NOT READABLE since {since} · {shown} · trying again"),
            theme.error,
        ));
        let reason = paint::wrap(&failure.reason, width.saturating_sub(4));
        banners.extend(
            reason
                .into_iter()
                .take(2)
                .map(|line| (format!("  {line}"), theme.error)),
        );
    }
    banners
}

fn footer(app: &App, area: Rect, buf: &mut Buffer) -> Option<Position> {
    let theme = app.theme();
    let area = paint::inset(area, 1);
    if let Some(typing) = &app.typing {
        let typed = Line::from(vec![
            Span::styled("/ ", theme.accent),
            Span::styled(typing.text.clone(), theme.strong),
        ]);
        let at = paint::columns(&typed).min(area.width.saturating_sub(1));
        paint::left(&typed, area, buf);
        let hint = match &typing.wrong {
            Some(wrong) => Line::styled(wrong.clone(), theme.warning),
            None => Line::styled(
                "effect: team: entity: route: rule: …  Enter keeps",
                theme.dim,
            ),
        };
        let room = paint::below(area, 0);
        let rest = room.width.saturating_sub(at + 3);
        paint::right(
            &hint,
            Rect {
                x: room.right() - rest,
                width: rest,
                ..room
            },
            buf,
        );
        return (!area.is_empty()).then_some(Position::new(area.x + at, area.y));
    }
    if let Some(notice) = &app.notice {
        paint::left(&Line::styled(notice.clone(), theme.warning), area, buf);
        return None;
    }
    let opens = match (&app.overlay, app.view) {
        (Some(_), _) => ("Esc", "close"),
        (None, View::Overview) => ("1-6", "views"),
        (None, _) => ("Enter", "open"),
    };
    let hints = [
        opens,
        ("?", "keys"),
        ("/", "filter"),
        ("[ ]", "period"),
        ("p", if app.paused { "resume" } else { "pause" }),
        ("t", "theme"),
        ("u", if app.utc { "local" } else { "UTC" }),
        ("q", "quit"),
    ];
    let mut spans = Vec::new();
    for (key, does) in hints {
        spans.push(Span::styled(key, theme.accent));
        spans.push(Span::styled(format!(" {does}  "), theme.dim));
    }
    paint::left(&Line::from(spans), area, buf);
    None
}

#[cfg(test)]
mod tests;
