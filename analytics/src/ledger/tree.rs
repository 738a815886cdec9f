//! The Merkle tree of a ledger's files.
//!
//! Beside each closed segment lies a small file that holds the hashes of its largest subtrees, so
//! that neither a start nor a proof reads the whole ledger. It is derived: when it is missing it
//! is made again from the segment, and [`super::verify()`] compares the two.
//!
//! ```text
//! tollgate ledger tree v2
//! <first record> <record after the last>
//! <hash of the last line>
//! <hash of a subtree>                        one line each, left to right
//! <SHA-256 of the lines above>
//! ```

use super::Error;
use super::hash::Hash;
use super::lines::Lines;
use super::merkle::{Range, consistency_ranges, inclusion_ranges, node_hash, subtrees};
use super::segment::{self, Segment};
use super::verify::{Bad, BadKind};
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

const HEADER: &str = "tollgate ledger tree v2";

/// What stands for a whole segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Summary {
    /// Its records' hashes.
    pub(super) range: Range,
    /// The hash of its last line.
    pub(super) head: Hash,
}

fn file_of(dir: &Path, first: u64) -> PathBuf {
    dir.join(segment::name(first)).with_extension("tree")
}

impl Summary {
    /// Reads it from beside the segment; `None` if it is not there or not whole.
    pub(super) fn read(dir: &Path, first: u64) -> Option<Summary> {
        let text = fs::read_to_string(file_of(dir, first)).ok()?;
        let (above, sum) = text.strip_suffix('\n')?.rsplit_once('\n')?;
        let above = &text[..above.len() + 1];
        let hash = |line: &str| Hash::from_hex(line.as_bytes());
        if hash(sum)? != Hash::of(above.as_bytes()) {
            return None;
        }
        let mut lines = above.lines();
        if lines.next()? != HEADER {
            return None;
        }
        let (begin, end) = lines.next()?.split_once(' ')?;
        let (begin, end) = (begin.parse().ok()?, end.parse().ok()?);
        let head = hash(lines.next()?)?;
        let nodes = lines.map(hash).collect::<Option<_>>()?;
        let range = Range::from_nodes(begin, end, nodes)?;
        (begin == first).then_some(Summary { range, head })
    }

    /// Writes it beside the segment. Not forced to stable storage: torn, it does not read back.
    pub(super) fn write(&self, dir: &Path) -> Result<(), Error> {
        let range = &self.range;
        let mut text = format!(
            "{HEADER}\n{} {}\n{}\n",
            range.begin(),
            range.end(),
            self.head
        );
        for node in range.nodes() {
            text += &format!("{node}\n");
        }
        text += &format!("{}\n", Hash::of(text.as_bytes()));
        let path = file_of(dir, range.begin());
        let new = path.with_extension("tree.new");
        fs::write(&new, text).map_err(|e| Error::io("write", &new, e))?;
        fs::rename(&new, &path).map_err(|e| Error::io("write", &path, e))
    }
}

/// The tree of the records that a ledger's files hold.
#[derive(Debug)]
pub struct Tree {
    segments: Vec<(Segment, Summary)>,
    /// The inner hashes of the segment looked into last.
    inside: Option<Inside>,
    /// Subtrees that span segments.
    wide: HashMap<(u64, u64), Hash>,
}

impl Tree {
    /// Reads the hashes of the ledger in `dir`, and its last segment. A line that is still being
    /// written is not in it.
    ///
    /// # Errors
    /// When the files cannot be read, or do not meet.
    pub fn open(dir: &Path) -> Result<Tree, Error> {
        let listed = segment::list(dir)?;
        let mut segments: Vec<(Segment, Summary)> = Vec::with_capacity(listed.len());
        for (i, segment) in listed.iter().enumerate() {
            let end = listed.get(i + 1).map(|next| next.first);
            let stored = end.and_then(|_| Summary::read(dir, segment.first));
            let summary = match stored.filter(|stored| Some(stored.range.end()) == end) {
                Some(stored) => stored,
                None => {
                    let head = segments.last().map(|(_, summary)| summary.head);
                    let inside = Inside::read(segment, head)?;
                    if end.is_some() {
                        // Derived: a ledger on a medium that cannot be written is read as well.
                        inside.summary.write(dir).ok();
                    }
                    inside.summary
                }
            };
            let expected = segments.last().map_or(0, |(_, before)| before.range.end());
            if segment.first != expected {
                return Err(Error::Broken(Bad {
                    seq: expected,
                    kind: BadKind::Removed,
                    segment: segment.file_name(),
                    offset: 0,
                }));
            }
            segments.push((segment.clone(), summary));
        }
        Ok(Tree {
            segments,
            inside: None,
            wide: HashMap::new(),
        })
    }

    /// How many records are in it.
    pub fn size(&self) -> u64 {
        self.segments
            .last()
            .map_or(0, |(_, summary)| summary.range.end())
    }

    /// The run before the last segment, and the last segment's.
    pub(super) fn into_ranges(self) -> (Range, Option<Summary>) {
        let mut before = Range::empty(0);
        let mut segments = self.segments;
        let last = segments.pop().map(|(_, summary)| summary);
        for (_, summary) in &segments {
            before.join(&summary.range);
        }
        (before, last)
    }

    /// The root of the tree of the first `size` records.
    ///
    /// # Errors
    /// When there are not so many, or a segment cannot be read.
    pub fn root(&mut self, size: u64) -> Result<Hash, Error> {
        if size == 0 {
            return Ok(Range::empty(0).root());
        }
        self.subtree((0, size))
    }

    /// The hashes that prove that record `index` is among the first `size`, its sibling first.
    ///
    /// # Errors
    /// When there are not so many records, or a segment cannot be read.
    pub fn inclusion(&mut self, index: u64, size: u64) -> Result<Vec<Hash>, Error> {
        self.hashes(inclusion_ranges(index, size))
    }

    /// The hashes that prove that the first `old` records are how the first `new` ones begin.
    ///
    /// # Errors
    /// When there are not so many records, or a segment cannot be read.
    pub fn consistency(&mut self, old: u64, new: u64) -> Result<Vec<Hash>, Error> {
        self.hashes(consistency_ranges(old, new))
    }

    fn hashes(&mut self, of: Vec<(u64, u64)>) -> Result<Vec<Hash>, Error> {
        of.into_iter().map(|leaves| self.subtree(leaves)).collect()
    }

    fn subtree(&mut self, (begin, end): (u64, u64)) -> Result<Hash, Error> {
        if let Some(hash) = self.wide.get(&(begin, end)) {
            return Ok(*hash);
        }
        if end > self.size() {
            let dir = self.segments.first().map(|(segment, _)| &segment.path);
            let dir = dir.and_then(|path| path.parent()).unwrap_or(Path::new(""));
            return Err(Error::NoSuchRecord {
                dir: dir.to_owned(),
                seq: end - 1,
            });
        }
        let mut range = Range::empty(begin);
        let first = self
            .segments
            .partition_point(|(_, summary)| summary.range.end() <= begin);
        let mut spans = 0;
        for i in first..self.segments.len() {
            let held = &self.segments[i].1.range;
            let (from, to) = (begin.max(held.begin()), end.min(held.end()));
            if from >= to {
                break;
            }
            spans += 1;
            for (start, level) in subtrees(from, to) {
                let node = match node_of(&self.segments[i].1.range, start, level) {
                    Some(node) => node,
                    None => self.inside(i)?.node(start, level),
                };
                range.push_node(node, level);
            }
        }
        let root = range.root();
        if spans > 1 {
            self.wide.insert((begin, end), root);
        }
        Ok(root)
    }

    fn inside(&mut self, i: usize) -> Result<&Inside, Error> {
        let (segment, summary) = &self.segments[i];
        if self
            .inside
            .as_ref()
            .is_none_or(|inside| inside.first() != segment.first)
        {
            let before = i.checked_sub(1).map(|i| self.segments[i].1.head);
            let mut inside = Inside::read(segment, before)?;
            // The last segment may have grown meanwhile: what it began with must be the same.
            inside.cut(summary.range.end());
            if inside.summary.range != summary.range {
                return Err(Error::Broken(Bad {
                    seq: segment.first,
                    kind: BadKind::Edited,
                    segment: segment.file_name(),
                    offset: 0,
                }));
            }
            self.inside = Some(inside);
        }
        Ok(self.inside.as_ref().expect("read just now"))
    }
}

/// One of the hashes that a run is made of.
fn node_of(range: &Range, start: u64, level: u32) -> Option<Hash> {
    let at = subtrees(range.begin(), range.end()).position(|node| node == (start, level))?;
    range.nodes().get(at).copied()
}

/// All hashes of the full subtrees inside one segment.
#[derive(Debug)]
struct Inside {
    summary: Summary,
    /// By level, the hashes of the subtrees, and the index of the first among its level.
    levels: Vec<(u64, Vec<Hash>)>,
}

impl Inside {
    fn read(segment: &Segment, before: Option<Hash>) -> Result<Inside, Error> {
        let mut lines = Lines::of(segment.clone(), before)?;
        let mut leaves = Vec::new();
        while let Some(line) = lines.advance()? {
            leaves.push(line.leaf());
        }
        let head = lines.head().unwrap_or_else(super::line::genesis);
        Ok(Inside::of(segment.first, leaves, head))
    }

    fn of(first: u64, leaves: Vec<Hash>, head: Hash) -> Inside {
        let mut range = Range::empty(first);
        for leaf in &leaves {
            range.push(*leaf);
        }
        let mut levels = vec![(first, leaves)];
        while let Some((begin, nodes)) = levels.last()
            && nodes.len() > 1
        {
            // A left child has an even index.
            let skip = (begin & 1) as usize;
            let pairs = nodes[skip..].chunks_exact(2);
            let above = pairs.map(|pair| node_hash(&pair[0], &pair[1])).collect();
            levels.push((begin.div_ceil(2), above));
        }
        Inside {
            summary: Summary { range, head },
            levels,
        }
    }

    fn first(&self) -> u64 {
        self.summary.range.begin()
    }

    /// Forgets the leaves from `end` on.
    fn cut(&mut self, end: u64) {
        if end < self.summary.range.end() {
            let (first, leaves) = &mut self.levels[0];
            leaves.truncate(end.saturating_sub(*first) as usize);
            *self = Inside::of(*first, std::mem::take(leaves), self.summary.head);
        }
    }

    fn node(&self, start: u64, level: u32) -> Hash {
        let (first, nodes) = &self.levels[level as usize];
        nodes[((start >> level) - first) as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::merkle::{leaf_hash, verify_consistency, verify_inclusion};
    use crate::ledger::tests::made;

    fn leaves(dir: &Path) -> Vec<Hash> {
        let mut all = Vec::new();
        for segment in segment::list(dir).unwrap() {
            let text = fs::read_to_string(segment.path).unwrap();
            all.extend(text.lines().map(|line| leaf_hash(&line.as_bytes()[65..])));
        }
        all
    }

    #[test]
    fn proofs_from_segments_hold_at_every_place() {
        for segment_bytes in [2_500, 9_000, u64::MAX] {
            let dir = made(45, segment_bytes);
            let leaves = leaves(dir.path());
            let mut tree = Tree::open(dir.path()).unwrap();
            assert_eq!(tree.size(), 45);
            for size in 1..=45 {
                let root = tree.root(size).unwrap();
                let mut range = Range::empty(0);
                leaves[..size as usize]
                    .iter()
                    .for_each(|leaf| range.push(*leaf));
                assert_eq!(root, range.root());
                for index in 0..size {
                    let proof = tree.inclusion(index, size).unwrap();
                    let leaf = leaves[index as usize];
                    assert!(verify_inclusion(index, size, leaf, &proof, &root));
                    let old = tree.root(index + 1).unwrap();
                    let proof = tree.consistency(index + 1, size).unwrap();
                    assert!(verify_consistency(index + 1, size, &old, &root, &proof));
                }
            }
            assert!(matches!(
                tree.root(46),
                Err(Error::NoSuchRecord { seq: 45, .. })
            ));
        }
    }

    #[test]
    fn a_summary_is_made_again_when_it_is_lost_or_spoilt() {
        let dir = made(30, 3_000);
        let whole = Tree::open(dir.path()).unwrap().root(30).unwrap();
        let summary = Summary::read(dir.path(), 0).expect("written when the segment was closed");
        let path = file_of(dir.path(), 0);
        let text = fs::read(&path).unwrap();
        for at in 0..text.len() {
            let mut flipped = text.clone();
            flipped[at] ^= 1 << (at % 8);
            fs::write(&path, &flipped).unwrap();
            assert_eq!(Summary::read(dir.path(), 0), None, "byte {at}");
        }
        assert_eq!(Tree::open(dir.path()).unwrap().root(30).unwrap(), whole);
        assert_eq!(Summary::read(dir.path(), 0), Some(summary.clone()));
        fs::remove_file(&path).unwrap();
        assert_eq!(Tree::open(dir.path()).unwrap().root(30).unwrap(), whole);
        assert_eq!(Summary::read(dir.path(), 0), Some(summary));
    }
}
