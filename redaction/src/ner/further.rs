//! Models that a deployment adds: any ONNX token classifier, any GLiNER in span mode.

use super::{
    decode::Labels,
    gliner::{Description, Gliner},
    merge::Placed,
    model::{Head, Model, POSITIONS},
};
use crate::{
    Entity, Error, Finding, Span,
    config::{ModelConfig, ModelKind, NerConfig},
    context::is_word,
};
use serde::{Deserialize, de::DeserializeOwned};
use std::{
    collections::BTreeMap,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

/// The most bytes between two words of one entity.
const GAP: usize = 3;
/// What a model is given at the start, to see that it and its description fit.
const PROBE: &str = "My name is Angela Brown and I live at 42 Garden Street, Boston.";

/// What is read of `config.json`.
#[derive(Deserialize)]
struct Classifier {
    id2label: BTreeMap<String, String>,
    max_position_embeddings: Option<usize>,
}

/// A model of the deployment's own, and what its labels mean here.
pub(super) struct Further {
    pub model: Model,
    /// For each label of the model.
    entities: Vec<Option<Entity>>,
    name: Arc<str>,
    /// What each label needs.
    thresholds: Vec<f32>,
    languages: Vec<String>,
    pub all_text: bool,
}

impl Further {
    /// Loads the model and has it read a sentence.
    pub fn open(config: &NerConfig, own: &ModelConfig) -> Result<Self, Error> {
        let refuse = |key: &str, reason: String| Error::Adjustment {
            key: format!("ner.model `{}`: {key}", own.name),
            reason,
        };
        let named = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if own.name.is_empty() || own.name == super::RAMPART || !own.name.chars().all(named) {
            let expected =
                "expected letters, digits, `-` and `_`, and not the built-in model's name";
            return Err(refuse("name", expected.into()));
        }
        if own.labels.is_empty() {
            return Err(refuse("labels", "expected the model's labels and the entities that they mean, such as { PER = \"PERSON\" }".into()));
        }
        let thresholds = own.thresholds.values().chain([&own.threshold]);
        if thresholds.into_iter().any(|t| !(*t > 0.0 && *t <= 1.0)) {
            return Err(refuse(
                "threshold",
                "expected more than 0, at most 1".into(),
            ));
        }
        if let Some(stray) = own.thresholds.keys().find(|l| !own.labels.contains_key(*l)) {
            return Err(refuse(
                "thresholds",
                format!("`{stray}` is not among `labels`"),
            ));
        }
        let threshold = |label: &str| match own.labels.contains_key(label) {
            true => own.thresholds.get(label).copied().unwrap_or(own.threshold),
            false => f32::INFINITY,
        };
        let head = match own.kind {
            ModelKind::Tokens => {
                let path = own.path.join("config.json");
                let description: Classifier = describe(&path)?;
                let wrong = |reason: String| Error::Runtime {
                    path: path.clone(),
                    reason,
                };
                if let Some(few) = description
                    .max_position_embeddings
                    .filter(|p| *p < POSITIONS)
                {
                    return Err(wrong(format!(
                        "the model reads {few} tokens at most; {POSITIONS} are needed"
                    )));
                }
                let classes: Option<Vec<String>> = (0..description.id2label.len())
                    .map(|class| description.id2label.get(&class.to_string()).cloned())
                    .collect();
                let classes = classes
                    .filter(|classes| (2..=250).contains(&classes.len()))
                    .ok_or_else(|| wrong("id2label must number 2 to 250 classes from 0".into()))?;
                let labels = Labels::new(&classes, threshold);
                if let Some(stray) = own.labels.keys().find(|l| !labels.names().contains(l)) {
                    let known = labels.names().join(", ");
                    let reason = format!("the model has no `{stray}`; it has {known}");
                    return Err(refuse("labels", reason));
                }
                Head::Tokens(labels)
            }
            ModelKind::Gliner => {
                let path = own.path.join("gliner_config.json");
                let labels: Vec<String> = own.labels.keys().cloned().collect();
                let thresholds = labels.iter().map(|label| threshold(label)).collect();
                let gliner = Gliner::new(&describe::<Description>(&path)?, labels, thresholds);
                Head::Spans(gliner.map_err(|reason| Error::Runtime { path, reason })?)
            }
        };
        let model = Model::open(config, &own.path, &own.file, head)?;
        model.read_anew(PROBE, Instant::now() + Duration::from_secs(60))?;
        let entities = model.labels().iter();
        Ok(Self {
            entities: entities
                .map(|label| own.labels.get(label).copied())
                .collect(),
            thresholds: model
                .labels()
                .iter()
                .map(|label| threshold(label))
                .collect(),
            model,
            name: format!("ner/{}", own.name).into(),
            languages: own.languages.clone(),
            all_text: own.all_text,
        })
    }

    /// Whether it reads text of a language; it reads what nobody knows the language of.
    pub fn reads(&self, language: Option<&str>) -> bool {
        let of = |known: &str| self.languages.iter().any(|language| language == known);
        self.languages.is_empty() || language.is_none_or(of)
    }

    /// Whether its findings bear this name, without `ner/`.
    pub fn is_called(&self, name: &str) -> bool {
        self.name.strip_prefix("ner/") == Some(name)
    }

    /// The labels that mean an entity, with what they need.
    pub fn thresholds(&self, entity: Entity) -> Vec<(String, f32)> {
        let labels = self.model.labels().iter().zip(&self.entities);
        let labels = labels.zip(&self.thresholds);
        let of_entity = labels.filter(|((_, means), _)| **means == Some(entity));
        of_entity
            .map(|((label, _), threshold)| (label.clone(), *threshold))
            .collect()
    }

    /// Makes findings of the words of one segment.
    pub fn findings(&self, text: &str, mut words: Vec<Placed>) -> Vec<Finding> {
        words.sort_by_key(|word| (word.span, word.label));
        let mut groups: Vec<(Placed, f32)> = Vec::new();
        for word in words {
            if let Some((group, count)) = groups.last_mut()
                && group.label == word.label
                && goes_on(text, group, &word)
            {
                group.span = group.span.union(word.span);
                group.score += word.score;
                *count += 1.0;
                continue;
            }
            groups.push((word, 1.0));
        }
        groups
            .into_iter()
            .filter_map(|(group, count)| {
                Some(Finding {
                    span: whole(text, group.span)?,
                    entity: (*self.entities.get(usize::from(group.label))?)?,
                    score: group.score / count,
                    recognizer: Arc::clone(&self.name),
                    jurisdiction: None,
                })
            })
            .collect()
    }
}

/// Whether a word belongs to the entity before it.
fn goes_on(text: &str, group: &Placed, word: &Placed) -> bool {
    if word.span.start < group.span.end {
        return true;
    }
    let gap = &text[group.span.end..word.span.start];
    !word.begins
        && gap.len() <= GAP
        && gap
            .chars()
            .all(|c| (c.is_whitespace() && c != '\n') || "-'’.".contains(c))
}

/// Widens a span to whole words, without white space at its ends; nothing if no letter or digit is left.
fn whole(text: &str, span: Span) -> Option<Span> {
    let inner = text[span.range()].trim();
    if !inner.contains(char::is_alphanumeric) {
        return None;
    }
    let lead = text[span.range()].len() - text[span.range()].trim_start().len();
    let (mut start, mut end) = (span.start + lead, span.start + lead + inner.len());
    let word = |c: &char| is_word(*c);
    if text[start..].starts_with(is_word) {
        let more = text[..start].chars().rev().take_while(word);
        start -= more.map(char::len_utf8).sum::<usize>();
    }
    if text[..end].ends_with(is_word) {
        let more = text[end..].chars().take_while(word);
        end += more.map(char::len_utf8).sum::<usize>();
    }
    Some(Span::new(start, end))
}

/// Reads a file that describes a model.
fn describe<T: DeserializeOwned>(path: &Path) -> Result<T, Error> {
    let source = std::fs::read_to_string(path).map_err(|source| Error::Io {
        path: path.into(),
        source,
    })?;
    serde_json::from_str(&source).map_err(|error| Error::Runtime {
        path: path.into(),
        reason: error.to_string(),
    })
}

#[cfg(test)]
mod tests;
