//! `rules/recognizers/ner.toml`: which of the model's labels to believe, and what to have it read.

use crate::{Entity, Error, context::Words, pack};
use regex_automata::meta;
use serde::Deserialize;
use std::{
    collections::{BTreeMap, HashSet},
    path::Path,
};
use toml::Spanned;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NerFile {
    classes: Vec<String>,
    label: BTreeMap<String, Spanned<LabelFile>>,
    common_words: Vec<String>,
    cues: Vec<String>,
    particles: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LabelFile {
    entity: Spanned<String>,
    threshold: f32,
    listed_threshold: Option<f32>,
    shape: Option<Spanned<String>>,
    #[serde(default)]
    context: Vec<String>,
}

/// When to believe one label of the model.
pub(super) struct LabelRule {
    pub entity: Entity,
    /// The least probability of a word.
    pub threshold: f32,
    /// The least probability of a word that the word lists call a name, or that is capitalised
    /// and in none of them.
    pub listed_threshold: f32,
    /// What the whole span must look like.
    pub shape: Option<meta::Regex>,
    /// Words of which one must be near.
    pub context: Option<Words>,
}

/// The file, checked.
pub(super) struct NerRules {
    /// The model's labels, in the order of its pairs of classes.
    pub classes: Vec<String>,
    labels: BTreeMap<String, LabelRule>,
    /// Words (lower case) that are no names although sentences, logs and code capitalise them.
    pub common: HashSet<String>,
    /// Words after which a name or an address may follow in lower case.
    pub cues: Option<Words>,
    /// Words (lower case) inside of names: `van`, `de la`.
    pub particles: HashSet<String>,
}

impl NerRules {
    pub fn read(path: &Path) -> Result<Self, Error> {
        let source = std::fs::read_to_string(path).map_err(|source| Error::Io {
            path: path.into(),
            source,
        })?;
        let refuse = |at: usize, reason: String| Error::Rules {
            path: path.into(),
            line: pack::line_of(&source, at),
            reason,
        };
        let file: NerFile = toml::from_str(&source).map_err(|error| {
            refuse(
                error.span().map_or(0, |span| span.start),
                error.message().to_owned(),
            )
        })?;
        let mut labels = BTreeMap::new();
        for (name, label) in file.label {
            let at = label.span().start;
            let label = label.into_inner();
            let entity =
                label
                    .entity
                    .get_ref()
                    .parse()
                    .map_err(|error: crate::UnknownEntity| {
                        refuse(label.entity.span().start, error.to_string())
                    })?;
            let listed_threshold = label.listed_threshold.unwrap_or(label.threshold);
            if !(0.0..=1.0).contains(&label.threshold)
                || !(0.0..=label.threshold).contains(&listed_threshold)
            {
                return Err(refuse(
                    at,
                    "a threshold lies between 0 and 1, that of listed words not above the other"
                        .into(),
                ));
            }
            let shape = match label.shape {
                None => None,
                Some(shape) => Some(
                    pack::compile(&format!("^(?:{})$", shape.get_ref())).map_err(|reason| {
                        refuse(shape.span().start, format!("the shape is wrong: {reason}"))
                    })?,
                ),
            };
            if !file.classes.contains(&name) {
                return Err(refuse(at, format!("the model has no label `{name}`")));
            }
            let context = Words::new(&label.context);
            labels.insert(
                name,
                LabelRule {
                    entity,
                    threshold: label.threshold,
                    listed_threshold,
                    shape,
                    context,
                },
            );
        }
        Ok(Self {
            classes: file.classes,
            labels,
            common: file.common_words.into_iter().collect(),
            cues: Words::new(&file.cues),
            particles: file.particles.into_iter().collect(),
        })
    }

    /// The rule for a label of the model; `None` means that the label is never believed.
    pub fn label(&self, name: &str) -> Option<&LabelRule> {
        self.labels.get(name)
    }
}
