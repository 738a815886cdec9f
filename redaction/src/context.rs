//! Words near a match that make it likelier, or forbid it.

use aho_corasick::{AhoCorasick, MatchKind};

/// How far before a match context words count, in bytes.
pub(crate) const BEFORE: usize = 64;
/// How far after a match context words count, in bytes.
pub(crate) const AFTER: usize = 24;

/// A set of words, matched whole, in lower, upper and title case. A word that ends in `*` is a
/// stem: any ending may follow.
pub(crate) struct Words {
    automaton: AhoCorasick,
    stem: Vec<bool>,
}

impl Words {
    /// `None` for no words.
    pub fn new<S: AsRef<str>>(words: &[S]) -> Option<Self> {
        let mut spellings = Vec::new();
        let mut stem = Vec::new();
        for word in words
            .iter()
            .map(AsRef::as_ref)
            .filter(|word| !word.is_empty())
        {
            let bare = word.trim_end_matches('*');
            for spelling in spellings_of(bare) {
                spellings.push(spelling);
                stem.push(bare.len() < word.len());
            }
        }
        let automaton = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .match_kind(MatchKind::Standard)
            .build(&spellings)
            .ok()?;
        (!spellings.is_empty()).then_some(Self { automaton, stem })
    }

    /// Whether one of the words stands in `text[start..end]`.
    pub fn occurs(&self, text: &str, start: usize, end: usize) -> bool {
        self.automaton
            .find_overlapping_iter(&text[start..end])
            .any(|found| {
                let (from, to) = (start + found.start(), start + found.end());
                starts_word(text, from)
                    && (self.stem[found.pattern().as_usize()] || ends_word(text, to))
            })
    }

    /// Whether one of the words stands near `text[start..end]`, or in it.
    pub fn near(&self, text: &str, start: usize, end: usize) -> bool {
        self.occurs(
            text,
            floor(text, start.saturating_sub(BEFORE)),
            ceil(text, end + AFTER),
        )
    }
}

/// The word as given and, where ASCII case folding does not reach, in upper and title case.
pub(crate) fn spellings_of(word: &str) -> Vec<String> {
    let mut spellings = vec![word.to_owned()];
    if !word.is_ascii() {
        let mut letters = word.chars();
        let first = letters.next().into_iter().flat_map(char::to_uppercase);
        for other in [word.to_uppercase(), first.chain(letters).collect()] {
            if !spellings.contains(&other) {
                spellings.push(other);
            }
        }
    }
    spellings
}

/// Whether `c` belongs to a word. Scripts written without spaces have no word edges to respect.
pub(crate) fn is_word(c: char) -> bool {
    c.is_alphanumeric() && (c as u32) < 0x2E80 && !('\u{0E00}'..='\u{0FFF}').contains(&c)
}

/// The largest character boundary up to `at`.
pub(crate) fn floor(text: &str, at: usize) -> usize {
    text.floor_char_boundary(at)
}

/// The smallest character boundary from `at` on.
pub(crate) fn ceil(text: &str, at: usize) -> usize {
    text.ceil_char_boundary(at)
}

/// Whether a word may start at `at`: nothing of a word before it, or a hump as in `userPhone`.
pub(crate) fn starts_word(text: &str, at: usize) -> bool {
    let before = text[..at].chars().next_back();
    let here = text[at..].chars().next();
    match (before, here) {
        (Some(before), Some(here)) if is_word(before) && is_word(here) => {
            (before.is_lowercase() && here.is_uppercase())
                || before.is_alphabetic() != here.is_alphabetic()
        }
        _ => true,
    }
}

/// Whether no word runs on across `at`, not even one of letters and digits.
pub(crate) fn is_edge(text: &str, at: usize) -> bool {
    let part = |c: char| is_word(c) || c == '_';
    !(text[..at].chars().next_back().is_some_and(part)
        && text[at..].chars().next().is_some_and(part))
}

/// Whether `text[start..end]`, groups of digits with separators between them, goes on before its
/// start or after its end, with the same separator or a space, so that it is only a part of a
/// longer number.
pub(crate) fn is_part_of_groups(text: &str, start: usize, end: usize) -> bool {
    const SEPARATORS: [char; 5] = [' ', '\u{a0}', '.', '-', '/'];
    fn goes_on(mut away: impl Iterator<Item = char>, value: &str) -> bool {
        let separates = |c: char| c == ' ' || (SEPARATORS.contains(&c) && value.contains(c));
        away.next().is_some_and(separates) && away.next().is_some_and(|c| c.is_ascii_digit())
    }
    let value = &text[start..end];
    value.contains(SEPARATORS)
        && (goes_on(text[..start].chars().rev(), value) || goes_on(text[end..].chars(), value))
}

/// Whether a word may end at `at`.
pub(crate) fn ends_word(text: &str, at: usize) -> bool {
    starts_word(text, at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_whole_and_caseless() {
        let words = Words::new(&["phone", "téléphone", "telefon*", "numer"]).unwrap();
        for yes in [
            "Phone: 1",
            "TÉLÉPHONE 1",
            "Telefonnummer 1",
            "user_phone=1",
            "userPhone=1",
            "phone1",
        ] {
            assert!(words.near(yes, yes.len() - 1, yes.len()), "{yes}");
        }
        for no in ["megaphone 1", "phones 1", "numeric 1", "1"] {
            assert!(!words.near(no, no.len() - 1, no.len()), "{no}");
        }
    }

    #[test]
    fn groups_go_on_with_the_same_separator() {
        for (text, value, part) in [
            ("1 76 02 66 327", "76 02 66", true),
            ("76 02 66 327", "76 02 66", true),
            ("715-538-211 06", "715-538-211", true),
            ("12.76-02-66", "76-02-66", false),
            ("on 76 02 66, then", "76 02 66", false),
            ("12 7602 66", "7602", false),
        ] {
            let start = text.find(value).unwrap();
            let found = is_part_of_groups(text, start, start + value.len());
            assert_eq!(found, part, "{text}");
        }
    }

    #[test]
    fn far_words_do_not_count() {
        let words = Words::new(&["phone"]).unwrap();
        let text = format!("phone{}1", " ".repeat(BEFORE));
        assert!(!words.near(&text, text.len() - 1, text.len()));
    }
}
