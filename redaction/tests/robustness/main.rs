//! What an adversary or an accident does to text, and what only looks like data: the suites of
//! `fixtures/secrets/`, `fixtures/negatives/` and `fixtures/evasion/`, by rules alone.

mod evasion;
mod negatives;
mod secrets;

use serde::de::DeserializeOwned;
use std::{
    path::{Path, PathBuf},
    sync::OnceLock,
    time::{Duration, Instant},
};
use tollgate_redaction::{Device, Finding, Hints, NerConfig, Redactor, RedactorConfig};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A redactor of rules alone.
fn rules() -> &'static Redactor {
    static RULES: OnceLock<Redactor> = OnceLock::new();
    RULES.get_or_init(|| {
        let ner = NerConfig {
            device: Device::Off,
            ..NerConfig::default()
        };
        Redactor::new(&RedactorConfig {
            rules_dir: root().join("rules"),
            jurisdictions: Vec::new(),
            ner,
        })
        .unwrap()
    })
}

fn find(text: &str) -> Vec<Finding> {
    let soon = Instant::now() + Duration::from_secs(120);
    let mut inspection = rules().inspect(&[text], &Hints::default(), soon).unwrap();
    inspection.findings.swap_remove(0)
}

/// The files of `fixtures/NAME/`, by name.
fn suites<T: DeserializeOwned>(name: &str) -> Vec<(String, T)> {
    let mut files: Vec<_> = std::fs::read_dir(root().join("fixtures").join(name))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files
        .into_iter()
        .map(|file| {
            let suite = toml::from_str(&std::fs::read_to_string(&file).unwrap())
                .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
            let stem = file.file_stem().unwrap().to_string_lossy().into_owned();
            (stem, suite)
        })
        .collect()
}
