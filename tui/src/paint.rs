//! Small things to draw with. Everything is clipped to the buffer and measured in terminal
//! columns (a wide character takes two), so that no size and no name can break a screen.

use crate::theme::Theme;
use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::Style,
    text::{Line, Span},
};

/// Writes `line` at the left of the area's first row, cut with `…` where it does not fit.
pub fn left(line: &Line<'_>, area: Rect, buf: &mut Buffer) {
    let area = area.intersection(buf.area);
    if !area.is_empty() {
        let fitted = fit(line, area.width);
        buf.set_line(area.x, area.y, &fitted, area.width);
    }
}

/// Writes `line` at the right of the area's first row.
pub fn right(line: &Line<'_>, area: Rect, buf: &mut Buffer) {
    let width = columns(line).min(area.width);
    left(
        line,
        Rect {
            x: area.right() - width,
            width,
            ..area
        },
        buf,
    );
}

/// Writes `line` in the middle of the area's first row.
pub fn centre(line: &Line<'_>, area: Rect, buf: &mut Buffer) {
    let width = columns(line).min(area.width);
    left(
        line,
        Rect {
            x: area.x + (area.width - width) / 2,
            width,
            ..area
        },
        buf,
    );
}

/// How many terminal columns a line takes.
pub fn columns(line: &Line<'_>) -> u16 {
    u16::try_from(line.width()).unwrap_or(u16::MAX)
}

/// The line cut to `width` columns, with `…` in place of what was cut off.
pub fn fit(line: &Line<'_>, width: u16) -> Line<'static> {
    let limit = usize::from(width);
    let whole = line.width() <= limit;
    let mut room = if whole {
        limit
    } else {
        limit.saturating_sub(1)
    };
    let mut spans: Vec<Span<'static>> = Vec::new();
    let mut last = line.style;
    'cut: for span in &line.spans {
        let style = line.style.patch(span.style);
        let mut kept = String::new();
        for grapheme in span.styled_graphemes(Style::new()) {
            let wide = Span::raw(grapheme.symbol).width();
            if wide > room {
                spans.push(Span::styled(kept, style));
                last = style;
                break 'cut;
            }
            room -= wide;
            kept.push_str(grapheme.symbol);
        }
        last = style;
        spans.push(Span::styled(kept, style));
    }
    if !whole && limit > 0 {
        spans.push(Span::styled("…", last));
    }
    Line::from(spans)
}

/// Words broken into lines of at most `width` columns; a longer word is broken where it must be.
pub fn wrap(text: &str, width: u16) -> Vec<String> {
    let limit = usize::from(width.max(1));
    let mut lines = vec![String::new()];
    let mut used = 0;
    for word in text.split_whitespace() {
        let wide = Span::raw(word).width();
        if used > 0 && used + 1 + wide > limit {
            lines.push(String::new());
            used = 0;
        }
        if used > 0 {
            lines.last_mut().expect("never empty").push(' ');
            used += 1;
        }
        for grapheme in Span::raw(word).styled_graphemes(Style::new()) {
            let wide = Span::raw(grapheme.symbol).width();
            if used + wide > limit && used > 0 {
                lines.push(String::new());
                used = 0;
            }
            lines
                .last_mut()
                .expect("never empty")
                .push_str(grapheme.symbol);
            used += wide;
        }
    }
    lines
}

/// A panel's title on a line across the area's first row, with a note at its right end. Returns
/// what is left below it.
///
/// ```text
/// ── Findings by entity ─────────────────────────── 3 of 14 ──
/// ```
pub fn panel(title: &str, note: Line<'_>, area: Rect, buf: &mut Buffer, theme: &Theme) -> Rect {
    let area = area.intersection(buf.area);
    if area.is_empty() {
        return area;
    }
    let line = Span::styled("─".repeat(area.width.into()), theme.rule);
    buf.set_span(area.x, area.y, &line, area.width);
    let title = Line::styled(format!(" {title} "), theme.strong);
    let inner = Rect {
        x: area.x + 2.min(area.width),
        width: area.width.saturating_sub(4),
        height: 1,
        ..area
    };
    left(&title, inner, buf);
    let room = inner.width.saturating_sub(columns(&title));
    if columns(&note) > 0 && columns(&note) + 2 <= room {
        let mut spaced = vec![Span::raw(" ")];
        spaced.extend(note.spans);
        spaced.push(Span::raw(" "));
        right(&Line::from(spaced), inner, buf);
    }
    below(area, 1)
}

/// The area without its first `rows` rows.
pub fn below(area: Rect, rows: u16) -> Rect {
    let rows = rows.min(area.height);
    Rect {
        y: area.y + rows,
        height: area.height - rows,
        ..area
    }
}

/// The first `rows` rows of the area.
pub fn above(area: Rect, rows: u16) -> Rect {
    Rect {
        height: rows.min(area.height),
        ..area
    }
}

/// The area without `margin` columns at either side.
pub fn inset(area: Rect, margin: u16) -> Rect {
    let margin = margin.min(area.width / 2);
    Rect {
        x: area.x + margin,
        width: area.width - 2 * margin,
        ..area
    }
}

/// The area cut into `n` columns of nearly the same width with `gap` between them.
pub fn split(area: Rect, n: u16, gap: u16) -> Vec<Rect> {
    let n = n.max(1);
    let room = u32::from(area.width.saturating_sub(gap * (n - 1)));
    let edge = |i: u16| (room * u32::from(i) / u32::from(n)) as u16;
    (0..n)
        .map(|i| Rect {
            x: area.x.saturating_add(edge(i) + gap * i).min(area.right()),
            width: edge(i + 1) - edge(i),
            ..area
        })
        .map(|part| part.intersection(area))
        .collect()
}

/// A part of a bar: how much, in which style, drawn with what.
pub type Part = (u64, Style, &'static str);

/// A bar whose whole width stands for `scale`, in parts from left to right. What is not nothing
/// takes at least one column as long as there are enough of them.
pub fn bar(parts: &[Part], scale: u64, width: u16) -> Line<'static> {
    let present: Vec<&Part> = parts.iter().filter(|part| part.0 > 0).collect();
    let total: u64 = present
        .iter()
        .fold(0, |sum, part| sum.saturating_add(part.0));
    let scale = u128::from(scale.max(total).max(1));
    let filled = (u128::from(total) * u128::from(width)).div_ceil(scale) as u64;
    let filled = filled.max(present.len() as u64).min(width.into());
    let mut spans = Vec::new();
    let (mut seen, mut drawn) = (0u64, 0u64);
    for (i, &&(n, style, fill)) in present.iter().enumerate() {
        seen = seen.saturating_add(n);
        let end = (u128::from(seen) * u128::from(filled) / u128::from(total)) as u64;
        let after = (present.len() - 1 - i) as u64;
        let end = end
            .max(drawn + 1)
            .min(filled.saturating_sub(after))
            .max(drawn);
        spans.push(Span::styled(fill.repeat((end - drawn) as usize), style));
        drawn = end;
    }
    Line::from(spans)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn cuts_by_columns_not_characters() {
        let cut = |text: &str, width| fit(&Line::raw(text.to_owned()), width).to_string();
        assert_eq!(cut("short", 5), "short");
        assert_eq!(cut("longer", 5), "long…");
        assert_eq!(cut("研究開発", 8), "研究開発");
        assert_eq!(cut("研究開発", 7), "研究開…");
        assert_eq!(cut("研究開発", 6), "研究…");
        assert_eq!(cut("anything", 0), "");
    }

    #[test]
    fn wraps_at_words_and_breaks_what_is_too_long() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("abcdefgh", 3), ["abc", "def", "gh"]);
        assert_eq!(wrap("", 3), [""]);
        assert_eq!(wrap("研究開発", 4), ["研究", "開発"]);
    }

    #[test]
    fn bars_show_the_smallest_part() {
        let style = Style::new();
        let drawn = |parts: &[Part], scale, width| bar(parts, scale, width).to_string();
        assert_eq!(
            drawn(&[(999, style, "a"), (1, style, "b")], 0, 10),
            "aaaaaaaaab"
        );
        assert_eq!(drawn(&[(1, style, "a"), (0, style, "b")], 1_000, 10), "a");
        assert_eq!(drawn(&[(0, style, "a")], 10, 10), "");
        assert_eq!(drawn(&[(5, style, "a")], 10, 10), "aaaaa");
    }

    proptest! {
        #[test]
        fn nothing_drawn_is_wider_than_its_place(
            text in "\\PC{0,40}", width in 0u16..60, ns in proptest::array::uniform4(any::<u64>()),
        ) {
            prop_assert!(fit(&Line::raw(text.clone()), width).width() <= width.into());
            let parts = ns.map(|n| (n, Style::new(), "█"));
            prop_assert!(bar(&parts, 0, width).width() <= width.into());
            for part in split(Rect::new(3, 0, width, 1), 4, 2) {
                prop_assert!(part.right() <= 3 + width);
            }
        }
    }
}
