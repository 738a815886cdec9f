//! The engine against searching for each rule by itself.

use super::{Patterns, Scratch, nearby::Tape, toml_files};
use crate::{finding::Jurisdiction, pack};
use proptest::prelude::*;
use std::{
    path::Path,
    sync::OnceLock,
    time::{Duration, Instant},
};

fn shipped() -> &'static Patterns {
    static PATTERNS: OnceLock<Patterns> = OnceLock::new();
    PATTERNS.get_or_init(|| {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../rules/recognizers");
        Patterns::read(&[directory], &["ner.toml"], &[], |_| 0.5).unwrap()
    })
}

type Found = Vec<(usize, usize, String, u32)>;

fn by_engine(text: &str, country: Option<Jurisdiction>) -> Found {
    let patterns = shipped();
    let mut out = Vec::new();
    let (homes, mut scratch) = (patterns.homes(country), Scratch::new(patterns));
    let deadline = Instant::now() + Duration::from_secs(60);
    patterns
        .find(text, &homes, &mut scratch, deadline, &mut out)
        .unwrap();
    let rows = out.into_iter().map(|finding| {
        let score = (finding.score * 1000.0) as u32;
        let span = finding.span;
        (span.start, span.end, finding.recognizer.to_string(), score)
    });
    let mut rows: Vec<_> = rows.collect();
    rows.sort();
    rows
}

/// Tries every rule wherever it may begin: after a finding of its own, where no word runs on.
fn by_trying(text: &str, homes: &[Jurisdiction], keyed: &[Option<Vec<(String, bool)>>]) -> Found {
    let patterns = shipped();
    let mut rows = Vec::new();
    for (number, rule) in patterns.rules.iter().enumerate() {
        let mut resume = 0;
        for start in (0..text.len()).filter(|&at| text.is_char_boundary(at)) {
            let rest = &text[start..];
            let begins = |(keyword, any_case): &(String, bool)| {
                let here = rest.as_bytes().get(..keyword.len());
                here.is_some_and(|here| match any_case {
                    true => here.eq_ignore_ascii_case(keyword.as_bytes()),
                    false => here == keyword.as_bytes(),
                })
            };
            let inside = start > 0 && text.as_bytes()[start - 1].is_ascii_alphanumeric();
            let may = match &keyed[number] {
                Some(keywords) => keywords.iter().any(begins),
                None => !(inside && rule.anchored),
            };
            if start < resume || !may {
                continue;
            }
            let mut tape = Tape::new(&patterns.contexts, text);
            let found = rule.matches_at(text, start, text.len());
            if let Some(verdict) =
                found.and_then(|found| rule.judge(number, text, found, &mut tape, homes))
            {
                resume = verdict.value.end;
                let score = (verdict.score * 1000.0) as u32;
                rows.push((verdict.value.start, resume, rule.name.to_string(), score));
            }
        }
    }
    rows.sort();
    rows
}

/// For each rule its keywords, and whether any case will do.
type KeywordsOf = Vec<Option<Vec<(String, bool)>>>;

fn keywords() -> &'static KeywordsOf {
    static KEYWORDS: OnceLock<KeywordsOf> = OnceLock::new();
    KEYWORDS.get_or_init(|| {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../rules/recognizers");
        let files = toml_files(&directory).unwrap();
        let packs = files.iter().filter(|path| !path.ends_with("ner.toml"));
        let rules = packs.flat_map(|path| pack::read(&directory, path).unwrap());
        let keyed = |rule: pack::Rule| {
            let any_case = rule.ignore_case;
            let keywords = rule.keywords.into_iter();
            let keywords: Vec<_> = keywords.map(|keyword| (keyword, any_case)).collect();
            (!keywords.is_empty()).then_some(keywords)
        };
        rules.map(keyed).collect()
    })
}

fn agree(text: &str, country: &str) -> Result<(), TestCaseError> {
    let country = Jurisdiction::new(country);
    let homes: Vec<_> = country.into_iter().collect();
    prop_assert_eq!(
        by_engine(text, country),
        by_trying(text, &homes, keywords()),
        "{:?}",
        text
    );
    Ok(())
}

#[test]
fn no_shipped_rule_needs_the_gate() {
    let patterns = shipped();
    let gated: Vec<_> = patterns
        .gate
        .iter()
        .flat_map(|gate| gate.rules.iter().map(|&rule| &*patterns.rules[rule].name))
        .collect();
    assert!(gated.is_empty(), "{gated:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn finds_what_trying_every_rule_everywhere_finds(
        parts in prop::collection::vec(
            prop_oneof![
                3 => "[0-9]{1,11}",
                3 => "[ ./:+()_,@-]",
                2 => "[A-Z]{1,4}",
                1 => "[a-z]{1,5}",
                1 => "[éßК„–ſ日]",
                3 => prop::sample::select(vec![
                    " ", " ", "phone ", "Steuernummer ", "geb. ", "born ", "PESEL", "iban ", "passport ",
                    "+49 30 901820", "4111 1111 1111 1111", "DE89370400440532013000", "a.b@mail.example",
                    "Dr. Anna", "12 Main Street", "3 May 1990", "03/05/1990", "key_", "AKIA", "password: ",
                    "10.20.30.40", "fe80::1", "00:1b:44:11:3a:b7", "44051401359", "Musterstraße 12",
                    "Example GmbH", "https://", "www.", "age 34", "34 years old", "vin ", "\n",
                ]).prop_map(String::from),
            ],
            0..14,
        ),
        home in prop::sample::select(vec!["", "DE", "PL", "US", "BR"]),
    ) {
        agree(&parts.concat(), home)?;
    }
}
