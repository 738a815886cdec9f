//! `kill -9` of the process that writes the ledger loses no acknowledged record.

use crate::records::record;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use tollgate_analytics::ledger::{Ledger, Reader, verify};

const DIR: &str = "TOLLGATE_TEST_LEDGER_DIR";
const ACKNOWLEDGED: &str = "acknowledged ";

#[test]
fn a_killed_writer_loses_no_acknowledged_record() {
    let dir = tempfile::tempdir().unwrap();
    let mut acknowledged = 0;
    for round in 1..=4 {
        let mut writer = Command::new(std::env::current_exe().unwrap())
            .args([
                "--ignored",
                "--exact",
                "--nocapture",
                "crash::writes_until_killed",
            ])
            .env(DIR, dir.path())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(writer.stderr.take().unwrap()).lines();
        let mut heard = 0;
        for line in lines.map_while(Result::ok) {
            let Some(seq) = line.strip_prefix(ACKNOWLEDGED) else {
                panic!("the writer failed: {line}")
            };
            acknowledged = acknowledged.max(seq.parse::<u64>().unwrap() + 1);
            heard += 1;
            if heard == 300 * round {
                // What it still says before it dies is acknowledged too: read on to the end.
                writer.kill().unwrap();
            }
        }
        writer.wait().unwrap();
        let kept = verify(dir.path()).unwrap();
        assert!(
            kept.records >= acknowledged,
            "{} of {acknowledged}",
            kept.records
        );
        let ledger = Ledger::open(dir.path(), Default::default()).unwrap();
        assert_eq!(ledger.next_seq(), kept.records);
    }
    let entries = Reader::new(dir.path(), 0).next_block(usize::MAX).unwrap();
    assert!(entries.len() as u64 >= acknowledged && acknowledged >= 3_000);
    for entry in entries {
        assert_eq!(entry.record, record(entry.record.request_bytes));
    }
}

#[test]
#[ignore = "the child process of the other test"]
fn writes_until_killed() {
    let dir = std::env::var_os(DIR).expect("run by the other test");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(async {
        let ledger = Ledger::open(dir.as_ref(), Default::default()).unwrap();
        let from = ledger.next_seq();
        let writers = (0..8).map(|writer| {
            let ledger = ledger.clone();
            tokio::spawn(async move {
                for n in 0.. {
                    let seq = ledger.append(&record(from + n * 8 + writer)).await.unwrap();
                    // In one write, which a kill cannot cut in two.
                    let line = format!("{ACKNOWLEDGED}{seq}\n");
                    std::io::stderr().write_all(line.as_bytes()).unwrap();
                }
            })
        });
        for writer in writers.collect::<Vec<_>>() {
            writer.await.unwrap();
        }
    });
}
