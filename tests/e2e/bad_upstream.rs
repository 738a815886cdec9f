//! What endpoints do wrongly: the caller gets an honest error, the record says what happened, and
//! the values of the prompt stay where they belong.

use crate::gate::{Gate, Setup, assert_no_leaks};
use crate::leak_checker::LeakChecker;
use crate::upstream::Upstream;
use tollgate_analytics::record::Outcome;

const EMAIL: &str = "nora.lindgren@brevlada.se";

fn body(stream: bool) -> String {
    format!(
        r#"{{"model":"m","stream":{stream},"messages":[{{"role":"user","content":"Mail {EMAIL} please"}}]}}"#
    )
}

/// Script, whether a stream is asked for, the status, and the code: in the error that the caller
/// gets (in an error event where a stream had begun) and in the record. Without a code the
/// upstream's own answer is passed on.
const CASES: [(&str, bool, u16, &str); 11] = [
    ("nobody", false, 502, "upstream_unreachable"),
    ("reset", false, 502, "upstream_reset"),
    ("reset-midway", false, 502, "upstream_reset"),
    ("hang", false, 504, "upstream_timeout"),
    ("no-json", false, 200, ""),
    ("gzip", false, 502, "upstream_malformed"),
    ("broken-stream", true, 200, "upstream_malformed"),
    ("cut-stream", true, 200, "upstream_reset"),
    ("stuck-stream", true, 200, "upstream_timeout"),
    ("error-500", false, 500, ""),
    ("error-429", false, 429, ""),
];

#[tokio::test]
async fn each_failure_of_an_endpoint_is_told_recorded_and_leaks_nothing() {
    let upstream = Upstream::start().await;
    let mut setup = Setup {
        limits: "upstream_first_byte_timeout_ms = 700\nupstream_idle_timeout_ms = 700\nupstream_connect_timeout_ms = 700",
        ..Setup::default()
    };
    for (script, ..) in CASES {
        // Nobody listens on the discard port.
        let url = if script == "nobody" {
            "http://127.0.0.1:9/v1".to_string()
        } else {
            upstream.url(script)
        };
        setup = setup.endpoint(script, "openai", &url, "");
    }
    let gate = Gate::start(setup).await;
    let checker = LeakChecker::new([("bad upstream", "EMAIL", EMAIL)]);
    let mut wrong = Vec::new();
    for (script, stream, status, code) in CASES {
        let reply = gate
            .post(&format!("/{script}/v1/chat/completions"), body(stream))
            .await;
        let record = gate.record(reply.exchange()).await;
        let outcome = if code.is_empty() {
            Outcome::Answered
        } else {
            Outcome::UpstreamError
        };
        let (expected, was) = (
            (status, outcome, status, code),
            (reply.status, record.outcome, record.status, &*record.error),
        );
        if was != expected {
            wrong.push(format!(
                "{script}: expected {expected:?}, was {was:?}: {}",
                reply.body
            ));
            continue;
        }
        if stream {
            assert!(
                reply.text().starts_with("a good piece"),
                "{script}: {}",
                reply.body
            );
            let events: Vec<&str> = reply
                .body
                .lines()
                .filter_map(|line| line.strip_prefix("data: "))
                .collect();
            let last = events.last().expect("events");
            assert!(
                last.contains(code),
                "{script}: the last event says why: {last}"
            );
            assert!(
                !reply.body.contains("[DONE]"),
                "{script}: half an answer is not a whole one"
            );
        } else if !code.is_empty() {
            assert_eq!(reply.json()["error"]["code"], code, "{script}");
            assert_no_leaks(&checker.search(script, reply.body.as_bytes()));
        }
    }
    assert!(
        wrong.is_empty(),
        "reply's status, outcome, recorded status, recorded error:\n{}",
        wrong.join("\n")
    );
    let error = gate
        .post("/error-500/v1/chat/completions", body(false))
        .await;
    let message = error.json()["error"]["message"].clone();
    assert_eq!(
        message,
        format!("cannot work on Mail {EMAIL} please"),
        "an endpoint's error is restored too"
    );
    let page = gate.post("/no-json/v1/chat/completions", body(false)).await;
    assert!(
        page.body.contains(&format!("Mail {EMAIL} please")),
        "what is no JSON is restored as text"
    );
    let limited = gate
        .post("/error-429/v1/chat/completions", body(false))
        .await;
    assert_eq!(limited.headers["retry-after"], "7");

    let sent = upstream.captured().into_iter().flat_map(|captured| {
        let mut leaks = checker.search("upstream head", captured.head.as_bytes());
        leaks.extend(checker.search("upstream body", &captured.body));
        leaks
    });
    assert_no_leaks(&sent.collect::<Vec<_>>());
    gate.assert_clean(&checker).await;
}
