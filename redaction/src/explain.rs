//! Why something was found, without the text that it was found in.

use crate::{Entity, finding::Jurisdiction};
use serde::Serialize;

/// How a rule came to its finding. It holds words of the rule, never words of the text.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Explanation {
    /// The rule: `pack/id`.
    pub recognizer: String,
    /// What it finds.
    pub entity: Entity,
    /// Whose identifier it is.
    pub jurisdiction: Option<Jurisdiction>,
    /// The check that the value passed, where the rule has one.
    pub check: Option<String>,
    /// The context word, as the rule has it, that stood near the value.
    pub context: Option<String>,
    /// Whether the value is digits only, so that `bare_score` counts in place of `score`.
    pub bare: bool,
    /// Whether the rule is at home, so that it scores `home_score` at least.
    pub home: bool,
    /// What the value scores without context and away from home.
    pub base_score: f32,
    /// What it scores.
    pub score: f32,
}
