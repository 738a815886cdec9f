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

/// A table with more states than this is begun anew: at most some 40 MB, whatever the texts.
const STATES_MAX: usize = 1 << 15;
/// States whose rows are allocated together.
const CHUNK: usize = 128;

/// A state of a table: in the low half where its row begins in its chunk, in the high half the
/// chunk, counted from one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct State(u32);

impl State {
    /// Not made yet, as it stands in a row.
    const UNKNOWN: State = State(0);
    /// Nothing can match any more.
    pub const DEAD: State = State(1);
    /// Where each walk begins.
    pub const START: State = State(1 << 16);
    /// Set in states in which patterns end.
    const ENDS: u32 = 1 << 31;

    fn new(number: usize, width: usize) -> Self {
        let (chunk, row) = (number / CHUNK + 1, number % CHUNK);
        Self((chunk << 16 | row * width) as u32)
    }

    fn chunk(self) -> usize {
        ((self.0 & !Self::ENDS) >> 16) as usize - 1
    }

    fn offset(self) -> usize {
        (self.0 & 0xFFFF) as usize
    }

    /// How many were made before it.
    fn number(self, width: usize) -> usize {
        self.chunk() * CHUNK + self.offset() / width
    }

    /// Whether patterns end in this state.
    pub fn is_end(self) -> bool {
        self.0 & Self::ENDS != 0
    }
}

/// The patterns. `E` is what is kept for a state about the patterns that end in it.
pub(super) struct Automaton<E> {
    nodes: Vec<Node>,
    start: u32,
    classes: [u8; 256],
    /// One byte of each class.
    bytes: Vec<u8>,
    ends: Box<dyn Fn(&[usize]) -> E + Send + Sync>,
    table: RwLock<Arc<Table<E>>>,
}

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
    chunks: Box<[OnceLock<Chunk<E>>]>,
    made: Mutex<Made>,
}

struct Chunk<E> {
    /// The next state by state and class of byte.
    next: Box<[AtomicU32]>,
    ends: Box<[OnceLock<E>]>,
    /// Classes of bytes.
    width: usize,
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
    /// end, from their numbers.
    pub fn new<H: Borrow<Hir>>(
        patterns: &[H],
        ends: impl Fn(&[usize]) -> E + Send + Sync + 'static,
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
        Ok(Self {
            nodes: nodes.collect::<Result<_, _>>()?,
            start: nfa.start_anchored().as_u32(),
            classes,
            bytes,
            ends: Box::new(ends),
            table: RwLock::new(Arc::new(Table::new())),
        }
        .begun())
    }

    fn begun(self) -> Self {
        self.begin(&self.table());
        self
    }

    /// The table to walk in.
    pub fn table(&self) -> Arc<Table<E>> {
        Arc::clone(&self.table.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The table to walk in after `full`.
    pub fn renew(&self, full: &Arc<Table<E>>) -> Arc<Table<E>> {
        let mut table = self.table.write().unwrap_or_else(PoisonError::into_inner);
        if Arc::ptr_eq(&table, full) {
            *table = Arc::new(Table::new());
            self.begin(&table);
        }
        Arc::clone(&table)
    }

    /// The state after `byte`.
    pub fn next(&self, table: &Table<E>, state: State, byte: u8) -> Result<State, Full> {
        let class = self.classes[usize::from(byte)];
        let cell = &table.chunk(state).next[state.offset() + usize::from(class)];
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

    fn begin(&self, table: &Table<E>) {
        let mut made = table.made.lock().unwrap_or_else(PoisonError::into_inner);
        let mut start = Vec::new();
        self.close(self.start, &mut start);
        let state = self.state(table, &mut made, start);
        debug_assert_eq!(state.map(State::chunk).ok(), Some(State::START.chunk()));
    }

    #[cold]
    fn step(&self, table: &Table<E>, state: State, class: u8) -> Result<State, Full> {
        let byte = self.bytes[usize::from(class)];
        let mut made = table.made.lock().unwrap_or_else(PoisonError::into_inner);
        let from = Arc::clone(&made.nodes[state.number(self.bytes.len())]);
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
        let width = self.bytes.len();
        let mut state = State::new(number, width);
        let chunk = table.chunks[state.chunk()].get_or_init(|| Chunk {
            next: (0..CHUNK * width)
                .map(|_| AtomicU32::new(State::UNKNOWN.0))
                .collect(),
            ends: (0..CHUNK).map(|_| OnceLock::new()).collect(),
            width,
        });
        if !patterns.is_empty() {
            state.0 |= State::ENDS;
            chunk.ends[number % CHUNK].get_or_init(|| (self.ends)(&patterns));
        }
        let nodes: Arc<[u32]> = nodes.into();
        made.nodes.push(Arc::clone(&nodes));
        made.states.insert(nodes, state);
        Ok(state)
    }
}

impl<E> Table<E> {
    fn new() -> Self {
        let chunks = STATES_MAX.div_ceil(CHUNK);
        Self {
            chunks: (0..chunks).map(|_| OnceLock::new()).collect(),
            made: Mutex::default(),
        }
    }

    fn chunk(&self, state: State) -> &Chunk<E> {
        let chunk = self.chunks[state.chunk()].get();
        chunk.expect("a state is made before a transition leads to it")
    }

    /// What is kept about the patterns that end in `state`.
    pub fn ends(&self, state: State) -> Option<&E> {
        let chunk = self.chunk(state);
        chunk.ends[state.offset() / chunk.width].get()
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
            let automaton = Automaton::new(&hirs, <[usize]>::to_vec).unwrap();
            let table = automaton.table();
            let mut state = State::START;
            for (at, byte) in text.bytes().enumerate() {
                state = automaton.next(&table, state, byte).unwrap();
                let expected: Vec<usize> = (0..patterns.len())
                    .filter(|&number| {
                        let whole = Regex::new(&format!("^(?:{})$", patterns[number])).unwrap();
                        whole.is_match(Input::new(&text[..=at]).anchored(Anchored::Yes))
                    })
                    .collect();
                let ends = if state == State::DEAD { None } else { table.ends(state) };
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
        let automaton = Automaton::new(&[hir], <[usize]>::to_vec).unwrap();
        let full = automaton.table();
        let (mut seed, mut tables) = (1u64, 0);
        let mut table = Arc::clone(&full);
        for _ in 0..100_000 {
            let mut state = State::START;
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
