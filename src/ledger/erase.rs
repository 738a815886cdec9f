//! `tollgate ledger erase`: records go when their time is over, proofs stay.

use crate::args::EraseArgs;
use crate::config::Config;
use crate::exit::Outcome;
use serde_json::json;
use std::io::Write;
use tollgate_analytics::ledger::{self, Act};
use tollgate_analytics::record::Record;

/// Erases, or says what it would erase.
///
/// # Errors
/// When the ledger cannot be read or written, or does not hold.
pub fn run(args: &EraseArgs, config: &Config, out: &mut impl Write) -> Outcome {
    let dir = super::directory(config);
    super::existing(&dir)?;
    let mut erased = ledger::erase(&dir, |record| is_meant(record, args), true)?;
    if args.yes && erased.records > 0 {
        // On record before it happens: a loss without a line would look like somebody's doing.
        let act = Act::Erased {
            before_us: args.before.as_microsecond(),
            jurisdiction: args.jurisdiction.clone(),
            finding: args.finding.clone(),
            records: erased.records,
            span: erased.span,
        };
        super::note(config, act)?;
        erased = ledger::erase(&dir, |record| is_meant(record, args), false)?;
    }
    if args.json {
        let shown = json!({
            "erased": args.yes,
            "seen": erased.seen,
            "records": erased.records,
            "first": erased.span.map(|(first, _)| first),
            "last": erased.span.map(|(_, last)| last),
        });
        writeln!(out, "{shown}")?;
        return Ok(());
    }
    let (did, count) = (
        if args.yes { "erased" } else { "would erase" },
        erased.records,
    );
    match erased.span {
        None => writeln!(out, "{did} nothing of {} records", erased.seen)?,
        Some((first, last)) => writeln!(
            out,
            "{did} {count} of {} records, from {first} to {last}",
            erased.seen
        )?,
    }
    if !args.yes && count > 0 {
        writeln!(out, "It cannot be undone; --yes does it.")?;
    }
    Ok(())
}

fn is_meant(record: &Record, args: &EraseArgs) -> bool {
    let route = record.route.as_ref();
    let jurisdiction = route.map(|route| route.jurisdiction.as_str());
    record.started_us < args.before.as_microsecond()
        && args
            .jurisdiction
            .as_deref()
            .is_none_or(|wanted| jurisdiction == Some(wanted))
        && args
            .finding
            .as_deref()
            .is_none_or(|label| record.findings.contains_key(label))
}
