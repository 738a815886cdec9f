//! The OpenAI wire: chat completions, completions, moderations and the list of models.

use super::answer::{self, Answer, ToolCall};
use super::prompt::Prompt;
use super::{Shared, json, model_of, pace, tokens};
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{Response, StatusCode};
use serde_json::{Value, json as value};
use std::sync::Arc;

/// The models that the list names.
const MODELS: [&str; 5] = [
    "gpt-4o",
    "gpt-4o-mini",
    "o4-mini",
    "text-embedding-3-small",
    "text-embedding-3-large",
];
/// When the simulated models were made, seconds since the Unix epoch: 2024-01-01.
pub(super) const CREATED: u64 = 1_704_067_200;

pub(super) async fn models() -> Response<Body> {
    let data: Vec<Value> = MODELS
        .iter()
        .map(
            |id| value!({"id": id, "object": "model", "created": CREATED, "owned_by": "simulated"}),
        )
        .collect();
    json(StatusCode::OK, &value!({"object": "list", "data": data}))
}

pub(super) async fn one_model(Path(id): Path<String>) -> Response<Body> {
    let model = value!({"id": id, "object": "model", "created": CREATED, "owned_by": "simulated"});
    json(StatusCode::OK, &model)
}

/// Legacy completions.
pub(super) async fn completions(State(shared): State<Arc<Shared>>, body: Bytes) -> Response<Body> {
    let Some((request, completion)) = continued(&shared, &body) else {
        return refuse("The body is not JSON.");
    };
    let chunk = |text: &str, finish: Option<&str>, usage: Value| {
        value!({"id": completion.id, "object": "text_completion", "created": CREATED, "model": completion.model,
            "choices": [{"index": 0, "text": text, "logprobs": null, "finish_reason": finish}], "usage": usage})
    };
    if request["stream"] != true {
        let whole = chunk(
            &completion.answer.text,
            Some("stop"),
            completion.usage.clone(),
        );
        return json(StatusCode::OK, &whole);
    }
    let mut events: Vec<Value> = pace::pieces(&completion.answer.text)
        .iter()
        .map(|piece| chunk(piece, None, Value::Null))
        .collect();
    events.push(chunk("", Some("stop"), Value::Null));
    if request["stream_options"]["include_usage"] == true {
        let mut last = chunk("", None, completion.usage.clone());
        last["choices"] = value!([]);
        events.push(last);
    }
    let mut events: Vec<String> = events.iter().map(|e| format!("data: {e}\n\n")).collect();
    events.push("data: [DONE]\n\n".into());
    pace::event_stream(events, shared.latency)
}

/// Mistral's chat and fill-in-the-middle: its streams tell their usage, and whoever asks for it is
/// refused.
pub(super) async fn mistral(State(shared): State<Arc<Shared>>, body: Bytes) -> Response<Body> {
    let Some((request, completion)) = continued(&shared, &body) else {
        return refuse("The body is not JSON.");
    };
    if !request["stream_options"].is_null() {
        return refuse("Extra inputs are not permitted: stream_options");
    }
    if request["stream"] == true {
        return pace::event_stream(events(&completion, true), shared.latency);
    }
    json(StatusCode::OK, &whole(&completion))
}

/// What came of a request for a text to go on, as of one for an answer to it.
fn continued(shared: &Shared, body: &Bytes) -> Option<(Value, Completion)> {
    let request: Value = serde_json::from_slice(body).ok()?;
    let prompt = &request["prompt"];
    let content = if prompt.is_array() {
        &prompt[0]
    } else {
        prompt
    };
    let asked =
        value!({"model": request["model"], "messages": [{"role": "user", "content": content}]});
    let completion = match request["messages"].is_array() {
        true => complete(shared, &request),
        false => complete(shared, &asked),
    };
    Some((request, completion))
}

pub(super) async fn moderations(body: Bytes) -> Response<Body> {
    let Ok(request) = serde_json::from_slice::<Value>(&body) else {
        return refuse("The body is not JSON.");
    };
    let count = request["input"].as_array().map_or(1, Vec::len);
    let result = value!({"flagged": false, "categories": {"hate": false}, "category_scores": {"hate": 0.0},
        "category_applied_input_types": {"hate": ["text"]}});
    let model = request["model"]
        .as_str()
        .unwrap_or("omni-moderation-latest");
    json(
        StatusCode::OK,
        &value!({"id": "modr-simulated", "model": model, "results": vec![result; count]}),
    )
}

/// What came of a request: text or a tool call, with its tokens.
pub(super) struct Completion {
    pub(super) id: String,
    pub(super) model: String,
    pub(super) answer: Answer,
    pub(super) call: Option<ToolCall>,
    pub(super) usage: Value,
}

pub(super) async fn chat(State(shared): State<Arc<Shared>>, body: Bytes) -> Response<Body> {
    let Ok(request) = serde_json::from_slice::<Value>(&body) else {
        return refuse("The body is not JSON.");
    };
    if !request["messages"].is_array() {
        return refuse("Missing required parameter: 'messages'.");
    }
    let completion = complete(&shared, &request);
    tokio::time::sleep(shared.latency.first).await;
    if request["stream"] == true {
        let include_usage = request["stream_options"]["include_usage"] == true;
        return pace::event_stream(events(&completion, include_usage), shared.latency);
    }
    json(StatusCode::OK, &whole(&completion))
}

pub(super) fn refuse(message: &str) -> Response<Body> {
    json(
        StatusCode::BAD_REQUEST,
        &value!({"error": {"message": message, "type": "invalid_request_error", "param": null, "code": null}}),
    )
}

pub(super) fn complete(shared: &Shared, request: &Value) -> Completion {
    let prompt = Prompt::read(request);
    let tools: Vec<(String, Value)> = request["tools"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|tool| {
            let name = tool["function"]["name"].as_str()?;
            Some((name.to_string(), tool["function"]["parameters"].clone()))
        })
        .collect();
    let forced = match &request["tool_choice"] {
        Value::String(choice) if choice == "required" => Some(""),
        choice => choice["function"]["name"].as_str(),
    };
    let call = answer::call(&prompt, &tools, forced);
    let max = request["max_completion_tokens"]
        .as_u64()
        .or(request["max_tokens"].as_u64());
    let answer = answer::compose(&prompt, max);
    let input = tokens::of_messages(&prompt.messages);
    let output = match &call {
        Some(call) => tokens::of(&call.arguments.to_string()) + tokens::of(&call.name),
        None => tokens::of(&answer.text),
    };
    // Models of the o family think before they answer; a fixed third stands for it.
    let model = model_of(request).to_string();
    let reasoning = if model.starts_with('o') {
        output.div_ceil(3)
    } else {
        0
    };
    let cached = shared.cached_tokens(&prompt.messages);
    let usage = value!({
        "prompt_tokens": input,
        "completion_tokens": output + reasoning,
        "total_tokens": input + output + reasoning,
        "prompt_tokens_details": {"cached_tokens": cached, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": reasoning, "audio_tokens": 0},
    });
    Completion {
        id: format!("chatcmpl-simulated-{}", shared.next()),
        model,
        answer,
        call,
        usage,
    }
}

fn finish(completion: &Completion) -> &'static str {
    match (&completion.call, completion.answer.cut) {
        (Some(_), _) => "tool_calls",
        (None, true) => "length",
        (None, false) => "stop",
    }
}

fn whole(completion: &Completion) -> Value {
    let message = match &completion.call {
        Some(call) => {
            value!({"role": "assistant", "content": null, "refusal": null, "tool_calls": [{
            "id": format!("call_{}", completion.id), "type": "function",
            "function": {"name": call.name, "arguments": call.arguments.to_string()}}]})
        }
        None => value!({"role": "assistant", "content": completion.answer.text, "refusal": null}),
    };
    value!({
        "id": completion.id, "object": "chat.completion", "created": CREATED, "model": completion.model,
        "choices": [{"index": 0, "message": message, "logprobs": null, "finish_reason": finish(completion)}],
        "usage": completion.usage, "system_fingerprint": "fp_simulated", "service_tier": "default",
    })
}

fn events(completion: &Completion, include_usage: bool) -> Vec<String> {
    let chunk = |choices: Value, usage: Option<&Value>| {
        let mut chunk = value!({
            "id": completion.id, "object": "chat.completion.chunk", "created": CREATED,
            "model": completion.model, "system_fingerprint": "fp_simulated", "choices": choices,
        });
        if include_usage {
            chunk["usage"] = usage.cloned().unwrap_or_default();
        }
        format!("data: {chunk}\n\n")
    };
    let delta = |delta: Value, finish: Option<&str>| {
        chunk(
            value!([{"index": 0, "delta": delta, "logprobs": null, "finish_reason": finish}]),
            None,
        )
    };
    let mut events = Vec::new();
    match &completion.call {
        Some(call) => {
            events.push(delta(
                value!({"role": "assistant", "content": null, "tool_calls": [{
                "index": 0, "id": format!("call_{}", completion.id), "type": "function",
                "function": {"name": call.name, "arguments": ""}}]}),
                None,
            ));
            for piece in pace::pieces(&call.arguments.to_string()) {
                let function = value!({"arguments": piece});
                events.push(delta(
                    value!({"tool_calls": [{"index": 0, "function": function}]}),
                    None,
                ));
            }
        }
        None => {
            events.push(delta(
                value!({"role": "assistant", "content": "", "refusal": null}),
                None,
            ));
            for piece in pace::pieces(&completion.answer.text) {
                events.push(delta(value!({"content": piece}), None));
            }
        }
    }
    events.push(delta(value!({}), Some(finish(completion))));
    if include_usage {
        events.push(chunk(value!([]), Some(&completion.usage)));
    }
    events.push("data: [DONE]\n\n".into());
    events
}
