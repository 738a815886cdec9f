//! The ledger as an auditor meets it: what the gate leaves behind, checked with the commands.

use crate::gate::{Gate, Setup};
use crate::upstream::Upstream;
use std::path::Path;
use tokio::process::Command;

/// What a command said, and whether it was content.
async fn tollgate(gate: &Gate, arguments: &[&str]) -> (bool, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_tollgate"))
        .args(arguments)
        .arg("--config")
        .arg(gate.data().with_file_name("tollgate.toml"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .await
        .expect("the binary runs");
    let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
    text += &String::from_utf8_lossy(&output.stderr);
    (output.status.success(), text)
}

fn first_segment(ledger: &Path) -> std::path::PathBuf {
    ledger.join(format!("{:020}.log", 0))
}

#[tokio::test]
async fn a_gate_leaves_a_ledger_that_an_auditor_can_check() {
    let upstream = Upstream::start().await;
    let setup = Setup {
        ledger: "checkpoint_interval_s = 1\nmode = \"strict\"",
        ..Setup::default().endpoint("echo", "openai", &upstream.url("echo"), "\"m\"")
    };
    let mut gate = Gate::start(setup).await;
    let ask = async |gate: &Gate| {
        let body = r#"{"model":"m","messages":[{"role":"user","content":"hello"}]}"#;
        assert_eq!(gate.post("/v1/chat/completions", body).await.status, 200);
    };
    for _ in 0..3 {
        ask(&gate).await;
    }
    let (done, key) = tollgate(&gate, &["ledger", "key"]).await;
    assert!(done, "{key}");
    let key = key.trim();

    // While it runs, it signs by itself: an auditor takes a copy home.
    let mut kept = String::new();
    for _ in 0..100 {
        let (_, text) = tollgate(&gate, &["ledger", "checkpoint"]).await;
        if text.lines().nth(1) == Some("3") {
            kept = text;
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    assert!(kept.starts_with("tollgate/"), "{kept}");
    let kept_file = gate.data().join("kept");
    std::fs::write(&kept_file, kept).expect("written");
    let against = kept_file.to_str().expect("a path").to_owned();
    ask(&gate).await;
    gate.stop().await;

    let verify = [
        "ledger",
        "verify",
        "--json",
        "--key",
        key,
        "--against",
        &against,
    ];
    let (sound, text) = tollgate(&gate, &verify).await;
    assert!(sound, "{text}");
    let report: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(report["records"], 4, "{report}");
    assert_eq!(
        report["signed"], 4,
        "the last checkpoint is for all: {report}"
    );

    // What was done to the gate is on record as well, and signed for.
    let acts = gate.data().join("acts");
    let acts = acts.to_str().expect("a path");
    let (done, text) = tollgate(&gate, &["keys", "create", "--name", "ci"]).await;
    assert!(done, "{text}");
    let (sound, text) = tollgate(&gate, &["ledger", "verify", "--json", "--dir", acts]).await;
    assert!(sound, "{text}");
    let report: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(
        (&report["records"], &report["signed"]),
        (&2.into(), &2.into())
    );
    let (_, text) = tollgate(&gate, &["ledger", "acts"]).await;
    assert!(
        text.contains("gate_started") && text.contains("key_created"),
        "{text}"
    );

    // The only segment is open still: nothing can be erased yet.
    let erase = [
        "ledger",
        "erase",
        "--before",
        "2100-01-01",
        "--jurisdiction",
        "US",
        "--yes",
    ];
    let (done, text) = tollgate(&gate, &erase).await;
    assert!(
        done && text.contains("erased nothing of 0 records"),
        "{text}"
    );

    // What leaves the house is checked without us.
    let bundle = gate.data().join("bundle");
    let out = bundle.to_str().expect("a path");
    let (done, text) = tollgate(&gate, &["ledger", "export", "--from", "1", "--out", out]).await;
    assert!(done && text.contains("3 records from 1 on"), "{text}");
    let checked = Command::new("python3")
        .args(["verify.py", "--key", key])
        .current_dir(&bundle)
        .output();
    let checked = checked.await.expect("python3 runs");
    assert!(checked.status.success(), "{checked:?}");

    // Somebody cuts the tail off and clears away what was signed for it.
    let ledger = gate.data().join("ledger");
    let text = std::fs::read_to_string(first_segment(&ledger)).expect("a segment");
    let first = text.split_inclusive('\n').next().expect("a line");
    std::fs::write(first_segment(&ledger), first).expect("written");
    let (sound, text) = tollgate(&gate, &["ledger", "verify"]).await;
    assert!(
        !sound && text.contains("record 1 and all up to record 3 were cut off"),
        "{text}"
    );
    std::fs::remove_file(ledger.join("checkpoints")).expect("removed");
    let (sound, _) = tollgate(&gate, &["ledger", "verify"]).await;
    assert!(sound, "by itself it fits");
    let (sound, text) = tollgate(&gate, &verify).await;
    assert!(!sound && text.contains("cut_off"), "{text}");
}

/// Asks until an answer is not 200, or 100 are.
async fn fill(gate: &Gate) -> Option<u16> {
    let body = r#"{"model":"m","messages":[{"role":"user","content":"hello"}]}"#;
    for _ in 0..100 {
        let reply = gate.post("/v1/chat/completions", body).await;
        if reply.status != 200 {
            return Some(reply.status);
        }
    }
    None
}

#[tokio::test]
async fn a_full_disk_refuses_unless_it_is_told_to_go_on() {
    let upstream = Upstream::start().await;
    let setup = |ledger| Setup {
        ledger,
        // Some twenty records.
        file_kib_max: Some(16),
        ..Setup::default().endpoint("echo", "openai", &upstream.url("echo"), "\"m\"")
    };
    let gate = Gate::start(setup("")).await;
    assert_eq!(fill(&gate).await, Some(503));
    let recorded = gate.records().len();
    assert!((10..40).contains(&recorded), "{recorded} records");

    let mut gate = Gate::start(setup("on_full = \"degrade\"")).await;
    assert_eq!(fill(&gate).await, None);
    let metrics = gate.metrics().await;
    let unrecorded = 100 - gate.records().len();
    let expected = format!("\ntollgate_unrecorded_total {unrecorded}\n");
    assert!(metrics.contains(&expected), "{expected}{metrics}");
    gate.stop().await;
    let (sound, text) = tollgate(&gate, &["ledger", "verify"]).await;
    assert!(sound, "{text}");
}

#[tokio::test]
async fn a_second_gate_on_the_same_data_is_told_who_is_in_the_way() {
    let upstream = Upstream::start().await;
    let setup = Setup::default().endpoint("echo", "openai", &upstream.url("echo"), "\"m\"");
    let gate = Gate::start(setup).await;
    let (done, text) = tollgate(&gate, &["serve"]).await;
    assert!(!done && text.contains("held by another process"), "{text}");
}
