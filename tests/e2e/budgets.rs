//! Budgets: told on the way, refused once spent, and still known after a crash.

use crate::gate::{Gate, Setup};
use crate::upstream::Upstream;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tollgate_analytics::record::{Cost, Outcome};

const CHAT: &str = "/v1/chat/completions";

fn ask() -> String {
    serde_json::json!({"model": "gpt-4o", "messages": [{"role": "user", "content": "hello"}]})
        .to_string()
}

type Heard = Arc<Mutex<Vec<serde_json::Value>>>;

/// An endpoint that hears of events, and what it heard.
async fn listener() -> (String, Heard) {
    let heard = Heard::default();
    let list = Arc::clone(&heard);
    let app = axum::Router::new().route(
        "/hook",
        axum::routing::post(async move |event: axum::Json<serde_json::Value>| {
            list.lock().expect("no panic while held").push(event.0);
        }),
    );
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let url = format!("http://{}/hook", listener.local_addr().expect("an address"));
    tokio::spawn(async move { axum::serve(listener, app).await });
    (url, heard)
}

#[tokio::test]
async fn a_budget_is_told_on_the_way_and_refuses_once_it_is_spent_also_after_a_crash() {
    let upstream = Upstream::start().await;
    let (hook, heard) = listener().await;
    // An exchange has 10 tokens in and 5 out: 0.000075 USD at gpt-4o's list price.
    let tables = format!(
        "[budget]\nwebhook = {hook:?}\n\n[team.finance.budget]\nusd = \"0.00075\"\n\n\
         [project.chat]\nbudget = {{ usd = 0.0003, hard = false }}\n"
    );
    let setup = Setup::default()
        .endpoint("openai", "openai", &upstream.url("echo"), "\"gpt-4o\"")
        .on_prem("on-prem", "openai", &upstream.url("on-prem"))
        .with(&tables);
    let gate = Gate::start(setup).await;
    let key = [
        "keys",
        "create",
        "--name",
        "bot",
        "--team",
        "finance",
        "--project",
        "chat",
    ];
    let key = gate.command(&key).trim().to_string();
    let own = ["keys", "create", "--name", "own", "--budget-usd", "0.0001"];
    let own = gate.command(&own).trim().to_string();
    gate.reloaded("keys", "applied", 1).await;
    while gate.post_as(&own, CHAT, ask()).await.status == 401 {}

    for n in 0..10 {
        let reply = gate.post_as(&key, CHAT, ask()).await;
        assert_eq!(reply.status, 200, "{n}: {}", reply.body);
        let record = gate.record(reply.exchange()).await;
        assert!(
            matches!(
                record.cost,
                Cost::Priced {
                    nano_usd: 75_000,
                    ..
                }
            ),
            "{:?}",
            record.cost
        );
    }
    let refused = gate.post_as(&key, CHAT, ask()).await;
    assert_eq!(
        (refused.status, refused.json()["error"]["code"].as_str()),
        (429, Some("budget_spent"))
    );
    assert_eq!(refused.headers["x-should-retry"], "false");
    assert!(!refused.headers.contains_key("retry-after"));
    let message = refused.json()["error"]["message"].to_string();
    assert!(
        message.contains("budget of this team, $0.00075 for 20"),
        "{message}"
    );
    let record = gate.record(refused.exchange()).await;
    assert_eq!(
        (record.outcome, record.error.as_str()),
        (Outcome::Refused, "budget_spent")
    );
    // What is answered on-prem costs no tokens.
    let local = gate
        .post_as(&key, "/on-prem/v1/chat/completions", ask())
        .await;
    assert_eq!(local.status, 200, "{}", local.body);
    // Another caller has a budget of its own, one that its key brought along.
    assert_eq!(gate.post_as(&own, CHAT, ask()).await.status, 200);
    assert_eq!(gate.post_as(&own, CHAT, ask()).await.status, 429);

    let marks = || -> Vec<(String, u64)> {
        let heard = heard.lock().expect("no panic while held");
        let about = |e: &serde_json::Value| e["level"].as_str().unwrap_or("").to_string();
        let all = heard
            .iter()
            .map(|e| (about(e), e["percent"].as_u64().unwrap_or(0)));
        all.collect()
    };
    let mut waited = 0;
    while marks().len() < 7 && waited < 100 {
        tokio::time::sleep(Duration::from_millis(50)).await;
        waited += 1;
    }
    for (level, expected) in [
        ("team", vec![50, 80, 100]),
        ("project", vec![50, 100]),
        ("caller", vec![50, 100]),
    ] {
        let of_level: Vec<u64> = marks()
            .iter()
            .filter(|(l, _)| l == level)
            .map(|(_, p)| *p)
            .collect();
        assert_eq!(of_level, expected, "{level}");
    }
    let event = heard.lock().expect("no panic while held")[0].clone();
    assert_eq!(
        (
            event["event"].as_str(),
            event["spent_usd"].as_str().is_some()
        ),
        (Some("budget"), true)
    );

    let gate = gate.kill_and_restart().await;
    let metrics = gate.metrics().await;
    assert_eq!(
        gate.post_as(&key, CHAT, ask()).await.status,
        429,
        "{metrics}"
    );
    let metrics = gate.metrics().await;
    for line in [
        "tollgate_budget_spent_nanousd{level=\"team\",name=\"finance\"} 750000",
        "tollgate_budget_nanousd{level=\"team\",name=\"finance\"} 750000",
    ] {
        assert!(metrics.contains(line), "{line}\n{metrics}");
    }
}
