//! Names of persons, places and organizations by word lists and by their shape.
//!
//! ```text
//!  text ── run ──> runs of capitalised words, each with what the lists know of it   lexicon
//!                   └─ grammar ──> findings: given name + surname, title + name, ...
//! ```
//!
//! It costs a microsecond a kilobyte, so that it reads everything. Where the model reads too, the
//! two propose independently; [`Names::flags`] also tells the model's rules which words are names
//! and which are ordinary words.

mod grammar;
mod lexicon;
mod rules;
mod run;

use crate::{Entity, Error, Finding, Recognizer};
pub(crate) use lexicon::Flags;
use lexicon::Lexicon;
use rules::Endings;
use std::{path::Path, sync::Arc};

/// The lists and rules of `rules/names/`.
pub(crate) struct Names {
    lexicon: Lexicon,
    endings: Endings,
    /// Who found it: a person, a place, an organization.
    recognizers: [Arc<str>; 3],
}

impl Names {
    /// Reads `directory`.
    pub fn read(directory: &Path) -> Result<Self, Error> {
        let (lexicon, endings) = rules::read(directory)?;
        Ok(Self {
            lexicon,
            endings,
            recognizers: ["names/person", "names/place", "names/organization"].map(Arc::from),
        })
    }

    /// How many words are known.
    pub fn len(&self) -> usize {
        self.lexicon.len()
    }

    /// What is known of a word, its ending considered.
    pub fn flags(&self, word: &str) -> Flags {
        let flags = self.lexicon.get(word);
        if flags == Flags::NONE && self.endings.name(word, &self.lexicon) {
            return Flags::SURNAME;
        }
        flags
    }
}

impl Recognizer for Names {
    fn name(&self) -> &str {
        "names"
    }

    fn find(&self, text: &str, out: &mut Vec<Finding>) {
        run::runs(text, &self.lexicon, |run| {
            grammar::Judge {
                text,
                names: self,
                run,
            }
            .judge(|span, entity, score| {
                let recognizer = match entity {
                    Entity::Person => 0,
                    Entity::Location => 1,
                    _ => 2,
                };
                out.push(Finding {
                    span,
                    entity,
                    score,
                    recognizer: Arc::clone(&self.recognizers[recognizer]),
                    jurisdiction: None,
                });
            });
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<(String, &'static str)> {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../rules/names");
        let names = Names::read(&directory).unwrap();
        let mut out = Vec::new();
        names.find(text, &mut out);
        out.retain(|finding| finding.score >= 0.5);
        out.into_iter()
            .map(|finding| {
                (
                    text[finding.span.range()].to_owned(),
                    finding.entity.as_str(),
                )
            })
            .collect()
    }

    #[track_caller]
    fn check(text: &str, expected: &[(&str, &str)]) {
        let found = found(text);
        let found: Vec<_> = found
            .iter()
            .map(|(text, entity)| (text.as_str(), *entity))
            .collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn persons() {
        check(
            "We met Ingrid Solheim yesterday.",
            &[("Ingrid Solheim", "PERSON")],
        );
        check(
            "Umowę podpisała Zofia Brzezińska-Zielska.",
            &[("Zofia Brzezińska-Zielska", "PERSON")],
        );
        check(
            "Rozmawiałem z Wojciechem Malinowskim o umowie.",
            &[("Wojciechem Malinowskim", "PERSON")],
        );
        check(
            "a letter by J. R. Ostermark on costs",
            &[("J. R. Ostermark", "PERSON")],
        );
        check(
            "signed by Pieter van der Velde.",
            &[("Pieter van der Velde", "PERSON")],
        );
        check(
            "Le requérant, M. Gérard Lemoine, habite ici",
            &[("M. Gérard Lemoine", "PERSON")],
        );
        check(
            "przekazano Sikorskiemu i Wojciechowi",
            &[("Sikorskiemu", "PERSON"), ("Wojciechowi", "PERSON")],
        );
        check("M. et Mme Lemoine ont", &[("M. et Mme Lemoine", "PERSON")]);
        check(
            "heard by juge Ostermark in",
            &[("juge Ostermark", "PERSON")],
        );
        check("INVOICE FOR HELENA NOWAK OF", &[("HELENA NOWAK", "PERSON")]);
    }

    #[test]
    fn places() {
        check(
            "Nació en España y vive en Suecia.",
            &[("España", "LOCATION"), ("Suecia", "LOCATION")],
        );
        check(
            "we fly to New York on the first",
            &[("New York", "LOCATION")],
        );
        check(
            "the Republic of Moldova said",
            &[("Republic of Moldova", "LOCATION")],
        );
        check("mieszka w Warszawie od roku", &[("Warszawie", "LOCATION")]);
    }

    #[test]
    fn organizations() {
        check(
            "She studied at the University of Bergen until then.",
            &[("University of Bergen", "ORG")],
        );
        check(
            "das Amtsgericht Tiergarten hat entschieden",
            &[("Amtsgericht Tiergarten", "ORG")],
        );
        check(
            "a lawyer of Holm, Fischer and Dahl in town",
            &[("Holm, Fischer and Dahl", "ORG")],
        );
    }

    #[test]
    fn ordinary_words_and_code_are_none() {
        for text in [
            "Please write a summary. Will it work? May I ask? Thank You",
            "The Quick Start Guide describes the Default Settings of the Program.",
            "use std::collections::HashMap; impl Display for Frank {}",
            "Der Vorstand hat die Rechnung des Lieferanten geprüft.",
            "See Figure 3 and Table 4 in Chapter 2.",
        ] {
            check(text, &[]);
        }
    }
}
