//! An automaton over many anchored patterns, built as far as texts have needed it.
//!
//! Determinised as a whole, the shapes of all rules have some 57,000 states, of which texts meet a
//! few thousand. So a state is made when a text first leads to it, and a transition when a text
//! first takes it; all threads share both. What is there is read without a lock.

use regex_automata::nfa::thompson::{self, State as Nfa};
use regex_syntax::hir::Hir;
use std::{
    borrow::Borrow,
    collections::HashMap,
    sync::{
        Arc, Mutex, OnceLock, PoisonError, RwLock,
        atomic::{AtomicU32, Ordering},
    },
};

/// A table with more states than this is begun anew: some 20 MB, and as much again for what states
/// stand for, whatever the texts.
const STATES_MAX: usize = 1 << 15;

/// A state of a table: where its row begins, and flags.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct State(u32);

impl State {
    /// Not made yet, as it stands in a row.
    const UNKNOWN: State = State(0);
    /// Nothing can match any more.
    pub const DEAD: State = State(1);
    /// Set in states in which patterns end.
    const ENDS: u32 = 1 << 31;
    /// The flags that the owner gives to states in which patterns end.
    const MARKS: u32 = Self::MARK * 3;
    const MARK: u32 = 1 << 29;

    fn row(self) -> usize {
        (self.0 & !(Self::ENDS | Self::MARKS)) as usize
    }

    /// Whether patterns end in this state.
    pub fn is_end(self) -> bool {
        self.0 & Self::ENDS != 0
    }

    /// One of the two marks that the owner gave to this state.
    pub fn is_marked(self, second: bool) -> bool {
        self.0 & (Self::MARK << u32::from(second)) != 0
    }
}

/// The patterns. `E` is what is kept for a state about the patterns that end in it.
pub(super) struct Automaton<E> {
    nodes: Vec<Node>,
    start: u32,
    classes: [u8; 256],
    /// One byte of each class.
    bytes: Vec<u8>,
    ends: Box<MakeEnds<E>>,
    table: RwLock<Arc<Table<E>>>,
}

/// Makes what is kept for a state, and its two marks, from the numbers of the patterns.
type MakeEnds<E> = dyn Fn(&[usize]) -> (E, [bool; 2]) + Send + Sync;

/// A state of the patterns' own, non-deterministic automaton.
enum Node {
    /// On a byte of a range, go on there.
    Bytes(Box<[(u8, u8, u32)]>),
    /// Go on at each of these.
    Any(Box<[u32]>),
    End(usize),
}

/// The states made so far.
pub(super) struct Table<E> {
    /// The row of the state in which each walk begins.
    pub start: State,
    /// Rows: the next state by class of byte, then the state's number.
    next: Box<[AtomicU32]>,
    /// Classes of bytes.
    width: usize,
    ends: Box<[OnceLock<E>]>,
    made: Mutex<Made>,
}

/// What states stand for.
#[derive(Default)]
struct Made {
    /// The nodes of each state, ascending.
    nodes: Vec<Arc<[u32]>>,
    states: HashMap<Arc<[u32]>, State>,
}

/// The table is full: go on in a new one.
#[derive(Debug)]
pub(super) struct Full;

impl<E> Automaton<E> {
    /// Takes patterns without assertions; `ends` makes what is kept for a state in which patterns
    /// end, and two marks of it, from their numbers.
    pub fn new<H: Borrow<Hir>>(
        patterns: &[H],
        ends: impl Fn(&[usize]) -> (E, [bool; 2]) + Send + Sync + 'static,
    ) -> Result<Self, String> {
        let config = thompson::Config::new()
            .utf8(false)
            .which_captures(thompson::WhichCaptures::None);
        let nfa = thompson::Compiler::new()
            .configure(config)
            .build_many_from_hir(patterns)
            .map_err(|error| error.to_string())?;
        let map = nfa.byte_classes();
        let mut classes = [0; 256];
        let mut bytes: Vec<u8> = Vec::new();
        for byte in 0..=255u8 {
            let class = map.get(byte);
            classes[usize::from(byte)] = class;
            if usize::from(class) == bytes.len() {
                bytes.push(byte);
            }
        }
        let nodes = nfa.states().iter().map(node);
        let mut automaton = Self {
            nodes: nodes.collect::<Result<_, _>>()?,
            start: nfa.start_anchored().as_u32(),
            classes,
            ends: Box::new(ends),
            table: RwLock::new(Arc::new(Table::new(0, 0))),
            bytes,
        };
        automaton.table = RwLock::new(automaton.begin());
        Ok(automaton)
    }

    /// The table to walk in.
    pub fn table(&self) -> Arc<Table<E>> {
        Arc::clone(&self.table.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The table to walk in after `full`.
    pub fn renew(&self, full: &Arc<Table<E>>) -> Arc<Table<E>> {
        let mut table = self.table.write().unwrap_or_else(PoisonError::into_inner);
        if Arc::ptr_eq(&table, full) {
            *table = self.begin();
        }
        Arc::clone(&table)
    }

    /// The state after `byte`.
    pub fn next(&self, table: &Table<E>, state: State, byte: u8) -> Result<State, Full> {
        let class = self.classes[usize::from(byte)];
        let cell = &table.next[state.row() + usize::from(class)];
        match State(cell.load(Ordering::Acquire)) {
            State::UNKNOWN => {
                let next = self.step(table, state, class)?;
                // Whoever reads the transition sees the state that it leads to.
                cell.store(next.0, Ordering::Release);
                Ok(next)
            }
            next => Ok(next),
        }
    }

    /// A table that has only the first state.
    fn begin(&self) -> Arc<Table<E>> {
        let mut table = Table::new(STATES_MAX, self.bytes.len());
        let mut made = Made::default();
        let mut start = Vec::new();
        self.close(self.start, &mut start);
        if let Ok(state) = self.state(&table, &mut made, start) {
            table.start = state;
        }
        table.made = Mutex::new(made);
        Arc::new(table)
    }

    #[cold]
    fn step(&self, table: &Table<E>, state: State, class: u8) -> Result<State, Full> {
        let byte = self.bytes[usize::from(class)];
        let mut made = table.made.lock().unwrap_or_else(PoisonError::into_inner);
        let from = Arc::clone(&made.nodes[table.number(state)]);
        let mut reached = Vec::new();
        for &node in from.iter() {
            if let Node::Bytes(ranges) = &self.nodes[node as usize] {
                let next = ranges.iter().find(|(lo, hi, _)| (lo..=hi).contains(&&byte));
                if let Some(&(_, _, next)) = next {
                    self.close(next, &mut reached);
                }
            }
        }
        match reached.is_empty() {
            true => Ok(State::DEAD),
            false => self.state(table, &mut made, reached),
        }
    }

    /// Appends the nodes that `node` leads to without a byte.
    fn close(&self, node: u32, reached: &mut Vec<u32>) {
        match &self.nodes[node as usize] {
            Node::Any(all) => all.iter().for_each(|&node| self.close(node, reached)),
            _ => reached.push(node),
        }
    }

    /// The state of these nodes, made if need be.
    fn state(&self, table: &Table<E>, made: &mut Made, mut nodes: Vec<u32>) -> Result<State, Full> {
        nodes.sort_unstable();
        nodes.dedup();
        if let Some(&state) = made.states.get(&nodes[..]) {
            return Ok(state);
        }
        let number = made.nodes.len();
        if number >= STATES_MAX {
            return Err(Full);
        }
        let patterns = nodes
            .iter()
            .filter_map(|&node| match self.nodes[node as usize] {
                Node::End(pattern) => Some(pattern),
                _ => None,
            });
        let patterns: Vec<usize> = patterns.collect();
        // The first row is nobody's: its place means unknown.
        let row = (number + 1) * (table.width + 1);
        let mut state = State(row as u32);
        table.next[row + table.width].store(number as u32, Ordering::Relaxed);
        if !patterns.is_empty() {
            let (ends, marks) = (self.ends)(&patterns);
            let mark = |second: bool| u32::from(marks[usize::from(second)]) << u32::from(second);
            state.0 |= State::ENDS | (State::MARK * (mark(false) | mark(true)));
            table.ends[number].get_or_init(|| ends);
        }
        let nodes: Arc<[u32]> = nodes.into();
        made.nodes.push(Arc::clone(&nodes));
        made.states.insert(nodes, state);
        Ok(state)
    }
}

impl<E> Table<E> {
    fn new(states: usize, width: usize) -> Self {
        let cells = (states + 1) * (width + 1);
        Self {
            start: State::DEAD,
            next: (0..cells)
                .map(|_| AtomicU32::new(State::UNKNOWN.0))
                .collect(),
            width,
            ends: (0..states).map(|_| OnceLock::new()).collect(),
            made: Mutex::default(),
        }
    }

    /// How many states were made before it.
    fn number(&self, state: State) -> usize {
        self.next[state.row() + self.width].load(Ordering::Relaxed) as usize
    }

    /// What is kept about the patterns that end in `state`.
    pub fn ends(&self, state: State) -> Option<&E> {
        self.ends[self.number(state)].get()
    }
}

fn node(state: &Nfa) -> Result<Node, String> {
    let ids = |all: &[regex_automata::util::primitives::StateID]| {
        Node::Any(all.iter().map(|id| id.as_u32()).collect())
    };
    Ok(match state {
        Nfa::ByteRange { trans } => {
            Node::Bytes([(trans.start, trans.end, trans.next.as_u32())].into())
        }
        Nfa::Sparse(sparse) => Node::Bytes(
            sparse
                .transitions
                .iter()
                .map(|trans| (trans.start, trans.end, trans.next.as_u32()))
                .collect(),
        ),
        Nfa::Union { alternates } => ids(alternates),
        Nfa::BinaryUnion { alt1, alt2 } => ids(&[*alt1, *alt2]),
        Nfa::Fail => Node::Any([].into()),
        Nfa::Match { pattern_id } => Node::End(pattern_id.as_usize()),
        Nfa::Look { .. } | Nfa::Dense(_) | Nfa::Capture { .. } => {
            return Err(format!("a shape is made of bytes only, not of {state:?}"));
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use regex_automata::{Anchored, Input, meta::Regex};

    proptest! {
        #[test]
        fn it_ends_where_the_patterns_do(
            patterns in prop::collection::vec(
                prop::sample::select(vec!["a{1,3}b?", "ab|ba", "[ab]{2}c", "b(?:a|c){0,2}", "[a-c]{1,4}", "c?a"]),
                1..5,
            ),
            text in "[abcd]{0,8}",
        ) {
            let hirs: Vec<Hir> = patterns
                .iter()
                .map(|pattern| regex_syntax::parse(pattern).unwrap())
                .collect();
            let automaton = Automaton::new(&hirs, |all| (all.to_vec(), [all.contains(&0), all.contains(&1)])).unwrap();
            let table = automaton.table();
            let mut state = table.start;
            for (at, byte) in text.bytes().enumerate() {
                state = automaton.next(&table, state, byte).unwrap();
                let expected: Vec<usize> = (0..patterns.len())
                    .filter(|&number| {
                        let whole = Regex::new(&format!("^(?:{})$", patterns[number])).unwrap();
                        whole.is_match(Input::new(&text[..=at]).anchored(Anchored::Yes))
                    })
                    .collect();
                let ends = if state == State::DEAD { None } else { table.ends(state) };
                let marks = [state.is_marked(false), state.is_marked(true)];
                prop_assert_eq!(marks, [expected.contains(&0), expected.contains(&1)]);
                prop_assert_eq!(ends.cloned().unwrap_or_default(), expected);
                if state == State::DEAD {
                    break;
                }
            }
        }
    }

    #[test]
    fn a_full_table_is_begun_anew() {
        // Which of the last fifteen letters were a: 2^15 states.
        let hir = regex_syntax::parse("(?:a|b){0,64}a(?:a|b){15}").unwrap();
        let automaton = Automaton::new(&[hir], |all| (all.to_vec(), [false; 2])).unwrap();
        let full = automaton.table();
        let (mut seed, mut tables) = (1u64, 0);
        let mut table = Arc::clone(&full);
        for _ in 0..100_000 {
            let mut state = table.start;
            for _ in 0..64 {
                seed = seed
                    .wrapping_mul(6364136223846793005)
                    .wrapping_add(1442695040888963407);
                let byte = if seed >> 63 == 0 { b'a' } else { b'b' };
                match automaton.next(&table, state, byte) {
                    Ok(State::DEAD) => break,
                    Ok(next) => state = next,
                    Err(Full) => {
                        table = automaton.renew(&table);
                        tables += 1;
                        break;
                    }
                }
            }
            if tables > 0 {
                break;
            }
        }
        assert!(tables > 0 && !Arc::ptr_eq(&full, &automaton.table()));
    }
}
