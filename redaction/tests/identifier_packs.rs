//! What every pack of `rules/recognizers/identifiers/` keeps, so that scores mean the same
//! everywhere (`docs/identifiers.md`).

use regex_automata::{Anchored, Input, meta::Regex};
use std::{collections::BTreeSet, path::Path};

/// A finding below this score is not reported.
const REPORTED: f64 = 0.5;

/// Digits only, of every length that identifiers have, many of each.
fn bare_digits() -> Vec<String> {
    let mut state = 1u64;
    let mut digit = || {
        // Knuth's MMIX generator; the upper bits are the random ones.
        state = state
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        char::from(b'0' + (state >> 33) as u8 % 10)
    };
    (4..=25)
        .flat_map(|length| std::iter::repeat_n(length, 300))
        .map(|length| (0..length).map(|_| digit()).collect())
        .collect()
}

/// What breaks the conventions in one recognizer.
fn faults(rule: &toml::Table, bare: &[String]) -> Vec<&'static str> {
    let number = |key: &str| rule.get(key).and_then(toml::Value::as_float);
    let text = |key: &str| rule.get(key).and_then(toml::Value::as_str);
    let score = number("score").unwrap_or_default();
    let mut faults = Vec::new();
    if text("source").is_none_or(str::is_empty) {
        faults.push("names no source");
    }
    if rule.get("context").is_none() {
        faults.push("has no context words");
    }
    if number("context_score").unwrap_or(score) < 0.8 {
        faults.push("is unsure even with context");
    }
    let alone = number("bare_score")
        .unwrap_or(score)
        .max(number("home_score").unwrap_or(0.0));
    let needs_context = rule.get("context_required").and_then(toml::Value::as_bool) == Some(true);
    if rule.get("check").is_none() && !needs_context && alone >= REPORTED {
        let pattern = Regex::new(text("pattern").unwrap_or_default()).unwrap();
        let whole = |digits: &String| {
            let input = Input::new(digits).anchored(Anchored::Yes);
            pattern
                .find(input)
                .is_some_and(|found| found.end() == digits.len())
        };
        if bare.iter().any(whole) {
            faults.push("reports bare digits that nothing checks");
        }
    }
    faults
}

#[test]
fn packs_keep_the_conventions() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../rules/recognizers/identifiers");
    let bare = bare_digits();
    let (mut jurisdictions, mut kinds) = (BTreeSet::new(), 0);
    let mut failures = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let pack: toml::Table = toml::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let jurisdiction = pack.get("jurisdiction").and_then(toml::Value::as_str);
        if name != "international" && jurisdiction != Some(&name.to_uppercase()) {
            failures.push(format!("{name} has the jurisdiction {jurisdiction:?}"));
        }
        jurisdictions.extend(jurisdiction.map(str::to_owned));
        for rule in pack["recognizer"].as_array().unwrap() {
            let rule = rule.as_table().unwrap();
            kinds += 1;
            let id = rule["id"].as_str().unwrap();
            failures.extend(
                faults(rule, &bare)
                    .iter()
                    .map(|fault| format!("{name}/{id} {fault}")),
            );
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(
        jurisdictions.len() >= 60 && kinds >= 200,
        "{} {kinds}",
        jurisdictions.len()
    );
}

#[test]
fn the_conventions_are_noticed() {
    let bare = bare_digits();
    let rule = |text: &str| faults(&toml::from_str(text).unwrap(), &bare);
    let good = "source = \"law\"\ncontext = [\"id\"]\ncontext_score = 0.9\npattern = '\\d{9}'\n";
    assert!(rule(&format!("{good}score = 0.4")).is_empty());
    assert!(rule(&format!("{good}score = 0.6\ncheck = \"luhn\"")).is_empty());
    assert_eq!(
        rule(&format!("{good}score = 0.4\nhome_score = 0.6")).len(),
        1
    );
    assert_eq!(rule("pattern = '[A-Z]\\d{9}'\nscore = 0.6").len(), 3);
}
