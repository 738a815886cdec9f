//! `tollgate report`: spend, findings, routes and the compliance tax of a period, as files.

use crate::args::{ReportArgs, ReportFormat};
use crate::config::Config;
use crate::exit::{Failure, Outcome};
use crate::prices::start_of;
use crate::{analytics, clock, listen};
use jiff::SignedDuration;
use serde_json::json;
use std::io::{self, Write};
use tollgate_analytics::query::Period;
use tollgate_analytics::report::{Facts, Format, Meta, write_report};
use tollgate_analytics::tax::LedgerSize;

/// Writes the report's files and names them.
///
/// # Errors
/// When the store does not answer, a rule file is malformed, or a file cannot be written.
pub fn run(args: &ReportArgs, config: &Config) -> Outcome {
    let client = analytics::find(config, args.store.as_deref())?;
    let facts = Facts::load(&config.rules.dir)?;
    let now = clock::now();
    let period = match args.from {
        Some(from) => Period::new(start_of(from), args.to.map_or(now, start_of)),
        None => Period::last(SignedDuration::from_hours(24 * i64::from(args.days)), now),
    };
    let period = period.map_err(Failure::usage)?;
    let formats: Vec<Format> = args.format.iter().copied().map(format).collect();
    let meta = Meta {
        organization: args.organization.clone(),
        generated_at: now,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        ledger: ledger_size(config),
    };
    let writing = write_report(&client, period, &args.out, &formats, &facts, &meta);
    let paths = listen::runtime()?.block_on(writing)?;

    let mut out = io::stdout().lock();
    if args.json {
        writeln!(
            out,
            "{}",
            json!({
                "html": paths.html,
                "csv": paths.csv,
                "json": paths.json,
                "focus": paths.focus,
                "pdf": paths.pdf,
                "xlsx": paths.xlsx,
            })
        )?;
    } else {
        let single = [
            &paths.html,
            &paths.json,
            &paths.focus,
            &paths.pdf,
            &paths.xlsx,
        ];
        for path in single.into_iter().flatten().chain(&paths.csv) {
            writeln!(out, "{}", path.display())?;
        }
    }
    Ok(())
}

fn format(asked: ReportFormat) -> Format {
    match asked {
        ReportFormat::Html => Format::Html,
        ReportFormat::Csv => Format::Csv,
        ReportFormat::Json => Format::Json,
        ReportFormat::Focus => Format::Focus,
        ReportFormat::Pdf => Format::Pdf,
        ReportFormat::Xlsx => Format::Xlsx,
    }
}

/// What the ledger takes on disk, when it is on this machine and whole.
pub fn ledger_size(config: &Config) -> Option<LedgerSize> {
    let report = tollgate_analytics::ledger::verify(&config.data.dir.join("ledger")).ok()?;
    let whole = report.first_bad.is_none() && report.records > 0;
    whole.then_some(LedgerSize {
        records: report.records,
        bytes: report.bytes,
    })
}
