//! Walks the chain and says where it first fails, and how.

use super::line::{Hash, Line};
use super::segment::{self, Segment};
use super::{Error, is_live};
use std::fmt;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

const BUFFER_BYTES: usize = 1 << 20;

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
    /// The hash of the last record that holds. Keep a copy elsewhere: a cut tail shows only
    /// against it.
    pub head: Hash,
    /// Whether a process was appending meanwhile; the walk then ends at its last whole record.
    pub live: bool,
    /// Where the chain first fails; nothing after it was judged.
    pub first_bad: Option<Bad>,
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
        write!(f, "record {seq} {kind} ({segment}, byte {offset})")
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
        })
    }
}

/// Checks every record of the ledger in `dir`. Changes nothing, and needs no lock: a ledger that
/// is being written is checked up to its last whole record.
///
/// Fails only if the files cannot be read; what is wrong with them is in the report.
pub fn verify(dir: &Path) -> Result<VerifyReport, Error> {
    let live = is_live(dir);
    let mut report = verify_all(dir)?;
    report.live = live;
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

/// [`verify`], whoever holds the ledger.
pub(super) fn verify_all(dir: &Path) -> Result<VerifyReport, Error> {
    let segments = segment::list(dir)?;
    Walk::from(0, Hash::genesis()).run(&segments)
}

/// Checks the last segment only, trusting the hash before it.
pub(super) fn verify_last(dir: &Path) -> Result<VerifyReport, Error> {
    let segments = segment::list(dir)?;
    match segments.as_slice() {
        [.., before, last] => match last_line(before)? {
            Some((seq, head)) if seq + 1 == last.first => {
                Walk::from(last.first, head).run(std::slice::from_ref(last))
            }
            // The segments do not meet: let the full check name what is wrong.
            _ => verify_all(dir),
        },
        _ => verify_all(dir),
    }
}

/// The identity of the ledger in `dir`: the hash of record 0, unchecked; `None` if it has none.
pub fn identity(dir: &Path) -> Result<Option<Hash>, Error> {
    let Some(segment) = segment::list(dir)?.into_iter().next() else {
        return Ok(None);
    };
    let mut line = Vec::new();
    open(&segment)?
        .read_until(b'\n', &mut line)
        .map_err(|e| Error::io("read", &segment.path, e))?;
    let whole = line.strip_suffix(b"\n").and_then(Line::parse);
    Ok(whole.filter(|line| line.seq == 0).map(|line| line.hash))
}

fn open(segment: &Segment) -> Result<BufReader<File>, Error> {
    let file = File::open(&segment.path).map_err(|e| Error::io("open", &segment.path, e))?;
    Ok(BufReader::with_capacity(BUFFER_BYTES, file))
}

/// The number and hash of the last line, if it is whole; read line by line because lines have no
/// fixed length.
fn last_line(segment: &Segment) -> Result<Option<(u64, Hash)>, Error> {
    let mut reader = open(segment)?;
    let (mut line, mut last) = (Vec::new(), None);
    loop {
        line.clear();
        let io = |e| Error::io("read", &segment.path, e);
        if reader.read_until(b'\n', &mut line).map_err(io)? == 0 {
            return Ok(last);
        }
        last = line
            .strip_suffix(b"\n")
            .and_then(Line::parse)
            .map(|line| (line.seq, line.hash));
    }
}

/// The state of a walk along the chain.
struct Walk {
    start: u64,
    report: VerifyReport,
}

impl Walk {
    fn from(next_seq: u64, head: Hash) -> Walk {
        let report = VerifyReport {
            records: 0,
            bytes: 0,
            next_seq,
            id: None,
            head,
            live: false,
            first_bad: None,
        };
        Walk {
            start: next_seq,
            report,
        }
    }

    fn run(mut self, segments: &[Segment]) -> Result<VerifyReport, Error> {
        for (i, segment) in segments.iter().enumerate() {
            let rest = &segments[i + 1..];
            if let Some(bad) = self.segment(segment, rest)? {
                self.report.first_bad = Some(bad);
                break;
            }
        }
        self.report.records = self.report.next_seq - self.start;
        Ok(self.report)
    }

    fn segment(&mut self, segment: &Segment, rest: &[Segment]) -> Result<Option<Bad>, Error> {
        let expected = self.report.next_seq;
        let bad = |seq, kind, offset| {
            let segment = segment.path.file_name().unwrap_or_default();
            Ok(Some(Bad {
                seq,
                kind,
                segment: segment.to_string_lossy().into_owned(),
                offset,
            }))
        };
        if segment.first < expected {
            return bad(expected, BadKind::Duplicated, 0);
        }
        let mut reader = open(segment)?;
        let (mut line, mut offset) = (Vec::new(), 0);
        if segment.first > expected {
            let kind = self.missing(expected, &mut reader, rest)?;
            return bad(expected, kind, 0);
        }
        loop {
            line.clear();
            let io = |e| Error::io("read", &segment.path, e);
            let read = reader.read_until(b'\n', &mut line).map_err(io)? as u64;
            if read == 0 {
                return Ok(None);
            }
            let seq = self.report.next_seq;
            let Some(text) = line.strip_suffix(b"\n") else {
                let last = rest.is_empty();
                let kind = if last {
                    BadKind::TruncatedTail
                } else {
                    BadKind::Edited
                };
                return bad(seq, kind, offset);
            };
            match Line::parse(text) {
                Some(line) if line.seq == seq && line.follows(&self.report.head) => {
                    if seq == 0 {
                        self.report.id = Some(line.hash);
                    }
                    self.report.head = line.hash;
                    self.report.next_seq += 1;
                    self.report.bytes += read;
                    offset += read;
                }
                Some(line) if line.seq > seq => {
                    let kind = self.missing(seq, &mut reader, rest)?;
                    return bad(seq, kind, offset);
                }
                Some(line) if line.seq < seq => return bad(seq, BadKind::Duplicated, offset),
                _ => return bad(seq, BadKind::Edited, offset),
            }
        }
    }

    /// Whether the missing record `seq` stands further on.
    fn missing(
        &self,
        seq: u64,
        reader: &mut BufReader<File>,
        rest: &[Segment],
    ) -> Result<BadKind, Error> {
        let found = holds(reader, seq)?;
        for segment in rest.iter().take_while(|_| !found) {
            if holds(&mut open(segment)?, seq)? {
                return Ok(BadKind::Reordered);
            }
        }
        Ok(if found {
            BadKind::Reordered
        } else {
            BadKind::Removed
        })
    }
}

fn holds(reader: &mut BufReader<File>, seq: u64) -> Result<bool, Error> {
    let mut line = Vec::new();
    loop {
        line.clear();
        let io = |e| Error::io("read", Path::new("a segment"), e);
        if reader.read_until(b'\n', &mut line).map_err(io)? == 0 {
            return Ok(false);
        }
        if Line::parse(&line).is_some_and(|line| line.seq == seq) {
            return Ok(true);
        }
    }
}
