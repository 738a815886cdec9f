//! Callers are apart: nobody gets another caller's values, whatever they send.

use crate::gate::{Gate, Setup, placeholders, read};
use crate::upstream::Upstream;

const EMAIL: &str = "nora.lindgren@brevlada.se";

fn ask(text: &str) -> String {
    serde_json::json!({"model": "m", "messages": [{"role": "user", "content": text}]}).to_string()
}

#[tokio::test]
async fn a_placeholder_of_one_caller_restores_nothing_for_another() {
    let upstream = Upstream::start().await;
    let gate =
        Gate::start(Setup::default().endpoint("echo", "openai", &upstream.url("echo"), "\"m\""))
            .await;
    let path = "/v1/chat/completions";
    let reply = gate
        .post_as("sk-a", path, ask(&format!("Mail {EMAIL}")))
        .await;
    assert_eq!(reply.text(), format!("You said: Mail {EMAIL}"));
    let placeholder_in = |index: usize| {
        let sent = String::from_utf8(upstream.captured()[index].body.clone()).expect("UTF-8");
        placeholders(&sent)
    };
    let of_a = placeholder_in(0).remove(0);

    // B asks for it: it comes back as the text that it is.
    let reply = gate
        .post_as("sk-b", path, ask(&format!("Who is {of_a}?")))
        .await;
    assert_eq!(reply.text(), format!("You said: Who is {of_a}?"));

    // A's own placeholder stays the same from one request to the next; B's for the same value is
    // another.
    gate.post_as("sk-a", path, ask(&format!("Again {EMAIL}")))
        .await;
    gate.post_as("sk-b", path, ask(&format!("Mail {EMAIL}")))
        .await;
    assert_eq!(placeholder_in(2), std::slice::from_ref(&of_a));
    assert_ne!(placeholder_in(3), [of_a]);
}

#[tokio::test]
async fn once_a_key_exists_everybody_needs_one_and_records_name_it() {
    let upstream = Upstream::start().await;
    let gate =
        Gate::start(Setup::default().endpoint("echo", "openai", &upstream.url("echo"), "\"m\""))
            .await;
    let path = "/v1/chat/completions";
    assert_eq!(gate.post_as("sk-own", path, ask("hello")).await.status, 200);
    assert!(
        upstream.captured()[0].head.contains("sk-own"),
        "the caller's own credential is passed on"
    );

    let key = [
        "keys",
        "create",
        "--name",
        "ward-seven",
        "--team",
        "hospital",
    ];
    let key = gate.command(&key).trim().to_string();
    gate.reloaded("keys", "applied", 1).await;

    assert_eq!(gate.post_as("sk-own", path, ask("hello")).await.status, 401);
    let refused = gate.post_as("tg-not-a-key", path, ask("hello")).await;
    assert_eq!(
        (refused.status, refused.json()["error"]["code"].as_str()),
        (401, Some("invalid_key"))
    );
    let reply = gate.post_as(&key, path, ask("hello")).await;
    assert_eq!(reply.status, 200);
    let record = gate.record(reply.exchange()).await;
    assert_eq!(
        (record.caller.as_str(), record.team.as_str()),
        ("ward-seven", "hospital")
    );
    let captured = upstream.captured();
    assert_eq!(captured.len(), 2);
    assert!(
        !captured[1].head.contains("tg-"),
        "a gateway key never leaves"
    );
    assert!(
        !gate.log().contains(&key[3..]),
        "a gateway key is never logged"
    );
}

#[tokio::test]
async fn a_trace_is_passed_on_and_recorded_and_what_could_hold_text_is_not() {
    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    let upstream = Upstream::start().await;
    let gate =
        Gate::start(Setup::default().endpoint("echo", "openai", &upstream.url("echo"), "\"m\""))
            .await;
    let parent = format!("00-{TRACE}-00f067aa0ba902b7-01");
    for (sent, trace) in [(parent.as_str(), TRACE), ("00-nora-lindgren-01", "")] {
        let request = gate
            .client()
            .post(format!("{}/v1/chat/completions", gate.url))
            .header("content-type", "application/json")
            .header("traceparent", sent)
            .header("tracestate", "mail=nora.lindgren")
            .header("baggage", "user=nora.lindgren");
        let reply = read(request.body(ask("hello")).send().await.expect("a reply")).await;
        assert_eq!(reply.status, 200);
        assert_eq!(gate.record(reply.exchange()).await.trace, trace);
    }
    let heads: Vec<String> = upstream.captured().into_iter().map(|c| c.head).collect();
    assert!(
        heads[0].contains(&format!("traceparent: {parent}")),
        "{}",
        heads[0]
    );
    assert!(!heads.concat().contains("lindgren"), "{}", heads[1]);
}
