//! The bundle that an auditor checks without this program: `README.md` in it says how.

use super::checkpoint::{self, Signed};
use super::hash::Hash;
use super::lines::Lines;
use super::{Error, Tree, VerifierKey, segment};
use ed25519_dalek::pkcs8::EncodePublicKey;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use serde::Serialize;
use serde_json::json;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

/// Earlier checkpoints in a bundle at most: the first, the last, and some between.
const CHECKPOINTS_MAX: usize = 100;

/// Which records go into a bundle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// By sequence number.
    Seq(u64),
    /// By the time when the exchange began, in microseconds since the Unix epoch.
    Time(i64),
}

/// What a bundle is made of.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// The first record; all from the beginning if absent.
    pub from: Option<Bound>,
    /// The record after the last; all that a checkpoint was signed for if absent.
    pub to: Option<Bound>,
    /// Files whose sums are to be noted: the rules and prices in force.
    pub files: Vec<PathBuf>,
}

/// What was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exported {
    /// The first record.
    pub from: u64,
    /// The record after the last.
    pub to: u64,
    /// The size of the tree that they are proved to be in.
    pub size: u64,
}

/// What the records say was in force.
#[derive(Debug, Default, Serialize)]
struct InForce {
    policies: BTreeMap<String, Span>,
    prices: BTreeMap<String, Span>,
    /// SHA-256 of the files as they are now.
    files: BTreeMap<String, String>,
}

/// Records that name something.
#[derive(Debug, Serialize)]
struct Span {
    records: u64,
    first: u64,
    last: u64,
}

/// Writes a bundle of the ledger in `dir` into the directory `out`, which must not exist or be
/// empty. Takes no lock: a ledger that is being written is exported up to its newest checkpoint.
///
/// # Errors
/// [`Error::NotSigned`] when records are asked for that no checkpoint was signed for; otherwise
/// when the ledger cannot be read or does not hold, or a file cannot be written.
pub fn export(dir: &Path, out: &Path, selection: &Selection) -> Result<Exported, Error> {
    let mut stored = checkpoint::stored(dir)?;
    let Some(head) = stored.pop() else {
        return Err(Error::NotSigned { signed: 0 });
    };
    let size = head.checkpoint.size;
    let (from, to) = range(dir, selection, size)?;
    let mut tree = Tree::open(dir)?;
    if tree.root(size)? != head.checkpoint.root {
        return Err(Error::NotSigned { signed: size });
    }
    let keys = checkpoint::keys(dir)?;
    let Some(key) = keys
        .iter()
        .find(|key| head.is_signed_by(std::slice::from_ref(key)))
    else {
        return Err(Error::NotSigned { signed: size });
    };

    let bundle = Bundle::begin(out)?;
    let in_force = records(dir, &bundle, &mut tree, (from, to, size), &selection.files)?;
    bundle.text("in-force.json", &format!("{in_force:#}\n"))?;
    bundle.text("checkpoint", &head.note.to_string())?;
    let earlier = thinned(stored);
    bundle.lines(
        "checkpoints",
        earlier.iter().map(|signed| Ok(signed.note.to_string())),
    )?;
    bundle.lines(
        "consistency.jsonl",
        earlier.iter().map(|signed| {
            let old = signed.checkpoint.size;
            let proof = base64(tree.consistency(old, size)?);
            Ok(json!({ "old": old, "new": size, "proof": proof }).to_string())
        }),
    )?;
    bundle.lines("verifier-keys", keys.iter().map(|key| Ok(key.to_string())))?;
    bundle.text("public-key.pem", &pem(key, dir)?)?;
    bundle.text("verify.py", include_str!("verify.py"))?;
    bundle.text("README.md", include_str!("README.md"))?;
    bundle.sums()?;
    Ok(Exported { from, to, size })
}

fn range(dir: &Path, selection: &Selection, size: u64) -> Result<(u64, u64), Error> {
    let (mut from, mut to) = (0, size);
    if let Some(Bound::Seq(seq)) = selection.from {
        from = seq;
    }
    if let Some(Bound::Seq(seq)) = selection.to {
        to = seq;
    }
    let time = |bound| match bound {
        Some(Bound::Time(at)) => Some(at),
        _ => None,
    };
    let (since, until) = (time(selection.from), time(selection.to));
    if since.is_some() || until.is_some() {
        // Exchanges are recorded as they end, so that times are not in order: all between the
        // first and the last that fit.
        let (mut first, mut last) = (None, None);
        each_line(dir, from, to, |seq, line| {
            let Some(started) = line.micros(b"\"started_us\":") else {
                return Ok(());
            };
            if since.is_none_or(|at| at <= started) && until.is_none_or(|at| started < at) {
                first.get_or_insert(seq);
                last = Some(seq + 1);
            }
            Ok(())
        })?;
        (from, to) = (first.unwrap_or(from), last.unwrap_or(from));
    }
    if to > size || from > to {
        return Err(Error::NotSigned { signed: size });
    }
    Ok((from, to))
}

fn each_line(
    dir: &Path,
    from: u64,
    to: u64,
    mut each: impl FnMut(u64, &super::line::Line<'_>) -> Result<(), Error>,
) -> Result<(), Error> {
    let segments = segment::list(dir)?;
    for (i, segment) in segments.iter().enumerate() {
        let end = segments.get(i + 1).map_or(u64::MAX, |next| next.first);
        if end <= from || segment.first >= to {
            continue;
        }
        let mut lines = Lines::of(segment.clone(), None)?;
        while let Some(line) = lines.advance()? {
            if line.seq >= to {
                break;
            }
            if line.seq >= from {
                each(line.seq, &line)?;
            }
        }
    }
    Ok(())
}

/// Writes the records and their proofs, and returns what they say was in force.
fn records(
    dir: &Path,
    bundle: &Bundle,
    tree: &mut Tree,
    (from, to, size): (u64, u64, u64),
    files: &[PathBuf],
) -> Result<serde_json::Value, Error> {
    let mut in_force = InForce::default();
    let (mut records, mut proofs) = (bundle.file("records.jsonl")?, bundle.file("proofs.jsonl")?);
    let name = |spans: &mut BTreeMap<String, Span>, name: &str, seq| {
        let span = spans.entry(name.to_owned()).or_insert(Span {
            records: 0,
            first: seq,
            last: seq,
        });
        span.records += 1;
        span.last = seq;
    };
    each_line(dir, from, to, |seq, line| {
        records.line(line.json)?;
        let proof = base64(tree.inclusion(seq, size)?);
        proofs.line(
            json!({ "index": seq, "proof": proof })
                .to_string()
                .as_bytes(),
        )?;
        if line.is_erased() {
            return Ok(());
        }
        let record = line.record()?;
        name(&mut in_force.policies, &record.decision.policy, seq);
        if let crate::record::Cost::Priced { price, .. } = &record.cost {
            name(&mut in_force.prices, price, seq);
        }
        Ok(())
    })?;
    records.end()?;
    proofs.end()?;
    for file in files {
        let bytes = fs::read(file).map_err(|e| Error::io("read", file, e))?;
        let shown = file.display().to_string();
        in_force.files.insert(shown, Hash::of(&bytes).to_string());
    }
    Ok(json!(in_force))
}

fn base64(hashes: Vec<Hash>) -> Vec<String> {
    hashes.iter().map(Hash::to_base64).collect()
}

fn pem(key: &VerifierKey, dir: &Path) -> Result<String, Error> {
    let pem = key.public().to_public_key_pem(LineEnding::LF);
    pem.map_err(|e| Error::Key {
        path: dir.join(checkpoint::KEYS),
        problem: e.to_string(),
    })
}

/// The first, the last, and some evenly between.
fn thinned(all: Vec<Signed>) -> Vec<Signed> {
    let last = all.len().saturating_sub(1);
    if all.len() <= CHECKPOINTS_MAX {
        return all;
    }
    (0..CHECKPOINTS_MAX)
        .map(|i| all[i * last / (CHECKPOINTS_MAX - 1)].clone())
        .collect()
}

/// The directory that is written.
struct Bundle<'a> {
    out: &'a Path,
}

impl<'a> Bundle<'a> {
    fn begin(out: &'a Path) -> Result<Bundle<'a>, Error> {
        fs::create_dir_all(out).map_err(|e| Error::io("create", out, e))?;
        let mut entries = fs::read_dir(out).map_err(|e| Error::io("list", out, e))?;
        match entries.next() {
            None => Ok(Bundle { out }),
            Some(_) => Err(Error::io(
                "write a bundle into",
                out,
                std::io::ErrorKind::DirectoryNotEmpty.into(),
            )),
        }
    }

    fn file(&self, name: &str) -> Result<LineFile, Error> {
        let path = self.out.join(name);
        let file = File::create(&path).map_err(|e| Error::io("create", &path, e))?;
        let file = BufWriter::new(file);
        Ok(LineFile { path, file })
    }

    fn text(&self, name: &str, text: &str) -> Result<(), Error> {
        let path = self.out.join(name);
        fs::write(&path, text).map_err(|e| Error::io("write", &path, e))
    }

    fn lines(
        &self,
        name: &str,
        lines: impl Iterator<Item = Result<String, Error>>,
    ) -> Result<(), Error> {
        let mut file = self.file(name)?;
        for line in lines {
            file.line(line?.as_bytes())?;
        }
        file.end()
    }

    /// Notes the sums of all files, as `sha256sum --check` reads them.
    fn sums(&self) -> Result<(), Error> {
        let mut sums = BTreeMap::new();
        for entry in fs::read_dir(self.out).map_err(|e| Error::io("list", self.out, e))? {
            let path = entry.map_err(|e| Error::io("list", self.out, e))?.path();
            let bytes = fs::read(&path).map_err(|e| Error::io("read", &path, e))?;
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            sums.insert(name.into_owned(), Hash::of(&bytes));
        }
        let lines = sums.iter().map(|(name, sum)| format!("{sum}  {name}\n"));
        self.text("SHA256SUMS", &lines.collect::<String>())
    }
}

struct LineFile {
    path: PathBuf,
    file: BufWriter<File>,
}

impl LineFile {
    fn line(&mut self, line: &[u8]) -> Result<(), Error> {
        let written = self.file.write_all(line);
        let written = written.and_then(|()| self.file.write_all(b"\n"));
        written.map_err(|e| Error::io("write", &self.path, e))
    }

    fn end(mut self) -> Result<(), Error> {
        let flushed = self.file.flush();
        flushed.map_err(|e| Error::io("write", &self.path, e))
    }
}

#[cfg(test)]
mod tests;
