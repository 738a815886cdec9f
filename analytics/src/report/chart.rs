//! Inline SVG. Shapes stretch with the page, so their texts stand beside them in HTML, where they
//! keep their size on a phone.

use super::format::count;
use maud::{Markup, html};

/// A part of a bar: a CSS class for the colour, what it says to those who point at it, an amount.
pub(super) struct Part {
    pub(super) class: &'static str,
    pub(super) label: String,
    pub(super) amount: u64,
}

/// Amounts become widths in this many units: enough for a hairline, small enough for SVG.
const WIDTH: u64 = 1_000;

fn scaled(amount: u64, max: u64, onto: u64) -> u64 {
    if max == 0 {
        return 0;
    }
    let scaled = u128::from(amount) * u128::from(onto) / u128::from(max);
    // What is not nothing must be seen.
    u64::try_from(scaled)
        .unwrap_or(onto)
        .max(u64::from(amount > 0) * 4)
}

/// A horizontal bar of stacked parts, on a scale whose full width is `max`.
pub(super) fn bar(parts: &[Part], max: u64) -> Markup {
    let mut x = 0;
    let placed: Vec<(u64, u64, &Part)> = parts
        .iter()
        .filter(|part| part.amount > 0)
        .map(|part| {
            let width = scaled(part.amount, max, WIDTH);
            x += width;
            (x - width, width, part)
        })
        .collect();
    let labels: Vec<&str> = placed
        .iter()
        .map(|(_, _, part)| part.label.as_str())
        .collect();
    html! {
        svg.bar viewBox={ "0 0 " (WIDTH) " 10" } preserveAspectRatio="none" role="img" aria-label=(labels.join(", ")) {
            @for (x, width, part) in &placed {
                rect.(part.class) x=(x) y="0" width=(width) height="10" { title { (part.label) } }
            }
        }
    }
}

/// One column of the chart over time.
pub(super) struct Column {
    pub(super) title: String,
    /// From the bottom up.
    pub(super) parts: Vec<(&'static str, u64)>,
}

const HEIGHT: u64 = 1_000;
const COLUMN: u64 = 10;

/// Columns of stacked parts, with the scale's top and the first, middle and last label.
pub(super) fn columns(columns: &[Column], unit: &str, labels: [&str; 3]) -> Markup {
    let total = |column: &Column| column.parts.iter().map(|(_, n)| n).sum::<u64>();
    let max = columns.iter().map(total).max().unwrap_or(0);
    let gap = u64::from(columns.len() < 120) * 2;
    let width = columns.len() as u64 * COLUMN;
    html! {
        figure.columns {
            div.scale { span { (count(max)) " " (unit) } span { "0" } }
            svg viewBox={ "0 0 " (width) " " (HEIGHT) } preserveAspectRatio="none" role="img"
                aria-label={ (unit) " over time, at most " (count(max)) " a step" } {
                line.grid x1="0" y1="0" x2=(width) y2="0" {}
                line.grid x1="0" y1=(HEIGHT / 2) x2=(width) y2=(HEIGHT / 2) {}
                line.axis x1="0" y1=(HEIGHT) x2=(width) y2=(HEIGHT) {}
                @for (i, column) in columns.iter().enumerate() {
                    @if total(column) > 0 { (stack(column, i as u64 * COLUMN + gap / 2, COLUMN - gap, max)) }
                }
            }
            div.ticks { @for label in labels { span { (label) } } }
        }
    }
}

fn stack(column: &Column, x: u64, width: u64, max: u64) -> Markup {
    let mut top = HEIGHT;
    let placed: Vec<(&str, u64, u64)> = column
        .parts
        .iter()
        .map(|(class, amount)| {
            let height = scaled(*amount, max, HEIGHT).min(top);
            top -= height;
            (*class, top, height)
        })
        .collect();
    html! {
        g {
            title { (column.title) }
            @for (class, y, height) in placed {
                @if height > 0 { rect.(class) x=(x) y=(y) width=(width) height=(height) {} }
            }
        }
    }
}

/// Which colour stands for what.
pub(super) fn legend(entries: &[(&str, &str)]) -> Markup {
    html! {
        p.legend {
            @for (class, word) in entries {
                span { svg viewBox="0 0 10 10" aria-hidden="true" { rect.(class) width="10" height="10" {} } (word) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths_are_in_proportion_and_never_vanish() {
        assert_eq!(scaled(50, 100, WIDTH), 500);
        assert_eq!(scaled(100, 100, WIDTH), WIDTH);
        assert_eq!(scaled(1, u64::MAX, WIDTH), 4);
        assert_eq!(scaled(0, 100, WIDTH), 0);
        assert_eq!(scaled(0, 0, WIDTH), 0);
    }

    #[test]
    fn names_are_escaped() {
        let part = Part {
            class: "permit",
            label: "<b>&\"".to_owned(),
            amount: 1,
        };
        let svg = bar(&[part], 1).into_string();
        assert!(
            svg.contains("&lt;b&gt;&amp;&quot;") && !svg.contains("<b>"),
            "{svg}"
        );
    }
}
