//! Exactly once, whatever happens to the store.

use crate::child::Store;
use crate::records::fill;
use clickhouse::{Client, Row};
use serde::Deserialize;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tollgate_analytics::ledger::{self, Ledger};
use tollgate_analytics::ship::{Error, Options, Shipper, rebuild};

#[derive(Debug, PartialEq, Row, Deserialize)]
struct Held {
    rows: u64,
    distinct: u64,
    highest: u64,
    bytes: u64,
    months: u64,
}

/// What the store holds of `exchanges`.
async fn held(client: &Client) -> Held {
    let sql = "SELECT count() AS rows, uniqExact(exchange) AS distinct, max(seq) AS highest, \
               sum(request_bytes) AS bytes, uniqExact(toYYYYMM(started)) AS months FROM exchanges";
    client.query_raw(sql).fetch_one().await.unwrap()
}

/// What it must hold after records `0..n`; the 60,000th begins the next month.
fn expected(n: u64) -> Held {
    let months = if n > 60_000 { 2 } else { 1 };
    Held {
        rows: n,
        distinct: n,
        highest: n - 1,
        bytes: n * (n - 1) / 2,
        months,
    }
}

fn options() -> Options {
    Options {
        block_records_max: 500,
        linger: Duration::from_millis(1),
        backoff: (Duration::from_millis(10), Duration::from_millis(100)),
        ..Options::default()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killing_the_store_loses_and_repeats_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (ledger_dir, store_dir) = (dir.path().join("ledger"), dir.path().join("store"));
    let ledger = Ledger::open(&ledger_dir, Default::default()).unwrap();
    let mut store = Store::start(&store_dir);
    let client = store.client();
    let (shipper, mut status) = Shipper::with_options(&ledger, client.clone(), options());
    let (stop, stopped) = watch::channel(false);
    let running = tokio::spawn(shipper.run(stopped));

    let mut written = 0;
    for round in 1..=3 {
        // Appending goes on while the store is killed at some point of the shipping, and while
        // it is away.
        fill(&ledger, written, written + 10_000).await;
        let reached = written + 500 + 1_000 * round;
        status
            .wait_for(|status| status.shipped >= reached)
            .await
            .unwrap();
        let address = store.address;
        store.kill();
        let fails = status.borrow().errors;
        fill(&ledger, written + 10_000, written + 12_000).await;
        written += 12_000;
        status
            .wait_for(|status| status.errors > fails)
            .await
            .unwrap();
        assert!(status.borrow().failing.is_some());
        store = Store::start_on(&store_dir, address);
    }
    status
        .wait_for(|status| status.shipped == written)
        .await
        .unwrap();
    assert_eq!(held(&client).await, expected(written));

    // The end: what was recorded last is shipped before the shipper ends.
    fill(&ledger, written, written + 100).await;
    stop.send_replace(true);
    running.await.unwrap().unwrap();
    assert_eq!(status.borrow().lag(), 0);
    assert_eq!(held(&client).await, expected(written + 100));
    assert!(store.stop().success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn catching_up_and_rebuilding_give_the_same() {
    const RECORDS: u64 = 61_000;
    let dir = tempfile::tempdir().unwrap();
    let (ledger_dir, store_dir) = (dir.path().join("ledger"), dir.path().join("store"));
    let ledger = Ledger::open(&ledger_dir, Default::default()).unwrap();
    let appending = Instant::now();
    fill(&ledger, 0, RECORDS).await;
    let appended = appending.elapsed();

    let store = Store::start(&store_dir);
    let client = store.client();
    let (shipper, status) = Shipper::new(&ledger, client.clone());
    // Loads the engine and makes the tables, so that only shipping is timed.
    tollgate_analytics::migrate::migrate(&client).await.unwrap();
    let shipping = Instant::now();
    assert_eq!(shipper.catch_up_once().await.unwrap(), RECORDS);
    let shipped = shipping.elapsed();
    assert_eq!(held(&client).await, expected(RECORDS));
    assert_eq!(shipper.catch_up_once().await.unwrap(), 0);
    assert_eq!(status.borrow().last_shipped(), Some(RECORDS - 1));
    // Printed for the record; the machine's load decides, so nothing is asserted.
    let rate = |amount: u64, time: Duration| amount as f64 / time.as_secs_f64();
    let verifying = Instant::now();
    let bytes = ledger::verify(&ledger_dir).unwrap().bytes;
    println!(
        "appended {:.0} records/s, shipped {:.0} records/s, verified {:.0} MB/s ({} B/record)",
        rate(RECORDS, appended),
        rate(RECORDS, shipped),
        rate(bytes, verifying.elapsed()) / 1e6,
        bytes / RECORDS,
    );

    // Another database, from the files alone.
    let other = client.clone().with_database("rebuilt");
    let held_by_us = rebuild(&ledger_dir, &other).await;
    assert!(matches!(
        held_by_us,
        Err(Error::Ledger(ledger::Error::Locked { .. }))
    ));
    drop((shipper, ledger));
    assert_eq!(rebuild(&ledger_dir, &other).await.unwrap(), RECORDS);
    assert_eq!(held(&other).await, expected(RECORDS));
    let ledger = Ledger::open(&ledger_dir, Default::default()).unwrap();
    fill(&ledger, RECORDS, RECORDS + 10).await;
    drop(ledger);
    assert_eq!(rebuild(&ledger_dir, &other).await.unwrap(), 10);
    assert_eq!(held(&other).await, expected(RECORDS + 10));
    assert!(store.stop().success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn erased_records_are_not_shipped_and_not_missed() {
    const RECORDS: u64 = 200;
    let dir = tempfile::tempdir().unwrap();
    let (ledger_dir, store_dir) = (dir.path().join("ledger"), dir.path().join("store"));
    let options = ledger::Options {
        segment_bytes: 20_000,
        ..Default::default()
    };
    let ledger = Ledger::open(&ledger_dir, options).unwrap();
    // One after the other: written at once, they would be one segment.
    for n in 0..RECORDS {
        fill(&ledger, n, n + 1).await;
    }
    drop(ledger);
    let first = |record: &tollgate_analytics::record::Record| record.request_bytes % 10 == 3;
    let erased = ledger::erase(&ledger_dir, first, false).unwrap().records;
    assert!(erased > 10);

    let store = Store::start(&store_dir);
    let client = store.client();
    // What is counted is how far the ledger is, not how many rows that made.
    assert_eq!(rebuild(&ledger_dir, &client).await.unwrap(), RECORDS);
    let count = || {
        client
            .query_raw("SELECT count() FROM exchanges")
            .fetch_one::<u64>()
    };
    assert_eq!(count().await.unwrap(), RECORDS - erased);
    let ledger = Ledger::open(&ledger_dir, options).unwrap();
    fill(&ledger, RECORDS, RECORDS + 10).await;
    drop(ledger);
    assert_eq!(rebuild(&ledger_dir, &client).await.unwrap(), 10);
    assert_eq!(count().await.unwrap(), RECORDS + 10 - erased);
    // Erased after they were shipped: the rows stay, and nothing is found missing.
    ledger::erase(&ledger_dir, |record| record.request_bytes % 10 == 4, false).unwrap();
    assert_eq!(rebuild(&ledger_dir, &client).await.unwrap(), 0);
    assert!(store.stop().success());
}
