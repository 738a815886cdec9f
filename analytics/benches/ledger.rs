//! What the ledger costs: an append in both modes, the check, the start.
//!
//! `cargo bench -p tollgate-analytics --bench ledger`; the figures are kept in `benches/RESULTS.md`.

use std::path::Path;
use std::time::{Duration, Instant};
use tollgate_analytics::ledger::checkpoint::Checkpointer;
use tollgate_analytics::ledger::{Check, Ledger, Options, Sync, Tree, key, verify};
use tollgate_analytics::record::Record;

/// A record as the gate writes it, a little over 1 KB as a line.
const RECORD: &str = r#"{"exchange":"01980000-0000-7000-8000-000000000001","started_us":1796083140000000,"caller":"key-1","team":"payments","wire":"openai","operation":"chat","stream":true,"model":"gpt-*","route":{"endpoint":"openai","jurisdiction":"US","transfer_basis":"scc","on_prem":false,"simulated":true},"decision":{"effect":"redact","rule":"personal-data","reason":"holds personal data","policy":"0123456789abcdef"},"findings":{"EMAIL":2,"PERSON":3},"replaced":5,"restored":4,"outcome":"answered","error":"","status":200,"request_bytes":1234,"upstream_bytes":1200,"response_bytes":4321,"usage":{"input":300,"cache_read":0,"cache_write":0,"output":40,"reasoning":0,"estimated":false},"cost":{"standing":"priced","nano_usd":123000,"price":"openai/gpt-4o@2026-01-01"},"timing":{"total_us":900000,"gate_us":200,"inspect_cpu_us":150,"upstream_first_byte_us":300000}}"#;

fn main() {
    let record: Record = serde_json::from_str(RECORD).expect("a record");
    let relaxed = Options::default().sync;
    // As fast as it goes, and as a busy gate would: a millisecond between a caller's appends.
    let pause = Some(Duration::from_millis(1));
    for (name, sync, records, callers, pause) in [
        ("relaxed", relaxed, 100_000, 1, None),
        ("relaxed", relaxed, 40_000, 8, pause),
        ("relaxed", relaxed, 100_000, 8, None),
        ("strict", Sync::Always, 2_000, 1, None),
        ("strict", Sync::Always, 4_000, 8, None),
    ] {
        let dir = tempfile::tempdir().expect("a directory");
        let options = Options {
            sync,
            ..Options::default()
        };
        append(dir.path(), options, &record, callers, 1_000, None);
        let pace = pause.map_or("without pause", |_| "1 ms apart");
        print!("append, {name}, {callers} callers, {pace}: ");
        tell(append(
            dir.path(),
            options,
            &record,
            callers,
            records,
            pause,
        ));
    }
    checks(&record);
}

/// CPU time of this thread so far.
fn cpu() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux");
    let nanoseconds = text.split(' ').next().and_then(|first| first.parse().ok());
    Duration::from_nanos(nanoseconds.expect("a number"))
}

/// The time of each append, while checkpoints are signed every 100 ms.
fn append(
    dir: &Path,
    options: Options,
    record: &Record,
    callers: usize,
    records: usize,
    pause: Option<Duration>,
) -> (Vec<Duration>, Duration) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_time()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let ledger = Ledger::open(dir, options).expect("a ledger");
        let signer = key::load_or_create(&dir.join("key"), None, "").expect("a key");
        let mut checkpointer = Checkpointer::open(&ledger, signer).expect("checkpoints");
        let (stop, stopped) = std::sync::mpsc::channel::<()>();
        let signing = std::thread::spawn(move || {
            while stopped.recv_timeout(Duration::from_millis(100)).is_err() {
                checkpointer.take().expect("signed");
            }
        });
        let started = Instant::now();
        let tasks: Vec<_> = (0..callers)
            .map(|_| {
                let (ledger, record) = (ledger.clone(), record.clone());
                tokio::spawn(async move {
                    let mut times = Vec::with_capacity(records / callers);
                    for _ in 0..records / callers {
                        let before = Instant::now();
                        ledger.append(&record).await.expect("appended");
                        times.push(before.elapsed());
                        if let Some(pause) = pause {
                            tokio::time::sleep(pause).await;
                        }
                    }
                    times
                })
            })
            .collect();
        let mut times = Vec::new();
        for task in tasks {
            times.extend(task.await.expect("a caller"));
        }
        let took = started.elapsed();
        stop.send(()).expect("it runs");
        signing.join().expect("it ended");
        (times, took)
    })
}

fn tell((mut times, took): (Vec<Duration>, Duration)) {
    times.sort_unstable();
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e6;
    println!(
        "p50 {:.0} us, p99 {:.0} us, p99.9 {:.0} us, {:.0} records/s",
        at(0.5),
        at(0.99),
        at(0.999),
        times.len() as f64 / took.as_secs_f64()
    );
}

/// A ledger of 500,000 records: what a check, a start and a proof take.
fn checks(record: &Record) {
    let dir = tempfile::tempdir().expect("a directory");
    append(dir.path(), Options::default(), record, 8, 500_000, None);
    for _ in 0..2 {
        let (started, on_cpu) = (Instant::now(), cpu());
        let report = verify(dir.path()).expect("readable");
        let took = started.elapsed().as_secs_f64();
        let on_cpu = (cpu() - on_cpu).as_secs_f64();
        assert!(report.is_sound());
        let megabytes = report.bytes as f64 / 1e6;
        println!(
            "verify: {} records, {megabytes:.0} MB: {:.0} MB/s, {:.0} MB per CPU second",
            report.records,
            megabytes / took,
            megabytes / on_cpu
        );
    }
    let (started, on_cpu) = (Instant::now(), cpu());
    let options = Options {
        check: Check::LastSegment,
        ..Options::default()
    };
    drop(Ledger::open(dir.path(), options).expect("a ledger"));
    println!(
        "start: {:.0} ms, {:.0} ms of CPU",
        started.elapsed().as_secs_f64() * 1e3,
        (cpu() - on_cpu).as_secs_f64() * 1e3
    );

    let mut tree = Tree::open(dir.path()).expect("a tree");
    let size = tree.size();
    let started = Instant::now();
    tree.inclusion(size / 2, size).expect("a proof");
    println!(
        "first proof of a segment: {:.1} ms",
        started.elapsed().as_secs_f64() * 1e3
    );
    let started = Instant::now();
    for index in 0..1_000 {
        tree.inclusion(size / 2 + index, size).expect("a proof");
    }
    println!(
        "each further one: {:.1} us",
        started.elapsed().as_secs_f64() * 1e3
    );
}
