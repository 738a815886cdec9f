//! Appending from many threads: whoever finds the file free writes for all that wait.
//!
//! A record is usually written by the thread that made it, without a switch to another one. A
//! thread that finds the file taken leaves its record in the queue: who holds the file looks into
//! the queue again after letting go of it. Stable storage is one thread's business, so that no
//! append waits for it, except under [`Sync::Always`], where that thread writes too.

use super::merkle::Range;
use super::writer::{Job, Writer};
use super::{Error, Options, Sync};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, TryLockError};
use std::thread::{self, JoinHandle, Thread};

#[derive(Debug)]
pub(super) struct Appender {
    shared: Arc<Shared>,
    syncer: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    sync: Sync,
    queue: Mutex<Vec<Job>>,
    writer: Mutex<Writer>,
    syncer: OnceLock<Thread>,
    closed: AtomicBool,
}

impl Appender {
    pub(super) fn new(writer: Writer, options: &Options) -> Result<Appender, std::io::Error> {
        let shared = Arc::new(Shared {
            sync: options.sync,
            queue: Mutex::default(),
            writer: Mutex::new(writer),
            syncer: OnceLock::new(),
            closed: AtomicBool::new(false),
        });
        let for_syncer = Arc::clone(&shared);
        let syncer = thread::Builder::new()
            .name("ledger".into())
            .spawn(move || for_syncer.keep_synced())?;
        let _ = shared.syncer.set(syncer.thread().clone());
        Ok(Appender {
            shared,
            syncer: Some(syncer),
        })
    }

    /// Hands a record over; it is answered through the job. Under [`Sync::Interval`] it usually
    /// has been when this returns.
    pub(super) fn submit(&self, job: Job) {
        lock(&self.shared.queue).push(job);
        match self.shared.sync {
            Sync::Interval(_) => self.shared.write_waiting(),
            Sync::Always => self.shared.wake_syncer(),
        }
    }

    /// The tree of all records written, once they are on stable storage.
    pub(super) fn synced_tree(&self) -> Result<Range, Error> {
        // Segments closed before this one were synced when they were closed.
        let tree = match self.shared.writer.lock() {
            Ok(writer) => writer.tree(),
            Err(_) => return Err(Error::Closed),
        };
        // Whoever found the file taken meanwhile has left a job.
        self.shared.write_waiting();
        let synced = self.shared.sync();
        self.shared.write_waiting();
        synced.map(|()| tree)
    }
}

impl Drop for Appender {
    fn drop(&mut self) {
        self.shared.closed.store(true, Ordering::Release);
        self.shared.wake_syncer();
        if let Some(syncer) = self.syncer.take() {
            let _ = syncer.join();
        }
    }
}

impl Shared {
    /// Writes what waits, unless another thread is at it, which then sees to it.
    fn write_waiting(&self) {
        while !lock(&self.queue).is_empty() {
            let mut writer = match self.writer.try_lock() {
                Ok(writer) => writer,
                Err(TryLockError::WouldBlock) => return,
                // A thread died while it wrote: what the file holds is unknown, so nothing
                // follows. Those who wait are told by their jobs being dropped.
                Err(TryLockError::Poisoned(_)) => return lock(&self.queue).clear(),
            };
            let clean = writer.unsynced().is_none();
            let jobs = std::mem::take(&mut *lock(&self.queue));
            writer.batch(jobs);
            if clean && writer.unsynced().is_some() {
                self.wake_syncer();
            }
        }
    }

    fn wake_syncer(&self) {
        if let Some(syncer) = self.syncer.get() {
            syncer.unpark();
        }
    }

    /// The syncer's thread, until the ledger is closed and all of it is synced.
    fn keep_synced(&self) {
        loop {
            self.write_waiting();
            let closed = self.closed.load(Ordering::Acquire);
            // Whoever wanted the file while this held it has left a job: looked for below.
            let unsynced = self.writer.lock().map_or(None, |writer| writer.unsynced());
            match (unsynced, self.sync) {
                (None, _) if closed => break,
                _ if !lock(&self.queue).is_empty() => {}
                (None, _) => thread::park(),
                (Some(since), Sync::Interval(interval)) => {
                    match interval.saturating_sub(since.elapsed()) {
                        wait if wait.is_zero() || closed => {
                            if self.sync().is_err() && closed {
                                break;
                            }
                        }
                        wait => thread::park_timeout(wait),
                    }
                }
                (Some(_), Sync::Always) => {
                    if self.sync().is_err() && closed {
                        break;
                    }
                }
            }
        }
    }

    /// Syncs what has been written so far, while others go on writing.
    fn sync(&self) -> Result<(), Error> {
        let Ok(mut writer) = self.writer.lock() else {
            return Err(Error::Closed);
        };
        let unsynced = writer.begin_sync();
        drop(writer);
        let synced = unsynced.sync();
        if let Err(error) = &synced {
            tracing::error!(error = %error, "the ledger could not be synced");
        }
        if let Ok(mut writer) = self.writer.lock() {
            writer.end_sync(&unsynced, synced.is_ok());
        }
        synced
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|e| e.into_inner())
}
