//! E-mail addresses with their signs spelled out: `anna dot berg at example dot org`.

use super::view::{Edit, Text};
use crate::{
    Error,
    context::{is_word, spellings_of},
    pack::line_of,
};
use aho_corasick::{AhoCorasick, Anchored, Input, MatchKind, StartKind, packed};
use serde::Deserialize;
use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    ops::Range,
    path::Path,
};

/// The most words that an address is made of, on either side of its `@`.
const WORDS_MAX: usize = 8;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SpokenFile {
    /// By sign, the words for it.
    signs: BTreeMap<String, Vec<String>>,
    host: Host,
}

/// What tells a host name from the words of a sentence; all in lower case.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Host {
    /// Words for `@` that need no other sign spelled out.
    alone: HashSet<String>,
    /// What its last word may be.
    ends: HashSet<String>,
    /// What its first word is not.
    never: HashSet<String>,
}

/// The words for signs.
pub(super) struct Spoken {
    begun: Begun,
    /// Every word for any sign.
    words: AhoCorasick,
    sign_of: Vec<char>,
    host: Host,
}

/// How words for `@` begin, with what sets short ones off. They are found in one vectorised pass,
/// where the processor can and they are few enough; otherwise by an automaton.
enum Begun {
    Vector(packed::Searcher),
    Automaton(AhoCorasick),
}

impl Begun {
    fn new(words: BTreeSet<String>) -> Result<Self, aho_corasick::BuildError> {
        let vector = packed::Config::new()
            .heuristic_pattern_limits(false)
            .builder()
            .extend(&words)
            .build();
        match vector {
            Some(searcher) => Ok(Self::Vector(searcher)),
            None => AhoCorasick::new(words).map(Self::Automaton),
        }
    }

    /// Where the next word begins, from `at` on.
    fn next(&self, text: &str, at: usize, end: usize) -> Option<usize> {
        let found = match self {
            Self::Vector(searcher) => searcher.find_in(text.as_bytes(), (at..end).into()),
            Self::Automaton(automaton) => automaton.find(Input::new(text).range(at..end)),
        };
        Some(found?.start())
    }
}

/// A sign spelled out: the sign, its word, and all that is written for it.
struct Sign {
    sign: char,
    word: Range<usize>,
    whole: Range<usize>,
}

impl Spoken {
    /// Reads the words from `path`.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let source = std::fs::read_to_string(path).map_err(|source| Error::Io {
            path: path.into(),
            source,
        })?;
        let refuse = |at: usize, reason: String| Error::Rules {
            path: path.into(),
            line: line_of(&source, at),
            reason,
        };
        let file: SpokenFile = toml::from_str(&source).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            refuse(at, error.message().to_owned())
        })?;
        let (mut begun, mut words, mut sign_of) = (BTreeSet::new(), Vec::new(), Vec::new());
        for (sign, spoken) in &file.signs {
            let mut letters = sign.chars();
            let (Some(sign), None) = (letters.next(), letters.next()) else {
                return Err(refuse(0, format!("`{sign}` is not one character")));
            };
            for word in spoken {
                if sign == '@' {
                    begun.extend(beginnings(word));
                }
                for spelling in spellings_of(word) {
                    words.push(spelling);
                    sign_of.push(sign);
                }
            }
        }
        let words = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .match_kind(MatchKind::LeftmostLongest)
            .start_kind(StartKind::Anchored)
            .build(words);
        Ok(Self {
            begun: Begun::new(begun).map_err(|error| refuse(0, error.to_string()))?,
            words: words.map_err(|error| refuse(0, error.to_string()))?,
            sign_of,
            host: file.host,
        })
    }

    /// Appends edits that put the signs into addresses whose `@` begins in `range`.
    pub fn write_out(&self, text: &str, range: Range<usize>, out: &mut Vec<Edit>) {
        let mut next = range.start;
        // A word that begins in the range may end after it.
        let end = text.ceil_char_boundary(range.end + 8);
        while let Some(begun) = self.begun.next(text, next, end) {
            next = text.ceil_char_boundary(begun + 1);
            let free = out.last().map_or(0, |last| last.span.end);
            let from = label_end_before(text, begun);
            let Some(at) = self.sign(text, from.max(free)).filter(|at| at.sign == '@') else {
                continue;
            };
            let (mut edits, host) = self.behind(text, at.whole.end);
            // `at` is a word like others where no other sign is spelled out, and in no brackets.
            let bracketed = text[at.whole.clone()].contains(['(', '[', '{', '<']);
            let alone = !edits.is_empty()
                || bracketed
                || self.host.alone.contains(&text[at.word].to_lowercase());
            let local = text[..at.whole.start].chars().next_back();
            if !(alone && local.is_some_and(is_word) && self.is_host(&host)) {
                continue;
            }
            let mut before = self.before(text, at.whole.start);
            before.retain(|edit| edit.span.start >= free);
            before.reverse();
            out.append(&mut before);
            out.push(Edit::new(at.whole, Text::Char('@')));
            out.append(&mut edits);
        }
    }

    /// The sign spelled out at `at`, set off by blanks or brackets.
    fn sign(&self, text: &str, at: usize) -> Option<Sign> {
        let bytes = text.as_bytes();
        let blank = |at: usize| usize::from(bytes.get(at) == Some(&b' '));
        let mut start = at + blank(at);
        let close = match bytes.get(start) {
            Some(b'(') => Some(b')'),
            Some(b'[') => Some(b']'),
            Some(b'{') => Some(b'}'),
            Some(b'<') => Some(b'>'),
            _ => None,
        };
        if close.is_some() {
            start += 1;
            start += blank(start);
        }
        let input = Input::new(text).range(start..).anchored(Anchored::Yes);
        let found = self.words.find(input)?;
        let mut end = found.end() + blank(found.end());
        if let Some(close) = close {
            if bytes.get(end) != Some(&close) {
                return None;
            }
            end += 1;
            end += blank(end);
        }
        let word = found.range();
        // A word is set off on both sides, a sign on one.
        let sides = usize::from(start > at) + usize::from(end > word.end);
        let spelled = text[word.clone()].chars().all(char::is_alphanumeric);
        (sides == 2
            || (sides == 1 && !spelled && !text[word.clone()].contains(char::is_alphanumeric)))
        .then(|| Sign {
            sign: self.sign_of[found.pattern().as_usize()],
            word,
            whole: at..end,
        })
    }

    /// The edits of a host name from `at` on, and the name: labels, and signs spelled out
    /// between them.
    fn behind(&self, text: &str, mut at: usize) -> (Vec<Edit>, String) {
        let (mut edits, mut host) = (Vec::new(), String::new());
        for _ in 0..WORDS_MAX {
            let label = label_end(text, at);
            host.push_str(&text[at..label]);
            match self.sign(text, label).filter(|_| label > at) {
                Some(Sign {
                    sign: sign @ ('.' | '-'),
                    whole,
                    ..
                }) if label_end(text, whole.end) > whole.end => {
                    at = whole.end;
                    edits.push(Edit::new(whole, Text::Char(sign)));
                    host.push(sign);
                }
                _ => break,
            }
        }
        (edits, host.to_lowercase())
    }

    /// Whether it is the name of a host rather than words of a sentence.
    fn is_host(&self, name: &str) -> bool {
        let mut labels = name.trim_end_matches('.').split('.');
        let first = labels.next().unwrap_or_default();
        let last = labels.next_back().unwrap_or_default();
        !self.host.never.contains(first) && self.host.ends.contains(last)
    }

    /// The edits of the part before the `@` that ends at `end`, last first.
    fn before(&self, text: &str, mut end: usize) -> Vec<Edit> {
        let mut edits = Vec::new();
        for _ in 0..WORDS_MAX {
            let start = label_start(text, end);
            if start == end {
                break;
            }
            // Signs are short: the one that ends where the label begins is near.
            let from = text.floor_char_boundary(start.saturating_sub(24));
            let sign = text[from..start]
                .char_indices()
                .map(|(offset, _)| from + offset)
                .filter_map(|at| self.sign(text, at))
                .find(|sign| sign.whole.end == start);
            match sign {
                Some(Sign { sign, whole, .. })
                    if sign != '@' && label_start(text, whole.start) < whole.start =>
                {
                    end = whole.start;
                    edits.push(Edit::new(whole, Text::Char(sign)));
                }
                _ => break,
            }
        }
        edits
    }
}

/// How a word for `@` begins: its first five letters or, if it is shorter, all of it between
/// what sets it off; three bytes or more, in lower and in upper case.
fn beginnings(word: &str) -> Vec<String> {
    let lower: String = word.chars().take(5).collect();
    let spellings = [lower.to_uppercase(), lower];
    match word.chars().count() {
        5.. => spellings.into(),
        _ => spellings
            .iter()
            .flat_map(|word| SET_OFF.map(|(open, close)| format!("{open}{word}{close}")))
            .collect(),
    }
}

/// What stands before and after a short word for a sign.
const SET_OFF: [(char, char); 5] = [(' ', ' '), ('(', ')'), ('[', ']'), ('{', '}'), ('<', '>')];

/// Where what is written for a sign begins whose word begins at `at` or right after it: after
/// the label before, so before a bracket and a blank.
fn label_end_before(text: &str, at: usize) -> usize {
    let before = text[..at].chars().rev().take(3);
    at - before
        .take_while(|c| matches!(c, ' ' | '(' | '[' | '{' | '<'))
        .count()
}

/// Characters of a label, and the signs that are written as such.
fn in_label(c: char) -> bool {
    is_word(c) || matches!(c, '-' | '_' | '.' | '+')
}

fn label_end(text: &str, at: usize) -> usize {
    let label = text[at..].chars().take(64).take_while(|&c| in_label(c));
    at + label.map(char::len_utf8).sum::<usize>()
}

fn label_start(text: &str, end: usize) -> usize {
    let label = text[..end]
        .chars()
        .rev()
        .take(64)
        .take_while(|&c| in_label(c));
    end - label.map(char::len_utf8).sum::<usize>()
}

#[cfg(test)]
mod tests {
    use super::{super::view::View, *};

    fn written(text: &str) -> String {
        let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("../rules/normalise/spoken.toml");
        let spoken = Spoken::read(&rules).unwrap();
        let mut edits = Vec::new();
        spoken.write_out(text, 0..text.len(), &mut edits);
        View::new(text, 0..text.len(), &edits).text
    }

    #[test]
    fn spelled_out_addresses_are_written() {
        for (text, plain) in [
            ("anna at example dot org", "anna@example.org"),
            (
                "write to anna dot berg at mail dot example dot org today",
                "write to anna.berg@mail.example.org today",
            ),
            ("anna [at] example [dot] org", "anna@example.org"),
            ("anna(at)example.org", "anna@example.org"),
            ("anna (AT) example (DOT) org", "anna@example.org"),
            (
                "anna punkt berg ät beispiel punkt de",
                "anna.berg@beispiel.de",
            ),
            ("lucie arobase exemple point fr", "lucie@exemple.fr"),
            (
                "lucia guion bajo g arroba ejemplo punto es",
                "lucia_g@ejemplo.es",
            ),
            ("gio chiocciola esempio punto it", "gio@esempio.it"),
            ("lucia arroba ejemplo.es", "lucia@ejemplo.es"),
            ("jan apenstaartje voorbeeld punt nl", "jan@voorbeeld.nl"),
            ("jan małpa przyklad kropka pl", "jan@przyklad.pl"),
            ("rui arroba exemplo ponto pt", "rui@exemplo.pt"),
            ("anna @ example . org", "anna@example.org"),
        ] {
            assert_eq!(written(text), plain);
        }
    }

    #[test]
    fn ordinary_sentences_stay() {
        for text in [
            "see you at home, dot dot dot",
            "meet me at the point of no return",
            "meet me at the point it starts",
            "our site at www.example.org or at example.org/x",
            "look at the dot on the map",
            "He works at ACME. He lives in Rome.",
            "I am at example point",
        ] {
            let read = written(text);
            assert_eq!(read, text);
        }
    }

    #[test]
    fn a_broken_file_is_refused() {
        let path =
            std::env::temp_dir().join(format!("tollgate-spoken-{}.toml", std::process::id()));
        std::fs::write(&path, "[signs]\n\"@\" = 7\n").unwrap();
        let error = Spoken::read(&path).err().unwrap().to_string();
        std::fs::remove_file(&path).unwrap();
        assert!(error.contains(":2:"), "{error}");
    }
}
