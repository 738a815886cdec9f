//! The Merkle tree of RFC 6962, section 2.1, over the ledger's records.
//!
//! A record is a leaf. The tree is never held as a whole: a [`Range`] is the few hashes that stand
//! for a run of leaves, and runs that meet are joined into one.

mod proof;

pub use proof::{consistency_ranges, inclusion_ranges, verify_consistency, verify_inclusion};

use super::hash::Hash;

/// The hash of a leaf: SHA-256(0x00 ‖ data).
pub fn leaf_hash(data: &[u8]) -> Hash {
    Hash::of_all(&[&[0], data])
}

/// The hash of a node: SHA-256(0x01 ‖ left ‖ right).
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    let mut bytes = [1; 65];
    bytes[1..33].copy_from_slice(left.as_bytes());
    bytes[33..].copy_from_slice(right.as_bytes());
    Hash::of(&bytes)
}

/// The largest full, aligned subtrees that make up leaves `begin..end`, left to right: where each
/// begins, and its level (a subtree of level `l` has 2^l leaves).
pub(super) fn subtrees(begin: u64, end: u64) -> impl Iterator<Item = (u64, u32)> {
    let mut at = begin;
    std::iter::from_fn(move || {
        let left = end.checked_sub(at).filter(|&left| left > 0)?;
        // 0 is aligned to everything: `trailing_zeros` says 64 of it.
        let level = at.trailing_zeros().min(left.ilog2());
        let start = at;
        at += 1 << level;
        Some((start, level))
    })
}

/// The hashes of the largest full subtrees of a run of leaves: at most 2·log2 of its length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Range {
    begin: u64,
    end: u64,
    nodes: Vec<Hash>,
}

impl Range {
    /// No leaves, at `begin`.
    pub fn empty(begin: u64) -> Range {
        Range {
            begin,
            end: begin,
            nodes: Vec::new(),
        }
    }

    /// The run `begin..end` from its hashes; `None` if they are not as many as it has.
    pub(super) fn from_nodes(begin: u64, end: u64, nodes: Vec<Hash>) -> Option<Range> {
        let fits = begin <= end && nodes.len() == subtrees(begin, end).count();
        fits.then_some(Range { begin, end, nodes })
    }

    /// The index of its first leaf.
    pub fn begin(&self) -> u64 {
        self.begin
    }

    /// The index after its last leaf; from 0 on, the size of the tree.
    pub fn end(&self) -> u64 {
        self.end
    }

    pub(super) fn nodes(&self) -> &[Hash] {
        &self.nodes
    }

    /// Adds the leaf with index [`Range::end`].
    pub fn push(&mut self, leaf: Hash) {
        self.push_node(leaf, 0);
    }

    /// Adds the run that begins where this one ends.
    ///
    /// # Panics
    /// When it does not.
    pub fn join(&mut self, next: &Range) {
        assert_eq!(self.end, next.begin, "runs of leaves that do not meet");
        for ((_, level), node) in subtrees(next.begin, next.end).zip(&next.nodes) {
            self.push_node(*node, level);
        }
    }

    /// Adds a full subtree at the end, and joins what has become full with it.
    pub(super) fn push_node(&mut self, mut node: Hash, mut level: u32) {
        let at = self.end;
        self.end += 1 << level;
        // The subtree is a right child, and its sibling lies in this run, as one node.
        while (at >> level) & 1 == 1 && ((at >> level) - 1) << level >= self.begin {
            let Some(left) = self.nodes.pop() else { break };
            node = node_hash(&left, &node);
            level += 1;
        }
        self.nodes.push(node);
    }

    /// The Merkle tree hash of the run, for runs that begin at 0 or are a subtree of a tree.
    pub fn root(&self) -> Hash {
        let mut nodes = self.nodes.iter().rev();
        match nodes.next() {
            None => Hash::of(b""),
            Some(last) => nodes.fold(*last, |right, left| node_hash(left, &right)),
        }
    }
}

#[cfg(test)]
mod tests;
