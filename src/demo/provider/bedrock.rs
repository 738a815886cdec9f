//! Amazon Bedrock's wire: converse, whole and as a stream of binary messages.

use super::openai::{Completion, complete};
use super::{Shared, json, pace};
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{Response, StatusCode};
use serde_json::{Value, json as value};
use std::sync::Arc;
use tollgate_proxy::eventstream::Message;

pub(super) async fn converse(
    State(shared): State<Arc<Shared>>,
    Path(model): Path<String>,
    body: Bytes,
) -> Response<Body> {
    let Some(completion) = asked(&shared, &model, &body) else {
        return refuse();
    };
    tokio::time::sleep(shared.latency.first).await;
    let block = match &completion.call {
        Some(call) => {
            value!({"toolUse": {"toolUseId": "tooluse_0", "name": call.name, "input": call.arguments}})
        }
        None => value!({"text": completion.answer.text}),
    };
    let message = value!({"role": "assistant", "content": [block]});
    json(
        StatusCode::OK,
        &value!({"output": {"message": message}, "stopReason": stop(&completion),
            "usage": usage(&completion), "metrics": {"latencyMs": 1}}),
    )
}

pub(super) async fn converse_stream(
    State(shared): State<Arc<Shared>>,
    Path(model): Path<String>,
    body: Bytes,
) -> Response<Body> {
    let Some(completion) = asked(&shared, &model, &body) else {
        return refuse();
    };
    tokio::time::sleep(shared.latency.first).await;
    let kind = "application/vnd.amazon.eventstream";
    pace::stream(events(&completion), shared.latency, kind)
}

fn refuse() -> Response<Body> {
    json(
        StatusCode::BAD_REQUEST,
        &value!({"message": "messages: expected"}),
    )
}

/// The same request in OpenAI's words.
fn asked(shared: &Shared, model: &str, body: &Bytes) -> Option<Completion> {
    let request: Value = serde_json::from_slice(body).ok()?;
    let mut messages = vec![value!({"role": "system", "content": texts(&request["system"])})];
    for message in request["messages"].as_array()? {
        let result = message["content"][0]["toolResult"].is_object();
        let role = if result {
            &Value::from("tool")
        } else {
            &message["role"]
        };
        messages.push(value!({"role": role, "content": texts(&message["content"])}));
    }
    let specs = request["toolConfig"]["tools"].as_array();
    let tools = specs.into_iter().flatten().map(|tool| {
        let spec = &tool["toolSpec"];
        value!({"function": {"name": spec["name"], "parameters": spec["inputSchema"]["json"]}})
    });
    let mut asked =
        value!({"model": model, "messages": messages, "tools": tools.collect::<Vec<_>>()});
    if request["toolConfig"]["toolChoice"]["any"].is_object() {
        asked["tool_choice"] = "required".into();
    }
    Some(complete(shared, &asked))
}

/// The text of content blocks, calls and their results included.
fn texts(blocks: &Value) -> String {
    let of = |block: &Value| match block["text"].as_str() {
        Some(text) => text.to_owned(),
        None if block["toolUse"].is_object() => block["toolUse"]["input"].to_string(),
        None if block["json"].is_object() => block["json"].to_string(),
        None => texts(&block["toolResult"]["content"]),
    };
    let blocks: Vec<String> = blocks.as_array().into_iter().flatten().map(of).collect();
    blocks.join("\n")
}

fn stop(completion: &Completion) -> &'static str {
    match (&completion.call, completion.answer.cut) {
        (Some(_), _) => "tool_use",
        (None, true) => "max_tokens",
        (None, false) => "end_turn",
    }
}

fn usage(completion: &Completion) -> Value {
    let told = &completion.usage;
    value!({"inputTokens": told["prompt_tokens"], "outputTokens": told["completion_tokens"],
        "totalTokens": told["total_tokens"]})
}

fn events(completion: &Completion) -> Vec<Bytes> {
    let mut events = Vec::new();
    let mut event = |kind: &str, mut data: Value| {
        data["p"] = "abcd".into();
        let headers = [
            (":event-type", kind),
            (":content-type", "application/json"),
            (":message-type", "event"),
        ];
        events.push(
            Message::new(&headers, data.to_string().as_bytes())
                .raw()
                .clone(),
        );
    };
    let delta = |delta: Value| value!({"contentBlockIndex": 0, "delta": delta});
    event("messageStart", value!({"role": "assistant"}));
    match &completion.call {
        Some(call) => {
            let start = value!({"toolUse": {"toolUseId": "tooluse_0", "name": call.name}});
            event(
                "contentBlockStart",
                value!({"contentBlockIndex": 0, "start": start}),
            );
            for piece in pace::pieces(&call.arguments.to_string()) {
                event(
                    "contentBlockDelta",
                    delta(value!({"toolUse": {"input": piece}})),
                );
            }
        }
        None => {
            for piece in pace::pieces(&completion.answer.text) {
                event("contentBlockDelta", delta(value!({"text": piece})));
            }
        }
    }
    event("contentBlockStop", value!({"contentBlockIndex": 0}));
    event("messageStop", value!({"stopReason": stop(completion)}));
    let metrics = value!({"latencyMs": 1});
    event(
        "metadata",
        value!({"usage": usage(completion), "metrics": metrics}),
    );
    events
}
