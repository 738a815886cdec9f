//! Names in texts that use no capitals: chats, searches, notes.
//!
//! Without capitals only what the lists know counts, and nothing that is an ordinary word too.

use super::{Flags, Names, prose::prose};
use crate::{Entity, Span};

/// Capitals for each thousand letters, at most, of a text that uses none.
const CAPITALS_PER_MILLE: usize = 5;
/// Texts are judged by their beginning, in bytes.
const BEGINNING: usize = 1024;
/// Given name and surname.
const PAIR: f32 = 0.6;
/// A given name or a country.
const ALONE: f32 = 0.5;

/// Whether a text uses no capitals.
pub(super) fn applies(text: &str) -> bool {
    let beginning = &text.as_bytes()[..text.len().min(BEGINNING)];
    let capitals = beginning
        .iter()
        .filter(|byte| byte.is_ascii_uppercase())
        .count();
    let letters = beginning
        .iter()
        .filter(|byte| byte.is_ascii_lowercase())
        .count();
    letters > 0 && capitals * 1000 <= letters * CAPITALS_PER_MILLE
}

/// Reports the names of a text that uses no capitals.
pub(super) fn judge(names: &Names, text: &str, mut report: impl FnMut(Span, Entity, f32)) {
    let mut words = words(text).peekable();
    while let Some(span) = words.next() {
        let flags = names.lexicon.get(&text[span.range()]);
        let doubtful = Flags::COMMON | Flags::FORM | Flags::CALENDAR;
        if !flags.any(Flags::NAME | Flags::COUNTRY) || flags.any(doubtful) {
            continue;
        }
        if flags.any(Flags::GIVEN)
            && let Some(next) = words.peek()
            && text[span.end..next.start] == *" "
        {
            let after = names.flags(&text[next.range()]);
            let surname = after.any(Flags::SURNAME) && !after.any(Flags::COMMON | Flags::CALENDAR);
            let unknown = after == Flags::NONE && next.len() >= 4;
            let whole = Span::new(span.start, next.end);
            if (surname || unknown) && prose(text, whole) {
                report(whole, Entity::Person, PAIR);
                words.next();
                continue;
            }
        }
        // `claude-3` is no person, nor is `anna-key`.
        let hyphen = text[..span.start].ends_with('-') || text[span.end..].starts_with('-');
        if span.len() >= 4 && !hyphen && prose(text, span) {
            if flags.any(Flags::COUNTRY) {
                report(span, Entity::Location, ALONE);
            } else {
                report(span, Entity::Person, ALONE);
            }
        }
    }
}

/// The words of letters that touch no digit and no underscore.
fn words(text: &str) -> impl Iterator<Item = Span> {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            let start = at + text[at..].find(part)?;
            let end = text[start..]
                .find(|c: char| !part(c))
                .map_or(text.len(), |len| start + len);
            at = end;
            if text[start..end].chars().all(char::is_alphabetic) {
                return Some(Span::new(start, end));
            }
        }
    })
}
