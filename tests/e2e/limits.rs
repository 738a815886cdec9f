//! What callers may use: who has used it up is told so in its own wire, with when to come back, and
//! is on record; nobody else notices.

use crate::gate::{Gate, Setup};
use crate::upstream::{Event, Upstream};
use std::sync::Arc;
use tollgate_analytics::record::Outcome;

const CHAT: &str = "/v1/chat/completions";
const MESSAGES: &str = "/v1/messages";

fn ask(model: &str, text: &str) -> String {
    serde_json::json!({"model": model, "max_tokens": 9, "messages": [{"role": "user", "content": text}]})
        .to_string()
}

#[tokio::test]
async fn whoever_has_used_its_share_is_told_in_its_wire_and_nobody_else_notices() {
    let mut upstream = Upstream::start().await;
    let setup = Setup::default()
        .endpoint("echo", "openai", &upstream.url("echo"), "\"m\", \"other\"")
        .endpoint(
            "echo-anthropic",
            "anthropic",
            &upstream.url("echo-anthropic"),
            "\"claude\"",
        )
        .endpoint("hang", "openai", &upstream.url("hang"), "\"m-hang\"")
        .with(
            "[team.small]\nrequests_per_minute = 3\n\n[project.chat]\ntokens_per_minute = 100\n\
             \n[caller.one]\nrequests_max = 1\nmodels = [\"m*\"]\n",
        );
    let gate = Arc::new(Gate::start(setup).await);
    let key = |arguments: &[&str]| {
        let arguments = [&["keys", "add", "--name"], arguments].concat();
        gate.command(&arguments).trim().to_string()
    };
    let a = key(&["a", "--team", "small"]);
    let b = key(&["b", "--team", "small"]);
    let other = key(&["other", "--project", "chat"]);
    let one = key(&["one", "--endpoint", "echo"]);
    let own = key(&[
        "own",
        "--endpoint",
        "echo",
        "--model",
        "other",
        "--requests-per-minute",
        "2",
    ]);
    gate.reloaded("keys", "applied", 1).await;
    // All keys may have come with one reload or with several.
    while gate.post_as(&own, CHAT, ask("m", "hello")).await.status == 401 {}

    // A team's requests, counted over its keys and told in two wires.
    let reply = gate.post_as(&a, CHAT, ask("m", "hello")).await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.headers["x-ratelimit-limit-requests"], "3");
    assert_eq!(reply.headers["x-ratelimit-remaining-requests"], "2");
    assert_eq!(gate.post_as(&b, CHAT, ask("m", "hello")).await.status, 200);
    let reply = gate.post_as(&a, MESSAGES, ask("claude", "hello")).await;
    assert_eq!(reply.headers["anthropic-ratelimit-requests-remaining"], "0");
    let refused = gate.post_as(&b, CHAT, ask("m", "hello")).await;
    assert_eq!(refused.status, 429);
    assert_eq!(refused.json()["error"]["type"], "rate_limit_error");
    assert_eq!(refused.json()["error"]["code"], "requests_per_minute");
    let wait: u32 = refused.headers["retry-after"]
        .to_str()
        .expect("ASCII")
        .parse()
        .expect("seconds");
    assert!((15..=20).contains(&wait), "{wait}");
    let record = gate.record(refused.exchange()).await;
    assert_eq!(
        (record.outcome, record.error.as_str()),
        (Outcome::Refused, "requests_per_minute")
    );
    assert_eq!(
        (record.caller.as_str(), record.team.as_str()),
        ("b", "small")
    );
    let refused = gate.post_as(&a, MESSAGES, ask("claude", "hello")).await;
    assert_eq!(
        (refused.status, refused.json()["error"]["type"].as_str()),
        (429, Some("rate_limit_error"))
    );

    // A project's tokens: the upstream tells 10 + 5 for each exchange.
    let reply = gate.post_as(&other, CHAT, ask("m", "hello")).await;
    assert_eq!(gate.record(reply.exchange()).await.project, "chat");
    let usage = gate.record(reply.exchange()).await.usage.expect("usage");
    let left = |reply: &crate::gate::Reply| -> u64 {
        let left = reply.headers["x-ratelimit-remaining-tokens"].to_str();
        left.expect("ASCII").parse().expect("a number")
    };
    let next = gate.post_as(&other, CHAT, ask("m", "hello")).await;
    let used = usage.input + usage.output;
    assert!(
        left(&next) < 100 - used && left(&next) + 4 > 100 - used - 2,
        "{}",
        left(&next)
    );
    let long = gate
        .post_as(&other, CHAT, ask("m", &"word ".repeat(400)))
        .await;
    assert_eq!(
        (long.status, long.json()["error"]["code"].as_str()),
        (413, Some("tokens_over_limit"))
    );
    let later = gate
        .post_as(&other, CHAT, ask("m", &"word ".repeat(76)))
        .await;
    assert_eq!(
        (later.status, later.json()["error"]["code"].as_str()),
        (429, Some("tokens_per_minute"))
    );
    assert!(later.headers.contains_key("retry-after"));

    // Models and endpoints, by the configuration's table and by the key's own.
    let refused = gate.post_as(&one, CHAT, ask("other", "hello")).await;
    assert_eq!(
        (refused.status, refused.json()["error"]["code"].as_str()),
        (403, Some("model_not_allowed"))
    );
    let refused = gate.post_as(&own, CHAT, ask("m", "hello")).await;
    assert_eq!(refused.status, 403, "{}", refused.body);
    let refused = gate.post_as(&own, CHAT, ask("m-hang", "hello")).await;
    assert_eq!(refused.status, 429, "its two requests are used");

    // Requests at once; the place is free again when the caller leaves.
    let hanging = tokio::spawn({
        let (gate, one) = (Arc::clone(&gate), one.clone());
        async move { gate.post_as(&one, CHAT, ask("m-hang", "hello")).await }
    });
    upstream.wait_for(&Event::Arrived("hang".into())).await;
    let refused = gate.post_as(&one, CHAT, ask("m", "hello")).await;
    assert_eq!(
        (refused.status, refused.json()["error"]["code"].as_str()),
        (429, Some("requests_at_once"))
    );
    hanging.abort();
    upstream.wait_for(&Event::Closed("hang".into())).await;
    gate.record_where(|r| r.caller == "one" && r.outcome == Outcome::Cancelled)
        .await;
    assert_eq!(
        gate.post_as(&one, CHAT, ask("m", "hello")).await.status,
        200
    );

    let metrics = gate.metrics().await;
    for line in [
        "tollgate_limited_total{level=\"team\",limit=\"requests_per_minute\"} 2",
        "tollgate_limited_total{level=\"project\",limit=\"tokens_per_minute\"} 1",
        "tollgate_limited_total{level=\"caller\",limit=\"requests_at_once\"} 1",
    ] {
        assert!(metrics.contains(line), "{line}\n{metrics}");
    }
}
