use super::*;
use serde_json::json as value;

async fn post(url: String, body: Value) -> (reqwest::header::HeaderMap, String) {
    let response = reqwest::Client::new()
        .post(url)
        .json(&body)
        .send()
        .await
        .unwrap();
    (response.headers().clone(), response.text().await.unwrap())
}

async fn provider() -> Provider {
    Provider::start(Latency {
        first: Duration::ZERO,
        piece: Duration::ZERO,
    })
    .await
    .unwrap()
}

/// The text of a stream: every string at `path` of every event, joined.
fn joined(stream: &str, path: &str) -> String {
    let data = stream
        .lines()
        .filter_map(|line| line.strip_prefix("data: "));
    data.filter_map(|data| serde_json::from_str::<Value>(data).ok())
        .filter_map(|event| Some(event.pointer(path)?.as_str()?.to_string()))
        .collect()
}

#[tokio::test]
async fn a_stream_says_what_the_whole_answer_says() {
    let provider = provider().await;
    let messages = value!([{"role": "user", "content": "Write to [PERSON_K7Q2MX] at [EMAIL_B4C5DF] for the team."}]);
    for (wire, path, at, whole_at) in [
        (
            "openai",
            "chat/completions",
            "/choices/0/delta/content",
            "/choices/0/message/content",
        ),
        ("anthropic", "messages", "/delta/text", "/content/0/text"),
    ] {
        let url = format!("{}/{path}", provider.url(wire));
        let mut body = value!({"model": "m", "max_tokens": 500, "messages": messages});
        let (headers, whole) = post(url.clone(), body.clone()).await;
        assert_eq!(headers["server"], SERVER);
        let whole: Value = serde_json::from_str(&whole).unwrap();
        let text = whole.pointer(whole_at).and_then(Value::as_str).unwrap();
        assert!(text.contains(NOTE) && text.contains("[PERSON_K7Q2MX] and [EMAIL_B4C5DF]"));
        body["stream"] = true.into();
        let (headers, stream) = post(url, body).await;
        assert_eq!(headers["content-type"], "text/event-stream");
        assert_eq!(joined(&stream, at), text);
    }
    assert_eq!(provider.received().len(), 4);
    assert!(
        provider.received()[0]
            .head
            .starts_with("POST /openai/v1/chat/completions\n")
    );
}

#[tokio::test]
async fn tool_arguments_hold_the_placeholders_in_both_forms() {
    let provider = provider().await;
    let schema = value!({"type": "object", "properties": {"email": {"type": "string"}}});
    let messages = value!([{"role": "user", "content": "Mail [EMAIL_B4C5DF] now."}]);
    let openai = value!({"model": "m", "stream": true, "messages": messages, "tool_choice": "required",
        "tools": [{"type": "function", "function": {"name": "mail", "parameters": schema}}]});
    let (_, stream) = post(
        format!("{}/chat/completions", provider.url("openai")),
        openai,
    )
    .await;
    let arguments = joined(&stream, "/choices/0/delta/tool_calls/0/function/arguments");
    assert_eq!(arguments, r#"{"email":"[EMAIL_B4C5DF]"}"#);
    let anthropic = value!({"model": "m", "max_tokens": 9, "stream": true, "messages": messages,
        "tool_choice": {"type": "any"}, "tools": [{"name": "mail", "input_schema": schema}]});
    let (_, stream) = post(format!("{}/messages", provider.url("anthropic")), anthropic).await;
    assert_eq!(
        joined(&stream, "/delta/partial_json"),
        r#"{"email":"[EMAIL_B4C5DF]"}"#
    );
}

#[tokio::test]
async fn usage_comes_at_the_end_of_a_stream_only_if_asked_for() {
    let provider = provider().await;
    let url = format!("{}/chat/completions", provider.url("openai"));
    let mut body =
        value!({"model": "m", "stream": true, "messages": [{"role": "user", "content": "abcd"}]});
    let (_, without) = post(url.clone(), body.clone()).await;
    assert!(!without.contains("\"usage\"") && without.ends_with("data: [DONE]\n\n"));
    body["stream_options"] = value!({"include_usage": true});
    let (_, with) = post(url, body).await;
    assert!(with.contains("\"prompt_tokens\":4"));
}

#[tokio::test]
async fn what_is_no_request_is_refused_in_the_wire_s_own_words() {
    let provider = provider().await;
    for (wire, path, at) in [
        ("openai", "chat/completions", "/error/message"),
        ("openai", "embeddings", "/error/message"),
        ("anthropic", "messages", "/error/type"),
    ] {
        let (_, body) = post(format!("{}/{path}", provider.url(wire)), value!({})).await;
        let body: Value = serde_json::from_str(&body).unwrap();
        assert!(body.pointer(at).is_some(), "{body}");
    }
}
