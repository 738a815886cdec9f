//! The files of a ledger: their names, their order, and the unfinished end of the last one.

use super::Error;
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

const SUFFIX: &str = ".log";
const DIGITS: usize = 20;

/// A segment: its file, named by the sequence number of its first record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Segment {
    pub(super) first: u64,
    pub(super) path: PathBuf,
}

impl Segment {
    /// The file's name, for messages.
    pub(super) fn file_name(&self) -> String {
        name(self.first)
    }
}

/// The file name of the segment that begins with record `first`.
pub(super) fn name(first: u64) -> String {
    format!("{first:0DIGITS$}{SUFFIX}")
}

/// All segments in order. Other files are let be; one that ends in `.log` and is no segment is
/// an error, because it could be one that somebody renamed.
pub(super) fn list(dir: &Path) -> Result<Vec<Segment>, Error> {
    let mut segments = Vec::new();
    for entry in fs::read_dir(dir).map_err(|e| Error::io("list", dir, e))? {
        let path = entry.map_err(|e| Error::io("list", dir, e))?.path();
        let file_name = path.file_name().unwrap_or_default().to_string_lossy();
        let Some(stem) = file_name.strip_suffix(SUFFIX) else {
            continue;
        };
        let first = Some(stem)
            .filter(|s| s.len() == DIGITS && s.bytes().all(|c| c.is_ascii_digit()))
            .and_then(|s| s.parse().ok());
        match first {
            Some(first) => segments.push(Segment { first, path }),
            None => return Err(Error::NotASegment { path }),
        }
    }
    segments.sort_by_key(|segment| segment.first);
    Ok(segments)
}

/// An unfinished last line, found and set aside when a ledger was opened. It was never
/// acknowledged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TornTail {
    /// Where its bytes are now.
    pub path: PathBuf,
    /// How many there are.
    pub bytes: u64,
}

/// Moves what follows `offset` in the segment `name` into a `*.torn` file beside it.
pub(super) fn set_aside(dir: &Path, name: &str, offset: u64) -> Result<TornTail, Error> {
    let path = dir.join(name);
    let io = |e| Error::io("recover", &path, e);
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .open(&path)
        .map_err(io)?;
    let mut tail = Vec::new();
    file.seek(SeekFrom::Start(offset)).map_err(io)?;
    file.read_to_end(&mut tail).map_err(io)?;

    let (torn_path, mut torn) = fresh(dir, name, offset)?;
    let torn_io = |e| Error::io("write", &torn_path, e);
    torn.write_all(&tail).map_err(torn_io)?;
    torn.sync_all().map_err(torn_io)?;
    // Only now that the bytes are safe elsewhere are they cut off here.
    file.set_len(offset).map_err(io)?;
    file.sync_all().map_err(io)?;
    Ok(TornTail {
        path: torn_path,
        bytes: tail.len() as u64,
    })
}

/// A new file for a torn tail; an earlier one of the same place is never overwritten.
fn fresh(dir: &Path, name: &str, offset: u64) -> Result<(PathBuf, File), Error> {
    for n in 0.. {
        let path = dir.join(match n {
            0 => format!("{name}.{offset}.torn"),
            n => format!("{name}.{offset}.{n}.torn"),
        });
        match OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(file) => return Ok((path, file)),
            Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(e) => return Err(Error::io("create", &path, e)),
        }
    }
    unreachable!("an unbounded range of names")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_are_listed_in_order_and_strangers_told() {
        let dir = tempfile::tempdir().unwrap();
        for file in [&name(10), &name(9), "notes.txt", "x.torn"] {
            fs::write(dir.path().join(file), "").unwrap();
        }
        let firsts: Vec<u64> = list(dir.path()).unwrap().iter().map(|s| s.first).collect();
        assert_eq!(firsts, [9, 10]);
        fs::write(dir.path().join("10.log"), "").unwrap();
        assert!(matches!(list(dir.path()), Err(Error::NotASegment { .. })));
    }

    #[test]
    fn a_torn_tail_never_overwrites_an_earlier_one() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join(name(0));
        for tail in ["ab", "cde"] {
            fs::write(&file, format!("whole\n{tail}")).unwrap();
            let torn = set_aside(dir.path(), &name(0), 6).unwrap();
            assert_eq!(torn.bytes, tail.len() as u64);
            assert_eq!(fs::read_to_string(&torn.path).unwrap(), tail);
            assert_eq!(fs::read_to_string(&file).unwrap(), "whole\n");
        }
    }
}
