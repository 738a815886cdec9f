//! `kill -9` of the process that writes the ledger, at a thousand random points: no acknowledged
//! record is lost, none stands twice, and the ledger and its checkpoints hold.

use crate::records::record;
use std::collections::{HashMap, HashSet};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use tollgate_analytics::ledger::checkpoint::Checkpointer;
use tollgate_analytics::ledger::{self, Check, Ledger, Options, Reader, key, verify};
use uuid::Uuid;

const DIR: &str = "TOLLGATE_TEST_LEDGER_DIR";
const ACKNOWLEDGED: &str = "acknowledged ";
const RUNS: u64 = 1_000;
/// After so many runs the ledger is looked through and another one begun.
const RUNS_OF_A_LEDGER: u64 = 25;
/// A machine too slow for all the runs does as many as this allows, and says so.
const TIME_MAX: Duration = Duration::from_secs(60);
/// Small, so that many runs end near the change of a segment.
const SEGMENT_BYTES: u64 = 40_000;

#[test]
fn a_thousand_killed_writers_lose_no_acknowledged_record_and_repeat_none() {
    let started = Instant::now();
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    let (mut runs, mut acknowledged) = (0, 0);
    let mut signed = 0;
    while runs < RUNS && started.elapsed() < TIME_MAX {
        let dir = tempfile::tempdir().unwrap();
        let mut heard = HashMap::new();
        for _ in 0..RUNS_OF_A_LEDGER {
            run(dir.path(), &mut random, &mut heard);
            runs += 1;
        }
        signed += check(dir.path(), &heard);
        acknowledged += heard.len();
    }
    println!("{runs} runs, {acknowledged} records acknowledged, {signed} checkpoints");
    assert!(runs >= RUNS / 5, "only {runs} runs in {TIME_MAX:?}");
    assert!(acknowledged as u64 > runs && signed > 0);
}

/// One writer, killed after a random number of answers and a random moment.
fn run(dir: &Path, random: &mut Random, heard: &mut HashMap<u64, Uuid>) {
    let mut writer = Command::new(std::env::current_exe().unwrap())
        .args([
            "--ignored",
            "--exact",
            "--nocapture",
            "crash::writes_until_killed",
        ])
        .env(DIR, dir)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(writer.stderr.take().unwrap()).lines();
    let last = 1 + random.below(60);
    let mut seen = 0;
    // What it still says before it dies is acknowledged too: read on to the end.
    while let Some(Ok(line)) = lines.next() {
        let Some((seq, id)) = line
            .strip_prefix(ACKNOWLEDGED)
            .and_then(|l| l.split_once(' '))
        else {
            panic!("the writer failed: {line}")
        };
        let before = heard.insert(seq.parse().unwrap(), id.parse().unwrap());
        assert_eq!(before, None, "record {seq} was acknowledged twice");
        seen += 1;
        if seen == last {
            std::thread::sleep(Duration::from_micros(random.below(3_000)));
            writer.kill().unwrap();
        }
    }
    writer.wait().unwrap();
    assert!(seen >= last, "the writer ended by itself");
}

/// Looks through a ledger after its runs; the number of checkpoints in it.
fn check(dir: &Path, heard: &HashMap<u64, Uuid>) -> u64 {
    let mut report = verify(dir).unwrap();
    if report
        .first_bad
        .as_ref()
        .is_some_and(|bad| bad.kind == ledger::BadKind::TruncatedTail)
    {
        // The kill came in the middle of a write: set aside at the next opening.
        drop(Ledger::open(dir, Options::default()).unwrap());
        report = verify(dir).unwrap();
    }
    assert!(report.is_sound(), "{report:?}");
    let entries = Reader::new(dir, 0).next_block(usize::MAX).unwrap();
    assert_eq!(entries.len() as u64, report.records);
    let ids: HashSet<Uuid> = entries.iter().map(|entry| entry.record.exchange).collect();
    assert_eq!(ids.len(), entries.len(), "some record stands twice");
    for (seq, id) in heard {
        let entry = &entries[*seq as usize];
        assert_eq!(entry.record.exchange, *id, "record {seq}");
        let whole = record(entry.record.request_bytes);
        assert_eq!(entry.record, ledger_record(whole, *id));
    }
    report.checkpoints
}

fn ledger_record(
    mut record: tollgate_analytics::record::Record,
    id: Uuid,
) -> tollgate_analytics::record::Record {
    record.exchange = id;
    record
}

/// Enough for choosing moments.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

#[test]
#[ignore = "the child process of the other test"]
fn writes_until_killed() {
    let dir = std::env::var_os(DIR).expect("run by the other test");
    let dir = Path::new(&dir);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_time()
        .build()
        .unwrap();
    runtime.block_on(async {
        let options = Options {
            segment_bytes: SEGMENT_BYTES,
            check: Check::LastSegment,
            ..Options::default()
        };
        let ledger = Ledger::open(dir, options).unwrap();
        let signer = key::load_or_create(&dir.join("key"), None, "").unwrap();
        let mut checkpointer = Checkpointer::open(&ledger, signer).unwrap();
        tokio::task::spawn_blocking(move || {
            loop {
                checkpointer.take().unwrap();
                std::thread::sleep(Duration::from_millis(2));
            }
        });
        let writers = (0..4).map(|_| {
            let ledger = ledger.clone();
            tokio::spawn(async move {
                for n in 0.. {
                    let id = Uuid::now_v7();
                    let record = ledger_record(record(n), id);
                    let seq = ledger.append(&record).await.unwrap();
                    // In one write, which a kill cannot cut in two.
                    let line = format!("{ACKNOWLEDGED}{seq} {id}\n");
                    std::io::stderr().write_all(line.as_bytes()).unwrap();
                }
            })
        });
        for writer in writers.collect::<Vec<_>>() {
            writer.await.unwrap();
        }
    });
}
