//! Says where a ledger first fails, and how.

use super::checkpoint::{self, Signed};
use super::hash::Hash;
use super::line::Line;
use super::note::{KeyKind, Verdict, VerifierKey};
use super::walk::{self, Mark};
use super::{Error, is_live, segment};
use std::fmt;
use std::io::BufRead;
use std::path::Path;

/// What a check of a ledger found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifyReport {
    /// How many records were checked and hold.
    pub records: u64,
    /// How many bytes they take.
    pub bytes: u64,
    /// The sequence number after the last record that holds.
    pub next_seq: u64,
    /// The hash of record 0, if it was checked and holds.
    pub id: Option<Hash>,
    /// The hash of the last record that holds.
    pub head: Hash,
    /// The root of the tree of the records that hold, when all were checked.
    pub root: Option<Hash>,
    /// How many of them a checkpoint was signed for. Those after it, cut off, are not missed.
    pub signed: u64,
    /// How many checkpoints were checked, those given to compare with included.
    pub checkpoints: u64,
    /// How many cosignatures of known witnesses they bear.
    pub cosignatures: u64,
    /// How many of the records were erased: their leaf hashes are kept, and hold. Compare with what
    /// was to be erased.
    pub erased: u64,
    /// The first of them.
    pub first_erased: Option<u64>,
    /// How often the recorded time steps back by more than two seconds. No damage: clocks are
    /// corrected; worth a look when nobody did.
    pub clock_steps: u64,
    /// The first of them.
    pub first_clock_step: Option<ClockStep>,
    /// Whether a process was appending meanwhile; the walk then ends at its last whole record.
    pub live: bool,
    /// Where the records first fail; nothing after it was judged.
    pub first_bad: Option<Bad>,
    /// The first checkpoint that is none of this ledger's.
    pub bad_checkpoint: Option<BadCheckpoint>,
}

impl VerifyReport {
    pub(super) fn begin(next_seq: u64, head: Hash) -> VerifyReport {
        VerifyReport {
            records: 0,
            bytes: 0,
            next_seq,
            id: None,
            head,
            root: None,
            signed: 0,
            checkpoints: 0,
            cosignatures: 0,
            erased: 0,
            first_erased: None,
            clock_steps: 0,
            first_clock_step: None,
            live: false,
            first_bad: None,
            bad_checkpoint: None,
        }
    }

    /// Whether nothing is wrong.
    pub fn is_sound(&self) -> bool {
        self.first_bad.is_none() && self.bad_checkpoint.is_none()
    }
}

/// A record whose time lies before an earlier one's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockStep {
    /// The record's sequence number.
    pub seq: u64,
    /// By how much, in microseconds.
    pub back_us: i64,
}

/// A checkpoint that does not hold by itself, whatever the records are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadCheckpoint {
    /// The number of records that it speaks of.
    pub size: u64,
    /// What is wrong with it.
    pub fault: CheckpointFault,
}

/// What is wrong with a checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckpointFault {
    /// A known key's signature does not hold.
    Signature,
    /// No known key signed it.
    Unsigned,
    /// It speaks of fewer records than the one before it.
    Order,
}

impl fmt::Display for BadCheckpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.fault {
            CheckpointFault::Signature => "its signature does not hold",
            CheckpointFault::Unsigned => "none of the known keys signed it",
            CheckpointFault::Order => "it speaks of fewer records than the one before it",
        };
        write!(f, "the checkpoint of {} records: {what}", self.size)
    }
}

/// Where and how a chain fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bad {
    /// The sequence number of the first record that is not as it was written.
    pub seq: u64,
    /// What happened to it.
    pub kind: BadKind,
    /// The file name of the segment where that shows.
    pub segment: String,
    /// The byte offset in it.
    pub offset: u64,
}

impl fmt::Display for Bad {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Bad {
            seq,
            kind,
            segment,
            offset,
        } = self;
        match kind {
            BadKind::Rewritten { until } => write!(
                f,
                "record {seq} or one after it, before record {until}, is not the one that was \
                 signed for, and the chain was made to fit ({segment})"
            ),
            BadKind::CutOff { until } => write!(
                f,
                "record {seq} and all up to record {} were cut off: they were signed for \
                 ({segment}, byte {offset})",
                until.saturating_sub(1)
            ),
            kind => write!(f, "record {seq} {kind} ({segment}, byte {offset})"),
        }
    }
}

/// What happened to a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadKind {
    /// Its bytes or its hash were changed, or it was replaced.
    Edited,
    /// It is gone.
    Removed,
    /// It is still there, but later.
    Reordered,
    /// A record stands in its place that was there before.
    Duplicated,
    /// It is the last one and unfinished: a crash in the middle of a write.
    TruncatedTail,
    /// The chain holds, but a root that was signed (or kept beside the segment) does not: one of
    /// the records from here to `until` was changed and every hash after it made anew.
    Rewritten {
        /// The size of the tree that was signed for.
        until: u64,
    },
    /// The chain holds and ends here, but a checkpoint was signed for more.
    CutOff {
        /// How many records it was signed for.
        until: u64,
    },
}

impl BadKind {
    /// The word for it in reports and in machine-readable output.
    pub fn as_str(self) -> &'static str {
        match self {
            BadKind::Edited => "edited",
            BadKind::Removed => "removed",
            BadKind::Reordered => "reordered",
            BadKind::Duplicated => "duplicated",
            BadKind::TruncatedTail => "truncated_tail",
            BadKind::Rewritten { .. } => "rewritten",
            BadKind::CutOff { .. } => "cut_off",
        }
    }
}

impl fmt::Display for BadKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            BadKind::Edited => "was edited",
            BadKind::Removed => "was removed",
            BadKind::Reordered => "was moved",
            BadKind::Duplicated => "is preceded by a repeated one",
            BadKind::TruncatedTail => "is unfinished",
            BadKind::Rewritten { .. } => "was rewritten",
            BadKind::CutOff { .. } => "was cut off",
        })
    }
}

/// What a ledger is checked against, beside itself.
#[derive(Clone, Debug, Default)]
pub struct Evidence {
    /// Checkpoints that were kept elsewhere.
    pub against: Vec<Signed>,
    /// The keys that may have signed checkpoints. None: those kept beside the ledger, which who
    /// replaced the ledger could replace too.
    pub keys: Vec<VerifierKey>,
    /// Witnesses whose cosignatures are checked where checkpoints bear them.
    pub witnesses: Vec<VerifierKey>,
}

/// Checks every record of the ledger in `dir` and every checkpoint beside it. Changes nothing, and
/// needs no lock: a ledger that is being written is checked up to its last whole record.
///
/// Fails only if the files cannot be read; what is wrong with them is in the report.
pub fn verify(dir: &Path) -> Result<VerifyReport, Error> {
    verify_against(dir, &Evidence::default())
}

/// [`verify`], with what is known from elsewhere.
pub fn verify_against(dir: &Path, evidence: &Evidence) -> Result<VerifyReport, Error> {
    let live = is_live(dir);
    // Before the records: a checkpoint of a live ledger never speaks of more than is written.
    let stored = checkpoint::stored(dir)?;
    let kept;
    let keys = if evidence.keys.is_empty() {
        kept = checkpoint::keys(dir)?;
        &kept
    } else {
        &evidence.keys
    };
    let bad_checkpoint = first_bad(&stored, keys, evidence)
        .or_else(|| out_of_order(&stored))
        .or_else(|| first_bad(&evidence.against, keys, evidence));
    let judged = stored.iter().chain(&evidence.against);
    let mut marks: Vec<Mark> = judged
        .clone()
        .filter(|signed| signed.checkpoint.size > 0)
        .map(|signed| Mark {
            size: signed.checkpoint.size,
            root: signed.checkpoint.root,
        })
        .collect();
    marks.sort_by_key(|mark| mark.size);

    let mut report = walk::all(dir, &marks)?;
    report.live = live;
    report.bad_checkpoint = bad_checkpoint;
    report.checkpoints = (stored.len() + evidence.against.len()) as u64;
    report.cosignatures = judged
        .flat_map(|signed| evidence.witnesses.iter().map(|key| key.check(&signed.note)))
        .filter(|verdict| matches!(verdict, Verdict::Signed(_)))
        .count() as u64;
    // The line that a living writer has not finished is no damage.
    if live
        && report
            .first_bad
            .as_ref()
            .is_some_and(|bad| bad.kind == BadKind::TruncatedTail)
    {
        report.first_bad = None;
    }
    Ok(report)
}

fn first_bad(of: &[Signed], keys: &[VerifierKey], evidence: &Evidence) -> Option<BadCheckpoint> {
    let keys = || keys.iter().chain(&evidence.witnesses);
    of.iter().find_map(|signed| {
        let verdicts = || keys().map(|key| (key.kind(), key.check(&signed.note)));
        let fault = if verdicts().any(|(_, verdict)| verdict == Verdict::Wrong) {
            CheckpointFault::Signature
        } else if !verdicts().any(|verdict| verdict == (KeyKind::Ed25519, Verdict::Signed(None))) {
            CheckpointFault::Unsigned
        } else {
            return None;
        };
        Some(BadCheckpoint {
            size: signed.checkpoint.size,
            fault,
        })
    })
}

fn out_of_order(stored: &[Signed]) -> Option<BadCheckpoint> {
    let size = |signed: &Signed| signed.checkpoint.size;
    let pair = stored
        .windows(2)
        .find(|pair| size(&pair[1]) < size(&pair[0]))?;
    Some(BadCheckpoint {
        size: size(&pair[1]),
        fault: CheckpointFault::Order,
    })
}

/// The identity of the ledger in `dir`: the hash of record 0, unchecked; `None` if it has none.
pub fn identity(dir: &Path) -> Result<Option<Hash>, Error> {
    let Some(segment) = segment::list(dir)?.into_iter().next() else {
        return Ok(None);
    };
    let mut line = Vec::new();
    walk::open(&segment)?
        .read_until(b'\n', &mut line)
        .map_err(|e| Error::io("read", &segment.path, e))?;
    let whole = line.strip_suffix(b"\n").and_then(Line::parse);
    Ok(whole.filter(|line| line.seq == 0).map(|line| line.hash))
}
