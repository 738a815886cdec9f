//! Anthropic's wire.

use crate::server::{CHAT, MESSAGES, QUESTION, Server, chat, claude};
use serde_json::{Value, json};

#[tokio::test]
async fn anthropic_messages_in_one_piece_and_streamed() {
    let server = Server::get().await;
    let blocks =
        json!([{"type": "text", "text": QUESTION, "cache_control": {"type": "ephemeral"}}]);
    let body = claude(blocks.clone(), json!({}));
    let (status, whole) = server.json(MESSAGES, &body).await;
    assert_eq!(status, 200, "{whole}");
    assert_eq!(
        (&whole["type"], &whole["role"]),
        (&json!("message"), &json!("assistant"))
    );
    assert!(whole["id"].as_str().unwrap().starts_with("msg_"));
    let text = whole["content"][0]["text"].as_str().unwrap();
    assert!(text.contains("is 4."), "{whole}");
    let (_, openai) = server.json(CHAT, &chat(QUESTION, json!({}))).await;
    assert_eq!(
        whole["usage"]["input_tokens"],
        openai["usage"]["prompt_tokens"]
    );

    let events = server
        .events(MESSAGES, &claude(blocks, json!({"stream": true})))
        .await;
    let mut names: Vec<&str> = events.iter().map(|(name, _)| name.as_str()).collect();
    names.dedup();
    assert_eq!(
        names,
        [
            "message_start",
            "content_block_start",
            "content_block_delta",
            "content_block_stop",
            "message_delta",
            "message_stop"
        ]
    );
    let data: Vec<Value> = events
        .iter()
        .map(|(_, data)| serde_json::from_str(data).unwrap())
        .collect();
    assert!(
        events
            .iter()
            .zip(&data)
            .all(|((name, _), data)| data["type"] == *name)
    );
    assert_eq!(
        data[0]["message"]["usage"]["input_tokens"],
        whole["usage"]["input_tokens"]
    );
    let streamed: String = data
        .iter()
        .filter_map(|data| data["delta"]["text"].as_str())
        .collect();
    assert_eq!(streamed, text);
    let end = &data[data.len() - 2];
    assert_eq!(end["delta"]["stop_reason"], whole["stop_reason"]);
    assert_eq!(
        end["usage"]["output_tokens"],
        whole["usage"]["output_tokens"]
    );
}

#[tokio::test]
async fn anthropic_tools_are_told_as_text_and_errors_have_its_form() {
    let server = Server::get().await;
    let messages = json!([
        {"role": "user", "content": "Rate of EUR?"},
        {"role": "assistant", "content": [
            {"type": "thinking", "thinking": "hm", "signature": "x"},
            {"type": "tool_use", "id": "t1", "name": "rate", "input": {"of": "EUR"}},
        ]},
        {"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": "t1", "content": [{"type": "text", "text": "0.9"}]},
        ]},
    ]);
    let body = claude(
        json!(""),
        json!({"messages": messages, "max_tokens": 1, "system": [{"type": "text", "text": "Be brief."}]}),
    );
    let (status, answer) = server.json(MESSAGES, &body).await;
    assert_eq!(
        (status, &answer["stop_reason"]),
        (200, &json!("max_tokens")),
        "{answer}"
    );

    let image = json!([{"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": ""}}]);
    let prefill = json!([{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]);
    let cases = [
        (
            claude(json!("x"), json!({"model": "claude-x"})),
            404,
            "not_found_error",
        ),
        (
            claude(json!("x"), json!({"max_tokens": null})),
            400,
            "invalid_request_error",
        ),
        (
            claude(json!("x"), json!({"messages": []})),
            400,
            "invalid_request_error",
        ),
        (
            claude(json!("x"), json!({"messages": prefill})),
            400,
            "invalid_request_error",
        ),
        (
            claude(json!("x"), json!({"tool_choice": {"type": "any"}})),
            400,
            "invalid_request_error",
        ),
        (claude(image, json!({})), 400, "invalid_request_error"),
    ];
    for (body, expected, kind) in cases {
        let (status, error) = server.json(MESSAGES, &body).await;
        assert_eq!(
            (status, error["type"].as_str()),
            (expected, Some("error")),
            "{error}"
        );
        assert_eq!(error["error"]["type"], kind, "{error}");
    }
}
