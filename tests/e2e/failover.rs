//! Endpoints that do not answer: the next that policy permits is asked, nobody is asked twice for
//! an answer that has begun, each exchange is on record once with all its attempts, and what left
//! on each of them was decided on for that endpoint.

use crate::gate::{Gate, Setup, assert_no_leaks};
use crate::leak_checker::LeakChecker;
use crate::upstream::{Event, Upstream};
use std::time::{Duration, Instant};
use tollgate_analytics::record::{Effect, Outcome, Record};

const EMAIL: &str = "nora.lindgren@brevlada.se";
const CHAT: &str = "/v1/chat/completions";
/// Nobody listens on the discard port.
const NOBODY: &str = "http://127.0.0.1:9/v1";

fn ask(model: &str, text: &str) -> String {
    serde_json::json!({"model": model, "messages": [{"role": "user", "content": text}]}).to_string()
}

fn tried(record: &Record) -> Vec<(&str, &str, u16)> {
    let all = record.tried.iter();
    all.map(|one| (one.route.endpoint.as_str(), one.error.as_str(), one.status))
        .collect()
}

/// Script of the first endpoint, why it was not the last, its status, and whether its answer was
/// reached at all.
const FAILURES: [(&str, &str, u16); 6] = [
    ("nobody", "upstream_unreachable", 0),
    ("reset", "upstream_reset", 0),
    ("hang", "upstream_timeout", 0),
    ("error-429", "status", 429),
    ("error-500", "status", 500),
    ("error-503", "status", 503),
];

#[tokio::test]
async fn whatever_one_endpoint_does_the_next_answers_and_both_are_on_record() {
    let upstream = Upstream::start().await;
    let mut setup = Setup::default();
    for (script, ..) in FAILURES {
        let url = match script {
            "nobody" => NOBODY.to_string(),
            _ => upstream.url(script),
        };
        setup = setup.endpoint(script, "openai", &url, &format!("\"m-{script}\""));
        setup = setup.with("first_byte_timeout_ms = 400");
    }
    let setup = setup
        .endpoint(
            "broken",
            "openai",
            &upstream.url("cut-stream"),
            "\"m-broken\"",
        )
        .endpoint("echo", "openai", &upstream.url("echo"), "\"m-*\"");
    let gate = Gate::start(setup).await;
    let checker = LeakChecker::new([("failover", "EMAIL", EMAIL)]);

    for (script, error, status) in FAILURES {
        let reply = gate
            .post(CHAT, ask(&format!("m-{script}"), &format!("Mail {EMAIL}")))
            .await;
        assert_eq!(reply.status, 200, "{script}: {}", reply.body);
        assert_eq!(reply.text(), format!("You said: Mail {EMAIL}"), "{script}");
        assert_eq!(reply.headers["tollgate-endpoint"], "echo");
        let record = gate.record(reply.exchange()).await;
        assert_eq!(tried(&record), [(script, error, status)]);
        let first = &record.tried[0];
        assert_eq!(first.upstream_bytes == 0, script == "nobody", "{script}");
        assert_eq!((first.replaced, record.replaced), (1, 1));
        assert_eq!(record.route.expect("a route").endpoint, "echo");
        assert_eq!(record.outcome, Outcome::Answered);
        assert_eq!(record.usage.expect("usage").input, 10, "counted once");
        if script != "nobody" {
            assert_eq!(upstream.count(script), 1, "{script} is asked once");
        }
    }

    // An answer that has begun is nobody else's to finish.
    let before = upstream.count("echo");
    let stream = ask("m-broken", "hello").replace("{\"messages", "{\"stream\":true,\"messages");
    assert!(stream.contains("stream"));
    let reply = gate.post(CHAT, stream).await;
    assert!(reply.text().starts_with("a good piece"), "{}", reply.body);
    assert!(reply.body.contains("upstream_reset"));
    let record = gate.record(reply.exchange()).await;
    assert_eq!(
        (record.outcome, tried(&record)),
        (Outcome::UpstreamError, vec![])
    );
    assert_eq!(
        (upstream.count("cut-stream"), upstream.count("echo")),
        (1, before)
    );

    // The endpoint named by its prefix is the one that is meant.
    let reply = gate
        .post("/error-500/v1/chat/completions", ask("m", "hello"))
        .await;
    assert_eq!(reply.status, 500);
    let record = gate.record(reply.exchange()).await;
    assert_eq!(tried(&record), [("error-500", "status", 500)], "and again");
    assert_eq!(upstream.count("echo"), before);

    assert_eq!(gate.records().len(), FAILURES.len() + 2, "one record each");
    let metrics = gate.metrics().await;
    for line in [
        "tollgate_attempts_total{endpoint=\"reset\",result=\"upstream_reset\"} 1",
        "tollgate_attempts_total{endpoint=\"error-429\",result=\"status\"} 1",
        "tollgate_attempts_total{endpoint=\"echo\",result=\"answered\"} 6",
        "tollgate_endpoint_open{endpoint=\"echo\"} 0",
    ] {
        assert!(metrics.contains(line), "{line} in:\n{metrics}");
    }
    let sent = upstream.captured().into_iter();
    let leaks = sent.flat_map(|captured| checker.search("upstream", &captured.body));
    assert_no_leaks(&leaks.collect::<Vec<_>>());
    gate.assert_clean(&checker).await;
}

#[tokio::test]
async fn each_attempt_is_decided_on_for_its_own_endpoint() {
    let upstream = Upstream::start().await;
    let elsewhere = format!(
        "[[endpoint]]\nname = \"elsewhere\"\nwire = \"openai\"\nurl = \"{}\"\njurisdiction = \"CN\"\nmodels = [\"m\", \"n\"]\n",
        upstream.url("echo")
    );
    let setup = Setup::default()
        .endpoint("nobody", "openai", NOBODY, "\"m\", \"n\"")
        .with("[failover]\nretries = 0\nfailures_max = 100\n")
        .with(&elsewhere)
        .on_prem("on-prem", "openai", &upstream.url("on-prem"))
        .with("models = [\"n\"]");
    let gate = Gate::start(setup).await;

    // Without a basis for the transfer, personal data does not go on to the next: it stays.
    let reply = gate.post(CHAT, ask("m", &format!("Mail {EMAIL}"))).await;
    assert_eq!(reply.headers["tollgate-endpoint"], "on-prem");
    assert_eq!((upstream.count("echo"), upstream.count("on-prem")), (0, 1));
    let record = gate.record(reply.exchange()).await;
    assert_eq!(tried(&record), [("nobody", "upstream_unreachable", 0)]);
    assert_eq!(record.decision.rule, "no-transfer-basis");
    assert_eq!(record.decision.effect, Effect::Local);

    // What holds none does.
    let reply = gate.post(CHAT, ask("m", "hello")).await;
    assert_eq!(reply.headers["tollgate-endpoint"], "elsewhere");

    // An on-prem endpoint that serves the model gets the text as it is.
    let reply = gate.post(CHAT, ask("n", &format!("Mail {EMAIL}"))).await;
    assert_eq!(reply.text(), format!("You said: Mail {EMAIL}"));
    let record = gate.record(reply.exchange()).await;
    assert_eq!((record.tried[0].replaced, record.replaced), (1, 0));
    assert_eq!(record.decision.effect, Effect::Permit);
    let sent = upstream.captured().pop().expect("captured");
    assert!(
        String::from_utf8_lossy(&sent.body).contains(EMAIL),
        "at home"
    );
}

#[tokio::test]
async fn the_same_endpoint_is_asked_again_when_it_says_so_and_left_alone_when_it_keeps_failing() {
    let upstream = Upstream::start().await;
    let setup = Setup::default()
        .endpoint(
            "busy-once",
            "openai",
            &upstream.url("busy-once"),
            "\"once\"",
        )
        .endpoint("busy", "openai", &upstream.url("error-429"), "\"busy\"")
        .endpoint("patient", "openai", &upstream.url("patient"), "\"p\"")
        .endpoint("watched", "openai", &upstream.url("patient"), "\"w\"")
        .with("[endpoint.health]\ninterval_ms = 100\ntimeout_ms = 500")
        .endpoint("renamed", "openai", &upstream.url("echo"), "")
        .with("aliases = { fast = \"gpt-4o-mini\" }")
        .with("[failover]\nfailures_max = 3\nopen_ms = 700\nbackoff_ms = 20\n");
    let gate = Gate::start(setup).await;

    let started = Instant::now();
    let reply = gate.post(CHAT, ask("once", "hello")).await;
    assert_eq!(
        (reply.status, reply.text().as_str()),
        (200, "You said: hello")
    );
    assert!(
        started.elapsed() >= Duration::from_millis(300),
        "as it asked"
    );
    let record = gate.record(reply.exchange()).await;
    assert_eq!(tried(&record), [("busy-once", "status", 429)]);

    // Seven seconds are longer than a caller is made to wait.
    let reply = gate.post(CHAT, ask("busy", "hello")).await;
    assert_eq!(
        (reply.status, &reply.headers["retry-after"]),
        (429, &"7".parse().unwrap())
    );
    assert_eq!(upstream.count("error-429"), 1);

    // The health check finds out alone, both ways.
    upstream.set_ill(true);
    let left_alone = "endpoint watched: keeps failing";
    wait_until(|| async { gate.readiness().await.contains(left_alone) }).await;
    let reply = gate.post(CHAT, ask("w", "hello")).await;
    assert_eq!(
        (reply.status, reply.json()["error"]["code"].as_str()),
        (503, Some("endpoints_unavailable"))
    );
    assert!(reply.headers.contains_key("retry-after"));
    let record = gate.record(reply.exchange()).await;
    assert_eq!(
        (record.route, record.outcome),
        (None, Outcome::UpstreamError)
    );

    // Without one, failures do: two requests with a retry each, of which the third opens it.
    let asked = || {
        upstream
            .captured()
            .iter()
            .filter(|c| !c.body.is_empty())
            .count()
    };
    let before = asked();
    let reply = gate.post(CHAT, ask("p", "hello")).await;
    assert_eq!(reply.status, 503);
    let reply = gate.post(CHAT, ask("p", "hello")).await;
    assert_eq!(reply.status, 503);
    assert_eq!(asked() - before, 3, "three in a row");
    let reply = gate.post(CHAT, ask("p", "hello")).await;
    assert_eq!(reply.json()["error"]["code"], "endpoints_unavailable");
    assert_eq!(asked() - before, 3, "and then it is left alone");
    let metrics = gate.metrics().await;
    assert!(metrics.contains("tollgate_endpoint_open{endpoint=\"patient\"} 1"));

    upstream.set_ill(false);
    wait_until(|| async { !gate.readiness().await.contains(left_alone) }).await;
    wait_until(|| async { gate.post(CHAT, ask("p", "hello")).await.status == 200 }).await;
    assert!(gate.log().contains("the endpoint is used again"));
    let probe = upstream
        .captured()
        .into_iter()
        .find(|c| c.head.starts_with("GET"));
    let probe = probe.expect("a health check").head;
    assert!(
        probe.starts_with("GET /patient/v1/models HTTP/1.1"),
        "{probe}"
    );

    let reply = gate.post(CHAT, ask("fast", "hello")).await;
    assert_eq!(reply.status, 200);
    let sent = upstream.captured().pop().expect("captured");
    assert!(String::from_utf8_lossy(&sent.body).contains("\"model\":\"gpt-4o-mini\""));
    assert_eq!(gate.record(reply.exchange()).await.model, "fast");
}

#[tokio::test]
async fn an_endpoint_has_no_more_requests_than_it_may_and_neighbours_share() {
    let mut upstream = Upstream::start().await;
    let setup = Setup::default()
        .endpoint(
            "narrow",
            "openai",
            &upstream.url("stall"),
            "\"narrow\", \"both\"",
        )
        .with("requests_max = 1\nqueue_max = 1\nqueue_timeout_ms = 200")
        .endpoint("wide", "openai", &upstream.url("echo"), "\"both\"")
        .endpoint("a", "openai", &upstream.url("echo"), "\"shared\"")
        .with("weight = 3")
        .endpoint("b", "openai", &upstream.url("echo"), "\"shared\"")
        .with("weight = 1\n[failover]\nretries = 0");
    let gate = Gate::start(setup).await;
    let stream = ask("narrow", "x").replace("{\"messages", "{\"stream\":true,\"messages");
    let (first, ()) = tokio::join!(gate.post(CHAT, stream), async {
        upstream.wait_for(&Event::Arrived("stall".into())).await;
        let busy = gate.post(CHAT, ask("narrow", "hello")).await;
        assert_eq!(
            (busy.status, busy.json()["error"]["code"].as_str()),
            (429, Some("endpoint_busy"))
        );
        let other = gate.post(CHAT, ask("both", "hello")).await;
        assert_eq!(other.headers["tollgate-endpoint"], "wide");
        let record = gate.record(other.exchange()).await;
        assert_eq!(tried(&record), [], "nothing went to the first");
        upstream.go_on();
    });
    assert_eq!(first.text(), "first second");

    let mut first = 0;
    for _ in 0..60 {
        let reply = gate.post(CHAT, ask("shared", "hello")).await;
        first += usize::from(reply.headers["tollgate-endpoint"] == "a");
    }
    assert!(
        (30..60).contains(&first),
        "{first} of 60 with three quarters"
    );
}

async fn wait_until<F: Future<Output = bool>>(holds: impl Fn() -> F) {
    let started = Instant::now();
    while !holds().await {
        assert!(
            started.elapsed() < Duration::from_secs(20),
            "not within 20 s"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
