//! Why something was found, without the text that it was found in.

use crate::{Entity, finding::Jurisdiction};
use serde::Serialize;

/// How a recognizer came to a finding. It holds words of rules and lists, never words of the text.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum Explanation {
    /// A rule of a pack, in the text as it stands.
    Rule(Steps),
    /// A rule of a pack, in text that was read as meant: encoded, spaced, in look-alike letters.
    Reading {
        /// The check that the value passed once it was read, where the rule has one.
        check: Option<String>,
        /// What the rule scores without context and away from home.
        base_score: f32,
    },
    /// A term of a list: whole words, whatever their case.
    Terms,
    /// The lists of names and the words around: of the words found, how many are of each list.
    Names {
        /// Given names and surnames, and what ends as surnames do.
        names: usize,
        /// Towns, regions and countries.
        places: usize,
        /// Ordinary words.
        ordinary: usize,
        /// Words of no list.
        unknown: usize,
    },
    /// A part of a name that was found elsewhere in the text.
    Again,
    /// A model. The finding's score is the mean of its words' probabilities.
    Model {
        /// For each label that means the entity, the least probability of a word.
        thresholds: Vec<(String, f32)>,
    },
}

/// How a rule came to its score.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Steps {
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
