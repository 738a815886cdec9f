//! Reading records in order from any sequence number, at rest or while they are written.

use super::Error;
use super::line::{Hash, Line};
use super::segment::{self, Segment};
use super::verify::{Bad, BadKind};
use crate::record::Record;
use std::fs::File;
use std::io::{BufRead, BufReader, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use tokio::sync::watch;

/// A record as the ledger holds it.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Its place in the ledger, from 0 on without gaps.
    pub seq: u64,
    /// The hash of its line.
    pub hash: Hash,
    /// The record.
    pub record: Record,
}

/// Reads a ledger's records in order. Takes no lock, and checks the chain as it goes (from the
/// second record of the segment where it starts).
#[derive(Debug)]
pub struct Reader {
    dir: PathBuf,
    next: u64,
    /// `None` until the segment of `next` exists.
    open: Option<Open>,
}

#[derive(Debug)]
struct Open {
    segment: Segment,
    file: BufReader<File>,
    /// Where the next line begins.
    offset: u64,
    /// The sequence number of that line.
    seq: u64,
    /// The hash before it, unless the walk begins there.
    head: Option<Hash>,
    line: Vec<u8>,
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
                let head = open.head;
                self.open = Some(Open::new(following, head)?);
                continue;
            };
            if line.seq == self.next {
                block.push(Entry {
                    seq: line.seq,
                    hash: line.hash,
                    record: line.record()?,
                });
                self.next += 1;
            }
        }
        if let Some(open) = &mut self.open {
            open.forget_buffer()?;
        }
        Ok(block)
    }

    fn segment_of(&self, seq: u64) -> Result<Option<Open>, Error> {
        let segments = segment::list(&self.dir)?;
        let after = segments.partition_point(|segment| segment.first <= seq);
        match (after.checked_sub(1), segments.is_empty()) {
            (Some(i), _) => {
                let segment = segments[i].clone();
                let head = (segment.first == 0).then(Hash::genesis);
                Ok(Some(Open::new(segment, head)?))
            }
            (None, true) => Ok(None),
            (None, false) => Err(Error::NoSuchRecord {
                dir: self.dir.clone(),
                seq,
            }),
        }
    }
}

impl Open {
    fn new(segment: Segment, head: Option<Hash>) -> Result<Open, Error> {
        let file = File::open(&segment.path).map_err(|e| Error::io("open", &segment.path, e))?;
        let seq = segment.first;
        let file = BufReader::with_capacity(1 << 18, file);
        Ok(Open {
            segment,
            file,
            offset: 0,
            seq,
            head,
            line: Vec::new(),
        })
    }

    /// The next whole line, checked against the chain; `None` at the end of what is written.
    fn advance(&mut self) -> Result<Option<Line<'_>>, Error> {
        self.line.clear();
        let read = self
            .file
            .read_until(b'\n', &mut self.line)
            .map_err(|e| Error::io("read", &self.segment.path, e))?;
        let Some(text) = self.line.strip_suffix(b"\n") else {
            return Ok(None);
        };
        let line = Line::parse(text)
            .filter(|line| line.seq == self.seq)
            .filter(|line| self.head.is_none_or(|head| line.follows(&head)));
        let Some(line) = line else {
            let name = self.segment.path.file_name().unwrap_or_default();
            return Err(Error::Broken(Bad {
                seq: self.seq,
                kind: BadKind::Edited,
                segment: name.to_string_lossy().into_owned(),
                offset: self.offset,
            }));
        };
        self.offset += read as u64;
        self.seq += 1;
        self.head = Some(line.hash);
        Ok(Some(line))
    }

    /// Drops what was read ahead: the bytes of a write that fails are cut off again and others
    /// come in their place.
    fn forget_buffer(&mut self) -> Result<(), Error> {
        self.file
            .seek(SeekFrom::Start(self.offset))
            .map(drop)
            .map_err(|e| Error::io("read", &self.segment.path, e))
    }
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
