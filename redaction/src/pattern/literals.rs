//! Where the literals of rules stand in a text: one pass, whose cost for a byte does not depend on
//! how many literals there are.

use super::required::Literal;

/// Bits of the filter of threes, as a power of two: 16 KB, so that it stays in the nearest cache.
const FILTER_BITS: u32 = 17;

/// All literals of all rules, by what they begin with in all the cases that count.
pub(super) struct Literals {
    /// One bit for each hash of three bytes that a literal begins with.
    threes: Box<[u64]>,
    /// One bit for each two bytes that are a literal.
    pairs: Box<[u64]>,
    /// The bytes that are a literal.
    single: Vec<u8>,
    /// By hash of three bytes, by two bytes, and by single byte: one more than the place in
    /// `lists`, or 0.
    three_lists: Box<[u16]>,
    pair_lists: Box<[u16]>,
    single_lists: [u16; 256],
    lists: Vec<Vec<Clue>>,
}

/// A literal of a rule.
#[derive(Clone)]
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
    pub fn new(all: Vec<Clue>) -> Result<Self, String> {
        let mut literals = Self {
            threes: vec![0; 1 << (FILTER_BITS - 6)].into(),
            pairs: vec![0; (1 << 16) / 64].into(),
            single: Vec::new(),
            three_lists: vec![0; 1 << FILTER_BITS].into(),
            pair_lists: vec![0; 1 << 16].into(),
            single_lists: [0; 256],
            lists: Vec::new(),
        };
        for clue in all {
            for head in spellings(&clue.literal) {
                let number = head.iter().rev();
                let number = number.fold(0, |number, &byte| number << 8 | u32::from(byte));
                let set =
                    |filter: &mut [u64], bit: u32| filter[bit as usize / 64] |= 1 << (bit % 64);
                let list = match head[..] {
                    [] => continue,
                    [one] => {
                        literals.single.push(one);
                        &mut literals.single_lists[usize::from(one)]
                    }
                    [_, _] => {
                        set(&mut literals.pairs, number);
                        &mut literals.pair_lists[number as usize]
                    }
                    _ => {
                        set(&mut literals.threes, hash(number));
                        &mut literals.three_lists[hash(number) as usize]
                    }
                };
                if *list == 0 {
                    literals.lists.push(Vec::new());
                    *list = u16::try_from(literals.lists.len())
                        .map_err(|_| "the rules have too many different keywords")?;
                }
                literals.lists[usize::from(*list) - 1].push(clue.clone());
            }
        }
        literals.single.sort_unstable();
        literals.single.dedup();
        Ok(literals)
    }

    /// Calls `hit` with each clue of the text and where it stands, in order of places.
    pub fn find(&self, text: &str, mut hit: impl FnMut(&Clue, usize)) {
        let bytes = text.as_bytes();
        let mut singles: Vec<usize> = Vec::new();
        for &byte in &self.single {
            singles.extend(memchr::memchr_iter(byte, bytes));
        }
        singles.sort_unstable();
        let mut singles = singles.into_iter().peekable();
        let set = |filter: &[u64], bit: u32| filter[bit as usize / 64] >> (bit % 64) & 1 != 0;
        let mut look = |at: usize, four: u32| {
            while let Some(at) = singles.next_if(|&single| single <= at) {
                let list = self.single_lists[usize::from(bytes[at])];
                self.look(bytes, at, list, &mut hit);
            }
            self.look(
                bytes,
                at,
                self.pair_lists[(four & 0xFFFF) as usize],
                &mut hit,
            );
            self.look(bytes, at, self.three_lists[hash(four) as usize], &mut hit);
        };
        for (at, four) in bytes.windows(4).enumerate() {
            let four = u32::from_le_bytes([four[0], four[1], four[2], four[3]]);
            if set(&self.threes, hash(four)) | set(&self.pairs, four & 0xFFFF) {
                look(at, four);
            }
        }
        for at in bytes.len().saturating_sub(3)..bytes.len() {
            let byte = |offset: usize| bytes.get(at + offset).copied().unwrap_or(0);
            look(at, u32::from_le_bytes([byte(0), byte(1), byte(2), 0]));
        }
    }

    /// The clues of a list that stand at `at`.
    fn look(&self, bytes: &[u8], at: usize, list: u16, hit: &mut impl FnMut(&Clue, usize)) {
        let Some(list) = usize::from(list).checked_sub(1) else {
            return;
        };
        for clue in &self.lists[list] {
            if clue.literal.begins(&bytes[at..]) {
                hit(clue, at);
            }
        }
    }
}

/// What a literal begins with, up to three bytes, in all the cases that count.
fn spellings(literal: &Literal) -> Vec<Vec<u8>> {
    let head = &literal.bytes[..literal.bytes.len().min(3)];
    let mut spellings = vec![Vec::new()];
    for byte in head {
        let mut cases = vec![byte.to_ascii_lowercase(), byte.to_ascii_uppercase()];
        cases.dedup();
        if !literal.any_case {
            cases = vec![*byte];
        }
        let longer = spellings.iter().flat_map(|spelling: &Vec<u8>| {
            let with = |byte: &u8| [&spelling[..], &[*byte]].concat();
            cases.iter().map(with).collect::<Vec<_>>()
        });
        spellings = longer.collect();
    }
    spellings
}

/// Fibonacci hashing of the lower three of four bytes.
fn hash(four: u32) -> u32 {
    (four << 8).wrapping_mul(0x9e37_79b1) >> (32 - FILTER_BITS)
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
            clue(4, "@", false),
        ])
        .unwrap();
        let mut hits = Vec::new();
        literals.find("BeaRer @ AC ac CONTRASEñA @ac", |clue, at| {
            hits.push((clue.rule, at))
        });
        assert_eq!(
            hits,
            [
                (0, 0),
                (4, 7),
                (1, 9),
                (2, 9),
                (2, 12),
                (3, 15),
                (4, 27),
                (2, 28)
            ]
        );
    }
}
