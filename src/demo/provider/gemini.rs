//! The Gemini wire: contents, their stream, tokens and embeddings.

use super::openai::{Completion, complete};
use super::prompt::Prompt;
use super::{Shared, embedding, json, pace, tokens};
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{Response, StatusCode};
use serde_json::{Value, json as value};
use std::sync::Arc;

/// The models that the list names.
const MODELS: [&str; 2] = ["gemini-2.5-flash", "gemini-embedding-001"];

pub(super) async fn models() -> Response<Body> {
    let models: Vec<Value> = MODELS.iter().map(|name| model(name)).collect();
    json(StatusCode::OK, &value!({"models": models}))
}

pub(super) async fn one_model(Path(name): Path<String>) -> Response<Body> {
    json(StatusCode::OK, &model(&name))
}

fn model(name: &str) -> Value {
    value!({"name": format!("models/{name}"), "version": "simulated", "displayName": "(simulated)",
        "supportedGenerationMethods": ["generateContent", "countTokens"]})
}

/// `{model}:{verb}`.
pub(super) async fn ask(
    State(shared): State<Arc<Shared>>,
    Path(asked): Path<String>,
    body: Bytes,
) -> Response<Body> {
    let Ok(request) = serde_json::from_slice::<Value>(&body) else {
        return refuse("Invalid JSON payload received.");
    };
    let (model, verb) = asked.split_once(':').unwrap_or((&asked, ""));
    if verb == "batchEmbedContents" || verb == "embedContent" {
        return embed(&request);
    }
    if !request["contents"].is_array() {
        return refuse("* GenerateContentRequest.contents: contents is not specified");
    }
    let asked = as_openai(model, &request);
    if verb == "countTokens" {
        let total = tokens::of_messages(&Prompt::read(&asked).messages);
        return json(StatusCode::OK, &value!({"totalTokens": total}));
    }
    let completion = complete(&shared, &asked);
    tokio::time::sleep(shared.latency.first).await;
    if verb == "streamGenerateContent" {
        return pace::event_stream(events(&completion), shared.latency);
    }
    let part = match &completion.call {
        Some(_) => call(&completion),
        None => value!({"text": completion.answer.text}),
    };
    json(
        StatusCode::OK,
        &answer(&completion, part, Some(finish(&completion))),
    )
}

fn refuse(message: &str) -> Response<Body> {
    json(
        StatusCode::BAD_REQUEST,
        &value!({"error": {"code": 400, "message": message, "status": "INVALID_ARGUMENT"}}),
    )
}

fn embed(request: &Value) -> Response<Body> {
    let of = |request: &Value| {
        let text = texts(&request["content"]["parts"]);
        value!({"values": embedding::vector(&text, 768)})
    };
    json(
        StatusCode::OK,
        &match request["requests"].as_array() {
            Some(all) => value!({"embeddings": all.iter().map(of).collect::<Vec<_>>()}),
            None => value!({"embedding": of(request)}),
        },
    )
}

/// The same request in OpenAI's words.
fn as_openai(model: &str, request: &Value) -> Value {
    let mut messages = Vec::new();
    let system = &request["systemInstruction"]["parts"];
    if system.is_array() {
        messages.push(value!({"role": "system", "content": texts(system)}));
    }
    for content in request["contents"].as_array().into_iter().flatten() {
        let parts = &content["parts"];
        let result = parts[0]["functionResponse"].is_object();
        let role = match (result, content["role"].as_str()) {
            (true, _) => "tool",
            (false, Some("model")) => "assistant",
            _ => "user",
        };
        messages.push(value!({"role": role, "content": texts(parts)}));
    }
    let declared = request["tools"][0]["functionDeclarations"].as_array();
    let tools = declared.into_iter().flatten().map(|function| {
        let schema = match &function["parametersJsonSchema"] {
            Value::Null => &function["parameters"],
            schema => schema,
        };
        value!({"function": {"name": function["name"], "parameters": schema}})
    });
    let mut asked =
        value!({"model": model, "messages": messages, "tools": tools.collect::<Vec<_>>()});
    if request["toolConfig"]["functionCallingConfig"]["mode"] == "ANY" {
        asked["tool_choice"] = "required".into();
    }
    asked
}

/// The text of parts, calls and their results included.
fn texts(parts: &Value) -> String {
    let of = |part: &Value| {
        let text = part["text"].as_str().map(str::to_owned);
        let args = || Some(part.pointer("/functionCall/args")?.to_string());
        let result = || Some(part.pointer("/functionResponse/response")?.to_string());
        text.or_else(args).or_else(result).unwrap_or_default()
    };
    let parts: Vec<String> = parts.as_array().into_iter().flatten().map(of).collect();
    parts.join("\n")
}

fn call(completion: &Completion) -> Value {
    let call = completion.call.as_ref();
    value!({"functionCall": {"name": call.map(|c| &c.name), "args": call.map(|c| &c.arguments)}})
}

fn finish(completion: &Completion) -> &'static str {
    if completion.answer.cut {
        "MAX_TOKENS"
    } else {
        "STOP"
    }
}

fn answer(completion: &Completion, part: Value, finish: Option<&str>) -> Value {
    let told = &completion.usage;
    let mut candidate = value!({"content": {"role": "model", "parts": [part]}, "index": 0});
    if let Some(finish) = finish {
        candidate["finishReason"] = finish.into();
    }
    value!({
        "candidates": [candidate],
        "usageMetadata": {
            "promptTokenCount": told["prompt_tokens"],
            "candidatesTokenCount": told["completion_tokens"],
            "totalTokenCount": told["total_tokens"],
        },
        "modelVersion": completion.model, "responseId": completion.id,
    })
}

fn events(completion: &Completion) -> Vec<String> {
    let event = |part, finish| {
        let data = answer(completion, part, finish);
        format!("data: {data}\r\n\r\n")
    };
    let last = Some(finish(completion));
    if completion.call.is_some() {
        return vec![event(call(completion), last)];
    }
    let mut events: Vec<String> = pace::pieces(&completion.answer.text)
        .into_iter()
        .map(|piece| event(value!({"text": piece}), None))
        .collect();
    events.push(event(value!({"text": ""}), last));
    events
}
