//! `tollgate ledger verify`: what was found, said so that an auditor can act on it.

use crate::args::VerifyArgs;
use crate::config::Config;
use crate::exit::{Failure, Outcome};
use serde_json::json;
use std::io::Write;
use std::path::Path;
use tollgate_analytics::ledger::checkpoint::{self, Signed};
use tollgate_analytics::ledger::{self, BadKind, Evidence, VerifierKey, VerifyReport};

/// Checks the ledger and prints what was found. A ledger that does not hold is a failure.
///
/// # Errors
/// When it does not hold or cannot be read.
pub fn run(args: &VerifyArgs, config: &Config, out: &mut impl Write) -> Outcome {
    let dir = args.dir.clone().unwrap_or_else(|| super::directory(config));
    super::existing(&dir)?;
    let mut evidence = Evidence {
        keys: keys("--key", &args.key)?,
        witnesses: keys("--witness", &args.witness)?,
        ..Evidence::default()
    };
    for file in &args.against {
        evidence.against.extend(checkpoints(file)?);
    }
    let report = ledger::verify_against(&dir, &evidence)?;
    if args.json {
        writeln!(out, "{}", as_json(&report))?;
    } else {
        tell(&report, args, out)?;
    }
    if let Some(bad) = &report.first_bad {
        let help = match bad.kind {
            BadKind::TruncatedTail => {
                "a crash in the middle of a write leaves this; the gate sets it aside when it starts"
            }
            _ => {
                "keep it as it is and compare it with a backup; nothing after that record was judged"
            }
        };
        return Err(Failure::new(format!("the ledger does not hold: {bad}")).help(help));
    }
    match &report.bad_checkpoint {
        None => Ok(()),
        Some(bad) => Err(Failure::new(format!("the ledger does not hold: {bad}"))
            .help("compare it with the copies kept elsewhere; --key names the key that you know")),
    }
}

fn keys(option: &str, given: &[String]) -> Result<Vec<VerifierKey>, Failure> {
    let parse = |key: &String| {
        key.parse()
            .map_err(|error| Failure::usage(format!("{option} {key:?}: {error}")))
    };
    given.iter().map(parse).collect()
}

fn checkpoints(file: &Path) -> Result<Vec<Signed>, Failure> {
    let shown = file.display();
    let text = std::fs::read_to_string(file)
        .map_err(|error| Failure::usage(format!("{shown}: cannot be read: {error}")))?;
    let read = checkpoint::read_all(&text)
        .map_err(|(line, error)| Failure::usage(format!("{shown}: line {line}: {error}")))?;
    if read.is_empty() {
        return Err(Failure::usage(format!("{shown}: holds no checkpoint")));
    }
    Ok(read)
}

fn as_json(report: &VerifyReport) -> serde_json::Value {
    let bad = report.first_bad.as_ref().map(|bad| {
        let until = match bad.kind {
            BadKind::Rewritten { until } | BadKind::CutOff { until } => Some(until),
            _ => None,
        };
        json!({
            "seq": bad.seq,
            "kind": bad.kind.as_str(),
            "until": until,
            "segment": bad.segment,
            "offset": bad.offset,
        })
    });
    let clock = report.first_clock_step;
    json!({
        "sound": report.is_sound(),
        "records": report.records,
        "bytes": report.bytes,
        "id": report.id.map(|id| id.to_string()),
        "head": report.head.to_string(),
        "root": report.root.map(|root| root.to_string()),
        "signed": report.signed,
        "checkpoints": report.checkpoints,
        "cosignatures": report.cosignatures,
        "erased": report.erased,
        "first_erased": report.first_erased,
        "clock_steps": report.clock_steps,
        "first_clock_step": clock.map(|step| json!({ "seq": step.seq, "back_us": step.back_us })),
        "live": report.live,
        "first_bad": bad,
        "bad_checkpoint": report.bad_checkpoint.as_ref().map(ToString::to_string),
    })
}

fn tell(report: &VerifyReport, args: &VerifyArgs, out: &mut impl Write) -> Outcome {
    writeln!(
        out,
        "{} records hold, {} bytes",
        report.records, report.bytes
    )?;
    writeln!(out, "head {}", report.head)?;
    if let Some(root) = report.root {
        writeln!(out, "root {root}")?;
    }
    match report.checkpoints {
        0 => writeln!(
            out,
            "no checkpoint was signed yet: a cut tail would not show"
        )?,
        n => writeln!(
            out,
            "{n} checkpoints; the newest that fits is of {} records",
            report.signed
        )?,
    }
    if !args.witness.is_empty() {
        writeln!(
            out,
            "{} cosignatures of known witnesses",
            report.cosignatures
        )?;
    }
    if args.against.is_empty() || args.key.is_empty() {
        writeln!(
            out,
            "Give a checkpoint (--against) and the public key (--key) that were kept elsewhere: \
             who could replace the ledger could replace those beside it."
        )?;
    }
    if let Some(first) = report.first_erased {
        writeln!(
            out,
            "{} of the records were erased, first record {first}: their hashes hold. Compare with \
             what was to be erased.",
            report.erased
        )?;
    }
    if let Some(step) = report.first_clock_step {
        writeln!(
            out,
            "Notice: the recorded time steps back {} times, first at record {} by {:.1} s.",
            report.clock_steps,
            step.seq,
            step.back_us as f64 / 1e6
        )?;
    }
    if report.live {
        writeln!(
            out,
            "A gate is writing: it was checked up to the last whole record."
        )?;
    }
    Ok(())
}
