//! Names again, in short: who was `Anna Berg` above is `Berg` below, and the `Holm Maritime Board
//! (HMB)` is the `HMB`.

use super::{Flags, Names, prose::prose, run::next_capital};
use crate::{Entity, Finding, Span};
use std::{collections::HashMap, sync::Arc};

/// Persons found with less are not sure enough to look for their parts.
const SURE: f32 = 0.6;
/// What a repetition is worth.
const SCORE: f32 = 0.5;
/// Letters of an acronym, at most.
const ACRONYM: usize = 6;

/// Adds to `findings` of `text` the parts of names that stand alone elsewhere in it.
pub(super) fn repeat(names: &Names, text: &str, findings: &mut Vec<Finding>) {
    let mut parts: HashMap<&str, Entity> = HashMap::new();
    for finding in findings.iter().filter(|finding| finding.score >= SURE) {
        let name = &text[finding.span.range()];
        match finding.entity {
            Entity::Person => {
                let words = || name.split(|c: char| !c.is_alphabetic());
                let title = |word: &&str| {
                    let mut letters = word.chars();
                    letters.next().is_some_and(char::is_uppercase)
                        && letters.clone().count() >= 2
                        && letters.all(char::is_lowercase)
                        && !names
                            .lexicon
                            .get(word)
                            .any(Flags::TITLE | Flags::DETERMINER | Flags::GREETING)
                };
                if words()
                    .filter(|word| word.starts_with(char::is_uppercase))
                    .count()
                    >= 2
                {
                    parts.extend(words().filter(title).map(|word| (word, Entity::Person)));
                }
            }
            Entity::Org => {
                if let Some(acronym) = acronym(&text[finding.span.end..]) {
                    parts.insert(acronym, Entity::Org);
                }
            }
            _ => {}
        }
    }
    if parts.is_empty() {
        return;
    }
    let mut at = 0;
    while let Some((span, _)) = next_capital(text, at) {
        at = span.end;
        let word = &text[span.range()];
        let Some(&entity) = parts.get(word) else {
            continue;
        };
        let ordinary = names.lexicon.get(word).any(Flags::COMMON | Flags::CALENDAR);
        if (!ordinary || amid_sentence(text, span)) && prose(text, span) {
            findings.push(Finding {
                span,
                entity,
                score: SCORE,
                recognizer: Arc::clone(&names.recognizers[3]),
                jurisdiction: None,
            });
        }
    }
}

/// The acronym in parentheses or quotation marks at the start.
fn acronym(text: &str) -> Option<&str> {
    let inner = text.trim_start().strip_prefix(['(', '"', '“', '«'])?;
    let inner = inner.trim_start_matches([' ', '"', '“', '«']);
    let len = inner.bytes().take_while(u8::is_ascii_uppercase).count();
    let closed = inner[len..].trim_start().starts_with([')', '"', '”', '»']);
    ((2..=ACRONYM).contains(&len) && closed).then_some(&inner[..len])
}

/// Whether a word in lower case stands right before.
fn amid_sentence(text: &str, span: Span) -> bool {
    text[..span.start]
        .strip_suffix(' ')
        .is_some_and(|before| before.ends_with(|c: char| c.is_lowercase()))
}
