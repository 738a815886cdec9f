//! `tollgate setup`: fills the runtime directory with the native libraries and models that the
//! lock file pins.
//!
//! What is there and fits is kept. What is not is fetched as a package into `downloads/`, checked,
//! unpacked, checked again file by file, and only then given its name; then the download is
//! deleted. An interrupted set-up goes on where it stopped.

pub mod check;
pub mod error;
mod fetch;
pub mod lock;
mod progress;
mod unpack;

use crate::runtime::Runtime;
use check::{Depth, FileState, Stamps};
use error::SetupError;
use lock::{Component, Lock, LockedFile};
use progress::{Progress, bytes};
use std::fs::{self, File};
use std::path::Path;

/// Kept free beyond what is unpacked.
const SPACE_MARGIN_BYTES: u64 = 64 << 20;

/// Fills the runtime directory and says on stderr what it does.
///
/// # Errors
/// Each with what to do about it: [`SetupError::help`].
pub fn run(runtime: &Runtime, lock: Option<&Path>, verify: bool) -> Result<(), SetupError> {
    let lock = Lock::read(lock)?;
    lock.check_platform()?;
    let dir = runtime.dir();
    let downloads = dir.join("downloads");
    let depth = if verify { Depth::Full } else { Depth::Quick };
    let mut stamps = Stamps::read(dir);
    let mut guard = None;
    for component in &lock.components {
        let label = format!("{} {}", component.id, component.version);
        let mut progress = Progress::new(label);
        let mut wanted = missing(component, dir, depth, &mut stamps, &mut progress)?;
        if !wanted.is_empty() && guard.is_none() {
            let (lock, waited) = only_one(dir)?;
            guard = Some(lock);
            if waited {
                // The other set-up may have brought it.
                stamps = Stamps::read(dir);
                wanted = missing(component, dir, depth, &mut stamps, &mut progress)?;
            }
        }
        if wanted.is_empty() {
            progress.done(if verify { "verified" } else { "present" });
        } else {
            install(component, &wanted, dir, &downloads, &mut stamps, progress)?;
            stamps.write(dir)?;
        }
    }
    // A complete directory may be read-only; without stamps the next check only takes longer.
    let _ = stamps.write(dir);
    // Only an empty one goes: what else lies there is not ours.
    let _ = fs::remove_dir(&downloads);
    eprintln!("runtime directory: {}", dir.display());
    Ok(())
}

/// Checks, without fetching anything, that the components `ids` are complete.
///
/// # Errors
/// Names the first file that is missing or is not the one pinned.
pub fn ready(runtime: &Runtime, ids: &[&str]) -> Result<(), NotReady> {
    let lock = Lock::read(None)?;
    let mut stamps = Stamps::read(runtime.dir());
    for component in lock
        .components
        .iter()
        .filter(|part| ids.contains(&part.id.as_str()))
    {
        for file in &component.files {
            let state = stamps.check(runtime.dir(), file, Depth::Quick, |_| ())?;
            if state != FileState::Present {
                return Err(NotReady::File {
                    path: runtime.dir().join(&file.path).display().to_string(),
                    fault: if state == FileState::Missing {
                        "missing"
                    } else {
                        "damaged"
                    },
                    purpose: component.purpose.clone(),
                });
            }
        }
    }
    Ok(())
}

/// Why a component cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum NotReady {
    /// One of its files is missing or another one.
    #[error("{path} is {fault} ({purpose}); run `tollgate setup`")]
    File {
        /// The file.
        path: String,
        /// `missing` or `damaged`.
        fault: &'static str,
        /// What the component is for.
        purpose: String,
    },
    /// It could not be looked at.
    #[error(transparent)]
    Unreadable(#[from] SetupError),
}

/// Two set-ups at once would undo each other's work: the second waits. Returns the lock and
/// whether it had to be waited for.
fn only_one(dir: &Path) -> Result<(File, bool), SetupError> {
    fs::create_dir_all(dir).map_err(|source| SetupError::io("create", dir, source))?;
    let path = dir.join("setup.lock");
    let open = || {
        let file = File::options()
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)?;
        let free = file.try_lock().is_ok();
        if !free {
            eprintln!(
                "another set-up is at work in {}; waiting for it",
                dir.display()
            );
            file.lock()?;
        }
        Ok((file, !free))
    };
    open().map_err(|source| SetupError::io("lock", &path, source))
}

/// The component's files that are not there as pinned.
fn missing<'a>(
    component: &'a Component,
    dir: &Path,
    depth: Depth,
    stamps: &mut Stamps,
    progress: &mut Progress,
) -> Result<Vec<&'a LockedFile>, SetupError> {
    let mut missing = Vec::new();
    for file in &component.files {
        let tick = |done| progress.tick("checking", done, file.size);
        match stamps.check(dir, file, depth, tick)? {
            FileState::Present => {}
            FileState::Missing => missing.push(file),
            FileState::Corrupt(found) => {
                progress.step(&format!("{} is damaged ({found})", file.path.display()));
                missing.push(file);
            }
        }
    }
    Ok(missing)
}

fn install(
    component: &Component,
    wanted: &[&LockedFile],
    dir: &Path,
    downloads: &Path,
    stamps: &mut Stamps,
    mut progress: Progress,
) -> Result<(), SetupError> {
    fs::create_dir_all(downloads).map_err(|source| SetupError::io("create", downloads, source))?;
    let artifact = downloads.join(&component.artifact);
    let unpacked: u64 = wanted.iter().map(|file| file.size).sum();
    if !is_pinned(component, &artifact, Cached::Earlier, &mut progress)? {
        // The client keeps a copy while it downloads.
        check_space(dir, 2 * component.size + unpacked)?;
        progress.step(&format!(
            "downloading {} ({}) by {}: {}",
            fetch::title(component),
            bytes(component.size),
            fetch::tool_of(component.kind),
            component.purpose
        ));
        fetch::fetch(component, downloads, &mut progress)?;
        if !is_pinned(component, &artifact, Cached::JustNow, &mut progress)? {
            return Err(SetupError::Archive {
                artifact: component.artifact.clone(),
                reason: format!("{} brought no such file", fetch::tool_of(component.kind)),
            });
        }
    }
    check_space(dir, unpacked)?;
    unpack::unpack(component, wanted, &artifact, dir, &mut |done| {
        progress.tick("unpacking", done, unpacked);
    })?;
    // Stamped here, so that the next start need not hash it.
    for file in wanted {
        let tick = |done| progress.tick("checking", done, file.size);
        if stamps.check(dir, file, Depth::Quick, tick)? != FileState::Present {
            return Err(SetupError::Archive {
                artifact: component.artifact.clone(),
                reason: format!("{} changed after it was unpacked", file.path.display()),
            });
        }
    }
    fs::remove_file(&artifact).map_err(|source| SetupError::io("delete", &artifact, source))?;
    let seconds = progress.seconds();
    progress.done(&format!(
        "ready, {} in {seconds} s; {}, {}",
        bytes(unpacked),
        component.licence,
        component.attribution
    ));
    Ok(())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Cached {
    Earlier,
    JustNow,
}

/// Whether the package is there and the one pinned. Another one is deleted; that is an error only
/// if the client has just brought it, since an interrupted download may leave a part of it.
fn is_pinned(
    component: &Component,
    artifact: &Path,
    cached: Cached,
    progress: &mut Progress,
) -> Result<bool, SetupError> {
    if !artifact.exists() {
        return Ok(false);
    }
    let tick = |done| progress.tick("checking", done, component.size);
    let actual = check::hash_file(artifact, tick)
        .map_err(|source| SetupError::io("read", artifact, source))?;
    if actual == component.sha256 {
        return Ok(true);
    }
    fs::remove_file(artifact).map_err(|source| SetupError::io("delete", artifact, source))?;
    match cached {
        Cached::Earlier => Ok(false),
        Cached::JustNow => Err(SetupError::Checksum {
            what: component.artifact.clone(),
            expected: component.sha256.clone(),
            actual,
        }),
    }
}

fn check_space(dir: &Path, bytes_needed: u64) -> Result<(), SetupError> {
    let needed = bytes_needed + SPACE_MARGIN_BYTES;
    let available = free_bytes(dir).map_err(|source| SetupError::io("examine", dir, source))?;
    if available >= needed {
        return Ok(());
    }
    Err(SetupError::Space {
        dir: dir.to_owned(),
        needed,
        available,
    })
}

/// What an ordinary user may still write on the disk of `dir`; bytes.
///
/// # Errors
/// When there is no such directory.
pub fn free_bytes(dir: &Path) -> std::io::Result<u64> {
    let disk = rustix::fs::statvfs(dir)?;
    Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
}
