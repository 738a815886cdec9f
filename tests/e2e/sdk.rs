//! The official SDKs, unchanged, through the gate.

use crate::gate::{Gate, Setup};
use crate::leak_checker::LeakChecker;
use crate::provider::{Latency, Provider};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::process::Command;

/// Where `make test` puts what it installs.
fn runtime() -> PathBuf {
    let named = std::env::var_os("TOLLGATE_RUNTIME").map(PathBuf::from);
    named.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join(".runtime"))
}

async fn run(command: &mut Command, what: &str) {
    let output = tokio::time::timeout(
        Duration::from_secs(120),
        command.kill_on_drop(true).output(),
    );
    let output = output
        .await
        .unwrap_or_else(|_| panic!("{what} took longer than 120 s"));
    let output = output.unwrap_or_else(|error| panic!("{what} could not be started: {error}"));
    assert!(
        output.status.success(),
        "{what} failed:\n{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

#[tokio::test]
async fn the_official_sdks_work_unchanged() {
    let python = runtime().join("sdk-python/bin/python");
    let node = runtime().join("sdk-node");
    for (path, made_by) in [
        (
            python.clone(),
            "python3 -m venv .runtime/sdk-python && .runtime/sdk-python/bin/pip install --require-hashes -r tests/sdk/requirements.txt",
        ),
        (
            node.join("node_modules/openai"),
            "copy tests/sdk/package.json and package-lock.json into .runtime/sdk-node and run `npm ci` there",
        ),
    ] {
        assert!(
            path.exists(),
            "{} is missing: run `make test`, or: {made_by}",
            path.display()
        );
    }
    let provider = Provider::start(Latency::default()).await.expect("a port");
    let dir = tempfile::tempdir().expect("a directory");
    let key = dir.path().join("key");
    std::fs::write(&key, "AKIDENDPOINT:made-up-secret").expect("written");
    let gate = Gate::start(
        Setup::default()
            .endpoint(
                "openai",
                "openai",
                &provider.url("openai"),
                "\"gpt-*\", \"text-embedding-*\", \"omni-moderation-*\"",
            )
            .endpoint(
                "anthropic",
                "anthropic",
                &provider.url("anthropic"),
                "\"claude-*\"",
            )
            .endpoint("azure", "azure", &provider.url("azure"), "\"eu-gpt-*\"")
            .endpoint("gemini", "gemini", &provider.url("gemini"), "\"gemini-*\"")
            .endpoint("ollama", "ollama", &provider.url("ollama"), "\"llama*\"")
            .endpoint(
                "cohere",
                "cohere",
                &provider.url("cohere"),
                "\"command-*\", \"embed-*\", \"rerank-*\"",
            )
            .endpoint(
                "mistral",
                "openai",
                &provider.url("mistral"),
                "\"mistral-*\", \"codestral-*\"",
            )
            .with("asks_usage = false")
            .endpoint(
                "bedrock",
                "bedrock",
                &provider.url("bedrock"),
                "\"eu.anthropic.*\"",
            )
            .with(&format!(
                "key = \"file:{}\"\nregion = \"eu-central-1\"",
                key.display()
            )),
    )
    .await;
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sdk");
    // By prefix and without one: both are how callers set a base URL.
    for base in [
        format!("{}/v1", gate.url),
        format!("{}/openai/v1", gate.url),
    ] {
        run(
            Command::new(&python)
                .arg(scripts.join("openai_sdk.py"))
                .arg(&base),
            "the OpenAI SDK for Python",
        )
        .await;
        run(
            Command::new("node")
                .arg(scripts.join("openai_sdk.mjs"))
                .arg(&base)
                .arg(&node),
            "the OpenAI SDK for Node",
        )
        .await;
    }
    for base in [gate.url.clone(), format!("{}/anthropic", gate.url)] {
        run(
            Command::new(&python)
                .arg(scripts.join("anthropic_sdk.py"))
                .arg(&base),
            "the Anthropic SDK for Python",
        )
        .await;
    }
    let azure_v1 = format!("{}/azure/openai/v1", gate.url);
    for (script, prefix, what) in [
        ("gemini_sdk.py", "gemini", "Google's SDK for Gemini"),
        ("ollama_sdk.py", "ollama", "Ollama's SDK"),
        ("cohere_sdk.py", "cohere", "Cohere's SDK"),
        ("mistral_sdk.py", "mistral", "Mistral's SDK"),
        ("bedrock_sdk.py", "bedrock", "Amazon's SDK for Bedrock"),
        ("azure_sdk.py", "azure", "the OpenAI SDK's class for Azure"),
    ] {
        for base in [gate.url.clone(), format!("{}/{prefix}", gate.url)] {
            run(
                Command::new(&python)
                    .arg(scripts.join(script))
                    .args([&base, &azure_v1]),
                what,
            )
            .await;
        }
    }
    let planted = [
        ("the SDK scripts", "EMAIL", "nora.lindgren@brevlada.se"),
        ("the SDK scripts", "PHONE", "+44 20 7946 0857"),
        ("the gate's own key", "SECRET", "made-up-secret"),
    ];
    let checker = LeakChecker::new(planted);
    for received in provider.received() {
        crate::gate::assert_no_leaks(&checker.search("upstream", &received.body));
        crate::gate::assert_no_leaks(&checker.search("upstream head", received.head.as_bytes()));
    }
    gate.assert_clean(&checker).await;
}
