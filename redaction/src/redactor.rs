//! Runs every recognizer over the text of one request.

use crate::{
    Error, Finding, Jurisdiction, Recognizer, RedactorConfig, config::Device, names::Names,
    ner::Ner, normalise::Normaliser, pattern::Patterns, resolve::resolve, terms::Terms,
};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// Findings below this score are not reported.
const MIN_SCORE: f32 = 0.5;

/// Finds personal data and secrets. It holds no text between inspections; one redactor serves
/// any number of threads.
pub struct Redactor {
    patterns: Patterns,
    terms: Terms,
    normaliser: Normaliser,
    names: Arc<Names>,
    ner: Option<Ner>,
    homes: Vec<Jurisdiction>,
}

/// What a caller knows about the text of one inspection, and nobody can read in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hints {
    /// The country whose identifiers are likely, besides the deployment's jurisdictions.
    pub country: Option<Jurisdiction>,
}

/// What an inspection found, and what it took.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Inspection {
    /// For each segment its findings: ordered by place, disjoint, on character boundaries.
    pub findings: Vec<Vec<Finding>>,
    /// Windows of text that the model read.
    pub ner_windows: usize,
    /// Windows whose result was known from before.
    pub ner_windows_cached: usize,
    /// CPU time over all threads.
    pub cpu: Duration,
}

/// What a redactor has loaded, for people to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Rules of all packs.
    pub rules: usize,
    /// Spellings in all word lists.
    pub terms: usize,
    /// Names and words about names in all lists.
    pub names: usize,
    /// Where the model runs; absent when it is off.
    pub device: Option<Device>,
    /// Inferences at once.
    pub threads: usize,
}

impl Redactor {
    /// Loads rules and model. Fails on a rule file that is not sound and on a runtime or model
    /// that is absent, broken, or gives wrong results in its self-test.
    pub fn new(config: &RedactorConfig) -> Result<Self, Error> {
        let recognizers = config.rules_dir.join("recognizers");
        let names = Arc::new(Names::read(&config.rules_dir.join("names"))?);
        Ok(Self {
            patterns: Patterns::read(&recognizers, &[crate::ner::RULES_FILE], |_| MIN_SCORE)?,
            terms: Terms::read(&config.rules_dir.join("terms"))?,
            normaliser: Normaliser::read(&config.rules_dir.join("normalise"))?,
            names: Arc::clone(&names),
            ner: match config.ner.device {
                Device::Off => None,
                _ => Some(Ner::new(
                    &config.ner,
                    &recognizers.join(crate::ner::RULES_FILE),
                    Arc::clone(&names),
                )?),
            },
            homes: config.jurisdictions.clone(),
        })
    }

    /// Inspects all pieces of text of one request, on this thread and, where the model has much
    /// to read, on some more. CPU bound and blocking.
    ///
    /// An error means that the text was *not* inspected; the caller must treat it as unsafe.
    pub fn inspect(
        &self,
        segments: &[&str],
        hints: &Hints,
        deadline: Instant,
    ) -> Result<Inspection, Error> {
        let started = crate::cpu::thread_time();
        let mut homes = self.homes.clone();
        homes.extend(hints.country);
        let homes = self.patterns.homes(homes);
        let mut findings = Vec::with_capacity(segments.len());
        for segment in segments {
            if Instant::now() >= deadline {
                return Err(Error::Deadline);
            }
            let mut found = Vec::new();
            let find = |text: &str, found: &mut Vec<Finding>| {
                self.patterns.find(text, &homes, found);
                self.terms.find(text, found);
                self.names.find(text, found);
            };
            find(segment, &mut found);
            self.normaliser.find(segment, &find, deadline, &mut found)?;
            findings.push(found);
        }
        let mut inspection = Inspection::default();
        if let Some(ner) = &self.ner {
            let read = ner.inspect(segments, deadline, &mut findings)?;
            inspection.ner_windows = read.windows;
            inspection.ner_windows_cached = read.cached;
            inspection.cpu = read.cpu_elsewhere;
        }
        inspection.findings = findings
            .into_iter()
            .zip(segments)
            .map(|(mut found, segment)| {
                found.retain(|finding| finding.score >= MIN_SCORE);
                self.names.repeat(segment, &mut found);
                resolve(segment, found)
            })
            .collect();
        inspection.cpu += crate::cpu::thread_time().saturating_sub(started);
        Ok(inspection)
    }

    /// Whether the model would have to read any of it: a cheap answer that lets the caller run
    /// rules alone where it is, and the model elsewhere.
    pub fn needs_model(&self, segments: &[&str]) -> bool {
        self.ner.as_ref().is_some_and(|ner| ner.needs(segments))
    }

    /// What is loaded.
    pub fn summary(&self) -> Summary {
        Summary {
            rules: self.patterns.len(),
            terms: self.terms.len(),
            names: self.names.len(),
            device: self.ner.as_ref().map(Ner::device),
            threads: self.ner.as_ref().map_or(0, Ner::threads),
        }
    }

    /// Runs the model on a known sentence and compares. Done by [`Redactor::new`] too.
    pub fn self_test(&self) -> Result<(), Error> {
        self.ner.as_ref().map_or(Ok(()), Ner::self_test)
    }
}
