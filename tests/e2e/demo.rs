//! `tollgate demo --once --json`: the main job, on the embedded store and the embedded model.

use crate::gate::assert_no_leaks;
use crate::leak_checker::LeakChecker;
use std::path::Path;
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
    the_papers_of_its_traffic_identify_nobody(dir.path()).await;
}

/// Every paper in every form, from the ledger that the demo left, against all that it planted.
async fn the_papers_of_its_traffic_identify_nobody(demo: &Path) {
    let out = demo.join("papers");
    let output = Command::new(env!("CARGO_BIN_EXE_tollgate"))
        .args(["papers", "--json", "--from", "2020-01-01", "--out"])
        .arg(&out)
        .arg("--config")
        .arg(demo.join("tollgate.toml"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .await
        .expect("it runs");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    let written: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(written["papers"].as_array().map(Vec::len), Some(9));
    let page = std::fs::read_to_string(out.join("transfer-register.html")).expect("a page");
    assert!(
        page.contains("SIMULATED") && page.contains("EMAIL"),
        "it is of the demo's traffic"
    );

    let planted = planted();
    assert!(planted.len() > 90, "{} values are planted", planted.len());
    let values = planted.iter();
    let checker = LeakChecker::new(values.map(|(id, entity, value)| (&**id, &**entity, &**value)));
    assert_no_leaks(&checker.search_dir(&out).expect("readable"));
}

/// What the demo's prompts plant: prompt, entity, value.
fn planted() -> Vec<(String, String, String)> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/demo");
    let mut planted = Vec::new();
    for entry in std::fs::read_dir(dir).expect("the prompts") {
        let path = entry.expect("an entry").path();
        if path.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        let text = std::fs::read_to_string(path).expect("a file");
        let file: toml::Table = toml::from_str(&text).expect("TOML");
        for prompt in file["prompt"].as_array().expect("prompts") {
            let secrets = prompt.get("secrets").and_then(toml::Value::as_table);
            for of in prompt["planted"].as_array().expect("an array") {
                let text = |value: &toml::Value| value.as_str().expect("a text").to_owned();
                let mut value = text(&of["value"]);
                // Credentials stand in the fixtures in two halves.
                for (name, halves) in secrets.into_iter().flatten() {
                    let halves = halves.as_array().expect("halves").iter().map(text);
                    value = value.replace(&format!("${{{name}}}"), &halves.collect::<String>());
                }
                planted.push((text(&prompt["id"]), text(&of["entity"]), value));
            }
        }
    }
    planted
}
