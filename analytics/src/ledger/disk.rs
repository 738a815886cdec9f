//! The file operations of the writer behind a seam, so that a full or failing disk can be
//! rehearsed.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

/// A segment open for appending. It is synced by one thread while another appends to it.
pub(super) trait SegmentFile: Send + Sync {
    /// Appends all of `bytes`, in one `write` if the system takes them at once.
    fn append(&self, bytes: &[u8]) -> io::Result<()>;
    /// Cuts the file to `len` bytes.
    fn truncate(&self, len: u64) -> io::Result<()>;
    /// Forces what was written to stable storage.
    fn sync(&self) -> io::Result<()>;
}

/// Where segments are made.
pub(super) trait Disk: Send {
    /// Opens `path` for appending, made if absent.
    fn open(&mut self, path: &Path) -> io::Result<Arc<dyn SegmentFile>>;
    /// Forces the directory's entries to stable storage.
    fn sync_dir(&mut self, dir: &Path) -> io::Result<()>;
}

/// The operating system's file system.
#[derive(Debug)]
pub(super) struct Os;

impl Disk for Os {
    fn open(&mut self, path: &Path) -> io::Result<Arc<dyn SegmentFile>> {
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        Ok(Arc::new(file))
    }

    fn sync_dir(&mut self, dir: &Path) -> io::Result<()> {
        File::open(dir)?.sync_all()
    }
}

impl SegmentFile for File {
    fn append(&self, bytes: &[u8]) -> io::Result<()> {
        let mut file: &File = self;
        file.write_all(bytes)
    }

    fn truncate(&self, len: u64) -> io::Result<()> {
        self.set_len(len)
    }

    fn sync(&self) -> io::Result<()> {
        self.sync_data()
    }
}
