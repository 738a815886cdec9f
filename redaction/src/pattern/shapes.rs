//! One automaton over the shapes of all rules: which of them can match at a place.

use super::{
    automaton::{Automaton, Full, State, Table},
    relax::{Shape, is_trigger},
};
use crate::{
    classes::{Classes, LANE, places},
    ruleset::RuleSet,
};
use std::sync::Arc;

/// The shapes of all rules that have one.
pub(super) struct Shapes {
    automaton: Automaton<Ends>,
    /// The bytes that some shape begins with.
    first: [bool; 256],
    /// The most bytes before a shape's first trigger byte.
    lead: usize,
    /// The rules of which only a beginning of the shape is known.
    open: RuleSet,
}

/// The rules whose shapes end in a state, whose marks say whether one of them can count without
/// context: if the shape is not digits only, and if it is.
struct Ends {
    all: RuleSet,
    /// Those that may end inside a word of the text.
    inside: RuleSet,
}

/// The shapes that begin at a place.
pub(super) struct Walk {
    table: Arc<Table<Ends>>,
    /// Where shapes end: the state, whether a word of the text ends there too, and whether the
    /// shape held digits only.
    ends: Vec<(State, bool, bool)>,
    /// How far the longest of the shapes goes.
    pub end: usize,
    /// Whether one of the rules can count without context where the deployment is.
    pub alone: bool,
}

impl Walk {
    /// Adds the rules whose shapes held digits only to `bare`, the others to `formed`.
    pub fn rules(&self, bare: &mut RuleSet, formed: &mut RuleSet) {
        for (ending, digits) in self.endings() {
            match digits {
                true => bare.unite(ending),
                false => formed.unite(ending),
            }
        }
    }

    /// Whether one of the rules is in `rules`.
    pub fn meets(&self, rules: &RuleSet) -> bool {
        self.endings().any(|(ending, _)| ending.meets(rules))
    }

    /// The rules whose shapes end in each place, and whether those held digits only.
    fn endings(&self) -> impl Iterator<Item = (&RuleSet, bool)> {
        self.ends.iter().filter_map(|&(state, edge, digits)| {
            let ends = self.table.ends(state)?;
            Some((if edge { &ends.all } else { &ends.inside }, digits))
        })
    }
}

impl Shapes {
    /// Takes the shapes of some rules, each with the rule's number and whether what it finds may
    /// end inside a word; which rules can count without context, by what they match and if they
    /// match digits only; and which are [`open`].
    pub fn new(
        shapes: Vec<(usize, Shape, bool)>,
        [formed, bare]: [RuleSet; 2],
        open: RuleSet,
    ) -> Result<Self, String> {
        let hirs: Vec<_> = shapes.iter().map(|(_, shape, _)| &shape.hir).collect();
        let of: Vec<_> = shapes
            .iter()
            .map(|(rule, shape, inside)| (*rule, *inside || !shape.closed))
            .collect();
        let ends = move |patterns: &[usize]| {
            let (mut all, mut inside) = (formed.emptied(), formed.emptied());
            for &pattern in patterns {
                let (rule, inner) = of[pattern];
                all.insert(rule);
                if inner {
                    inside.insert(rule);
                }
            }
            let alone = [all.meets(&formed), all.meets(&bare)];
            (Ends { all, inside }, alone)
        };
        let automaton = Automaton::new(&hirs, ends)?;
        let table = automaton.table();
        let mut first = [false; 256];
        for (byte, first) in (0..=255u8).zip(&mut first) {
            let next = automaton.next(&table, table.start, byte);
            *first = next.map_err(|Full| "too many shapes")? != State::DEAD;
        }
        Ok(Self {
            automaton,
            first,
            lead: shapes
                .iter()
                .map(|(_, shape, _)| shape.lead)
                .max()
                .unwrap_or(0),
            open,
        })
    }

    /// What a search walks with.
    pub fn walk(&self) -> Walk {
        Walk {
            table: self.automaton.table(),
            ends: Vec::new(),
            end: 0,
            alone: false,
        }
    }

    /// The rules of which only a beginning of the shape is known.
    pub fn open(&self) -> &RuleSet {
        &self.open
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
        self.first[usize::from(byte)]
    }

    /// Finds the shapes that begin at `start`; false if there are none.
    pub fn find(&self, bytes: &[u8], start: usize, walk: &mut Walk) -> bool {
        while let Err(Full) = self.try_find(bytes, start, walk) {
            walk.table = self.automaton.renew(&walk.table);
        }
        !walk.ends.is_empty()
    }

    fn try_find(&self, bytes: &[u8], start: usize, walk: &mut Walk) -> Result<(), Full> {
        walk.ends.clear();
        walk.alone = false;
        let (mut state, mut digits) = (walk.table.start, true);
        for (at, &byte) in bytes.iter().enumerate().skip(start) {
            state = self.automaton.next(&walk.table, state, byte)?;
            if state == State::DEAD {
                break;
            }
            digits &= byte.is_ascii_digit();
            if state.is_end() {
                let word = |byte: &u8| byte.is_ascii_alphanumeric();
                let edge = !(word(&byte) && bytes.get(at + 1).is_some_and(word));
                walk.alone |= state.is_marked(digits);
                walk.ends.push((state, edge, digits));
                walk.end = at + 1;
            }
        }
        Ok(())
    }
}

/// The rules of which only a beginning of the shape is known.
pub(super) fn open(shapes: &[(usize, Shape, bool)], rules: usize) -> RuleSet {
    let mut open = RuleSet::new(rules);
    for (rule, ..) in shapes.iter().filter(|(_, shape, _)| !shape.closed) {
        open.insert(*rule);
    }
    open
}

/// The first trigger byte from `from` on.
fn next_trigger(bytes: &[u8], from: usize) -> Option<usize> {
    if bytes.get(from).is_some_and(|&byte| is_trigger(byte)) {
        return Some(from);
    }
    let mut lane = from;
    while lane < bytes.len() {
        let classes = Classes::at(bytes, lane);
        if let Some(place) = places(classes.numeric | classes.upper).next() {
            return Some(lane + place);
        }
        lane += LANE;
    }
    None
}
