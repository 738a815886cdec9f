//! Whether a file of the runtime directory is the one pinned.
//!
//! Hashing 700 MB at each start would be slow, so a file that was hashed once is remembered in
//! `stamps.json` with its size and modification time, and is hashed again only when those change.
//! That guards against accidents. Who can write the runtime directory can also write the stamps;
//! `--verify` hashes whatever the stamps say.

use super::error::SetupError;
use super::lock::LockedFile;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

const FILE: &str = "stamps.json";
const CHUNK_BYTES: usize = 1 << 20;

/// What a look at one file showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileState {
    /// It is the one pinned.
    Present,
    /// There is no such file.
    Missing,
    /// It is another one; its SHA-256, or its size where that already differs.
    Corrupt(String),
}

/// How closely to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// Trust a stamp whose size and modification time fit.
    Quick,
    /// Hash everything.
    Full,
}

/// The files that were hashed before, by their paths in the runtime directory.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Stamps {
    files: BTreeMap<PathBuf, Stamp>,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Stamp {
    sha256: String,
    size: u64,
    modified_ns: i128,
}

impl Stamps {
    /// The stamps of a runtime directory; none when they cannot be read, which costs only time.
    pub fn read(dir: &Path) -> Stamps {
        let text = fs::read(dir.join(FILE)).unwrap_or_default();
        serde_json::from_slice(&text).unwrap_or_default()
    }

    /// Replaces the stamps of a runtime directory.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, dir: &Path) -> Result<(), SetupError> {
        let path = dir.join(FILE);
        let partial = dir.join("stamps.json.partial");
        let write = || {
            let mut file = File::create(&partial)?;
            serde_json::to_writer_pretty(&mut file, self)?;
            file.write_all(b"\n")?;
            fs::rename(&partial, &path)
        };
        write().map_err(|source: io::Error| SetupError::io("write", &path, source))
    }

    /// Looks at one file. `tick` hears how many bytes were hashed so far.
    ///
    /// # Errors
    /// When the file is there and cannot be read.
    pub fn check(
        &mut self,
        dir: &Path,
        pinned: &LockedFile,
        depth: Depth,
        tick: impl FnMut(u64),
    ) -> Result<FileState, SetupError> {
        let path = dir.join(&pinned.path);
        let failed = |source| SetupError::Io {
            action: "read",
            path: path.clone(),
            source,
        };
        let meta = match fs::metadata(&path) {
            Ok(meta) => meta,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(FileState::Missing),
            Err(error) => return Err(failed(error)),
        };
        if meta.len() != pinned.size {
            return Ok(FileState::Corrupt(format!("{} bytes", meta.len())));
        }
        let modified_ns = i128::from(meta.mtime()) * 1_000_000_000 + i128::from(meta.mtime_nsec());
        let expected = Stamp {
            sha256: pinned.sha256.clone(),
            size: pinned.size,
            modified_ns,
        };
        if depth == Depth::Quick && self.files.get(&pinned.path) == Some(&expected) {
            return Ok(FileState::Present);
        }
        let actual = hash_file(&path, tick).map_err(failed)?;
        if actual == pinned.sha256 {
            self.files.insert(pinned.path.clone(), expected);
            Ok(FileState::Present)
        } else {
            self.files.remove(&pinned.path);
            Ok(FileState::Corrupt(actual))
        }
    }
}

/// SHA-256 of a file in lower-case hex.
///
/// # Errors
/// When it cannot be read.
pub fn hash_file(path: &Path, tick: impl FnMut(u64)) -> io::Result<String> {
    copy_hashed(File::open(path)?, io::sink(), tick)
}

/// Copies to the end and returns the SHA-256 of what was copied, in lower-case hex.
///
/// # Errors
/// When either side fails.
pub fn copy_hashed(
    mut from: impl Read,
    mut to: impl Write,
    mut tick: impl FnMut(u64),
) -> io::Result<String> {
    let mut hasher = Sha256::new();
    let mut chunk = vec![0; CHUNK_BYTES];
    let mut done = 0;
    loop {
        let count = match from.read(&mut chunk) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        hasher.update(&chunk[..count]);
        to.write_all(&chunk[..count])?;
        done += count as u64;
        tick(done);
    }
    Ok(hasher
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    fn pinned() -> LockedFile {
        LockedFile {
            member: "abc".into(),
            path: "abc".into(),
            sha256: ABC.into(),
            size: 3,
            symbol: None,
        }
    }

    #[test]
    fn a_file_is_hashed_until_stamped_and_again_when_touched() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("abc");
        let mut stamps = Stamps::read(dir.path());
        let mut check = |depth| {
            let mut hashed = false;
            let state = stamps
                .check(dir.path(), &pinned(), depth, |_| hashed = true)
                .unwrap();
            (state, hashed)
        };
        assert_eq!(check(Depth::Quick), (FileState::Missing, false));
        fs::write(&file, "abc").unwrap();
        assert_eq!(check(Depth::Quick), (FileState::Present, true));
        assert_eq!(check(Depth::Quick), (FileState::Present, false));
        assert_eq!(check(Depth::Full), (FileState::Present, true));

        let long_ago = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1);
        fs::write(&file, "abd").unwrap();
        File::options()
            .write(true)
            .open(&file)
            .unwrap()
            .set_modified(long_ago)
            .unwrap();
        let (state, hashed) = check(Depth::Quick);
        assert!(hashed && matches!(state, FileState::Corrupt(ref sha) if sha.len() == 64));
        fs::write(&file, "ab").unwrap();
        assert_eq!(
            check(Depth::Full),
            (FileState::Corrupt("2 bytes".into()), false)
        );
    }

    #[test]
    fn stamps_are_kept_and_damaged_stamps_only_cost_time() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("abc"), "abc").unwrap();
        let mut stamps = Stamps::default();
        stamps
            .check(dir.path(), &pinned(), Depth::Quick, |_| ())
            .unwrap();
        stamps.write(dir.path()).unwrap();
        let mut again = Stamps::read(dir.path());
        let unhashed = |_| panic!("hashed though stamped");
        assert_eq!(
            again
                .check(dir.path(), &pinned(), Depth::Quick, unhashed)
                .unwrap(),
            FileState::Present
        );
        fs::write(dir.path().join(FILE), "{").unwrap();
        let mut damaged = Stamps::read(dir.path());
        assert_eq!(
            damaged
                .check(dir.path(), &pinned(), Depth::Quick, |_| ())
                .unwrap(),
            FileState::Present
        );
    }
}
