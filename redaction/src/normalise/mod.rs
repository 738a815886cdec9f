//! Reads text as it is meant, for recognizers that know values as they are written.
//!
//! ```text
//!  text ──► edits ──► windows around them ──► views ──► the same recognizers ──► spans, mapped back
//!            │                                  │
//!            │ as meant   fold     look-alikes, other digits, invisible characters
//!            │            escape   %40  &#64;  \u0040  =40         (read again, up to three times)
//!            │            packed   base64, hexadecimal
//!            └ as spoken  spaced   4 1 1 1   spoken  anna at example dot org   broken  over lines
//! ```
//!
//! Nothing is ever read *instead* of the text: what views show joins what the text itself shows.
//! A text in which nothing has to be read otherwise costs one look at its bytes. All of it is
//! linear: every view is of a window of the text, decoders only shrink, and depth is bounded.

mod broken;
mod confusable;
mod escape;
mod fold;
mod packed;
mod spaced;
mod spoken;
mod view;

use crate::{
    Error, Finding,
    classes::{Classes, LANE, places},
};
use std::{ops::Range, path::Path};
use view::{Edit, View, windows};

/// How many layers of encoding are read.
const DEPTH: usize = 3;
/// How much text is looked at before what was found in it is read, in bytes.
const BLOCK: usize = 128 * 1024;
/// Findings so near to an edit may be due to it, in bytes: as far as context words count.
const DUE: usize = 96;

/// Appends what is found in a text; fails once the inspection is out of time.
pub(crate) type Find<'f> = dyn FnMut(&str, &mut Vec<Finding>) -> Result<(), Error> + 'f;

/// Reads texts in other ways than as they are written.
pub(crate) struct Normaliser {
    spoken: spoken::Spoken,
}

impl Normaliser {
    /// Reads the words of `directory`, which is `rules/normalise`.
    pub fn read(directory: &Path) -> Result<Self, Error> {
        Ok(Self {
            spoken: spoken::Spoken::read(&directory.join("spoken.toml"))?,
        })
    }

    /// Appends what `find` finds in other readings of `text`, in places of `text`.
    pub fn find(&self, text: &str, find: &mut Find, out: &mut Vec<Finding>) -> Result<(), Error> {
        self.read_layer(text, DEPTH, find, out)
    }

    fn read_layer(
        &self,
        text: &str,
        depth: usize,
        find: &mut Find,
        out: &mut Vec<Finding>,
    ) -> Result<(), Error> {
        let (mut start, mut free) = (0, 0);
        let mut edits = Vec::new();
        while start < text.len() {
            let end = block_end(text, start);
            if depth > 0 {
                edits.clear();
                as_meant(text, start.max(free)..end, &mut edits);
                free = edits.last().map_or(free, |last| last.span.end);
                self.read_windows(text, &edits, Some(depth - 1), find, out)?;
            }
            edits.clear();
            self.as_spoken(text, start..end, &mut edits);
            self.read_windows(text, &edits, None, find, out)?;
            start = end;
        }
        Ok(())
    }

    /// Reads the windows around edits with the edits made. What is near one counts, and `deeper`
    /// layers are read too; or, without any, what holds one.
    fn read_windows(
        &self,
        text: &str,
        edits: &[Edit],
        deeper: Option<usize>,
        find: &mut Find,
        out: &mut Vec<Finding>,
    ) -> Result<(), Error> {
        for (window, edits) in windows(text, edits) {
            let view = View::new(text, window, edits);
            let mut found = Vec::new();
            find(&view.text, &mut found)?;
            match deeper {
                Some(depth) => {
                    found.retain(|finding| view.is_near_edit(finding.span, DUE));
                    self.read_layer(&view.text, depth, find, &mut found)?;
                }
                None => found.retain(|finding| view.holds_edit(finding.span)),
            }
            out.extend(found.into_iter().map(|finding| Finding {
                span: view.origin(finding.span),
                ..finding
            }));
        }
        Ok(())
    }

    /// The edits, ordered and disjoint, of what is set apart, spelled out or broken.
    fn as_spoken(&self, text: &str, range: Range<usize>, out: &mut Vec<Edit>) {
        let mut add = |ways: &dyn Fn(&mut Vec<Edit>)| {
            let mut edits = Vec::new();
            ways(&mut edits);
            merge(out, edits);
        };
        add(&|edits| spaced::close_up(text, range.clone(), edits));
        add(&|edits| spaced::close_gaps(text, range.clone(), edits));
        add(&|edits| self.spoken.write_out(text, range.clone(), edits));
        add(&|edits| broken::join(text, range.clone(), edits));
    }
}

/// The edits, ordered and disjoint, of what is encoded or made of other characters.
fn as_meant(text: &str, range: Range<usize>, out: &mut Vec<Edit>) {
    let bytes = text.as_bytes();
    let mut at = range.start;
    // What is read at the end of the range may reach beyond it.
    while at < range.end
        && let Some(next) = next_unusual(bytes, at, range.end)
    {
        at = match bytes[next] {
            b'%' | b'&' | b'\\' | b'=' => escape::unescape(text, next, out).unwrap_or(next + 1),
            _ => fold::fold(text, next, out),
        };
    }
    let mut packed = Vec::new();
    packed::unpack(text, range, &mut packed);
    // What ends a line may be the last padding of a run rather than a soft line break.
    out.retain(|edit| {
        let padding = packed.partition_point(|run| run.span.end <= edit.span.start);
        !(bytes[edit.span.start] == b'='
            && packed
                .get(padding)
                .is_some_and(|run| run.span.end == edit.span.start + 1))
    });
    // A run that another edit touches is not whole yet: it is read in the next layer.
    packed.retain(|run: &Edit| {
        let next = out.partition_point(|edit| edit.span.end < run.span.start);
        out.get(next)
            .is_none_or(|edit| edit.span.start > run.span.end)
    });
    merge(out, packed);
}

/// Puts `more` among `edits`; those of `more` that overlap one of `edits` are dropped.
fn merge(edits: &mut Vec<Edit>, more: Vec<Edit>) {
    if more.is_empty() {
        return;
    }
    let before = std::mem::take(edits);
    let mut more = more.into_iter().peekable();
    for edit in before {
        while let Some(other) = more.next_if(|other| other.span.start < edit.span.end) {
            let free = edits.last().map_or(0, |last: &Edit| last.span.end);
            if other.span.end <= edit.span.start && other.span.start >= free {
                edits.push(other);
            }
        }
        edits.push(edit);
    }
    let free = edits.last().map_or(0, |last| last.span.end);
    edits.extend(more.filter(|other| other.span.start >= free));
}

/// Whether text may be written otherwise than it is meant at `at`: where a byte is not of plain
/// text, or begins an escape. `=` begins one only before a line end or two hexadecimal digits that
/// are not two decimal ones (but for `=40`, an `@`).
fn is_unusual(bytes: &[u8], at: usize) -> bool {
    let byte = |offset: usize| bytes.get(at + offset).copied().unwrap_or(0);
    let (two, three) = (byte(1), byte(2));
    match byte(0) {
        b'=' => {
            let letters = two.is_ascii_uppercase() | three.is_ascii_uppercase();
            letters || (two == b'4' && three == b'0') || two < b' '
        }
        b'%' | b'&' | b'\\' => true,
        one => !matches!(one, b' '..=b'~' | b'\n' | b'\t' | b'\r'),
    }
}

/// The first place from `at` up to `end` where text may be written otherwise than it is meant.
fn next_unusual(bytes: &[u8], at: usize, end: usize) -> Option<usize> {
    let mut lane = at;
    while lane < end {
        let mut from = lane;
        for place in places(Classes::at(bytes, lane).marked).map(|place| lane + place) {
            // Letters with marks and the like, most of what is not ASCII: U+00C0 to U+027F.
            if place < from {
                continue;
            }
            if matches!(bytes.get(place), Some(0xC3..=0xC9)) {
                from = place + 2;
            } else if place < end && is_unusual(bytes, place) {
                return Some(place);
            }
        }
        lane = from.max(lane + LANE);
    }
    None
}

/// The end of the block at `start`: after the last line end or blank in its second half.
fn block_end(text: &str, start: usize) -> usize {
    let end = text.floor_char_boundary(start + BLOCK);
    if end == text.len() {
        return end;
    }
    let half = start + BLOCK / 2;
    let bytes = &text.as_bytes()[half..end];
    let last = |wanted: u8| bytes.iter().rposition(|&byte| byte == wanted);
    last(b'\n')
        .or_else(|| last(b' '))
        .map_or(end, |at| half + at + 1)
}

#[cfg(test)]
mod tests;
