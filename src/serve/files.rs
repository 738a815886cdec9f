//! Whether files have changed, told by what the file system says of them.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Deepest directory below one that is named, and most files of all: rules are a few hundred.
const DEPTH_MAX: usize = 8;
const FILES_MAX: usize = 20_000;

/// What changes with a file's content or replacement: inode, modification time, size.
type Stamp = (u64, i64, i64, u64);

/// The state of files, and of all files below directories.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Stamps(BTreeMap<PathBuf, Option<Stamp>>);

impl Stamps {
    /// Of files and directories as they are now. What is not there is a state too.
    pub(super) fn of(places: &[PathBuf]) -> Stamps {
        let mut stamps = Stamps::default();
        for place in places {
            stamps.add(place, 0);
        }
        stamps
    }

    fn add(&mut self, path: &Path, depth: usize) {
        if self.0.len() >= FILES_MAX {
            return;
        }
        // Links are followed: a mounted configuration is replaced by turning one.
        let meta = std::fs::metadata(path).ok();
        if meta.as_ref().is_some_and(std::fs::Metadata::is_dir) {
            let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
            for entry in entries.filter(|_| depth < DEPTH_MAX) {
                self.add(&entry.path(), depth + 1);
            }
            return;
        }
        let stamp = meta.map(|m| (m.ino(), m.mtime(), m.mtime_nsec(), m.len()));
        self.0.insert(path.to_owned(), stamp);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn every_kind_of_change_is_seen_and_looking_is_none() {
        let dir = tempfile::tempdir().unwrap();
        let (file, below) = (dir.path().join("a.toml"), dir.path().join("rules/x"));
        fs::create_dir_all(&below).unwrap();
        let places = [file.clone(), dir.path().join("rules")];
        let mut before = Stamps::of(&places);
        assert_eq!(Stamps::of(&places), before);
        let mut changed = |what: &str| {
            let now = Stamps::of(&places);
            assert_ne!(now, before, "{what}");
            before = now;
        };
        fs::write(&file, "1").unwrap();
        changed("made");
        fs::write(&file, "12").unwrap();
        changed("written");
        let other = dir.path().join("b.toml");
        fs::write(&other, "12").unwrap();
        fs::rename(&other, &file).unwrap();
        changed("replaced");
        fs::write(below.join("r.toml"), "").unwrap();
        changed("made below");
        fs::remove_file(below.join("r.toml")).unwrap();
        changed("removed below");
        fs::remove_file(&file).unwrap();
        changed("removed");
    }
}
