//! The tree against a naive one written from RFC 6962's definitions, against the vectors of its
//! reference implementation, and against two implementations that are not ours.

use super::*;
use proptest::prelude::*;

/// MTH, as section 2.1 defines it.
fn naive(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => Hash::of(b""),
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(half(leaves.len()));
            node_hash(&naive(left), &naive(right))
        }
    }
}

fn half(n: usize) -> usize {
    let mut k = 1;
    while k * 2 < n {
        k *= 2;
    }
    k
}

/// PATH, as section 2.1.1 defines it.
fn naive_path(m: usize, leaves: &[Hash]) -> Vec<Hash> {
    if leaves.len() <= 1 {
        return vec![];
    }
    let (left, right) = leaves.split_at(half(leaves.len()));
    let (mut path, sibling) = if m < left.len() {
        (naive_path(m, left), naive(right))
    } else {
        (naive_path(m - left.len(), right), naive(left))
    };
    path.push(sibling);
    path
}

/// SUBPROOF, as section 2.1.2 defines it.
fn naive_subproof(m: usize, leaves: &[Hash], known: bool) -> Vec<Hash> {
    if m == leaves.len() {
        return if known { vec![] } else { vec![naive(leaves)] };
    }
    let (left, right) = leaves.split_at(half(leaves.len()));
    let (mut proof, sibling) = if m <= left.len() {
        (naive_subproof(m, left, known), naive(right))
    } else {
        (naive_subproof(m - left.len(), right, false), naive(left))
    };
    proof.push(sibling);
    proof
}

fn leaves(n: u64) -> Vec<Hash> {
    (0..n).map(|i| leaf_hash(&i.to_be_bytes())).collect()
}

fn range(leaves: &[Hash], begin: u64, end: u64) -> Range {
    let mut range = Range::empty(begin);
    for leaf in &leaves[begin as usize..end as usize] {
        range.push(*leaf);
    }
    range
}

fn hashes(leaves: &[Hash], of: Vec<(u64, u64)>) -> Vec<Hash> {
    let root = |(begin, end)| range(leaves, begin, end).root();
    of.into_iter().map(root).collect()
}

#[test]
fn every_proof_of_a_small_tree_is_the_one_defined() {
    for n in 0..=40 {
        let leaves = leaves(n);
        let root = range(&leaves, 0, n).root();
        assert_eq!(root, naive(&leaves), "{n} leaves");
        for m in 0..n {
            let proof = hashes(&leaves, inclusion_ranges(m, n));
            assert_eq!(proof, naive_path(m as usize, &leaves), "{m} in {n}");
            assert!(verify_inclusion(m, n, leaves[m as usize], &proof, &root));
            assert!(!verify_inclusion(
                m + 1,
                n,
                leaves[m as usize],
                &proof,
                &root
            ));
        }
        for m in 1..=n {
            let proof = hashes(&leaves, consistency_ranges(m, n));
            assert_eq!(
                proof,
                naive_subproof(m as usize, &leaves, true),
                "{m} to {n}"
            );
            let old = range(&leaves, 0, m).root();
            assert!(verify_consistency(m, n, &old, &root, &proof), "{m} to {n}");
            assert!(m == n || !verify_consistency(m, n, &root, &root, &proof));
        }
    }
    assert!(inclusion_ranges(3, 3).is_empty() && consistency_ranges(4, 3).is_empty());
    let root = Hash::of(b"");
    assert!(!verify_inclusion(0, 0, root, &[], &root));
}

/// The leaves, roots and proofs of certificate-transparency's own tests (`merkle_tree_test`).
#[test]
fn the_reference_implementation_s_vectors() {
    let hex = |text: &str| Hash::from_hex(text.as_bytes()).unwrap();
    let data: [&[u8]; 8] = [
        b"",
        b"\x00",
        b"\x10",
        b"\x20\x21",
        b"\x30\x31",
        b"\x40\x41\x42\x43",
        b"\x50\x51\x52\x53\x54\x55\x56\x57",
        b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
    ];
    let leaves: Vec<Hash> = data.iter().map(|data| leaf_hash(data)).collect();
    let roots = [
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];
    for (n, root) in roots.iter().enumerate() {
        assert_eq!(range(&leaves, 0, n as u64).root(), hex(root), "{n} leaves");
    }
    assert_eq!(
        hashes(&leaves, inclusion_ranges(5, 8)),
        [
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ]
        .map(hex)
    );
    assert_eq!(
        hashes(&leaves, consistency_ranges(6, 8)),
        [
            "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ]
        .map(hex)
    );
}

/// `tlog_tiles` checks what we prove, as Go's checksum database does.
fn go_accepts_inclusion(m: u64, n: u64, leaf: Hash, proof: &[Hash], root: Hash) -> bool {
    let theirs = |hash: &Hash| tlog_tiles::tlog::Hash(*hash.as_bytes());
    let proof = proof.iter().map(theirs).collect();
    tlog_tiles::tlog::check_record(&proof, n, theirs(&root), m, theirs(&leaf)).is_ok()
}

fn go_accepts_consistency(m: u64, n: u64, old: Hash, new: Hash, proof: &[Hash]) -> bool {
    let theirs = |hash: &Hash| tlog_tiles::tlog::Hash(*hash.as_bytes());
    let proof = proof.iter().map(theirs).collect();
    tlog_tiles::tlog::check_tree(&proof, n, theirs(&new), m, theirs(&old)).is_ok()
}

#[test]
fn two_other_implementations_agree() {
    use ct_merkle::mem_backed_tree::MemoryBackedTree;
    let mut tree = MemoryBackedTree::<sha2::Sha256, Vec<u8>>::new();
    for n in 1..=70_u64 {
        tree.push((n - 1).to_be_bytes().to_vec());
        let leaves = leaves(n);
        let root = range(&leaves, 0, n).root();
        assert_eq!(tree.root().as_bytes().as_slice(), root.as_bytes());
        for m in (0..n).step_by(3) {
            let proof = hashes(&leaves, inclusion_ranges(m, n));
            let bytes: Vec<u8> = proof.iter().flat_map(|hash| *hash.as_bytes()).collect();
            let theirs = ct_merkle::InclusionProof::try_from_bytes(bytes).unwrap();
            let data = m.to_be_bytes().to_vec();
            assert!(tree.root().verify_inclusion(&data, m, &theirs).is_ok());
            assert!(go_accepts_inclusion(m, n, leaves[m as usize], &proof, root));
            if m > 0 {
                let proof = hashes(&leaves, consistency_ranges(m, n));
                let old = range(&leaves, 0, m).root();
                assert!(go_accepts_consistency(m, n, old, root, &proof), "{m} {n}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// However a run of leaves is cut into parts, joining them gives the same hashes.
    #[test]
    fn joined_runs_are_one(n in 0u64..700, cuts in prop::collection::vec(0u64..700, 0..6), begin in 0u64..300) {
        let leaves = leaves(n.max(begin));
        let n = n.max(begin);
        let mut cuts: Vec<u64> = cuts.into_iter().map(|cut| cut.clamp(begin, n)).collect();
        cuts.push(n);
        cuts.sort_unstable();
        let (mut joined, mut at) = (Range::empty(begin), begin);
        for cut in cuts {
            joined.join(&range(&leaves, at, cut));
            at = cut;
        }
        let whole = range(&leaves, begin, n);
        prop_assert_eq!(&joined, &whole);
        prop_assert_eq!(whole.nodes().len(), subtrees(begin, n).count());
        if begin == 0 {
            prop_assert_eq!(joined.root(), naive(&leaves));
        }
    }

    /// A proof with any bit flipped, any hash dropped or any number changed proves nothing.
    #[test]
    fn a_changed_proof_proves_nothing(n in 2u64..400, m in 0u64..400, bit in 0usize..256, which in 0usize..10) {
        let m = m % n;
        let leaves = leaves(n);
        let root = naive(&leaves);
        let proof = hashes(&leaves, inclusion_ranges(m, n));
        let leaf = leaves[m as usize];
        prop_assert!(verify_inclusion(m, n, leaf, &proof, &root));
        prop_assert!(go_accepts_inclusion(m, n, leaf, &proof, root));
        let mut flipped = proof.clone();
        let which = which % flipped.len();
        let mut bytes = *flipped[which].as_bytes();
        bytes[bit / 8] ^= 1 << (bit % 8);
        flipped[which] = bytes.into();
        prop_assert!(!verify_inclusion(m, n, leaf, &flipped, &root));
        prop_assert!(!verify_inclusion(m, n, leaf, &proof[1..], &root));
        let longer: Vec<Hash> = proof.iter().copied().chain([leaf]).collect();
        prop_assert!(!verify_inclusion(m, n, leaf, &longer, &root));
        if m > 0 {
            let old = naive(&leaves[..m as usize]);
            let proof = hashes(&leaves, consistency_ranges(m, n));
            prop_assert!(verify_consistency(m, n, &old, &root, &proof));
            let mut flipped = proof.clone();
            let which = which % flipped.len();
            let mut bytes = *flipped[which].as_bytes();
            bytes[bit / 8] ^= 1 << (bit % 8);
            flipped[which] = bytes.into();
            prop_assert!(!verify_consistency(m, n, &old, &root, &flipped));
            prop_assert!(!verify_consistency(m, n, &old, &root, &proof[..proof.len() - 1]));
        }
    }
}
