//! `run/<name>.json` in the data directory: where a running child is reached, for the other
//! commands of the same user (`tollgate top`, `tollgate report`).

use serde::{Deserialize, Serialize};
use std::fs::{self, DirBuilder, File};
use std::io::{self, Write};
use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Where a child is reached.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunFile {
    /// The child's process id.
    pub pid: Option<u32>,
    /// Its address.
    pub address: SocketAddr,
    /// What a client must show.
    pub token: String,
}

/// The child `name` that runs on this data directory's `run_dir`; `None` when there is none.
/// A file may outlive its child (`kill -9` of everything): that shows when one connects.
///
/// # Errors
/// When the file is there and cannot be read or understood.
pub fn find(run_dir: &Path, name: &str) -> io::Result<Option<RunFile>> {
    match fs::read(path(run_dir, name)) {
        Ok(text) => Ok(Some(serde_json::from_slice(&text)?)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Writes the file so that nobody else reads it and nobody reads half of it.
///
/// # Errors
/// When the directory or the file cannot be written.
pub fn write(run_dir: &Path, name: &str, content: &RunFile) -> io::Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(run_dir)?;
    let path = path(run_dir, name);
    let partial = path.with_extension("partial");
    let _ = fs::remove_file(&partial);
    let mut file = File::options()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&partial)?;
    file.write_all(&serde_json::to_vec(content)?)?;
    fs::rename(&partial, &path)
}

/// Removes the file; that it is gone already is fine.
pub fn remove(run_dir: &Path, name: &str) {
    let _ = fs::remove_file(path(run_dir, name));
}

fn path(run_dir: &Path, name: &str) -> PathBuf {
    run_dir.join(format!("{name}.json"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn is_private_and_read_back() {
        let dir = tempfile::tempdir().unwrap();
        let run_dir = dir.path().join("run");
        assert!(find(&run_dir, "store").unwrap().is_none());
        let address = "127.0.0.1:1234".parse().unwrap();
        let written = RunFile {
            pid: Some(1),
            address,
            token: "t".into(),
        };
        write(&run_dir, "store", &written).unwrap();
        write(&run_dir, "store", &written).unwrap();
        assert!(find(&run_dir, "store").unwrap() == Some(written));
        let mode = fs::metadata(run_dir.join("store.json"))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
        remove(&run_dir, "store");
        assert!(find(&run_dir, "store").unwrap().is_none());
    }
}
