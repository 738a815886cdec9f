//! Records as the events that security tools read (SIEM): OCSF as JSON, or CEF.
//!
//! An event holds what its record holds, no more: labels, counts, routes, money; no text of a prompt.

mod cef;
mod ocsf;

use crate::ledger::Entry;
use serde::Deserialize;

/// How events are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Open Cybersecurity Schema Framework 1.8, a JSON object a line: API Activity (6003) for each
    /// exchange and, where something was found in it, Data Security Finding (2006).
    Ocsf,
    /// ArcSight Common Event Format, version 0: a line for each exchange.
    Cef,
}

impl std::str::FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Format, String> {
        match text {
            "ocsf" => Ok(Format::Ocsf),
            "cef" => Ok(Format::Cef),
            _ => Err(format!("expected ocsf or cef, found `{text}`")),
        }
    }
}

impl Format {
    /// The events of a record, each one line without its end.
    pub fn events(self, entry: &Entry) -> Vec<String> {
        match self {
            Format::Ocsf => ocsf::events(entry)
                .iter()
                .map(ToString::to_string)
                .collect(),
            Format::Cef => vec![cef::event(entry)],
        }
    }
}

/// Who makes the events.
const PRODUCT: &str = "Tollgate";
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What happened, in a line made of our own words.
fn message(entry: &Entry) -> String {
    let record = &entry.record;
    let to = record
        .route
        .as_ref()
        .map_or("nowhere", |route| &route.endpoint);
    let (effect, outcome) = (record.decision.effect.as_str(), record.outcome.as_str());
    format!(
        "{} for {}: {effect}, to {to}, {outcome}",
        record.operation, record.model
    )
}

#[cfg(test)]
mod tests;
