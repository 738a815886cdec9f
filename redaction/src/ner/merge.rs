//! From labelled words to findings: parts of a name to a person, parts of an address to an
//! address, each widened to whole words.

use super::{decode::Label, rules::NerRules};
use crate::{
    Entity, Finding, Span,
    context::is_word,
    names::{Flags, Names, prose},
};
use std::sync::Arc;

/// A labelled word in its segment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Placed {
    pub span: Span,
    pub label: Label,
    pub begins: bool,
    pub score: f32,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Family {
    Person,
    Place,
    Identifier(Label),
}

/// Words that hang together.
struct Group {
    family: Family,
    span: Span,
    labels: Vec<&'static str>,
    score_sum: f32,
    words: usize,
}

/// The labels with a part in this, as names that outlive the model.
const NAMES: [&str; 8] = [
    "GIVEN_NAME",
    "SURNAME",
    "BUILDING_NUMBER",
    "STREET_NAME",
    "SECONDARY_ADDRESS",
    "CITY",
    "STATE",
    "ZIP_CODE",
];

/// Makes findings of the words of one segment. `rules_found` are what rules found in it: an
/// identifier that the model proposes is dropped where they have spoken.
pub(super) fn merge(
    text: &str,
    mut words: Vec<Placed>,
    rules_found: &[Finding],
    labels: &[String],
    rules: &NerRules,
    names: &Names,
    recognizer: &Arc<str>,
) -> Vec<Finding> {
    words.retain(|word| believed(text, word, labels, rules, names));
    words.sort_by(|a, b| {
        (a.span, a.label)
            .cmp(&(b.span, b.label))
            .then(b.score.total_cmp(&a.score))
    });
    let mut groups: Vec<Group> = Vec::new();
    for word in words {
        let name = &labels[usize::from(word.label)];
        let part = NAMES.iter().copied().find(|known| *known == name);
        let family = match part {
            Some("GIVEN_NAME" | "SURNAME") => Family::Person,
            Some(_) => Family::Place,
            None => Family::Identifier(word.label),
        };
        if let Some(group) = groups.last_mut()
            && group.family == family
            && joins(text, group, &word, part, rules)
        {
            if word.span.start >= group.span.end {
                group.score_sum += word.score;
                group.words += 1;
            }
            group.span = group.span.union(word.span);
            group.labels.extend(part);
            continue;
        }
        groups.push(Group {
            family,
            span: word.span,
            labels: part.into_iter().collect(),
            score_sum: word.score,
            words: 1,
        });
    }
    groups
        .into_iter()
        .filter_map(|group| settle(text, group, rules_found, labels, rules, names))
        .map(|(span, entity, score)| Finding {
            span,
            entity,
            score,
            recognizer: Arc::clone(recognizer),
            jurisdiction: None,
        })
        .collect()
}

/// Whether the model is sure enough of a word, given what the word lists say of it.
fn believed(text: &str, word: &Placed, labels: &[String], rules: &NerRules, names: &Names) -> bool {
    let label = &labels[usize::from(word.label)];
    let Some(rule) = rules.label(label) else {
        return false;
    };
    if word.score >= rule.threshold {
        return true;
    }
    let name = &text[word.span.range()];
    let flags = names.flags(name);
    let listed = match rule.entity {
        Entity::Person => flags.any(Flags::NAME) && !flags.any(Flags::COMMON | Flags::CALENDAR),
        _ => flags.any(Flags::PLACE) && !flags.any(Flags::COMMON),
    };
    let unknown = !flags.any(Flags::LISTED)
        && name.starts_with(char::is_uppercase)
        && name.contains(char::is_lowercase);
    word.score >= rule.listed_threshold && (listed || unknown)
}

/// Whether a word goes on with the group before it.
fn joins(text: &str, group: &Group, word: &Placed, part: Option<&str>, rules: &NerRules) -> bool {
    if word.span.start < group.span.end {
        return true;
    }
    let gap = &text[group.span.end..word.span.start];
    match group.family {
        Family::Person => {
            let next_person = word.begins
                && part == Some("GIVEN_NAME")
                && group.labels.last() == Some(&"SURNAME")
                && (group.labels.contains(&"GIVEN_NAME") || !gap.contains(','));
            let comma_ok = group.labels.iter().all(|label| *label == "SURNAME")
                && part == Some("GIVEN_NAME")
                && gap.trim() == ",";
            !next_person && (name_gap(gap, rules) || comma_ok)
        }
        Family::Place => {
            gap.len() <= 6
                && gap.matches('\n').count() <= 1
                && gap
                    .chars()
                    .all(|c| c.is_whitespace() || ",.;-–/#\"º°ª".contains(c))
        }
        Family::Identifier(_) => {
            !word.begins && gap.len() <= 3 && gap.chars().all(|c| !c.is_alphanumeric() && c != '\n')
        }
    }
}

/// Whether a gap may stand inside a name: space, hyphens, initials, particles.
fn name_gap(gap: &str, rules: &NerRules) -> bool {
    if gap.len() > 24 || gap.contains("\n\n\n") {
        return false;
    }
    let plain = |c: char| c.is_whitespace() || matches!(c, '.' | '-' | '\'' | '’' | '‐' | '‑');
    if gap.chars().all(plain) {
        return true;
    }
    !gap.contains('\n')
        && gap.chars().all(|c| plain(c) || c.is_alphabetic())
        && gap
            .split(|c: char| !c.is_alphabetic())
            .filter(|part| !part.is_empty())
            .all(|part| {
                let initial = part.chars().count() == 1 && part.chars().all(char::is_uppercase);
                initial || rules.particles.contains(&part.to_lowercase())
            })
}

/// What a group amounts to, if to anything.
fn settle(
    text: &str,
    group: Group,
    rules_found: &[Finding],
    labels: &[String],
    rules: &NerRules,
    names: &Names,
) -> Option<(Span, Entity, f32)> {
    let score = group.score_sum / group.words as f32;
    let has = |label: &str| group.labels.contains(&label);
    match group.family {
        Family::Person => {
            let span = widen(text, group.span);
            let name = &text[span.range()];
            let letters = name.chars().filter(|c| c.is_alphabetic()).count();
            let common = rules.common.contains(&name.to_lowercase());
            // A model that reads no capitals takes many a word of code for a name.
            let lower = name.chars().all(|c| c.is_lowercase() || !c.is_alphabetic());
            let shouted = name.chars().all(|c| c.is_uppercase() || !c.is_alphabetic());
            let listed = || {
                name.split(|c: char| !c.is_alphabetic())
                    .any(|word| names.is_name(word))
            };
            let ordinary = || {
                name.split(|c: char| !c.is_alphabetic())
                    .any(|word| names.is_ordinary(word))
            };
            let cued = || {
                rules
                    .cues
                    .as_ref()
                    .is_some_and(|cues| cues.near(text, span.start, span.end))
            };
            let plain = match (lower, shouted) {
                (true, _) => prose(text, span) && (listed() || (cued() && !ordinary())),
                (_, true) => listed() || (prose(text, span) && !ordinary()),
                _ => true,
            };
            let person = letters >= 2 && !common && !in_code(text, span) && plain;
            person.then_some((span, Entity::Person, score))
        }
        Family::Place => {
            let span = widen(text, group.span);
            let town = has("CITY") || has("STATE");
            let place = &text[span.range()];
            let context = || {
                let words = rules
                    .label("ZIP_CODE")
                    .and_then(|rule| rule.context.as_ref());
                words.is_some_and(|words| words.near(text, span.start, span.end))
            };
            let postcode = has("ZIP_CODE") && digits(place) >= 4 && (town || context());
            let door = has("STREET_NAME") || has("SECONDARY_ADDRESS") || postcode;
            let common = rules.common.contains(&place.to_lowercase());
            let code = is_code(place);
            // As for names: lower case needs a cue, or a word that is a place.
            let plain = !place.contains(char::is_uppercase)
                && place.contains(char::is_lowercase)
                && !place.split(|c: char| !c.is_alphabetic()).any(|word| {
                    let flags = names.flags(word);
                    flags.any(Flags::PLACE) && !flags.any(Flags::COMMON)
                });
            let cued = || {
                rules
                    .cues
                    .as_ref()
                    .is_some_and(|cues| cues.near(text, span.start, span.end))
            };
            if common || code || in_code(text, span) || (plain && !cued()) {
                None
            } else if door {
                Some((span, Entity::Address, score))
            } else {
                town.then_some((span, Entity::Location, score))
            }
        }
        Family::Identifier(label) => {
            let rule = rules.label(&labels[usize::from(label)])?;
            let span = group.span;
            let shaped = rule
                .shape
                .as_ref()
                .is_none_or(|shape| shape.is_match(&text[span.range()]));
            let context = rule
                .context
                .as_ref()
                .is_none_or(|words| words.near(text, span.start, span.end));
            let spoken = rules_found
                .iter()
                .any(|finding| finding.span.overlaps(span));
            (shaped && context && !spoken).then_some((span, rule.entity, score))
        }
    }
}

fn digits(text: &str) -> usize {
    text.bytes().filter(u8::is_ascii_digit).count()
}

/// Widens a span to whole words, and over hyphens and apostrophes to capitalised parts of a
/// double name, so that no character of a name stays visible.
fn widen(text: &str, span: Span) -> Span {
    let (mut start, mut end) = (span.start, span.end);
    loop {
        start -= text[..start]
            .chars()
            .rev()
            .take_while(|&c| is_word(c))
            .map(char::len_utf8)
            .sum::<usize>();
        end += text[end..]
            .chars()
            .take_while(|&c| is_word(c))
            .map(char::len_utf8)
            .sum::<usize>();
        let mut after = text[end..].chars();
        if let (Some(link), Some(next)) = (after.next(), after.next())
            && is_link(link)
            && next.is_uppercase()
        {
            end += link.len_utf8();
            continue;
        }
        let mut before = text[..start].chars().rev();
        if let (Some(link), Some(previous)) = (before.next(), before.next())
            && is_link(link)
            && previous.is_alphabetic()
            && text[start..].starts_with(char::is_uppercase)
            && word_before(text, start - link.len_utf8()).starts_with(char::is_uppercase)
        {
            start -= link.len_utf8();
            continue;
        }
        return Span::new(start, end);
    }
}

fn word_before(text: &str, end: usize) -> &str {
    let len: usize = text[..end]
        .chars()
        .rev()
        .take_while(|&c| is_word(c))
        .map(char::len_utf8)
        .sum();
    &text[end - len..end]
}

fn is_link(c: char) -> bool {
    matches!(c, '-' | '\'' | '’' | '‐' | '‑')
}

/// Whether what the model takes for an address is an article code: `PART-144-015`. A postcode may
/// have up to two letters before it: `D-10115`.
fn is_code(text: &str) -> bool {
    let spaced = text.contains(char::is_whitespace);
    let lower = text.chars().any(|c| c.is_alphabetic() && !c.is_uppercase());
    let digit = text.bytes().any(|byte| byte.is_ascii_digit());
    let letters = text.chars().filter(|c| c.is_alphabetic()).count();
    !lower && !spaced && letters > 2 && (digit || text.contains('-'))
}

/// Whether the span is part of an identifier or a path of program code.
fn in_code(text: &str, span: Span) -> bool {
    let before = &text[..span.start];
    let after = &text[span.end..];
    before.ends_with(['_', '$', '\\'])
        || before.ends_with("::")
        || before.ends_with("->")
        || before.ends_with("#[")
        || (before.ends_with('.')
            && before.len() >= 2
            && !before.ends_with(" .")
            && is_word(
                before[..before.len() - 1]
                    .chars()
                    .next_back()
                    .unwrap_or(' '),
            )
            && !text[span.range()].contains(' ')
            && text[span.range()].starts_with(char::is_lowercase))
        || after.starts_with(['_', '('])
        || after.starts_with("::")
        || after.starts_with("->")
        || after.starts_with("[]")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str, words: &[(&str, &str)]) -> Vec<(String, &'static str)> {
        let rules = crate::ner::tests::rules();
        let labels: Vec<String> = NAMES.iter().map(ToString::to_string).collect();
        let mut at = 0;
        let placed = words
            .iter()
            .map(|(word, label)| {
                let start = at + text[at..].find(word).unwrap();
                at = start + word.len();
                let label = NAMES.iter().position(|name| name == label).unwrap();
                Placed {
                    span: Span::new(start, at),
                    label: label as Label,
                    begins: true,
                    score: 0.9,
                }
            })
            .collect();
        let names = crate::names::tests::names();
        merge(
            text,
            placed,
            &[],
            &labels,
            &rules,
            names,
            &"ner/test".into(),
        )
        .into_iter()
        .map(|finding| {
            (
                text[finding.span.range()].to_owned(),
                finding.entity.as_str(),
            )
        })
        .collect()
    }

    #[test]
    fn given_and_surname_are_one_person() {
        let name = [("Anna", "GIVEN_NAME"), ("Berg", "SURNAME")];
        assert_eq!(
            found("by Anna Berg.", &name),
            [("Anna Berg".into(), "PERSON")]
        );
        assert_eq!(
            found("by Anna van der Berg", &name),
            [("Anna van der Berg".into(), "PERSON")]
        );
        assert_eq!(
            found("by Anna K. Berg", &name),
            [("Anna K. Berg".into(), "PERSON")]
        );
        assert_eq!(
            found(
                "Anna Berg, Otto Lund",
                &[
                    name[0],
                    name[1],
                    ("Otto", "GIVEN_NAME"),
                    ("Lund", "SURNAME")
                ]
            ),
            [
                ("Anna Berg".into(), "PERSON"),
                ("Otto Lund".into(), "PERSON")
            ]
        );
        assert_eq!(
            found("Berg, Anna", &[("Berg", "SURNAME"), ("Anna", "GIVEN_NAME")]),
            [("Berg, Anna".into(), "PERSON")]
        );
    }

    #[test]
    fn a_name_is_widened_to_whole_words() {
        assert_eq!(
            found("Jean-Pierre's", &[("ean", "GIVEN_NAME")]),
            [("Jean-Pierre".into(), "PERSON")]
        );
        assert_eq!(
            found("O'Neil", &[("eil", "SURNAME")]),
            [("O'Neil".into(), "PERSON")]
        );
        assert_eq!(
            found("a Berlin-based", &[("Berlin", "CITY")]),
            [("Berlin".into(), "LOCATION")]
        );
    }

    #[test]
    fn an_address_has_a_door() {
        assert_eq!(
            found(
                "at 12 Main Street, Springfield 12345 now",
                &[
                    ("12", "BUILDING_NUMBER"),
                    ("Main", "STREET_NAME"),
                    ("Street", "STREET_NAME"),
                    ("Springfield", "CITY"),
                    ("12345", "ZIP_CODE")
                ],
            ),
            [("12 Main Street, Springfield 12345".into(), "ADDRESS")]
        );
        assert!(found("take 12 of them", &[("12", "BUILDING_NUMBER")]).is_empty());
    }
}
