//! The walk along the chain: every line against the one before it, every signed tree against the
//! records.

use super::Error;
use super::hash::Hash;
use super::line::{self, Line};
use super::merkle::Range;
use super::segment::{self, Segment};
use super::tree::Summary;
use super::verify::{Bad, BadKind, ClockStep, VerifyReport};
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

const BUFFER_BYTES: usize = 1 << 20;

/// Exchanges end on many threads, so that neighbours are not in strict order: only a step back of
/// more than this is the clock's. Microseconds.
const CLOCK_STEP_US: i64 = 2_000_000;

/// A tree that somebody signed for: its size and its root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) size: u64,
    pub(super) root: Hash,
}

/// Checks every record of the ledger in `dir`, and the trees in `marks`, sorted by size.
pub(super) fn all(dir: &Path, marks: &[Mark]) -> Result<VerifyReport, Error> {
    let segments = segment::list(dir)?;
    Walk::from(0, line::genesis(), marks).run(&segments)
}

/// Checks the last segment only, trusting what lies beside the others.
pub(super) fn last(dir: &Path) -> Result<VerifyReport, Error> {
    let segments = segment::list(dir)?;
    match segments.as_slice() {
        [.., before, last] => match Summary::read(dir, before.first) {
            Some(summary) if summary.range.end() == last.first => {
                Walk::from(last.first, summary.head, &[]).run(std::slice::from_ref(last))
            }
            // The segments do not meet, or it is not known: let the full check say.
            _ => all(dir, &[]),
        },
        _ => all(dir, &[]),
    }
}

pub(super) fn open(segment: &Segment) -> Result<BufReader<File>, Error> {
    let file = File::open(&segment.path).map_err(|e| Error::io("open", &segment.path, e))?;
    Ok(BufReader::with_capacity(BUFFER_BYTES, file))
}

/// The state of a walk.
struct Walk<'a> {
    start: u64,
    report: VerifyReport,
    before: Range,
    current: Range,
    /// The trees still to come, and the size of the last one that fitted.
    marks: &'a [Mark],
    fitted: u64,
    /// The latest end of an exchange so far.
    latest_us: i64,
}

impl<'a> Walk<'a> {
    fn from(next_seq: u64, head: Hash, marks: &'a [Mark]) -> Walk<'a> {
        let report = VerifyReport::begin(next_seq, head);
        Walk {
            start: next_seq,
            report,
            before: Range::empty(0),
            current: Range::empty(next_seq),
            marks,
            fitted: 0,
            latest_us: i64::MIN,
        }
    }

    fn run(mut self, segments: &[Segment]) -> Result<VerifyReport, Error> {
        for (i, segment) in segments.iter().enumerate() {
            let rest = &segments[i + 1..];
            let mut bad = self.segment(segment, rest)?;
            if bad.is_none() && !rest.is_empty() {
                bad = self.close(segment);
            }
            if bad.is_some() {
                self.report.first_bad = bad;
                break;
            }
        }
        // An unfinished last line is a crash's doing only where nothing was signed for beyond it.
        let ended = match &self.report.first_bad {
            None => true,
            Some(bad) => bad.kind == BadKind::TruncatedTail,
        };
        if ended && let Some(mark) = self.marks.last() {
            // Signed for, and not there.
            let last = segments.last();
            self.report.first_bad = Some(Bad {
                seq: self.report.next_seq,
                kind: BadKind::CutOff { until: mark.size },
                segment: last.map_or_else(|| segment::name(0), Segment::file_name),
                offset: last
                    .and_then(|last| std::fs::metadata(&last.path).ok())
                    .map_or(0, |meta| meta.len()),
            });
        }
        self.report.records = self.report.next_seq - self.start;
        if self.before.end() == self.current.begin() {
            self.before.join(&self.current);
            self.report.root = Some(self.before.root());
        }
        Ok(self.report)
    }

    fn segment(&mut self, segment: &Segment, rest: &[Segment]) -> Result<Option<Bad>, Error> {
        let expected = self.report.next_seq;
        let bad = |seq, kind, offset| {
            Ok(Some(Bad {
                seq,
                kind,
                segment: segment.file_name(),
                offset,
            }))
        };
        if segment.first < expected {
            return bad(expected, BadKind::Duplicated, 0);
        }
        let mut reader = open(segment)?;
        let (mut line, mut offset) = (Vec::new(), 0);
        if segment.first > expected {
            let kind = missing(expected, &mut reader, rest)?;
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
                let kind = if rest.is_empty() {
                    BadKind::TruncatedTail
                } else {
                    BadKind::Edited
                };
                return bad(seq, kind, offset);
            };
            let Some(line) = Line::parse(text) else {
                return bad(seq, BadKind::Edited, offset);
            };
            if line.seq > seq {
                let kind = missing(seq, &mut reader, rest)?;
                return bad(seq, kind, offset);
            }
            if line.seq < seq {
                return bad(seq, BadKind::Duplicated, offset);
            }
            let Some(leaf) = line.after(&self.report.head) else {
                return bad(seq, BadKind::Edited, offset);
            };
            if line.is_erased() {
                self.report.erased += 1;
                self.report.first_erased.get_or_insert(seq);
            } else {
                self.clock(&line);
            }
            if let Some(until) = self.accept(&line, leaf, read) {
                let seq = self.fitted;
                return bad(seq, BadKind::Rewritten { until }, 0);
            }
            offset += read;
        }
    }

    /// Goes on past a line that holds. The size of a signed tree that does not, if one ends here.
    fn accept(&mut self, line: &Line<'_>, leaf: Hash, bytes: u64) -> Option<u64> {
        if line.seq == 0 {
            self.report.id = Some(line.hash);
        }
        self.report.head = line.hash;
        self.report.next_seq += 1;
        self.report.bytes += bytes;
        self.current.push(leaf);
        while let Some((mark, rest)) = self.marks.split_first()
            && mark.size <= self.report.next_seq
        {
            let mut tree = self.before.clone();
            tree.join(&self.current);
            if tree.root() != mark.root {
                return Some(mark.size);
            }
            (self.marks, self.fitted) = (rest, mark.size);
            self.report.signed = mark.size;
        }
        None
    }

    /// Ends a segment that another follows, and compares what lies beside it.
    fn close(&mut self, segment: &Segment) -> Option<Bad> {
        let range = std::mem::replace(&mut self.current, Range::empty(self.report.next_seq));
        self.before.join(&range);
        let summary = Summary {
            range,
            head: self.report.head,
        };
        let dir = segment.path.parent().unwrap_or(Path::new(""));
        let held = Summary::read(dir, segment.first)?;
        (held != summary).then(|| Bad {
            seq: segment.first,
            kind: BadKind::Rewritten {
                until: self.report.next_seq,
            },
            segment: segment.file_name(),
            offset: 0,
        })
    }

    /// Notes a recorded time that lies before an earlier record's.
    fn clock(&mut self, line: &Line<'_>) {
        let (Some(started), Some(took)) = (
            line.micros(b"\"started_us\":"),
            line.micros(b"\"total_us\":"),
        ) else {
            return;
        };
        let ended = started.saturating_add(took);
        if ended < self.latest_us.saturating_sub(CLOCK_STEP_US) {
            self.report.clock_steps += 1;
            self.report.first_clock_step.get_or_insert(ClockStep {
                seq: line.seq,
                back_us: self.latest_us.saturating_sub(ended),
            });
            // From here on this is the time: one step back is told once, not for each record.
            self.latest_us = ended;
        }
        self.latest_us = self.latest_us.max(ended);
    }
}

/// Whether the missing record `seq` stands further on.
fn missing(seq: u64, reader: &mut BufReader<File>, rest: &[Segment]) -> Result<BadKind, Error> {
    if holds(reader, seq)? {
        return Ok(BadKind::Reordered);
    }
    for segment in rest {
        if holds(&mut open(segment)?, seq)? {
            return Ok(BadKind::Reordered);
        }
    }
    Ok(BadKind::Removed)
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
