//! The values that one exchange replaced, and their placeholders.

use crate::placeholder::{self, ScopeKey, TAG_LEN, TAG_LEN_MAX};
use crate::restore;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;
use zeroize::Zeroizing;

/// Tag-like words of the request that are remembered one by one. Beyond it, all new tags are
/// [`TAG_LEN_CROWDED`] long instead: too long to be met by chance.
const RESERVED_MAX: usize = 1 << 18;
const TAG_LEN_CROWDED: usize = 10;

/// What a vault holds at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VaultLimits {
    /// Distinct values.
    pub values_max: usize,
    /// Bytes of all distinct values together.
    pub bytes_max: usize,
}

impl Default for VaultLimits {
    /// 100,000 values, 32 MiB.
    fn default() -> Self {
        Self {
            values_max: 100_000,
            bytes_max: 32 << 20,
        }
    }
}

/// Why a value got no placeholder. Nothing of the value is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// The label is not upper-case ASCII words joined by `_`, or too long.
    #[error("an entity label must be upper-case ASCII words joined by `_`, at most {max} bytes", max = placeholder::LABEL_LEN_MAX)]
    Label,
    /// More distinct values than [`VaultLimits::values_max`].
    #[error("more than {max} distinct values to replace in one request")]
    Values {
        /// The limit.
        max: usize,
    },
    /// More bytes of values than [`VaultLimits::bytes_max`].
    #[error("more than {max} bytes of values to replace in one request")]
    Bytes {
        /// The limit.
        max: usize,
    },
    /// Every tag that the value could have is taken.
    #[error("no free tag is left for a value")]
    Tags,
}

/// Placeholders and originals of one exchange.
///
/// It lives as long as the exchange and holds only what this very request held, so nothing that
/// a model answers can yield another caller's value. Values are wiped on drop. Fill it while the
/// request is rewritten ([`reserve`](Self::reserve) every text first, then
/// [`placeholder`](Self::placeholder) for each value); read it while the answer is restored.
pub struct Vault {
    key: ScopeKey,
    limits: VaultLimits,
    entries: Vec<Entry>,
    // By digest rather than by value, so that no second copy of a value exists.
    by_digest: HashMap<[u8; 32], usize>,
    by_tag: BTreeMap<String, usize>,
    labels: Vec<String>,
    bytes: usize,
    reserved: HashSet<u128>,
    crowded: bool,
    /// By first letter (A is 0): whether a tag begins so.
    tag_starts: [bool; 26],
    /// By first letter: a bit for each second letter with which a label goes on, all bits for a
    /// label of one letter.
    label_starts: [u32; 26],
}

struct Entry {
    label: usize,
    placeholder: String,
    value: Zeroizing<String>,
}

impl Vault {
    /// An empty vault for one exchange of a caller of this scope.
    pub fn new(key: &ScopeKey, limits: VaultLimits) -> Self {
        Self {
            key: key.clone(),
            limits,
            entries: Vec::new(),
            by_digest: HashMap::new(),
            by_tag: BTreeMap::new(),
            labels: Vec::new(),
            bytes: 0,
            reserved: HashSet::new(),
            crowded: false,
            tag_starts: [false; 26],
            label_starts: [0; 26],
        }
    }

    /// Notes the words of a request's text that look like tags, so that no value gets a tag that
    /// the text already holds otherwise. Call it for every text before the first placeholder.
    ///
    /// A tag within an exact placeholder does not count: it is ours, come back in the history
    /// (an answer that was not restored), means the same value, and must not change it.
    pub fn reserve(&mut self, text: &str) {
        let bytes = text.as_bytes();
        let (mut at, mut in_word) = (0, false);
        while let Some(&byte) = bytes.get(at) {
            // A tag begins with a letter and a digit; only such words are worth a closer look.
            let (c, len) = match byte {
                0..0x80 => (char::from(byte), 1),
                _ => first_char(&text[at..]),
            };
            let candidate = !in_word
                && c.is_ascii_alphabetic()
                && bytes
                    .get(at + len)
                    .is_some_and(|next| !next.is_ascii_alphabetic());
            if candidate {
                at = self.reserve_word(text, at);
            } else {
                in_word = restore::is_word(c);
                at += len;
            }
        }
    }

    /// Notes the word that starts here, if it could be a tag; returns where it ends.
    fn reserve_word(&mut self, text: &str, from: usize) -> usize {
        let mut folded = text[from..]
            .char_indices()
            .map(|(at, c)| (at, restore::fold(c)));
        let word: String = folded
            .clone()
            .map(|(_, c)| c)
            .take_while(|&c| restore::is_word(c))
            .collect();
        let end = folded.find(|&(_, c)| !restore::is_word(c));
        let to = end.map_or(text.len(), |(at, _)| from + at);
        let word = word.strip_suffix('s').unwrap_or(&word).to_ascii_uppercase();
        if !placeholder::is_tag(&word) || is_placeholder_around(text, from, to) {
            return to;
        }
        if self.reserved.len() < RESERVED_MAX {
            self.reserved.insert(pack(&word));
        } else {
            self.crowded = true;
        }
        to
    }

    /// The placeholder of a value, for example `[PERSON_K7Q2MX]`: ASCII without quotes or
    /// backslashes, so it needs no escaping in JSON. The same value and label get the same one.
    pub fn placeholder(&mut self, label: &str, value: &str) -> Result<&str, VaultError> {
        if !placeholder::is_label(label) {
            return Err(VaultError::Label);
        }
        let digest = self.key.digest(label, value);
        if let Some(&entry) = self.by_digest.get(&*digest) {
            return Ok(&self.entries[entry].placeholder);
        }
        if self.entries.len() >= self.limits.values_max {
            return Err(VaultError::Values {
                max: self.limits.values_max,
            });
        }
        if value.len() > self.limits.bytes_max - self.bytes {
            return Err(VaultError::Bytes {
                max: self.limits.bytes_max,
            });
        }
        let longest = placeholder::tag(&digest);
        let shortest = if self.crowded {
            TAG_LEN_CROWDED
        } else {
            TAG_LEN
        };
        let tag = (shortest..=TAG_LEN_MAX)
            .map(|len| &longest[..len])
            .find(|&tag| !self.by_tag.contains_key(tag) && !self.reserved.contains(&pack(tag)))
            .ok_or(VaultError::Tags)?;
        let entry = self.insert(label, tag, value);
        self.by_digest.insert(*digest, entry);
        Ok(&self.entries[entry].placeholder)
    }

    fn insert(&mut self, label: &str, tag: &str, value: &str) -> usize {
        let known = self.labels.iter().position(|known| known == label);
        let label_index = known.unwrap_or_else(|| {
            self.labels.push(label.to_owned());
            self.labels.len() - 1
        });
        if let (Some(first), Some(start)) = (letter(label, 0), letter(tag, 0)) {
            self.label_starts[first] |= letter(label, 1).map_or(u32::MAX, |second| 1 << second);
            self.tag_starts[start] = true;
        }
        self.bytes += value.len();
        self.entries.push(Entry {
            label: label_index,
            placeholder: format!("[{label}_{tag}]"),
            value: Zeroizing::new(value.to_owned()),
        });
        let entry = self.entries.len() - 1;
        self.by_tag.insert(tag.to_owned(), entry);
        entry
    }

    /// A keyed hash of a value under this vault's scope; irreversible. 16 hex digits.
    pub(crate) fn hash(&self, label: &str, value: &str) -> String {
        self.key.hash(label, value)
    }

    /// How many distinct values it holds.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether nothing was replaced, so that there is nothing to restore.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The labels of its values, in the order in which they came.
    pub(crate) fn labels(&self) -> &[String] {
        &self.labels
    }

    /// The entry with exactly this upper-case tag.
    pub(crate) fn find(&self, tag: &str) -> Option<usize> {
        self.by_tag.get(tag).copied()
    }

    /// Whether a tag of this vault begins so.
    pub(crate) fn has_tag_with_prefix(&self, prefix: &str) -> bool {
        let from = (
            std::ops::Bound::Included(prefix),
            std::ops::Bound::Unbounded,
        );
        self.by_tag
            .range::<str, _>(from)
            .next()
            .is_some_and(|(tag, _)| tag.starts_with(prefix))
    }

    pub(crate) fn value(&self, entry: usize) -> &str {
        &self.entries[entry].value
    }

    pub(crate) fn label(&self, entry: usize) -> usize {
        self.entries[entry].label
    }

    /// Whether a tag or label of this vault may begin with this ASCII letter, in either case,
    /// and this byte behind it, if that is known.
    pub(crate) fn may_start(&self, first: u8, second: Option<u8>) -> bool {
        let Some(index) = letter_index(first) else {
            return false;
        };
        match second.map(letter_index) {
            Some(Some(second)) => self.label_starts[index] & (1 << second) != 0,
            _ => self.tag_starts[index] || self.label_starts[index] != 0,
        }
    }

    /// A vault with chosen tags.
    #[cfg(test)]
    pub(crate) fn with_tags(entries: &[(&str, &str, &str)]) -> Self {
        let key = placeholder::MasterKey::new([1; 32]).scope("test");
        let mut vault = Self::new(&key, VaultLimits::default());
        for (label, tag, value) in entries {
            assert!(
                placeholder::is_label(label) && placeholder::is_tag(tag),
                "{label} {tag}"
            );
            vault.insert(label, tag, value);
        }
        vault
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vault")
            .field("values", &self.entries.len())
            .field("bytes", &self.bytes)
            .finish_non_exhaustive()
    }
}

/// Whether `text[from..to]` is the tag of an exact placeholder `[LABEL_TAG]`.
fn is_placeholder_around(text: &str, from: usize, to: usize) -> bool {
    let before = text[..from].strip_suffix('_').and_then(|before| {
        let window = before.len().saturating_sub(placeholder::LABEL_LEN_MAX + 1);
        let open = before.as_bytes()[window..]
            .iter()
            .rposition(|&byte| byte == b'[')?;
        Some(&before[window + open + 1..])
    });
    before.is_some_and(placeholder::is_label)
        && text[to..].starts_with(']')
        && placeholder::is_tag(&text[from..to])
}

/// The first character, full-width forms as ASCII, and its length in bytes.
fn first_char(text: &str) -> (char, usize) {
    text.chars()
        .next()
        .map_or((' ', 1), |c| (restore::fold(c), c.len_utf8()))
}

fn letter(text: &str, at: usize) -> Option<usize> {
    text.as_bytes().get(at).copied().and_then(letter_index)
}

/// A is 0, in either case.
fn letter_index(byte: u8) -> Option<usize> {
    byte.is_ascii_alphabetic()
        .then(|| usize::from((byte | 0x20) - b'a'))
}

/// A tag as a number; exact, since 16 characters of 7 bits fit.
fn pack(tag: &str) -> u128 {
    tag.bytes()
        .fold(1, |packed, byte| packed << 7 | u128::from(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vault_of(scope: &str, limits: VaultLimits) -> Vault {
        Vault::new(&placeholder::MasterKey::new([9; 32]).scope(scope), limits)
    }

    fn vault(scope: &str) -> Vault {
        vault_of(scope, VaultLimits::default())
    }

    #[test]
    fn same_value_same_placeholder_in_every_exchange_of_a_scope() {
        let first = vault("hr")
            .placeholder("PERSON", "Ada Muster")
            .unwrap()
            .to_owned();
        let mut later = vault("hr");
        later.placeholder("EMAIL", "ada@example.org").unwrap();
        assert_eq!(later.placeholder("PERSON", "Ada Muster").unwrap(), first);
        assert_eq!(later.placeholder("PERSON", "Ada Muster").unwrap(), first);
        assert_eq!(later.len(), 2);
        assert_ne!(
            vault("bank").placeholder("PERSON", "Ada Muster").unwrap(),
            first
        );
        assert!(first.starts_with("[PERSON_") && first.ends_with(']'));
        assert_eq!(first.len(), "[PERSON_]".len() + TAG_LEN);
    }

    #[test]
    fn tag_that_the_text_holds_otherwise_is_extended() {
        let plain = vault("hr").placeholder("PERSON", "Ada").unwrap().to_owned();
        let tag = &plain["[PERSON_".len()..plain.len() - 1];
        let full_width: String = tag
            .chars()
            .map(|c| char::from_u32(c as u32 + 0xfee0).unwrap())
            .collect();
        for text in [
            format!("part no. {tag}."),
            tag.to_lowercase(),
            format!("{tag}s"),
            format!("[person_{tag}]"),
            format!("[PERSON_{tag}"),
            format!("[{tag}]"),
            full_width,
        ] {
            let mut vault = vault("hr");
            vault.reserve(&text);
            let longer = vault.placeholder("PERSON", "Ada").unwrap();
            assert_eq!(longer.len(), plain.len() + 1, "{text}");
            assert_eq!(
                longer[..longer.len() - 2],
                plain[..plain.len() - 1],
                "{text}"
            );
        }
        for text in [
            plain.clone(),
            format!("a{tag}"),
            format!("{tag}9"),
            format!("\u{e9}{tag}"),
        ] {
            let mut vault = vault("hr");
            vault.reserve(&text);
            assert_eq!(vault.placeholder("PERSON", "Ada").unwrap(), plain, "{text}");
        }
    }

    #[test]
    fn colliding_values_get_distinct_tags() {
        let mut vault = vault("hr");
        let tag = placeholder::tag(&vault.key.digest("PERSON", "Ada"));
        vault.insert("PERSON", &tag[..TAG_LEN], "somebody else");
        let longer = vault.placeholder("PERSON", "Ada").unwrap();
        assert_eq!(longer, format!("[PERSON_{}]", &tag[..TAG_LEN + 1]));
    }

    #[test]
    fn crowded_text_leads_to_long_tags_rather_than_to_memory() {
        let mut vault = vault("hr");
        vault
            .reserved
            .extend((0..RESERVED_MAX as u128).map(|n| n << 8));
        vault.reserve("K7Q2MX");
        assert_eq!(vault.reserved.len(), RESERVED_MAX);
        let placeholder = vault.placeholder("PERSON", "Ada").unwrap();
        assert_eq!(placeholder.len(), "[PERSON_]".len() + TAG_LEN_CROWDED);
    }

    #[test]
    fn limits_hold() {
        let mut vault = vault_of(
            "hr",
            VaultLimits {
                values_max: 2,
                bytes_max: 5,
            },
        );
        vault.placeholder("PERSON", "Ada").unwrap();
        assert_eq!(
            vault.placeholder("PERSON", "Eva").unwrap_err(),
            VaultError::Bytes { max: 5 }
        );
        vault.placeholder("PERSON", "Al").unwrap();
        assert_eq!(
            vault.placeholder("PERSON", "").unwrap_err(),
            VaultError::Values { max: 2 }
        );
        assert!(vault.placeholder("PERSON", "Ada").is_ok());
        assert_eq!(
            vault.placeholder("person", "Ada").unwrap_err(),
            VaultError::Label
        );
    }

    #[test]
    fn debug_shows_counts_only() {
        let mut vault = vault("hr");
        vault.placeholder("PERSON", "Ada").unwrap();
        assert_eq!(format!("{vault:?}"), "Vault { values: 1, bytes: 3, .. }");
    }

    #[test]
    fn a_thousand_values_restore_to_themselves() {
        let mut vault = vault("hr");
        let values: Vec<_> = (0..1_000).map(|n| format!("value {n}")).collect();
        for value in &values {
            let placeholder = vault.placeholder("CUSTOM", value).unwrap();
            let tag = placeholder["[CUSTOM_".len()..placeholder.len() - 1].to_owned();
            assert_eq!(vault.value(vault.find(&tag).unwrap()), value);
            assert!(vault.has_tag_with_prefix(&tag[..3]));
        }
        assert!(!vault.has_tag_with_prefix("S"));
    }
}
