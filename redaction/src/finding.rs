//! What a recognizer reports.

use crate::{Entity, Span};
use serde::{Deserialize, Deserializer, Serialize};
use std::sync::Arc;

/// One piece of personal data or one secret, by its place. It holds no text, so that a finding
/// may be counted, logged and compared without leaking what it found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Finding {
    /// Where, in bytes of its segment.
    pub span: Span,
    /// What kind.
    pub entity: Entity,
    /// How sure the recognizer is, 0 to 1. Scores order findings that overlap; they are not
    /// calibrated probabilities.
    pub score: f32,
    /// Which recognizer reported it: `pack/id`, `terms/<entity>` or `ner/rampart`.
    #[serde(serialize_with = "text")]
    pub recognizer: Arc<str>,
    /// The jurisdiction whose identifier it is (ISO 3166-1 alpha-2), where the recognizer knows.
    pub jurisdiction: Option<Jurisdiction>,
}

/// Serialises a shared name as its text.
pub(crate) fn text<S: serde::Serializer>(
    name: &Arc<str>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(name)
}

/// An ISO 3166-1 alpha-2 code, or `EU`: two upper-case ASCII letters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Jurisdiction([u8; 2]);

impl Jurisdiction {
    /// Reads a code; `None` unless it is two upper-case ASCII letters.
    pub fn new(code: &str) -> Option<Self> {
        match code.as_bytes() {
            &[a @ b'A'..=b'Z', b @ b'A'..=b'Z'] => Some(Self([a, b])),
            _ => None,
        }
    }

    /// The two letters.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl std::fmt::Debug for Jurisdiction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::fmt::Display for Jurisdiction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Jurisdiction {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Jurisdiction {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let code = String::deserialize(deserializer)?;
        Self::new(&code).ok_or_else(|| {
            serde::de::Error::custom(format!(
                "`{code}` is no jurisdiction; expected two capital letters such as \"DE\""
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jurisdiction_is_two_capitals() {
        assert_eq!(
            Jurisdiction::new("DE").map(|j| j.to_string()).as_deref(),
            Some("DE")
        );
        for wrong in ["de", "D", "DEU", "D1", "", "É"] {
            assert_eq!(Jurisdiction::new(wrong), None, "{wrong}");
        }
    }
}
