//! Literals of which every match of a pattern holds one.

use regex_syntax::hir::{Class, Hir, HirKind};

/// More literals than this say too little.
const LITERALS_MAX: usize = 400;
/// Classes of more characters than this are no set of literals.
const CHARACTERS_MAX: usize = 64;
/// Classes of more ASCII letters than this are not spelled out.
const CHOICES_MAX: usize = 12;
/// Literals are compared up to this many bytes when parts of a pattern compete.
const LONG_ENOUGH: usize = 4;

/// What a match holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Required {
    pub literals: Vec<Literal>,
    /// The most bytes of a match before the literal; `None` if there is no bound.
    pub before: Option<usize>,
}

/// One literal; in lower case if its letters match in either.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Literal {
    pub bytes: Vec<u8>,
    pub any_case: bool,
}

impl Literal {
    /// Whether the literal stands at the beginning of `rest`.
    pub fn begins(&self, rest: &[u8]) -> bool {
        rest.get(..self.bytes.len())
            .is_some_and(|start| match self.any_case {
                true => start.eq_ignore_ascii_case(&self.bytes),
                false => start == self.bytes,
            })
    }
}

/// The best set of literals that matches of `pattern` must hold one of, if there is one that is
/// rare enough in text to be looked for.
pub(super) fn required(pattern: &Hir) -> Option<Required> {
    best(pattern)
}

/// Whether a literal is rare in running text: three letters, two of which one is no small letter,
/// or what separates the parts of an address.
fn is_rare(literal: &Literal) -> bool {
    let small = |byte: &u8| byte.is_ascii_lowercase() || *byte == b' ';
    match literal.bytes.len() {
        0 => false,
        1 => literal.bytes == b"@",
        2 => !literal.bytes.iter().all(small),
        _ => true,
    }
}

fn best(hir: &Hir) -> Option<Required> {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => None,
        HirKind::Literal(_) => best_of_run(&[hir], Some(0)),
        HirKind::Class(class) => characters(class).or_else(|| best_of_run(&[hir], Some(0))),
        HirKind::Capture(capture) => best(&capture.sub),
        HirKind::Repetition(repetition) if repetition.min > 0 => best(&repetition.sub),
        HirKind::Repetition(_) => None,
        HirKind::Alternation(branches) => {
            let mut all = Required {
                literals: Vec::new(),
                before: Some(0),
            };
            for branch in branches {
                let branch = best(branch)?;
                all.literals.extend(branch.literals);
                all.before = longest(all.before, branch.before);
            }
            all.literals.sort();
            all.literals.dedup();
            (all.literals.len() <= LITERALS_MAX).then_some(all)
        }
        HirKind::Concat(_) => {
            let mut parts = Vec::new();
            flatten(hir, &mut parts);
            let mut found: Option<Required> = None;
            let mut before = Some(0);
            let mut at = 0;
            while at < parts.len() {
                let run = parts[at..]
                    .iter()
                    .take_while(|part| letters(part).is_some());
                let run = run.count();
                let spelled = spelled(&parts[at..], before);
                let candidate = match run {
                    0 => spelled.or_else(|| {
                        let inner = best(parts[at])?;
                        let before = sum(before, inner.before);
                        Some(Required { before, ..inner })
                    }),
                    _ => spelled.or_else(|| best_of_run(&parts[at..at + run], before)),
                };
                if candidate.as_ref().map(quality) > found.as_ref().map(quality) {
                    found = candidate;
                }
                for part in &parts[at..at + run.max(1)] {
                    before = sum(before, part.properties().maximum_len());
                }
                at += run.max(1);
            }
            found
        }
    }
}

/// The longer, the better; then the fewer.
fn quality(required: &Required) -> (usize, std::cmp::Reverse<usize>) {
    let shortest = required
        .literals
        .iter()
        .map(|literal| literal.bytes.len())
        .min();
    (
        shortest.unwrap_or(0).min(LONG_ENOUGH),
        std::cmp::Reverse(required.literals.len()),
    )
}

/// Concatenations within concatenations and groups, as one.
fn flatten<'h>(hir: &'h Hir, parts: &mut Vec<&'h Hir>) {
    match hir.kind() {
        HirKind::Concat(all) => all.iter().for_each(|part| flatten(part, parts)),
        HirKind::Capture(capture) => flatten(&capture.sub, parts),
        _ => parts.push(hir),
    }
}

/// A run of parts that are letters each.
fn best_of_run(parts: &[&Hir], before: Option<usize>) -> Option<Required> {
    let (mut bytes, mut any_case) = (Vec::new(), false);
    for part in parts {
        let (more, either) = letters(part)?;
        bytes.extend(more);
        any_case |= either;
    }
    if any_case {
        bytes.make_ascii_lowercase();
    }
    let literals = vec![Literal { bytes, any_case }];
    literals
        .iter()
        .all(is_rare)
        .then_some(Required { literals, before })
}

/// What these parts begin with, where they begin with letters or with a choice of them:
/// `[Pp](?:an|ani)`.
fn spelled(parts: &[&Hir], before: Option<usize>) -> Option<Required> {
    let mut literals = Vec::new();
    spell(parts, &[], false, &mut literals)?;
    literals.sort();
    literals.dedup();
    Some(Required { literals, before })
}

/// Adds all beginnings of `parts` behind `bytes`; `None` if one of them says too little.
fn spell(parts: &[&Hir], bytes: &[u8], any_case: bool, all: &mut Vec<Literal>) -> Option<()> {
    if all.len() > LITERALS_MAX {
        return None;
    }
    let (next, rest) = match parts.split_first() {
        Some((next, rest)) if bytes.len() < LONG_ENOUGH => (*next, rest),
        _ => return finish(bytes, any_case, all),
    };
    let with = |more: &[u8]| [bytes, more].concat();
    if let Some((more, either)) = letters(next) {
        return spell(rest, &with(&more), any_case | either, all);
    }
    match next.kind() {
        HirKind::Alternation(branches) => {
            for branch in branches {
                let mut parts = Vec::new();
                flatten(branch, &mut parts);
                parts.extend(rest);
                spell(&parts, bytes, any_case, all)?;
            }
            Some(())
        }
        HirKind::Class(Class::Unicode(class)) => {
            let chars = class.iter().flat_map(|range| range.start()..=range.end());
            let letters: Vec<char> = chars.take(CHOICES_MAX + 1).collect();
            if letters.len() > CHOICES_MAX || !letters.iter().all(|c| c.is_alphabetic()) {
                return finish(bytes, any_case, all);
            }
            letters.into_iter().try_for_each(|letter| {
                spell(rest, &with(letter.to_string().as_bytes()), any_case, all)
            })
        }
        _ => finish(bytes, any_case, all),
    }
}

fn finish(bytes: &[u8], any_case: bool, all: &mut Vec<Literal>) -> Option<()> {
    let mut bytes = bytes.to_vec();
    if any_case {
        bytes.make_ascii_lowercase();
    }
    let literal = Literal { bytes, any_case };
    let rare = is_rare(&literal);
    all.push(literal);
    rare.then_some(())
}

/// A class of a few characters beyond ASCII, as literals.
fn characters(class: &Class) -> Option<Required> {
    let Class::Unicode(class) = class else {
        return None;
    };
    let all: Vec<char> = class
        .iter()
        .flat_map(|range| range.start()..=range.end())
        .take(CHARACTERS_MAX + 1)
        .collect();
    let few = all.len() <= CHARACTERS_MAX && !all.iter().any(char::is_ascii);
    let literal = |c: char| Literal {
        bytes: c.to_string().into_bytes(),
        any_case: false,
    };
    few.then(|| Required {
        literals: all.into_iter().map(literal).collect(),
        before: Some(0),
    })
}

/// The bytes of a literal, or of a class that is one ASCII character, in either case or not.
fn letters(hir: &Hir) -> Option<(Vec<u8>, bool)> {
    match hir.kind() {
        HirKind::Literal(literal) => Some((literal.0.to_vec(), false)),
        HirKind::Class(Class::Unicode(class)) => {
            let chars: Vec<char> = class
                .iter()
                .flat_map(|r| r.start()..=r.end())
                .take(3)
                .collect();
            match chars[..] {
                [one] => Some((vec![one as u8], false)),
                [upper, lower] if upper.to_ascii_lowercase() == lower => {
                    Some((vec![lower as u8], true))
                }
                _ => None,
            }
        }
        _ => None,
    }
}

fn sum(one: Option<usize>, other: Option<usize>) -> Option<usize> {
    Some(one? + other?)
}

fn longest(one: Option<usize>, other: Option<usize>) -> Option<usize> {
    Some(one?.max(other?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use regex_automata::{meta::Regex, util::syntax};

    fn of(pattern: &str) -> Option<(Vec<String>, Option<usize>)> {
        let found = required(&syntax::parse(pattern).unwrap())?;
        let words = found.literals.into_iter();
        let words = words.map(|l| String::from_utf8(l.bytes).unwrap()).collect();
        Some((words, found.before))
    }

    #[test]
    fn the_longest_literal_that_must_be_there() {
        let some =
            |words: &[&str], before| Some((words.iter().map(|w| w.to_string()).collect(), before));
        assert_eq!(of(r"[a-z]+@[a-z]{2,9}"), some(&["@"], None));
        assert_eq!(
            of(r"\p{Lu}[a-z]{2,3}(?:straße|weg) \d"),
            some(&["straße", "weg "], Some(7))
        );
        assert_eq!(of(r"(?i)a(?:bc|de)x"), some(&["abcx", "adex"], Some(0)));
        assert_eq!(
            of(r"(?i)(?:maj|mai|may|märz) \d"),
            some(&["mai ", "maj ", "may ", "mÄr", "mär"], Some(0))
        );
        assert_eq!(of(r"[Pp](?:an|ani)? Xy"), some(&[" Xy"], Some(4)));
        assert_eq!(
            of(r"(?:[Pp]an|[Pp]ani) \p{Lu}"),
            some(&["pan ", "pani"], Some(0))
        );
        assert_eq!(of(r"(?:Mr|Dr)\.? [A-Z]+"), some(&["Dr", "Mr"], Some(0)));
        assert_eq!(of(r"[京津][A-Z]\d+"), some(&["京", "津"], Some(0)));
        assert_eq!(of(r"a|bc"), None);
        assert_eq!(of(r"(?:abc)?\d"), None);
        assert_eq!(of(r"ab\d"), None);
        assert_eq!(of(r"aB\d"), some(&["aB"], Some(0)));
    }

    proptest! {
        #[test]
        fn every_match_holds_one_within_reach(
            pattern in prop::collection::vec(
                prop::sample::select(vec![
                    "abc", "(?i:abc)", "c?", "[ab]", "(?:ab|ba)c", "[aA](?:bc|ca)", "(?:Cc|abb){1,2}", "(?:bc)*", "(b)", ".",
                ]),
                1..5,
            ),
            text in "[abcAC]{0,16}",
        ) {
            let pattern = pattern.concat();
            let Some(found) = required(&syntax::parse(&pattern).unwrap()) else { return Ok(()) };
            if let Some(one) = Regex::new(&pattern).unwrap().find(text.as_bytes()) {
                let near = (one.start()..one.end()).any(|at| {
                    at - one.start() <= found.before.unwrap_or(usize::MAX)
                        && found.literals.iter().any(|l| l.begins(&text.as_bytes()[at..one.end()]))
                });
                prop_assert!(near, "{pattern} {text} {found:?}");
            }
        }
    }
}
