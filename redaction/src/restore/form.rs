//! The forms in which a placeholder is recognised in an answer.
//!
//! ```text
//! placeholder := open sp* ( label sep )? TAG sp* close      brackets of one kind
//!              | ( own-label sep )? TAG                     no brackets, whole words
//! ```
//!
//! `TAG` is a tag of the vault, in any case: the anchor. In brackets the label may be any word,
//! for models translate it; up to four words if they are joined as `_` joins them; words apart
//! only if they are a label of the vault. Without brackets the label must be the tag's own.
//! Markdown's backslash may stand before brackets and separators; the one before the opening
//! bracket belongs to the placeholder only if the closing bracket has one too (it is a path
//! separator in `C:\[PERSON_K7Q2MX]\`). Full-width characters count as their ASCII twins.
//!
//! Every function here decides only on what cannot change with further text, and otherwise asks
//! for [`Step::More`]; that is why any chunking of an answer restores alike.

use super::Escape;
use crate::placeholder::{LABEL_LEN_MAX, TAG_LEN_MAX};
use crate::vault::Vault;

/// Separators in a row between label and tag.
const SEPARATORS_MAX: usize = 3;
/// Spaces in a row inside the brackets.
const SPACES_MAX: usize = 2;
/// Words of a label that is not the vault's.
const WORDS_MAX: usize = 4;
/// The longest character in bytes: an escape `\u005b`.
const CHAR_LEN_MAX: usize = 6;

/// No form is longer than this, in bytes: brackets with backslashes, spaces, a label, separators
/// with backslashes after each of its words, the tag.
pub(super) const FORM_LEN_MAX: usize = CHAR_LEN_MAX
    * (4 + 2 * SPACES_MAX + LABEL_LEN_MAX + WORDS_MAX * 2 * SEPARATORS_MAX + TAG_LEN_MAX);

/// What stands at a place of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// No placeholder, whatever follows.
    No,
    /// It depends on what follows.
    More,
    /// A placeholder, up to `end`.
    Hit {
        /// Where the placeholder ends in the text.
        end: usize,
        /// The vault's entry.
        entry: usize,
    },
}

/// The next logical character.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    Char(char),
    /// The text ends here for good.
    End,
    /// The text may go on, or stops within an escape.
    More,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Skipped {
    Nothing,
    /// Spaces only.
    Spaces,
    Joiners,
}

/// Reads logical characters: JSON escapes decoded, full-width forms folded to ASCII.
#[derive(Clone, Copy)]
pub(super) struct Reader<'t> {
    pub(super) text: &'t str,
    pub(super) at: usize,
    pub(super) escape: Escape,
    /// Whether nothing follows `text`.
    pub(super) last: bool,
}

impl Reader<'_> {
    pub(super) fn next(&mut self) -> Next {
        let rest = &self.text[self.at..];
        match rest.chars().next() {
            None if self.last => Next::End,
            None => Next::More,
            Some('\\') if self.escape == Escape::Json => self.unescape(rest.as_bytes()),
            Some(c) => self.take(c.len_utf8(), c),
        }
    }

    fn take(&mut self, len: usize, c: char) -> Next {
        self.at += len;
        Next::Char(fold(c))
    }

    /// Decodes an escape; one that JSON does not know is a backslash by itself.
    fn unescape(&mut self, rest: &[u8]) -> Next {
        match rest.get(1) {
            None if !self.last => Next::More,
            Some(b'u') => {
                let hex = &rest[2..rest.len().min(6)];
                if !hex.iter().all(u8::is_ascii_hexdigit) || (hex.len() < 4 && self.last) {
                    self.take(1, '\\')
                } else if hex.len() < 4 {
                    Next::More
                } else {
                    let digit = |byte: &u8| char::from(*byte).to_digit(16).unwrap_or(0);
                    let code = hex.iter().fold(0, |code, byte| code << 4 | digit(byte));
                    self.take(
                        6,
                        char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER),
                    )
                }
            }
            Some(&byte @ (b'"' | b'\\' | b'/')) => self.take(2, char::from(byte)),
            Some(b'b' | b'f' | b'n' | b'r' | b't') => self.take(2, '\n'),
            _ => self.take(1, '\\'),
        }
    }

    fn peek(mut self) -> Next {
        self.next()
    }

    /// Skips up to `max` characters of a kind, each with or without a backslash before it; says
    /// what it met, or nothing if the text stops before that is clear.
    fn skip(&mut self, max: usize, kind: fn(char) -> bool) -> Option<Skipped> {
        let mut skipped = Skipped::Nothing;
        for _ in 0..max {
            let mut ahead = *self;
            let mut next = ahead.next();
            if next == Next::Char('\\') {
                next = ahead.next();
            }
            match next {
                Next::Char(c) if kind(c) => {
                    let spaces = is_space(c) && skipped != Skipped::Joiners;
                    skipped = if spaces {
                        Skipped::Spaces
                    } else {
                        Skipped::Joiners
                    };
                    *self = ahead;
                }
                Next::More => return None,
                _ => break,
            }
        }
        Some(skipped)
    }
}

/// Continues with the inner value of a step that is decided.
macro_rules! decided {
    ($next:expr) => {
        match $next {
            Next::Char(c) => c,
            Next::End => return Step::No,
            Next::More => return Step::More,
        }
    };
}

/// Whether a form can start with this character, which is not ASCII.
pub(super) fn may_start(c: char) -> bool {
    fold(c).is_ascii() || closing(c).is_some()
}

/// What stands where the reader is. `in_word`: whether a word goes on across this place.
pub(super) fn at(vault: &Vault, reader: Reader<'_>, in_word: bool) -> Step {
    match decided!(reader.peek()) {
        '\\' => bracketed(vault, reader),
        c if closing(c).is_some() => bracketed(vault, reader),
        c if c.is_ascii_alphabetic() && !in_word => bare(vault, reader),
        _ => Step::No,
    }
}

fn bracketed(vault: &Vault, mut reader: Reader<'_>) -> Step {
    let mut open = decided!(reader.next());
    let escaped = open == '\\';
    if escaped {
        open = decided!(reader.next());
    }
    let Some(close) = closing(open) else {
        return Step::No;
    };
    if reader.skip(SPACES_MAX, is_space).is_none() {
        return Step::More;
    }
    let entry = match labelled_tag(vault, &mut reader) {
        Step::Hit { end, entry } => {
            reader.at = end;
            entry
        }
        other => return other,
    };
    if reader.skip(SPACES_MAX, is_space).is_none() {
        return Step::More;
    }
    let mut c = decided!(reader.next());
    if c == '\\' {
        c = decided!(reader.next());
    } else if escaped {
        return Step::No;
    }
    if c == close {
        Step::Hit {
            end: reader.at,
            entry,
        }
    } else {
        Step::No
    }
}

/// Inside brackets: the words of a label, then the tag.
fn labelled_tag(vault: &Vault, reader: &mut Reader<'_>) -> Step {
    let mut label = String::new();
    let mut letters = 0;
    let mut separator = Skipped::Nothing;
    let mut apart = false;
    for words in 0..=WORDS_MAX {
        match tag(vault, *reader, false) {
            Step::No if words == WORDS_MAX => return Step::No,
            Step::No => {}
            Step::Hit { .. } if apart && !vault.labels().contains(&label) => return Step::No,
            decided => return decided,
        }
        if words > 0 {
            apart |= separator == Skipped::Spaces;
            label.push('_');
        }
        if apart && !vault.labels().iter().any(|known| known.starts_with(&label)) {
            return Step::No;
        }
        let mut latin = None;
        loop {
            let mut ahead = *reader;
            let c = decided!(ahead.next());
            // A script without spaces goes over into the tag: that ends the word as well.
            if !is_label_char(c) || latin == Some(false) && is_word(c) {
                break;
            }
            letters += 1;
            if letters > LABEL_LEN_MAX {
                return Step::No;
            }
            latin = Some(is_word(c));
            label.extend(c.to_uppercase());
            *reader = ahead;
        }
        separator = match reader.skip(SEPARATORS_MAX, is_separator) {
            None => return Step::More,
            Some(Skipped::Nothing) if latin != Some(false) => return Step::No,
            Some(_) if latin.is_none() => return Step::No,
            Some(separator) => separator,
        };
    }
    Step::No
}

/// Without brackets: the tag, or its own label and the tag.
fn bare(vault: &Vault, reader: Reader<'_>) -> Step {
    match tag(vault, reader, true) {
        Step::No => {}
        decided => return decided,
    }
    let labels = vault.labels().iter().enumerate();
    let mut steps = labels.map(|(index, label)| own_label_and_tag(vault, reader, index, label));
    steps.find(|&step| step != Step::No).unwrap_or(Step::No)
}

fn own_label_and_tag(vault: &Vault, mut reader: Reader<'_>, index: usize, label: &str) -> Step {
    for expected in label.chars().chain(['_']) {
        if expected == '_' {
            match reader.skip(1, is_joiner) {
                None => return Step::More,
                Some(Skipped::Nothing) => return Step::No,
                Some(_) => {}
            }
        } else if decided!(reader.next()).to_ascii_uppercase() != expected {
            return Step::No;
        }
    }
    match tag(vault, reader, true) {
        Step::Hit { entry, .. } if vault.label(entry) != index => Step::No,
        step => step,
    }
}

/// A tag of the vault, and nothing else of a word behind it but, if `plural`, an `s`, which is
/// not part of the hit.
fn tag(vault: &Vault, mut reader: Reader<'_>, plural: bool) -> Step {
    let mut run = [0; TAG_LEN_MAX];
    let mut len = 0;
    loop {
        let found = || text(&run[..len]).and_then(|tag| vault.find(tag));
        let end = reader.at;
        match reader.next() {
            Next::More => return Step::More,
            Next::Char('s') if plural => {
                let Some(entry) = found() else {
                    return Step::No;
                };
                return match reader.next() {
                    Next::Char(c) if is_word(c) => Step::No,
                    Next::More => Step::More,
                    _ => Step::Hit { end, entry },
                };
            }
            Next::Char(c) if is_word(c) => {
                if !c.is_ascii() || len == TAG_LEN_MAX {
                    return Step::No;
                }
                run[len] = c.to_ascii_uppercase() as u8;
                len += 1;
                // The second character of a tag is a digit: this settles almost every word.
                if len == 2 && !c.is_ascii_digit() {
                    return Step::No;
                }
                if !text(&run[..len]).is_some_and(|run| vault.has_tag_with_prefix(run)) {
                    return Step::No;
                }
            }
            _ => return found().map_or(Step::No, |entry| Step::Hit { end, entry }),
        }
    }
}

fn text(ascii: &[u8]) -> Option<&str> {
    std::str::from_utf8(ascii).ok()
}

/// A full-width form as its ASCII twin, anything else as it is.
pub(crate) fn fold(c: char) -> char {
    match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(c as u32 - 0xfee0).unwrap_or(c),
        _ => c,
    }
}

/// Whether a tag beside this character would be part of a longer word: ASCII letters and digits
/// and the other Latin letters. Not those of other scripts: they stand beside a name without a
/// space (Japanese particles) or inflect it (Russian endings), and are in no tag.
pub(crate) fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric()
        || matches!(c, '\u{c0}'..='\u{24f}' | '\u{1e00}'..='\u{1eff}') && c.is_alphabetic()
}

/// Letters of any script, and the marks of those that write with marks.
fn is_label_char(c: char) -> bool {
    c.is_alphabetic()
        || matches!(c, '\u{300}'..='\u{36f}' | '\u{900}'..='\u{eff}' | '\u{200c}' | '\u{200d}')
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\u{a0}' | '\u{2009}' | '\u{202f}' | '\u{3000}')
}

/// What stands in the place of `_`.
fn is_joiner(c: char) -> bool {
    is_space(c) || matches!(c, '_' | '-' | '\u{2010}'..='\u{2014}')
}

fn is_separator(c: char) -> bool {
    is_joiner(c) || matches!(c, ':' | '#')
}

/// The bracket that closes this one.
fn closing(open: char) -> Option<char> {
    Some(match open {
        '[' => ']',
        '<' => '>',
        '{' => '}',
        '(' => ')',
        '\u{3008}' => '\u{3009}', // angle
        '\u{300a}' => '\u{300b}', // double angle
        '\u{300c}' => '\u{300d}', // corner
        '\u{300e}' => '\u{300f}', // white corner
        '\u{3010}' => '\u{3011}', // lenticular
        '\u{3014}' => '\u{3015}', // tortoise shell
        '\u{27e6}' => '\u{27e7}', // white square
        '\u{27e8}' => '\u{27e9}', // mathematical angle
        '\u{201c}' => '\u{201d}', // double quotes
        '\u{ab}' => '\u{bb}',     // guillemets
        '\u{2039}' => '\u{203a}', // single guillemets
        _ => return None,
    })
}
