//! What is refused, and in which words.

use crate::server::{CHAT, MESSAGES, MODEL, Server, TOKEN, chat, claude, config};
use serde_json::{Value, json};
use std::net::TcpListener;
use tollgate_local_llm::{Config, serve};

#[tokio::test]
async fn a_prompt_that_does_not_fit_is_refused() {
    let server = Server::get().await;
    // The second is so long that it is not even tokenized.
    for words in [600, 1_000_000] {
        let body = chat(&"word ".repeat(words), json!({}));
        let (status, error) = server.json(CHAT, &body).await;
        assert_eq!(status, 400);
        assert_eq!(error["error"]["code"], "context_length_exceeded");
        assert!(
            error["error"]["message"]
                .as_str()
                .unwrap()
                .contains("512 tokens")
        );
    }
    let (status, error) = server
        .json(MESSAGES, &claude(json!("word ".repeat(600)), json!({})))
        .await;
    assert_eq!(
        (status, &error["error"]["type"]),
        (400, &json!("invalid_request_error"))
    );
}

#[tokio::test]
async fn what_is_not_done_here_is_refused_by_name() {
    let server = Server::get().await;
    let image = json!([{"type": "image_url", "image_url": {"url": "data:,"}}]);
    let cases = [
        (json!({"n": 2}), 400, "n"),
        (json!({"logprobs": true}), 400, "logprobs"),
        (json!({"logit_bias": {"1": 5}}), 400, "logit_bias"),
        (
            json!({"response_format": {"type": "json_schema", "json_schema": {}}}),
            400,
            "response_format",
        ),
        (json!({"tool_choice": "required"}), 400, "tool_choice"),
        (
            json!({"messages": [{"role": "user", "content": image}]}),
            400,
            "messages",
        ),
        (
            json!({"messages": [{"role": "wizard", "content": "x"}]}),
            400,
            "messages",
        ),
        (json!({"messages": []}), 400, "messages"),
        (json!({"temperature": 3}), 400, "temperature"),
        (json!({"top_p": 0}), 400, "top_p"),
        (json!({"max_tokens": 0}), 400, "max_tokens"),
        (json!({"stop": [""]}), 400, "stop"),
        (json!({"model": "gpt-9"}), 404, "model"),
    ];
    for (more, expected, param) in cases {
        let (status, error) = server.json(CHAT, &chat("Hello", more)).await;
        assert_eq!(
            (status, error["error"]["param"].as_str()),
            (expected, Some(param)),
            "{error}"
        );
        assert!(
            error["error"]["message"]
                .as_str()
                .is_some_and(|message| !message.is_empty())
        );
    }
    let tools =
        json!({"tools": [{"type": "function", "function": {"name": "f"}}], "max_tokens": 1});
    assert_eq!(server.json(CHAT, &chat("Hello", tools)).await.0, 200);
}

#[tokio::test]
async fn bad_bodies_are_refused_and_not_quoted() {
    let server = Server::get().await;
    let send = async |path: &str, body: Vec<u8>| {
        let url = format!("{}{path}", server.url);
        let sent = server
            .http
            .post(url)
            .bearer_auth(TOKEN)
            .body(body)
            .send()
            .await
            .unwrap();
        (sent.status().as_u16(), sent.text().await.unwrap())
    };
    let deep = format!("{{\"model\": {}", "[".repeat(100_000));
    let bodies: [&[u8]; 6] = [
        b"",
        b"not json",
        b"{\"model\": \"s3cr3t\"",
        b"{\"messages\": \"s3cr3t\"}",
        b"\xff\xfe{}",
        deep.as_bytes(),
    ];
    for path in [CHAT, "/v1/completions", MESSAGES] {
        for body in bodies {
            let (status, text) = send(path, body.to_vec()).await;
            assert_eq!(status, 400, "{path}");
            let error: Value = serde_json::from_str(&text).unwrap();
            assert!(error["error"]["message"].is_string());
            assert!(!text.contains("s3cr3t"), "{text}");
        }
        let (status, _) = send(path, vec![b' '; (32 << 20) + 1]).await;
        assert_eq!(status, 413, "{path}");
    }
}

#[tokio::test]
async fn a_token_is_needed_where_text_passes() {
    let server = Server::get().await;
    let url = |path: &str| format!("{}{path}", server.url);
    let body = chat("Hello", json!({"max_tokens": 1}));
    for (path, kind) in [
        (CHAT, "authentication_error"),
        (MESSAGES, "authentication_error"),
    ] {
        let sent = server
            .http
            .post(url(path))
            .bearer_auth("wrong")
            .json(&body)
            .send()
            .await
            .unwrap();
        assert_eq!(sent.status(), 401);
        assert_eq!(sent.json::<Value>().await.unwrap()["error"]["type"], kind);
    }
    assert_eq!(
        server
            .http
            .get(url("/v1/models"))
            .send()
            .await
            .unwrap()
            .status(),
        401
    );
    let key = server
        .http
        .post(url(MESSAGES))
        .header("x-api-key", TOKEN)
        .json(&body);
    assert_eq!(key.send().await.unwrap().status(), 200);
    assert_eq!(
        server
            .http
            .get(url("/healthz"))
            .send()
            .await
            .unwrap()
            .status(),
        200
    );
}

#[tokio::test]
async fn the_model_is_listed_and_nothing_else_is_there() {
    let server = Server::get().await;
    let get = async |path: &str| {
        let sent = server
            .http
            .get(format!("{}{path}", server.url))
            .bearer_auth(TOKEN);
        let sent = sent.send().await.unwrap();
        (sent.status().as_u16(), sent.json::<Value>().await.unwrap())
    };
    let (_, list) = get("/v1/models").await;
    assert_eq!(list["data"][0]["id"], MODEL);
    assert_eq!(list["data"][0]["context_length"], 512);
    assert_eq!(get(&format!("/v1/models/{MODEL}")).await.0, 200);
    assert_eq!(
        get("/v1/models/other").await.1["error"]["code"],
        "model_not_found"
    );
    assert_eq!(get("/v1/nothing").await.0, 404);
    assert_eq!(get(CHAT).await.0, 405);
}

#[tokio::test]
async fn a_file_that_is_no_model_is_refused_at_the_start() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), b"GGUF is what it begins with, and that is all").unwrap();
    let config = Config {
        model: file.path().to_owned(),
        ..config()
    };
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let error = serve(config, listener, |_, _| {}, std::future::pending())
        .await
        .unwrap_err();
    assert!(error.to_string().contains("is refused"), "{error}");
}
