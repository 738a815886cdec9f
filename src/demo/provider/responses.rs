//! OpenAI's Responses API, played by the same completions as chat: a request's input is read as
//! messages, and what came of it is told in this API's items and events.

use super::openai::{CREATED, Completion, complete, refuse};
use super::{Shared, json, pace};
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{Response, StatusCode};
use serde_json::{Value, json as value};
use std::sync::Arc;

pub(super) async fn responses(State(shared): State<Arc<Shared>>, body: Bytes) -> Response<Body> {
    let Ok(request) = serde_json::from_slice::<Value>(&body) else {
        return refuse("The body is not JSON.");
    };
    if request["input"].is_null() {
        return refuse("Missing required parameter: 'input'.");
    }
    let completion = complete(&shared, &as_chat(&request));
    tokio::time::sleep(shared.latency.first).await;
    if request["stream"] == true {
        return pace::event_stream(events(&completion), shared.latency);
    }
    json(
        StatusCode::OK,
        &response(&completion, "completed", &[item(&completion)]),
    )
}

/// The request as chat completions would have it.
fn as_chat(request: &Value) -> Value {
    let mut messages = Vec::new();
    if let Some(instructions) = request["instructions"].as_str() {
        messages.push(value!({"role": "system", "content": instructions}));
    }
    match &request["input"] {
        Value::Array(items) => messages.extend(items.iter().map(message)),
        text => messages.push(value!({"role": "user", "content": text})),
    }
    let tools: Vec<Value> = request["tools"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|tool| value!({"function": {"name": tool["name"], "parameters": tool["parameters"]}}))
        .collect();
    value!({
        "model": request["model"], "messages": messages, "tools": tools,
        "tool_choice": request["tool_choice"], "max_tokens": request["max_output_tokens"],
    })
}

fn message(item: &Value) -> Value {
    match item["type"].as_str() {
        Some("function_call") => value!({"role": "assistant", "content": "",
            "tool_calls": [{"function": {"arguments": item["arguments"]}}]}),
        Some("function_call_output") => value!({"role": "tool", "content": item["output"]}),
        _ => value!({"role": item["role"], "content": item["content"]}),
    }
}

/// The one item of an answer: a message or a call of a tool.
fn item(completion: &Completion) -> Value {
    match &completion.call {
        Some(call) => value!({
            "id": format!("fc_{}", completion.id), "type": "function_call", "status": "completed",
            "call_id": format!("call_{}", completion.id), "name": call.name,
            "arguments": call.arguments.to_string(),
        }),
        None => value!({
            "id": format!("msg_{}", completion.id), "type": "message", "status": "completed",
            "role": "assistant", "content": [part(&completion.answer.text)],
        }),
    }
}

fn part(text: &str) -> Value {
    value!({"type": "output_text", "text": text, "annotations": [], "logprobs": []})
}

fn response(completion: &Completion, status: &str, output: &[Value]) -> Value {
    let tokens = &completion.usage;
    let usage = value!({
        "input_tokens": tokens["prompt_tokens"],
        "input_tokens_details": {"cached_tokens": tokens["prompt_tokens_details"]["cached_tokens"]},
        "output_tokens": tokens["completion_tokens"],
        "output_tokens_details": {
            "reasoning_tokens": tokens["completion_tokens_details"]["reasoning_tokens"]},
        "total_tokens": tokens["total_tokens"],
    });
    value!({
        "id": format!("resp_{}", completion.id), "object": "response", "created_at": CREATED,
        "status": status, "model": completion.model, "output": output, "error": null,
        "incomplete_details": null, "instructions": null, "metadata": {}, "temperature": 1.0,
        "top_p": 1.0, "parallel_tool_calls": true, "tool_choice": "auto", "tools": [],
        "text": {"format": {"type": "text"}}, "store": false,
        "usage": if status == "completed" { usage } else { Value::Null },
    })
}

fn events(completion: &Completion) -> Vec<String> {
    let mut events: Vec<String> = Vec::new();
    let mut event = |kind: &str, members: Value| {
        let mut data = value!({"type": kind, "sequence_number": events.len()});
        if let (Some(data), Value::Object(members)) = (data.as_object_mut(), members) {
            data.extend(members);
        }
        events.push(format!("event: {kind}\ndata: {data}\n\n"));
    };
    let whole = item(completion);
    let id = &whole["id"];
    let begun = response(completion, "in_progress", &[]);
    event("response.created", value!({"response": begun}));
    event("response.in_progress", value!({"response": begun}));
    let mut empty = whole.clone();
    empty["status"] = "in_progress".into();
    match &completion.call {
        Some(call) => {
            empty["arguments"] = "".into();
            event(
                "response.output_item.added",
                value!({"output_index": 0, "item": empty}),
            );
            let arguments = call.arguments.to_string();
            for piece in pace::pieces(&arguments) {
                event(
                    "response.function_call_arguments.delta",
                    value!({"item_id": id, "output_index": 0, "delta": piece}),
                );
            }
            event(
                "response.function_call_arguments.done",
                value!({"item_id": id, "output_index": 0, "name": call.name, "arguments": arguments}),
            );
        }
        None => {
            empty["content"] = value!([]);
            event(
                "response.output_item.added",
                value!({"output_index": 0, "item": empty}),
            );
            let text = &completion.answer.text;
            let at = |members: Value| {
                let mut at = value!({"item_id": id, "output_index": 0, "content_index": 0});
                if let (Some(at), Value::Object(members)) = (at.as_object_mut(), members) {
                    at.extend(members);
                }
                at
            };
            event(
                "response.content_part.added",
                at(value!({"part": part("")})),
            );
            for piece in pace::pieces(text) {
                event(
                    "response.output_text.delta",
                    at(value!({"delta": piece, "logprobs": []})),
                );
            }
            event(
                "response.output_text.done",
                at(value!({"text": text, "logprobs": []})),
            );
            event(
                "response.content_part.done",
                at(value!({"part": part(text)})),
            );
        }
    }
    event(
        "response.output_item.done",
        value!({"output_index": 0, "item": whole}),
    );
    event(
        "response.completed",
        value!({"response": response(completion, "completed", &[whole])}),
    );
    events
}
