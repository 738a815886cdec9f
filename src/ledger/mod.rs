//! `tollgate ledger`: the auditor's view of the records, and how `serve` keeps them.

mod acts;
mod anchor;
mod erase;
mod export;
mod settings;
mod signing;
mod verify;

pub use acts::{directory as acts_directory, note};
pub use settings::Settings;
pub use signing::{Signing, key_file};

use crate::args::LedgerCommand;
use crate::config::Config;
use crate::exit::{Failure, Outcome};
use serde_json::json;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use tollgate_analytics::ledger::checkpoint::{self, Checkpointer, Signed};
use tollgate_analytics::ledger::{Error, Ledger, Reader};
use tollgate_analytics::siem::Format;

/// Does what is asked, and prints it.
///
/// # Errors
/// When the ledger does not hold, or cannot be read or written.
pub fn run(command: &LedgerCommand, config: &Config) -> Outcome {
    let mut out = io::stdout().lock();
    match command {
        LedgerCommand::Verify(args) => verify::run(args, config, &mut out),
        LedgerCommand::Export(args) => export::run(args, config, &mut out),
        LedgerCommand::Erase(args) => erase::run(args, config, &mut out),
        LedgerCommand::Events { format, from } => events(config, *format, *from, &mut out),
        LedgerCommand::Acts { json } => acts::list(config, *json, &mut out),
        LedgerCommand::Checkpoint { json } => print(&signed_now(config)?, *json, &mut out),
        LedgerCommand::Key { json } => key(config, *json, &mut out),
    }
}

/// Prints records as events.
fn events(config: &Config, format: Format, from: u64, out: &mut impl Write) -> Outcome {
    let dir = directory(config);
    existing(&dir)?;
    let mut reader = Reader::new(&dir, from);
    loop {
        let block = reader.next_block(1_000)?;
        if block.is_empty() {
            return Ok(());
        }
        for event in block.iter().flat_map(|entry| format.events(entry)) {
            writeln!(out, "{event}")?;
        }
    }
}

/// The ledger's directory.
pub fn directory(config: &Config) -> PathBuf {
    config.data.dir.join("ledger")
}

/// A directory that is there, or what to do about it.
///
/// # Errors
/// When there is none.
pub fn existing(dir: &Path) -> Result<(), Failure> {
    if dir.is_dir() {
        return Ok(());
    }
    Err(
        Failure::usage(format!("there is no ledger in {}", dir.display()))
            .help("name its directory with --dir, or its configuration with --config"),
    )
}

/// A checkpoint of all records, or the newest one of the gate that runs.
fn signed_now(config: &Config) -> Result<Signed, Failure> {
    let dir = directory(config);
    existing(&dir)?;
    let held = || -> Result<Signed, Failure> {
        let newest = checkpoint::stored(&dir)?.pop();
        newest.ok_or_else(|| {
            Failure::new("there is no record to sign for")
                .help("a running gate signs at `ledger.checkpoint_interval_s`")
        })
    };
    match Ledger::open(&dir, config.ledger.options()) {
        Ok(ledger) => {
            let mut checkpointer = Checkpointer::open(&ledger, signing::signer(config)?)?;
            checkpointer.take()?;
            checkpointer.newest().cloned().map_or_else(held, Ok)
        }
        Err(Error::Locked { .. }) => held(),
        Err(error) => Err(error.into()),
    }
}

fn print(signed: &Signed, json: bool, out: &mut impl Write) -> Outcome {
    if json {
        let shown = json!({
            "origin": signed.checkpoint.origin,
            "size": signed.checkpoint.size,
            "root": signed.checkpoint.root.to_string(),
            "note": signed.note.to_string(),
        });
        writeln!(out, "{shown}")?;
    } else {
        write!(out, "{}", signed.note)?;
    }
    Ok(())
}

fn key(config: &Config, json: bool, out: &mut impl Write) -> Outcome {
    let keys = checkpoint::keys(&directory(config))?;
    let Some(newest) = keys.last() else {
        return Err(Failure::new("no key has signed a checkpoint yet")
            .help("it is made when the gate first starts"));
    };
    if json {
        let earlier: Vec<_> = keys[..keys.len() - 1]
            .iter()
            .map(ToString::to_string)
            .collect();
        let shown = json!({ "key": newest.to_string(), "name": newest.name(), "earlier": earlier });
        writeln!(out, "{shown}")?;
    } else {
        writeln!(out, "{newest}")?;
    }
    Ok(())
}
