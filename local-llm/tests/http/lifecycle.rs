//! Slots, the queue, leaving and stopping.

use crate::server::{CHAT, MESSAGES, QUESTION, Server, TOKEN, chat, claude, config};
use serde_json::{Value, json};
use std::net::TcpListener;
use tollgate_local_llm::{Config, serve};

#[tokio::test]
async fn two_requests_share_the_engine_and_a_third_waits() {
    let server = Server::get().await;
    let long = chat(
        "Tell me a very long story.",
        json!({"max_tokens": 300, "stream": true}),
    );
    let mut first = server.post(CHAT, &long).send().await.unwrap();
    let mut second = server.post(CHAT, &long).send().await.unwrap();
    server.until("slots_busy", 2.0).await;
    assert!(first.chunk().await.unwrap().is_some() && second.chunk().await.unwrap().is_some());

    let third = server.post(CHAT, &long).send().await.unwrap();
    assert_eq!(third.status(), 200);
    server.until("queue_waiting", 1.0).await;
    let fourth = server.post(CHAT, &long).send().await.unwrap();
    assert_eq!(fourth.status(), 429);
    assert!(fourth.headers().contains_key("retry-after"));
    let error: Value = fourth.json().await.unwrap();
    assert_eq!(error["error"]["code"], "rate_limit_exceeded");
    let fifth = server
        .post(MESSAGES, &claude(json!("Hi"), json!({})))
        .send()
        .await
        .unwrap();
    assert_eq!(fifth.status(), 429);
    assert_eq!(
        fifth.json::<Value>().await.unwrap()["error"]["type"],
        "rate_limit_error"
    );

    // Who leaves frees what he held, in the queue and in the slots, long before the story ends.
    let cancelled = server.metric("requests_total{outcome=\"cancelled\"}").await;
    drop(third);
    server.until("queue_waiting", 0.0).await;
    drop((first, second));
    server.until("slots_busy", 0.0).await;
    server
        .until("requests_total{outcome=\"cancelled\"}", cancelled + 3.0)
        .await;
}

#[tokio::test]
async fn who_leaves_before_an_answer_in_one_piece_frees_his_slot() {
    let server = Server::get().await;
    let completed = server.metric("requests_total{outcome=\"completed\"}").await;
    let body = chat("Tell me a very long story.", json!({"max_tokens": 300}));
    let waiting = tokio::spawn(server.post(CHAT, &body).send());
    server.until("slots_busy", 1.0).await;
    waiting.abort();
    server.until("slots_busy", 0.0).await;
    assert_eq!(
        server.metric("requests_total{outcome=\"completed\"}").await,
        completed
    );
}

#[tokio::test]
async fn told_to_stop_it_lets_answers_end() {
    // It counts on having the CPU, though not on having the shared server.
    let _server = Server::get().await;
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (ready, is_ready) = tokio::sync::oneshot::channel();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let served = tokio::spawn(serve(
        Config {
            slots: 1,
            drain_seconds: 120,
            ..config()
        },
        listener,
        move |address, info| ready.send((address, info.clone())).unwrap(),
        async { stopped.await.unwrap() },
    ));
    let (address, info) = is_ready.await.unwrap();
    assert_eq!(info.quantisation, "Q4_1");
    let url = format!("http://{address}{CHAT}");
    let body = chat(QUESTION, json!({"stream": true}));
    let http = reqwest::Client::new();
    let mut answer = http
        .post(&url)
        .bearer_auth(TOKEN)
        .json(&body)
        .send()
        .await
        .unwrap();
    let mut text = answer.chunk().await.unwrap().unwrap().to_vec();
    stop.send(()).unwrap();
    while let Some(chunk) = answer.chunk().await.unwrap() {
        text.extend_from_slice(&chunk);
    }
    assert!(String::from_utf8(text).unwrap().contains("[DONE]"));
    served.await.unwrap().unwrap();
    assert!(
        reqwest::Client::new()
            .post(&url)
            .json(&body)
            .send()
            .await
            .is_err()
    );
}
