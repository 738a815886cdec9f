//! `rules/names/names.toml`: words around names, and endings of surnames.

use super::lexicon::{self, Flags, Lexicon};
use crate::{Error, pack};
use serde::Deserialize;
use std::path::Path;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NamesFile {
    titles: Vec<String>,
    particles: Vec<String>,
    connectors: Vec<String>,
    prepositions: Vec<String>,
    determiners: Vec<String>,
    greetings: Vec<String>,
    places: Vec<String>,
    place_heads: Vec<String>,
    inflection: Vec<Inflection>,
    organization: Organization,
    surname_ending: Vec<SurnameEnding>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Organization {
    words: Vec<String>,
    legal_forms: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Inflection {
    ending: String,
    base: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SurnameEnding {
    endings: Vec<String>,
    base: Option<String>,
}

/// Reads the file and the lists beside it.
pub(super) fn read(directory: &Path) -> Result<(Lexicon, Endings), Error> {
    let path = directory.join("names.toml");
    let source = lexicon::text(&path)?;
    let file: NamesFile = toml::from_str(&source).map_err(|error| Error::Rules {
        path: path.clone(),
        line: pack::line_of(&source, error.span().map_or(0, |span| span.start)),
        reason: error.message().to_owned(),
    })?;
    let lists = [
        (&file.titles, Flags::TITLE),
        (&file.particles, Flags::PARTICLE),
        (&file.connectors, Flags::CONNECTOR),
        (&file.prepositions, Flags::PREPOSITION),
        (&file.determiners, Flags::DETERMINER),
        (&file.greetings, Flags::GREETING),
        (&file.places, Flags::COUNTRY),
        (&file.place_heads, Flags::PLACE_HEAD),
        (&file.organization.words, Flags::ORG),
        (&file.organization.legal_forms, Flags::LEGAL),
    ];
    let words = lists
        .iter()
        .flat_map(|(words, flags)| words.iter().map(|word| (word.as_str(), *flags)));
    let lexicon = Lexicon::read(directory, words)?;
    let mut endings: Vec<Ending> = file
        .surname_ending
        .into_iter()
        .flat_map(|group| {
            let base = group.base;
            group.endings.into_iter().map(move |ending| Ending {
                ending,
                base: base.clone(),
            })
        })
        .collect();
    endings.sort_by_key(|ending| std::cmp::Reverse(ending.ending.len()));
    let endings = Endings {
        surnames: endings,
        cases: file.inflection,
    };
    Ok((lexicon, endings))
}

struct Ending {
    ending: String,
    base: Option<String>,
}

/// Endings that tell a name.
pub(super) struct Endings {
    /// Of surnames, the longest first.
    surnames: Vec<Ending>,
    /// Of cases.
    cases: Vec<Inflection>,
}

/// How much of a word must stand before an ending, in bytes.
const STEM: usize = 3;

impl Endings {
    /// Whether a word that no list knows looks like a name: a known one in another case, or a
    /// surname by its ending.
    pub fn name(&self, word: &str, lexicon: &Lexicon) -> bool {
        let word = word.to_lowercase();
        let long = |ending: &str| word.len() >= STEM + ending.len() && word.ends_with(ending);
        let case = |case: &Inflection| {
            long(&case.ending) && {
                let stem = &word[..word.len() - case.ending.len()];
                let base = lexicon.get(&format!("{stem}{}", case.base));
                base.any(Flags::NAME) && !base.any(Flags::COMMON | Flags::FORM)
            }
        };
        if let Some(found) = self.surnames.iter().find(|ending| long(&ending.ending)) {
            let stem = &word[..word.len() - found.ending.len()];
            let ordinary = |base| {
                lexicon
                    .get(&format!("{stem}{base}"))
                    .any(Flags::COMMON | Flags::FORM)
            };
            return !found.base.as_ref().is_some_and(ordinary);
        }
        self.cases.iter().any(case)
    }
}
