//! The papers that the law asks for, made from the ledger's records of a period.
//!
//! ```text
//!  rules/papers/*.toml ─ template ─┐
//!  [organization] ─────────────────┼─► document ─► html, csv, json
//!  ledger ─ records ─► tally ──────┘
//! ```
//!
//! They are made from the ledger and not from the store: it is what an auditor can verify, it needs
//! no engine, and what was erased from it is in no paper. A template says what a paper is for, by
//! which law, and which figures and tables belong in it; what only the organization can know comes
//! from its configuration, and shows as a gap where it is absent. No paper names a caller: records
//! are told by exchange, team and endpoint.

mod document;
mod figure;
mod files;
mod html;
mod organization;
mod table;
mod tally;
mod template;
#[cfg(test)]
mod tests;

pub use document::{Cell, Column, Document, Part, Table};
pub use organization::{Organization, Processor};
pub use tally::Tally;
pub use template::Template;

use crate::ledger::{self, Done, Reader, VerifyReport};
use crate::query::Period;
use crate::report::Jurisdictions;
use crate::rules::RulesError;
use jiff::Timestamp;
use std::path::{Path, PathBuf};

/// In what form the papers are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One page each that needs no other file and no network.
    Html,
    /// One file for each table.
    Csv,
    /// One document each.
    Json,
}

/// All that papers are made of, beside their templates.
#[derive(Debug)]
pub struct Facts {
    /// The period that they are about.
    pub period: Period,
    /// What the records of the period say.
    pub tally: Tally,
    /// Whether the ledger holds, as it was found just now.
    pub ledger: VerifyReport,
    /// When the oldest and the newest exchange that the ledger still holds began.
    pub held: Option<(Timestamp, Timestamp)>,
    /// Administrative acts of the period, oldest first.
    pub acts: Vec<Done>,
    /// Law by jurisdiction.
    pub jurisdictions: Jurisdictions,
    /// What the organization says of itself.
    pub organization: Organization,
    /// When a personal data breach became known, if one did: what deadlines run from.
    pub breach_known_at: Option<Timestamp>,
    /// When the papers are made.
    pub made_at: Timestamp,
    /// The version of Tollgate that makes them.
    pub version: String,
}

/// Why no papers were made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The ledger could not be read.
    #[error("the records could not be read")]
    Ledger(#[from] ledger::Error),
    /// A template could not be read.
    #[error(transparent)]
    Rules(#[from] RulesError),
    /// A paper of this name was asked for, and there is none.
    #[error("there is no paper {name:?}; expected one of {}", known.join(", "))]
    Unknown {
        /// What was asked for.
        name: String,
        /// What there is.
        known: Vec<String>,
    },
    /// A file could not be written.
    #[error("{} could not be written", file.display())]
    Write {
        /// Which.
        file: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
}

/// The records of the ledger in `dir` that began within the period, counted, and when the oldest
/// and the newest exchange that it holds began. Reads them all.
///
/// # Errors
/// When the ledger cannot be read or does not hold.
pub fn read(
    dir: &Path,
    period: Period,
) -> Result<(Tally, Option<(Timestamp, Timestamp)>), ledger::Error> {
    let mut tally = Tally::default();
    let mut held: Option<(i64, i64)> = None;
    let mut reader = Reader::new(dir, 0);
    let (from, to) = (period.from().as_microsecond(), period.to().as_microsecond());
    loop {
        let block = reader.next_block(10_000)?;
        if block.is_empty() {
            break;
        }
        for entry in &block {
            let started = entry.record.started_us;
            held = Some(held.map_or((started, started), |(oldest, newest)| {
                (oldest.min(started), newest.max(started))
            }));
            if (from..to).contains(&started) {
                tally.add(entry.seq, &entry.record);
            }
        }
    }
    let instant = |us| Timestamp::from_microsecond(us).unwrap_or_default();
    Ok((
        tally,
        held.map(|(oldest, newest)| (instant(oldest), instant(newest))),
    ))
}

/// The papers of a directory of templates, `only` those named if any are, in the order of their
/// names.
///
/// # Errors
/// When a template is malformed, or one is named that is not there.
pub fn documents(rules: &Path, only: &[String], facts: &Facts) -> Result<Vec<Document>, Error> {
    let templates = Template::load_all(&rules.join("papers"))?;
    for name in only {
        if !templates.iter().any(|template| template.id == *name) {
            return Err(Error::Unknown {
                name: name.clone(),
                known: templates.into_iter().map(|template| template.id).collect(),
            });
        }
    }
    Ok(templates
        .iter()
        .filter(|template| only.is_empty() || only.contains(&template.id))
        .map(|template| Document::new(template, facts))
        .collect())
}

/// Writes papers into a directory, which is made if it is not there; files of the same names are
/// replaced. Returns the files' paths.
///
/// # Errors
/// When a file cannot be written.
pub fn write(
    documents: &[Document],
    formats: &[Format],
    out: &Path,
) -> Result<Vec<PathBuf>, Error> {
    let fail = |file: &Path| {
        let file = file.to_owned();
        move |source| Error::Write { file, source }
    };
    std::fs::create_dir_all(out).map_err(fail(out))?;
    let mut written = Vec::new();
    for document in documents {
        for format in formats {
            let files = match format {
                Format::Html => vec![(format!("{}.html", document.id), html::render(document))],
                Format::Json => vec![(format!("{}.json", document.id), files::json(document))],
                Format::Csv => files::csv(document),
            };
            for (name, text) in files {
                let file = out.join(name);
                std::fs::write(&file, text).map_err(fail(&file))?;
                written.push(file);
            }
        }
    }
    Ok(written)
}
