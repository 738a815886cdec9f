//! Text that holds nothing personal, or just what is listed.

use crate::{find, suites};
use serde::Deserialize;
use tollgate_redaction::Entity;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Suite {
    case: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    text: String,
    /// What is personal in it all the same, in this order.
    #[serde(default)]
    find: Vec<(Entity, String)>,
}

#[test]
fn what_only_looks_personal_is_not_reported() {
    let mut failures = Vec::new();
    let mut cases = 0;
    for (name, suite) in suites::<Suite>("negatives") {
        for case in suite.case {
            cases += 1;
            let found = find(&case.text);
            let got: Vec<(Entity, String)> = found
                .iter()
                .map(|f| (f.entity, case.text[f.span.range()].to_owned()))
                .collect();
            if got != case.find {
                let by: Vec<_> = found.iter().map(|f| f.recognizer.as_ref()).collect();
                let text: String = case.text.chars().take(100).collect();
                failures.push(format!("{name}: {text:?}: found {got:?} by {by:?}"));
            }
        }
    }
    assert!(cases > 100, "only {cases} cases");
    assert!(
        failures.is_empty(),
        "{} of {cases}:\n{}",
        failures.len(),
        failures.join("\n")
    );
}
