//! Names and addresses, by the Rampart model (BERT, 6 layers, 35 classes) on ONNX Runtime, and by
//! models that a deployment adds.
//!
//! The model costs about a millisecond per three tokens on a CPU, so that everything here is
//! about having it read little: [`prefilter`] leaves out what can hold no name, [`window`] reads
//! repetition once, [`cache`] remembers. What it says is then held to rules: [`decode`] to
//! thresholds, [`merge`] to shapes. [`further`] models are held to thresholds only.

mod cache;
mod decode;
mod further;
mod gliner;
mod merge;
mod model;
mod onnx;
mod prefilter;
mod requantise;
mod rules;
mod runtime;
mod window;

use crate::{
    Entity, Error, Explanation, Finding, Span,
    config::{Device, NerConfig},
    names::Names,
};
use cache::{Key, Keys};
use decode::{Labels, Word};
use further::Further;
use merge::Placed;
use model::{Effort, Head, Model, Words};
use rules::NerRules;
use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};
use window::{Plan, plan};

/// The file of `rules/recognizers/` that is about the model.
pub(crate) const RULES_FILE: &str = "ner.toml";

/// The built-in model: its directory in the runtime, and its name in findings.
pub(super) const RAMPART: &str = "rampart";

/// The models with all that surrounds them.
pub(crate) struct Ner {
    rules: NerRules,
    names: Arc<Names>,
    keys: Keys,
    rampart: Model,
    rampart_name: Arc<str>,
    further: Vec<Further>,
    /// Whether the built-in model reads what can hold no name, too.
    all_text: bool,
}

/// What the models had to do.
#[derive(Default)]
pub(crate) struct Read {
    /// Windows read.
    pub windows: usize,
    /// Windows known from before.
    pub cached: usize,
    /// CPU time of other threads.
    pub cpu_elsewhere: Duration,
}

/// What is to be read of some segments.
pub(crate) struct Reading {
    /// What can hold a name.
    names: Planned,
    /// Everything, where a model wants that.
    all: Option<Planned>,
    /// Whether each further model reads it.
    further: Vec<bool>,
}

struct Planned {
    plan: Plan,
    /// Of each window.
    keys: Vec<Key>,
}

impl Ner {
    /// Loads the models and tests them.
    pub fn new(config: &NerConfig, rules: &Path, names: Arc<Names>) -> Result<Self, Error> {
        let rules = NerRules::read(rules)?;
        let begins = rules.classes.iter().flat_map(|label| {
            let class = |role: &str| format!("{role}-{label}");
            [class("B"), class("I")]
        });
        let classes: Vec<String> = std::iter::once("O".to_owned()).chain(begins).collect();
        let labels = Labels::new(&classes, |label| {
            let rule = rules.label(label);
            rule.map_or(f32::INFINITY, |rule| rule.listed_threshold)
        });
        let ner = Self {
            rampart: Model::open(
                config,
                &config.runtime_dir.join(RAMPART),
                "model_q4.onnx",
                Head::Tokens(labels),
            )?,
            rampart_name: format!("ner/{RAMPART}").into(),
            rules,
            names,
            keys: Keys::default(),
            further: Vec::new(),
            all_text: config.all_text,
        };
        ner.self_test()?;
        let further = config.model.iter().map(|own| Further::open(config, own));
        Ok(Self {
            further: further.collect::<Result<_, _>>()?,
            ..ner
        })
    }

    pub fn device(&self) -> Device {
        self.rampart.device()
    }

    pub fn threads(&self) -> usize {
        self.rampart.threads()
    }

    /// Plans what the models are to read. `language` is what the caller knows of the text (ISO 639-1).
    pub fn plan(&self, segments: &[&str], language: Option<&str>) -> Reading {
        let keyed = |plan: Plan| Planned {
            keys: plan
                .windows
                .iter()
                .map(|window| {
                    self.keys
                        .of(&[&segments[window.segment][window.span.range()]])
                })
                .collect(),
            plan,
        };
        let further: Vec<bool> = self.further.iter().map(|own| own.reads(language)).collect();
        let mut wanted = self.further.iter().zip(&further);
        Reading {
            names: keyed(plan(segments, &self.keys, |unit| {
                self.all_text || prefilter::may_hold_name(unit, &self.rules, &self.names)
            })),
            all: wanted
                .any(|(own, reads)| *reads && own.all_text)
                .then(|| keyed(plan(segments, &self.keys, |_| true))),
            further,
        }
    }

    /// Whether a model would have to read any of it anew.
    pub fn needs(&self, reading: &Reading) -> bool {
        let mut further = self.further.iter().zip(&reading.further);
        !self.rampart.knows(&reading.names.keys)
            || further.any(|(own, reads)| *reads && !own.model.knows(&reading.of(own).keys))
    }

    /// Adds to `findings` (one list for each segment, with what rules found) what the models find.
    pub fn inspect(
        &self,
        segments: &[&str],
        reading: &Reading,
        deadline: Instant,
        findings: &mut [Vec<Finding>],
    ) -> Result<Read, Error> {
        let mut read = Read::default();
        let placed = read_planned(&self.rampart, segments, &reading.names, deadline, &mut read)?;
        for ((text, placed), findings) in segments.iter().zip(placed).zip(&mut *findings) {
            let found = merge::merge(
                text,
                placed,
                findings,
                self.rampart.labels(),
                &self.rules,
                &self.names,
                &self.rampart_name,
            );
            findings.extend(found);
        }
        for (own, _) in self
            .further
            .iter()
            .zip(&reading.further)
            .filter(|(_, reads)| **reads)
        {
            let planned = reading.of(own);
            let placed = read_planned(&own.model, segments, planned, deadline, &mut read)?;
            for ((text, placed), findings) in segments.iter().zip(placed).zip(&mut *findings) {
                findings.extend(own.findings(text, placed));
            }
        }
        Ok(read)
    }

    /// Why a model, called as in its findings, found an entity.
    pub fn explain(&self, model: &str, entity: Entity) -> Option<Explanation> {
        let thresholds = if model == RAMPART {
            let labels = self.rampart.labels().iter();
            let rules = labels.filter_map(|label| Some((label, self.rules.label(label)?)));
            rules
                .filter(|(_, rule)| rule.entity == entity)
                // Words that the lists know, or that no list knows, need less.
                .map(|(label, rule)| (label.clone(), rule.listed_threshold))
                .collect()
        } else {
            self.further
                .iter()
                .find(|own| own.is_called(model))?
                .thresholds(entity)
        };
        Some(Explanation::Model { thresholds })
    }

    /// Checks that the built-in model finds what it must and nothing else in a made-up sentence.
    pub fn self_test(&self) -> Result<(), Error> {
        let text = "My name is Angela Brown and I live at 42 Garden Street, Boston.";
        let words = self
            .rampart
            .read_anew(text, Instant::now() + Duration::from_secs(60))?;
        let named: Vec<&str> = words
            .iter()
            .map(|word| &text[usize::from(word.start)..usize::from(word.end)])
            .collect();
        let expected = ["Angela", "Brown", "Garden", "Boston"];
        let stray = ["My", "name", "is", "and", "I", "live", "at"];
        if expected.iter().all(|word| named.contains(word))
            && !stray.iter().any(|word| named.contains(word))
        {
            return Ok(());
        }
        Err(Error::Model(
            "it does not find the names in its test sentence".into(),
        ))
    }
}

impl Reading {
    /// The part of it that a model reads.
    fn of(&self, own: &Further) -> &Planned {
        self.all
            .as_ref()
            .filter(|_| own.all_text)
            .unwrap_or(&self.names)
    }
}

/// Has a model read what is planned, and puts what it says to its places in the segments.
fn read_planned(
    model: &Model,
    segments: &[&str],
    planned: &Planned,
    deadline: Instant,
    read: &mut Read,
) -> Result<Vec<Vec<Placed>>, Error> {
    let windows = planned.plan.windows.iter();
    let texts: Vec<&str> = windows
        .map(|window| &segments[window.segment][window.span.range()])
        .collect();
    let (words, effort) = model.read(&planned.keys, &texts, deadline)?;
    let Effort {
        windows,
        cached,
        cpu_elsewhere,
    } = effort;
    read.windows += windows;
    read.cached += cached;
    read.cpu_elsewhere += cpu_elsewhere;
    Ok(place(segments, &planned.plan, &words))
}

/// Puts the words of windows, and of copies of their units, to their places in the segments.
fn place(segments: &[&str], plan: &Plan, words: &[Words]) -> Vec<Vec<Placed>> {
    let mut placed: Vec<Vec<Placed>> = vec![Vec::new(); segments.len()];
    let put = |word: &Word, start: usize, end: usize| Placed {
        span: Span::new(start, end),
        label: word.label,
        begins: word.begins,
        score: word.score,
    };
    for (window, words) in plan.windows.iter().zip(words) {
        let at = window.span.start;
        placed[window.segment].extend(words.iter().map(|word| {
            put(
                word,
                at + usize::from(word.start),
                at + usize::from(word.end),
            )
        }));
    }
    for copy in &plan.copies {
        let base = plan.windows[copy.window].span.start;
        let (first, last) = (copy.from - base, copy.from - base + copy.span.len());
        for word in words[copy.window].iter() {
            let start = usize::from(word.start).max(first);
            let end = usize::from(word.end).min(last);
            if start < end {
                let at = copy.span.start;
                placed[copy.segment].push(put(word, at + start - first, at + end - first));
            }
        }
    }
    placed
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// The rules of this repository.
    pub(super) fn rules() -> NerRules {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../rules/recognizers")
            .join(RULES_FILE);
        NerRules::read(&path).unwrap()
    }
}
