//! Administrative acts, in a ledger of their own: `acts` in the data directory.

use crate::clock;
use crate::config::Config;
use crate::exit::{Failure, Outcome};
use jiff::Timestamp;
use serde_json::json;
use std::io::Write;
use std::path::PathBuf;
use tollgate_analytics::ledger::{self, Act, Done};

/// The directory of the ledger of acts.
pub fn directory(config: &Config) -> PathBuf {
    config.data.dir.join("acts")
}

/// Notes what was done, by whom and when.
///
/// # Errors
/// When it could not be written: then it counts as not done.
pub fn note(config: &Config, act: Act) -> Outcome {
    let done = Done {
        at_us: clock::now().as_microsecond(),
        uid: rustix::process::getuid().as_raw(),
        act,
    };
    // Who may work on the data but lacks the passphrase leaves the line unsigned; the next one who
    // has it signs for it too.
    let signer = super::signing::signer(config).ok().and_then(|signer| {
        let name = format!("{}/acts", signer.verifier().name());
        signer.renamed(&name).ok()
    });
    let noted = ledger::note(&directory(config), &done, signer);
    noted.map(drop).map_err(|error| {
        Failure::new(error).help("what was asked is an act that must be on record; look at `acts`")
    })
}

/// Prints all acts.
///
/// # Errors
/// When they cannot be read, or do not hold.
pub fn list(config: &Config, json: bool, out: &mut impl Write) -> Outcome {
    for (seq, done) in ledger::acts(&directory(config))? {
        if json {
            writeln!(out, "{}", json!({ "seq": seq, "act": done }))?;
            continue;
        }
        let at = Timestamp::from_microsecond(done.at_us);
        let at = at.map_or_else(|_| done.at_us.to_string(), |at| at.to_string());
        writeln!(out, "{seq:>6}  {at}  uid {}  {}", done.uid, json!(done.act))?;
    }
    Ok(())
}
