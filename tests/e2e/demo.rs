//! `tollgate demo --once --json`: the main job, on the embedded store and the embedded model.

use std::process::Stdio;
use std::time::Duration;
use tokio::process::Command;

#[tokio::test]
async fn the_demo_finds_no_leak_and_nothing_unexpected() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let output = Command::new(env!("CARGO_BIN_EXE_tollgate"))
        .args(["demo", "--once", "--json", "--data"])
        .arg(dir.path())
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(Duration::from_secs(400), output)
        .await
        .expect("in time")
        .expect("it runs");
    let text = String::from_utf8_lossy(&output.stdout);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{stderr}\n{}",
        text.lines().last().unwrap_or_default()
    );
    let lines: Vec<serde_json::Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    let summary = &lines.last().expect("a summary")["summary"];
    assert_eq!(summary["sound"], true);
    assert_eq!(summary["simulated"], true);
    assert_eq!(summary["exchanges"].as_u64(), Some(lines.len() as u64 - 1));
    assert!(summary["exchanges"].as_u64() >= Some(48));
    for effect in ["permit", "redact", "local", "block"] {
        assert!(summary["effects"][effect].as_u64() > Some(0), "{summary}");
    }
    assert!(summary["spend_nano_usd"].as_i64() > Some(0));
    assert!(summary["on_prem"].as_u64() > Some(0));
}
