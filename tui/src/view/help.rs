//! The keys, straight from the keymap, and how to write a filter.
//!
//! ```text
//! ── Keys ─────────────────────────────────────────────────── Esc closes ──
//!  1           overview               /         filter exchanges, or …
//!  2           exchanges              [         look back less far
//! ```
//!
//! In two columns from 76 columns up.

use crate::{app::App, filter, keymap::BINDINGS, model::EFFECTS, theme::sign};
use ratatui::{
    style::Style,
    text::{Line, Span},
};

pub fn lines(app: &App, width: u16) -> Vec<Line<'static>> {
    let theme = app.theme();
    let pair = |name: &str, does: &str, style: Style| {
        vec![
            Span::styled(format!("{name:<12}"), style),
            Span::styled(format!("{does:<26}"), theme.text),
        ]
    };
    let keys: Vec<_> = BINDINGS
        .iter()
        .map(|bound| pair(bound.shown, bound.does, theme.accent))
        .collect();
    let abreast = if width >= 76 { 2 } else { 1 };
    let rows = keys.len().div_ceil(abreast);
    let mut lines: Vec<Line<'static>> = (0..rows)
        .map(|row| {
            keys.iter()
                .skip(row)
                .step_by(rows)
                .flatten()
                .cloned()
                .collect()
        })
        .collect();
    lines.push(Line::default());
    lines.push(Line::styled(
        "In a filter, all words must match; quotes mean the whole value:",
        theme.strong,
    ));
    for (field, about) in filter::FIELDS {
        lines.push(Line::from(pair(field, about, theme.accent)));
    }
    lines.push(Line::default());
    let meanings = [
        "sent as it came",
        "sent with placeholders, restored in the answer",
        "sent to an on-prem endpoint only",
        "sent nowhere",
    ];
    for (effect, meaning) in EFFECTS.into_iter().zip(meanings) {
        let name = format!("{} {}", sign(effect), effect.as_str());
        lines.push(Line::from(pair(&name, meaning, theme.effect(effect))));
    }
    lines.push(Line::from(pair(
        "SIM",
        "a simulated endpoint",
        theme.simulated,
    )));
    lines.push(Line::from(pair(
        "~",
        "tokens counted by the gate, not told",
        theme.dim,
    )));
    lines
}
