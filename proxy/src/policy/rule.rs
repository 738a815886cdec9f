//! The policy file: rules as data.

use serde::Deserialize;
use std::collections::BTreeMap;
use tollgate_analytics::record::Effect;
use tollgate_redaction::operator::Operator;
use tollgate_redaction::{Category, Entity};

/// A policy file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyFile {
    /// The rules. Order matters only in that the first of equally strict rules is named.
    pub rule: Vec<Rule>,
}

/// One rule: when it matches, and what it then demands.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Its name in records: unique, at most 64 characters.
    pub id: String,
    /// What it demands.
    pub effect: Effect,
    /// Why, in words that a caller may be shown. At most 200 characters.
    pub reason: String,
    /// The law or standard that it follows.
    #[serde(default)]
    pub source: String,
    /// When it matches; absent: always.
    #[serde(default)]
    pub when: When,
    /// For `redact`: the operator by entity label; `replace` (a reversible placeholder) where
    /// none is named.
    #[serde(default)]
    pub operators: BTreeMap<Entity, Operator>,
}

/// Conditions, all of which must hold.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct When {
    /// Any of these entities was found.
    pub entities: Vec<Selector>,
    /// Entities not counted among `entities`.
    pub except: Vec<Selector>,
    /// Any of these was found as well.
    pub together_with: Vec<Selector>,
    /// Findings with a lower score are not counted.
    pub score_min: f32,
    /// At least so many findings of `entities`; 0 means 1.
    pub count_min: u32,
    /// Whether the request holds content that cannot be inspected.
    pub opaque: Option<bool>,
    /// Whether the endpoint is under our own control.
    pub on_prem: Option<bool>,
    /// The endpoint's jurisdiction is one of these.
    pub jurisdictions: Vec<String>,
    /// The endpoint's jurisdiction is none of these.
    pub jurisdictions_not: Vec<String>,
    /// The endpoint's transfer basis is one of these.
    pub transfer_basis: Vec<crate::config::TransferBasis>,
    /// The endpoint's name is one of these.
    pub endpoints: Vec<String>,
    /// The model asked for matches one of these patterns.
    pub models: Vec<String>,
    /// The operation is one of these (`chat`, `text_completion`, `embeddings`, `rerank`,
    /// `moderations`, `count_tokens`, `models`).
    pub operations: Vec<String>,
    /// The caller's team is one of these.
    pub teams: Vec<String>,
}

/// An entity, or a whole category of entities.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum Selector {
    /// One label.
    Entity(Entity),
    /// `@personal`, `@special` or `@secret`.
    Category(Category),
}

impl Selector {
    /// Whether an entity is selected.
    pub fn selects(self, entity: Entity) -> bool {
        match self {
            Selector::Entity(e) => e == entity,
            Selector::Category(c) => entity.category() == c,
        }
    }
}

impl TryFrom<String> for Selector {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.as_str() {
            "@personal" => Ok(Selector::Category(Category::Personal)),
            "@special" => Ok(Selector::Category(Category::Special)),
            "@secret" => Ok(Selector::Category(Category::Secret)),
            label => label.parse().map(Selector::Entity).map_err(|_| {
                format!("expected an entity label (PERSON, EMAIL, …) or @personal, @special, @secret; found {label:?}")
            }),
        }
    }
}
