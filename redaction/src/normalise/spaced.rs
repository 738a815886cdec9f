//! Characters set apart: `4 1 1 1 …`, `a.n.n.a`, `4111  1111  1111  1111`.

use super::view::{Edit, Text};
use std::ops::Range;

/// So many single characters in a row are set apart on purpose or by a form.
const SINGLES_MIN: usize = 6;
/// More than that are no identifier but a table or a drawing.
const SINGLES_MAX: usize = 128;

fn is_separator(byte: u8) -> bool {
    matches!(byte, b' ' | b'.' | b'-' | b'_' | b'/' | b'|' | b',' | b'*')
}

fn is_single(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'@'
}

/// Appends edits that close up runs of single characters with one and the same separator, where
/// they begin in `range`.
pub(super) fn close_up(text: &str, range: Range<usize>, out: &mut Vec<Edit>) {
    let bytes = text.as_bytes();
    let (mut at, mut free) = (range.start, range.start);
    while at < range.end {
        // A run of six characters and five separators holds one place in eight, and beside it a
        // separator between two characters.
        let probe = at + (7 - at % 8);
        at = probe + 1;
        let middle = [probe, probe.wrapping_sub(1)]
            .into_iter()
            .find(|&middle| middle > free && is_apart(bytes, middle));
        if let Some(middle) = middle {
            let run = run_around(bytes, middle, free);
            let singles = run.len() / 2 + 1;
            free = free.max(run.end.saturating_sub(1));
            if (SINGLES_MIN..=SINGLES_MAX).contains(&singles)
                && has_digit_or_at(&bytes[run.clone()])
            {
                let separators = run.skip(1).step_by(2);
                out.extend(separators.map(|at| Edit::new(at..at + 1, Text::Nothing)));
            }
        }
    }
}

/// Whether a separator stands at `at` between two single characters.
fn is_apart(bytes: &[u8], at: usize) -> bool {
    let single = |at: usize| bytes.get(at).is_some_and(|&byte| is_single(byte));
    let separator = bytes.get(at).is_some_and(|&byte| is_separator(byte));
    separator && single(at - 1) && single(at + 1)
}

/// The run of single characters around the separator at `middle`, its ends no part of words.
fn run_around(bytes: &[u8], middle: usize, lowest: usize) -> Range<usize> {
    let separator = bytes[middle];
    let (mut start, mut end) = (middle - 1, middle + 2);
    while start >= lowest + 2
        && bytes[start - 1] == separator
        && is_single_or_dot(bytes, start - 2, separator)
    {
        start -= 2;
    }
    while end + 1 < bytes.len()
        && bytes[end] == separator
        && is_single_or_dot(bytes, end + 1, separator)
    {
        end += 2;
    }
    let word =
        |at: Option<&u8>| at.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte >= 0x80);
    if word(start.checked_sub(1).and_then(|at| bytes.get(at))) {
        start += 2;
    }
    if word(bytes.get(end)) {
        end = end.saturating_sub(2);
    }
    start..end.max(start)
}

/// Whether a single character stands at `at`; between blanks, signs of e-mail addresses too.
fn is_single_or_dot(bytes: &[u8], at: usize, separator: u8) -> bool {
    is_single(bytes[at]) || (separator == b' ' && matches!(bytes[at], b'.' | b'-' | b'_' | b'+'))
}

fn has_digit_or_at(run: &[u8]) -> bool {
    run.contains(&b'@') || run.iter().filter(|byte| byte.is_ascii_digit()).count() >= 4
}

/// Appends edits that leave one blank of two to eight between digits that begin in `range`.
pub(super) fn close_gaps(text: &str, range: Range<usize>, out: &mut Vec<Edit>) {
    const LANE: usize = 64;
    let bytes = text.as_bytes();
    let begins = |pair: &[u8]| pair[0].is_ascii_digit() && pair[1] == b' ' && pair[2] == b' ';
    let mut at = range.start;
    while at < range.end {
        let lane = &bytes[at..bytes.len().min(at + LANE + 2)];
        // Whole lanes without a branch first: most hold no such place.
        let (ones, twos, threes) = (
            lane,
            lane.get(1..).unwrap_or(&[]),
            lane.get(2..).unwrap_or(&[]),
        );
        let any = ones
            .iter()
            .zip(twos)
            .zip(threes)
            .fold(false, |any, ((&one, &two), &three)| {
                any | (one.is_ascii_digit() & (two == b' ') & (three == b' '))
            });
        if any {
            for (offset, _) in lane
                .windows(3)
                .enumerate()
                .filter(|(_, three)| begins(three))
            {
                let start = at + offset + 1;
                let blanks = bytes[start..]
                    .iter()
                    .take(9)
                    .take_while(|&&b| b == b' ')
                    .count();
                let end = start + blanks;
                if blanks <= 8 && bytes.get(end).is_some_and(u8::is_ascii_digit) {
                    out.push(Edit::new(start..end, Text::Char(' ')));
                }
            }
        }
        at += LANE;
    }
}

#[cfg(test)]
mod tests {
    use super::{super::view::View, *};

    fn closed(text: &str) -> String {
        let mut edits = Vec::new();
        close_up(text, 0..text.len(), &mut edits);
        close_gaps(text, 0..text.len(), &mut edits);
        View::new(text, 0..text.len(), &edits).text
    }

    #[test]
    fn characters_set_apart_are_closed_up() {
        for lead in 0..9 {
            let lead = "x".repeat(lead + 2);
            for (text, plain) in [
                (
                    "card 4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 now",
                    "card 4111111111111111 now",
                ),
                ("card 4.1.1.1.1.1.1.1 now", "card 41111111 now"),
                ("a n n a @ x . o r g", "anna@x.org"),
                ("D E 8 9 3 7 0 4", "DE893704"),
            ] {
                assert_eq!(closed(&format!("{lead} {text}")), format!("{lead} {plain}"));
            }
        }
        assert_eq!(closed("x 4111      1111 y"), "x 4111 1111 y");
    }

    #[test]
    fn ordinary_text_stays() {
        for text in [
            "1.2.3 and 10.0.0.1 and a.b.c",
            "I am a b c d e f g h",
            "12 34 56 78 90 12",
            "2024-06-21 11:02:45",
            "x, y, z; 1, 2, 3, 4, 5, 6, 7",
            "a - b - c",
        ] {
            assert_eq!(closed(text), text);
        }
    }
}
