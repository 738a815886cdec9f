//! `tollgate ledger export`: records with proofs, for somebody who does without us.

use crate::args::ExportArgs;
use crate::config::Config;
use crate::exit::{Failure, Outcome};
use serde_json::json;
use std::io::Write;
use std::path::{Path, PathBuf};
use tollgate_analytics::ledger::{self, Act, Error, Selection};

/// Writes the bundle and says what is in it.
///
/// # Errors
/// When the ledger cannot be read, or holds no such records that a checkpoint was signed for.
pub fn run(args: &ExportArgs, config: &Config, out: &mut impl Write) -> Outcome {
    let dir = super::directory(config);
    super::existing(&dir)?;
    let mut files = vec![config.policy.file.clone()];
    list(&config.rules.dir, &mut files)?;
    files.sort();
    files.dedup();
    let selection = Selection {
        from: args.from,
        to: args.to,
        files,
    };
    let exported = ledger::export(&dir, &args.out, &selection).map_err(|error| match error {
        Error::NotSigned { .. } => Failure::new(error).help(
            "`tollgate ledger checkpoint` signs for all; a running gate does at its interval",
        ),
        error => Failure::new(error),
    })?;
    let (from, to) = (exported.from, exported.to);
    super::note(config, Act::Exported { from, to })?;
    let shown = args.out.display().to_string();
    if args.json {
        let size = exported.size;
        writeln!(
            out,
            "{}",
            json!({ "out": shown, "from": from, "to": to, "size": size })
        )?;
    } else {
        writeln!(
            out,
            "{} records from {} on, proved under a checkpoint of {}, in {shown}: its README.md says how to check them",
            exported.to - exported.from,
            exported.from,
            exported.size
        )?;
    }
    Ok(())
}

/// All files below a directory.
fn list(dir: &Path, files: &mut Vec<PathBuf>) -> Outcome {
    let fail = |error| Failure::usage(format!("{}: cannot be read: {error}", dir.display()));
    for entry in std::fs::read_dir(dir).map_err(fail)? {
        let path = entry.map_err(fail)?.path();
        if path.is_dir() {
            list(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}
