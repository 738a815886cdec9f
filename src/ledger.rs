//! `tollgate ledger`: the auditor's view of the records.

use crate::args::LedgerCommand;
use crate::config::Config;
use crate::exit::{Failure, Outcome};
use serde_json::json;
use std::io::{self, Write};
use tollgate_analytics::ledger;

/// Checks the ledger and prints what was found. A ledger that does not hold is a failure.
///
/// # Errors
/// When it does not hold or cannot be read.
pub fn run(command: &LedgerCommand, config: &Config) -> Outcome {
    let LedgerCommand::Verify { dir, json } = command;
    let dir = dir
        .clone()
        .unwrap_or_else(|| config.data.dir.join("ledger"));
    if !dir.is_dir() {
        return Err(
            Failure::usage(format!("there is no ledger in {}", dir.display()))
                .help("name its directory with --dir, or its configuration with --config"),
        );
    }
    let report = ledger::verify(&dir)?;
    let mut out = io::stdout().lock();
    if *json {
        let bad = report.first_bad.as_ref().map(|bad| {
            json!({
                "seq": bad.seq,
                "kind": bad.kind.as_str(),
                "segment": bad.segment,
                "offset": bad.offset,
            })
        });
        let shown = json!({
            "sound": bad.is_none(),
            "records": report.records,
            "bytes": report.bytes,
            "id": report.id.map(|id| id.to_string()),
            "head": report.head.to_string(),
            "live": report.live,
            "first_bad": bad,
        });
        writeln!(out, "{shown}")?;
    } else {
        writeln!(
            out,
            "{} records hold, {} bytes",
            report.records, report.bytes
        )?;
        writeln!(out, "head {}", report.head)?;
        writeln!(
            out,
            "Compare the head with a copy kept elsewhere: a cut tail shows only so."
        )?;
        if report.live {
            writeln!(
                out,
                "A gate is writing: it was checked up to the last whole record."
            )?;
        }
    }
    match report.first_bad {
        None => Ok(()),
        Some(bad) => Err(Failure::new(format!("the ledger does not hold: {bad}")).help(
            "keep it as it is and compare it with a backup; nothing after that record was judged",
        )),
    }
}
