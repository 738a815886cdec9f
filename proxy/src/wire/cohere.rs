//! Cohere's wire, version 2: `/v2/chat`, `/v2/embed`, `/v2/rerank`.
//!
//! Source of the shapes: Cohere API reference, v2. A field that is not named here is text: it is
//! inspected on the way out and restored on the way back. Citations tell places in the text as the
//! model wrote it, so behind a restored value they are off by as much as it is longer or shorter.

use super::openai::schema_role;
use super::route::Found;
use super::{Delta, Ending, Operation, Role, WireKind, dotted};
use crate::error::Refusal;
use crate::json::Step;
use serde::Deserialize;
use serde_json::json;
use tollgate_analytics::record::Usage;

/// What a path below the version segment asks for.
pub(super) fn find(below: &str) -> Option<Found> {
    let operation = match below {
        "chat" => Operation::Chat,
        "embed" => Operation::Embeddings,
        "rerank" => Operation::Rerank,
        _ => return None,
    };
    Some(Found::new(WireKind::Cohere, operation, below))
}

/// Strings of a request that are identifiers or enumerations.
const STRUCTURAL: &[&str] = &[
    "messages.*.role",
    "messages.*.content.*.type",
    "messages.*.content.*.image_url.detail",
    "messages.*.tool_call_id",
    "messages.*.tool_calls.*.id",
    "messages.*.tool_calls.*.type",
    "messages.*.tool_calls.*.function.name",
    "tools.*.type",
    "tools.*.function.name",
    "tool_choice",
    "response_format.type",
    "citation_options.mode",
    "safety_mode",
    "reasoning_effort",
    "thinking.type",
    "input_type",
    "embedding_types.*",
    "truncate",
    "inputs.*.content.*.type",
];

/// Strings that stand for what cannot be inspected.
const OPAQUE: &[&str] = &[
    "messages.*.content.*.image_url",
    "messages.*.content.*.image_url.url",
    "inputs.*.content.*.image_url",
    "inputs.*.content.*.image_url.url",
    "images.*",
];

/// Where JSON schemas begin.
const SCHEMAS: &[&str] = &[
    "tools.*.function.parameters.",
    "response_format.json_schema.",
    "response_format.schema.",
];

pub(super) fn request_role(path: &[Step<'_>]) -> Role {
    let text = dotted(path);
    if STRUCTURAL.contains(&text.as_str()) {
        Role::Structural
    } else if OPAQUE.contains(&text.as_str()) {
        Role::Opaque
    } else if text == "messages.*.tool_calls.*.function.arguments" {
        Role::NestedJson
    } else if SCHEMAS.iter().any(|start| text.starts_with(start)) {
        schema_role(path, &text)
    } else {
        Role::Text
    }
}

/// Numbers are content, but for settings.
pub(super) fn number_role(path: &[Step<'_>]) -> Role {
    match path {
        [Step::Key(_)] => Role::Structural,
        _ => match dotted(path).as_str() {
            "thinking.token_budget" => Role::Structural,
            _ => Role::Text,
        },
    }
}

pub(super) fn answer_role(path: &str) -> Role {
    match path {
        "id"
        | "finish_reason"
        | "message.role"
        | "message.content.*.type"
        | "message.tool_calls.*.id"
        | "message.tool_calls.*.type"
        | "message.tool_calls.*.function.name"
        | "response_type" => Role::Structural,
        "message.tool_calls.*.function.arguments" => Role::NestedJson,
        _ => Role::Text,
    }
}

pub(super) fn delta(path: &str) -> Delta {
    match path {
        "id"
        | "type"
        | "delta.finish_reason"
        | "delta.message.role"
        | "delta.message.content.type"
        | "delta.message.tool_calls.id"
        | "delta.message.tool_calls.type"
        | "delta.message.tool_calls.function.name" => Delta::Structural,
        "delta.message.content.text"
        | "delta.message.content.thinking"
        | "delta.message.tool_plan" => Delta::Piece { json: false },
        "delta.message.tool_calls.function.arguments" => Delta::Piece { json: true },
        _ => Delta::Whole { json: false },
    }
}

/// One text comes after the other: each ends where its own event says so, or the next begins.
pub(super) fn ending(path: &[Step<'_>], value: &str) -> Ending {
    match (dotted(path).as_str(), value) {
        ("type", "content-end" | "content-start" | "tool-call-start" | "tool-call-end") => {
            Ending::Texts
        }
        ("type", "message-end") => Ending::Stream,
        _ => Ending::None,
    }
}

#[derive(Deserialize)]
struct Answer {
    usage: Option<Told>,
    meta: Option<Told>,
    delta: Option<End>,
}

#[derive(Deserialize)]
struct End {
    usage: Option<Told>,
}

#[derive(Deserialize)]
struct Told {
    billed_units: Option<Tokens>,
    tokens: Option<Tokens>,
    cached_tokens: Option<f64>,
}

/// Written with a decimal point by some models.
#[derive(Deserialize)]
struct Tokens {
    #[serde(default)]
    input_tokens: f64,
    #[serde(default)]
    output_tokens: f64,
}

/// What is billed counts, where it is told; the tokens besides hold the provider's own preamble.
pub(super) fn usage(json: &[u8], usage: &mut Option<Usage>) {
    let Ok(answer) = serde_json::from_slice::<Answer>(json) else {
        return;
    };
    let told = answer
        .usage
        .or(answer.meta)
        .or(answer.delta.and_then(|delta| delta.usage));
    let Some(told) = told else { return };
    if let Some(tokens) = told.billed_units.or(told.tokens) {
        // Out of range saturates.
        *usage = Some(Usage {
            input: tokens.input_tokens as u64,
            output: tokens.output_tokens as u64,
            cache_read: (told.cached_tokens.unwrap_or(0.0) as u64).min(tokens.input_tokens as u64),
            ..Usage::default()
        });
    }
}

pub(super) fn error(refusal: &Refusal, exchange: &str) -> serde_json::Value {
    json!({"id": exchange, "message": format!("{} ({})", refusal.message, refusal.code)})
}

/// The refusal as the event that ends a stream.
pub(super) fn error_event(refusal: &Refusal) -> serde_json::Value {
    let message = format!("{} ({})", refusal.message, refusal.code);
    json!({"type": "message-end", "delta": {"finish_reason": "ERROR", "error": message}})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usage_is_what_is_billed() {
        let told = r#"{"billed_units":{"input_tokens":5.0,"output_tokens":418},
            "tokens":{"input_tokens":71,"output_tokens":418},"cached_tokens":2}"#;
        for json in [
            format!(r#"{{"id":"c","usage":{told}}}"#),
            format!(
                r#"{{"type":"message-end","delta":{{"finish_reason":"COMPLETE","usage":{told}}}}}"#
            ),
        ] {
            let mut usage_told = None;
            usage(json.as_bytes(), &mut usage_told);
            let told = usage_told.expect("told");
            assert_eq!((told.input, told.output, told.cache_read), (5, 418, 2));
        }
    }
}
