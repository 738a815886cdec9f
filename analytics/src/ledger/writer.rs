//! The one thread that writes: it takes what has gathered, writes it at once, answers all.

use super::disk::{Disk, SegmentFile};
use super::line::{self, Hash};
use super::{Error, Options, Sync, segment};
use crate::record::Record;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, OnceLock};
use std::time::Instant;
use tokio::sync::{OwnedSemaphorePermit, oneshot, watch};

/// One write takes at most about this many bytes, so that the first of a batch never waits long.
const BATCH_BYTES: usize = 1 << 20;

/// A record to append and whom to tell.
#[derive(Debug)]
pub(super) struct Job {
    record: Record,
    done: oneshot::Sender<Result<u64, Error>>,
    /// Given back when the job is answered.
    _slot: OwnedSemaphorePermit,
}

impl Job {
    pub(super) fn new(
        record: Record,
        done: oneshot::Sender<Result<u64, Error>>,
        slot: OwnedSemaphorePermit,
    ) -> Job {
        Job {
            record,
            done,
            _slot: slot,
        }
    }
}

pub(super) struct Writer {
    dir: PathBuf,
    options: Options,
    disk: Box<dyn Disk>,
    file: Box<dyn SegmentFile>,
    path: PathBuf,
    /// The length of the segment's whole records; the file may be longer after a failed write.
    len: u64,
    /// The file may hold more than `len` bytes, to be cut off before the next write.
    overhang: bool,
    next: u64,
    head: Hash,
    /// When the oldest unsynced write was made.
    unsynced: Option<Instant>,
    /// The last sync failed: nothing more is accepted before one succeeds.
    sync_failed: bool,
    published: watch::Sender<u64>,
    id: Arc<OnceLock<Hash>>,
}

impl Writer {
    pub(super) fn new(
        dir: &Path,
        options: Options,
        mut disk: Box<dyn Disk>,
        next: u64,
        head: Hash,
        published: watch::Sender<u64>,
        id: Arc<OnceLock<Hash>>,
    ) -> Result<Writer, Error> {
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
            path,
            len,
            overhang: false,
            next,
            head,
            unsynced: None,
            sync_failed: false,
            published,
            id,
        })
    }

    /// Serves `jobs` until all senders are gone.
    pub(super) fn run(mut self, jobs: &Receiver<Job>) {
        loop {
            let first = match self.sync_due_in() {
                None => jobs.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(wait) => jobs.recv_timeout(wait),
            };
            match first {
                Ok(first) => self.batch(first, jobs),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            if self.sync_due_in().is_some_and(|wait| wait.is_zero()) {
                self.sync_or_log();
            }
        }
        if self.unsynced.is_some() {
            self.sync_or_log();
        }
    }

    fn sync_due_in(&self) -> Option<std::time::Duration> {
        let since = self.unsynced?;
        match self.options.sync {
            Sync::Interval(interval) => Some(interval.saturating_sub(since.elapsed())),
            Sync::Always => Some(std::time::Duration::ZERO),
        }
    }

    /// A sync that fails is tried again before the next write, which fails with it. Until then
    /// the clock starts anew, so that an idle thread does not spin.
    fn sync_or_log(&mut self) {
        if let Err(error) = self.sync() {
            tracing::error!(error = %error, "the ledger could not be synced");
            self.unsynced = Some(Instant::now());
        }
    }

    fn sync(&mut self) -> Result<(), Error> {
        let synced = self.file.sync();
        self.sync_failed = synced.is_err();
        synced.map_err(|e| Error::io("sync", &self.path, e))?;
        self.unsynced = None;
        Ok(())
    }

    /// Writes `first` and whatever else waits, then answers them all.
    fn batch(&mut self, first: Job, jobs: &Receiver<Job>) {
        let mut bytes = Vec::new();
        let mut waiting = Vec::new();
        let (mut next, mut head, mut record_zero) = (self.next, self.head, None);
        let mut job = Some(first);
        while let Some(Job {
            record,
            done,
            _slot,
        }) = job
        {
            match line::write(&mut bytes, &head, next, &record) {
                Ok(hash) => {
                    waiting.push((done, next, _slot));
                    if next == 0 {
                        record_zero = Some(hash);
                    }
                    (next, head) = (next + 1, hash);
                }
                Err(error) => drop(done.send(Err(error))),
            }
            job = if bytes.len() < BATCH_BYTES {
                jobs.try_recv().ok()
            } else {
                None
            };
        }
        if waiting.is_empty() {
            return;
        }
        match self.write(&bytes) {
            Ok(()) => {
                (self.next, self.head) = (next, head);
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
        (self.file, self.path, self.len) = (file, path, 0);
        Ok(())
    }
}
