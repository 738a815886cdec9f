//! The Anthropic wire: messages and the list of models.

use super::answer::{self, Answer, ToolCall};
use super::prompt::Prompt;
use super::{Shared, json, model_of, pace, tokens};
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{Response, StatusCode};
use serde_json::{Value, json as value};
use std::sync::Arc;

/// The models that the list names.
const MODELS: [&str; 3] = ["claude-opus-4-5", "claude-sonnet-4-5", "claude-haiku-4-5"];

pub(super) async fn models() -> Response<Body> {
    let data: Vec<Value> = MODELS
        .iter()
        .map(|id| {
            value!({"id": id, "type": "model", "display_name": format!("{id} (simulated)"),
                "created_at": "2024-01-01T00:00:00Z"})
        })
        .collect();
    let (first, last) = (MODELS[0], MODELS[MODELS.len() - 1]);
    json(
        StatusCode::OK,
        &value!({"data": data, "has_more": false, "first_id": first, "last_id": last}),
    )
}

/// What came of a request: text or a tool call, with its tokens.
struct Message {
    id: String,
    model: String,
    answer: Answer,
    call: Option<ToolCall>,
    input: Value,
    output: u64,
}

pub(super) async fn messages(State(shared): State<Arc<Shared>>, body: Bytes) -> Response<Body> {
    let Ok(request) = serde_json::from_slice::<Value>(&body) else {
        return refuse("The body is not JSON.");
    };
    if !request["messages"].is_array() || !request["max_tokens"].is_u64() {
        return refuse("messages and max_tokens: Field required");
    }
    let message = answer_to(&shared, &request);
    tokio::time::sleep(shared.latency.first).await;
    if request["stream"] == true {
        return pace::event_stream(events(&message), shared.latency);
    }
    json(StatusCode::OK, &whole(&message))
}

pub(super) async fn count_tokens(body: Bytes) -> Response<Body> {
    let Ok(request) = serde_json::from_slice::<Value>(&body) else {
        return refuse("The body is not JSON.");
    };
    let total = tokens::of_messages(&Prompt::read(&request).messages);
    json(StatusCode::OK, &value!({"input_tokens": total}))
}

fn refuse(message: &str) -> Response<Body> {
    json(
        StatusCode::BAD_REQUEST,
        &value!({"type": "error", "error": {"type": "invalid_request_error", "message": message}}),
    )
}

fn answer_to(shared: &Shared, request: &Value) -> Message {
    let prompt = Prompt::read(request);
    let tools: Vec<(String, Value)> = request["tools"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|tool| {
            Some((
                tool["name"].as_str()?.to_string(),
                tool["input_schema"].clone(),
            ))
        })
        .collect();
    let forced = match request["tool_choice"]["type"].as_str() {
        Some("any") => Some(""),
        Some("tool") => request["tool_choice"]["name"].as_str(),
        _ => None,
    };
    let call = answer::call(&prompt, &tools, forced);
    let answer = answer::compose(&prompt, request["max_tokens"].as_u64());
    let total = tokens::of_messages(&prompt.messages);
    // On this wire a prompt is cached only where the caller marks it.
    let marked = request.to_string().contains("\"cache_control\"");
    let read = if marked {
        shared.cached_tokens(&prompt.messages)
    } else {
        0
    };
    let written = if marked && read == 0 { total } else { 0 };
    let input = value!({
        "input_tokens": total - read - written,
        "cache_creation_input_tokens": written,
        "cache_read_input_tokens": read,
        "service_tier": "standard",
    });
    let output = match &call {
        Some(call) => tokens::of(&call.arguments.to_string()) + tokens::of(&call.name),
        None => tokens::of(&answer.text),
    };
    let id = format!("msg_simulated_{}", shared.next());
    Message {
        id,
        model: model_of(request).to_string(),
        answer,
        call,
        input,
        output,
    }
}

fn stop_reason(message: &Message) -> &'static str {
    match (&message.call, message.answer.cut) {
        (Some(_), _) => "tool_use",
        (None, true) => "max_tokens",
        (None, false) => "end_turn",
    }
}

fn tool_use(message: &Message, call: &ToolCall, input: Value) -> Value {
    value!({"type": "tool_use", "id": format!("toolu_{}", message.id), "name": call.name, "input": input})
}

fn usage(message: &Message, output: u64) -> Value {
    let mut usage = message.input.clone();
    usage["output_tokens"] = output.into();
    usage
}

fn envelope(message: &Message, content: Value, stop: Option<&str>, output: u64) -> Value {
    value!({
        "id": message.id, "type": "message", "role": "assistant", "model": message.model,
        "content": content, "stop_reason": stop, "stop_sequence": null, "usage": usage(message, output),
    })
}

fn whole(message: &Message) -> Value {
    let block = match &message.call {
        Some(call) => tool_use(message, call, call.arguments.clone()),
        None => value!({"type": "text", "text": message.answer.text}),
    };
    envelope(
        message,
        value!([block]),
        Some(stop_reason(message)),
        message.output,
    )
}

fn events(message: &Message) -> Vec<String> {
    let event = |kind: &str, mut data: Value| {
        data["type"] = kind.into();
        format!("event: {kind}\ndata: {data}\n\n")
    };
    let (block, text, delta): (Value, String, fn(&str) -> Value) = match &message.call {
        Some(call) => (
            tool_use(message, call, value!({})),
            call.arguments.to_string(),
            |piece| value!({"type": "input_json_delta", "partial_json": piece}),
        ),
        None => (
            value!({"type": "text", "text": ""}),
            message.answer.text.clone(),
            |piece| value!({"type": "text_delta", "text": piece}),
        ),
    };
    let mut events = vec![
        event(
            "message_start",
            value!({"message": envelope(message, value!([]), None, 1)}),
        ),
        event(
            "content_block_start",
            value!({"index": 0, "content_block": block}),
        ),
        event("ping", value!({})),
    ];
    for piece in pace::pieces(&text) {
        events.push(event(
            "content_block_delta",
            value!({"index": 0, "delta": delta(&piece)}),
        ));
    }
    events.push(event("content_block_stop", value!({"index": 0})));
    events.push(event(
        "message_delta",
        value!({
        "delta": {"stop_reason": stop_reason(message), "stop_sequence": null},
        "usage": {"output_tokens": message.output}}),
    ));
    events.push(event("message_stop", value!({})));
    events
}
