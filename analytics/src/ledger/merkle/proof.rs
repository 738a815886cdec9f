//! Inclusion and consistency proofs: which subtrees' hashes they hold (RFC 6962, 2.1.1 and 2.1.2)
//! and how they are checked (RFC 9162, 2.1.3.2 and 2.1.4.2, where the algorithms stand).

use super::super::hash::Hash;
use super::node_hash;

/// The leaves `begin..end` of a subtree.
pub type Leaves = (u64, u64);

/// The largest power of two below `n`, which is at least 2.
fn split(n: u64) -> u64 {
    1 << (n - 1).ilog2()
}

/// The subtrees whose hashes prove that leaf `index` is in the tree of `size` leaves, the leaf's
/// sibling first. None for an index outside of the tree.
pub fn inclusion_ranges(index: u64, size: u64) -> Vec<Leaves> {
    let (mut begin, mut end) = (0, size);
    let mut path = Vec::new();
    while index < size && end - begin > 1 {
        let middle = begin + split(end - begin);
        if index < middle {
            path.push((middle, end));
            end = middle;
        } else {
            path.push((begin, middle));
            begin = middle;
        }
    }
    path.reverse();
    path
}

/// The subtrees whose hashes prove that the tree of `old` leaves is how the tree of `new` leaves
/// begins. None when `old` is 0 or `new` (nothing is to be proved) or more.
pub fn consistency_ranges(old: u64, new: u64) -> Vec<Leaves> {
    let (mut begin, mut end) = (0, new);
    let mut path = Vec::new();
    if old == 0 || old >= new {
        return path;
    }
    while old != end {
        let middle = begin + split(end - begin);
        if old <= middle {
            path.push((middle, end));
            end = middle;
        } else {
            path.push((begin, middle));
            begin = middle;
        }
    }
    // The verifier has the old root itself, which is this subtree when it begins at 0.
    if begin != 0 {
        path.push((begin, end));
    }
    path.reverse();
    path
}

/// Whether `proof` shows that the leaf with this hash has place `index` in the tree of `size`
/// leaves with this `root`.
pub fn verify_inclusion(index: u64, size: u64, leaf: Hash, proof: &[Hash], root: &Hash) -> bool {
    if index >= size {
        return false;
    }
    let (mut at, mut last, mut hash) = (index, size - 1, leaf);
    for sibling in proof {
        if last == 0 {
            return false;
        }
        if at & 1 == 1 || at == last {
            hash = node_hash(sibling, &hash);
            while at & 1 == 0 && at != 0 {
                (at, last) = (at >> 1, last >> 1);
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        (at, last) = (at >> 1, last >> 1);
    }
    last == 0 && hash == *root
}

/// Whether `proof` shows that the tree of `old` leaves with `old_root` is how the tree of `new`
/// leaves with `new_root` begins.
pub fn verify_consistency(
    old: u64,
    new: u64,
    old_root: &Hash,
    new_root: &Hash,
    proof: &[Hash],
) -> bool {
    if old == new {
        return proof.is_empty() && old_root == new_root;
    }
    if old == 0 {
        return proof.is_empty() && *old_root == Hash::of(b"");
    }
    if old > new {
        return false;
    }
    // A full old tree is a subtree of the new one: its hash need not be sent.
    let mut path = proof.iter();
    let first = if old.is_power_of_two() {
        *old_root
    } else {
        match path.next() {
            Some(first) => *first,
            None => return false,
        }
    };
    let (mut at, mut last) = (old - 1, new - 1);
    while at & 1 == 1 {
        (at, last) = (at >> 1, last >> 1);
    }
    let (mut of_old, mut of_new) = (first, first);
    for hash in path {
        if last == 0 {
            return false;
        }
        if at & 1 == 1 || at == last {
            of_old = node_hash(hash, &of_old);
            of_new = node_hash(hash, &of_new);
            while at & 1 == 0 && at != 0 {
                (at, last) = (at >> 1, last >> 1);
            }
        } else {
            of_new = node_hash(&of_new, hash);
        }
        (at, last) = (at >> 1, last >> 1);
    }
    last == 0 && of_old == *old_root && of_new == *new_root
}
