//! What a deployment adds to the shipped rules, and what it does not want reported.

use crate::{Entity, Error, Finding, pack};
use regex_automata::meta;
use serde::Deserialize;
use std::{collections::BTreeMap, path::PathBuf};

/// Findings below this score are not reported, unless a deployment says otherwise.
pub(crate) const MIN_SCORE: f32 = 0.5;

/// A deployment's own rules, thresholds and exceptions.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Adjustments {
    /// The least score (0 to 1) at which findings of an entity are reported; others: 0.5.
    pub min_score: BTreeMap<Entity, f32>,
    /// Values that are no findings: the organization's own domains, public addresses, test cards.
    pub allow: Vec<Allow>,
    /// Directories with more `recognizers/` and `terms/`, in the formats of the shipped ones.
    pub packs: Vec<PathBuf>,
}

/// Values of one entity that are not reported.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Allow {
    /// The entity.
    pub entity: Entity,
    /// What the whole value must match.
    pub pattern: String,
}

/// Adjustments that are known to be sound.
pub(crate) struct Filter {
    min_score: BTreeMap<Entity, f32>,
    allow: Vec<(Entity, meta::Regex)>,
}

impl Filter {
    /// Checks thresholds and patterns; an error names the key of the configuration.
    pub fn new(adjustments: &Adjustments) -> Result<Self, Error> {
        for (entity, score) in &adjustments.min_score {
            if !(0.0..=1.0).contains(score) {
                return Err(Error::Adjustment {
                    key: format!("min_score.{entity}"),
                    reason: format!("a score lies between 0 and 1, and {score} does not"),
                });
            }
        }
        let allow = |(at, allow): (usize, &Allow)| {
            let whole = format!("^(?:{})$", allow.pattern);
            match pack::compile(&whole) {
                Ok(pattern) => Ok((allow.entity, pattern)),
                Err(reason) => Err(Error::Adjustment {
                    key: format!("allow[{at}].pattern"),
                    reason,
                }),
            }
        };
        Ok(Self {
            min_score: adjustments.min_score.clone(),
            allow: adjustments
                .allow
                .iter()
                .enumerate()
                .map(allow)
                .collect::<Result<_, _>>()?,
        })
    }

    /// The least score at which findings of `entity` are reported.
    pub fn min_score(&self, entity: Entity) -> f32 {
        self.min_score.get(&entity).copied().unwrap_or(MIN_SCORE)
    }

    /// Whether a finding's value is one that the deployment allows.
    pub fn allows(&self, text: &str, finding: &Finding) -> bool {
        self.allow.iter().any(|(entity, pattern)| {
            *entity == finding.entity && pattern.is_match(&text[finding.span.range()])
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Span;

    fn filter(source: &str) -> Result<Filter, String> {
        let adjustments: Adjustments = toml::from_str(source).map_err(|e| e.to_string())?;
        Filter::new(&adjustments).map_err(|e| e.to_string())
    }

    #[test]
    fn whole_values_of_the_entity_are_allowed() {
        let filter = filter(
            "allow = [{ entity = 'EMAIL', pattern = '(?i).*@corp\\.example' }]\n\
             [min_score]\nPHONE = 0.7\n",
        )
        .unwrap();
        let text = "me@corp.example me@corp.example.org";
        let finding = |start, end, entity| Finding {
            span: Span::new(start, end),
            entity,
            score: 0.9,
            recognizer: "test".into(),
            jurisdiction: None,
        };
        assert!(filter.allows(text, &finding(0, 15, Entity::Email)));
        assert!(!filter.allows(text, &finding(0, 15, Entity::Url)));
        assert!(!filter.allows(text, &finding(16, text.len(), Entity::Email)));
        assert_eq!(filter.min_score(Entity::Phone), 0.7);
        assert_eq!(filter.min_score(Entity::Email), MIN_SCORE);
    }

    #[test]
    fn mistakes_are_named_by_their_key() {
        let refusal = |source| filter(source).err().unwrap();
        assert!(refusal("[min_score]\nPHONE = 7.0").contains("min_score.PHONE"));
        let broken = refusal("allow = [{ entity = 'IP', pattern = '(10' }]");
        assert!(broken.contains("allow[0].pattern"), "{broken}");
        assert!(refusal("allow = [{ entity = 'IPP', pattern = '10' }]").contains("IPP"));
        assert!(refusal("allowed = []").contains("unknown field"));
    }
}
