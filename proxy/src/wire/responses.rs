//! OpenAI's Responses API: `/v1/responses`.
//!
//! Source of the shapes: OpenAI API reference, responses and their streaming events. A field that
//! is not named here is text: it is inspected on the way out and restored on the way back.
//!
//! What lies at the provider and is only pointed to (an earlier response, a conversation, a stored
//! prompt, a file) cannot be inspected here: it counts as opaque content, and policy decides.

use super::openai::schema_role;
use super::{Delta, Ending, Role, dotted};
use crate::error::Refusal;
use crate::json::Step;
use serde::Deserialize;
use serde_json::json;
use tollgate_analytics::record::Usage;

/// Strings of a request that are identifiers or enumerations.
const STRUCTURAL: &[&str] = &[
    "model",
    "include.*",
    "service_tier",
    "truncation",
    "prompt_cache_retention",
    "reasoning.effort",
    "reasoning.summary",
    "text.verbosity",
    "text.format.type",
    "text.format.name",
    "tool_choice",
    "tool_choice.type",
    "tool_choice.name",
    "tool_choice.mode",
    "tool_choice.tools.*.type",
    "tool_choice.tools.*.name",
    "tools.*.type",
    "tools.*.name",
    "tools.*.search_context_size",
    "tools.*.format.type",
    "tools.*.format.syntax",
];

/// Tails below `input.*` that are identifiers or enumerations, whatever the item is.
const ITEM_STRUCTURAL: &[&str] = &[
    "type",
    "role",
    "id",
    "call_id",
    "name",
    "status",
    "phase",
    "content.*.type",
    "content.*.detail",
    "output.*.type",
    "output.*.detail",
    "summary.*.type",
];

/// Strings that stand for what cannot be inspected.
const OPAQUE: &[&str] = &[
    "previous_response_id",
    "conversation",
    "conversation.id",
    "prompt.id",
    "tools.*.vector_store_ids.*",
];

/// Tails below `input.*` that stand for what cannot be inspected.
const ITEM_OPAQUE: &[&str] = &[
    "content.*.image_url",
    "content.*.file_id",
    "content.*.file_data",
    "content.*.file_url",
    "content.*.input_audio.data",
    "output.*.image_url",
    "output.*.file_id",
    "output.*.file_data",
    "output.*.file_url",
    "output.image_url",
    "output.file_id",
    "result",
];

pub(super) fn request_role(path: &[Step<'_>]) -> Role {
    let text = dotted(path);
    if STRUCTURAL.contains(&text.as_str()) {
        return Role::Structural;
    }
    if OPAQUE.contains(&text.as_str()) {
        return Role::Opaque;
    }
    if let Some(tail) = text.strip_prefix("input.*.") {
        return match tail {
            "arguments" => Role::NestedJson,
            "encrypted_content" => Role::Verbatim,
            _ if ITEM_OPAQUE.contains(&tail) => Role::Opaque,
            _ if ITEM_STRUCTURAL.contains(&tail) => Role::Structural,
            _ => Role::Text,
        };
    }
    let schema = ["tools.*.parameters.", "text.format.schema."];
    if schema.iter().any(|start| text.starts_with(start)) {
        return schema_role(path, &text);
    }
    Role::Text
}

/// Numbers of the input, of metadata, of variables and of tools are content; the others are
/// settings.
pub(super) fn number_role(path: &[Step<'_>]) -> Role {
    let path = dotted(path);
    let content = ["input.", "metadata.", "prompt.", "tools."];
    if content.iter().any(|start| path.starts_with(start)) {
        Role::Text
    } else {
        Role::Structural
    }
}

/// What a string of a whole response is; in a stream it stands below `response.`.
pub(super) fn answer_role(path: &str) -> Role {
    if let Some(tail) = path.strip_prefix("output.*.") {
        return item_role(tail);
    }
    match path {
        "id"
        | "object"
        | "status"
        | "model"
        | "previous_response_id"
        | "conversation.id"
        | "service_tier"
        | "truncation"
        | "reasoning.effort"
        | "reasoning.summary"
        | "text.verbosity"
        | "text.format.type"
        | "tool_choice"
        | "tools.*.type"
        | "tools.*.name"
        | "incomplete_details.reason"
        | "error.code"
        | "error.type" => Role::Structural,
        _ => Role::Text,
    }
}

/// What a string of an output item is.
fn item_role(tail: &str) -> Role {
    match tail {
        "type" | "id" | "call_id" | "name" | "role" | "status" | "phase" | "content.*.type"
        | "summary.*.type" => Role::Structural,
        // An image: nothing to restore in it.
        "encrypted_content" | "result" => Role::Verbatim,
        "arguments" => Role::NestedJson,
        _ => Role::Text,
    }
}

/// An event carries a piece of a text (`….delta`), a whole text (`….done`), an item, a part, or
/// the response as it stands.
pub(super) fn delta(path: &str, kind: &str) -> Delta {
    let whole = |role| match role {
        Role::Text => Delta::Whole { json: false },
        Role::NestedJson => Delta::Whole { json: true },
        Role::Structural | Role::Verbatim | Role::Opaque => Delta::Structural,
    };
    if let Some(tail) = path.strip_prefix("response.") {
        return whole(answer_role(tail));
    }
    if let Some(tail) = path.strip_prefix("item.") {
        return whole(item_role(tail));
    }
    match (path, kind) {
        ("type" | "item_id" | "obfuscation" | "part.type" | "code", _) => Delta::Structural,
        ("delta", "response.audio.delta") => Delta::Structural,
        (
            "delta",
            "response.function_call_arguments.delta" | "response.mcp_call_arguments.delta",
        ) => Delta::Piece { json: true },
        ("delta", _) => Delta::Piece { json: false },
        ("arguments", _) => Delta::Whole { json: true },
        (_, "response.image_generation_call.partial_image") => Delta::Structural,
        _ => Delta::Whole { json: false },
    }
}

pub(super) fn ending(path: &[Step<'_>], value: &str) -> Ending {
    if !matches!(path, [Step::Key(key)] if key == "type") {
        return Ending::None;
    }
    match value {
        "response.completed" | "response.failed" | "response.incomplete" | "error" => {
            Ending::Stream
        }
        _ if value.ends_with(".done") => Ending::Text,
        _ => Ending::None,
    }
}

#[derive(Deserialize)]
struct Answer {
    usage: Option<Tokens>,
    /// In the events of a stream.
    response: Option<Response>,
}

#[derive(Deserialize)]
struct Response {
    usage: Option<Tokens>,
}

#[derive(Deserialize)]
struct Tokens {
    #[serde(default)]
    input_tokens: u64,
    #[serde(default)]
    output_tokens: u64,
    input_tokens_details: Option<InputDetails>,
    output_tokens_details: Option<OutputDetails>,
}

#[derive(Deserialize)]
struct InputDetails {
    cached_tokens: Option<u64>,
}

#[derive(Deserialize)]
struct OutputDetails {
    reasoning_tokens: Option<u64>,
}

/// Cached tokens are counted inside `input_tokens`; a stream tells them with its last event.
pub(super) fn usage(json: &[u8], usage: &mut Option<Usage>) {
    let Ok(answer) = serde_json::from_slice::<Answer>(json) else {
        return;
    };
    let tokens = answer.usage.or(answer.response.and_then(|r| r.usage));
    if let Some(tokens) = tokens {
        *usage = Some(Usage {
            input: tokens.input_tokens,
            cache_read: tokens
                .input_tokens_details
                .and_then(|d| d.cached_tokens)
                .unwrap_or(0),
            cache_write: 0,
            output: tokens.output_tokens,
            reasoning: tokens
                .output_tokens_details
                .and_then(|d| d.reasoning_tokens)
                .unwrap_or(0),
            estimated: false,
        });
    }
}

/// The refusal as this API's `error` event.
pub(super) fn error_event(refusal: &Refusal) -> serde_json::Value {
    json!({"type": "error", "code": refusal.code, "message": refusal.message, "param": null})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usage_is_told_by_an_answer_and_by_the_last_event() {
        let tokens = r#"{"input_tokens":30,"input_tokens_details":{"cached_tokens":10},
            "output_tokens":7,"output_tokens_details":{"reasoning_tokens":3},"total_tokens":37}"#;
        let expected = Some(Usage {
            input: 30,
            cache_read: 10,
            cache_write: 0,
            output: 7,
            reasoning: 3,
            estimated: false,
        });
        for json in [
            format!(r#"{{"object":"response","usage":{tokens}}}"#),
            format!(r#"{{"type":"response.completed","response":{{"usage":{tokens}}}}}"#),
        ] {
            let mut told = None;
            usage(json.as_bytes(), &mut told);
            assert_eq!(told, expected, "{json}");
        }
        let mut told = None;
        usage(
            br#"{"type":"response.created","response":{"usage":null}}"#,
            &mut told,
        );
        assert_eq!(told, None);
    }

    #[test]
    fn arguments_are_json_and_texts_are_not() {
        let kind = "response.function_call_arguments.delta";
        assert_eq!(delta("delta", kind), Delta::Piece { json: true });
        assert_eq!(
            delta("delta", "response.output_text.delta"),
            Delta::Piece { json: false }
        );
        assert_eq!(
            delta("item.arguments", "response.output_item.done"),
            Delta::Whole { json: true }
        );
        assert_eq!(
            delta("response.output.*.content.*.text", "response.completed"),
            Delta::Whole { json: false }
        );
        assert_eq!(
            delta("response.output.*.id", "response.completed"),
            Delta::Structural
        );
    }
}
