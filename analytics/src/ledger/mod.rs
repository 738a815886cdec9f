//! The ledger: the append-only, verifiable truth about what passed the gate.
//!
//! # Format
//!
//! A directory of segments named by the sequence number of their first record
//! (`00000000000000000000.log`, …). Every record is one line:
//!
//! ```text
//! <64 lower-case hex digits> <{"seq":0,"record":{…}}>\n
//! ```
//!
//! The JSON's bytes, as they stand there, are the record: the leaf of the Merkle tree of RFC 6962,
//! section 2.1, with the leaf hash SHA-256(0x00 ‖ JSON). The hex digits are SHA-256(hash of the
//! line before, 32 bytes ‖ leaf hash, 32 bytes). Before the first line stands SHA-256 of the text
//! `tollgate ledger v2`. The chain runs on from segment to segment. The hash of record 0 is the
//! ledger's identity.
//!
//! A record that was erased ([`erase`](fn@erase)) leaves `{"seq":0,"erased":"<leaf hash>"}` in its place.
//!
//! The chain says which record is the first that was changed; the tree is what checkpoints are
//! signed for ([`checkpoint`]) and what proofs are about ([`merkle`]). Both are made of leaf hashes
//! alone.
//!
//! # Checking it without this program
//!
//! In bash, with `sha256sum` alone:
//!
//! ```bash
//! bytes() { printf "$(sed 's/../\\x&/g' <<<"$1")"; }
//! sum() { sha256sum | cut -c1-64; }
//! prev=$(printf 'tollgate ledger v2' | sum)
//! cat ledger/*.log | while read -r hash json; do
//!   leaf=$(sed -n 's/^{"seq":[0-9]*,"erased":"\([0-9a-f]*\)"}$/\1/p' <<<"$json")
//!   [ "$leaf" ] || leaf=$(printf '\0%s' "$json" | sum)
//!   if [ "$(bytes "$prev$leaf" | sum)" != "$hash" ]; then echo "broken at: $json"; exit 1; fi
//!   prev=$hash
//! done
//! ```
//!
//! The checkpoints and the tree are checked by the bundle that `tollgate ledger export` writes.
//!
//! # What holds
//!
//! - An acknowledged record has been handed to the operating system: it survives `kill -9`. It
//!   survives a power cut once synced, which happens at [`Sync`]'s pace.
//! - A record whose append failed is not in the ledger, and the chain stays whole.
//! - One process at a time holds a ledger.
//! - Any edited, removed, repeated or moved line is found by [`verify()`]. Lines cut from the very
//!   end, and a chain made anew from some record on, are found against the checkpoints beside the
//!   ledger; and against a checkpoint kept elsewhere ([`verify_against`]) even where those and
//!   their key were replaced too.
//! - The ledger has no clock; times are the records' own.
//!
//! What it costs: an append writes on the calling thread (a few microseconds into the operating
//! system's cache); syncing is another thread's work. Once a segment is full, one append waits for
//! the segment to be synced.

mod act;
mod appender;
pub mod checkpoint;
mod disk;
mod erase;
mod error;
mod export;
mod hash;
pub mod key;
mod line;
mod lines;
pub mod merkle;
mod note;
mod reader;
mod segment;
mod tree;
mod verify;
mod walk;
mod writer;

#[cfg(test)]
pub(crate) mod tests;

pub use act::{Act, Done, acts, note};
pub(crate) use erase::erased_between;
pub use erase::{Erased, erase};
pub use error::Error;
pub use export::{Bound, Exported, Selection, export};
pub use hash::Hash;
pub use line::MAX_LINE_BYTES;
pub use note::{KeyKind, Note, NoteError, Signer, Verdict, VerifierKey};
pub use reader::{Entry, Reader, Tail, read_since};
pub use segment::TornTail;
pub use tree::Tree;
pub use verify::{
    Bad, BadCheckpoint, BadKind, CheckpointFault, ClockStep, Evidence, VerifyReport, identity,
    verify, verify_against,
};

use crate::record::Record;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::{Semaphore, oneshot, watch};

/// When written records are forced to stable storage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sync {
    /// At most this long after they were written. A power cut may lose that much.
    Interval(Duration),
    /// Before they are acknowledged.
    Always,
}

/// How much of the chain is checked when a ledger is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Check {
    /// Every segment, at several hundred MB/s.
    Full,
    /// The last segment only, for ledgers too long to read at every start.
    LastSegment,
}

/// How a ledger is kept.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// When records reach stable storage. Default: every 50 ms.
    pub sync: Sync,
    /// A segment that has reached this many bytes is closed. Default: 64 MiB.
    pub segment_bytes: u64,
    /// Appends in flight at most; further ones wait. Default: 4,096.
    pub queue: usize,
    /// What is checked at opening. Default: everything.
    pub check: Check,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            sync: Sync::Interval(Duration::from_millis(50)),
            segment_bytes: 64 << 20,
            queue: 4096,
            check: Check::Full,
        }
    }
}

/// An open ledger. Clones share it; when the last one is dropped, what was written is synced and
/// the lock released.
#[derive(Clone, Debug)]
pub struct Ledger {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    dir: PathBuf,
    recovered: Option<TornTail>,
    /// Bounds the appends in flight; each holds one permit until it is answered.
    slots: Arc<Semaphore>,
    appender: appender::Appender,
    published: watch::Receiver<u64>,
    id: Arc<OnceLock<Hash>>,
    /// Held for its lock; the operating system lets go of it however the process ends. Declared
    /// last, so that the appender has synced before it is let go of.
    _lock: File,
}

impl Ledger {
    /// Opens the ledger in `dir`, or begins one there.
    ///
    /// An unfinished last line (a crash in the middle of a write, never acknowledged) is moved to
    /// a `*.torn` file, told by [`Ledger::recovered`]. Fails when another process holds the
    /// ledger, or when the chain is broken.
    pub fn open(dir: &Path, options: Options) -> Result<Ledger, Error> {
        Ledger::open_on(dir, options, Box::new(disk::Os))
    }

    fn open_on(dir: &Path, options: Options, disk: Box<dyn disk::Disk>) -> Result<Ledger, Error> {
        std::fs::create_dir_all(dir).map_err(|e| Error::io("create", dir, e))?;
        let lock = acquire(dir, LOCK_FILE)?;
        let report = match options.check {
            Check::Full => walk::all(dir, &[])?,
            Check::LastSegment => walk::last(dir)?,
        };
        let recovered = match report.first_bad {
            None => None,
            Some(bad) if bad.kind == BadKind::TruncatedTail => {
                Some(segment::set_aside(dir, &bad.segment, bad.offset)?)
            }
            Some(bad) => return Err(Error::Broken(bad)),
        };
        let id = Arc::new(OnceLock::new());
        if let Some(first) = verify::identity(dir)? {
            let _ = id.set(first);
        }
        let (publish, published) = watch::channel(report.next_seq);
        let (before, last) = Tree::open(dir)?.into_ranges();
        let position = writer::Position {
            current: last.map_or_else(|| merkle::Range::empty(0), |last| last.range),
            before,
            head: report.head,
        };
        let writer = writer::Writer::new(dir, options, disk, position, publish, id.clone())?;
        let appender = appender::Appender::new(writer, &options)
            .map_err(|e| Error::io("start a thread for", dir, e))?;
        Ok(Ledger {
            inner: Arc::new(Inner {
                dir: dir.to_owned(),
                recovered,
                slots: Arc::new(Semaphore::new(options.queue.max(1))),
                appender,
                published,
                id,
                _lock: lock,
            }),
        })
    }

    /// Appends one record and returns its sequence number once it is written (and, under
    /// [`Sync::Always`], synced).
    ///
    /// On an error the record is not in the ledger; the caller fails closed and may try again
    /// later. Waits while the queue is full. If the future is dropped, the record may still be
    /// written.
    pub async fn append(&self, record: &Record) -> Result<u64, Error> {
        let json = line::to_json(record).map_err(|source| Error::Form {
            seq: self.next_seq(),
            source: Arc::new(source),
        })?;
        let slots = self.inner.slots.clone();
        let _slot = slots.acquire_owned().await.map_err(|_| Error::Closed)?;
        let (done, answer) = oneshot::channel();
        let job = writer::Job {
            kind: line::Kind::Record,
            json,
            done,
            _slot,
        };
        self.inner.appender.submit(job);
        answer.await.map_err(|_| Error::Closed)?
    }

    /// Appends an administrative act, given as JSON, and waits for it.
    fn append_act(&self, json: Vec<u8>) -> Result<u64, Error> {
        let slots = self.inner.slots.clone();
        let _slot = slots.try_acquire_owned().map_err(|_| Error::Closed)?;
        let (done, answer) = oneshot::channel();
        let job = writer::Job {
            kind: line::Kind::Act,
            json,
            done,
            _slot,
        };
        self.inner.appender.submit(job);
        answer.blocking_recv().map_err(|_| Error::Closed)?
    }

    /// The sequence number that the next record will get; the number of records so far.
    pub fn next_seq(&self) -> u64 {
        *self.inner.published.borrow()
    }

    /// The hash of record 0, which tells this ledger from any other; `None` while it is empty.
    pub fn id(&self) -> Option<Hash> {
        self.inner.id.get().copied()
    }

    /// What was found unfinished and set aside when the ledger was opened.
    pub fn recovered(&self) -> Option<&TornTail> {
        self.inner.recovered.as_ref()
    }

    /// The tree of all records written so far, once they are on stable storage. Blocks on the disk.
    pub(crate) fn synced_tree(&self) -> Result<merkle::Range, Error> {
        self.inner.appender.synced_tree()
    }

    /// The directory of the segments.
    pub fn dir(&self) -> &Path {
        &self.inner.dir
    }

    /// Follows the ledger from the record with sequence number `from`, live appends included.
    pub fn tail(&self, from: u64) -> Result<Tail, Error> {
        Tail::new(&self.inner.dir, from, self.inner.published.clone())
    }
}

const LOCK_FILE: &str = "ledger.lock";

fn acquire(dir: &Path, name: &str) -> Result<File, Error> {
    let path = dir.join(name);
    let file = File::options()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .open(&path)
        .map_err(|e| Error::io("open", &path, e))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Error::Locked {
            dir: dir.to_owned(),
        }),
        Err(TryLockError::Error(e)) => Err(Error::io("lock", &path, e)),
    }
}

/// Whether some process has the ledger open for writing.
fn is_live(dir: &Path) -> bool {
    File::open(dir.join(LOCK_FILE))
        .is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
}
