//! `tollgate ledger` on the command line.

use clap::{Args, Subcommand};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;
use std::path::PathBuf;
use tollgate_analytics::ledger::Bound;
use tollgate_analytics::siem::Format;

/// What to do with the ledger.
#[derive(Debug, Subcommand)]
pub enum LedgerCommand {
    /// Check every record and every checkpoint.
    ///
    /// Finds any record that was edited, removed, repeated, reordered or cut off, and names the
    /// first. What somebody did who could write here and knows how the ledger is made shows only
    /// against something kept elsewhere: a checkpoint (--against) and the public key (--key).
    Verify(VerifyArgs),
    /// Write records with their proofs for somebody who checks them without Tollgate.
    ///
    /// The bundle holds the records, an inclusion proof for each, signed checkpoints, the public
    /// key, sums of the rules and prices in force, and a README with the commands that check it:
    /// they need sha256sum, OpenSSL and Python. Only records that a checkpoint was signed for can
    /// be exported.
    Export(ExportArgs),
    /// Erase records whose time to be kept is over; their proofs stay.
    ///
    /// What was recorded of the exchange goes, its hash is kept: every checkpoint and every proof
    /// of the other records still holds. Only closed segments are touched, also while a gate runs.
    /// Rows that were shipped to the store stay there until its own retention ends. Without --yes
    /// it only says what it would erase.
    Erase(EraseArgs),
    /// List administrative acts: gates started, keys created and revoked, exports, erasures.
    ///
    /// They are a ledger of their own, `acts` in the data directory, which `verify --dir` checks.
    Acts {
        /// Print them as JSON lines.
        #[arg(long)]
        json: bool,
    },
    /// Print records as the events that security tools read.
    ///
    /// What `[[siem]]` sends while a gate runs: OCSF 1.8 as JSON lines, or CEF.
    Events {
        /// `ocsf` or `cef`.
        #[arg(long, default_value = "ocsf")]
        format: Format,
        /// The sequence number of the first record.
        #[arg(long, value_name = "SEQ", default_value_t = 0)]
        from: u64,
    },
    /// Sign for the records so far and print the checkpoint.
    ///
    /// While a gate runs it alone signs, at `ledger.checkpoint_interval_s`; then its newest
    /// checkpoint is printed.
    Checkpoint {
        /// Print it as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Print the public key that checkpoints are signed with, as a verifier key.
    ///
    /// Keep it elsewhere, and give it to auditors. The key is made at the first start.
    Key {
        /// Print it as JSON.
        #[arg(long)]
        json: bool,
    },
}

/// Arguments of `ledger verify`.
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// The ledger's directory; `ledger` in the data directory by default.
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// A file of checkpoints that was kept elsewhere. Can be given several times.
    #[arg(long, value_name = "CHECKPOINT")]
    pub against: Vec<PathBuf>,
    /// A verifier key that may have signed the checkpoints, instead of those kept beside the
    /// ledger. Can be given several times.
    #[arg(long, value_name = "VKEY")]
    pub key: Vec<String>,
    /// The verifier key of a witness, whose cosignatures are then checked and counted. Can be
    /// given several times.
    #[arg(long, value_name = "VKEY")]
    pub witness: Vec<String>,
    /// Print the result as JSON.
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `ledger export`.
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// The first record: its sequence number, or a date or time (2026-11-01,
    /// 2026-11-01T08:00:00Z). From the beginning if absent.
    #[arg(long, value_name = "WHERE", value_parser = bound)]
    pub from: Option<Bound>,
    /// The first record that is left out. All that a checkpoint was signed for if absent.
    #[arg(long, value_name = "WHERE", value_parser = bound)]
    pub to: Option<Bound>,
    /// The directory to write; it must not exist, or be empty.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Print what was written as JSON.
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `ledger erase`.
#[derive(Debug, Args)]
pub struct EraseArgs {
    /// Exchanges that began before this date or time (2026-11-01, 2026-11-01T08:00:00Z).
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub before: Timestamp,
    /// Only those that went to an endpoint under this jurisdiction.
    #[arg(long, value_name = "CODE")]
    pub jurisdiction: Option<String>,
    /// Only those whose request held a finding with this label.
    #[arg(long, value_name = "LABEL")]
    pub finding: Option<String>,
    /// Erase them. This cannot be undone.
    #[arg(long)]
    pub yes: bool,
    /// Print the result as JSON.
    #[arg(long)]
    pub json: bool,
}

/// A sequence number, an RFC 3339 time, or a date, whose day begins at midnight UTC.
fn bound(text: &str) -> Result<Bound, String> {
    if let Ok(seq) = text.parse() {
        return Ok(Bound::Seq(seq));
    }
    time(text)
        .map(|time| Bound::Time(time.as_microsecond()))
        .map_err(|_| "expected a sequence number, a date or a time in RFC 3339".into())
}

/// An RFC 3339 time, or a date, whose day begins at midnight UTC.
pub(super) fn time(text: &str) -> Result<Timestamp, String> {
    let midnight = || {
        let midnight = text.parse::<Date>().ok()?.at(0, 0, 0, 0);
        Offset::UTC.to_timestamp(midnight).ok()
    };
    let time = text.parse::<Timestamp>().ok().or_else(midnight);
    time.ok_or_else(|| "expected a date or a time in RFC 3339".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_is_a_number_a_date_or_a_time() {
        assert_eq!(bound("12"), Ok(Bound::Seq(12)));
        let day = Bound::Time(1_793_491_200_000_000);
        for text in [
            "2026-11-01",
            "2026-11-01T00:00:00Z",
            "2026-11-01T01:00:00+01:00",
        ] {
            assert_eq!(bound(text), Ok(day), "{text}");
        }
        for text in ["", "yesterday", "-1", "2026-13-01"] {
            assert!(bound(text).is_err(), "{text}");
        }
    }
}
