//! What takes the place of a finding.

use crate::vault::{Vault, VaultError};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// What is done to a value before the prompt leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operator {
    /// A placeholder that is restored in the answer: `[PERSON_K7Q2MX]`. Pseudonymisation.
    Replace,
    /// Every character but ASCII punctuation and spaces becomes `*`: the shape stays,
    /// irreversible.
    Mask,
    /// Label and keyed hash: `[PERSON:2f1b…]`. Equal values stay recognisable as equal within
    /// one scope of callers; irreversible.
    Hash,
    /// The label only: `[PERSON]`. Irreversible.
    Redact,
    /// The value leaves as it is.
    Keep,
}

impl Operator {
    /// Applies it to a value with its entity label. Only [`Replace`](Self::Replace) puts the
    /// value into the vault. Every result but that of `Keep` and `Mask` is ASCII without quotes
    /// or backslashes.
    pub fn apply<'v>(
        self,
        label: &str,
        value: &'v str,
        vault: &mut Vault,
    ) -> Result<Cow<'v, str>, VaultError> {
        Ok(match self {
            Self::Replace => vault.placeholder(label, value)?.to_owned().into(),
            Self::Mask => value.chars().map(mask).collect::<String>().into(),
            Self::Hash => format!("[{label}:{}]", vault.hash(label, value)).into(),
            Self::Redact => format!("[{label}]").into(),
            Self::Keep => value.into(),
        })
    }

    /// Whether the answer can hold something that must be restored.
    pub fn is_reversible(self) -> bool {
        self == Self::Replace
    }
}

fn mask(c: char) -> char {
    if c == ' ' || c.is_ascii_punctuation() {
        c
    } else {
        '*'
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::placeholder::MasterKey;
    use crate::vault::VaultLimits;

    #[test]
    fn each_operator() {
        let mut vault = Vault::new(&MasterKey::new([3; 32]).scope("hr"), VaultLimits::default());
        let mut apply = |operator: Operator| {
            operator
                .apply("EMAIL", "zo\u{e9}.m@example.org", &mut vault)
                .unwrap()
                .into_owned()
        };
        assert!(apply(Operator::Replace).starts_with("[EMAIL_"));
        assert_eq!(apply(Operator::Mask), "***.*@*******.***");
        let hash = apply(Operator::Hash);
        assert_eq!((&hash[..7], hash.len()), ("[EMAIL:", 24));
        assert_eq!(apply(Operator::Redact), "[EMAIL]");
        assert_eq!(apply(Operator::Keep), "zo\u{e9}.m@example.org");
        assert_eq!(vault.len(), 1);
    }

    #[test]
    fn names_are_snake_case_and_closed() {
        #[derive(Deserialize)]
        struct Row {
            operator: Operator,
        }
        for (name, operator) in [
            ("replace", Operator::Replace),
            ("mask", Operator::Mask),
            ("hash", Operator::Hash),
            ("redact", Operator::Redact),
            ("keep", Operator::Keep),
        ] {
            let row: Row = toml::from_str(&format!("operator = \"{name}\"")).unwrap();
            assert_eq!(row.operator, operator);
            assert_eq!(operator.is_reversible(), name == "replace");
        }
        for name in ["encrypt", "Replace", ""] {
            assert!(toml::from_str::<Row>(&format!("operator = \"{name}\"")).is_err());
        }
    }
}
