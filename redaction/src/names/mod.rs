//! Names of persons, places and organizations by word lists and by their shape.
//!
//! ```text
//!  text ── run ──> runs of capitalised words, each with what the lists know of it   lexicon
//!                   └─ grammar ──> findings: given name + surname, title + name, ...
//!       └─ lower ──> the same for texts without capitals       findings ─ repeat ─> the same names again
//! ```
//!
//! It costs a microsecond a kilobyte, so that it reads everything. Where the model reads too, the
//! two propose independently; [`Names::flags`] also tells the model's rules which words are names
//! and which are ordinary words.

mod grammar;
mod lexicon;
mod lower;
mod prose;
mod repeat;
mod rules;
mod run;

use crate::{Entity, Error, Explanation, Finding, Recognizer};
pub(crate) use lexicon::Flags;
use lexicon::Lexicon;
pub(crate) use prose::prose;
use rules::Endings;
use std::{path::Path, sync::Arc};

/// The lists and rules of `rules/names/`.
pub(crate) struct Names {
    lexicon: Lexicon,
    endings: Endings,
    /// Who found it: a person, a place, an organization, one of them again.
    recognizers: [Arc<str>; 4],
}

impl Names {
    /// Reads `directory`.
    pub fn read(directory: &Path) -> Result<Self, Error> {
        let (lexicon, endings) = rules::read(directory)?;
        Ok(Self {
            lexicon,
            endings,
            recognizers: [
                "names/person",
                "names/place",
                "names/organization",
                "names/again",
            ]
            .map(Arc::from),
        })
    }

    /// How many words are known.
    pub fn len(&self) -> usize {
        self.lexicon.len()
    }

    /// Adds to all that was found in `text` the parts of names that stand alone elsewhere in it.
    pub fn repeat(&self, text: &str, findings: &mut Vec<Finding>) {
        repeat::repeat(self, text, findings);
    }

    /// What the lists say of the words that were found.
    pub fn explain(&self, text: &str, finding: &Finding) -> Explanation {
        if finding.recognizer == self.recognizers[3] {
            return Explanation::Again;
        }
        let (mut names, mut places, mut ordinary, mut unknown) = (0, 0, 0, 0);
        let words = text[finding.span.range()].split(|c: char| !c.is_alphabetic());
        for word in words.filter(|word| !word.is_empty()) {
            let flags = self.flags(word);
            names += usize::from(flags.any(Flags::NAME));
            places += usize::from(flags.any(Flags::PLACE));
            ordinary += usize::from(flags.any(Flags::COMMON | Flags::CALENDAR));
            unknown += usize::from(!flags.any(Flags::LISTED));
        }
        Explanation::Names {
            names,
            places,
            ordinary,
            unknown,
        }
    }

    /// Whether a word is a name and no ordinary word.
    pub fn is_name(&self, word: &str) -> bool {
        let flags = self.flags(word);
        flags.any(Flags::NAME) && !flags.any(Flags::COMMON | Flags::CALENDAR)
    }

    /// Whether a word is ordinary and no name.
    pub fn is_ordinary(&self, word: &str) -> bool {
        let flags = self.lexicon.get(word);
        flags.any(Flags::COMMON | Flags::CALENDAR) && !flags.any(Flags::NAME | Flags::PLACE)
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
        let mut report = |span, entity, score| {
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
        };
        run::runs(text, self, |run| {
            let judge = grammar::Judge {
                text,
                names: self,
                run,
            };
            judge.judge(&mut report);
        });
        if lower::applies(text) {
            lower::judge(self, text, &mut report);
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use std::sync::OnceLock;

    /// The lists of this repository.
    pub fn names() -> &'static Names {
        static NAMES: OnceLock<Names> = OnceLock::new();
        NAMES.get_or_init(|| {
            let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../rules/names");
            Names::read(&directory).unwrap()
        })
    }

    fn found(text: &str) -> Vec<(String, &'static str)> {
        let names = names();
        let mut out = Vec::new();
        names.find(text, &mut out);
        names.repeat(text, &mut out);
        let out = crate::resolve(text, out);
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
    fn names_again() {
        check(
            "Oddvar Field came late. They asked Field to wait.",
            &[("Oddvar Field", "PERSON"), ("Field", "PERSON")],
        );
        check(
            "the Association of Graduate Surveyors (AGSU) met. Then AGSU left.",
            &[
                ("Association of Graduate Surveyors", "ORG"),
                ("AGSU", "ORG"),
                ("AGSU", "ORG"),
            ],
        );
    }

    #[test]
    fn names_without_capitals() {
        check(
            "can you write to ingrid solheim about it",
            &[("ingrid solheim", "PERSON")],
        );
        check(
            "ask svetlana, she lives in norway",
            &[("svetlana", "PERSON"), ("norway", "LOCATION")],
        );
        check("will you mark the page and read the rose book", &[]);
    }

    #[test]
    fn greetings_and_initials() {
        check("Dear Hope, thank you", &[("Hope", "PERSON")]);
        check(
            "Written by Jorunn K Vestergren in May",
            &[("Jorunn K Vestergren", "PERSON")],
        );
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
