//! `kill -9` under load: every exchange that a caller saw completed is in the store exactly once.

use crate::gate::{Gate, Setup};
use crate::leak_checker::LeakChecker;
use crate::upstream::Upstream;
use serde::Deserialize;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

const EMAIL: &str = "nora.lindgren@brevlada.se";
const CALLERS: usize = 8;
/// Exchanges acknowledged before the kill.
const ACKNOWLEDGED_MIN: usize = 400;

/// Where a gate's store is reached (`run/store.json` in the data directory).
#[derive(Deserialize)]
struct RunFile {
    address: String,
    token: String,
}

/// Asks the store over plain HTTP, as `curl` would. `None` while it is not up.
async fn ask(gate: &Gate, sql: &str) -> Option<String> {
    let text = std::fs::read(gate.data().join("run/store.json")).ok()?;
    let run: RunFile = serde_json::from_slice(&text).ok()?;
    let url = format!("http://{}/", run.address);
    let request = gate
        .client()
        .post(url)
        .header("x-clickhouse-user", "default");
    let response = request
        .header("x-clickhouse-key", &run.token)
        .body(sql.to_string())
        .send()
        .await
        .ok()?;
    let status = response.status();
    let text = response.text().await.ok()?;
    assert!(status.is_success(), "the store refused {sql}: {text}");
    Some(text)
}

/// Calls without pause until told to stop, or until the gate is gone; tells each exchange whose
/// whole answer arrived.
async fn call(
    client: reqwest::Client,
    url: String,
    number: usize,
    stop: Arc<AtomicBool>,
    acknowledged: mpsc::UnboundedSender<Uuid>,
) {
    let text = format!("caller {number} writes to {EMAIL}");
    let body = serde_json::json!({"model": "m", "messages": [{"role": "user", "content": text}]});
    while !stop.load(Relaxed) {
        let Ok(response) = client.post(&url).json(&body).send().await else {
            continue;
        };
        let id = response.headers()["tollgate-exchange"]
            .to_str()
            .expect("ASCII")
            .parse()
            .expect("a UUID");
        let status = response.status();
        if response.bytes().await.is_ok() && status.is_success() {
            let _ = acknowledged.send(id);
        }
    }
}

#[tokio::test]
async fn kill_under_load_loses_no_acknowledged_exchange_and_doubles_none() {
    let upstream = Upstream::start().await;
    let setup = Setup {
        store: true,
        ..Setup::default().endpoint("echo", "openai", &upstream.url("echo"), "\"m\"")
    };
    let gate = Gate::start(setup).await;
    let (sender, mut receiver) = mpsc::unbounded_channel();
    let stop = Arc::new(AtomicBool::new(false));
    let callers: Vec<_> = (0..CALLERS)
        .map(|number| {
            let client = reqwest::Client::builder()
                .timeout(Duration::from_secs(20))
                .build()
                .expect("a client");
            let url = format!("{}/v1/chat/completions", gate.url);
            tokio::spawn(call(client, url, number, Arc::clone(&stop), sender.clone()))
        })
        .collect();
    drop(sender);
    let mut acknowledged = HashSet::new();
    while acknowledged.len() < ACKNOWLEDGED_MIN {
        acknowledged.insert(receiver.recv().await.expect("callers at work"));
    }
    // The callers are still calling: the kill hits exchanges under way.
    let gate = {
        let stop_after = Arc::clone(&stop);
        let restart = gate.kill_and_restart();
        stop_after.store(true, Relaxed);
        restart.await
    };
    for caller in callers {
        caller.await.expect("no caller panics");
    }
    while let Some(id) = receiver.recv().await {
        acknowledged.insert(id);
    }

    // One more, so that there is a last record to wait for.
    let last = gate
        .post("/v1/chat/completions", r#"{"model":"m","messages":[]}"#)
        .await
        .exchange();
    acknowledged.insert(last);
    let records = gate.records();
    let started = Instant::now();
    let rows = loop {
        let rows = ask(
            &gate,
            "SELECT exchange, count() FROM exchanges GROUP BY exchange FORMAT TSV",
        )
        .await;
        let rows = rows.unwrap_or_default();
        if rows.lines().count() >= records.len() {
            break rows;
        }
        assert!(
            started.elapsed() < Duration::from_secs(60),
            "the store did not catch up:\n{}",
            gate.log()
        );
        sleep(Duration::from_millis(100)).await;
    };
    let counts: HashMap<Uuid, u32> = rows
        .lines()
        .map(|row| row.split_once('\t').expect("two columns"))
        .map(|(id, count)| (id.parse().expect("a UUID"), count.parse().expect("a count")))
        .collect();
    assert!(
        counts.values().all(|count| *count == 1),
        "some exchange is in the store twice"
    );
    let lost = acknowledged
        .iter()
        .filter(|id| !counts.contains_key(id))
        .count();
    assert_eq!(lost, 0, "of {} acknowledged exchanges", acknowledged.len());
    assert_eq!(
        counts.len(),
        records.len(),
        "the store holds what the ledger holds"
    );

    let checker = LeakChecker::new([("the load", "EMAIL", EMAIL)]);
    let rows = ask(&gate, "SELECT * FROM exchanges FORMAT JSONEachRow")
        .await
        .expect("rows");
    crate::gate::assert_no_leaks(&checker.search("the store's rows", rows.as_bytes()));
    gate.assert_clean(&checker).await;

    let mut gate = gate;
    gate.stop().await;
    let verified = tokio::process::Command::new(env!("CARGO_BIN_EXE_tollgate"))
        .args(["ledger", "verify", "--config"])
        .arg(gate.data().with_file_name("tollgate.toml"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .await
        .expect("the binary runs");
    assert!(
        verified.status.success(),
        "{}",
        String::from_utf8_lossy(&verified.stderr)
    );
}
