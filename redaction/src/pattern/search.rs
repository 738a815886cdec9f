//! One search of one text, by the three ways in which rules are found.

use super::{Homes, Patterns, literals::Place, nearby::Tape};
use crate::{
    Error, Finding,
    context::{BEFORE, ends_word, is_word, starts_word},
    ruleset::RuleSet,
};
use regex_automata::{Input, PatternSet};
use std::{ops::Range, time::Instant};

/// How much text the gate looks at at once, in bytes.
pub(super) const BLOCK: usize = 4096;
/// How many places are tried between two looks at the clock.
const PATIENCE: u32 = 256;

/// What searches write in, kept from one to the next.
pub(crate) struct Scratch {
    /// Which search this is: what is marked with another number is of an earlier one.
    search: u32,
    /// Where each rule's last finding ended: the next begins no earlier.
    resume: Vec<(u32, usize)>,
    /// Where each rule is to be searched for next; empty if nowhere.
    pending: Vec<Range<usize>>,
    sets: Sets,
}

/// The rules of which a shape stands at a place.
#[derive(Default)]
struct Sets {
    bare: RuleSet,
    formed: RuleSet,
    wanted: RuleSet,
}

impl Scratch {
    /// For searches with `patterns`.
    pub fn new(patterns: &Patterns) -> Self {
        let rules = patterns.rules.len();
        let set = || RuleSet::new(rules);
        Self {
            search: 0,
            resume: vec![(0, 0); rules],
            pending: vec![0..0; rules],
            sets: Sets {
                bare: set(),
                formed: set(),
                wanted: set(),
            },
        }
    }
}

pub(super) struct Search<'t> {
    patterns: &'t Patterns,
    text: &'t str,
    homes: &'t Homes,
    tape: Tape<'t>,
    scratch: &'t mut Scratch,
    deadline: Instant,
    /// Places tried since the last look at the clock.
    tried: u32,
    late: bool,
    out: &'t mut Vec<Finding>,
}

impl<'t> Search<'t> {
    pub fn new(
        patterns: &'t Patterns,
        text: &'t str,
        homes: &'t Homes,
        scratch: &'t mut Scratch,
        deadline: Instant,
        out: &'t mut Vec<Finding>,
    ) -> Self {
        scratch.search = scratch.search.wrapping_add(1);
        Self {
            patterns,
            text,
            homes,
            tape: Tape::new(&patterns.contexts, text),
            scratch,
            deadline,
            tried: 0,
            late: false,
            out,
        }
    }

    /// Rules that are known by their shape, tried wherever it stands.
    pub fn by_shape(&mut self) -> Result<(), Error> {
        let (shapes, text) = (&self.patterns.shapes, self.text);
        let mut walk = shapes.walk();
        let mut sets = std::mem::take(&mut self.scratch.sets);
        shapes.starts(text, |start| {
            if self.is_late() || !shapes.find(text.as_bytes(), start, &mut walk) {
                return;
            }
            // Most places end here: every rule whose shape stands there needs a word that does not.
            let near = self.tape.near(start, walk.end);
            let near = near.filter(|near| walk.meets(near));
            if self.homes.own && !walk.alone && near.is_none() {
                return;
            }
            sets.bare.clear();
            sets.formed.clear();
            sets.wanted.clear();
            walk.rules(&mut sets.bare, &mut sets.formed);
            sets.wanted.unite_common(&sets.formed, &self.homes.formed);
            sets.wanted.unite_common(&sets.bare, &self.homes.bare);
            if let Some(near) = near {
                sets.formed.unite(&sets.bare);
                sets.wanted.unite_common(&sets.formed, near);
            }
            for rule in sets.wanted.iter() {
                // Of a closed shape the end is known, and looking no further costs less.
                let end = match shapes.open().contains(rule) {
                    true => text.len(),
                    false => walk.end,
                };
                self.try_at(rule, start, end);
            }
        });
        self.scratch.sets = sets;
        self.in_time()
    }

    /// Rules that have a literal, tried or searched for wherever it stands.
    pub fn by_literal(&mut self) -> Result<(), Error> {
        let (patterns, text) = (self.patterns, self.text);
        let mut waiting = Vec::new();
        patterns.literals.find(text, |clue, at| {
            let (from, to) = match clue.place {
                Place::Here => return self.try_at(clue.rule, at, text.len()),
                Place::Near(most) => return self.try_before(clue.rule, at, most),
                Place::Before(most) => (at.saturating_sub(most), at + 1),
                Place::Around(before, stem) => {
                    let end = at + clue.literal.bytes.len();
                    if !starts_word(text, at) || !(stem || ends_word(text, end)) {
                        return;
                    }
                    (at.saturating_sub(before), end + BEFORE)
                }
            };
            let window = &mut self.scratch.pending[clue.rule];
            if Range::is_empty(window) {
                *window = from..to;
                waiting.push(clue.rule);
            } else if from <= window.end {
                window.start = window.start.min(from);
                window.end = window.end.max(to);
            } else {
                let last = std::mem::replace(window, from..to);
                self.search(clue.rule, last);
            }
        });
        for rule in waiting {
            let window = std::mem::replace(&mut self.scratch.pending[rule], 0..0);
            self.search(rule, window);
        }
        self.in_time()
    }

    /// The rest: searched for block by block where an automaton over all of them says so.
    pub fn by_gate(&mut self) -> Result<(), Error> {
        let (patterns, text) = (self.patterns, self.text);
        let Some(gate) = &patterns.gate else {
            return Ok(());
        };
        let mut matching = PatternSet::new(gate.rules.len());
        let mut start = 0;
        while start < text.len() {
            let end = block_end(text, start);
            let seen = text.ceil_char_boundary(end + gate.reach);
            matching.clear();
            gate.regex
                .which_overlapping_matches(&Input::new(text).span(start..seen), &mut matching);
            for id in matching.iter() {
                self.search(gate.rules[id.as_usize()], start..end);
            }
            self.in_time()?;
            start = end;
        }
        Ok(())
    }

    /// Whether the deadline has passed, by a look at the clock every so often.
    fn is_late(&mut self) -> bool {
        self.tried += 1;
        if self.tried >= PATIENCE {
            self.tried = 0;
            self.late |= Instant::now() >= self.deadline;
        }
        self.late
    }

    fn in_time(&self) -> Result<(), Error> {
        if self.late {
            return Err(Error::Deadline);
        }
        Ok(())
    }

    /// Where the rule's last finding ended.
    fn resume(&self, rule: usize) -> usize {
        match self.scratch.resume[rule] {
            (search, end) if search == self.scratch.search => end,
            _ => 0,
        }
    }

    /// Tries a rule at a place, for matches up to `end`.
    fn try_at(&mut self, number: usize, start: usize, end: usize) {
        if start < self.resume(number) || self.is_late() {
            return;
        }
        let rule = &self.patterns.rules[number];
        // A match that is the value itself would be refused inside of a word.
        let word = |at: usize| self.text.as_bytes()[at].is_ascii_alphanumeric();
        if rule.anchored && !rule.narrowed && start > 0 && word(start - 1) && word(start) {
            return;
        }
        if let Some(found) = rule.matches_at(self.text, start, end) {
            self.judge(number, found);
        }
    }

    /// Tries a rule where words begin, up to `most` bytes before `at`.
    fn try_before(&mut self, number: usize, at: usize, most: usize) {
        let bytes = self.text.as_bytes();
        for start in at.saturating_sub(most)..=at {
            let inside = start > 0 && bytes[start - 1].is_ascii_alphanumeric();
            if !inside && self.text.is_char_boundary(start) {
                self.try_at(number, start, self.text.len());
            }
        }
    }

    /// Judges matches of a rule that begin in `range`.
    fn search(&mut self, number: usize, range: Range<usize>) {
        let rule = &self.patterns.rules[number];
        let Some(ahead) = &rule.ahead else {
            return;
        };
        let range = self.text.floor_char_boundary(range.start)..range.end.min(self.text.len());
        let seen = self.text.ceil_char_boundary(range.end + rule.max_bytes);
        let mut at = range.start.max(self.resume(number));
        while at < range.end && !self.is_late() {
            let Some(found) = ahead.search(&Input::new(self.text).span(at..seen)) else {
                break;
            };
            // The underscore that may stand before a match is not part of it, unless the pattern
            // itself begins with it.
            let underscore = rule.anchored
                && self.text[found.range()].starts_with('_')
                && rule.matches_at(self.text, found.start(), seen) != Some(found.range());
            let start = found.start() + usize::from(underscore);
            if start >= range.end {
                break;
            }
            at = match self.judge(number, start..found.end()) {
                Some(end) => end.max(start + 1),
                None => next_start(self.text, start),
            };
            at = self.text.ceil_char_boundary(at);
        }
    }

    /// Reports a match if it counts; says where it ended.
    fn judge(&mut self, number: usize, found: Range<usize>) -> Option<usize> {
        let rule = &self.patterns.rules[number];
        let homes = &self.homes.jurisdictions;
        let verdict = rule.judge(number, self.text, found, &mut self.tape, homes)?;
        self.scratch.resume[number] = (self.scratch.search, verdict.value.end);
        self.out.push(rule.finding(&verdict));
        Some(verdict.value.end)
    }
}

/// Where to look on after a match at `start` was refused: past the word that it began in.
fn next_start(text: &str, start: usize) -> usize {
    let mut rest = text[start..].chars();
    let first = rest.next();
    let step = first.map_or(1, char::len_utf8);
    if first.is_some_and(is_word) {
        step + text[start + step..]
            .chars()
            .take_while(|&c| is_word(c))
            .map(char::len_utf8)
            .sum::<usize>()
            + start
    } else {
        start + step
    }
}

/// The end of the block at `start`: after white space, if there is any in its second half.
fn block_end(text: &str, start: usize) -> usize {
    let end = text.ceil_char_boundary(start + BLOCK);
    if end == text.len() {
        return end;
    }
    let half = text.floor_char_boundary(start + BLOCK / 2);
    let space = |wanted: u8| {
        text.as_bytes()[half..end]
            .iter()
            .rposition(|&byte| byte == wanted)
    };
    space(b'\n')
        .or_else(|| space(b' '))
        .map_or(end, |at| half + at + 1)
}
