//! Events for security tools: all records, at least once, whatever the tool does.

use crate::gate::{Gate, Setup};
use crate::upstream::Upstream;
use axum::http::{HeaderMap, StatusCode};
use serde_json::Value;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A tool that refuses the first delivery, and what it took.
async fn tool() -> (String, Arc<Mutex<Vec<Value>>>) {
    let taken: Arc<Mutex<Vec<Value>>> = Arc::default();
    let (inside, refused) = (Arc::clone(&taken), Mutex::new(false));
    let take = async move |headers: HeaderMap, body: String| {
        if !std::mem::replace(&mut *refused.lock().expect("a lock"), true) {
            return StatusCode::SERVICE_UNAVAILABLE;
        }
        assert_eq!(headers["content-type"], "application/x-ndjson");
        let events = body
            .lines()
            .map(|line| serde_json::from_str(line).expect("JSON"));
        inside.lock().expect("a lock").extend(events);
        StatusCode::OK
    };
    let take = Arc::new(take);
    let service = axum::Router::new().route(
        "/events",
        axum::routing::post(move |headers: HeaderMap, body: String| {
            let take = Arc::clone(&take);
            async move { take(headers, body).await }
        }),
    );
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let url = format!(
        "http://{}/events",
        listener.local_addr().expect("an address")
    );
    tokio::spawn(async move { axum::serve(listener, service).await });
    (url, taken)
}

/// Waits until the tool has the activities of so many records.
async fn records(taken: &Mutex<Vec<Value>>, wanted: usize) -> Vec<u64> {
    for _ in 0..200 {
        let mut sequence: Vec<u64> = taken
            .lock()
            .expect("a lock")
            .iter()
            .filter(|event| event["class_uid"] == 6003)
            .filter_map(|event| event["metadata"]["sequence"].as_u64())
            .collect();
        sequence.sort_unstable();
        if sequence.len() >= wanted {
            return sequence;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{wanted} records did not arrive");
}

#[tokio::test]
async fn a_security_tool_gets_every_record_across_failures_and_a_restart() {
    let upstream = Upstream::start().await;
    let (url, taken) = tool().await;
    let setup = Setup::default()
        .endpoint("echo", "openai", &upstream.url("echo"), "\"m\"")
        .with(&format!(
            "[[siem]]\nname = \"soc\"\nto = \"{url}\"\nformat = \"ocsf\"\n"
        ));
    let gate = Gate::start(setup).await;
    let ask = async |gate: &Gate| {
        let body =
            r#"{"model":"m","messages":[{"role":"user","content":"mail jo@mail.example.org"}]}"#;
        assert_eq!(gate.post("/v1/chat/completions", body).await.status, 200);
    };
    for _ in 0..3 {
        ask(&gate).await;
    }
    assert_eq!(records(&taken, 3).await, [0, 1, 2]);
    let gate = gate.kill_and_restart().await;
    ask(&gate).await;
    let mut sequence = records(&taken, 4).await;
    // What was taken just before the end may have come twice.
    sequence.dedup();
    assert_eq!(sequence, [0, 1, 2, 3]);

    let events = taken.lock().expect("a lock").clone();
    assert!(!format!("{events:?}").contains("jo@mail"));
    let finding = events.iter().find(|event| event["class_uid"] == 2006);
    let finding = finding.expect("what was found is an event of its own");
    assert_eq!(finding["finding_info"]["types"][0], "EMAIL");
    assert_eq!(finding["is_alert"], false, "{finding}");
}
