//! `tollgate tco` with the real binary: what it prints, that it prints it again, and what it says
//! to those who call it wrongly.

use std::process::{Command, Output};

fn tco(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tollgate"))
        .arg("tco")
        .args(["--trials", "2000"])
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_owned()).unwrap()
}

#[test]
fn it_tells_the_decision_first_and_the_same_each_time() {
    let output = tco(&[]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(tco(&[]).stdout, output.stdout);
    assert_ne!(tco(&["--seed", "2"]).stdout, output.stdout);
    let said = text(&output.stdout);
    let first = said.lines().next().unwrap();
    assert!(
        first.contains("BUILD") || first.contains("HYBRID") || first.contains("DECISION"),
        "{first}"
    );
    for words in [
        "Global API and its tax",
        "Build from scratch",
        "Fine-tune open source",
        "Managed sovereign cloud",
        "Hybrid through this gate",
        "What flips it: ",
        "months 18 to 24",
        "Pessimistic case: ",
    ] {
        assert!(said.contains(words), "{words} is lacking:\n{said}");
    }
    for line in said.lines() {
        assert!(line.chars().count() <= 120, "{line}");
    }
}

#[test]
fn it_can_say_do_not_build() {
    let said = text(&tco(&["--set", "tax.capacity_share=0", "--set", "tax.audits=0"]).stdout);
    assert!(
        said.starts_with("DO NOT BUILD: STAY WITH GLOBAL APIS"),
        "{said}"
    );
}

#[test]
fn json_holds_every_input_with_its_source() {
    let output = tco(&[
        "--json",
        "--scenario",
        "small",
        "--set",
        "demand.requests=2e5",
        "--months",
        "24",
    ]);
    let said: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(said["horizon_months"], 24);
    assert_eq!(said["plans"].as_array().unwrap().len(), 5);
    let inputs = said["assumptions"].as_array().unwrap();
    assert!(inputs.len() > 60);
    for input in inputs {
        assert!(!input["source"].as_str().unwrap().is_empty(), "{input}");
        assert!(["measured", "derived", "assumed"].contains(&input["standing"].as_str().unwrap()));
    }
    let requests = inputs
        .iter()
        .find(|input| input["key"] == "demand.requests")
        .unwrap();
    assert_eq!(requests["numbers"], serde_json::json!([200_000.0]));
    assert_eq!(requests["source"], "given as --set demand.requests=2e5");
}

#[test]
fn who_calls_it_wrongly_is_told_what_was_expected() {
    for (arguments, expected) in [
        (
            &["--set", "demand.reqests=5"][..],
            "unknown key \"demand.reqests\"; did you mean demand.requests, ",
        ),
        (&["--set", "demand.requests"], "expected key=value"),
        (
            &["--set", "demand.requests=many"],
            "\"many\" is not a number",
        ),
        (
            &["--set", "demand.requests=9..1"],
            "contradicts itself: low is 9, above high, which is 1",
        ),
        (
            &["--set", "demand.input_tokens=-1"],
            "-1 is out of bounds: expected 0 to",
        ),
        (&["--set", "choice.gpu=steal"], "expected `buy` or `rent`"),
        (&["--scenario", "nope"], "name a file, or one of default, "),
        (&["--scenario", "Cargo.toml"], "Cargo.toml, line "),
        (&["--from", "yesterday"], "neither a day such as 2026-11-01"),
        (
            &["--from", "2026-11-02", "--to", "2026-11-01"],
            "its end must be after its start",
        ),
        (&["--months", "0"], "0 is not in 1..=240"),
        (&["--to", "2026-11-01"], "--from <DATE>"),
    ] {
        let output = tco(arguments);
        let said = text(&output.stderr);
        assert!(said.contains(expected), "{arguments:?}: {said}");
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(output.stdout.is_empty());
    }
}
