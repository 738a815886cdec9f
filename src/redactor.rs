//! The redactor as the commands without a gate use it.

use crate::config::Config;
use crate::exit::Failure;
use crate::runtime::Runtime;
use std::fs;
use std::io::{self, Read};
use std::path::Path;
use std::time::{Duration, Instant};
use tollgate_redaction::{Device, Redactor, RedactorConfig};

/// For the inspection of one text: nobody waits for it but the one who called.
const INSPECT_TIMEOUT: Duration = Duration::from_secs(600);

/// Loads rules and, unless it is not wanted, the model.
///
/// # Errors
/// When a rule is malformed or the model is not set up.
pub fn load(config: &Config, ner: bool, threads: usize) -> Result<Redactor, Failure> {
    let mut settings = RedactorConfig {
        rules_dir: config.rules.dir.clone(),
        jurisdictions: config.inspection.jurisdictions.clone(),
        ner: config.ner.clone(),
    };
    settings.ner.runtime_dir = Runtime::locate().dir().to_owned();
    settings.ner.threads = threads;
    if !ner {
        settings.ner.device = Device::Off;
    }
    Ok(Redactor::adjusted(
        &settings,
        &config.inspection.adjustments(),
    )?)
}

/// By when an inspection that starts now must have ended.
pub fn deadline() -> Instant {
    Instant::now() + INSPECT_TIMEOUT
}

/// The text of a file, or of standard input.
///
/// # Errors
/// When it cannot be read or is not UTF-8.
pub fn read_text(file: Option<&Path>) -> Result<String, Failure> {
    let Some(path) = file else {
        let mut text = String::new();
        return match io::stdin().lock().read_to_string(&mut text) {
            Ok(_) => Ok(text),
            Err(error) => Err(Failure::usage(format!("standard input: {error}"))),
        };
    };
    fs::read_to_string(path).map_err(|error| {
        Failure::usage(format!(
            "{}: cannot be read as UTF-8 text: {error}",
            path.display()
        ))
    })
}
