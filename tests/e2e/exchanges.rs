//! `fixtures/exchanges/<wire>/<case>/`: a request as a caller sends it, and what must come of it.

use crate::gate::{Gate, Setup, assert_no_leaks, placeholders};
use crate::leak_checker::LeakChecker;
use crate::provider::{Latency, Provider};
use crate::upstream::Upstream;
use serde::Deserialize;
use std::path::Path;
use std::time::Duration;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expect {
    effect: String,
    status: u16,
    path: Option<String>,
    #[serde(default)]
    ner: bool,
    /// What the answer must hold.
    #[serde(default)]
    back: Vec<String>,
    #[serde(default)]
    planted: Vec<Planted>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Planted {
    value: String,
    entity: String,
}

struct Case {
    name: String,
    path: String,
    request: String,
    expect: Expect,
}

fn cases(ner: bool) -> Vec<Case> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/exchanges");
    let mut cases = Vec::new();
    for (wire, path) in [
        ("openai", "/v1/chat/completions"),
        ("openai-responses", "/v1/responses"),
        ("anthropic", "/v1/messages"),
        ("azure", ""),
        ("gemini", ""),
        ("ollama", "/api/chat"),
        ("cohere", "/v2/chat"),
        ("bedrock", ""),
    ] {
        for entry in std::fs::read_dir(root.join(wire)).expect("fixtures") {
            let dir = entry.expect("an entry").path();
            let read =
                |file| std::fs::read_to_string(dir.join(file)).expect("a case has two files");
            let name = format!(
                "{wire}/{}",
                dir.file_name().expect("a name").to_string_lossy()
            );
            let expect: Expect =
                toml::from_str(&read("expect.toml")).unwrap_or_else(|e| panic!("{name}: {e}"));
            let path = expect.path.clone().unwrap_or(path.to_string());
            cases.push(Case {
                name,
                path,
                request: read("request.json"),
                expect,
            });
        }
    }
    cases.retain(|case| case.expect.ner == ner);
    cases.sort_by(|a, b| a.name.cmp(&b.name));
    cases
}

fn checker(cases: &[Case]) -> LeakChecker {
    LeakChecker::new(cases.iter().flat_map(|case| {
        case.expect
            .planted
            .iter()
            .map(|p| (case.name.as_str(), p.entity.as_str(), p.value.as_str()))
    }))
}

/// Puts all cases through one gate whose global endpoints are the simulated provider and whose
/// on-prem endpoints are the scripted upstream.
async fn play(cases: &[Case], setup: Setup) {
    let provider = Provider::start(Latency {
        first: Duration::ZERO,
        piece: Duration::ZERO,
    })
    .await
    .expect("a port");
    let on_prem = Upstream::start().await;
    let dir = tempfile::tempdir().expect("a directory");
    let key = dir.path().join("key");
    std::fs::write(&key, "AKIDENDPOINT:made-up-secret").expect("written");
    let setup = setup
        .endpoint(
            "openai",
            "openai",
            &provider.url("openai"),
            "\"gpt-*\", \"text-embedding-*\", \"codestral-*\", \"omni-moderation-*\"",
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
            "\"command-*\", \"embed-*\"",
        )
        .endpoint(
            "bedrock",
            "bedrock",
            &provider.url("bedrock"),
            "\"eu.anthropic.*\"",
        )
        .with(&format!(
            "key = \"file:{}\"\nregion = \"eu-central-1\"",
            key.display()
        ))
        .on_prem("local", "openai", &on_prem.url("on-prem"))
        .on_prem(
            "local-anthropic",
            "anthropic",
            &on_prem.url("on-prem-anthropic"),
        );
    let gate = Gate::start(setup).await;
    let mut refusals = Vec::new();
    for case in cases {
        let (before, before_on_prem) = (provider.received().len(), on_prem.captured().len());
        let reply = gate.post(&case.path, case.request.clone()).await;
        let record = gate.record(reply.exchange()).await;
        let name = &case.name;
        assert_eq!(
            record.decision.effect.as_str(),
            case.expect.effect,
            "{name}: effect"
        );
        assert_eq!(reply.status, case.expect.status, "{name}: status");
        let sent = provider.received()[before..].to_vec();
        let kept = on_prem.captured()[before_on_prem..].to_vec();
        match case.expect.effect.as_str() {
            "permit" | "redact" => {
                assert_eq!((sent.len(), kept.len()), (1, 0), "{name}: where it went");
                assert_only_values_changed(case, &String::from_utf8_lossy(&sent[0].body));
                assert_eq!(
                    placeholders(&reply.text()),
                    [""; 0],
                    "{name}: left in the answer"
                );
                for value in &case.expect.back {
                    assert!(
                        reply.text().contains(value.as_str()),
                        "{name}: a value is missing in the answer"
                    );
                }
                assert!(
                    record
                        .route
                        .as_ref()
                        .is_some_and(|route| !route.on_prem && route.simulated)
                );
                // Neither is billed by tokens.
                let told = matches!(record.operation.as_str(), "count_tokens" | "moderations")
                    || record.usage.is_some_and(|usage| usage.input > 0);
                assert!(told, "{name}: usage");
                if asks_for_usage(case) {
                    // A chunk without choices breaks callers that did not ask for it.
                    assert!(
                        !reply.body.contains("prompt_tokens"),
                        "{name}: usage that was not asked for"
                    );
                }
            }
            "local" => {
                assert_eq!((sent.len(), kept.len()), (0, 1), "{name}: where it went");
                assert!(record.route.as_ref().is_some_and(|route| route.on_prem));
            }
            _ => {
                assert_eq!((sent.len(), kept.len()), (0, 0), "{name}: where it went");
                refusals.push(reply);
            }
        }
        let found: u32 = record.findings.values().sum();
        assert!(
            found >= u32::from(!case.expect.planted.is_empty()),
            "{name}: findings"
        );
    }
    let checker = checker(cases);
    let mut leaks = Vec::new();
    for received in provider.received() {
        leaks.extend(checker.search("upstream head", received.head.as_bytes()));
        leaks.extend(checker.search("upstream body", &received.body));
    }
    for refusal in refusals {
        leaks.extend(checker.search("refusal", refusal.body.as_bytes()));
    }
    assert_no_leaks(&leaks);
    gate.assert_clean(&checker).await;
}

/// What left is what came, with a placeholder wherever a planted value stood. A stream of the
/// OpenAI wire whose caller did not ask for its usage asks for it all the same.
fn assert_only_values_changed(case: &Case, sent: &str) {
    const MARK: &str = "\u{1}";
    const USAGE: &str = r#""stream_options":{"include_usage":true},"#;
    let mut came = case.request.clone();
    for planted in &case.expect.planted {
        came = came.replace(&planted.value, MARK);
    }
    let mut left = sent.to_string();
    for placeholder in placeholders(sent) {
        left = left.replace(&placeholder, MARK);
    }
    if asks_for_usage(case) {
        assert_eq!(
            left.matches(USAGE).count(),
            1,
            "{}: usage is asked for",
            case.name
        );
        left = left.replacen(USAGE, "", 1);
    }
    assert_eq!(
        left, came,
        "{}: bytes other than the values changed",
        case.name
    );
}

/// Whether the gate must ask for usage where the caller did not.
fn asks_for_usage(case: &Case) -> bool {
    let path = case.path.split('?').next().unwrap_or("");
    path.ends_with("completions")
        && !path.contains("/fim/")
        && case.request.contains(r#""stream": true"#)
        && !case.request.contains("stream_options")
}

#[tokio::test]
async fn every_exchange_is_inspected_decided_and_restored() {
    let cases = cases(false);
    assert!(cases.len() >= 100);
    play(&cases, Setup::default()).await;
}

#[tokio::test]
async fn names_are_found_by_the_model_and_restored() {
    let cases = cases(true);
    assert!(cases.len() >= 2);
    play(
        &cases,
        Setup {
            ner: true,
            ..Setup::default()
        },
    )
    .await;
}
