//! The ledger as a whole: crashes, tampering, full disks.

use super::disk::{Disk, Os, SegmentFile};
use super::*;
use crate::record::{Cost, DecisionRecord, Effect, Outcome, Route, Timing, Usage};
use proptest::prelude::*;
use std::fs;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use uuid::Uuid;

/// A made-up record, different for each `n`.
pub(crate) fn sample(n: u64) -> Record {
    Record {
        exchange: Uuid::from_u128(u128::from(n) << 64 | 7),
        started_us: 1_790_000_000_000_000 + n as i64 * 1_000,
        caller: "key-7".into(),
        team: ["payments", "ward-3", ""][n as usize % 3].into(),
        project: String::new(),
        trace: String::new(),
        wire: "openai".into(),
        operation: "chat".into(),
        stream: n.is_multiple_of(2),
        model: "gpt-*".into(),
        route: n.is_multiple_of(5).then(|| Route {
            endpoint: "openai".into(),
            jurisdiction: "US".into(),
            transfer_basis: "scc".into(),
            on_prem: false,
            simulated: true,
        }),
        tried: Vec::new(),
        decision: DecisionRecord {
            effect: Effect::Redact,
            rule: "personal-data".into(),
            reason: "holds \"personal\" data \\ ä\n".into(),
            policy: "0123456789abcdef".into(),
        },
        findings: [("EMAIL".to_owned(), n as u32), ("PERSON".to_owned(), 2)].into(),
        replaced: 3,
        restored: 2,
        outcome: Outcome::Answered,
        error: String::new(),
        status: 200,
        request_bytes: 1_234,
        upstream_bytes: 1_200,
        response_bytes: 4_321,
        usage: Some(Usage {
            input: 300,
            output: 40,
            ..Usage::default()
        }),
        cost: Cost::Priced {
            nano_usd: n as i64 * 1_000,
            price: "openai/gpt@2026-01-01".into(),
        },
        timing: Timing {
            total_us: 900_000,
            gate_us: 200,
            ..Timing::default()
        },
    }
}

fn open(dir: &Path) -> Ledger {
    Ledger::open(dir, Options::default()).unwrap()
}

/// Writes records `from..to`, one after the other.
pub(crate) async fn fill(ledger: &Ledger, from: u64, to: u64) {
    for n in from..to {
        assert_eq!(ledger.append(&sample(n)).await.unwrap(), n);
    }
}

/// A closed ledger of records `0..n` in segments of at least `segment_bytes`.
pub(crate) fn made(n: u64, segment_bytes: u64) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let options = Options {
        segment_bytes,
        ..Options::default()
    };
    let ledger = Ledger::open(dir.path(), options).unwrap();
    runtime.block_on(fill(&ledger, 0, n));
    dir
}

fn records(dir: &Path, from: u64) -> Vec<Record> {
    let mut reader = Reader::new(dir, from);
    let mut all = Vec::new();
    loop {
        let block = reader.next_block(3).unwrap();
        if block.is_empty() {
            return all;
        }
        all.extend(block.into_iter().map(|entry| entry.record));
    }
}

#[test]
fn records_since_a_time_are_read_without_all_that_came_before() {
    let day_us = 24 * 3600 * 1_000_000_i64;
    let dir = tempfile::tempdir().unwrap();
    let options = Options {
        segment_bytes: 3_000,
        ..Options::default()
    };
    let ledger = Ledger::open(dir.path(), options).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let started = |n: u64| sample(0).started_us + n as i64 * day_us / 10;
    for n in 0..200 {
        let mut record = sample(n);
        record.started_us = started(n);
        runtime.block_on(ledger.append(&record)).unwrap();
    }
    for n in [0, 1, 70, 150, 199] {
        let reader = read_since(dir.path(), started(n)).unwrap();
        let first = reader.next_seq();
        assert!(first <= n && n < first + 30, "{n}: {first}");
        assert!(n < 30 || first > 0, "{n}");
    }
    let none = tempfile::tempdir().unwrap();
    let mut reader = read_since(none.path(), 0).unwrap();
    assert_eq!(reader.next_block(1).unwrap(), []);
}

fn samples(range: std::ops::Range<u64>) -> Vec<Record> {
    range.map(sample).collect()
}

/// The only segment's lines, newlines included.
fn lines(dir: &Path) -> Vec<String> {
    let text = fs::read_to_string(dir.join(segment::name(0))).unwrap();
    text.split_inclusive('\n').map(str::to_owned).collect()
}

fn bad(dir: &Path) -> Option<(u64, BadKind)> {
    verify(dir)
        .unwrap()
        .first_bad
        .map(|bad| (bad.seq, bad.kind))
}

#[tokio::test]
async fn what_is_appended_reads_back_after_reopening() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = open(dir.path());
    assert_eq!((ledger.next_seq(), ledger.id()), (0, None));
    fill(&ledger, 0, 5).await;
    let id = ledger.id().unwrap();
    drop(ledger);
    let ledger = open(dir.path());
    assert_eq!((ledger.next_seq(), ledger.id()), (5, Some(id)));
    assert!(ledger.recovered().is_none());
    fill(&ledger, 5, 8).await;
    assert_eq!(records(dir.path(), 0), samples(0..8));
    let report = verify(dir.path()).unwrap();
    assert_eq!(
        (report.records, report.id, report.first_bad),
        (8, Some(id), None)
    );
    assert!(report.live);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn appends_from_many_tasks_are_each_recorded_once() {
    let dir = tempfile::tempdir().unwrap();
    let options = Options {
        queue: 3,
        segment_bytes: 20_000,
        ..Options::default()
    };
    let ledger = Ledger::open(dir.path(), options).unwrap();
    let tasks: Vec<_> = (0..200)
        .map(|n| {
            let ledger = ledger.clone();
            tokio::spawn(async move { (ledger.append(&sample(n)).await.unwrap(), n) })
        })
        .collect();
    let mut expected = vec![None; 200];
    for task in tasks {
        let (seq, n) = task.await.unwrap();
        assert!(
            expected[seq as usize].replace(sample(n)).is_none(),
            "{seq} given twice"
        );
    }
    drop(ledger);
    let expected: Vec<Record> = expected.into_iter().flatten().collect();
    assert_eq!(records(dir.path(), 0), expected);
    assert_eq!(verify(dir.path()).unwrap().records, 200);
}

#[test]
fn segments_rotate_and_can_be_entered_anywhere() {
    let dir = made(30, 3_000);
    assert!(segment::list(dir.path()).unwrap().len() > 4);
    for from in 0..=30 {
        assert_eq!(records(dir.path(), from), samples(from..30), "from {from}");
    }
    for check in [Check::Full, Check::LastSegment] {
        let ledger = Ledger::open(
            dir.path(),
            Options {
                check,
                ..Options::default()
            },
        )
        .unwrap();
        assert_eq!(ledger.next_seq(), 30);
    }
}

#[tokio::test]
async fn a_tail_follows_live_appends_and_ends_with_the_ledger() {
    let dir = tempfile::tempdir().unwrap();
    let options = Options {
        segment_bytes: 2_500,
        ..Options::default()
    };
    let ledger = Ledger::open(dir.path(), options).unwrap();
    fill(&ledger, 0, 2).await;
    assert!(matches!(
        ledger.tail(3),
        Err(Error::NoSuchRecord { seq: 3, .. })
    ));
    let mut tail = ledger.tail(1).unwrap();
    let follower = tokio::spawn(async move {
        let mut seen = Vec::new();
        while tail.ready().await {
            seen.extend(
                tail.next_block(4)
                    .unwrap()
                    .into_iter()
                    .map(|entry| entry.seq),
            );
        }
        seen
    });
    fill(&ledger, 2, 40).await;
    drop(ledger);
    assert_eq!(follower.await.unwrap(), (1..40).collect::<Vec<_>>());
}

#[test]
fn a_clock_that_goes_back_is_noticed_and_no_damage() {
    // Seconds after the sample's time at which each exchange ended.
    let cases: [(&str, &[i64], u64, Option<ClockStep>); 4] = [
        ("in order", &[0, 1, 2, 3], 0, None),
        ("neighbours out of order", &[0, 3, 2, 4], 0, None),
        (
            "set back an hour once",
            &[3_600, 0, 1, 2],
            1,
            Some(ClockStep {
                seq: 1,
                back_us: 3_600_000_000,
            }),
        ),
        (
            "set back twice",
            &[10, 20, 5, 6, 30, 10],
            2,
            Some(ClockStep {
                seq: 2,
                back_us: 15_000_000,
            }),
        ),
    ];
    for (what, ended_s, steps, first) in cases {
        let dir = tempfile::tempdir().unwrap();
        let ledger = open(dir.path());
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        for (n, at) in ended_s.iter().enumerate() {
            let mut record = sample(n as u64);
            record.started_us = sample(0).started_us + at * 1_000_000;
            runtime.block_on(ledger.append(&record)).unwrap();
        }
        let report = verify(dir.path()).unwrap();
        assert!(report.is_sound(), "{what}");
        assert_eq!(
            (report.clock_steps, report.first_clock_step),
            (steps, first),
            "{what}"
        );
    }
}

#[test]
fn a_second_opener_is_told_who_is_in_the_way() {
    let dir = tempfile::tempdir().unwrap();
    let first = open(dir.path());
    let error = Ledger::open(dir.path(), Options::default()).unwrap_err();
    assert!(matches!(error, Error::Locked { .. }), "{error}");
    drop(first);
    open(dir.path());
}

/// In memory where there is such a place: for tests that sync hundreds of times.
fn quick_dir() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    let place = memory.is_dir().then(|| tempfile::tempdir_in(memory).ok());
    place
        .flatten()
        .unwrap_or_else(|| tempfile::tempdir().unwrap())
}

#[test]
fn a_write_torn_at_any_byte_loses_only_the_unacknowledged_record() {
    let whole = made(3, u64::MAX);
    let bytes = fs::read(whole.path().join(segment::name(0))).unwrap();
    let last = lines(whole.path()).pop().unwrap().len();
    for cut in 1..=last {
        let dir = quick_dir();
        let file = dir.path().join(segment::name(0));
        fs::write(&file, &bytes[..bytes.len() - cut]).unwrap();
        let torn = (last - cut) as u64;
        let found = bad(dir.path());
        assert_eq!(
            found,
            (torn > 0).then_some((2, BadKind::TruncatedTail)),
            "cut {cut}"
        );
        let ledger = open(dir.path());
        assert_eq!(ledger.next_seq(), 2);
        assert_eq!(ledger.recovered().map_or(0, |tail| tail.bytes), torn);
        if let Some(tail) = ledger.recovered() {
            let kept = fs::read(&tail.path).unwrap();
            assert_eq!(kept, &bytes[bytes.len() - last..bytes.len() - cut]);
        }
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        runtime.block_on(fill(&ledger, 2, 4));
        drop(ledger);
        assert_eq!(records(dir.path(), 0), samples(0..4));
        assert_eq!(bad(dir.path()), None);
    }
}

#[test]
fn each_way_of_tampering_is_named_and_refused() {
    type Tamper = fn(&mut Vec<String>);
    let cases: [(&str, Tamper, u64, BadKind); 9] = [
        (
            "an edit",
            |l| l[2] = l[2].replace("200", "201"),
            2,
            BadKind::Edited,
        ),
        (
            "a hash changed",
            |l| l[4].replace_range(..1, "g"),
            4,
            BadKind::Edited,
        ),
        (
            "a record replaced",
            |l| l[1] = l[0].replace("\"seq\":0", "\"seq\":1"),
            1,
            BadKind::Edited,
        ),
        (
            "a blank line",
            |l| l.insert(3, "\n".into()),
            3,
            BadKind::Edited,
        ),
        (
            "the first removed",
            |l| drop(l.remove(0)),
            0,
            BadKind::Removed,
        ),
        ("one removed", |l| drop(l.remove(3)), 3, BadKind::Removed),
        ("two swapped", |l| l.swap(2, 3), 2, BadKind::Reordered),
        (
            "one moved to the end",
            |l| {
                let x = l.remove(1);
                l.push(x)
            },
            1,
            BadKind::Reordered,
        ),
        (
            "one repeated",
            |l| l.insert(3, l[1].clone()),
            3,
            BadKind::Duplicated,
        ),
    ];
    for (what, tamper, seq, kind) in cases {
        let dir = made(6, u64::MAX);
        let mut text = lines(dir.path());
        tamper(&mut text);
        fs::write(dir.path().join(segment::name(0)), text.concat()).unwrap();
        assert_eq!(bad(dir.path()), Some((seq, kind)), "{what}");
        match Ledger::open(dir.path(), Options::default()) {
            Err(Error::Broken(bad)) => assert_eq!((bad.seq, bad.kind), (seq, kind), "{what}"),
            other => panic!("{what}: {other:?}"),
        }
        let mut reader = Reader::new(dir.path(), 0);
        assert!(reader.next_block(10).is_err(), "{what}: read");
    }
}

#[test]
fn segments_removed_renamed_or_cut_are_found() {
    let firsts = |dir: &Path| -> Vec<u64> {
        segment::list(dir)
            .unwrap()
            .iter()
            .map(|segment| segment.first)
            .collect()
    };
    let dir = made(30, 3_000);
    let names = firsts(dir.path());
    fs::remove_file(dir.path().join(segment::name(names[1]))).unwrap();
    assert_eq!(bad(dir.path()), Some((names[1], BadKind::Removed)));

    let dir = made(30, 3_000);
    fs::remove_file(dir.path().join(segment::name(0))).unwrap();
    assert_eq!(bad(dir.path()), Some((0, BadKind::Removed)));

    let dir = made(30, 3_000);
    let late = dir.path().join(segment::name(1_000));
    fs::rename(dir.path().join(segment::name(names[2])), late).unwrap();
    assert_eq!(bad(dir.path()), Some((names[2], BadKind::Reordered)));

    let dir = made(30, 3_000);
    let second = dir.path().join(segment::name(names[1]));
    let len = fs::metadata(&second).unwrap().len();
    fs::OpenOptions::new()
        .write(true)
        .open(&second)
        .unwrap()
        .set_len(len - 1)
        .unwrap();
    assert_eq!(bad(dir.path()), Some((names[2] - 1, BadKind::Edited)));
    // The quick check at opening trusts what is in the closed segments, but not that they are.
    let options = Options {
        check: Check::LastSegment,
        ..Options::default()
    };
    assert!(Ledger::open(dir.path(), options).is_ok());
    fs::remove_file(&second).unwrap();
    assert!(matches!(
        Ledger::open(dir.path(), options),
        Err(Error::Broken(_))
    ));
}

#[test]
fn a_flipped_bit_is_found_in_every_byte() {
    let whole = made(2, u64::MAX);
    let dir = quick_dir();
    let file = dir.path().join(segment::name(0));
    let bytes = fs::read(whole.path().join(segment::name(0))).unwrap();
    let first = lines(whole.path())[0].len();
    for at in 0..bytes.len() {
        // Any bit will do; bit 5, which turns a letter's case, gets no rarer than the others.
        let bit = at % 8;
        let mut flipped = bytes.clone();
        flipped[at] ^= 1 << bit;
        fs::write(&file, &flipped).unwrap();
        let (seq, _) = bad(dir.path()).unwrap_or_else(|| panic!("byte {at} bit {bit}"));
        assert_eq!(seq, u64::from(at >= first), "byte {at} bit {bit}");
    }
}

/// A disk that has room for `room` bytes and whose syncs and truncations can be made to fail.
#[derive(Clone)]
struct SmallDisk {
    room: Arc<AtomicI64>,
    broken_sync: Arc<AtomicBool>,
    broken_truncate: Arc<AtomicBool>,
}

impl SmallDisk {
    fn new(room: i64) -> SmallDisk {
        SmallDisk {
            room: Arc::new(AtomicI64::new(room)),
            broken_sync: Arc::default(),
            broken_truncate: Arc::default(),
        }
    }
}

struct SmallFile {
    inner: Arc<dyn SegmentFile>,
    disk: SmallDisk,
}

impl Disk for SmallDisk {
    fn open(&mut self, path: &Path) -> io::Result<Arc<dyn SegmentFile>> {
        let inner = Os.open(path)?;
        Ok(Arc::new(SmallFile {
            inner,
            disk: self.clone(),
        }))
    }
    fn sync_dir(&mut self, dir: &Path) -> io::Result<()> {
        Os.sync_dir(dir)
    }
}

impl SegmentFile for SmallFile {
    fn append(&self, bytes: &[u8]) -> io::Result<()> {
        let room = self.disk.room.load(Ordering::SeqCst).max(0) as usize;
        let fits = room.min(bytes.len());
        self.inner.append(&bytes[..fits])?;
        self.disk.room.fetch_sub(fits as i64, Ordering::SeqCst);
        if fits < bytes.len() {
            return Err(io::ErrorKind::StorageFull.into());
        }
        Ok(())
    }
    fn truncate(&self, len: u64) -> io::Result<()> {
        if self.disk.broken_truncate.load(Ordering::SeqCst) {
            return Err(io::Error::other("made-up failure"));
        }
        self.inner.truncate(len)
    }
    fn sync(&self) -> io::Result<()> {
        if self.disk.broken_sync.load(Ordering::SeqCst) {
            return Err(io::Error::other("made-up failure"));
        }
        self.inner.sync()
    }
}

#[tokio::test]
async fn a_full_disk_fails_the_append_and_leaves_the_chain_whole() {
    let dir = tempfile::tempdir().unwrap();
    let disk = SmallDisk::new(2_500);
    let options = Options::default();
    let ledger = Ledger::open_on(dir.path(), options, Box::new(disk.clone())).unwrap();
    let mut kept = 0;
    let error = loop {
        match ledger.append(&sample(kept)).await {
            Ok(seq) => kept = seq + 1,
            Err(error) => break error,
        }
    };
    assert!(kept > 0 && error.is_full(), "{error}");
    assert!(ledger.append(&sample(kept)).await.unwrap_err().is_full());
    assert_eq!(ledger.next_seq(), kept);
    assert_eq!(bad(dir.path()), None, "the partial write was cut off");

    // As long as the partial write cannot be cut off, nothing may be written after it.
    disk.broken_truncate.store(true, Ordering::SeqCst);
    disk.room.store(10, Ordering::SeqCst);
    assert!(ledger.append(&sample(kept)).await.unwrap_err().is_full());
    disk.room.store(i64::MAX, Ordering::SeqCst);
    assert!(ledger.append(&sample(kept)).await.is_err());

    disk.broken_truncate.store(false, Ordering::SeqCst);
    fill(&ledger, kept, kept + 3).await;
    drop(ledger);
    assert_eq!(records(dir.path(), 0), samples(0..kept + 3));
    assert_eq!(bad(dir.path()), None);
}

#[tokio::test]
async fn an_unsynced_record_is_not_acknowledged_under_sync_always() {
    let dir = tempfile::tempdir().unwrap();
    let disk = SmallDisk::new(i64::MAX);
    let options = Options {
        sync: Sync::Always,
        ..Options::default()
    };
    let ledger = Ledger::open_on(dir.path(), options, Box::new(disk.clone())).unwrap();
    fill(&ledger, 0, 1).await;
    disk.broken_sync.store(true, Ordering::SeqCst);
    assert!(ledger.append(&sample(1)).await.is_err());
    assert!(ledger.append(&sample(1)).await.is_err());
    disk.broken_sync.store(false, Ordering::SeqCst);
    fill(&ledger, 1, 2).await;
    drop(ledger);
    assert_eq!(records(dir.path(), 0), samples(0..2));
}

#[test]
fn the_documented_recipe_agrees() {
    let dir = made(4, 1_500);
    let recipe = |dir: &Path| {
        let doc = include_str!("mod.rs");
        let (_, rest) = doc.split_once("```bash\n").unwrap();
        let (script, _) = rest.split_once("//! ```").unwrap();
        let script = script.lines().map(|line| line.trim_start_matches("//! "));
        let script = format!("set -o pipefail\n{}", script.collect::<Vec<_>>().join("\n"));
        fs::create_dir_all(dir.join("x/ledger")).unwrap();
        for segment in segment::list(dir).unwrap() {
            let to = dir.join("x/ledger").join(segment.path.file_name().unwrap());
            fs::copy(&segment.path, to).unwrap();
        }
        let mut bash = std::process::Command::new("bash");
        bash.args(["-c", &script])
            .current_dir(dir.join("x"))
            .output()
            .unwrap()
    };
    let out = recipe(dir.path());
    assert!(out.status.success() && out.stdout.is_empty(), "{out:?}");
    let text = lines(dir.path())
        .concat()
        .replacen("\"status\":200", "\"status\":201", 1);
    fs::write(dir.path().join(segment::name(0)), text).unwrap();
    let out = recipe(dir.path());
    assert!(!out.status.success(), "{out:?}");
    assert!(out.stdout.starts_with(b"broken at: {\"seq\":0,"), "{out:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// However appends, reopenings and segment sizes interleave, what was acknowledged is there.
    #[test]
    fn any_history_reads_back(
        runs in prop::collection::vec(0u64..12, 1..5),
        segment_bytes in 1u64..6_000,
        from in 0u64..50,
    ) {
        let dir = tempfile::tempdir().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let mut total = 0;
        for run in runs {
            let options = Options { segment_bytes, ..Options::default() };
            let ledger = Ledger::open(dir.path(), options).unwrap();
            prop_assert_eq!(ledger.next_seq(), total);
            runtime.block_on(fill(&ledger, total, total + run));
            total += run;
        }
        prop_assert_eq!(verify(dir.path()).unwrap().records, total);
        let from = from.min(total);
        prop_assert_eq!(records(dir.path(), from), samples(from..total));
    }
}
