//! Streams stay live, and a caller that leaves takes the upstream's work along.

use crate::gate::{Gate, Setup, assert_no_leaks, placeholders, read};
use crate::leak_checker::LeakChecker;
use crate::upstream::{Event, Upstream};
use tollgate_analytics::record::Outcome;

const EMAIL: &str = "nora.lindgren@brevlada.se";

fn body(stream: bool) -> String {
    format!(
        r#"{{"model":"m","stream":{stream},"messages":[{{"role":"user","content":"Write to {EMAIL} now."}}]}}"#
    )
}

async fn gate(upstream: &Upstream) -> Gate {
    let mut setup = Setup::default();
    for script in ["stall", "hang", "endless", "stream"] {
        setup = setup.endpoint(script, "openai", &upstream.url(script), "");
    }
    Gate::start(setup).await
}

#[tokio::test]
async fn the_first_delta_arrives_before_the_upstream_finishes() {
    let upstream = Upstream::start().await;
    let gate = gate(&upstream).await;
    let request = gate
        .client()
        .post(format!("{}/stall/v1/chat/completions", gate.url));
    let request = request
        .header("content-type", "application/json")
        .body(body(true));
    let mut response = request.send().await.expect("a head");
    let mut seen = String::new();
    // The upstream sends nothing more until it is told to: what arrives now was passed on at once.
    while !seen.contains("first") {
        let piece = response
            .chunk()
            .await
            .expect("no error")
            .expect("more to come");
        seen += &String::from_utf8_lossy(&piece);
    }
    assert!(!seen.contains("second"));
    upstream.go_on();
    let rest = read(response).await;
    assert!(rest.body.contains("second") && rest.body.contains("[DONE]"));
}

#[tokio::test]
async fn values_split_over_deltas_are_restored() {
    let upstream = Upstream::start().await;
    let gate = gate(&upstream).await;
    let reply = gate.post("/stream/v1/chat/completions", body(true)).await;
    assert_eq!(reply.text(), format!("Write to {EMAIL} now."));
    assert!(
        reply.body.matches("data: ").count() > 5,
        "the stream came in pieces"
    );
    let sent = String::from_utf8(upstream.captured()[0].body.clone()).expect("UTF-8");
    assert_eq!(placeholders(&sent).len(), 1);
    let record = gate.record(reply.exchange()).await;
    assert_eq!(
        (record.outcome, record.stream, record.restored),
        (Outcome::Answered, true, 1)
    );
}

#[tokio::test]
async fn a_caller_that_leaves_cancels_the_upstream() {
    let mut upstream = Upstream::start().await;
    let gate = gate(&upstream).await;
    for (script, stream) in [("hang", false), ("endless", true)] {
        let request = gate
            .client()
            .post(format!("{}/{script}/v1/chat/completions", gate.url));
        let request = request
            .header("content-type", "application/json")
            .body(body(stream));
        let call = tokio::spawn(async move {
            let mut response = request.send().await.expect("a head");
            while let Ok(Some(_)) = response.chunk().await {}
        });
        upstream.wait_for(&Event::Arrived(script.into())).await;
        call.abort();
        upstream.wait_for(&Event::Closed(script.into())).await;
        let record = gate.record_where(|record| {
            record
                .route
                .as_ref()
                .is_some_and(|route| route.endpoint == script)
        });
        assert_eq!(record.await.outcome, Outcome::Cancelled, "{script}");
    }
    let checker = LeakChecker::new([("the leaving caller", "EMAIL", EMAIL)]);
    let leaks = upstream
        .captured()
        .into_iter()
        .flat_map(|c| checker.search("upstream", &c.body))
        .collect::<Vec<_>>();
    assert_no_leaks(&leaks);
    gate.assert_clean(&checker).await;
}
