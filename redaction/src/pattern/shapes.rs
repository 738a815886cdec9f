//! One automaton over the shapes of all rules: which of them can match at a place.

use super::relax::{Shape, is_trigger};
use crate::ruleset::RuleSet;
use regex_automata::{
    Anchored, MatchKind,
    dfa::{Automaton, StartKind, dense},
    nfa::thompson,
    util::{primitives::StateID, start},
};
use std::collections::{HashMap, HashSet};

/// The automaton, as a table.
pub(super) struct Shapes {
    /// The class of each byte; the class after the last is the end of the text.
    classes: [u8; 256],
    /// The next state by state and class, both as an offset. 0 is dead; the states up to `accepts`
    /// are those in which shapes end.
    table: Vec<u32>,
    width: usize,
    start: u32,
    /// For each accepting state the rules whose shapes end before the byte just read: all of them,
    /// and those that may end inside a word of the text.
    accepts: Vec<(RuleSet, RuleSet)>,
    /// The most bytes before a shape's first trigger byte.
    lead: usize,
    /// The rules of which only a beginning of the shape is known.
    open: RuleSet,
}

/// The rules whose shapes begin at a place.
pub(super) struct Walk {
    /// Whose shape held digits only.
    pub bare: RuleSet,
    /// Whose shape held something else.
    pub formed: RuleSet,
    /// How far the longest of the shapes goes.
    pub end: usize,
}

impl Walk {
    pub fn new(rules: usize) -> Self {
        Self {
            bare: RuleSet::new(rules),
            formed: RuleSet::new(rules),
            end: 0,
        }
    }
}

impl Shapes {
    /// Takes the shapes of some rules, each with the rule's number and whether what it finds may
    /// end inside a word; and how many rules there are.
    pub fn new(shapes: &[(usize, Shape, bool)], rules: usize) -> Result<Self, String> {
        let hirs: Vec<_> = shapes.iter().map(|(_, shape, _)| &shape.hir).collect();
        let dfa = determinize(&hirs).map_err(|error| error.to_string())?;
        let map = dfa.byte_classes();
        let mut classes = [0; 256];
        for (byte, class) in classes.iter_mut().enumerate() {
            *class = map.get(byte as u8);
        }
        let width = map.alphabet_len();
        let units: Vec<_> = map.representatives(..).collect();
        let begin = dfa
            .start_state(&start::Config::new().anchored(Anchored::Yes))
            .map_err(|error| error.to_string())?;
        let next = |state: StateID| -> Vec<StateID> {
            let follow = |unit: &regex_automata::util::alphabet::Unit| match unit.as_u8() {
                Some(byte) => dfa.next_state(state, byte),
                None => dfa.next_eoi_state(state),
            };
            units.iter().map(follow).collect()
        };
        // States in the order in which they are met; then accepting ones are put first.
        let mut known = HashMap::from([(begin, 0usize)]);
        let mut rows = vec![(begin, next(begin))];
        let mut at = 0;
        while at < rows.len() {
            for target in rows[at].1.clone() {
                if !dfa.is_dead_state(target) && !known.contains_key(&target) {
                    known.insert(target, rows.len());
                    rows.push((target, next(target)));
                }
            }
            at += 1;
        }
        let mut order: Vec<usize> = (0..rows.len()).collect();
        order.sort_by_key(|&row| !dfa.is_match_state(rows[row].0));
        let mut offset = vec![0u32; rows.len()];
        for (place, &row) in order.iter().enumerate() {
            offset[row] = u32::try_from((place + 1) * width).map_err(|error| error.to_string())?;
        }
        let mut table = vec![0; width];
        let mut accepts = Vec::new();
        for &row in &order {
            let (state, targets) = &rows[row];
            table.extend(targets.iter().map(|target| match known.get(target) {
                Some(&row) => offset[row],
                None => 0,
            }));
            if dfa.is_match_state(*state) {
                let (mut all, mut inside) = (RuleSet::new(rules), RuleSet::new(rules));
                for index in 0..dfa.match_len(*state) {
                    let (rule, shape, inner) = &shapes[dfa.match_pattern(*state, index).as_usize()];
                    all.insert(*rule);
                    if *inner || !shape.closed {
                        inside.insert(*rule);
                    }
                }
                accepts.push((all, inside));
            }
        }
        let mut open = RuleSet::new(rules);
        for (rule, ..) in shapes.iter().filter(|(_, shape, _)| !shape.closed) {
            open.insert(*rule);
        }
        Ok(Self {
            open,
            classes,
            table,
            width,
            start: offset[0],
            accepts,
            lead: shapes
                .iter()
                .map(|(_, shape, _)| shape.lead)
                .max()
                .unwrap_or(0),
        })
    }

    /// Whether only a beginning of the rule's shape is known.
    pub fn is_open(&self, rule: usize) -> bool {
        self.open.contains(rule)
    }

    /// Calls `at(start)` for each place in `text` where a match may begin, in order.
    pub fn starts(&self, text: &str, mut at: impl FnMut(usize)) {
        let bytes = text.as_bytes();
        let mut from = 0;
        while let Some(trigger) = next_trigger(bytes, from) {
            from = trigger + 1;
            let inside = trigger > 0 && bytes[trigger - 1].is_ascii_alphanumeric();
            if trigger > 0 && !is_trigger(bytes[trigger - 1]) {
                // The match may begin before its first trigger byte.
                let floor = trigger.saturating_sub(self.lead);
                let mut first = trigger;
                while first > floor && !is_trigger(bytes[first - 1]) {
                    first -= 1;
                }
                let mut before = first
                    .checked_sub(1)
                    .is_some_and(|at| bytes[at].is_ascii_alphanumeric());
                for (start, &here) in bytes.iter().enumerate().take(trigger).skip(first) {
                    if !before && self.may_start(here) && text.is_char_boundary(start) {
                        at(start);
                    }
                    before = here.is_ascii_alphanumeric();
                }
            }
            if !inside {
                at(trigger);
            } else if bytes[trigger].is_ascii_alphanumeric() {
                // The rest of this word starts nothing.
                while bytes
                    .get(from)
                    .is_some_and(|b| b.is_ascii_alphanumeric() && is_trigger(*b))
                {
                    from += 1;
                }
            }
        }
    }

    fn may_start(&self, byte: u8) -> bool {
        self.table[self.start as usize + usize::from(self.classes[usize::from(byte)])] != 0
    }

    /// Finds the shapes that begin at `start`; false if there are none.
    pub fn walk(&self, bytes: &[u8], start: usize, walk: &mut Walk) -> bool {
        let last_accept = (self.accepts.len() * self.width) as u32;
        let (mut state, mut at, mut digits, mut any) = (self.start, start, true, false);
        loop {
            let byte = bytes.get(at).copied();
            let class = byte.map_or(self.width - 1, |b| {
                usize::from(self.classes[usize::from(b)])
            });
            state = self.table[state as usize + class];
            if state <= last_accept {
                if state == 0 {
                    return any;
                }
                // The shapes end before this byte.
                let (all, inside) = &self.accepts[state as usize / self.width - 1];
                let word = |byte: u8| byte.is_ascii_alphanumeric();
                let edge = !(byte.is_some_and(word) && word(bytes[at - 1]));
                let ending = if edge { all } else { inside };
                if !any {
                    walk.bare.clear();
                    walk.formed.clear();
                    any = true;
                }
                match digits {
                    true => walk.bare.unite(ending),
                    false => walk.formed.unite(ending),
                }
                walk.end = at;
            }
            match byte {
                Some(byte) => digits &= byte.is_ascii_digit(),
                None => return any,
            }
            at += 1;
        }
    }
}

/// How many states a shape has by itself; and how many of them texts without any particular word
/// reach. Those multiply the states of all other shapes, while words tell shapes apart.
pub(super) fn states(shape: &Shape) -> Result<(usize, usize), String> {
    let dfa = determinize(&[&shape.hir]).map_err(|error| error.to_string())?;
    let begin = dfa
        .start_state(&start::Config::new().anchored(Anchored::Yes))
        .map_err(|error| error.to_string())?;
    let mut known = HashSet::from([begin]);
    let mut open = vec![begin];
    while let Some(state) = open.pop() {
        for &byte in b"0 -./:,()+Qq\x80" {
            let next = dfa.next_state(state, byte);
            if known.insert(next) {
                open.push(next);
            }
        }
    }
    Ok(((dfa.memory_usage() / 4) >> dfa.stride2(), known.len()))
}

fn determinize<H: std::borrow::Borrow<regex_syntax::hir::Hir>>(
    shapes: &[H],
) -> Result<dense::DFA<Vec<u32>>, Box<dyn std::error::Error>> {
    let nfa = thompson::Compiler::new()
        .configure(thompson::Config::new().utf8(false))
        .build_many_from_hir(shapes)?;
    let config = dense::Config::new()
        .match_kind(MatchKind::All)
        .start_kind(StartKind::Anchored)
        .accelerate(false)
        .dfa_size_limit(Some(64 << 20))
        .determinize_size_limit(Some(256 << 20));
    Ok(dense::Builder::new()
        .configure(config)
        .build_from_nfa(&nfa)?)
}

/// The first trigger byte from `from` on.
fn next_trigger(bytes: &[u8], from: usize) -> Option<usize> {
    const LANES: usize = 16;
    let mut at = from;
    while let Some(chunk) = bytes.get(at..at + LANES) {
        let mut flags = [0; LANES];
        for (flag, &byte) in flags.iter_mut().zip(chunk) {
            *flag = u8::from(is_trigger(byte));
        }
        let flags = u128::from_le_bytes(flags);
        if flags != 0 {
            return Some(at + flags.trailing_zeros() as usize / 8);
        }
        at += LANES;
    }
    bytes[at..]
        .iter()
        .position(|&byte| is_trigger(byte))
        .map(|index| at + index)
}
