//! `tollgate ledger` on the command line.

use clap::{Args, Subcommand};
use std::path::PathBuf;

/// What to do with the ledger.
#[derive(Debug, Subcommand)]
pub enum LedgerCommand {
    /// Check every record and every checkpoint.
    ///
    /// Finds any record that was edited, removed, repeated, reordered or cut off, and names the
    /// first. What somebody did who could write here and knows how the ledger is made shows only
    /// against something kept elsewhere: a checkpoint (--against) and the public key (--key).
    Verify(VerifyArgs),
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
