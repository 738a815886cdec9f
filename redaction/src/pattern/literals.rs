//! Where the literals of rules stand in a text: one pass of one automaton over all of them.

use super::required::Literal;
use aho_corasick::{AhoCorasick, AhoCorasickKind, BuildError};
use std::collections::BTreeMap;

/// Literals in either case are looked for by so many first bytes, in all their cases.
const CASED: usize = 4;

/// All literals of all rules.
pub(super) struct Literals {
    automaton: Option<AhoCorasick>,
    /// For each pattern of the automaton, what may stand where it is found.
    clues: Vec<Vec<Clue>>,
}

/// A literal of a rule.
pub(super) struct Clue {
    pub literal: Literal,
    pub rule: usize,
    pub place: Place,
}

/// Where the matches of the rule are.
#[derive(Clone, Copy)]
pub(super) enum Place {
    /// They begin with the literal.
    Here,
    /// They begin where a word does, at most so many bytes before it.
    Near(usize),
    /// They begin at most so many bytes before it.
    Before(usize),
    /// They begin near it, at most so many bytes before: it is a context word, or the stem of one.
    Around(usize, bool),
}

impl Literals {
    pub fn new(clues: Vec<Clue>) -> Result<Self, BuildError> {
        let mut patterns = BTreeMap::<Vec<u8>, Vec<Clue>>::new();
        for clue in clues {
            for spelling in spellings(&clue.literal) {
                patterns.entry(spelling).or_default().push(Clue {
                    literal: clue.literal.clone(),
                    ..clue
                });
            }
        }
        if patterns.is_empty() {
            return Ok(Self {
                automaton: None,
                clues: Vec::new(),
            });
        }
        let automaton = AhoCorasick::builder()
            .kind(Some(AhoCorasickKind::DFA))
            .build(patterns.keys())?;
        Ok(Self {
            automaton: Some(automaton),
            clues: patterns.into_values().collect(),
        })
    }

    /// Calls `hit` with each clue of the text and where it stands.
    pub fn find(&self, text: &str, mut hit: impl FnMut(&Clue, usize)) {
        let Some(automaton) = &self.automaton else {
            return;
        };
        for found in automaton.find_overlapping_iter(text) {
            let rest = &text.as_bytes()[found.start()..];
            for clue in &self.clues[found.pattern().as_usize()] {
                if clue.literal.begins(rest) {
                    hit(clue, found.start());
                }
            }
        }
    }
}

/// How the beginning of a literal may be spelled.
fn spellings(literal: &Literal) -> Vec<Vec<u8>> {
    if !literal.any_case {
        return vec![literal.bytes.clone()];
    }
    let mut spellings = vec![Vec::new()];
    for byte in literal.bytes.iter().take(CASED) {
        let (lower, upper) = (byte.to_ascii_lowercase(), byte.to_ascii_uppercase());
        let with = |byte: u8| {
            move |spelling: &Vec<u8>| {
                let mut spelling = spelling.clone();
                spelling.push(byte);
                spelling
            }
        };
        let mut longer: Vec<_> = spellings.iter().map(with(lower)).collect();
        if upper != lower {
            longer.extend(spellings.iter().map(with(upper)));
        }
        spellings = longer;
    }
    spellings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_are_found_in_the_cases_that_count() {
        let clue = |rule, bytes: &str, any_case| Clue {
            literal: Literal {
                bytes: bytes.into(),
                any_case,
            },
            rule,
            place: Place::Here,
        };
        let literals = Literals::new(vec![
            clue(0, "bearer ", true),
            clue(1, "AC", false),
            clue(2, "ac", true),
            clue(3, "contraseña", true),
        ])
        .unwrap();
        let mut hits = Vec::new();
        literals.find("BeaRer x AC ac CONTRASEñA bear", |clue, at| {
            hits.push((clue.rule, at))
        });
        assert_eq!(hits, [(0, 0), (1, 9), (2, 9), (2, 12), (3, 15)]);
    }
}
