//! Cuts text into windows for the model, and skips what it need not read.
//!
//! A text is first cut into *units*: lines and sentences, the long ones at white space. A unit is
//! *idle* if it can hold no name, *known* if an equal unit came before it in the same request,
//! otherwise *new*. Windows are runs of new units with little between them; each begins with some text
//! before it, so that an entity that a cut runs through is whole in one of the two windows.

use super::cache::{Key, Keys};
use crate::Span;
use std::collections::HashMap;

/// The longest window, in bytes. A token is at least a byte, so that with the two special ones
/// a window never exceeds the model's 512 positions, whatever it holds.
pub(super) const WINDOW: usize = 448;
/// The longest unit, in bytes.
const UNIT: usize = 320;
/// How much text before its first new unit a window shows, in bytes.
const LEAD: usize = 80;
/// The most text between two units of one window that is read for nothing, in bytes.
const GAP: usize = 120;
/// A unit with fewer letters than this is judged together with the one before it.
const ALONE: usize = 24;
/// The longest line, in bytes, that is read because the line before it is: addresses are written over
/// several, and the last ones may hold a number only.
const LINE: usize = 40;
/// So many of such lines in a row.
const LINES: usize = 4;

/// Text for the model to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Window {
    pub segment: usize,
    pub span: Span,
}

/// A place whose findings are those of an equal place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Copy {
    pub segment: usize,
    pub span: Span,
    /// Index into [`Plan::windows`].
    pub window: usize,
    /// Where the equal text begins in that window's segment.
    pub from: usize,
}

/// What the model has to read, and where else that applies.
#[derive(Default)]
pub(super) struct Plan {
    pub windows: Vec<Window>,
    pub copies: Vec<Copy>,
}

/// Plans the reading of all segments. `wanted` says whether a unit can hold a name.
pub(super) fn plan(segments: &[&str], keys: &Keys, wanted: impl Fn(&str) -> bool) -> Plan {
    let mut plan = Plan::default();
    // Where each unit stands: window and first byte.
    let mut seen: HashMap<Key, (usize, usize)> = HashMap::new();
    for (segment, text) in segments.iter().enumerate() {
        let mut open: Option<Span> = None;
        let mut previous = Span::new(0, 0);
        // How many lines may yet be read because of one before them.
        let mut lines = 0;
        let mut at = 0;
        while at < text.len() {
            let unit = Span::new(at, unit_end(text, at));
            at = unit.end;
            let before = std::mem::replace(&mut previous, unit);
            let body = &text[unit.range()];
            if wanted(body) {
                lines = LINES;
            } else if lines > 0 && goes_on(text, unit) {
                lines -= 1;
            } else {
                lines = 0;
                continue;
            }
            let alone = body
                .chars()
                .filter(|c| c.is_alphabetic())
                .take(ALONE)
                .count()
                == ALONE;
            let key = if alone {
                keys.of(&[body])
            } else {
                keys.of(&[&text[before.range()], body])
            };
            if let Some(&(window, from)) = seen.get(&key) {
                plan.copies.push(Copy {
                    segment,
                    span: unit,
                    window,
                    from,
                });
                continue;
            }
            match &mut open {
                Some(window)
                    if unit.end - window.start <= WINDOW && unit.start - window.end <= GAP =>
                {
                    window.end = unit.end;
                }
                _ => {
                    if let Some(span) = open {
                        plan.windows.push(Window { segment, span });
                    }
                    open = Some(Span::new(lead(text, unit.start), unit.end));
                }
            }
            seen.insert(key, (plan.windows.len(), unit.start));
        }
        if let Some(span) = open {
            plan.windows.push(Window { segment, span });
        }
    }
    plan
}

/// Whether a unit can be one more line of an address: a short line with a letter or digit.
fn goes_on(text: &str, unit: Span) -> bool {
    let body = text[unit.range()].trim();
    body.len() <= LINE
        && body.contains(char::is_alphanumeric)
        && text[..unit.start]
            .trim_end_matches([' ', '\t', '\r'])
            .ends_with('\n')
}

/// Where a window begins whose first new unit begins at `start`: at a word.
fn lead(text: &str, start: usize) -> usize {
    let from = text.ceil_char_boundary(start.saturating_sub(LEAD));
    if from == 0 {
        return 0;
    }
    text[from..start]
        .find(char::is_whitespace)
        .map_or(from, |space| from + space)
}

/// The end of the unit that begins at `start`.
fn unit_end(text: &str, start: usize) -> usize {
    let limit = text.floor_char_boundary((start + UNIT).min(text.len()));
    let bytes = &text.as_bytes()[start..limit];
    let mut letters = false;
    for (at, &byte) in bytes.iter().enumerate() {
        letters |= byte.is_ascii_alphanumeric() || byte >= 0x80;
        let next = bytes.get(at + 1);
        let sentence = matches!(byte, b'.' | b'!' | b'?')
            && next.is_some_and(u8::is_ascii_whitespace)
            && at >= 2
            // An initial or a short title (`Dr.`, `St.`) ends no sentence.
            && !bytes[..at].iter().rev().take(4).any(|&b| b == b' ' || b == b'.')
            && at > 3;
        if letters && (byte == b'\n' || sentence) {
            return start + at + 1;
        }
    }
    if limit == text.len() {
        return limit;
    }
    // No unit ends in its first half by force, so that text without spaces is cut too.
    let half = text.ceil_char_boundary(start + UNIT / 2);
    text[half..limit]
        .rfind(char::is_whitespace)
        .map_or(limit, |at| half + at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn all(segments: &[&str]) -> Plan {
        plan(segments, &Keys::default(), |unit| !unit.trim().is_empty())
    }

    #[test]
    fn a_short_text_is_one_window() {
        let text = "Dear Dr. Anna Berg, thank you.\nWe meet on Monday. Bring the file.";
        let plan = all(&[text]);
        assert_eq!(
            plan.windows,
            [Window {
                segment: 0,
                span: Span::new(0, text.len())
            }]
        );
        assert!(plan.copies.is_empty());
    }

    #[test]
    fn repeated_lines_are_read_once() {
        let line = "request 0001 of customer number 4711 was completed without any error\n";
        let text = line.repeat(10_000);
        let plan = all(&[&text, &text]);
        assert_eq!(plan.windows.len(), 1);
        assert_eq!(plan.copies.len(), 19_999);
    }

    #[test]
    fn short_lines_go_with_the_line_before_them() {
        let wanted = |unit: &str| unit.contains("Anna");
        let planned = |text: &str| plan(&[text], &Keys::default(), wanted);
        let address = "To: Anna Berg\n12 the mews\n\n 4711\n";
        let rest = "No more of it, as this line is far too long for an address.\n17\n";
        let text = format!("{address}{rest}");
        let span = Span::new(0, address.trim_end().len());
        let windows = planned(&text).windows;
        assert_eq!(windows.len(), 1);
        assert!(windows[0].span.contains(span) && windows[0].span.end <= address.len());
        // A list of numbers is no address.
        let list = format!("Anna\n{}", "12\n".repeat(50));
        assert!(planned(&list).windows[0].span.end < 20);
        // Read once, applied twice; all but the first line, which has another before it.
        let twice = planned(&format!("{address}{rest}{address}"));
        assert_eq!((twice.windows.len(), twice.copies.len()), (1, 2));
    }

    proptest! {
        #[test]
        fn every_word_is_in_a_window_or_a_copy(
            segments in prop::collection::vec("[a-zA-Zé日0-9 .\n]{0,1500}", 0..4),
        ) {
            let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
            let plan = all(&segments);
            for window in &plan.windows {
                prop_assert!(window.span.len() <= WINDOW);
                prop_assert!(segments[window.segment].get(window.span.range()).is_some());
            }
            for copy in &plan.copies {
                let origin = &plan.windows[copy.window];
                let source = Span::new(copy.from, copy.from + copy.span.len());
                prop_assert!(origin.span.contains(source));
                let zero = |text: &str| -> String {
                    text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect()
                };
                prop_assert_eq!(
                    zero(&segments[origin.segment][source.range()]),
                    zero(&segments[copy.segment][copy.span.range()])
                );
            }
            for (number, text) in segments.iter().enumerate() {
                for (at, c) in text.char_indices().filter(|(_, c)| c.is_alphabetic()) {
                    let here = Span::new(at, at + c.len_utf8());
                    let windows = plan.windows.iter().filter(|w| w.segment == number).map(|w| w.span);
                    let copies = plan.copies.iter().filter(|c| c.segment == number).map(|c| c.span);
                    prop_assert!(windows.chain(copies).any(|span| span.contains(here)));
                }
            }
        }
    }
}
