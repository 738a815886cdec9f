//! Erasing records, so that the proof stays: a record's JSON goes, its leaf hash is kept.
//!
//! Chain and tree are made of leaf hashes alone, so every checkpoint and every proof of the other
//! records still holds; and whoever has a copy of an erased record can still prove that it stood
//! here. That a record was erased shows in [`super::VerifyReport::erased`]; a leaf hash tells nothing
//! of a record that cannot be guessed as a whole.

use super::hash::Hash;
use super::line;
use super::lines::Lines;
use super::merkle::Range;
use super::tree::Summary;
use super::verify::{Bad, BadKind};
use super::{Error, segment};
use crate::record::Record;
use std::fs::File;
use std::io::Write;
use std::path::Path;

/// Held while records are erased.
const LOCK_FILE: &str = "erase.lock";

/// What was erased, or would be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Erased {
    /// Records looked at: those of closed segments that were not erased before.
    pub seen: u64,
    /// How many of them the choice falls on.
    pub records: u64,
    /// The first and the last of those.
    pub span: Option<(u64, u64)>,
}

/// Erases the records of the ledger in `dir` that `choice` falls on; with `dry`, only counts them.
///
/// Only closed segments are touched, so that a gate can go on meanwhile; each is replaced as a
/// whole. The store is not: rows that were shipped stay there until its own retention ends.
///
/// # Errors
/// [`Error::Locked`] when another process is erasing; [`Error::Broken`] when a segment does not
/// hold, which then stays as it is; otherwise when a file cannot be read or written.
pub fn erase(
    dir: &Path,
    mut choice: impl FnMut(&Record) -> bool,
    dry: bool,
) -> Result<Erased, Error> {
    let _lock = super::acquire(dir, LOCK_FILE)?;
    let segments = segment::list(dir)?;
    let mut erased = Erased::default();
    let closed = segments.len().saturating_sub(1);
    let mut head = None;
    for segment in &segments[..closed] {
        let mut lines = Lines::of(segment.clone(), head)?;
        let (mut bytes, mut range) = (Vec::new(), Range::empty(segment.first));
        let before = erased.records;
        while let Some(line) = lines.advance()? {
            range.push(line.leaf());
            if !line.is_erased() {
                erased.seen += 1;
                if choice(&line.record()?) {
                    erased.records += 1;
                    let first = erased.span.map_or(line.seq, |(first, _)| first);
                    erased.span = Some((first, line.seq));
                    line.write_erased(&mut bytes);
                    continue;
                }
            }
            line.write_as_it_is(&mut bytes);
        }
        head = lines.head();
        if erased.records > before && !dry {
            // What is rewritten must be whole, or a damage would be hidden.
            let read = head.map(|head| Summary { range, head });
            if read != Summary::read(dir, segment.first) {
                return Err(Error::Broken(Bad {
                    seq: segment.first,
                    kind: BadKind::Edited,
                    segment: segment.file_name(),
                    offset: 0,
                }));
            }
            replace(&segment.path, &bytes)?;
        }
    }
    Ok(erased)
}

fn replace(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let new = path.with_extension("log.new");
    let written = File::create(&new)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .and_then(|()| std::fs::rename(&new, path))
        .and_then(|()| File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all());
    written.map_err(|e| Error::io("write", path, e))
}

/// How many of the records `first..=last` of the ledger in `dir` are erased. Reads them all.
pub(crate) fn erased_between(dir: &Path, first: u64, last: u64) -> Result<u64, Error> {
    let segments = segment::list(dir)?;
    let mut erased = 0;
    for (i, segment) in segments.iter().enumerate() {
        let end = segments.get(i + 1).map_or(u64::MAX, |next| next.first);
        if end <= first || segment.first > last {
            continue;
        }
        let mut lines = Lines::of(segment.clone(), None)?;
        while let Some(line) = lines.advance()? {
            erased += u64::from(line.is_erased() && (first..=last).contains(&line.seq));
        }
    }
    Ok(erased)
}

impl line::Line<'_> {
    /// Appends it with the record gone and its leaf hash kept.
    fn write_erased(&self, to: &mut Vec<u8>) {
        let leaf: Hash = self.leaf();
        let text = format!("{} {}\n", self.hash, line::erased(self.seq, &leaf));
        to.extend_from_slice(text.as_bytes());
    }

    fn write_as_it_is(&self, to: &mut Vec<u8>) {
        to.extend_from_slice(format!("{} ", self.hash).as_bytes());
        to.extend_from_slice(self.json);
        to.push(b'\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::checkpoint::tests::signed_ledger;
    use crate::ledger::tests::sample;
    use crate::ledger::{Check, Ledger, Options, Reader, Tree, export, verify};
    use std::fs;

    fn even(record: &Record) -> bool {
        record.stream
    }

    #[test]
    fn what_is_erased_is_gone_and_the_proofs_stay() {
        let dir = signed_ledger();
        let root = Tree::open(dir.path()).unwrap().root(28).unwrap();
        let text = || -> String {
            let segments = segment::list(dir.path()).unwrap();
            let texts = segments
                .iter()
                .map(|s| fs::read_to_string(&s.path).unwrap());
            texts.collect()
        };
        let (before, last) = (
            text(),
            segment::list(dir.path()).unwrap().pop().unwrap().first,
        );
        let dry = erase(dir.path(), even, true).unwrap();
        assert_eq!(text(), before, "a dry run changes nothing");
        let erased = erase(dir.path(), even, false).unwrap();
        assert_eq!(erased, dry);
        assert_eq!((erased.seen, erased.records), (last, last.div_ceil(2)));
        assert_eq!(erased.span, Some((0, (last - 1) / 2 * 2)));
        let id = sample(2).exchange.to_string();
        assert!(before.contains(&id) && !text().contains(&id));

        let report = verify(dir.path()).unwrap();
        assert!(report.is_sound(), "{report:?}");
        assert_eq!(
            (report.records, report.erased, report.first_erased),
            (30, erased.records, Some(0))
        );
        assert_eq!(Tree::open(dir.path()).unwrap().root(28).unwrap(), root);
        // Lost, the summaries are made again from what is left.
        for segment in segment::list(dir.path()).unwrap() {
            fs::remove_file(segment.path.with_extension("tree")).ok();
        }
        assert_eq!(Tree::open(dir.path()).unwrap().root(28).unwrap(), root);

        let read = Reader::new(dir.path(), 0).next_block(100).unwrap();
        let left: Vec<u64> = (0..30).filter(|n| n % 2 == 1 || *n >= last).collect();
        assert_eq!(read.iter().map(|entry| entry.seq).collect::<Vec<_>>(), left);
        assert_eq!(erased_between(dir.path(), 0, 29).unwrap(), erased.records);
        assert_eq!(erased_between(dir.path(), 1, 1).unwrap(), 0);
        for check in [Check::Full, Check::LastSegment] {
            let options = Options {
                check,
                ..Options::default()
            };
            assert_eq!(Ledger::open(dir.path(), options).unwrap().next_seq(), 30);
        }
        let again = erase(dir.path(), even, false).unwrap();
        assert_eq!((again.records, again.span), (0, None));
    }

    #[test]
    fn a_bundle_with_erased_records_is_checked_like_any_other() {
        let (dir, out) = (signed_ledger(), tempfile::tempdir().unwrap());
        erase(dir.path(), even, false).unwrap();
        export(dir.path(), out.path(), &Default::default()).unwrap();
        let script = std::process::Command::new("python3")
            .arg("verify.py")
            .current_dir(out.path())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&script.stdout).into_owned();
        assert!(
            script.status.success() && said.contains("of them erased"),
            "{script:?}"
        );
    }

    #[test]
    fn an_erasure_that_is_none_is_found() {
        let dir = signed_ledger();
        erase(dir.path(), even, false).unwrap();
        let path = dir.path().join(segment::name(0));
        let text = fs::read_to_string(&path).unwrap();
        let leaf = text.split('"').nth(5).unwrap();
        for (what, forged) in [
            (
                "another leaf",
                text.replacen(leaf, &Hash::of(b"x").to_string(), 1),
            ),
            ("upper case", text.replacen(leaf, &leaf.to_uppercase(), 1)),
            (
                "another number",
                text.replacen("\"seq\":0", "\"seq\":00", 1),
            ),
            ("more behind it", text.replacen("\"}\n", "\" }\n", 1)),
        ] {
            fs::write(&path, forged).unwrap();
            let bad = verify(dir.path()).unwrap().first_bad.expect(what);
            assert_eq!((bad.seq, bad.kind), (0, BadKind::Edited), "{what}");
        }
        // A damaged segment is not rewritten: its damage would be hidden.
        fs::write(&path, text.replacen("\"status\":200", "\"status\":201", 1)).unwrap();
        let error = erase(dir.path(), |_| true, false).unwrap_err();
        assert!(matches!(error, Error::Broken(_)), "{error}");
    }
}
