//! Credentials: each kind that a rule knows is found whole where it stands.

use crate::{find, root, suites};
use serde::Deserialize;
use std::collections::BTreeSet;
use tollgate_redaction::Entity;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Suite {
    case: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    /// The rule that the case is about.
    kind: String,
    #[serde(default = "secret")]
    entity: Entity,
    /// The text; `{secret}` stands for the joined halves.
    text: String,
    halves: [String; 2],
}

fn secret() -> Entity {
    Entity::Secret
}

/// The packs that are about credentials.
fn packs() -> Vec<(String, toml::Table)> {
    let recognizers = root().join("rules/recognizers");
    let mut packs = Vec::new();
    let mut open = vec![
        recognizers.join("secrets"),
        recognizers.join("accounts.toml"),
    ];
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(
                std::fs::read_dir(path)
                    .unwrap()
                    .map(|entry| entry.unwrap().path()),
            );
        } else {
            let stem = path.file_stem().unwrap().to_string_lossy().into_owned();
            packs.push((
                stem,
                toml::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap(),
            ));
        }
    }
    packs
}

#[test]
fn each_kind_is_found_whole() {
    let mut failures = Vec::new();
    let mut cases = 0;
    for (name, suite) in suites::<Suite>("secrets") {
        for case in suite.case {
            cases += 1;
            let value = case.halves.concat();
            let start = case.text.find("{secret}").unwrap();
            let text = case.text.replace("{secret}", &value);
            let found = find(&text);
            let whole = found.iter().any(|finding| {
                finding.entity == case.entity
                    && finding.span.range() == (start..start + value.len())
            });
            if !whole {
                let got: Vec<_> = found
                    .iter()
                    .map(|f| (f.entity, f.recognizer.as_ref(), &text[f.span.range()]))
                    .collect();
                failures.push(format!("{name}/{}: {text:?}: found {got:?}", case.kind));
            }
        }
    }
    assert!(
        failures.is_empty(),
        "{} of {cases}:\n{}",
        failures.len(),
        failures.join("\n")
    );
}

#[test]
fn each_kind_has_a_case_and_there_are_many() {
    let with_case: BTreeSet<String> = suites::<Suite>("secrets")
        .into_iter()
        .flat_map(|(pack, suite)| {
            suite
                .case
                .into_iter()
                .map(move |case| format!("{pack}/{}", case.kind))
        })
        .collect();
    let kinds: BTreeSet<String> = packs()
        .into_iter()
        .flat_map(|(pack, table)| {
            let rules = table["recognizer"].as_array().unwrap().clone();
            rules
                .into_iter()
                .map(move |rule| format!("{pack}/{}", rule["id"].as_str().unwrap()))
        })
        .collect();
    let without: Vec<_> = kinds.difference(&with_case).collect();
    let unknown: Vec<_> = with_case.difference(&kinds).collect();
    assert!(without.is_empty(), "no case for {without:?}");
    assert!(unknown.is_empty(), "no rule for {unknown:?}");
    assert!(kinds.len() >= 300, "{} kinds", kinds.len());
}

#[test]
fn a_placeholder_is_no_secret() {
    let mut failures = Vec::new();
    for (_, suite) in suites::<Suite>("secrets") {
        for case in suite.case {
            for stand_in in [
                "<your-key>",
                "${SECRET}",
                "xxxxxxxxxxxxxxxxxxxxxxxx",
                "********",
            ] {
                let text = case.text.replace("{secret}", stand_in);
                for finding in find(&text) {
                    if finding.entity == Entity::Secret {
                        failures.push(format!("{text}: {}", finding.recognizer));
                    }
                }
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
