//! Cohere's wire, version 2: chat, embed and rerank.

use super::openai::{Completion, complete};
use super::{Shared, embedding, json, pace, tokens};
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{Response, StatusCode};
use serde_json::{Value, json as value};
use std::sync::Arc;

pub(super) async fn chat(State(shared): State<Arc<Shared>>, body: Bytes) -> Response<Body> {
    let Ok(mut request) = serde_json::from_slice::<Value>(&body) else {
        return refuse("invalid request: the body is not JSON");
    };
    if !request["messages"].is_array() {
        return refuse("invalid request: messages are required");
    }
    if request["tool_choice"] == "REQUIRED" {
        request["tool_choice"] = "required".into();
    }
    let completion = complete(&shared, &request);
    tokio::time::sleep(shared.latency.first).await;
    if request["stream"] == true {
        return pace::event_stream(events(&completion), shared.latency);
    }
    let message = match &completion.call {
        Some(call) => value!({"role": "assistant", "tool_plan": "(simulated)", "tool_calls": [{
            "id": "call_0", "type": "function",
            "function": {"name": call.name, "arguments": call.arguments.to_string()}}]}),
        None => {
            value!({"role": "assistant", "content": [{"type": "text", "text": completion.answer.text}]})
        }
    };
    json(
        StatusCode::OK,
        &value!({"id": completion.id, "finish_reason": finish(&completion), "message": message,
            "usage": usage(&completion)}),
    )
}

pub(super) async fn embed(body: Bytes) -> Response<Body> {
    let Ok(request) = serde_json::from_slice::<Value>(&body) else {
        return refuse("invalid request: the body is not JSON");
    };
    let texts = request["texts"].as_array().into_iter().flatten();
    let texts: Vec<&str> = texts.filter_map(Value::as_str).collect();
    let vectors: Vec<Vec<f32>> = texts
        .iter()
        .map(|text| embedding::vector(text, 256))
        .collect();
    let count: u64 = texts.iter().map(|text| tokens::of(text)).sum();
    json(
        StatusCode::OK,
        &value!({"id": "simulated", "embeddings": {"float": vectors}, "texts": texts,
            "response_type": "embeddings_by_type", "meta": {"billed_units": {"input_tokens": count}}}),
    )
}

pub(super) async fn rerank(body: Bytes) -> Response<Body> {
    let Ok(request) = serde_json::from_slice::<Value>(&body) else {
        return refuse("invalid request: the body is not JSON");
    };
    let count = request["documents"].as_array().map_or(0, Vec::len);
    let results: Vec<Value> = (0..count)
        .map(|index| value!({"index": index, "relevance_score": 0.5}))
        .collect();
    json(
        StatusCode::OK,
        &value!({"id": "simulated", "results": results}),
    )
}

fn refuse(message: &str) -> Response<Body> {
    json(
        StatusCode::BAD_REQUEST,
        &value!({"id": "simulated", "message": message}),
    )
}

fn finish(completion: &Completion) -> &'static str {
    match (&completion.call, completion.answer.cut) {
        (Some(_), _) => "TOOL_CALL",
        (None, true) => "MAX_TOKENS",
        (None, false) => "COMPLETE",
    }
}

fn usage(completion: &Completion) -> Value {
    let told = &completion.usage;
    let tokens =
        value!({"input_tokens": told["prompt_tokens"], "output_tokens": told["completion_tokens"]});
    value!({"billed_units": tokens, "tokens": tokens})
}

fn events(completion: &Completion) -> Vec<String> {
    let mut events = Vec::new();
    let mut event = |kind: &str, index: Option<u64>, delta: Value| {
        let mut data = value!({"type": kind, "delta": delta});
        if let Some(index) = index {
            data["index"] = index.into();
        }
        if kind == "message-start" {
            data["id"] = completion.id.clone().into();
        }
        events.push(format!("event: {kind}\ndata: {data}\n\n"));
    };
    let message = |message: Value| value!({"message": message});
    event(
        "message-start",
        None,
        message(value!({"role": "assistant", "content": []})),
    );
    match &completion.call {
        Some(call) => {
            let function = value!({"name": call.name, "arguments": ""});
            let whole = value!({"id": "call_0", "type": "function", "function": function});
            event(
                "tool-call-start",
                Some(0),
                message(value!({"tool_calls": whole})),
            );
            for piece in pace::pieces(&call.arguments.to_string()) {
                let part = value!({"function": {"arguments": piece}});
                event(
                    "tool-call-delta",
                    Some(0),
                    message(value!({"tool_calls": part})),
                );
            }
            event("tool-call-end", Some(0), value!({}));
        }
        None => {
            let empty = value!({"content": {"type": "text", "text": ""}});
            event("content-start", Some(0), message(empty));
            for piece in pace::pieces(&completion.answer.text) {
                event(
                    "content-delta",
                    Some(0),
                    message(value!({"content": {"text": piece}})),
                );
            }
            event("content-end", Some(0), value!({}));
        }
    }
    let end = value!({"finish_reason": finish(completion), "usage": usage(completion)});
    event("message-end", None, end);
    events
}
