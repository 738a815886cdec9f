//! What can go wrong with a ledger.

use super::verify::Bad;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Why the ledger could not be opened, read or written.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Another process holds it.
    #[error("the ledger in {} is held by another process", dir.display())]
    Locked {
        /// The ledger's directory.
        dir: PathBuf,
    },
    /// A line does not continue the chain: the ledger was tampered with or the disk is failing.
    #[error("the ledger's chain is broken: {0}")]
    Broken(Bad),
    /// A file in the ledger's directory is named like a segment but is not one.
    #[error("{} is not a segment: expected 20 digits and `.log`", path.display())]
    NotASegment {
        /// The file.
        path: PathBuf,
    },
    /// A record's line would be longer than [`super::MAX_LINE_BYTES`].
    #[error("a record of {bytes} bytes is over the limit of {limit}")]
    TooLong {
        /// Its length.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// A sequence number that the ledger does not hold was asked for.
    #[error("the ledger in {} does not hold record {seq}", dir.display())]
    NoSuchRecord {
        /// The ledger's directory.
        dir: PathBuf,
        /// What was asked for.
        seq: u64,
    },
    /// The operating system refused (a full disk, a failing one, missing rights).
    #[error("could not {action} {}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why it failed. Shared, because one failed write answers many appends.
        source: Arc<io::Error>,
    },
    /// A record did not serialise, or a line whose hash holds is not a record of this version.
    #[error("record {seq} is not in the expected form")]
    Form {
        /// Its sequence number.
        seq: u64,
        /// What the JSON library says.
        source: Arc<serde_json::Error>,
    },
    /// The key that signs checkpoints cannot be used.
    #[error("the signing key {}: {problem}", path.display())]
    Key {
        /// Its file.
        path: PathBuf,
        /// Why not. Never holds any of it.
        problem: String,
    },
    /// A file of checkpoints or of verifier keys holds something else.
    #[error("{}: line {line}", path.display())]
    Note {
        /// The file.
        path: PathBuf,
        /// The line where it begins.
        line: usize,
        /// What it is not.
        source: Box<super::NoteError>,
    },
    /// Records were asked for that no checkpoint was signed for.
    #[error("a checkpoint was signed for {signed} records, and these are not all among them")]
    NotSigned {
        /// How many it was signed for.
        signed: u64,
    },
    /// The ledger is shutting down.
    #[error("the ledger is closed")]
    Closed,
}

impl Error {
    /// Whether there is no room for more: a full disk, a quota, a file at its size limit.
    pub fn is_full(&self) -> bool {
        use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
        matches!(self, Error::Io { source, .. }
            if matches!(source.kind(), StorageFull | QuotaExceeded | FileTooLarge))
    }

    pub(super) fn io(action: &'static str, path: &Path, source: io::Error) -> Error {
        Error::Io {
            action,
            path: path.to_owned(),
            source: Arc::new(source),
        }
    }
}
