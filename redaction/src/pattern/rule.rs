//! One rule, compiled, and how it decides about a match.

use super::nearby::Tape;
use crate::{
    Entity, Explanation, Finding, Span, Steps,
    checks::Check,
    context::{Words, is_part_of_groups, is_word},
    finding::Jurisdiction,
    pack::{self, Rule},
};
use regex_automata::{Anchored, Input, PatternID, meta, util::captures::Captures};
use std::{ops::Range, sync::Arc};

pub(super) struct Compiled {
    pub name: Arc<str>,
    pub entity: Entity,
    /// The pattern as it stands, for places that are known.
    pub here: meta::Regex,
    /// The pattern made to begin where a word may, to search with; where it is needed.
    pub ahead: Option<meta::Regex>,
    /// Whether that was done to it, see [`Rule::anchored_pattern`].
    pub anchored: bool,
    /// Whether the pattern has a group named `value`.
    pub narrowed: bool,
    pub check: Option<Check>,
    pub check_name: Option<String>,
    pub score: f32,
    pub bare_score: f32,
    pub home_score: f32,
    pub context_score: f32,
    pub context_required: bool,
    pub min_score: f32,
    pub max_bytes: usize,
    pub jurisdiction: Option<Jurisdiction>,
    veto: Option<Words>,
    not_after: String,
    not_before: String,
    boundary: bool,
    alone: bool,
    min_entropy: f32,
    exclude: Vec<meta::Regex>,
}

/// Why a match counts.
pub(super) struct Verdict<'t> {
    /// Where the value is.
    pub value: Range<usize>,
    pub score: f32,
    /// The context word seen near it.
    pub context: Option<&'t str>,
    /// Whether the value is digits only.
    pub bare: bool,
    /// Whether the rule is at home.
    pub home: bool,
}

impl Compiled {
    /// Takes a sound rule and the least score that is reported; `search` says whether the rule is
    /// to be searched for, as opposed to tried at places.
    pub fn new(rule: Rule, min_score: f32, search: bool) -> Result<Self, String> {
        let narrowed = rule
            .regex
            .group_info()
            .to_index(PatternID::ZERO, "value")
            .is_some();
        let ahead = match search {
            true => Some(pack::compile(&rule.anchored_pattern())?),
            false => None,
        };
        Ok(Self {
            name: rule.name.into(),
            entity: rule.entity,
            here: rule.regex,
            ahead,
            anchored: rule.boundary,
            narrowed,
            check: rule.check,
            check_name: rule.check_name,
            score: rule.score,
            bare_score: rule.bare_score,
            home_score: rule.home_score,
            context_score: rule.context_score,
            context_required: rule.context_required,
            min_score,
            max_bytes: rule.max_bytes,
            jurisdiction: rule.jurisdiction,
            veto: Words::new(&rule.veto),
            not_after: rule.not_after,
            not_before: rule.not_before,
            boundary: rule.boundary,
            alone: rule.alone,
            min_entropy: rule.min_entropy,
            exclude: rule.exclude,
        })
    }

    /// Whether the deployment or the caller is where this rule's jurisdiction is.
    pub fn is_home(&self, homes: &[Jurisdiction]) -> bool {
        self.jurisdiction.is_some_and(|own| homes.contains(&own))
    }

    /// The score of a value that no context word stands near to.
    pub fn score_alone(&self, bare: bool, home: bool) -> f32 {
        let score = if bare { self.bare_score } else { self.score };
        match home {
            _ if self.context_required => 0.0,
            true => score.max(self.home_score),
            false => score,
        }
    }

    /// The match that begins at `start` and ends up to `end`, if there is one.
    pub fn matches_at(&self, text: &str, start: usize, end: usize) -> Option<Range<usize>> {
        let end = text.ceil_char_boundary(end.min(start + self.max_bytes));
        let input = Input::new(text).span(start..end).anchored(Anchored::Yes);
        self.here.search(&input).map(|found| found.range())
    }

    /// Decides about one match; `number` is the rule's own among those of the tape.
    pub fn judge<'t>(
        &self,
        number: usize,
        text: &str,
        found: Range<usize>,
        tape: &mut Tape<'t>,
        homes: &[Jurisdiction],
    ) -> Option<Verdict<'t>> {
        let mut value = if self.narrowed {
            self.value(text, found)?
        } else {
            found
        };
        if self.touched_before(text, value.start) {
            return None;
        }
        if let Some(check) = self.check {
            value.end = value.start + check(&text[value.clone()])?;
        }
        if self.touched_after(text, value.end) {
            return None;
        }
        let matched = &text[value.clone()];
        if self.min_entropy > 0.0 && entropy(matched) < self.min_entropy {
            return None;
        }
        let bare = matched.bytes().all(|byte| byte.is_ascii_digit());
        let home = self.is_home(homes);
        let context = tape.word(number, value.start, value.end);
        let score = match context {
            Some(_) => self.context_score,
            None if self.alone && is_part_of_groups(text, value.start, value.end) => return None,
            None => self.score_alone(bare, home),
        };
        let near = |words: &Words| words.near(text, value.start, value.end);
        if score < self.min_score
            || self.exclude.iter().any(|pattern| pattern.is_match(matched))
            || self.veto.as_ref().is_some_and(near)
        {
            return None;
        }
        Some(Verdict {
            value,
            score,
            context,
            bare,
            home,
        })
    }

    /// What is reported of a match that counts.
    pub fn finding(&self, verdict: &Verdict) -> Finding {
        Finding {
            span: Span::from(verdict.value.clone()),
            entity: self.entity,
            score: verdict.score,
            recognizer: Arc::clone(&self.name),
            jurisdiction: self.jurisdiction,
        }
    }

    /// Why a match counts, in words of the rule.
    pub fn explain(&self, verdict: &Verdict) -> Steps {
        Steps {
            recognizer: self.name.to_string(),
            entity: self.entity,
            jurisdiction: self.jurisdiction,
            check: self.check_name.clone(),
            context: verdict.context.map(str::to_owned),
            bare: verdict.bare,
            home: verdict.home,
            base_score: if verdict.bare {
                self.bare_score
            } else {
                self.score
            },
            score: verdict.score,
        }
    }

    /// What is known of a finding in text that was not read as it stands.
    pub fn explain_reading(&self) -> Explanation {
        Explanation::Reading {
            check: self.check_name.clone(),
            base_score: self.score,
        }
    }

    fn value(&self, text: &str, found: Range<usize>) -> Option<Range<usize>> {
        let mut captures: Captures = self.here.create_captures();
        let input = Input::new(text).span(found.clone()).anchored(Anchored::Yes);
        self.here.search_captures(&input, &mut captures);
        // Another alternative of the pattern than the one with the group: all of it counts.
        let value = captures
            .get_group_by_name("value")
            .map_or(found, |span| span.range());
        (!value.is_empty()).then_some(value)
    }

    fn touched_before(&self, text: &str, start: usize) -> bool {
        let Some(before) = text[..start].chars().next_back() else {
            return false;
        };
        self.not_after.contains(before)
            || (self.boundary
                && is_word(before)
                && text[start..].chars().next().is_some_and(is_word))
    }

    fn touched_after(&self, text: &str, end: usize) -> bool {
        let Some(after) = text[end..].chars().next() else {
            return false;
        };
        self.not_before.contains(after)
            || (self.boundary
                && is_word(after)
                && text[..end].chars().next_back().is_some_and(is_word))
    }
}

/// Shannon entropy of the bytes, in bits per byte.
fn entropy(text: &str) -> f32 {
    let mut counts = [0u32; 256];
    for byte in text.bytes() {
        counts[usize::from(byte)] += 1;
    }
    let total = text.len() as f32;
    counts
        .iter()
        .filter(|&&count| count > 0)
        .map(|&count| {
            let share = count as f32 / total;
            -share * share.log2()
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entropy_is_in_bits() {
        assert_eq!(entropy("aaaa"), 0.0);
        assert_eq!(entropy("abcd"), 2.0);
    }
}
