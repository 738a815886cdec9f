//! Runs of capitalised words: `Anna van der Berg`, `University of Bern`.
//!
//! One pass over the bytes that looks at nothing but words that begin with a capital, and at what
//! stands between two of them.

use super::{
    Names,
    lexicon::{Flags, Lexicon},
};
use crate::{
    Span,
    classes::{Classes, LANE, places},
};

/// How a word is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Case {
    /// One capital.
    Initial,
    /// `Anna`
    Title,
    /// `ANNA`
    Upper,
    /// `MacNeil`
    Mixed,
}

/// A word that begins with a capital.
#[derive(Clone, Copy, Debug)]
pub(super) struct Word {
    pub span: Span,
    pub case: Case,
    pub flags: Flags,
    /// What stands between the word before it in its run and this one.
    pub gap: Gap,
}

/// What may stand between two words of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gap {
    /// Nothing: the run begins.
    Start,
    Space,
    /// A hyphen or an apostrophe: one word in two parts.
    Link,
    /// Particles of a person's name: ` van der `.
    Particle,
    /// Words of an organization's name: ` of the `, ` & `.
    Connector,
    Comma,
}

/// Calls `judge` with each run of `text`.
pub(super) fn runs(text: &str, names: &Names, mut judge: impl FnMut(&[Word])) {
    let lexicon = &names.lexicon;
    let mut run: Vec<Word> = Vec::with_capacity(16);
    let mut at = 0;
    while let Some((span, case)) = next_capital(text, at) {
        let gap = match run.last() {
            None => Gap::Start,
            Some(before) => gap(text, before, span.start, lexicon).unwrap_or(Gap::Start),
        };
        if gap == Gap::Start && !run.is_empty() {
            judge(&run);
            run.clear();
        }
        let word = &text[span.range()];
        let flags = match case {
            Case::Initial => lexicon.get(word),
            _ => names.flags(word),
        };
        run.push(Word {
            span,
            case,
            flags,
            gap,
        });
        at = span.end;
    }
    if !run.is_empty() {
        judge(&run);
    }
}

/// The next word from `at` on that begins with a capital and is no part of an identifier.
pub(super) fn next_capital(text: &str, mut at: usize) -> Option<(Span, Case)> {
    let bytes = text.as_bytes();
    loop {
        let byte = *bytes.get(at)?;
        if byte < 0x80 && !byte.is_ascii_uppercase() {
            let next = next_upper(bytes, at)?;
            // What a capital stands inside of is no word of its own.
            let before = bytes[next - 1];
            at = match before < 0x80 && PART[usize::from(before)] {
                true => skip_word(text, next),
                false => next,
            };
            continue;
        }
        let first = match byte {
            0..0x80 => char::from(byte),
            _ => text[at..].chars().next()?,
        };
        if !first.is_uppercase() {
            at = match first.is_alphanumeric() {
                true => skip_word(text, at + first.len_utf8()),
                false => at + first.len_utf8(),
            };
            continue;
        }
        let end = at + letters(&text[at..]);
        let glued = bytes
            .get(end)
            .is_some_and(|&next| next == b'_' || next.is_ascii_digit());
        if glued {
            at = skip_word(text, end);
            continue;
        }
        return Some((Span::new(at, end), case(&text[at..end], first)));
    }
}

/// The next byte after `at` that is a capital or beyond ASCII.
fn next_upper(bytes: &[u8], at: usize) -> Option<usize> {
    let mut lane = at + 1;
    while lane < bytes.len() {
        let classes = Classes::at(bytes, lane);
        if let Some(place) = places(classes.upper | classes.high).next() {
            return Some(lane + place);
        }
        lane += LANE;
    }
    None
}

/// Where the letters and digits from `at` on end.
fn skip_word(text: &str, mut at: usize) -> usize {
    let bytes = text.as_bytes();
    loop {
        let rest = &bytes[at..];
        at += rest
            .iter()
            .position(|&byte| !PART[usize::from(byte)])
            .unwrap_or(rest.len());
        match bytes.get(at) {
            Some(0x80..) => match text[at..].chars().next() {
                Some(c) if c.is_alphanumeric() => at += c.len_utf8(),
                _ => return at,
            },
            _ => return at,
        }
    }
}

/// ASCII that words and identifiers are made of.
const PART: [bool; 256] = {
    let (mut table, mut byte) = ([false; 256], 0u8);
    while byte < 0x80 {
        table[byte as usize] = byte.is_ascii_alphanumeric() || byte == b'_';
        byte += 1;
    }
    table
};

/// Length of the letters at the start.
fn letters(text: &str) -> usize {
    let ascii = text.bytes().take_while(u8::is_ascii_alphabetic).count();
    match text.as_bytes().get(ascii) {
        Some(0x80..) => text
            .chars()
            .take_while(|c| c.is_alphabetic())
            .map(char::len_utf8)
            .sum(),
        _ => ascii,
    }
}

fn case(word: &str, first: char) -> Case {
    let mut rest = word[first.len_utf8()..]
        .chars()
        .filter(|c| c.is_alphabetic())
        .peekable();
    if rest.peek().is_none() {
        return Case::Initial;
    }
    let (mut upper, mut lower) = (false, false);
    for c in rest {
        match c.is_uppercase() {
            true => upper = true,
            false => lower = true,
        }
    }
    match (upper, lower) {
        (true, false) => Case::Upper,
        (true, true) => Case::Mixed,
        _ => Case::Title,
    }
}

/// What stands between a word and the one that begins at `start`; `None` if they do not belong
/// together.
fn gap(text: &str, before: &Word, start: usize, lexicon: &Lexicon) -> Option<Gap> {
    let between = &text[before.span.end..start];
    match between {
        " " | "  " | "\u{a0}" => return Some(Gap::Space),
        "-" | "'" | "’" | "‐" | "‑" => return Some(Gap::Link),
        "&" => return Some(Gap::Connector),
        ", " | "," => return Some(Gap::Comma),
        ". " | "." => {
            let short = before.case == Case::Initial || before.flags.any(Flags::TITLE);
            return short.then_some(Gap::Space);
        }
        ".-" => return (before.case == Case::Initial).then_some(Gap::Link),
        _ => {}
    }
    // `M. et Mme Lemoine`
    let titled = before.flags.any(Flags::TITLE);
    let between = match titled {
        true => between.strip_prefix('.').unwrap_or(between),
        false => between,
    };
    if between.len() > 24 || !between.starts_with([' ', '\u{a0}', ',']) {
        return None;
    }
    let mut gap = Gap::Particle;
    let mut words = 0;
    for part in between
        .split([' ', '\u{a0}'])
        .filter(|part| !part.is_empty())
    {
        words += 1;
        let flags = match part {
            "&" | "+" => Flags::CONNECTOR,
            "," if words == 1 => Flags::CONNECTOR,
            _ => lexicon.get(part.trim_end_matches(['\'', '’'])),
        };
        if flags.any(Flags::PARTICLE) {
        } else if flags.any(Flags::CONNECTOR) {
            gap = Gap::Connector;
        } else {
            return None;
        }
    }
    (1..=3).contains(&words).then_some(gap)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Vec<Vec<String>> {
        let mut all = Vec::new();
        runs(text, crate::names::tests::names(), |run| {
            let words = run
                .iter()
                .map(|word| format!("{:?} {}", word.gap, &text[word.span.range()]));
            all.push(words.collect());
        });
        all
    }

    #[test]
    fn runs_are_words_that_belong_together() {
        assert_eq!(
            all("by Dr. Éva van Berg-Ost, then J. S. Lund of Oslo. Later"),
            [
                vec!["Start Dr", "Space Éva", "Particle Berg", "Link Ost"],
                vec!["Start J", "Space S", "Space Lund", "Connector Oslo"],
                vec!["Start Later"],
            ]
        );
    }

    #[test]
    fn identifiers_are_no_words() {
        assert!(all("let X1 = MAX_LEN + fooBar; naïveKind A9").is_empty());
    }
}
