//! What is read out of a model is what its own library reads out of it: `fixtures/ner` holds small
//! models and what `gliner` and `transformers` found with them (`make.py` there made both).

use super::*;
use crate::{Device, Hints, Language, Redactor, RedactorConfig};
use std::path::PathBuf;

#[derive(Deserialize)]
struct Expected {
    text: String,
    spans: Vec<Labelled>,
}

#[derive(Deserialize)]
struct Labelled {
    start: usize,
    end: usize,
    label: String,
    score: f32,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn ner() -> NerConfig {
    let runtime = std::env::var_os("TOLLGATE_RUNTIME");
    NerConfig {
        runtime_dir: runtime.map_or(root().join(".runtime"), PathBuf::from),
        device: Device::Cpu,
        threads: 1,
        ..NerConfig::default()
    }
}

/// A fixture as a deployment would add it; `change` is more of its table, or other.
fn config(name: &str, change: &str) -> ModelConfig {
    let labels = match name {
        "gliner-tiny" => {
            "kind = 'gliner'\nlabels = { person = 'PERSON', port = 'LOCATION', ship = 'VEHICLE_ID' }"
        }
        _ => "labels = { PERSON = 'PERSON', PORT = 'LOCATION', SHIP = 'VEHICLE_ID' }",
    };
    let mut table: toml::Table = toml::from_str(labels).unwrap();
    let path = root().join("fixtures/ner").join(name);
    table.insert("name".into(), name.into());
    table.insert("path".into(), path.to_str().unwrap().into());
    table.extend(toml::from_str::<toml::Table>(change).unwrap());
    table.try_into().unwrap()
}

fn open(name: &str, change: &str) -> Result<Further, Error> {
    Further::open(&ner(), &config(name, change))
}

fn refusal(name: &str, change: &str) -> String {
    open(name, change).err().unwrap().to_string()
}

fn findings(model: &Further, text: &str) -> Vec<Finding> {
    let deadline = Instant::now() + Duration::from_secs(60);
    let words = model.model.read_anew(text, deadline).unwrap();
    let placed = |word: &super::super::Word| Placed {
        span: Span::new(usize::from(word.start), usize::from(word.end)),
        label: word.label,
        begins: word.begins,
        score: word.score,
    };
    model.findings(text, words.iter().map(placed).collect())
}

fn agrees_with_its_library(name: &str) {
    let (own, model) = (config(name, ""), open(name, "").unwrap());
    let file = own.path.join("expected.jsonl");
    let mut compared = 0;
    for line in std::fs::read_to_string(file).unwrap().lines() {
        let Expected { text, spans } = serde_json::from_str(line).unwrap();
        let found = findings(&model, &text);
        let shown = |span: &Span| &text[span.range()];
        let actual: Vec<_> = found.iter().map(|f| (shown(&f.span), f.entity)).collect();
        // What has no letter and no digit is never reported, whatever a model says.
        let spans: Vec<_> = spans
            .into_iter()
            .filter(|span| text[span.start..span.end].contains(char::is_alphanumeric))
            .collect();
        let expected: Vec<_> = spans
            .iter()
            .map(|span| (&text[span.start..span.end], own.labels[&span.label]))
            .collect();
        assert_eq!(actual, expected, "{text}");
        for (finding, span) in found.iter().zip(&spans) {
            let apart = (finding.score - span.score).abs();
            assert!(
                apart < 0.01,
                "{}: {} and {}",
                span.label,
                finding.score,
                span.score
            );
            compared += 1;
        }
    }
    assert!(compared >= 12, "{compared} spans were compared");
}

#[test]
fn a_gliner_says_what_its_library_says() {
    agrees_with_its_library("gliner-tiny");
}

#[test]
fn a_token_classifier_says_what_its_library_says() {
    agrees_with_its_library("tokens-tiny");
}

#[test]
fn a_gliner_reads_on_where_its_library_stops() {
    let model = open("gliner-tiny", "").unwrap();
    // Its library cuts a text after max_len words, 128 here.
    let text = "The captain of the Polar Queen is Maria da Silva. ".repeat(20);
    let people = findings(&model, &text)
        .into_iter()
        .filter(|finding| finding.entity == Entity::Person)
        .filter(|finding| &text[finding.span.range()] == "Maria da Silva")
        .count();
    assert!(people >= 18, "{people} of 20");
}

#[test]
fn thresholds_and_labels_are_the_deployments() {
    let text = "The captain of the Polar Queen is Maria da Silva.";
    let entities = |name, change: &str| -> Vec<Entity> {
        let found = findings(&open(name, change).unwrap(), text);
        found.into_iter().map(|finding| finding.entity).collect()
    };
    let both = [Entity::VehicleId, Entity::Person];
    assert_eq!(entities("tokens-tiny", ""), both);
    assert_eq!(entities("tokens-tiny", "threshold = 0.999"), []);
    assert_eq!(
        entities("tokens-tiny", "thresholds = { SHIP = 0.999 }"),
        [Entity::Person]
    );
    let only = "labels = { SHIP = 'USERNAME' }";
    assert_eq!(entities("tokens-tiny", only), [Entity::Username]);
}

#[test]
fn its_findings_are_among_all_others_and_bear_its_name() {
    let make = |change: &str| {
        let model = vec![config("tokens-tiny", change)];
        let ner = NerConfig { model, ..ner() };
        Redactor::new(&RedactorConfig {
            rules_dir: root().join("rules"),
            jurisdictions: Vec::new(),
            ner,
        })
    };
    let redactor = make("all_text = true\nlanguages = ['en', 'pl']").unwrap();
    let text = "Nothing was heard of the Morning Light. Write to anna.berg@harbour.example.";
    let named = |language: Option<&str>| -> Vec<(Entity, String)> {
        let hints = Hints {
            language: language.and_then(Language::new),
            ..Hints::default()
        };
        let deadline = Instant::now() + Duration::from_secs(60);
        let inspection = redactor.inspect(&[text], &hints, deadline).unwrap();
        let found = inspection.findings[0].iter();
        found
            .map(|finding| (finding.entity, finding.recognizer.to_string()))
            .collect()
    };
    let ship = (Entity::VehicleId, "ner/tokens-tiny".to_owned());
    for language in [None, Some("en"), Some("pl-PL")] {
        let found = named(language);
        assert_eq!(found.first(), Some(&ship), "{language:?}: {found:?}");
        assert!(found.iter().any(|(entity, _)| *entity == Entity::Email));
    }
    assert!(!named(Some("de")).contains(&ship));
    let wrong = make("labels = { BOAT = 'VEHICLE_ID' }").err().unwrap();
    assert!(wrong.to_string().contains("BOAT"), "{wrong}");
}

#[test]
fn what_does_not_fit_is_refused_with_the_reason() {
    for (change, reasons) in [
        ("name = 'rampart'", &["name", "built-in"][..]),
        ("name = 'a/b'", &["name"]),
        ("labels = {}", &["labels"]),
        (
            "labels = { BOAT = 'VEHICLE_ID' }",
            &["BOAT", "PERSON, SHIP, PORT"],
        ),
        ("threshold = 0.0", &["threshold", "more than 0"]),
        ("threshold = nan", &["threshold"]),
        ("thresholds = { PORT = 1.5 }", &["threshold"]),
        ("thresholds = { BOAT = 0.5 }", &["BOAT"]),
        ("file = 'other.onnx'", &["other.onnx"]),
        ("file = 'config.json'", &["config.json"]),
        ("path = 'nowhere'", &["nowhere"]),
        // A token classifier has no gliner_config.json.
        ("kind = 'gliner'", &["gliner_config.json"]),
    ] {
        let said = refusal("tokens-tiny", change);
        for reason in reasons {
            assert!(said.contains(reason), "{change}: {said}");
        }
    }
    assert!(refusal("gliner-tiny", "kind = 'tokens'").contains("config.json"));
}

/// A copy of a fixture with its description changed.
fn described(name: &str, file: &str, from: &str, to: &str) -> (tempfile::TempDir, String) {
    let directory = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(root().join("fixtures/ner").join(name)).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), directory.path().join(entry.file_name())).unwrap();
    }
    let path = directory.path().join(file);
    let source = std::fs::read_to_string(&path).unwrap();
    assert!(source.contains(from), "{file} has no {from}");
    std::fs::write(&path, source.replace(from, to)).unwrap();
    let change = format!("path = '{}'", directory.path().display());
    (directory, change)
}

#[test]
fn a_description_that_does_not_fit_its_model_is_refused() {
    for (name, file, from, to, reason) in [
        (
            "tokens-tiny",
            "config.json",
            "\"6\": \"I-PORT\"",
            "\"7\": \"I-PORT\"",
            "id2label",
        ),
        (
            "tokens-tiny",
            "config.json",
            ",\n    \"6\": \"I-PORT\"",
            "",
            "scores",
        ),
        ("tokens-tiny", "config.json", "512", "64", "64"),
        ("tokens-tiny", "config.json", "{", "", "config.json"),
        ("tokens-tiny", "tokenizer.json", "{", "", "tokenizer.json"),
        (
            "gliner-tiny",
            "gliner_config.json",
            "markerV0",
            "token_level",
            "span_mode",
        ),
        (
            "gliner-tiny",
            "gliner_config.json",
            "\"max_width\": 4",
            "\"max_width\": 0",
            "max_width",
        ),
    ] {
        let (_directory, change) = described(name, file, from, to);
        let said = refusal(name, &change);
        assert!(said.contains(reason), "{file}, {to}: {said}");
    }
}
