//! A text read differently, and the way back to the original.

use crate::{
    Span,
    context::{ceil, floor},
};
use std::ops::Range;

/// How much of the text around an edit is read with it, in bytes: the longest ordinary value and
/// the context words before it.
const AROUND: usize = 320;
/// How much further a window reaches so as not to cut what stands together, in bytes.
const TOGETHER: usize = 4096;

/// What stands in a view for a span of the original.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Text {
    Nothing,
    Char(char),
    Owned(String),
}

/// A span of the original, on character boundaries and not empty, and how it is read.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Edit {
    pub span: Span,
    pub text: Text,
}

impl Edit {
    pub fn new(range: Range<usize>, text: Text) -> Self {
        let span = Span::from(range);
        Self { span, text }
    }
}

/// A window of the original with its edits made.
pub(super) struct View {
    pub text: String,
    /// Where the window begins in the original.
    start: usize,
    pieces: Vec<Piece>,
}

/// An edit that was made: a range of the view and the span of the original that it stands for.
struct Piece {
    view: Span,
    origin: Span,
}

impl View {
    /// `edits` lie in `window`, ordered and disjoint.
    pub fn new(original: &str, window: Range<usize>, edits: &[Edit]) -> Self {
        let mut text = String::with_capacity(window.len());
        let mut pieces = Vec::with_capacity(edits.len());
        let mut at = window.start;
        for edit in edits {
            text.push_str(&original[at..edit.span.start]);
            let from = text.len();
            match &edit.text {
                Text::Nothing => {}
                Text::Char(c) => text.push(*c),
                Text::Owned(replacement) => text.push_str(replacement),
            }
            pieces.push(Piece {
                view: Span::new(from, text.len()),
                origin: edit.span,
            });
            at = edit.span.end;
        }
        text.push_str(&original[at..window.end]);
        Self {
            text,
            start: window.start,
            pieces,
        }
    }

    /// The span of the original that a span of the view stands for. A part of what an edit put
    /// there stands for all of what the edit took away. Monotone; keeps character boundaries.
    pub fn origin(&self, span: Span) -> Span {
        let after = |piece: &Piece, at: usize| piece.origin.end + (at - piece.view.end);
        let started = self.pieces.partition_point(|p| p.view.start <= span.start);
        let start = match started.checked_sub(1).map(|last| &self.pieces[last]) {
            None => self.start + span.start,
            Some(piece) if span.start < piece.view.end => piece.origin.start,
            Some(piece) => after(piece, span.start),
        };
        let begun = self.pieces.partition_point(|p| p.view.start < span.end);
        let end = match begun.checked_sub(1).map(|last| &self.pieces[last]) {
            None => self.start + span.end,
            Some(piece) if span.end <= piece.view.end => piece.origin.end,
            Some(piece) => after(piece, span.end),
        };
        Span::new(start, end.max(start))
    }

    /// Whether an edit lies in the span or within `reach` bytes of it.
    pub fn is_near_edit(&self, span: Span, reach: usize) -> bool {
        let next = self
            .pieces
            .partition_point(|piece| piece.view.end + reach < span.start);
        self.pieces
            .get(next)
            .is_some_and(|piece| piece.view.start <= span.end + reach)
    }

    /// Whether an edit lies inside the span: characters of it stand on both sides or are it.
    pub fn holds_edit(&self, span: Span) -> bool {
        let next = self.pieces.partition_point(|piece| {
            piece.view.end < span.start
                || (piece.view.end == span.start && !piece.view.is_empty())
                || (piece.view.is_empty() && piece.view.end <= span.start)
        });
        self.pieces
            .get(next)
            .is_some_and(|piece| piece.view.start < span.end)
    }
}

/// The windows of `original` around `edits`, each with the edits that lie in it.
pub(super) fn windows<'e>(
    original: &str,
    edits: &'e [Edit],
) -> impl Iterator<Item = (Range<usize>, &'e [Edit])> {
    edits
        .chunk_by(|a, b| b.span.start - a.span.end <= 2 * AROUND)
        .scan(0, |seen, group| {
            let first = *seen;
            *seen += group.len();
            Some((first, *seen))
        })
        .map(move |(first, end)| {
            let (start, stop) = (edits[first].span.start, edits[end - 1].span.end);
            // What stands together around the window is not cut, but no other group's edit is
            // taken in half.
            let lowest = first.checked_sub(1).map_or(0, |at| edits[at].span.end);
            let highest = edits.get(end).map_or(original.len(), |e| e.span.start);
            let window =
                widen(original, start, lowest, true)..widen(original, stop, highest, false);
            (window, &edits[first..end])
        })
}

/// `at` moved outwards by [`AROUND`] and on to white space, not past `limit`.
fn widen(text: &str, at: usize, limit: usize, backwards: bool) -> usize {
    let bytes = text.as_bytes();
    if backwards {
        let near = at.saturating_sub(AROUND).max(limit);
        let far = near.saturating_sub(TOGETHER).max(limit);
        let space = bytes[far..near].iter().rposition(u8::is_ascii_whitespace);
        floor(text, space.map_or(far, |space| far + space + 1)).max(limit)
    } else {
        let near = (at + AROUND).min(limit);
        let far = (near + TOGETHER).min(limit);
        let space = bytes[near..far].iter().position(u8::is_ascii_whitespace);
        ceil(text, space.map_or(far, |space| near + space)).min(limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_part_of_a_replacement_stands_for_all_that_it_replaced() {
        let text = "a%40b c\u{200b}d";
        let edits = [
            Edit::new(1..4, Text::Char('@')),
            Edit::new(7..10, Text::Nothing),
        ];
        let view = View::new(text, 0..text.len(), &edits);
        assert_eq!(view.text, "a@b cd");
        let origin = |start, end| view.origin(Span::new(start, end)).range();
        assert_eq!(origin(0, 3), 0..5);
        assert_eq!(origin(1, 2), 1..4);
        assert_eq!(origin(4, 6), 6..11);
        assert_eq!((origin(4, 5), origin(5, 6)), (6..7, 10..11));
        let holds = |start, end| view.holds_edit(Span::new(start, end));
        assert!(holds(4, 6) && holds(1, 2) && !holds(4, 5) && !holds(5, 6) && !holds(2, 4));
    }

    proptest! {
        #[test]
        fn the_way_back_is_monotone_and_keeps_boundaries(
            text in "[a-cé日🙂 ]{1,60}",
            marks in prop::collection::vec((0usize..60, 1usize..4, 0u8..3), 0..10),
        ) {
            let bounds: Vec<usize> =
                text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
            let mut edits: Vec<Edit> = Vec::new();
            for (from, len, kind) in marks {
                let from = from.min(bounds.len() - 2);
                let to = (from + len).min(bounds.len() - 1);
                let replacement = match kind {
                    0 => Text::Nothing,
                    1 => Text::Char('é'),
                    _ => Text::Owned("日x".into()),
                };
                edits.push(Edit::new(bounds[from]..bounds[to], replacement));
            }
            edits.sort_by_key(|edit| edit.span);
            let mut free = 0;
            edits.retain(|edit| {
                let keep = edit.span.start >= free;
                if keep { free = edit.span.end; }
                keep
            });
            let mut seen = 0;
            for (window, edits) in windows(&text, &edits) {
                seen += edits.len();
                let view = View::new(&text, window, edits);
                let at: Vec<usize> =
                    view.text.char_indices().map(|(at, _)| at).chain([view.text.len()]).collect();
                let mut last = Span::new(0, 0);
                for pair in at.windows(2) {
                    let origin = view.origin(Span::new(pair[0], pair[1]));
                    prop_assert!(text.get(origin.range()).is_some() && !origin.is_empty());
                    prop_assert!(last.start <= origin.start && last.end <= origin.end);
                    last = origin;
                }
            }
            prop_assert_eq!(seen, edits.len());
        }
    }
}
