//! The table suites of `fixtures/recognizers/`, and properties, run with and without the model.

use proptest::prelude::*;
use serde::Deserialize;
use std::{
    path::{Path, PathBuf},
    sync::OnceLock,
    time::{Duration, Instant},
};
use tollgate_redaction::{Device, Entity, Hints, NerConfig, Redactor, RedactorConfig};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Suite {
    entity: Entity,
    case: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    /// The text; `@` stands for the joined halves where there are some.
    text: String,
    /// What must be found, in this order; nothing else of the suite's entity may be.
    #[serde(default)]
    find: Vec<String>,
    /// A value in parts, which the text holds and which must be found.
    #[serde(default)]
    halves: Vec<String>,
    /// Found only by the model.
    #[serde(default)]
    ner: bool,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn runtime() -> PathBuf {
    let path = std::env::var_os("TOLLGATE_RUNTIME").map_or(root().join(".runtime"), Into::into);
    assert!(
        path.join("rampart/model_q4.onnx").exists(),
        "no model in {}; run `tollgate setup` or set TOLLGATE_RUNTIME",
        path.display()
    );
    path
}

fn make(device: Device, change: impl FnOnce(&mut NerConfig)) -> Redactor {
    let mut ner = NerConfig {
        device,
        threads: 2,
        runtime_dir: PathBuf::new(),
        ..NerConfig::default()
    };
    if device != Device::Off {
        ner.runtime_dir = runtime();
    }
    change(&mut ner);
    Redactor::new(&RedactorConfig {
        rules_dir: root().join("rules"),
        jurisdictions: Vec::new(),
        ner,
    })
    .unwrap()
}

fn rules() -> &'static Redactor {
    static RULES: OnceLock<Redactor> = OnceLock::new();
    RULES.get_or_init(|| make(Device::Off, |_| ()))
}

fn model() -> &'static Redactor {
    static MODEL: OnceLock<Redactor> = OnceLock::new();
    MODEL.get_or_init(|| make(Device::Cpu, |_| ()))
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(120)
}

/// What of `entity` is found in `text`, as text.
fn found(redactor: &Redactor, text: &str, entity: Entity) -> Vec<String> {
    redactor
        .inspect(&[text], &Hints::default(), soon())
        .unwrap()
        .findings[0]
        .iter()
        .filter(|finding| finding.entity == entity)
        .map(|finding| text[finding.span.range()].to_owned())
        .collect()
}

/// Runs every suite; `exact` also fails on more than what must be found.
fn run(redactor: &Redactor, with_model: bool) {
    let mut failures = Vec::new();
    let mut cases = 0;
    let mut files: Vec<_> = std::fs::read_dir(root().join("fixtures/recognizers"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    for file in files {
        let suite: Suite = toml::from_str(&std::fs::read_to_string(&file).unwrap())
            .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        for case in suite.case {
            if case.ner && !with_model {
                continue;
            }
            cases += 1;
            let joined = case.halves.concat();
            let (text, find) = match case.halves.is_empty() {
                true => (case.text, case.find),
                false => (case.text.replace('@', &joined), vec![joined]),
            };
            let got = found(redactor, &text, suite.entity);
            if got != find {
                failures.push(format!(
                    "{}: {text:?}: found {got:?}, not {find:?}",
                    suite.entity
                ));
            }
        }
    }
    assert!(cases > 150, "only {cases} cases");
    assert!(
        failures.is_empty(),
        "{} of {cases}:\n{}",
        failures.len(),
        failures.join("\n")
    );
}

#[test]
fn suites_without_the_model() {
    run(rules(), false);
}

#[test]
fn suites_with_the_model() {
    run(model(), true);
}

#[test]
fn a_name_is_found_at_any_offset_of_a_long_text() {
    let filler = "the shipment was delayed because several of the parts were still missing and nobody \
                  could say when they would come so we agreed to wait for another week and then ask again; ";
    let name = "Angela Brown";
    let long = filler.repeat(8);
    for at in (0..long.len())
        .step_by(61)
        .filter(|&at| long.as_bytes()[at] == b' ')
    {
        let text = format!("{} My name is {name}.{}", &long[..at], &long[at..]);
        assert_eq!(found(model(), &text, Entity::Person), [name], "at {at}");
    }
    for spaces in (300..480).step_by(7) {
        let text = format!(
            "{}{name} called about the invoice again.",
            "word ".repeat(spaces / 5)
        );
        assert_eq!(
            found(model(), &text, Entity::Person),
            [name],
            "after {spaces} bytes"
        );
    }
}

#[test]
fn a_name_at_the_end_of_much_repetition_is_found_with_little_reading() {
    let mut text: String = (0..40_000)
        .map(|n| {
            format!(
                "{:08},Warehouse {},Parcel delivered to Counter {},{}\n",
                n * 7919,
                n % 7,
                n % 3,
                n
            )
        })
        .collect();
    text.push_str("Complaint of Angela Brown about Counter 2\n");
    let inspection = model()
        .inspect(&[&text], &Hints::default(), soon())
        .unwrap();
    assert!(
        inspection.ner_windows < 40,
        "{} windows",
        inspection.ner_windows
    );
    let last = inspection.findings[0].last().unwrap();
    assert_eq!(&text[last.span.range()], "Angela Brown");
}

#[test]
fn what_was_read_is_not_read_again() {
    let redactor = make(Device::Cpu, |_| ());
    let text = "Please send the contract to Robert Fielding before Friday.";
    assert!(needs_reading(&redactor, &[text]));
    let first = redactor
        .inspect(&[text], &Hints::default(), soon())
        .unwrap();
    assert!(!needs_reading(&redactor, &[text]));
    let second = redactor
        .inspect(&[text, text], &Hints::default(), soon())
        .unwrap();
    assert_eq!((first.ner_windows, first.ner_windows_cached), (1, 0));
    assert_eq!((second.ner_windows, second.ner_windows_cached), (0, 1));
    assert_eq!(first.findings[0], second.findings[0]);
    assert_eq!(first.findings[0], second.findings[1]);
    assert!(!first.findings[0].is_empty());
}

#[test]
fn text_without_names_needs_no_model() {
    let nameless = [
        "the total is 12.50",
        "",
        "INFO request completed status=200",
    ];
    assert!(!needs_reading(model(), &nameless));
    assert!(!needs_reading(rules(), &["Angela Brown"]));
}

fn needs_reading(redactor: &Redactor, segments: &[&str]) -> bool {
    let inspection = redactor.inspect_without_reading(segments, &Hints::default(), soon());
    inspection.unwrap().is_none()
}

#[test]
fn time_that_ran_out_is_an_error() {
    let error = model().inspect(
        &["Angela Brown and 4111 1111 1111 1111"],
        &Hints::default(),
        Instant::now(),
    );
    assert!(error.unwrap_err().is_deadline());
    let redactor = make(Device::Cpu, |ner| ner.cache_windows = 0);
    let text: String = (0..4000)
        .map(|n| {
            format!(
                "Angela {} met Robert {} and spoke at length.\n",
                words(n),
                words(n * 31)
            )
        })
        .collect();
    let started = Instant::now();
    let error = redactor.inspect(
        &[&text],
        &Hints::default(),
        started + Duration::from_millis(300),
    );
    assert!(error.unwrap_err().is_deadline());
    assert!(
        started.elapsed() < Duration::from_secs(10),
        "{:?}",
        started.elapsed()
    );
}

/// A made-up surname for a number.
fn words(n: usize) -> String {
    const PARTS: [&str; 10] = [
        "bar", "den", "fal", "gor", "hin", "lum", "mer", "nas", "ost", "vik",
    ];
    let parts: String = [n % 10, n / 10 % 10, n / 100 % 10, n / 1000 % 10]
        .map(|part| PARTS[part])
        .concat();
    format!("{}{}", parts[..1].to_uppercase(), &parts[1..])
}

#[test]
fn more_than_the_model_may_read_is_an_error() {
    let redactor = make(Device::Cpu, |ner| ner.max_windows = 2);
    let text: String = (0..100)
        .map(|n| {
            format!(
                "Angela {} met Robert {} and spoke at length.\n",
                words(n * 7),
                words(n * 31)
            )
        })
        .collect();
    let error = redactor
        .inspect(&[&text], &Hints::default(), soon())
        .unwrap_err();
    assert!(
        matches!(error, tollgate_redaction::Error::TooMuch { limit: 2, .. }),
        "{error}"
    );
}

#[test]
fn a_missing_runtime_says_what_to_do() {
    let missing = RedactorConfig {
        rules_dir: root().join("rules"),
        jurisdictions: Vec::new(),
        ner: NerConfig {
            runtime_dir: "nowhere".into(),
            device: Device::Cpu,
            ..NerConfig::default()
        },
    };
    let error = Redactor::new(&missing).err().unwrap().to_string();
    assert!(
        error.contains("nowhere") && error.contains("tollgate setup"),
        "{error}"
    );
}

#[test]
fn a_device_that_is_not_there_is_an_error_only_when_asked_for() {
    if runtime()
        .join("onnxruntime/libonnxruntime_providers_cuda.so")
        .exists()
    {
        println!("skipped: this runtime has the CUDA provider");
        return;
    }
    let ner = NerConfig {
        runtime_dir: runtime(),
        device: Device::Cuda(0),
        ..NerConfig::default()
    };
    let config = RedactorConfig {
        rules_dir: root().join("rules"),
        jurisdictions: Vec::new(),
        ner,
    };
    let error = Redactor::new(&config).err().unwrap();
    assert!(
        matches!(error, tollgate_redaction::Error::Device { .. }),
        "{error}"
    );
    let summary = make(Device::Auto, |_| ()).summary();
    assert_eq!(summary.device, Some(Device::Cpu));
    assert!(summary.rules > 100 && summary.terms > 1000, "{summary:?}");
}

#[test]
fn inspections_run_beside_each_other() {
    let redactor = model();
    std::thread::scope(|scope| {
        for n in 0..6 {
            scope.spawn(move || {
                let name = format!("Angela {}", words(n * 1111));
                let text = format!("My name is {name} and I write about order {n}.");
                let people = found(redactor, &text, Entity::Person);
                assert_eq!(people, [name]);
            });
        }
    });
}

fn is_sound(redactor: &Redactor, text: &str) -> Result<(), TestCaseError> {
    let inspection = redactor
        .inspect(&[text, text], &Hints::default(), soon())
        .unwrap();
    prop_assert_eq!(inspection.findings.len(), 2);
    for findings in &inspection.findings {
        for finding in findings {
            prop_assert!(!finding.span.is_empty() && text.get(finding.span.range()).is_some());
            prop_assert!((0.5..=1.0).contains(&finding.score));
        }
        for pair in findings.windows(2) {
            prop_assert!(pair[0].span.end <= pair[1].span.start);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn findings_of_any_text_are_sound(text in "\\PC{0,300}") {
        is_sound(rules(), &text)?;
    }

    #[test]
    fn findings_of_dense_text_are_sound(
        parts in prop::collection::vec(
            prop::sample::select(vec![
                "4111 1111 1111 1111", "+49 30 901820", "@", "a.b@example.org", " ", "\n", "é", "日本", "🙂", "DE89 3704",
                "password: ", "Tr0ub4dor", "https://", "x.example/", "3 May 1990", "born", "Dr. ", "Müller", "-", "_", "12",
                "cancer", "::", "fe80", "-----BEGIN PRIVATE KEY-----", "eyJ", "İ", "ﬁ", "Straße 1", "ssn",
            ]),
            0..40,
        ),
    ) {
        is_sound(rules(), &parts.concat())?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn findings_of_the_model_are_sound(text in "[\\PC\n]{0,200}") {
        is_sound(model(), &text)?;
    }
}
