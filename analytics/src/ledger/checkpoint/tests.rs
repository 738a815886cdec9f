//! What checkpoints show that the chain alone does not, and that others read them.

use super::*;
use crate::ledger::tests::{fill, made, sample};
use crate::ledger::verify::{CheckpointFault, Evidence, verify, verify_against};
use crate::ledger::{KeyKind, Options, line, merkle};
use ed25519_dalek::SigningKey;

fn signer(seed: u8) -> Signer {
    Signer::new("example.org/ledger", SigningKey::from_bytes(&[seed; 32])).unwrap()
}

fn open(dir: &Path) -> Ledger {
    let options = Options {
        segment_bytes: 4_000,
        ..Options::default()
    };
    Ledger::open(dir, options).unwrap()
}

/// A closed ledger of 30 records with checkpoints of 10, 20 and 28 of them.
pub(crate) fn signed_ledger() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let ledger = open(dir.path());
    let mut checkpointer = Checkpointer::open(&ledger, signer(1)).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let mut at = 0;
    for size in [10, 20, 28] {
        runtime.block_on(fill(&ledger, at, size));
        assert_eq!(checkpointer.take().unwrap().unwrap().checkpoint.size, size);
        assert_eq!(checkpointer.take().unwrap(), None, "nothing new");
        at = size;
    }
    runtime.block_on(fill(&ledger, 28, 30));
    dir
}

/// Writes the segments anew with these records: every hash fits, as somebody would who knows how
/// the ledger is made but lacks the key.
fn forge(dir: &Path, records: &[u64]) {
    let mut head = line::genesis();
    let mut seq = 0;
    let segments = segment::list(dir).unwrap();
    for (i, segment) in segments.iter().enumerate() {
        let end = segments
            .get(i + 1)
            .map_or(records.len() as u64, |s| s.first);
        let mut bytes = Vec::new();
        while seq < end.min(records.len() as u64) {
            let json = line::to_json(&sample(records[seq as usize])).unwrap();
            head = line::write(&mut bytes, &head, seq, line::Kind::Record, &json)
                .unwrap()
                .line;
            seq += 1;
        }
        fs::write(&segment.path, bytes).unwrap();
        fs::remove_file(segment.path.with_extension("tree")).ok();
    }
}

fn bad(dir: &Path, evidence: &Evidence) -> Option<(u64, BadKind)> {
    let report = verify_against(dir, evidence).unwrap();
    assert_eq!(report.bad_checkpoint, None);
    report.first_bad.map(|bad| (bad.seq, bad.kind))
}

#[test]
fn a_sound_ledger_holds_against_all_its_checkpoints() {
    let dir = signed_ledger();
    let report = verify(dir.path()).unwrap();
    assert!(report.is_sound(), "{report:?}");
    assert_eq!(
        (report.records, report.signed, report.checkpoints),
        (30, 28, 3)
    );
    let all = stored(dir.path()).unwrap();
    assert_eq!(all.len(), 3);
    let newest = fs::read_to_string(dir.path().join(NEWEST)).unwrap();
    assert_eq!(newest.parse(), Ok(all[2].clone()));
    assert!(all[2].is_signed_by(&keys(dir.path()).unwrap()));
    assert!(!all[2].is_signed_by(&[signer(2).verifier().clone()]));
}

#[test]
fn what_the_chain_alone_does_not_show() {
    let whole: Vec<u64> = (0..30).collect();
    let changed = |at: usize| {
        let mut records = whole.clone();
        records[at] = 99;
        records
    };
    type Case = (&'static str, Vec<u64>, Option<(u64, BadKind)>);
    let cases: [Case; 5] = [
        ("nothing", whole.clone(), None),
        (
            "an early record changed",
            changed(3),
            Some((0, BadKind::Rewritten { until: 10 })),
        ),
        (
            "a later one",
            changed(25),
            Some((20, BadKind::Rewritten { until: 28 })),
        ),
        ("one after the last checkpoint", changed(29), None),
        (
            "the tail cut off",
            whole[..27].to_vec(),
            Some((27, BadKind::CutOff { until: 28 })),
        ),
    ];
    for (what, records, expected) in cases {
        let dir = signed_ledger();
        forge(dir.path(), &records);
        assert_eq!(bad(dir.path(), &Evidence::default()), expected, "{what}");
        let ledger = open(dir.path());
        match Checkpointer::open(&ledger, signer(1)) {
            Ok(_) => assert_eq!(expected, None, "{what}: signed on"),
            Err(Error::Broken(found)) => {
                assert_eq!(found.kind.as_str(), expected.unwrap().1.as_str(), "{what}");
            }
            Err(other) => panic!("{what}: {other}"),
        }
    }
}

#[test]
fn records_cut_off_in_the_middle_of_a_line_are_not_taken_for_a_crash() {
    let dir = signed_ledger();
    let last = segment::list(dir.path()).unwrap().pop().unwrap();
    let text = fs::read(&last.path).unwrap();
    // Records 28 and 29 are not signed for: half of one of them is a crash.
    fs::write(&last.path, &text[..text.len() - 20]).unwrap();
    let torn = Some((29, BadKind::TruncatedTail));
    assert_eq!(bad(dir.path(), &Evidence::default()), torn);
    fs::write(&last.path, &text[..20]).unwrap();
    let cut = Some((last.first, BadKind::CutOff { until: 28 }));
    assert_eq!(bad(dir.path(), &Evidence::default()), cut);
}

#[test]
fn a_checkpoint_kept_elsewhere_shows_what_was_replaced_with_its_own_checkpoints() {
    let dir = signed_ledger();
    let kept = stored(dir.path()).unwrap()[1].clone();
    let elsewhere = |keys| Evidence {
        against: vec![kept.clone()],
        keys,
        ..Evidence::default()
    };
    let ours = || vec![signer(1).verifier().clone()];
    assert_eq!(bad(dir.path(), &elsewhere(ours())), None);

    let mut records: Vec<u64> = (0..30).collect();
    records[12] = 99;
    forge(dir.path(), &records);
    for file in [ALL, NEWEST, KEYS] {
        fs::remove_file(dir.path().join(file)).unwrap();
    }
    // Signed anew, with a key of the forger's.
    let ledger = open(dir.path());
    Checkpointer::open(&ledger, signer(66))
        .unwrap()
        .take()
        .unwrap();
    drop(ledger);
    assert_eq!(
        bad(dir.path(), &Evidence::default()),
        None,
        "fits by itself"
    );
    let report = verify_against(dir.path(), &elsewhere(ours())).unwrap();
    let found = report.first_bad.map(|bad| (bad.seq, bad.kind));
    assert_eq!(found, Some((0, BadKind::Rewritten { until: 20 })));
    let fault = report.bad_checkpoint.map(|bad| bad.fault);
    assert_eq!(fault, Some(CheckpointFault::Unsigned), "by the key known");
}

#[test]
fn each_fault_of_a_checkpoint_is_told() {
    let edit = |file: &str, change: &dyn Fn(String) -> String| {
        let dir = signed_ledger();
        let path = dir.path().join(file);
        fs::write(&path, change(fs::read_to_string(&path).unwrap())).unwrap();
        verify(dir.path())
    };
    let fault = |report: Result<_, Error>| {
        let report: crate::ledger::VerifyReport = report.unwrap();
        report.bad_checkpoint.map(|bad| (bad.size, bad.fault))
    };
    let edited = edit(ALL, &|text| text.replacen("\n10\n", "\n11\n", 1));
    assert_eq!(fault(edited), Some((11, CheckpointFault::Signature)));
    let unknown = edit(KEYS, &|_| format!("{}\n", signer(2).verifier()));
    assert_eq!(fault(unknown), Some((10, CheckpointFault::Unsigned)));
    let swapped = edit(ALL, &|text| {
        let all = read_all(&text).unwrap();
        [&all[1], &all[0], &all[2]]
            .map(|signed| format!("{}\n", signed.note))
            .concat()
    });
    assert_eq!(fault(swapped), Some((10, CheckpointFault::Order)));
    match edit(ALL, &|text| text.replacen("\n20\n", "\n020\n", 1)) {
        Err(Error::Note { line, .. }) => assert_eq!(line, 7),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_checkpoint_torn_at_any_byte_is_cut_off_and_made_again() {
    let whole = signed_ledger();
    let text = fs::read_to_string(whole.path().join(ALL)).unwrap();
    let last = text.len() / 3;
    for cut in (1..=last).step_by(7) {
        let at = text.len() - cut;
        if !text.is_char_boundary(at) {
            continue;
        }
        fs::write(whole.path().join(ALL), &text[..at]).unwrap();
        assert_eq!(stored(whole.path()).unwrap().len(), 2, "cut {cut}");
        let ledger = open(whole.path());
        let mut checkpointer = Checkpointer::open(&ledger, signer(1)).unwrap();
        let size = checkpointer.take().unwrap().map(|new| new.checkpoint.size);
        assert_eq!(size, Some(30));
        drop((checkpointer, ledger));
        assert!(verify(whole.path()).unwrap().is_sound());
    }
}

#[test]
fn another_implementation_reads_checkpoints_and_checks_proofs_against_them() {
    use signed_note::{Note as Theirs, StandardVerifier, VerifierList};
    use tlog_tiles::tlog::{Hash as TheirHash, check_record, check_tree};
    let dir = signed_ledger();
    let all = stored(dir.path()).unwrap();
    let key = fs::read_to_string(dir.path().join(KEYS)).unwrap();
    let known = StandardVerifier::new(key.trim()).unwrap();
    let known = VerifierList::new(vec![Box::new(known)]);
    let mut heads = Vec::new();
    for signed in &all {
        let note = Theirs::from_bytes(signed.note.to_string().as_bytes()).unwrap();
        note.verify(&known).unwrap();
        let read = tlog_tiles::checkpoint::Checkpoint::from_bytes(note.text()).unwrap();
        assert_eq!(read.origin(), "example.org/ledger");
        heads.push((read.size(), read.hash().0));
    }
    let mut tree = Tree::open(dir.path()).unwrap();
    let theirs = |hashes: Vec<Hash>| {
        hashes
            .iter()
            .map(|hash| TheirHash(*hash.as_bytes()))
            .collect()
    };
    let (size, root) = heads[2];
    let text: String = segment::list(dir.path())
        .unwrap()
        .iter()
        .map(|segment| fs::read_to_string(&segment.path).unwrap())
        .collect();
    for (index, line) in text.lines().take(28).enumerate() {
        // Their hash of the record, not ours.
        let leaf = tlog_tiles::tlog::record_hash(&line.as_bytes()[65..]);
        let proof = theirs(tree.inclusion(index as u64, size).unwrap());
        check_record(&proof, size, TheirHash(root), index as u64, leaf).unwrap();
    }
    for (old, old_root) in &heads[..2] {
        let proof = theirs(tree.consistency(*old, size).unwrap());
        check_tree(&proof, size, TheirHash(root), *old, TheirHash(*old_root)).unwrap();
    }
}

#[test]
fn a_key_that_changes_is_added_and_the_old_checkpoints_still_hold() {
    let dir = signed_ledger();
    let ledger = open(dir.path());
    let mut checkpointer = Checkpointer::open(&ledger, signer(2)).unwrap();
    checkpointer.take().unwrap().unwrap();
    drop((checkpointer, ledger));
    assert_eq!(keys(dir.path()).unwrap().len(), 2);
    assert!(verify(dir.path()).unwrap().is_sound());
}

#[test]
fn a_witness_is_heard_when_it_signed() {
    let dir = signed_ledger();
    let witness = SigningKey::from_bytes(&[9; 32]);
    let key = |seed| {
        let key = SigningKey::from_bytes(&[seed; 32]).verifying_key();
        crate::ledger::VerifierKey::new("w.example/1", KeyKind::Cosignature, key).unwrap()
    };
    let evidence = |seed| Evidence {
        witnesses: vec![key(seed)],
        ..Evidence::default()
    };
    assert_eq!(
        verify_against(dir.path(), &evidence(9))
            .unwrap()
            .cosignatures,
        0
    );
    let mut all = stored(dir.path()).unwrap();
    all[2].note.cosign(&key(9), &witness, 1_790_000_000);
    let text: String = all
        .iter()
        .map(|signed| format!("{}\n", signed.note))
        .collect();
    fs::write(dir.path().join(ALL), text).unwrap();
    let report = verify_against(dir.path(), &evidence(9)).unwrap();
    assert!(report.is_sound());
    assert_eq!(report.cosignatures, 1);
    // Under the same name but another key: not a signature of the witness that is known.
    assert_eq!(
        verify_against(dir.path(), &evidence(8))
            .unwrap()
            .cosignatures,
        0
    );
}

#[test]
fn what_is_no_checkpoint_is_told() {
    let root = merkle::leaf_hash(b"x").to_base64();
    for bad in [
        String::new(),
        format!("o\n1\n{root}"),
        format!("o\n01\n{root}\n"),
        format!("o\n-1\n{root}\n"),
        format!("\n1\n{root}\n"),
        "o\n1\nAAAA\n".to_owned(),
        format!("o\n1\n{root}\n\n"),
    ] {
        assert!(bad.parse::<Checkpoint>().is_err(), "{bad:?}");
    }
    let extended: Checkpoint = format!("o\n1\n{root}\nmore\n").parse().unwrap();
    assert_eq!(extended.size, 1);
    let empty = made(0, u64::MAX);
    assert_eq!(stored(empty.path()).unwrap(), []);
    let ledger = open(empty.path());
    let mut checkpointer = Checkpointer::open(&ledger, signer(1)).unwrap();
    assert_eq!(
        checkpointer.take().unwrap(),
        None,
        "no records, nothing to sign"
    );
}
