//! The lines of one segment, each checked against the one before it.

use super::Error;
use super::hash::Hash;
use super::line::{self, Line};
use super::segment::Segment;
use super::verify::{Bad, BadKind};
use std::fs::File;
use std::io::{BufRead, BufReader, Seek, SeekFrom};

#[derive(Debug)]
pub(super) struct Lines {
    pub(super) segment: Segment,
    file: BufReader<File>,
    /// Where the next line begins.
    offset: u64,
    /// The sequence number of that line.
    seq: u64,
    /// The hash before it, unless the walk begins there.
    head: Option<Hash>,
    line: Vec<u8>,
}

impl Lines {
    /// The lines of `segment`, the first of which follows the hash `head`; unknown, it is not
    /// checked, save for the first of all.
    pub(super) fn of(segment: Segment, head: Option<Hash>) -> Result<Lines, Error> {
        let file = File::open(&segment.path).map_err(|e| Error::io("open", &segment.path, e))?;
        let seq = segment.first;
        let head = head.or_else(|| (seq == 0).then(line::genesis));
        let file = BufReader::with_capacity(1 << 18, file);
        Ok(Lines {
            segment,
            file,
            offset: 0,
            seq,
            head,
            line: Vec::new(),
        })
    }

    /// The hash of the last line read.
    pub(super) fn head(&self) -> Option<Hash> {
        self.head
    }

    /// The next whole line; `None` at the end of what is written.
    pub(super) fn advance(&mut self) -> Result<Option<Line<'_>>, Error> {
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
            .filter(|line| self.head.is_none_or(|head| line.after(&head).is_some()));
        let Some(line) = line else {
            return Err(Error::Broken(Bad {
                seq: self.seq,
                kind: BadKind::Edited,
                segment: self.segment.file_name(),
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
    pub(super) fn forget_buffer(&mut self) -> Result<(), Error> {
        self.file
            .seek(SeekFrom::Start(self.offset))
            .map(drop)
            .map_err(|e| Error::io("read", &self.segment.path, e))
    }
}
