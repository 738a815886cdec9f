//! Exchanges over time as columns, with what was blocked at their foot.

use crate::{
    format,
    model::Step,
    paint,
    theme::{Theme, ThemeName},
};
use jiff::{Timestamp, tz::TimeZone};
use ratatui::{buffer::Buffer, layout::Rect, text::Line};
use tollgate_analytics::record::Effect;

const EIGHTHS: [&str; 9] = [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];

/// Steps merged so that at most `columns` are left; the oldest may hold fewer than the others.
pub fn merge(steps: &[Step], columns: usize) -> Vec<Step> {
    let together = steps.len().div_ceil(columns.max(1)).max(1);
    let mut merged: Vec<Step> = steps
        .rchunks(together)
        .map(|chunk| Step {
            start: chunk[0].start,
            exchanges: chunk.iter().map(|step| step.exchanges).sum(),
            blocked: chunk.iter().map(|step| step.blocked).sum(),
        })
        .collect();
    merged.reverse();
    merged
}

/// How long one of the steps is, in words; nothing when there are too few to tell.
pub fn step_length(steps: &[Step]) -> Option<String> {
    let [.., before, last] = steps else {
        return None;
    };
    let seconds = last.start.as_second() - before.start.as_second();
    Some(match seconds {
        60 => "minute".to_owned(),
        3_600 => "hour".to_owned(),
        86_400 => "day".to_owned(),
        _ => format::age(seconds),
    })
}

/// Draws the steps over the whole area.
pub fn draw(steps: &[Step], area: Rect, buf: &mut Buffer, theme: &Theme) {
    let area = area.intersection(buf.area);
    let most = steps.iter().map(|step| step.exchanges).max().unwrap_or(0);
    if area.is_empty() || most == 0 {
        return;
    }
    let full = u128::from(area.height) * 8;
    let eighths = |n: u64| (u128::from(n) * full).div_ceil(u128::from(most)) as u64;
    let blocked_style = theme.effect(Effect::Block);
    for x in 0..area.width {
        let at = usize::from(x) * steps.len() / usize::from(area.width);
        let step = &steps[at];
        let (total, blocked) = (eighths(step.exchanges), eighths(step.blocked));
        for row in 0..area.height {
            let floor = u64::from(row) * 8;
            let within = |height: u64| height.saturating_sub(floor).min(8) as usize;
            let (total, blocked) = (within(total), within(blocked));
            let (glyph, style) = match blocked {
                0 => (total, theme.chart),
                _ if theme.name == ThemeName::Mono => (total, theme.chart),
                // Two colours in one place: the foot in front, the rest behind it.
                1..8 if total == 8 => {
                    let behind = theme.chart.fg.unwrap_or_default();
                    (blocked, blocked_style.bg(behind))
                }
                // The height is always that of the total.
                _ => (total, blocked_style),
            };
            if glyph > 0 {
                let place = (area.x + x, area.bottom() - 1 - row);
                buf[place].set_symbol(EIGHTHS[glyph]).set_style(style);
            }
        }
    }
}

/// Writes under the steps when they begin and when they end, `read` being when they were read.
pub fn axis(
    steps: &[Step],
    (read, now): (Timestamp, Timestamp),
    zone: &TimeZone,
    area: Rect,
    buf: &mut Buffer,
    theme: &Theme,
) {
    let Some(first) = steps.first() else { return };
    let label = |at: Timestamp| Line::styled(format::moment(at, now, zone), theme.dim);
    paint::left(&label(first.start), area, buf);
    if area.width >= 40 {
        paint::centre(&label(steps[steps.len() / 2].start), area, buf);
    }
    let end = match now.as_second() - read.as_second() {
        ..60 => Line::styled("now", theme.dim),
        _ => label(read),
    };
    paint::right(&end, area, buf);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(counts: &[u64]) -> Vec<Step> {
        counts
            .iter()
            .enumerate()
            .map(|(i, &exchanges)| Step {
                start: Timestamp::from_second(i as i64 * 60).unwrap(),
                exchanges,
                blocked: exchanges / 2,
            })
            .collect()
    }

    #[test]
    fn merging_loses_nothing_and_keeps_the_newest_whole() {
        let merged = merge(&steps(&[1, 2, 3, 4, 5]), 3);
        assert_eq!(
            merged.iter().map(|s| s.exchanges).collect::<Vec<_>>(),
            [1, 5, 9]
        );
        assert_eq!(step_length(&merged).unwrap(), "2 min");
        assert_eq!(merge(&steps(&[1, 2]), 9).len(), 2);
        assert!(merge(&[], 0).is_empty());
    }

    #[test]
    fn the_tallest_column_fills_and_little_is_not_nothing() {
        let mut buf = Buffer::empty(Rect::new(0, 0, 3, 2));
        draw(
            &steps(&[1_000, 0, 1]),
            buf.area,
            &mut buf,
            ThemeName::Mono.theme(),
        );
        let row = |y| (0..3).map(|x| buf[(x, y)].symbol()).collect::<String>();
        assert_eq!([row(0), row(1)], ["█  ", "█ ▁"]);
    }
}
