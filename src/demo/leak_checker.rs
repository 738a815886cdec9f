//! Searches bytes for planted personal values, in every form that they might leave in.
//!
//! A value is looked for as it stands, JSON-escaped, percent-encoded, in base64 (at all three
//! alignments, both alphabets), in hexadecimal, in UTF-16, and, if it is a number with separators,
//! without them. All case-insensitively. What is reported never repeats the value.

use aho_corasick::{AhoCorasick, AhoCorasickBuilder, MatchKind};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;

/// Encoded forms shorter than this match by chance.
const ENCODED_BYTES_MIN: usize = 8;
/// Plain forms shorter than this count only where they stand as a word.
const PLAIN_BYTES_MIN: usize = 6;
/// What is kept of a large file at a time.
const OVERLAP: usize = 4_096;

/// A value found where it must not be.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Leak {
    /// Who planted it: the id of a prompt or of a test case.
    pub planter: String,
    /// The kind of personal data.
    pub entity: String,
    /// The form in which it was found.
    pub form: &'static str,
    /// Where.
    pub place: String,
    /// At which byte of it.
    pub offset: usize,
}

impl fmt::Display for Leak {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Leak {
            planter,
            entity,
            form,
            place,
            offset,
        } = self;
        write!(
            out,
            "{place}: {entity} planted by {planter}, {form}, at byte {offset}"
        )
    }
}

struct Needle {
    planter: String,
    entity: String,
    form: &'static str,
    word: bool,
}

/// Looks for a fixed set of planted values.
pub struct LeakChecker {
    needles: Vec<Needle>,
    automaton: AhoCorasick,
}

impl LeakChecker {
    /// Takes (who planted it, entity, value).
    pub fn new<'a>(planted: impl IntoIterator<Item = (&'a str, &'a str, &'a str)>) -> LeakChecker {
        let mut needles = Vec::new();
        let mut patterns = Vec::new();
        for (planter, entity, value) in planted {
            for (form, pattern) in forms(value) {
                let word = pattern.len() < PLAIN_BYTES_MIN;
                needles.push(Needle {
                    planter: planter.into(),
                    entity: entity.into(),
                    form,
                    word,
                });
                patterns.push(pattern);
            }
        }
        let automaton = AhoCorasickBuilder::new()
            .ascii_case_insensitive(true)
            .match_kind(MatchKind::Standard)
            .build(&patterns)
            .expect("a few thousand patterns fit into an automaton");
        LeakChecker { needles, automaton }
    }

    /// Every planted value in these bytes; the first place of each.
    pub fn search(&self, place: &str, bytes: &[u8]) -> Vec<Leak> {
        let mut seen = BTreeSet::new();
        let mut leaks = Vec::new();
        for found in self.automaton.find_overlapping_iter(bytes) {
            let needle = &self.needles[found.pattern()];
            if needle.word && !stands_alone(bytes, found.start(), found.end()) {
                continue;
            }
            if seen.insert(found.pattern()) {
                leaks.push(Leak {
                    planter: needle.planter.clone(),
                    entity: needle.entity.clone(),
                    form: needle.form,
                    place: place.into(),
                    offset: found.start(),
                });
            }
        }
        leaks
    }

    /// As [`search`](Self::search), over every regular file below a directory. Files that vanish
    /// meanwhile are skipped.
    ///
    /// # Errors
    /// When a directory or a file that is there cannot be read.
    pub fn search_dir(&self, dir: &Path) -> std::io::Result<Vec<Leak>> {
        let mut leaks = Vec::new();
        let mut left = vec![dir.to_path_buf()];
        while let Some(dir) = left.pop() {
            for entry in skip_vanished(std::fs::read_dir(&dir))?
                .into_iter()
                .flatten()
            {
                let entry = entry?;
                let kind = entry.file_type()?;
                if kind.is_dir() {
                    left.push(entry.path());
                } else if kind.is_file() {
                    leaks.extend(
                        skip_vanished(self.search_file(&entry.path()))?
                            .into_iter()
                            .flatten(),
                    );
                }
            }
        }
        Ok(leaks)
    }

    fn search_file(&self, path: &Path) -> std::io::Result<Vec<Leak>> {
        use std::io::Read;
        let mut file = std::fs::File::open(path)?;
        let place = path.display().to_string();
        let mut leaks = self.search(&format!("name of {place}"), place.as_bytes());
        let mut window = Vec::new();
        let mut before = 0;
        loop {
            let read = file.by_ref().take(1 << 20).read_to_end(&mut window)?;
            for mut leak in self.search(&place, &window) {
                leak.offset += before;
                leaks.push(leak);
            }
            if read == 0 {
                leaks.sort();
                leaks.dedup();
                return Ok(leaks);
            }
            let drop = window.len().saturating_sub(OVERLAP);
            window.drain(..drop);
            before += drop;
        }
    }
}

fn skip_vanished<T>(result: std::io::Result<T>) -> std::io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn stands_alone(bytes: &[u8], start: usize, end: usize) -> bool {
    let part =
        |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte >= 0x80);
    !part(start.checked_sub(1).and_then(|before| bytes.get(before))) && !part(bytes.get(end))
}

/// The forms of a value with their names, each pattern once.
fn forms(value: &str) -> Vec<(&'static str, Vec<u8>)> {
    let mut forms: Vec<(&'static str, Vec<u8>)> = Vec::new();
    let mut add = |name: &'static str, pattern: Vec<u8>, bytes_min: usize| {
        let fold = |bytes: &[u8]| bytes.to_ascii_lowercase();
        let known = forms.iter().any(|(_, held)| fold(held) == fold(&pattern));
        if pattern.len() >= bytes_min && !known {
            forms.push((name, pattern));
        }
    };
    for (name, text) in [
        ("plain", value.to_string()),
        ("plain", value.to_lowercase()),
        ("plain", value.to_uppercase()),
        ("JSON-escaped", json_escaped(value, false)),
        ("JSON-escaped", json_escaped(value, true)),
        ("percent-encoded", percent_encoded(value, "%20")),
        ("percent-encoded", percent_encoded(value, "+")),
    ] {
        add(name, text.into_bytes(), 1);
    }
    for shift in 0..3 {
        for (name, engine) in [
            ("base64", &STANDARD_NO_PAD),
            ("base64url", &URL_SAFE_NO_PAD),
        ] {
            add(name, base64_core(engine, value, shift), ENCODED_BYTES_MIN);
        }
    }
    let hex: String = value.bytes().map(|byte| format!("{byte:02x}")).collect();
    add("hexadecimal", hex.into_bytes(), ENCODED_BYTES_MIN);
    let wide: Vec<u8> = value.encode_utf16().flat_map(u16::to_le_bytes).collect();
    add("UTF-16", wide, ENCODED_BYTES_MIN);
    if value.bytes().filter(u8::is_ascii_digit).count() >= 7 {
        let bare: String = value.chars().filter(char::is_ascii_alphanumeric).collect();
        add("without separators", bare.into_bytes(), ENCODED_BYTES_MIN);
    }
    forms
}

/// As the inside of a JSON string; `all`: everything that is not ASCII as `\u`, and `/` as `\/`.
fn json_escaped(value: &str, all: bool) -> String {
    let mut escaped = String::new();
    for c in value.chars() {
        match c {
            '"' => escaped += "\\\"",
            '\\' => escaped += "\\\\",
            '\n' => escaped += "\\n",
            '/' if all => escaped += "\\/",
            c if (all && !c.is_ascii()) || c.is_control() => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    escaped += &format!("\\u{unit:04x}");
                }
            }
            c => escaped.push(c),
        }
    }
    escaped
}

fn percent_encoded(value: &str, space: &str) -> String {
    let mut encoded = String::new();
    for byte in value.bytes() {
        match byte {
            b' ' => encoded += space,
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(char::from(byte));
            }
            byte => encoded += &format!("%{byte:02X}"),
        }
    }
    encoded
}

/// The characters of base64 that depend on the value alone when `shift` bytes stand before it.
fn base64_core(engine: &impl Engine, value: &str, shift: usize) -> Vec<u8> {
    let mut bytes = vec![0; shift];
    bytes.extend_from_slice(value.as_bytes());
    let encoded = engine.encode(&bytes).into_bytes();
    let start = (shift * 8).div_ceil(6);
    let end = bytes.len() * 8 / 6;
    encoded.get(start..end).unwrap_or_default().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::engine::general_purpose::STANDARD;

    fn found(value: &str, text: impl AsRef<[u8]>) -> Option<&'static str> {
        LeakChecker::new([("case", "PERSON", value)])
            .search("here", text.as_ref())
            .first()
            .map(|leak| leak.form)
    }

    #[test]
    fn finds_a_value_in_every_form() {
        let value = "Zoë O\"Neil/4";
        assert_eq!(found(value, "x Zoë O\"Neil/4 x"), Some("plain"));
        assert_eq!(found(value, "x ZOË O\"NEIL/4 x"), Some("plain"));
        assert_eq!(
            found(value, r#"{"a":"Zo\u00eb O\"Neil\/4"}"#),
            Some("JSON-escaped")
        );
        assert_eq!(
            found(value, "q=zo%C3%AB%20O%22neil%2F4"),
            Some("percent-encoded")
        );
        assert_eq!(
            found(value, "q=Zo%C3%AB+O%22Neil%2F4"),
            Some("percent-encoded")
        );
        for before in ["", "a", "ab", "abc"] {
            let text = STANDARD.encode(format!("{before}{value} and more"));
            assert_eq!(found(value, text), Some("base64"), "after {before:?}");
        }
        let wide: Vec<u8> = value.encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(found(value, wide), Some("UTF-16"));
        assert_eq!(
            found("4539 1488 0343 6467", "4539148803436467"),
            Some("without separators")
        );
        assert_eq!(found(value, "Zoe O'Neil"), None);
    }

    #[test]
    fn a_short_value_counts_as_a_word_only() {
        assert_eq!(found("VIH", "seropositivo para o vih."), Some("plain"));
        assert_eq!(found("VIH", "aGVIHb"), None);
    }

    #[test]
    fn a_leak_is_reported_without_the_value_and_found_across_windows() {
        let dir = tempfile::tempdir().unwrap();
        let mut bytes = vec![b'x'; (1 << 20) - 5];
        bytes.extend_from_slice(b" Eleanor Whitcombe");
        std::fs::create_dir(dir.path().join("part")).unwrap();
        std::fs::write(dir.path().join("part/data.bin"), &bytes).unwrap();
        let checker = LeakChecker::new([("letter", "PERSON", "Eleanor Whitcombe")]);
        let leaks = checker.search_dir(dir.path()).unwrap();
        assert_eq!(leaks.len(), 1);
        assert_eq!(leaks[0].offset, (1 << 20) - 4);
        let text = leaks[0].to_string();
        assert!(text.contains("PERSON planted by letter") && !text.contains("Whitcombe"));
        assert!(
            checker
                .search_dir(&dir.path().join("gone"))
                .unwrap()
                .is_empty()
        );
    }
}
