//! The keys and the tags of placeholders.
//!
//! A placeholder is `[LABEL_TAG]`, for example `[PERSON_K7Q2MX]`. The tag is made from
//! HMAC-SHA256(scope key, label || 0 || exact value bytes), so that one caller's value has one
//! placeholder in every request, with no state kept between requests (a redacted history stays
//! byte-identical, and provider prompt caches keep working), while another caller's tag for the
//! same value is unrelated and tells nothing.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::fmt;
use zeroize::Zeroizing;

/// Length of a tag unless it must be extended. The 65.8 million tags of this length make a
/// collision within one vault rare (0.8 % at 1,000 values) and harmless: the later one is longer.
pub const TAG_LEN: usize = 6;

/// Longest tag that a collision may lead to.
pub const TAG_LEN_MAX: usize = 16;

/// Longest entity label that a placeholder carries, in bytes.
pub const LABEL_LEN_MAX: usize = 32;

// No vowels (a tag spells no word), no `0 1 I L O U`, no `Y`; and no `S`, which reads as `5` and
// would make a plural `s` after a tag ambiguous.
const LETTERS: &[u8; 18] = b"BCDFGHJKMNPQRTVWXZ";
const DIGITS: &[u8; 8] = b"23456789";

/// The installation's secret, from which every caller's key is derived. Wiped on drop; its
/// `Debug` shows nothing of it.
#[derive(Clone)]
pub struct MasterKey(Zeroizing<[u8; 32]>);

impl MasterKey {
    /// Takes 32 bytes from a cryptographic random source.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The key of one scope: the callers that share it see the same placeholder for the same
    /// value; nobody else can compute or recognise it.
    pub fn scope(&self, name: &str) -> ScopeKey {
        ScopeKey(mac(&self.0, &[b"placeholder scope\0", name.as_bytes()]))
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey(..)")
    }
}

/// The key of one scope of callers. Wiped on drop; its `Debug` shows nothing of it.
#[derive(Clone)]
pub struct ScopeKey(Zeroizing<[u8; 32]>);

impl ScopeKey {
    /// Identifies a value under a label; the source of its tag.
    pub(crate) fn digest(&self, label: &str, value: &str) -> Zeroizing<[u8; 32]> {
        mac(&self.0, &[label.as_bytes(), b"\0", value.as_bytes()])
    }

    /// A keyed hash of a value under a label, unrelated to its tag. 16 lower-case hex digits.
    pub(crate) fn hash(&self, label: &str, value: &str) -> String {
        use fmt::Write;
        // No label is lower-case, so this never meets the input of a tag.
        let parts: [&[u8]; 4] = [b"hash\0", label.as_bytes(), b"\0", value.as_bytes()];
        mac(&self.0, &parts)[..8]
            .iter()
            .fold(String::with_capacity(16), |mut hex, byte| {
                let _ = write!(hex, "{byte:02x}");
                hex
            })
    }
}

impl fmt::Debug for ScopeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ScopeKey(..)")
    }
}

fn mac(key: &[u8; 32], parts: &[&[u8]]) -> Zeroizing<[u8; 32]> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    parts.iter().for_each(|part| mac.update(part));
    Zeroizing::new(mac.finalize().into_bytes().into())
}

/// The longest tag of a digest; shorter ones are its prefixes. Begins with a letter and a digit,
/// so that a tag always holds both and no word is one.
pub(crate) fn tag(digest: &[u8; 32]) -> String {
    let pairs = digest
        .chunks_exact(2)
        .map(|pair| usize::from(u16::from_le_bytes([pair[0], pair[1]])));
    pairs
        .enumerate()
        .map(|(place, number)| {
            char::from(match place {
                0 => LETTERS[number % LETTERS.len()],
                1 => DIGITS[number % DIGITS.len()],
                _ => match number % (LETTERS.len() + DIGITS.len()) {
                    n if n < LETTERS.len() => LETTERS[n],
                    n => DIGITS[n - LETTERS.len()],
                },
            })
        })
        .collect()
}

/// Whether upper-case ASCII could be a tag.
pub(crate) fn is_tag(text: &str) -> bool {
    let bytes = text.as_bytes();
    (TAG_LEN..=TAG_LEN_MAX).contains(&bytes.len())
        && LETTERS.contains(&bytes[0])
        && DIGITS.contains(&bytes[1])
        && bytes
            .iter()
            .all(|byte| LETTERS.contains(byte) || DIGITS.contains(byte))
}

/// Whether a placeholder can carry this label: upper-case ASCII words joined by `_`, at most
/// [`LABEL_LEN_MAX`] bytes.
pub fn is_label(label: &str) -> bool {
    let word = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_uppercase());
    label.len() <= LABEL_LEN_MAX && label.split('_').all(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(scope: &str) -> ScopeKey {
        MasterKey::new([7; 32]).scope(scope)
    }

    #[test]
    fn tag_depends_on_scope_label_and_value_only() {
        let of = |scope, label, value| tag(&key(scope).digest(label, value));
        let base = of("hr", "PERSON", "Ada Muster");
        assert_eq!(base, of("hr", "PERSON", "Ada Muster"));
        for other in [
            of("bank", "PERSON", "Ada Muster"),
            of("hr", "ORG", "Ada Muster"),
            of("hr", "PERSON", "Ada  Muster"),
        ] {
            assert_ne!(base[..TAG_LEN], other[..TAG_LEN]);
        }
    }

    #[test]
    fn every_prefix_of_a_tag_is_a_tag() {
        for n in 0..2_000 {
            let tag = tag(&key("hr").digest("PERSON", &format!("value {n}")));
            assert_eq!(tag.len(), TAG_LEN_MAX);
            for len in TAG_LEN..=TAG_LEN_MAX {
                assert!(is_tag(&tag[..len]), "{tag}");
            }
        }
        for text in [
            "",
            "K7Q2M",
            "k7q2mx",
            "KQ72MX",
            "7KQ2MX",
            "K7Q2MS",
            "K7Q2M\u{e9}",
        ] {
            assert!(!is_tag(text), "{text}");
        }
    }

    #[test]
    fn tags_use_the_whole_alphabet() {
        let mut seen = std::collections::BTreeSet::new();
        for n in 0..2_000 {
            seen.extend(tag(&key("hr").digest("PERSON", &n.to_string())).into_bytes());
        }
        assert_eq!(seen.len(), LETTERS.len() + DIGITS.len());
    }

    #[test]
    fn hash_is_keyed_and_is_not_the_tag() {
        let hash = key("hr").hash("PERSON", "Ada Muster");
        assert_eq!(
            (hash.len(), &hash),
            (16, &key("hr").hash("PERSON", "Ada Muster"))
        );
        assert_ne!(hash, key("bank").hash("PERSON", "Ada Muster"));
        let digest = key("hr").digest("PERSON", "Ada Muster");
        assert_ne!(hash[..2], format!("{:02x}", digest[0]));
    }

    #[test]
    fn debug_shows_no_key() {
        let master = MasterKey::new([0xab; 32]);
        let shown = format!(
            "{master:?} {:?} {:#?}",
            master.scope("hr"),
            master.scope("hr")
        );
        assert_eq!(shown, "MasterKey(..) ScopeKey(..) ScopeKey(..)");
    }

    #[test]
    fn labels() {
        for good in ["PERSON", "DATE_OF_BIRTH", "IP"] {
            assert!(is_label(good), "{good}");
        }
        for bad in [
            "", "_", "A_", "_A", "A__B", "person", "A1", "A-B", "\u{c9}", "A B",
        ] {
            assert!(!is_label(bad), "{bad}");
        }
        assert!(is_label(&"A".repeat(LABEL_LEN_MAX)));
        assert!(!is_label(&"A".repeat(LABEL_LEN_MAX + 1)));
    }
}
