//! Ollama's own wire: chat, generate, embed and the list of models.

use super::openai::{Completion, complete};
use super::{Shared, embedding, json, model_of, pace, tokens};
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{Response, StatusCode};
use serde_json::{Value, json as value};
use std::sync::Arc;

const CREATED: &str = "2024-01-01T00:00:00Z";

pub(super) async fn tags() -> Response<Body> {
    let model = value!({"name": "llama3.2:3b", "model": "llama3.2:3b", "modified_at": CREATED, "size": 1,
        "digest": "simulated", "details": {"family": "llama"}});
    json(StatusCode::OK, &value!({"models": [model]}))
}

pub(super) async fn chat(State(shared): State<Arc<Shared>>, body: Bytes) -> Response<Body> {
    let Ok(request) = serde_json::from_slice::<Value>(&body) else {
        return refuse("invalid character in body");
    };
    let completion = complete(&shared, &request);
    tokio::time::sleep(shared.latency.first).await;
    let line = |text: &str, call: bool| {
        let mut message = value!({"role": "assistant", "content": text});
        if let (true, Some(call)) = (call, &completion.call) {
            let function = value!({"name": call.name, "arguments": call.arguments});
            message["tool_calls"] = value!([{"function": function}]);
        }
        value!({"model": completion.model, "created_at": CREATED, "message": message, "done": false})
    };
    answer(&shared, &request, &completion, line)
}

pub(super) async fn generate(State(shared): State<Arc<Shared>>, body: Bytes) -> Response<Body> {
    let Ok(request) = serde_json::from_slice::<Value>(&body) else {
        return refuse("invalid character in body");
    };
    let messages = value!([{"role": "system", "content": request["system"]},
        {"role": "user", "content": request["prompt"]}]);
    let asked = value!({"model": request["model"], "messages": messages});
    let completion = complete(&shared, &asked);
    tokio::time::sleep(shared.latency.first).await;
    let line = |text: &str, _| value!({"model": completion.model, "created_at": CREATED, "response": text, "done": false});
    answer(&shared, &request, &completion, line)
}

pub(super) async fn embed(body: Bytes) -> Response<Body> {
    let Ok(request) = serde_json::from_slice::<Value>(&body) else {
        return refuse("invalid character in body");
    };
    let inputs: Vec<&str> = match &request["input"] {
        Value::String(text) => vec![text],
        inputs => inputs
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect(),
    };
    let vectors: Vec<Vec<f32>> = inputs
        .iter()
        .map(|text| embedding::vector(text, 768))
        .collect();
    let count: u64 = inputs.iter().map(|text| tokens::of(text)).sum();
    json(
        StatusCode::OK,
        &value!({"model": model_of(&request), "embeddings": vectors, "prompt_eval_count": count}),
    )
}

fn refuse(message: &str) -> Response<Body> {
    json(StatusCode::BAD_REQUEST, &value!({"error": message}))
}

/// Lines unless one answer is asked for. The last line tells the tokens.
fn answer(
    shared: &Shared,
    request: &Value,
    completion: &Completion,
    line: impl Fn(&str, bool) -> Value,
) -> Response<Body> {
    let text = match completion.call {
        Some(_) => "",
        None => completion.answer.text.as_str(),
    };
    let end = |mut line: Value| {
        line["done"] = true.into();
        line["done_reason"] = "stop".into();
        line["prompt_eval_count"] = completion.usage["prompt_tokens"].clone();
        line["eval_count"] = completion.usage["completion_tokens"].clone();
        line
    };
    if request["stream"] == false {
        return json(StatusCode::OK, &end(line(text, true)));
    }
    let mut lines: Vec<Value> = pace::pieces(text)
        .iter()
        .map(|piece| line(piece, false))
        .collect();
    if completion.call.is_some() {
        lines.push(line("", true));
    }
    lines.push(end(line("", false)));
    let lines = lines
        .iter()
        .map(|line| Bytes::from(format!("{line}\n")))
        .collect();
    pace::stream(lines, shared.latency, "application/x-ndjson")
}
