//! The report for the people who answer for money and law: one self-contained HTML page, the same
//! as a typeset PDF, and its figures for other programs.
//!
//! Every figure shows its standing (measured, derived, assumed) and the query behind it. Simulated
//! traffic is labelled wherever it is in a figure. Nothing in it is prompt text, because the store
//! has none.

mod by_month;
mod card;
mod chart;
mod csv_files;
mod data;
mod focus;
pub(crate) mod format;
mod json;
mod jurisdiction;
mod message;
mod page;
pub(crate) mod parts;
mod pdf;
mod section;
mod tco_chart;
mod waterfall;
mod xlsx;

pub(crate) use csv_files::text as csv_text;
pub(crate) use jurisdiction::transfer_basis;
pub use jurisdiction::{Jurisdiction, Jurisdictions};
pub(crate) use page::STYLE;

use crate::price::PriceBook;
use crate::query::{self, Period};
use crate::rules::{Fault, RulesError};
use crate::tax::{LedgerSize, Rates};
use crate::tco::{BusinessCase, Scenario};
use clickhouse::Client;
use data::Data;
use jiff::Timestamp;
use std::path::{Path, PathBuf};

/// In what form the report is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One page, `report.html`, that needs no other file and no network.
    Html,
    /// `spend.csv`, `findings.csv`, `routes.csv`, `decisions.csv`, `tax.csv`.
    Csv,
    /// `report.json`: the same figures as one document.
    Json,
    /// `focus.csv`: priced exchanges as FOCUS 1.4 Cost and Usage rows.
    Focus,
    /// `report.pdf`: the page as paper, typeset, its charts as vectors.
    Pdf,
    /// `report.xlsx`: a workbook with live formulas.
    Xlsx,
}

/// What the report tells about itself.
#[derive(Clone, Debug)]
pub struct Meta {
    /// Whose report it is; may be empty.
    pub organization: String,
    /// When it is made.
    pub generated_at: Timestamp,
    /// The version of Tollgate that makes it.
    pub version: String,
    /// The size of the ledger, where known; else only the store's copy of the records is counted.
    pub ledger: Option<LedgerSize>,
}

/// The facts of `rules/` that the report rests on.
#[derive(Clone, Debug)]
pub struct Facts {
    /// Law by jurisdiction.
    pub jurisdictions: Jurisdictions,
    /// The rates of the derived amounts.
    pub rates: Rates,
    /// The business case's published figures.
    pub business_case: BusinessCase,
    /// What the total cost of ownership assumes.
    pub scenario: Scenario,
    /// List prices.
    pub prices: PriceBook,
    /// Fonts for scripts that those built in lack, as the bytes of their files.
    pub fonts: Vec<Vec<u8>>,
}

impl Facts {
    /// Reads `jurisdictions.csv`, `tco/rates.toml`, `tco/business_case.csv`, the default scenario,
    /// `prices/` and, where there is one, `fonts/` of a directory.
    pub fn load(rules: &Path) -> Result<Facts, RulesError> {
        Ok(Facts {
            jurisdictions: Jurisdictions::load(&rules.join("jurisdictions.csv"))?,
            rates: Rates::load(&rules.join("tco/rates.toml"))?,
            business_case: BusinessCase::load(&rules.join("tco/business_case.csv"))?,
            scenario: Scenario::named("default", &rules.join("tco/scenarios"))?,
            prices: PriceBook::load(&rules.join("prices"))?,
            fonts: fonts(&rules.join("fonts"))?,
        })
    }
}

/// The fonts of a directory, by name, so that the same directory gives the same paper; none where
/// there is no directory.
fn fonts(dir: &Path) -> Result<Vec<Vec<u8>>, RulesError> {
    let failed = |error| RulesError::of(dir, Fault::Unreadable(error));
    if !dir.is_dir() {
        return Ok(Vec::new());
    }
    let mut files = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(failed)? {
        files.push(entry.map_err(failed)?.path());
    }
    files.retain(|file| {
        let extension = file.extension().and_then(|word| word.to_str());
        extension.is_some_and(|word| ["otf", "ttf", "otc", "ttc"].contains(&word))
    });
    files.sort();
    let read = |file: PathBuf| {
        std::fs::read(&file).map_err(|error| RulesError::of(&file, Fault::Unreadable(error)))
    };
    files.into_iter().map(read).collect()
}

/// The files that were written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Paths {
    /// The page, if it was asked for.
    pub html: Option<PathBuf>,
    /// The CSV files, if they were asked for.
    pub csv: Vec<PathBuf>,
    /// The JSON document, if it was asked for.
    pub json: Option<PathBuf>,
    /// The FOCUS file, if it was asked for.
    pub focus: Option<PathBuf>,
    /// The paper, if it was asked for.
    pub pdf: Option<PathBuf>,
    /// The workbook, if it was asked for.
    pub xlsx: Option<PathBuf>,
}

/// Why no report was written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The store did not answer.
    #[error("the report's figures could not be read")]
    Query(#[from] query::Error),
    /// A file could not be written.
    #[error("{} could not be written", file.display())]
    Write {
        /// Which.
        file: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The workbook could not be made.
    #[error("the workbook could not be made")]
    Workbook(#[from] rust_xlsxwriter::XlsxError),
    /// The paper could not be set.
    #[error("the PDF could not be set")]
    Paper(#[from] tollgate_typeset::Error),
}

/// Writes the report on a period into a directory, which is made if it is not there; files of the
/// same names are replaced. A period without exchanges makes a report that says so.
pub async fn write_report(
    client: &Client,
    period: Period,
    out_dir: &Path,
    formats: &[Format],
    facts: &Facts,
    meta: &Meta,
) -> Result<Paths, Error> {
    let data = Data::gather(client, period, facts, meta).await?;
    let mut paths = Paths::default();
    std::fs::create_dir_all(out_dir).map_err(|source| Error::Write {
        file: out_dir.to_owned(),
        source,
    })?;
    let write = |name: &str, text: &[u8]| {
        let file = out_dir.join(name);
        match std::fs::write(&file, text) {
            Ok(()) => Ok(file),
            Err(source) => Err(Error::Write { file, source }),
        }
    };
    if formats.contains(&Format::Html) {
        paths.html = Some(write(
            "report.html",
            page::render(&data, facts, meta).as_bytes(),
        )?);
    }
    if formats.contains(&Format::Csv) {
        for (name, text) in csv_files::render(&data) {
            paths.csv.push(write(name, text.as_bytes())?);
        }
    }
    if formats.contains(&Format::Json) {
        paths.json = Some(write("report.json", json::render(&data, meta).as_bytes())?);
    }
    if formats.contains(&Format::Focus) {
        let charges = query::charges(client, period, &facts.prices.tier_bounds()).await?;
        let text = focus::render(&charges, facts, meta);
        paths.focus = Some(write("focus.csv", text.as_bytes())?);
    }
    if formats.contains(&Format::Pdf) {
        paths.pdf = Some(write("report.pdf", &pdf::render(&data, facts, meta)?.pdf)?);
    }
    if formats.contains(&Format::Xlsx) {
        paths.xlsx = Some(write("report.xlsx", &xlsx::render(&data, facts, meta)?)?);
    }
    Ok(paths)
}
