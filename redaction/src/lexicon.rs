//! Many words, looked up where words start.
//!
//! The cost for a byte of text does not depend on how many words there are: a table of all first
//! pairs of bytes turns most places away, a filter of all first four bytes most of the rest, and
//! only then is a word's hash computed, at the lengths that words with this beginning have. A word
//! takes its own bytes and about 24 more, so that a million of them fit in some 50 MB.
//!
//! ASCII letters match in either case; other letters are given in the spellings that count, see
//! [`spellings_of`](crate::context::spellings_of).

use crate::{
    classes::{Classes, LANE, places},
    context::starts_word,
};
use std::ops::Range;

/// Bytes of a word that the filter looks at.
const HEAD: usize = 4;
/// Words are hashed up to this many bytes; what is beyond is compared.
const HASHED: usize = 64;

/// Words with the number that each was added under.
pub(crate) struct Lexicon {
    /// Whether some word begins with a blank.
    blank: bool,
    /// For each pair of first bytes: [`SHORT`] and [`LONG`].
    pairs: Vec<u8>,
    /// One bit for each hash of a head.
    filter: Vec<u64>,
    /// Open addressing: for each head the lengths (bit n: length n + 1) of words that begin so.
    heads: Vec<(u32, u64)>,
    /// Open addressing: the upper half of a word's hash, and its number plus one; 0 is free.
    slots: Vec<(u32, u32)>,
    /// All words, folded to lower case, one after another.
    arena: Vec<u8>,
    /// Where each word begins in `arena`, and where the last ends.
    starts: Vec<u32>,
}

/// Some word that begins with the pair is shorter than a head.
const SHORT: u8 = 1;
/// Some word that begins with the pair is at least as long as a head.
const LONG: u8 = 2;

impl Lexicon {
    /// Takes words; the n-th of them has the number n. Empty ones are never found.
    ///
    /// # Panics
    /// If there are 2³² bytes of words.
    pub fn new<W: AsRef<str>>(words: impl IntoIterator<Item = W>) -> Self {
        let (mut arena, mut starts) = (Vec::new(), vec![0]);
        for word in words {
            arena.extend(word.as_ref().bytes().map(|byte| byte.to_ascii_lowercase()));
            starts.push(u32::try_from(arena.len()).expect("less than 4 GiB of words"));
        }
        arena.shrink_to_fit();
        starts.shrink_to_fit();
        let count = starts.len() - 1;
        let mut lexicon = Self {
            blank: false,
            pairs: vec![0; 1 << 16],
            filter: vec![0; (count * 16).next_power_of_two().max(1 << 12) / 64],
            heads: Vec::new(),
            slots: vec![(0, 0); (count * 3 / 2 + 1).next_power_of_two()],
            arena,
            starts,
        };
        let mut heads = std::collections::HashMap::<u32, u64>::new();
        for number in 0..count as u32 {
            let word = lexicon.word(number);
            if word.is_empty() {
                continue;
            }
            let blank = word[0] <= b' ';
            let hashed = &word[..word.len().min(HASHED)];
            let hash = hashed.iter().fold(SEED, |hash, &byte| step(hash, byte));
            let (first, second) = (word[0], word.get(1).copied());
            let flag = if word.len() < HEAD { SHORT } else { LONG };
            if word.len() >= HEAD {
                *heads.entry(head(word)).or_default() |= 1 << (hashed.len() - 1);
                let bit = lexicon.filter_bit(head(word));
                lexicon.filter[bit / 64] |= 1 << (bit % 64);
            }
            match second {
                Some(second) => lexicon.pairs[pair(first, second)] |= flag,
                None => (0..=255).for_each(|any| lexicon.pairs[pair(first, any)] |= flag),
            }
            lexicon.blank |= blank;
            let mask = lexicon.slots.len() - 1;
            let mut slot = hash as usize & mask;
            while lexicon.slots[slot].1 != 0 {
                slot = (slot + 1) & mask;
            }
            lexicon.slots[slot] = ((hash >> 32) as u32, number + 1);
        }
        lexicon.heads = vec![(0, 0); (heads.len() * 3 / 2 + 1).next_power_of_two()];
        let mask = lexicon.heads.len() - 1;
        for (key, lengths) in heads {
            let mut slot = mix(key) as usize & mask;
            while lexicon.heads[slot].1 != 0 {
                slot = (slot + 1) & mask;
            }
            lexicon.heads[slot] = (key, lengths);
        }
        lexicon
    }

    /// How many words there are.
    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.starts.len() - 1
    }

    /// Bytes held.
    #[cfg(test)]
    pub fn memory(&self) -> usize {
        self.pairs.len()
            + self.filter.len() * 8
            + self.heads.len() * 16
            + self.slots.len() * 8
            + self.arena.capacity()
            + self.starts.capacity() * 4
    }

    /// Calls `hit(start, end, number)` for each word that begins in `range`, at a place where a
    /// word of the text may start, ordered by start. Where it ends, and whether a word of the text
    /// ends there, is for the caller to judge.
    pub fn find(&self, text: &str, range: Range<usize>, mut hit: impl FnMut(usize, usize, u32)) {
        let bytes = text.as_bytes();
        let mut lane = range.start;
        while lane < range.end {
            let classes = Classes::at(bytes, lane);
            let mut starts = starts(&classes, lane.checked_sub(1).map(|at| bytes[at]));
            if !self.blank {
                starts &= !classes.blank;
            }
            if range.end - lane < LANE {
                starts &= (1 << (range.end - lane)) - 1;
            }
            for at in places(starts).map(|place| lane + place) {
                let first = bytes[at].to_ascii_lowercase();
                let second = bytes.get(at + 1).map_or(0, u8::to_ascii_lowercase);
                let flags = self.pairs[pair(first, second)];
                if flags != 0 {
                    self.look(text, at, flags, &mut hit);
                }
            }
            lane += LANE;
        }
    }

    /// Looks for words that begin at `at`.
    fn look(&self, text: &str, at: usize, flags: u8, hit: &mut impl FnMut(usize, usize, u32)) {
        let rest = &text.as_bytes()[at..];
        let mut lengths = 0;
        if flags & SHORT != 0 {
            lengths |= (1 << (HEAD - 1)) - 1;
        }
        if flags & LONG != 0 && rest.len() >= HEAD {
            let head = head(rest);
            let bit = self.filter_bit(head);
            if self.filter[bit / 64] >> (bit % 64) & 1 != 0 {
                lengths |= self.lengths(head);
            }
        }
        if lengths == 0 || !text.is_char_boundary(at) || !starts_word(text, at) {
            return;
        }
        let mut hash = SEED;
        for (index, byte) in rest.iter().take(HASHED).enumerate() {
            hash = step(hash, byte.to_ascii_lowercase());
            if lengths >> index & 1 != 0 {
                self.probe(hash, rest, |number, len| hit(at, at + len, number));
                lengths &= lengths - 1;
                if lengths == 0 {
                    return;
                }
            }
        }
    }

    fn probe(&self, hash: u64, rest: &[u8], mut found: impl FnMut(u32, usize)) {
        let mask = self.slots.len() - 1;
        let mut slot = hash as usize & mask;
        while self.slots[slot].1 != 0 {
            let (upper, number) = self.slots[slot];
            if upper == (hash >> 32) as u32 {
                let word = self.word(number - 1);
                let same = rest
                    .get(..word.len())
                    .is_some_and(|start| start.eq_ignore_ascii_case(word));
                if same {
                    found(number - 1, word.len());
                }
            }
            slot = (slot + 1) & mask;
        }
    }

    fn lengths(&self, head: u32) -> u64 {
        let mask = self.heads.len() - 1;
        let mut slot = mix(head) as usize & mask;
        loop {
            match self.heads[slot] {
                (_, 0) => return 0,
                (key, lengths) if key == head => return lengths,
                _ => slot = (slot + 1) & mask,
            }
        }
    }

    fn word(&self, number: u32) -> &[u8] {
        let number = number as usize;
        &self.arena[self.starts[number] as usize..self.starts[number + 1] as usize]
    }

    fn filter_bit(&self, head: u32) -> usize {
        (mix(head) >> 20) as usize & (self.filter.len() * 64 - 1)
    }
}

/// The offset basis of FNV-1a with 64 bits.
const SEED: u64 = 0xcbf2_9ce4_8422_2325;

/// A step of FNV-1a, with a rotation that lets high bits reach low ones.
fn step(hash: u64, byte: u8) -> u64 {
    (hash.rotate_left(23) ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
}

/// Fibonacci hashing.
fn mix(head: u32) -> u64 {
    let product = u64::from(head).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    product ^ product >> 29
}

fn pair(first: u8, second: u8) -> usize {
    usize::from(first) << 8 | usize::from(second)
}

/// The first four bytes, folded.
fn head(word: &[u8]) -> u32 {
    u32::from_le_bytes([0, 1, 2, 3].map(|at| word[at].to_ascii_lowercase()))
}

/// Where a word of the text may start, by the kinds of bytes: not within small letters, capitals
/// or digits, nor between a capital and a small letter. Beyond ASCII that is not known from bytes;
/// [`starts_word`] tells.
fn starts(classes: &Classes, before: Option<u8>) -> u64 {
    let was = |is: fn(&u8) -> bool| u64::from(before.as_ref().is_some_and(is));
    let lower = classes.lower << 1 | was(u8::is_ascii_lowercase);
    let upper = classes.upper << 1 | was(u8::is_ascii_uppercase);
    let digit = classes.digit << 1 | was(u8::is_ascii_digit);
    !((lower | upper) & classes.lower | upper & classes.upper | digit & classes.digit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn found(words: &[&str], text: &str) -> Vec<(usize, usize, u32)> {
        let mut hits = Vec::new();
        Lexicon::new(words).find(text, 0..text.len(), |start, end, number| {
            hits.push((start, end, number));
        });
        hits.sort_unstable();
        hits
    }

    #[test]
    fn words_of_any_length_are_found_where_words_start() {
        let long = "a phrase that is longer than what is hashed, which is sixty-four bytes of it";
        let words = ["ab", "x", "abcd", "été", "d.o.b", "", long, "abcd"];
        assert_eq!(found(&words, "AB xab"), [(0, 2, 0), (3, 4, 1)]);
        assert_eq!(found(&words, "été D.O.B"), [(0, 5, 3), (6, 11, 4)]);
        assert_eq!(found(&words, &long.to_uppercase())[0], (0, long.len(), 6));
        assert_eq!(found(&words, "abcde"), [(0, 2, 0), (0, 4, 2), (0, 4, 7)]);
        assert_eq!(found(&words, "myAbcd7ab_ab").len(), 5);
        assert!(found(&words, "cab").is_empty() && found(&[], "ab").is_empty());
    }

    #[test]
    fn a_million_words_fit_in_sixty_megabytes() {
        let lexicon = Lexicon::new((0..1_000_000u64).map(|n| format!("name{:06x}", n * 7919)));
        assert_eq!(lexicon.len(), 1_000_000);
        assert!(lexicon.memory() < 60 << 20, "{} bytes", lexicon.memory());
        let mut hits = 0;
        let text = format!("x name{:06x} name{:06x}", 7919u64 * 999_999, 1);
        lexicon.find(&text, 0..text.len(), |_, _, number| {
            assert_eq!(number, 999_999);
            hits += 1;
        });
        assert_eq!(hits, 1);
    }

    proptest! {
        #[test]
        fn it_finds_what_searching_for_each_word_finds(
            words in prop::collection::vec("[abAé. 1]{1,6}", 0..12),
            text in "[abABé. 1_ß]{0,40}",
        ) {
            let mut expected = Vec::new();
            for (number, word) in words.iter().enumerate() {
                for at in (0..text.len()).filter(|&at| text.is_char_boundary(at)) {
                    let here = text.as_bytes()[at..].get(..word.len());
                    if here.is_some_and(|here| here.eq_ignore_ascii_case(word.as_bytes()))
                        && starts_word(&text, at)
                    {
                        expected.push((at, at + word.len(), number as u32));
                    }
                }
            }
            expected.sort_unstable();
            let words: Vec<_> = words.iter().map(String::as_str).collect();
            prop_assert_eq!(found(&words, &text), expected);
        }
    }
}
