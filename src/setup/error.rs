//! What can go wrong while the runtime directory is filled, and what to do about it.

use super::progress::bytes;
use std::io;
use std::path::{Path, PathBuf};

/// Why the runtime directory could not be filled.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// The lock file is malformed.
    #[error("{origin} is malformed: {reason}")]
    Lock {
        /// Which lock file.
        origin: String,
        /// What is wrong with it.
        reason: String,
    },
    /// There are no components for this machine.
    #[error(
        "the native parts exist for {supported} only, and this machine is {here}; it would lack {missing}"
    )]
    Platform {
        /// This machine's `{arch}-{os}`.
        here: String,
        /// The lock file's.
        supported: String,
        /// The components with their purposes.
        missing: String,
    },
    /// A package client is not installed.
    #[error("{tool} is needed to fetch {package} and was not found")]
    Tool {
        /// `pip` or `npm`.
        tool: &'static str,
        /// What it should have fetched.
        package: String,
    },
    /// The registry could not be reached.
    #[error("{tool} could not reach its registry to fetch {package}:\n{output}")]
    Network {
        /// `pip` or `npm`.
        tool: &'static str,
        /// What it should have fetched.
        package: String,
        /// The client's last words.
        output: String,
    },
    /// The client failed in another way.
    #[error("{tool} could not fetch {package}:\n{output}")]
    Fetch {
        /// `pip` or `npm`.
        tool: &'static str,
        /// What it should have fetched.
        package: String,
        /// The client's last words.
        output: String,
    },
    /// A package is not the one pinned.
    #[error(
        "{what} has the wrong checksum and was deleted\n  expected {expected}\n  actual   {actual}"
    )]
    Checksum {
        /// The package's file, or a file inside it.
        what: String,
        /// SHA-256 in the lock file.
        expected: String,
        /// SHA-256 found.
        actual: String,
    },
    /// A package does not hold a file that the lock file names, or cannot be unpacked.
    #[error("{artifact} could not be unpacked: {reason}")]
    Archive {
        /// The package's file.
        artifact: String,
        /// What is wrong.
        reason: String,
    },
    /// The disk is full, or would be.
    #[error("{} has not enough free space{}", dir.display(), shortage(*.needed, *.available))]
    Space {
        /// The runtime directory.
        dir: PathBuf,
        /// Bytes that the set-up still needs; 0 when unknown.
        needed: u64,
        /// Bytes that are free; 0 when unknown.
        available: u64,
    },
    /// The runtime directory may not be written.
    #[error("{} cannot be written", path.display())]
    Unwritable {
        /// Which path.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// Another file system error.
    #[error("could not {action} {}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On which path.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
}

fn shortage(needed: u64, available: u64) -> String {
    match (needed, available) {
        (0, _) => String::new(),
        _ => format!(": {} needed, {} free", bytes(needed), bytes(available)),
    }
}

impl SetupError {
    /// Sorts a file system error by what its reader can do about it.
    pub fn io(action: &'static str, path: &Path, source: io::Error) -> SetupError {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => SetupError::Space {
                dir: path,
                needed: 0,
                available: 0,
            },
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                SetupError::Unwritable { path, source }
            }
            _ => SetupError::Io {
                action,
                path,
                source,
            },
        }
    }

    /// What the reader can do about it.
    pub fn help(&self) -> &'static str {
        match self {
            SetupError::Lock { .. } => "restore runtime.lock.toml from the repository",
            SetupError::Platform { .. } => {
                "run the gate on x86-64 Linux, or point `analytics.url` and a local endpoint's \
                 `url` at servers elsewhere and set `ner.device = \"off\"`"
            }
            SetupError::Tool { tool: "npm", .. } => {
                "install Node.js with npm (Debian: `apt-get install npm`), then run `tollgate \
                 setup` again"
            }
            SetupError::Tool { .. } => {
                "install Python 3 with pip (Debian: `apt-get install python3 python3-pip`), then \
                 run `tollgate setup` again"
            }
            SetupError::Network { .. } => {
                "connect this machine, or configure the client's proxy or mirror (pip: \
                 PIP_INDEX_URL, PIP_FIND_LINKS; npm: `npm config set registry`), or copy the \
                 filled runtime directory of another machine here; then run `tollgate setup` \
                 again: it goes on where it stopped"
            }
            SetupError::Fetch { .. } => {
                "the client's own message above says why; once that is solved, run `tollgate \
                 setup` again: it goes on where it stopped"
            }
            SetupError::Checksum { .. } => {
                "run `tollgate setup` again; if it happens again, the registry or a mirror serves \
                 something else than what was pinned: do not use it, and find out why"
            }
            SetupError::Archive { .. } => {
                "the package does not fit this lock file: take runtime.lock.toml and the \
                 executable from the same release"
            }
            SetupError::Space { .. } => {
                "free some space, or set TOLLGATE_RUNTIME to a directory on a larger disk; then \
                 run `tollgate setup` again: it goes on where it stopped"
            }
            SetupError::Unwritable { .. } => {
                "change the directory's owner or permissions, or set TOLLGATE_RUNTIME to a \
                 directory that you may write"
            }
            SetupError::Io { .. } => "solve the cause, then run `tollgate setup` again",
        }
    }
}
