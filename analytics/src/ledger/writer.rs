//! What writes: it takes the records that have gathered, writes them at once, answers all.

use super::disk::{Disk, SegmentFile};
use super::hash::Hash;
use super::line;
use super::merkle::Range;
use super::tree::Summary;
use super::{Error, Options, Sync, segment};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Instant;
use tokio::sync::{OwnedSemaphorePermit, oneshot, watch};

/// One write takes at most about this many bytes, so that the first of a batch never waits long.
const BATCH_BYTES: usize = 1 << 20;

/// A record to append and whom to tell.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) kind: line::Kind,
    /// The record as JSON.
    pub(super) json: Vec<u8>,
    pub(super) done: oneshot::Sender<Result<u64, Error>>,
    /// Given back when the job is answered.
    pub(super) _slot: OwnedSemaphorePermit,
}

pub(super) struct Writer {
    dir: PathBuf,
    options: Options,
    disk: Box<dyn Disk>,
    file: Arc<dyn SegmentFile>,
    path: Arc<PathBuf>,
    /// The length of the segment's whole records; the file may be longer after a failed write.
    len: u64,
    /// The file may hold more than `len` bytes, to be cut off before the next write.
    overhang: bool,
    next: u64,
    head: Hash,
    /// The tree of the closed segments' records, and of this one's.
    before: Range,
    current: Range,
    /// When the oldest unsynced write was made.
    unsynced: Option<Instant>,
    /// The last sync failed: nothing more is accepted before one succeeds.
    sync_failed: bool,
    published: watch::Sender<u64>,
    id: Arc<OnceLock<Hash>>,
    /// The lines of one write, and their records' leaf hashes; kept for their room.
    bytes: Vec<u8>,
    leaves: Vec<Hash>,
}

/// Where a writer goes on.
#[derive(Debug)]
pub(super) struct Position {
    /// The tree of the closed segments' records.
    pub(super) before: Range,
    /// Of the open segment's.
    pub(super) current: Range,
    /// The hash of the last line.
    pub(super) head: Hash,
}

/// A segment that is being synced while others write.
pub(super) struct Unsynced {
    file: Arc<dyn SegmentFile>,
    path: Arc<PathBuf>,
}

impl Unsynced {
    pub(super) fn sync(&self) -> Result<(), Error> {
        self.file
            .sync()
            .map_err(|e| Error::io("sync", &self.path, e))
    }
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer")
            .field("path", &self.path)
            .field("next", &self.next)
            .finish_non_exhaustive()
    }
}

impl Writer {
    pub(super) fn new(
        dir: &Path,
        options: Options,
        mut disk: Box<dyn Disk>,
        position: Position,
        published: watch::Sender<u64>,
        id: Arc<OnceLock<Hash>>,
    ) -> Result<Writer, Error> {
        let Position {
            before,
            current,
            head,
        } = position;
        let next = current.end();
        let last = segment::list(dir)?.pop();
        let path = last.map_or_else(|| dir.join(segment::name(next)), |segment| segment.path);
        let file = disk.open(&path).map_err(|e| Error::io("open", &path, e))?;
        disk.sync_dir(dir).map_err(|e| Error::io("sync", dir, e))?;
        let len = std::fs::metadata(&path)
            .map_err(|e| Error::io("read", &path, e))?
            .len();
        Ok(Writer {
            dir: dir.to_owned(),
            options,
            disk,
            file,
            path: Arc::new(path),
            len,
            overhang: false,
            next,
            head,
            before,
            current,
            unsynced: None,
            sync_failed: false,
            published,
            id,
            bytes: Vec::new(),
            leaves: Vec::new(),
        })
    }

    /// The tree of all records written.
    pub(super) fn tree(&self) -> Range {
        let mut tree = self.before.clone();
        tree.join(&self.current);
        tree
    }

    /// When the oldest write was made that has not been synced.
    pub(super) fn unsynced(&self) -> Option<Instant> {
        self.unsynced
    }

    /// What to sync now. What is written from here on counts as unsynced anew.
    pub(super) fn begin_sync(&mut self) -> Unsynced {
        self.unsynced = None;
        Unsynced {
            file: Arc::clone(&self.file),
            path: Arc::clone(&self.path),
        }
    }

    /// How the sync begun last went. One that failed is tried again before the next write, which
    /// fails with it; until then the clock starts anew, so that an idle syncer does not spin.
    pub(super) fn end_sync(&mut self, of: &Unsynced, synced: bool) {
        if !synced {
            self.sync_failed = true;
            self.unsynced = Some(Instant::now());
        } else if Arc::ptr_eq(&self.path, &of.path) {
            self.sync_failed = false;
        }
    }

    fn sync(&mut self) -> Result<(), Error> {
        let of = self.begin_sync();
        let synced = of.sync();
        self.end_sync(&of, synced.is_ok());
        synced
    }

    /// Writes the records of `jobs` in their order and answers them.
    pub(super) fn batch(&mut self, jobs: Vec<Job>) {
        let mut jobs = jobs.into_iter();
        let mut bytes = std::mem::take(&mut self.bytes);
        let mut leaves = std::mem::take(&mut self.leaves);
        loop {
            bytes.clear();
            leaves.clear();
            let mut waiting = Vec::with_capacity(jobs.len());
            let (mut next, mut head, mut record_zero) = (self.next, self.head, None);
            while bytes.len() < BATCH_BYTES
                && let Some(Job {
                    kind,
                    json,
                    done,
                    _slot,
                }) = jobs.next()
            {
                match line::write(&mut bytes, &head, next, kind, &json) {
                    Ok(hashes) => {
                        waiting.push((done, next, _slot));
                        leaves.push(hashes.leaf);
                        if next == 0 {
                            record_zero = Some(hashes.line);
                        }
                        (next, head) = (next + 1, hashes.line);
                    }
                    Err(error) => drop(done.send(Err(error))),
                }
            }
            if waiting.is_empty() && jobs.len() == 0 {
                break;
            }
            match self.write(&bytes) {
                Ok(()) => {
                    (self.next, self.head) = (next, head);
                    for leaf in &leaves {
                        self.current.push(*leaf);
                    }
                    if let Some(hash) = record_zero {
                        let _ = self.id.set(hash);
                    }
                    self.published.send_replace(next);
                    for (done, seq, _slot) in waiting {
                        let _ = done.send(Ok(seq));
                    }
                }
                Err(error) => {
                    tracing::error!(error = %error, records = waiting.len(), "append refused");
                    for (done, _, _slot) in waiting {
                        let _ = done.send(Err(error.clone()));
                    }
                }
            }
        }
        bytes.shrink_to(BATCH_BYTES / 8);
        (self.bytes, self.leaves) = (bytes, leaves);
    }

    /// All of `bytes` or nothing.
    fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.cut_overhang()?;
        if self.sync_failed {
            self.sync()?;
        }
        if self.len >= self.options.segment_bytes {
            self.rotate()?;
        }
        let written = self
            .file
            .append(bytes)
            .map_err(|e| Error::io("write", &self.path, e))
            .and_then(|()| match self.options.sync {
                Sync::Always => self.sync(),
                Sync::Interval(_) => Ok(()),
            });
        match written {
            Ok(()) => {
                self.len += bytes.len() as u64;
                if let Sync::Interval(_) = self.options.sync {
                    self.unsynced.get_or_insert_with(Instant::now);
                }
                Ok(())
            }
            Err(error) => {
                self.overhang = true;
                if let Err(cut) = self.cut_overhang() {
                    tracing::error!(error = %cut, "the partial write is still there");
                }
                Err(error)
            }
        }
    }

    fn cut_overhang(&mut self) -> Result<(), Error> {
        if self.overhang {
            let cut = self.file.truncate(self.len);
            cut.map_err(|e| Error::io("truncate", &self.path, e))?;
            self.overhang = false;
        }
        Ok(())
    }

    /// Goes on in a new segment. If that fails, the old one stays and the next write tries again.
    fn rotate(&mut self) -> Result<(), Error> {
        self.sync()?;
        let path = self.dir.join(segment::name(self.next));
        let file = self
            .disk
            .open(&path)
            .map_err(|e| Error::io("create", &path, e))?;
        self.disk
            .sync_dir(&self.dir)
            .map_err(|e| Error::io("sync", &self.dir, e))?;
        (self.file, self.path, self.len) = (file, Arc::new(path), 0);
        let closed = Summary {
            range: std::mem::replace(&mut self.current, Range::empty(self.next)),
            head: self.head,
        };
        self.before.join(&closed.range);
        // Derived from the segment: who misses it makes it again.
        if let Err(error) = closed.write(&self.dir) {
            tracing::warn!(error = %error, "the hashes of a closed segment were not written");
        }
        Ok(())
    }
}
