//! E-mail addresses with their signs spelled out: `anna dot berg at example dot org`.

use super::view::{Edit, Text};
use crate::{
    Error,
    context::{is_word, spellings_of},
    pack::line_of,
};
use aho_corasick::{AhoCorasick, Anchored, Input, MatchKind, StartKind};
use serde::Deserialize;
use std::{
    collections::{BTreeMap, HashSet},
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
    /// What its last word may be.
    ends: HashSet<String>,
    /// What its first word is not.
    never: HashSet<String>,
}

/// The words for signs.
pub(super) struct Spoken {
    /// Every word for `@` in the ways that it is set off: where addresses are looked for.
    at: AhoCorasick,
    /// Every word for any sign, set off, forwards.
    signs: AhoCorasick,
    sign_of: Vec<char>,
    host: Host,
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
        let (mut at_words, mut words, mut sign_of) = (Vec::new(), Vec::new(), Vec::new());
        for (sign, spoken) in &file.signs {
            let mut letters = sign.chars();
            let (Some(sign), None) = (letters.next(), letters.next()) else {
                return Err(refuse(0, format!("`{sign}` is not one character")));
            };
            for word in spoken.iter().flat_map(|word| spellings_of(word)) {
                for set_off in set_off(&word) {
                    if sign == '@' {
                        at_words.push(set_off.clone());
                    }
                    words.push(set_off);
                    sign_of.push(sign);
                }
            }
        }
        let build = |words: &[String], kind, start| {
            AhoCorasick::builder()
                .ascii_case_insensitive(true)
                .match_kind(kind)
                .start_kind(start)
                .build(words)
                .map_err(|error| refuse(0, error.to_string()))
        };
        Ok(Self {
            at: build(&at_words, MatchKind::LeftmostLongest, StartKind::Unanchored)?,
            signs: build(&words, MatchKind::LeftmostLongest, StartKind::Both)?,
            sign_of,
            host: file.host,
        })
    }

    /// Appends edits that put the signs into addresses whose `@` begins in `range`.
    pub fn write_out(&self, text: &str, range: Range<usize>, out: &mut Vec<Edit>) {
        for at in self.at.find_iter(Input::new(text).range(range.clone())) {
            let (mut edits, host) = self.behind(text, at.end());
            let mut before = self.before(text, at.start());
            let spelled = &text[at.range()] != "@";
            let local = text[..at.start()].chars().next_back().is_some_and(is_word);
            if !(local && spelled && self.is_host(&host)) {
                continue;
            }
            if out.last().is_some_and(|last| {
                let first = before.last().map_or(at.start(), |edit| edit.span.start);
                last.span.end > first
            }) {
                continue;
            }
            before.reverse();
            out.append(&mut before);
            out.push(Edit::new(at.range(), Text::Char('@')));
            out.append(&mut edits);
        }
    }

    /// The sign spelled out at `at`, and where it ends.
    fn sign(&self, text: &str, at: usize) -> Option<(char, usize)> {
        let input = Input::new(text).range(at..).anchored(Anchored::Yes);
        let found = self.signs.find(input)?;
        Some((self.sign_of[found.pattern().as_usize()], found.end()))
    }

    /// The edits of a host name from `at` on, and the name: labels, and signs spelled out
    /// between them.
    fn behind(&self, text: &str, mut at: usize) -> (Vec<Edit>, String) {
        let (mut edits, mut host) = (Vec::new(), String::new());
        for _ in 0..WORDS_MAX {
            let label = label_end(text, at);
            host.push_str(&text[at..label]);
            match self.sign(text, label).filter(|_| label > at) {
                Some((sign @ ('.' | '-'), end)) if label_end(text, end) > end => {
                    edits.push(Edit::new(label..end, Text::Char(sign)));
                    host.push(sign);
                    at = end;
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
                .find_map(|at| {
                    self.sign(text, at)
                        .filter(|(_, end)| *end == start)
                        .map(|s| (at, s.0))
                });
            match sign {
                Some((at, sign)) if sign != '@' && label_start(text, at) < at => {
                    edits.push(Edit::new(at..start, Text::Char(sign)));
                    end = at;
                }
                _ => break,
            }
        }
        edits
    }
}

/// A word between blanks and in each kind of bracket, with blanks around those or not.
fn set_off(word: &str) -> Vec<String> {
    let mut ways = Vec::new();
    if word.chars().any(char::is_alphanumeric) {
        ways.push(format!(" {word} "));
    } else {
        ways.extend([format!(" {word} "), format!(" {word}"), format!("{word} ")]);
    }
    for (open, close) in [('(', ')'), ('[', ']'), ('{', '}'), ('<', '>')] {
        for (before, after) in [("", ""), (" ", " "), (" ", ""), ("", " ")] {
            ways.push(format!("{before}{open}{word}{close}{after}"));
            ways.push(format!("{before}{open} {word} {close}{after}"));
        }
    }
    ways
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
