//! What is known of a word: is it a name, a place, an ordinary word?
//!
//! The lists of `rules/names/*.txt` (some 300,000 words) in one table of eight bytes an entry:
//! a word's flags in the low 16 bits, 48 bits of its hash above them. The words themselves are
//! not kept. Two words of one hash share their flags, which one word in ten million will.

use crate::Error;
use std::{fs, ops::BitOr, path::Path};

/// What a word can be, as a set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Flags(u16);

impl Flags {
    pub const NONE: Self = Self(0);
    /// A given name.
    pub const GIVEN: Self = Self(1);
    pub const SURNAME: Self = Self(1 << 1);
    /// A town, or a phrase that is one.
    pub const TOWN: Self = Self(1 << 2);
    /// A country or a state of the USA.
    pub const COUNTRY: Self = Self(1 << 3);
    /// A word that some language writes small, or that everybody knows and that names nobody.
    pub const COMMON: Self = Self(1 << 4);
    /// A month, a day of the week, a language.
    pub const CALENDAR: Self = Self(1 << 5);
    /// A word that organizations have in their names.
    pub const ORG: Self = Self(1 << 6);
    /// A form of address or an office before a name.
    pub const TITLE: Self = Self(1 << 7);
    /// A word in lower case inside of a person's name: `van`, `de`.
    pub const PARTICLE: Self = Self(1 << 8);
    /// A word in lower case inside of an organization's name: `of`, `and`.
    pub const CONNECTOR: Self = Self(1 << 9);
    /// A word before a place: `in`, `near`.
    pub const PREPOSITION: Self = Self(1 << 10);
    /// A word that begins no name: `the`, `der`.
    pub const DETERMINER: Self = Self(1 << 11);
    /// A legal form: `GmbH`, `Ltd`.
    pub const LEGAL: Self = Self(1 << 12);
    /// A word that a place's name begins with: `Republic`, `St`.
    pub const PLACE_HEAD: Self = Self(1 << 13);
    /// A word after which a given name stands: `Dear`.
    pub const GREETING: Self = Self(1 << 14);
    /// A form of an ordinary word, nobody knows how common, that is also a name.
    pub const FORM: Self = Self(1 << 15);
    /// What the lists say of words, as opposed to what words stand around names.
    pub const LISTED: Self = Self(0x3f | Self::FORM.0);
    /// A given name or a surname.
    pub const NAME: Self = Self(Self::GIVEN.0 | Self::SURNAME.0);
    /// A town or a country.
    pub const PLACE: Self = Self(Self::TOWN.0 | Self::COUNTRY.0);

    /// Whether the two sets have a flag in common.
    pub fn any(self, of: Self) -> bool {
        self.0 & of.0 != 0
    }
}

impl BitOr for Flags {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// The longest word or phrase that is looked up, in bytes.
const LONGEST: usize = 96;

/// The lists, and what each says of its words. A file's name before its first `-` decides; the
/// rest names a language.
const LISTS: [(&str, Flags); 7] = [
    ("given", Flags::GIVEN),
    ("surname", Flags::SURNAME),
    ("town", Flags::TOWN),
    ("country", Flags::COUNTRY),
    ("common", Flags::COMMON),
    ("form", Flags::FORM),
    ("calendar", Flags::CALENDAR),
];

/// A rule file's text.
pub(super) fn text(path: &Path) -> Result<String, Error> {
    fs::read_to_string(path).map_err(|source| Error::Io {
        path: path.into(),
        source,
    })
}

/// Words and phrases with their flags. A word is looked up whatever its case.
pub(crate) struct Lexicon {
    /// Open addressing with linear probing; 0 is empty.
    table: Vec<u64>,
    len: usize,
}

impl Lexicon {
    /// Reads every list in `directory`, and takes `words` besides.
    pub fn read<'w>(
        directory: &Path,
        words: impl Iterator<Item = (&'w str, Flags)>,
    ) -> Result<Self, Error> {
        let io = |source| Error::Io {
            path: directory.into(),
            source,
        };
        let mut paths = Vec::new();
        for entry in fs::read_dir(directory).map_err(io)? {
            let path = entry.map_err(io)?.path();
            if path.extension().is_some_and(|kind| kind == "txt") {
                paths.push(path);
            }
        }
        paths.sort();
        let mut lexicon = Self {
            table: vec![0; 1 << 10],
            len: 0,
        };
        for path in paths {
            let stem = path.file_stem().unwrap_or_default().to_string_lossy();
            let kind = stem.split('-').next().unwrap_or_default();
            let refuse = |line: usize, reason: String| Error::Rules {
                path: path.clone(),
                line,
                reason,
            };
            let Some((_, flags)) = LISTS.iter().find(|(name, _)| *name == kind) else {
                let known = LISTS.map(|(name, _)| name).join(", ");
                return Err(refuse(
                    1,
                    format!("no kind of list `{kind}`; there are {known}"),
                ));
            };
            let source = text(&path)?;
            for (number, word) in source.lines().enumerate() {
                if word.starts_with('#') {
                    continue;
                }
                if word.trim() != word || word.is_empty() || word.chars().any(char::is_uppercase) {
                    return Err(refuse(
                        number + 1,
                        "expected a word in lower case, alone in its line".into(),
                    ));
                }
                if !lexicon.add(word, *flags) {
                    return Err(refuse(number + 1, format!("longer than {LONGEST} bytes")));
                }
            }
        }
        for (word, flags) in words {
            lexicon.add(word, flags);
        }
        Ok(lexicon)
    }

    /// How many words there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// What is known of a word or phrase; nothing of one that is too long.
    pub fn get(&self, word: &str) -> Flags {
        let Some(hash) = hash(word) else {
            return Flags::NONE;
        };
        match self.table[self.slot(hash)] {
            0 => Flags::NONE,
            entry => Flags(entry as u16),
        }
    }

    fn add(&mut self, word: &str, flags: Flags) -> bool {
        let Some(hash) = hash(word) else {
            return false;
        };
        if self.len * 2 >= self.table.len() {
            let old = std::mem::take(&mut self.table);
            self.table = vec![0; old.len() * 2];
            for entry in old.into_iter().filter(|entry| *entry != 0) {
                let slot = self.slot(entry & TAG);
                self.table[slot] = entry;
            }
        }
        let slot = self.slot(hash);
        self.len += usize::from(self.table[slot] == 0);
        self.table[slot] |= hash | u64::from(flags.0);
        true
    }

    /// Where a hash stands, or would.
    fn slot(&self, hash: u64) -> usize {
        let mask = self.table.len() - 1;
        let mut slot = (hash >> 16) as usize & mask;
        while self.table[slot] != 0 && self.table[slot] & TAG != hash {
            slot = (slot + 1) & mask;
        }
        slot
    }
}

/// The part of an entry that is the hash.
const TAG: u64 = !0xffff;

/// A hash of the word in lower case, its low 16 bits 0; never 0.
fn hash(word: &str) -> Option<u64> {
    let mut buffer = [0u8; LONGEST + 8];
    let len = fold(word, &mut buffer)?;
    let mut hash = len as u64;
    for chunk in buffer[..len.next_multiple_of(8)].chunks_exact(8) {
        let mut bytes = [0; 8];
        bytes.copy_from_slice(chunk);
        // Multiplication by an odd constant and folding, as in FxHash and wyhash.
        hash = (hash ^ u64::from_le_bytes(bytes)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        hash ^= hash >> 29;
    }
    hash = hash.wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash ^= hash >> 32;
    Some((hash & TAG).max(1 << 16))
}

/// Writes the word in lower case, one space for each run of white space.
fn fold(word: &str, buffer: &mut [u8; LONGEST + 8]) -> Option<usize> {
    if word.len() > LONGEST {
        return None;
    }
    let mut len = 0;
    if word.is_ascii() {
        for &byte in word.as_bytes() {
            buffer[len] = match byte.is_ascii_whitespace() {
                true => b' ',
                false => byte.to_ascii_lowercase(),
            };
            len += 1;
        }
        return Some(len);
    }
    for c in word.chars() {
        let c = match c {
            '’' => '\'',
            c if c.is_whitespace() => ' ',
            c => c,
        };
        for lower in c.to_lowercase() {
            if len + 4 > LONGEST {
                return None;
            }
            len += lower.encode_utf8(&mut buffer[len..]).len();
        }
    }
    Some(len)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_has_the_flags_of_all_its_lists_in_any_case() {
        let directory = std::env::temp_dir().join(format!("lexicon-{}", std::process::id()));
        fs::create_dir_all(&directory).unwrap();
        fs::write(directory.join("given.txt"), "# head\nrosa\nélodie\n").unwrap();
        fs::write(directory.join("common-es.txt"), "rosa\n").unwrap();
        fs::write(directory.join("town.txt"), "new york\n").unwrap();
        let lexicon = Lexicon::read(&directory, [("van", Flags::PARTICLE)].into_iter()).unwrap();
        assert_eq!(lexicon.len(), 4);
        assert_eq!(lexicon.get("Rosa"), Flags::GIVEN | Flags::COMMON);
        assert_eq!(lexicon.get("ÉLODIE"), Flags::GIVEN);
        assert_eq!(lexicon.get("New York"), Flags::TOWN);
        assert_eq!(lexicon.get("van"), Flags::PARTICLE);
        assert_eq!(lexicon.get("ros"), Flags::NONE);
        assert_eq!(lexicon.get(&"x".repeat(1000)), Flags::NONE);

        fs::write(directory.join("town.txt"), "# head\nRome\n").unwrap();
        let error = Lexicon::read(&directory, std::iter::empty()).err().unwrap();
        assert!(error.to_string().contains("town.txt:2"), "{error}");
        fs::remove_dir_all(&directory).unwrap();
    }

    #[test]
    fn many_words_stay_apart() {
        let words: Vec<String> = (0..50_000u32)
            .map(|n| format!("w{}", n.wrapping_mul(2_654_435_761)))
            .collect();
        let mut lexicon = Lexicon {
            table: vec![0; 1 << 10],
            len: 0,
        };
        for (number, word) in words.iter().enumerate() {
            assert!(lexicon.add(word, Flags(1 << (number % 8))));
        }
        assert_eq!(lexicon.len(), words.len());
        for (number, word) in words.iter().enumerate() {
            assert_eq!(lexicon.get(word), Flags(1 << (number % 8)), "{word}");
        }
        assert_eq!(lexicon.get("w"), Flags::NONE);
    }
}
