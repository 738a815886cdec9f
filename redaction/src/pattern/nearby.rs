//! Which rules have a context word near a place.

use crate::{
    context::{AFTER, BEFORE, ceil, ends_word, floor, spellings_of},
    lexicon::Lexicon,
    ruleset::RuleSet,
};
use std::{collections::BTreeMap, ops::Range};

/// The context words of all rules.
pub(super) struct Contexts {
    lexicon: Lexicon,
    words: Vec<Word>,
    /// How many rules there are.
    rules: usize,
}

struct Word {
    /// Any ending may follow.
    stem: bool,
    /// The rules that it is a context word of.
    rules: RuleSet,
    /// As the rule says it.
    written: Box<str>,
}

impl Contexts {
    /// Takes the context words of each rule.
    pub fn new(rules: &[&[String]]) -> Self {
        let mut words = BTreeMap::<String, (&str, RuleSet)>::new();
        for (rule, context) in rules.iter().enumerate() {
            for written in *context {
                for spelling in spellings_of(written) {
                    words
                        .entry(spelling.to_ascii_lowercase())
                        .or_insert_with(|| (written, RuleSet::new(rules.len())))
                        .1
                        .insert(rule);
                }
            }
        }
        Self {
            rules: rules.len(),
            lexicon: Lexicon::new(words.keys().map(|word| word.trim_end_matches('*'))),
            words: words
                .into_iter()
                .map(|(spelling, (written, rules))| Word {
                    stem: spelling.ends_with('*'),
                    rules,
                    written: written.into(),
                })
                .collect(),
        }
    }
}

/// The context words of one text, found as far as somebody asked for them.
pub(super) struct Tape<'t> {
    contexts: &'t Contexts,
    text: &'t str,
    /// What has been looked at.
    seen: Range<usize>,
    /// Ordered by start.
    hits: Vec<Hit>,
    /// The words that `near` was united from.
    united: Vec<u32>,
    near: RuleSet,
}

struct Hit {
    start: usize,
    end: usize,
    word: u32,
}

/// Hits that are kept before those far behind are let go.
const HITS: usize = 1024;
/// How much more is looked at than was asked for, in bytes.
const AHEAD: usize = 192;

impl<'t> Tape<'t> {
    pub fn new(contexts: &'t Contexts, text: &'t str) -> Self {
        Self {
            contexts,
            text,
            seen: 0..0,
            hits: Vec::new(),
            united: Vec::new(),
            near: RuleSet::new(contexts.rules),
        }
    }

    /// The rules that have a context word near `text[start..end]`, or in it; `None` if none has.
    pub fn near(&mut self, start: usize, end: usize) -> Option<&RuleSet> {
        let (hits, to) = self.around(start, end);
        let words = hits.filter(|&hit| self.hits[hit].end <= to);
        let words = words.map(|hit| self.hits[hit].word);
        // Places next to each other mostly have the same words around them.
        if !words.clone().eq(self.united.iter().copied()) {
            let words: Vec<u32> = words.collect();
            self.near.clear();
            for &word in &words {
                self.near.unite(&self.contexts.words[word as usize].rules);
            }
            self.united = words;
        }
        (!self.united.is_empty()).then_some(&self.near)
    }

    /// A context word of `rule` near `text[start..end]`, as the rule says it.
    pub fn word(&mut self, rule: usize, start: usize, end: usize) -> Option<&'t str> {
        let (hits, to) = self.around(start, end);
        let words = &self.contexts.words;
        self.hits[hits]
            .iter()
            .filter(|hit| hit.end <= to)
            .map(|hit| &words[hit.word as usize])
            .find(|word| word.rules.contains(rule))
            .map(|word| &*word.written)
    }

    /// The hits that begin near `text[start..end]`, or in it, by their places in `hits`; and how
    /// far they may go.
    fn around(&mut self, start: usize, end: usize) -> (Range<usize>, usize) {
        let from = floor(self.text, start.saturating_sub(BEFORE));
        let to = ceil(self.text, end + AFTER);
        if from < self.seen.start || from > self.seen.end {
            self.hits.clear();
            self.seen = from..from;
        }
        if to > self.seen.end {
            if self.hits.len() > HITS {
                let gone = self.hits.partition_point(|hit| hit.start < from);
                self.hits.drain(..gone);
                self.seen.start = from;
            }
            let (text, words, hits) = (self.text, &self.contexts.words, &mut self.hits);
            // Further than is asked for: what follows will be asked for next.
            let ahead = self.seen.end..ceil(text, to + AHEAD);
            self.seen.end = ahead.end;
            self.contexts.lexicon.find(text, ahead, |start, end, word| {
                if words[word as usize].stem || ends_word(text, end) {
                    hits.push(Hit { start, end, word });
                }
            });
        }
        let first = self.hits.partition_point(|hit| hit.start < from);
        let count = self.hits[first..].iter().take_while(|hit| hit.start < to);
        (first..first + count.count(), to)
    }
}
