//! Runs every recognizer over the text of one request.

use crate::{
    Adjustments, Error, Explanation, Finding, Jurisdiction, Recognizer, RedactorConfig,
    adjust::Filter,
    config::Device,
    names::Names,
    ner::{Ner, Reading},
    normalise::Normaliser,
    pattern::{Patterns, Scratch},
    resolve::resolve,
    terms::Terms,
};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// Finds personal data and secrets. It holds no text between inspections; one redactor serves
/// any number of threads.
pub struct Redactor {
    patterns: Patterns,
    terms: Terms,
    normaliser: Normaliser,
    names: Arc<Names>,
    ner: Option<Ner>,
    filter: Filter,
}

/// What a caller knows about the text of one inspection, and nobody can read in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hints {
    /// The country whose identifiers are likely, besides the deployment's jurisdictions.
    pub country: Option<Jurisdiction>,
    /// The language of the text (ISO 639-1): models of other languages do not read it.
    pub language: Option<Language>,
}

/// A language's ISO 639-1 code: two lower-case ASCII letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Language([u8; 2]);

impl Language {
    /// Reads a code; of a tag such as `pt-BR` the language. `None` unless it is two letters.
    pub fn new(tag: &str) -> Option<Self> {
        match tag.split(['-', '_']).next()?.as_bytes() {
            &[a, b] if a.is_ascii_alphabetic() && b.is_ascii_alphabetic() => {
                Some(Self([a.to_ascii_lowercase(), b.to_ascii_lowercase()]))
            }
            _ => None,
        }
    }

    /// The two letters.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
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
        Self::adjusted(config, &Adjustments::default())
    }

    /// The same with a deployment's own rules, thresholds and exceptions.
    pub fn adjusted(config: &RedactorConfig, adjustments: &Adjustments) -> Result<Self, Error> {
        let recognizers = config.rules_dir.join("recognizers");
        let names = Arc::new(Names::read(&config.rules_dir.join("names"))?);
        let filter = Filter::new(adjustments)?;
        let both = |kind: &str| {
            let own = adjustments.packs.iter().map(|pack| pack.join(kind));
            let own = own.filter(|directory| directory.is_dir());
            let all = std::iter::once(config.rules_dir.join(kind)).chain(own);
            all.collect::<Vec<_>>()
        };
        if let Some(empty) = adjustments
            .packs
            .iter()
            .find(|pack| !pack.join("recognizers").is_dir() && !pack.join("terms").is_dir())
        {
            return Err(Error::Adjustment {
                key: "packs".into(),
                reason: format!("{} has neither recognizers/ nor terms/", empty.display()),
            });
        }
        let skip = [crate::ner::RULES_FILE];
        Ok(Self {
            patterns: Patterns::read(&both("recognizers"), &skip, &config.jurisdictions, |e| {
                filter.min_score(e)
            })?,
            terms: Terms::read(&both("terms"))?,
            filter,
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
        let reading = self.plan(segments, hints);
        self.inspect_planned(segments, hints, deadline, reading.as_ref())
    }

    /// The same unless a model would have to read anything anew; `None` then. It lets a caller run
    /// rules where it is, and models elsewhere.
    pub fn inspect_without_reading(
        &self,
        segments: &[&str],
        hints: &Hints,
        deadline: Instant,
    ) -> Result<Option<Inspection>, Error> {
        let reading = self.plan(segments, hints);
        if let (Some(ner), Some(reading)) = (&self.ner, &reading)
            && ner.needs(reading)
        {
            return Ok(None);
        }
        self.inspect_planned(segments, hints, deadline, reading.as_ref())
            .map(Some)
    }

    fn plan(&self, segments: &[&str], hints: &Hints) -> Option<Reading> {
        let language = hints.language.as_ref().map(Language::as_str);
        self.ner.as_ref().map(|ner| ner.plan(segments, language))
    }

    fn inspect_planned(
        &self,
        segments: &[&str],
        hints: &Hints,
        deadline: Instant,
        reading: Option<&Reading>,
    ) -> Result<Inspection, Error> {
        let started = crate::cpu::thread_time();
        let homes = self.patterns.homes(hints.country);
        let mut scratch = Scratch::new(&self.patterns);
        let mut find = |text: &str, found: &mut Vec<Finding>| {
            self.patterns
                .find(text, &homes, &mut scratch, deadline, found)?;
            self.terms.find(text, found);
            self.names.find(text, found);
            match Instant::now() < deadline {
                true => Ok(()),
                false => Err(Error::Deadline),
            }
        };
        let mut findings = Vec::with_capacity(segments.len());
        for segment in segments {
            let mut found = Vec::new();
            find(segment, &mut found)?;
            self.normaliser.find(segment, &mut find, &mut found)?;
            findings.push(found);
        }
        let mut inspection = Inspection::default();
        if let (Some(ner), Some(reading)) = (&self.ner, reading) {
            let read = ner.inspect(segments, reading, deadline, &mut findings)?;
            inspection.ner_windows = read.windows;
            inspection.ner_windows_cached = read.cached;
            inspection.cpu = read.cpu_elsewhere;
        }
        inspection.findings = findings
            .into_iter()
            .zip(segments)
            .map(|(mut found, segment)| {
                found.retain(|finding| finding.score >= self.filter.min_score(finding.entity));
                self.names.repeat(segment, &mut found);
                let mut resolved = resolve(segment, found);
                resolved.retain(|finding| !self.filter.allows(segment, finding));
                resolved
            })
            .collect();
        inspection.cpu += crate::cpu::thread_time().saturating_sub(started);
        Ok(inspection)
    }

    /// Why a finding was made in `text`; `None` for a finding of another redactor.
    pub fn explain(&self, text: &str, finding: &Finding, hints: &Hints) -> Option<Explanation> {
        let (kind, name) = finding.recognizer.split_once('/')?;
        match kind {
            "terms" => Some(Explanation::Terms),
            "names" => Some(self.names.explain(text, finding)),
            "ner" => self.ner.as_ref()?.explain(name, finding.entity),
            _ => {
                let homes = self.patterns.homes(hints.country);
                self.patterns.explain(text, finding, &homes)
            }
        }
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
