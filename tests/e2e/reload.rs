//! What changes on the disk is taken up while the gate runs: whole or not at all, and no exchange
//! is lost over it.

use crate::gate::{Gate, Setup};
use crate::upstream::{Event, Upstream};
use rustix::process::Signal;
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use tollgate_analytics::record::Effect;

const EMAIL: &str = "nora.lindgren@brevlada.se";
const CHAT: &str = "/v1/chat/completions";

const REDACT: &str = r#"
[[rule]]
id = "names-of-people"
effect = "redact"
reason = "Personal data leaves only as placeholders."
when = { entities = ["@personal"], on_prem = false }

[[rule]]
id = "the-rest"
effect = "permit"
reason = "Nothing found."
"#;

fn ask(text: &str) -> String {
    serde_json::json!({"model": "m", "messages": [{"role": "user", "content": text}]}).to_string()
}

#[tokio::test]
async fn another_policy_decides_from_then_on_and_a_broken_one_changes_nothing() {
    let mut upstream = Upstream::start().await;
    let dir = tempfile::tempdir().expect("a directory");
    let policy = dir.path().join("policy.toml");
    fs::write(&policy, REDACT).expect("written");
    let setup = Setup::default()
        .endpoint("echo", "openai", &upstream.url("echo"), "\"m\"")
        .endpoint("stall", "openai", &upstream.url("stall"), "\"m-stall\"")
        .with(&format!("[policy]\nfile = {policy:?}"));
    let gate = Arc::new(Gate::start(setup).await);
    let about = format!("Mail {EMAIL}");
    let before = gate.reloads().await;
    let reply = gate.post(CHAT, ask(&about)).await;
    assert_eq!(
        (reply.status, reply.text()),
        (200, format!("You said: {about}"))
    );
    let first = gate.record(reply.exchange()).await.decision;
    assert_eq!(first.effect, Effect::Redact);

    // An exchange that goes on while all that follows happens, and a caller that never stops.
    let stalled = tokio::spawn({
        let gate = Arc::clone(&gate);
        let body = r#"{"model": "m-stall", "stream": true, "messages": [{"role": "user", "content": "hello"}]}"#;
        async move { gate.post(CHAT, body).await }
    });
    upstream.wait_for(&Event::Arrived("stall".into())).await;
    let stop = Arc::new(AtomicBool::new(false));
    let busy = tokio::spawn({
        let (gate, stop) = (Arc::clone(&gate), Arc::clone(&stop));
        async move {
            let mut sent = 0;
            while !stop.load(Relaxed) {
                assert_eq!(gate.post(CHAT, ask("hello")).await.status, 200);
                sent += 1;
            }
            sent
        }
    });

    let stricter = REDACT.replace("\"redact\"", "\"block\"");
    fs::write(&policy, &stricter).expect("written");
    let after = gate.reloaded("configuration", "applied", 1).await;
    assert_ne!(after["policy"], before["policy"]);
    assert_eq!(after["config"], before["config"]);
    let reply = gate.post(CHAT, ask(&about)).await;
    assert_eq!(reply.status, 403);
    let second = gate.record(reply.exchange()).await.decision;
    assert_eq!(second.effect, Effect::Block);
    assert_eq!(after["policy"], second.policy.as_str());

    // Broken: it says so, and what was in force stays.
    fs::write(&policy, stricter.replace("\"permit\"", "\"permitt\"")).expect("written");
    let broken = gate.reloaded("configuration", "refused", 1).await;
    assert_eq!(broken["policy"], after["policy"]);
    let problem = broken["configuration"]["problem"].as_str().expect("said");
    assert!(
        problem.contains("policy.toml") && problem.contains("line"),
        "{problem}"
    );
    assert_eq!(gate.post(CHAT, ask(&about)).await.status, 403);
    assert!(
        gate.readiness()
            .await
            .contains("ready\nconfiguration: refused")
    );
    let metrics = gate.metrics().await;
    assert!(metrics.contains("tollgate_reload_refused{part=\"configuration\"} 1"));
    assert!(gate.log().contains("the configuration was refused"));

    // The same for the configuration itself.
    let config = fs::read_to_string(gate.config()).expect("read");
    fs::write(gate.config(), format!("{config}\n[nonsense]\n")).expect("written");
    let refused = gate.reloaded("configuration", "refused", 2).await;
    let problem = refused["configuration"]["problem"].as_str().expect("said");
    assert!(problem.contains("nonsense"), "{problem}");
    stop.store(true, Relaxed);
    assert!(busy.await.expect("no exchange was lost") > 0);

    // A hang-up asks for it at once.
    fs::write(&policy, REDACT).expect("written");
    let moved = config.replace("threads = 2", "threads = 3");
    fs::write(gate.config(), &moved).expect("written");
    gate.signal(Signal::HUP);
    let again = gate.reloaded("configuration", "applied", 2).await;
    assert_eq!(again["policy"], before["policy"]);
    assert_eq!(again["configuration"]["problem"], serde_json::Value::Null);
    assert_eq!(again["needs_restart"], serde_json::json!(["listen"]));
    assert!(gate.readiness().await.contains("needs a restart: listen"));
    assert_eq!(gate.post(CHAT, ask(&about)).await.status, 200);

    // The exchange from before all this ends as it began.
    upstream.go_on();
    let reply = stalled.await.expect("an answer");
    assert_eq!((reply.status, reply.text().as_str()), (200, "first second"));
    let record = gate.record(reply.exchange()).await;
    assert_eq!(record.decision.policy, first.policy);

    let acts = gate.command(&["ledger", "acts", "--json"]);
    let policies: Vec<serde_json::Value> = acts
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter(|line| line["act"]["act"]["kind"] == "reloaded")
        .map(|line| line["act"]["act"]["policy"].clone())
        .collect();
    let (before, after) = (&before["policy"], &after["policy"]);
    assert_eq!(policies.first(), Some(after), "{acts}");
    assert_eq!(policies.last(), Some(before), "{acts}");
}
