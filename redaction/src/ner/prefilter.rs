//! Which pieces of text can hold a name or an address at all.
//!
//! The model costs a thousand times what rules cost, so it reads only what may concern it. A
//! piece is read if it has
//! - a word of two letters or more that begins with a capital and is neither one of the common
//!   words that sentences, logs and code capitalise, nor in the lists of ordinary words, nor put
//!   together of such (`OrderController`); or
//! - a letter of a script without capitals; or
//! - a cue after which names and addresses also come in lower case (`my name is`, `street`).
//!
//! A word that touches a digit or an underscore is an identifier, not a name. A name in lower
//! case without any cue is left to the word lists (`names`); so is one that is also ordinary.

use super::rules::NerRules;
use crate::names::Names;

/// Whether the model should read `text`.
pub(super) fn may_hold_name(text: &str, rules: &NerRules, names: &Names) -> bool {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let byte = bytes[at];
        if byte.is_ascii() && !byte.is_ascii_uppercase() {
            at += 1;
            continue;
        }
        let Some(first) = text[at..].chars().next() else {
            break;
        };
        if first.is_alphabetic()
            && !first.is_lowercase()
            && !first.is_uppercase()
            && first > '\u{ff}'
        {
            return true;
        }
        let end = at + word_len(&text[at..]);
        if first.is_uppercase() && !glued(text, at, end) && named(&text[at..end], rules, names) {
            return true;
        }
        at = end.max(at + first.len_utf8());
    }
    rules
        .cues
        .as_ref()
        .is_some_and(|cues| cues.occurs(text, 0, text.len()))
}

fn named(word: &str, rules: &NerRules, names: &Names) -> bool {
    let known = |word: &str| {
        let lower: String = word.chars().flat_map(char::to_lowercase).collect();
        rules.common.contains(&lower) || names.is_ordinary(&lower)
    };
    word.chars().nth(1).is_some()
        && !known(word)
        && !humps(word).is_some_and(|mut parts| parts.all(known))
}

/// The parts of a word that is written as code writes them, `OrderController`; `None` if it is not.
fn humps(word: &str) -> Option<impl Iterator<Item = &str>> {
    let bytes = word.as_bytes();
    let cut = |at: usize| bytes[at - 1].is_ascii_lowercase() && bytes[at].is_ascii_uppercase();
    (word.is_ascii() && (1..bytes.len()).any(cut)).then(|| {
        let mut from = 0;
        let ends = (1..=bytes.len()).filter(move |&at| at == bytes.len() || cut(at));
        ends.map(move |end| &word[std::mem::replace(&mut from, end)..end])
    })
}

/// Length of the run of letters at the start.
fn word_len(text: &str) -> usize {
    text.chars()
        .take_while(|c| c.is_alphabetic())
        .map(char::len_utf8)
        .sum()
}

/// Whether a letter, digit or underscore touches the word: it is part of an identifier.
fn glued(text: &str, start: usize, end: usize) -> bool {
    let part = |c: char| c == '_' || c.is_ascii_digit() || c.is_alphabetic();
    text[..start].chars().next_back().is_some_and(part)
        || text[end..].chars().next().is_some_and(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_may_hold_a_name() {
        let rules = crate::ner::tests::rules();
        let names = crate::names::tests::names();
        let may_hold_name = |text: &str, rules: &NerRules| may_hold_name(text, rules, names);
        for yes in [
            "Please call Anna.",
            "ask MÜLLER about it",
            "Łukasz",
            "我叫王伟",
            "my name is john smith",
            "customer:\"Berta\"",
            "she lives at 12 main street",
            "ask AnnaMueller",
            "call McGregor",
        ] {
            assert!(may_hold_name(yes, &rules), "{yes}");
        }
        for no in [
            "",
            "the total is 12.50",
            "INFO request completed status=200",
            "2024-01-01T00:00:00Z,17,ok",
            "let user_Total1 = A1;",
            "at OrderController.cancelOrder",
            "Please summarise the following text.",
        ] {
            assert!(!may_hold_name(no, &rules), "{no}");
        }
    }
}
