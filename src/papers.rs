//! `tollgate papers`: what the law asks for, from the ledger's records of a period.

use crate::args::{PaperFormat, PapersArgs};
use crate::config::Config;
use crate::exit::{Failure, Outcome};
use crate::{clock, ledger};
use jiff::Timestamp;
use serde_json::json;
use std::io::{self, Write};
use tollgate_analytics::paper::{self, Error, Facts, Format};
use tollgate_analytics::query::Period;
use tollgate_analytics::report::Jurisdictions;

/// Writes the papers and names their files.
///
/// # Errors
/// When the ledger does not hold or cannot be read, a template is malformed, or a file cannot be
/// written.
pub fn run(args: &PapersArgs, config: &Config) -> Outcome {
    let now = clock::now();
    let period = Period::new(args.from, args.to.unwrap_or(now)).map_err(Failure::usage)?;
    let dir = ledger::directory(config);
    ledger::existing(&dir)?;
    let verified = tollgate_analytics::ledger::verify(&dir)?;
    if let Some(bad) = &verified.first_bad {
        return Err(Failure::new(format!("the ledger does not hold: {bad}"))
            .help("`tollgate ledger verify` says more; no paper is made from such records"));
    }
    let (tally, held) = paper::read(&dir, period)?;
    let within = |at_us: i64| {
        Timestamp::from_microsecond(at_us).is_ok_and(|at| at >= period.from() && at < period.to())
    };
    let acts = tollgate_analytics::ledger::acts(&ledger::acts_directory(config))?;
    let facts = Facts {
        period,
        tally,
        ledger: verified,
        held,
        acts: acts
            .into_iter()
            .map(|(_, done)| done)
            .filter(|done| within(done.at_us))
            .collect(),
        jurisdictions: Jurisdictions::load(&config.rules.dir.join("jurisdictions.csv"))?,
        organization: config.organization.clone(),
        breach_known_at: args.breach_known_at,
        made_at: now,
        version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    let papers =
        paper::documents(&config.rules.dir, &args.only, &facts).map_err(|error| match error {
            Error::Unknown { .. } | Error::Rules(_) => Failure::usage(error),
            error => Failure::new(error),
        })?;
    let mut formats: Vec<Format> = args.format.iter().copied().map(format).collect();
    formats.dedup();
    let files = paper::write(&papers, &formats, &args.out)?;

    let mut out = io::stdout().lock();
    if args.json {
        let papers = papers
            .iter()
            .map(|paper| json!({ "paper": paper.id, "gaps": paper.gaps() }));
        writeln!(
            out,
            "{}",
            json!({ "files": files, "papers": papers.collect::<Vec<_>>() })
        )?;
        return Ok(());
    }
    for file in &files {
        writeln!(out, "{}", file.display())?;
    }
    let mut gaps: Vec<&str> = papers.iter().flat_map(|paper| paper.gaps()).collect();
    gaps.sort_unstable();
    gaps.dedup();
    if !gaps.is_empty() {
        eprintln!("to be filled in by the organization: {}", gaps.join(", "));
    }
    Ok(())
}

fn format(asked: PaperFormat) -> Format {
    match asked {
        PaperFormat::Html => Format::Html,
        PaperFormat::Csv => Format::Csv,
        PaperFormat::Json => Format::Json,
    }
}
