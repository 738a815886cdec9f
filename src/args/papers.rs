//! `tollgate papers` on the command line.

use clap::Args;
use jiff::Timestamp;
use std::path::PathBuf;

/// Arguments of `papers`.
#[derive(Debug, Args)]
pub struct PapersArgs {
    /// The first day (UTC) or time of the period.
    #[arg(long, value_name = "TIME", value_parser = super::ledger::time)]
    pub from: Timestamp,
    /// The first day or time after it; now by default.
    #[arg(long, value_name = "TIME", value_parser = super::ledger::time)]
    pub to: Option<Timestamp>,
    /// The directory to write to; it is created.
    #[arg(long, value_name = "DIR", default_value = "papers")]
    pub out: PathBuf,
    /// What to write.
    #[arg(
        long,
        value_name = "FORMATS",
        value_delimiter = ',',
        default_value = "html,csv,json"
    )]
    pub format: Vec<PaperFormat>,
    /// Only these papers, by the names of their templates.
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub only: Vec<String>,
    /// When a breach became known: deadlines run from then.
    #[arg(long, value_name = "TIME", value_parser = super::ledger::time)]
    pub breach_known_at: Option<Timestamp>,
    /// Print the files and what is missing as JSON.
    #[arg(long)]
    pub json: bool,
}

/// In what form papers are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum PaperFormat {
    /// A self-contained page each.
    Html,
    /// A file for each table.
    Csv,
    /// A document each.
    Json,
}
