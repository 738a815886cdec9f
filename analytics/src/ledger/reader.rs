//! Reading records in order from any sequence number, at rest or while they are written.

use super::Error;
use super::hash::Hash;
use super::lines::Lines;
use super::segment::{self, Segment};
use crate::record::Record;
use std::path::{Path, PathBuf};
use tokio::sync::watch;

/// A record as the ledger holds it.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Its place in the ledger; from 0 on without gaps, but for erased records.
    pub seq: u64,
    /// The hash of its line.
    pub hash: Hash,
    /// The record.
    pub record: Record,
}

/// Reads a ledger's records in order, erased ones left out. Takes no lock, and checks the chain as it goes (from the
/// second record of the segment where it starts).
#[derive(Debug)]
pub struct Reader {
    dir: PathBuf,
    next: u64,
    /// `None` until the segment of `next` exists.
    open: Option<Lines>,
}

impl Reader {
    /// A reader of the ledger in `dir` whose first record is the one numbered `from`. Skips to it
    /// inside its segment without parsing what comes before.
    pub fn new(dir: &Path, from: u64) -> Reader {
        Reader {
            dir: dir.to_owned(),
            next: from,
            open: None,
        }
    }

    /// The sequence number of the next record.
    pub fn next_seq(&self) -> u64 {
        self.next
    }

    /// The next records, at most `max`; none when there are no more for now. Asking again later
    /// goes on from there.
    pub fn next_block(&mut self, max: usize) -> Result<Vec<Entry>, Error> {
        self.block_before(u64::MAX, max)
    }

    /// As [`Reader::next_block`], but nothing from `limit` on.
    fn block_before(&mut self, limit: u64, max: usize) -> Result<Vec<Entry>, Error> {
        let mut block = Vec::new();
        while block.len() < max && self.next < limit {
            if self.open.is_none() {
                self.open = self.segment_of(self.next)?;
            }
            let Some(open) = &mut self.open else { break };
            let Some(line) = open.advance()? else {
                // At the end of this segment; the next one exists if the writer went on.
                let following = Segment {
                    first: self.next,
                    path: self.dir.join(segment::name(self.next)),
                };
                if following == open.segment || !following.path.exists() {
                    open.forget_buffer()?;
                    break;
                }
                let head = open.head();
                self.open = Some(Lines::of(following, head)?);
                continue;
            };
            if line.seq == self.next {
                if !line.is_erased() {
                    block.push(Entry {
                        seq: line.seq,
                        hash: line.hash,
                        record: line.record()?,
                    });
                }
                self.next += 1;
            }
        }
        if let Some(open) = &mut self.open {
            open.forget_buffer()?;
        }
        Ok(block)
    }

    fn segment_of(&self, seq: u64) -> Result<Option<Lines>, Error> {
        let segments = segment::list(&self.dir)?;
        let after = segments.partition_point(|segment| segment.first <= seq);
        match (after.checked_sub(1), segments.is_empty()) {
            (Some(i), _) => Ok(Some(Lines::of(segments[i].clone(), None)?)),
            (None, true) => Ok(None),
            (None, false) => Err(Error::NoSuchRecord {
                dir: self.dir.clone(),
                seq,
            }),
        }
    }
}

/// A record is written when its exchange has ended: it may stand behind ones that began this much
/// later, and no more.
const LONGEST_EXCHANGE_US: i64 = 24 * 3600 * 1_000_000;

/// A reader of the ledger in `dir` that starts in the last segment before which no exchange began
/// since `since_us` (microseconds since the Unix epoch); what it reads first may be older.
///
/// # Errors
/// When a segment cannot be read or does not hold.
pub fn read_since(dir: &Path, since_us: i64) -> Result<Reader, Error> {
    let mut from = 0;
    for segment in segment::list(dir)?.into_iter().rev() {
        from = segment.first;
        let first = Reader::new(dir, from).next_block(1)?;
        let begins = first.first().map(|entry| entry.record.started_us);
        if begins.is_some_and(|begins| begins < since_us.saturating_sub(LONGEST_EXCHANGE_US)) {
            break;
        }
    }
    Ok(Reader::new(dir, from))
}

/// A reader that follows a ledger while it is written.
#[derive(Debug)]
pub struct Tail {
    reader: Reader,
    published: watch::Receiver<u64>,
}

impl Tail {
    pub(super) fn new(
        dir: &Path,
        from: u64,
        published: watch::Receiver<u64>,
    ) -> Result<Tail, Error> {
        let held = *published.borrow();
        if from > held {
            return Err(Error::NoSuchRecord {
                dir: dir.to_owned(),
                seq: from,
            });
        }
        Ok(Tail {
            reader: Reader::new(dir, from),
            published,
        })
    }

    /// How many acknowledged records have not been read yet.
    pub fn lag(&self) -> u64 {
        self.published
            .borrow()
            .saturating_sub(self.reader.next_seq())
    }

    /// The sequence number of the next record.
    pub fn next_seq(&self) -> u64 {
        self.reader.next_seq()
    }

    /// Waits until there is a record to read; false when the ledger was closed and none is left.
    pub async fn ready(&mut self) -> bool {
        let next = self.reader.next_seq();
        let closed = self
            .published
            .wait_for(|&published| published > next)
            .await
            .is_err();
        !closed || self.lag() > 0
    }

    /// The next acknowledged records, at most `max`; none when all were read. Reads files: call
    /// it where blocking is allowed.
    pub fn next_block(&mut self, max: usize) -> Result<Vec<Entry>, Error> {
        let limit = *self.published.borrow();
        self.reader.block_before(limit, max)
    }
}
