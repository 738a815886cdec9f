//! Checkpoints: signed statements of how many records there are and what their tree's root is, in
//! the text of <https://c2sp.org/tlog-checkpoint>.
//!
//! Three files beside the segments:
//!
//! - `checkpoints`: all of them, appended, with a blank line after each;
//! - `checkpoint`: the newest one alone, for tools that fetch it;
//! - `verifier-keys`: the public keys that signed them, one a line. Keep a copy elsewhere: who can
//!   write here can replace them too.

use super::hash::Hash;
use super::note::{Note, NoteError, Signer, Verdict, VerifierKey};
use super::tree::Tree;
use super::verify::{Bad, BadKind};
use super::{Error, Ledger, segment};
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// All checkpoints of a ledger.
pub const ALL: &str = "checkpoints";
/// The newest one.
pub const NEWEST: &str = "checkpoint";
/// The public keys.
pub const KEYS: &str = "verifier-keys";

/// What a checkpoint says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which ledger it is about.
    pub origin: String,
    /// How many records there were.
    pub size: u64,
    /// The root of their tree.
    pub root: Hash,
}

impl Checkpoint {
    /// The text that is signed.
    pub fn text(&self) -> String {
        let Checkpoint { origin, size, root } = self;
        format!("{origin}\n{size}\n{}\n", root.to_base64())
    }
}

impl FromStr for Checkpoint {
    type Err = NoteError;

    fn from_str(text: &str) -> Result<Checkpoint, NoteError> {
        let form = NoteError::Form("expected the lines origin, size and root of a checkpoint");
        let mut lines = text.strip_suffix('\n').ok_or(form.clone())?.split('\n');
        let (Some(origin), Some(size), Some(root)) = (lines.next(), lines.next(), lines.next())
        else {
            return Err(form);
        };
        let parsed = size.parse::<u64>().ok();
        let size = parsed.filter(|n| n.to_string() == size);
        match (size, Hash::from_base64(root)) {
            (Some(size), Some(root))
                if !origin.is_empty() && lines.all(|line| !line.is_empty()) =>
            {
                let origin = origin.to_owned();
                Ok(Checkpoint { origin, size, root })
            }
            _ => Err(form),
        }
    }
}

/// A checkpoint with its signatures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// What is signed.
    pub checkpoint: Checkpoint,
    /// The signed text.
    pub note: Note,
}

impl Signed {
    /// Whether one of `keys` signed it, and none of them wrongly.
    pub fn is_signed_by(&self, keys: &[VerifierKey]) -> bool {
        let verdicts = || keys.iter().map(|key| key.check(&self.note));
        verdicts().any(|verdict| matches!(verdict, Verdict::Signed(_)))
            && verdicts().all(|verdict| verdict != Verdict::Wrong)
    }
}

impl FromStr for Signed {
    type Err = NoteError;

    fn from_str(text: &str) -> Result<Signed, NoteError> {
        let note: Note = text.parse()?;
        let checkpoint = note.text().parse()?;
        Ok(Signed { checkpoint, note })
    }
}

/// The checkpoints of a text: one, or several with blank lines between them.
///
/// # Errors
/// At the first that is none, with the number of its first line.
pub fn read_all(text: &str) -> Result<Vec<Signed>, (usize, NoteError)> {
    let (mut all, mut at, mut line) = (Vec::new(), 0, 1);
    while at < text.len() {
        if text[at..].starts_with('\n') {
            (at, line) = (at + 1, line + 1);
            continue;
        }
        // Its end is the blank line after its signatures, the second one of it.
        let rest = &text[at..];
        let body = rest.find("\n\n").map_or(rest.len(), |end| end + 2);
        let end = rest[body..]
            .find("\n\n")
            .map_or(rest.len(), |end| body + end + 1);
        all.push(rest[..end].parse().map_err(|error| (line, error))?);
        line += rest[..end].matches('\n').count();
        at += end;
    }
    Ok(all)
}

/// The checkpoints kept beside the ledger in `dir`, oldest first; none if there is no such file.
/// One that a crash cut off while it was written is left out.
///
/// # Errors
/// When the file cannot be read, or holds something else.
pub fn stored(dir: &Path) -> Result<Vec<Signed>, Error> {
    let path = dir.join(ALL);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(Error::io("read", &path, e)),
    };
    read_all(&text[..whole(&text)]).map_err(|(line, source)| Error::Note {
        path,
        line,
        source: Box::new(source),
    })
}

/// How much of the file is whole: every checkpoint ends with a blank line.
fn whole(text: &str) -> usize {
    // The blank line before the last one's signatures is none of these ends.
    let ends = text.rmatch_indices("\n\n");
    ends.map(|(at, _)| at + 2)
        .find(|&end| {
            text[..end]
                .rsplit('\n')
                .nth(2)
                .is_some_and(|line| line.starts_with('—'))
        })
        .unwrap_or(0)
}

/// The public keys kept beside the ledger in `dir`.
///
/// # Errors
/// When the file cannot be read, or holds something else.
pub fn keys(dir: &Path) -> Result<Vec<VerifierKey>, Error> {
    let path = dir.join(KEYS);
    match fs::read_to_string(&path) {
        Ok(text) => read_keys(&path, &text),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(e) => Err(Error::io("read", &path, e)),
    }
}

/// The public keys of a text, one a line.
///
/// # Errors
/// At the first line that is none; `path` is named.
pub fn read_keys(path: &Path, text: &str) -> Result<Vec<VerifierKey>, Error> {
    let lines = text.lines().enumerate();
    lines
        .filter(|(_, line)| !line.trim().is_empty())
        .map(|(i, line)| {
            line.parse().map_err(|source| Error::Note {
                path: path.to_owned(),
                line: i + 1,
                source: Box::new(source),
            })
        })
        .collect()
}

/// Signs checkpoints of an open ledger and keeps them beside it.
#[derive(Debug)]
pub struct Checkpointer {
    ledger: Ledger,
    signer: Signer,
    newest: Option<Signed>,
}

impl Checkpointer {
    /// Takes over where the last run left off: what it signed for must still be there, or nothing
    /// more is signed.
    ///
    /// # Errors
    /// [`Error::Broken`] when the ledger is not the one that the newest checkpoint was signed for;
    /// otherwise when a file cannot be read or written.
    pub fn open(ledger: &Ledger, signer: Signer) -> Result<Checkpointer, Error> {
        let dir = ledger.dir();
        let newest = stored(dir)?.pop();
        if let Some(newest) = &newest {
            agree(dir, newest)?;
        }
        cut_torn(dir)?;
        let mut known = keys(dir)?;
        if !known.contains(signer.verifier()) {
            known.push(signer.verifier().clone());
            let text: String = known.iter().map(|key| format!("{key}\n")).collect();
            replace(&dir.join(KEYS), text.as_bytes())?;
        }
        let ledger = ledger.clone();
        Ok(Checkpointer {
            ledger,
            signer,
            newest,
        })
    }

    /// The newest checkpoint.
    pub fn newest(&self) -> Option<&Signed> {
        self.newest.as_ref()
    }

    /// Signs for all records so far, once they are on stable storage; `None` when nothing was
    /// added since the newest checkpoint. Blocks on the disk.
    ///
    /// # Errors
    /// When the records could not be synced or the checkpoint not be written.
    pub fn take(&mut self) -> Result<Option<&Signed>, Error> {
        let held = self
            .newest
            .as_ref()
            .map_or(0, |newest| newest.checkpoint.size);
        if self.ledger.next_seq() <= held {
            return Ok(None);
        }
        let tree = self.ledger.synced_tree()?;
        let checkpoint = Checkpoint {
            origin: self.signer.verifier().name().to_owned(),
            size: tree.end(),
            root: tree.root(),
        };
        let note = self.signer.sign(checkpoint.text());
        append(self.ledger.dir(), &note)?;
        Ok(Some(self.newest.insert(Signed { checkpoint, note })))
    }
}

/// Whether the ledger in `dir` is still the one that `newest` was signed for.
fn agree(dir: &Path, newest: &Signed) -> Result<(), Error> {
    let Checkpoint { size, root, .. } = newest.checkpoint;
    let mut tree = Tree::open(dir)?;
    let (seq, kind) = if tree.size() < size {
        (tree.size(), BadKind::CutOff { until: size })
    } else if tree.root(size)? != root {
        (0, BadKind::Rewritten { until: size })
    } else {
        return Ok(());
    };
    let last = segment::list(dir)?.pop();
    Err(Error::Broken(Bad {
        seq,
        kind,
        segment: last.map_or_else(|| segment::name(0), |last| last.file_name()),
        offset: 0,
    }))
}

fn append(dir: &Path, note: &Note) -> Result<(), Error> {
    let path = dir.join(ALL);
    let io = |e| Error::io("write", &path, e);
    let mut file = OpenOptions::new()
        .create(true)
        .append(true)
        .open(&path)
        .map_err(io)?;
    let before = file.metadata().map_err(io)?.len();
    let written = file
        .write_all(format!("{note}\n").as_bytes())
        .and_then(|()| file.sync_all());
    if let Err(error) = written {
        // Half of one would hide those that follow.
        file.set_len(before).ok();
        return Err(io(error));
    }
    replace(&dir.join(NEWEST), note.to_string().as_bytes())
}

/// Cuts off a checkpoint that a crash left unfinished; it was given to nobody.
fn cut_torn(dir: &Path) -> Result<(), Error> {
    let path = dir.join(ALL);
    let Ok(text) = fs::read_to_string(&path) else {
        return Ok(());
    };
    let whole = whole(&text);
    if whole < text.len() {
        tracing::warn!(
            bytes = text.len() - whole,
            "an unfinished checkpoint was cut off"
        );
        let file = OpenOptions::new().write(true).open(&path);
        let cut = file.and_then(|file| file.set_len(whole as u64).and_then(|()| file.sync_all()));
        cut.map_err(|e| Error::io("truncate", &path, e))?;
    }
    Ok(())
}

/// Puts a file in place whole.
fn replace(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let new: PathBuf = path.with_extension("new");
    let written = File::create(&new).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    written
        .and_then(|()| fs::rename(&new, path))
        .map_err(|e| Error::io("write", path, e))
}

#[cfg(test)]
pub(super) mod tests;
