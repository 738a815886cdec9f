//! The OpenAI wire: `/v1/chat/completions`, `/v1/embeddings`, `/v1/models`.
//!
//! Source of the shapes: OpenAI API reference, chat completions and embeddings. A field that is
//! not named here is text: it is inspected on the way out and restored on the way back.

use super::{Delta, Ending, Role, dotted, last_key};
use crate::error::Refusal;
use crate::json::Step;
use serde::Deserialize;
use serde_json::json;
use tollgate_analytics::record::Usage;

/// Strings of a request that are identifiers or enumerations.
const STRUCTURAL: &[&str] = &[
    "model",
    "messages.*.role",
    "messages.*.content.*.type",
    "messages.*.content.*.image_url.detail",
    "messages.*.content.*.input_audio.format",
    "messages.*.tool_call_id",
    "messages.*.tool_calls.*.id",
    "messages.*.tool_calls.*.type",
    "messages.*.tool_calls.*.function.name",
    "messages.*.function_call.name",
    "tools.*.type",
    "tools.*.function.name",
    "tool_choice",
    "tool_choice.type",
    "tool_choice.function.name",
    "response_format.type",
    "response_format.json_schema.name",
    "service_tier",
    "reasoning_effort",
    "verbosity",
    "encoding_format",
    "modalities.*",
    "audio.voice",
    "audio.format",
];

/// Strings of a request that stand for what cannot be inspected.
const OPAQUE: &[&str] = &[
    "messages.*.content.*.image_url.url",
    "messages.*.content.*.input_audio.data",
    "messages.*.content.*.file.file_data",
    "messages.*.content.*.file.file_id",
    "messages.*.audio.id",
];

/// Where JSON schemas begin.
const SCHEMAS: &[&str] = &[
    "tools.*.function.parameters.",
    "response_format.json_schema.schema.",
];

pub(super) fn request_role(path: &[Step<'_>]) -> Role {
    let path_text = dotted(path);
    if STRUCTURAL.contains(&path_text.as_str()) {
        Role::Structural
    } else if OPAQUE.contains(&path_text.as_str()) {
        Role::Opaque
    } else if is_arguments(&path_text) {
        Role::NestedJson
    } else if SCHEMAS.iter().any(|s| path_text.starts_with(s)) {
        schema_role(path, &path_text)
    } else {
        Role::Text
    }
}

fn is_arguments(path: &str) -> bool {
    matches!(
        path,
        "messages.*.tool_calls.*.function.arguments" | "messages.*.function_call.arguments"
    )
}

/// The keywords of a JSON schema whose values are names of the schema itself. Descriptions,
/// examples, defaults, enumerations and constants are text.
pub(super) fn schema_role(path: &[Step<'_>], path_text: &str) -> Role {
    let keyword = matches!(
        last_key(path),
        Some("type" | "format" | "$ref" | "$schema" | "$id")
    ) || path_text.ends_with(".required.*")
        || path_text.ends_with(".type.*");
    if keyword {
        Role::Structural
    } else {
        Role::Text
    }
}

/// Token arrays are text that we cannot read; numbers of messages and metadata are content;
/// the others are settings.
pub(super) fn number_role(path: &[Step<'_>]) -> Role {
    let path = dotted(path);
    if path.starts_with("input.") {
        Role::Opaque
    } else if ["messages.", "metadata.", "tools."]
        .iter()
        .any(|p| path.starts_with(p))
    {
        Role::Text
    } else {
        Role::Structural
    }
}

pub(super) fn answer_role(path: &[Step<'_>]) -> Role {
    let path_text = dotted(path);
    match path_text.as_str() {
        "id"
        | "object"
        | "model"
        | "system_fingerprint"
        | "service_tier"
        | "choices.*.finish_reason"
        | "choices.*.message.role"
        | "choices.*.message.tool_calls.*.id"
        | "choices.*.message.tool_calls.*.type"
        | "choices.*.message.tool_calls.*.function.name"
        | "choices.*.message.function_call.name"
        | "data.*.object"
        | "data.*.id"
        | "data.*.embedding" => Role::Structural,
        "choices.*.message.tool_calls.*.function.arguments"
        | "choices.*.message.function_call.arguments" => Role::NestedJson,
        _ => Role::Text,
    }
}

pub(super) fn delta(path: &str) -> Delta {
    match path {
        "id"
        | "object"
        | "model"
        | "system_fingerprint"
        | "service_tier"
        | "choices.*.finish_reason"
        | "choices.*.delta.role"
        | "choices.*.delta.tool_calls.*.id"
        | "choices.*.delta.tool_calls.*.type"
        | "choices.*.delta.tool_calls.*.function.name"
        | "choices.*.delta.function_call.name"
        | "obfuscation" => Delta::Structural,
        "choices.*.delta.content"
        | "choices.*.delta.refusal"
        | "choices.*.delta.reasoning_content"
        | "choices.*.delta.reasoning" => Delta::Piece { json: false },
        "choices.*.delta.tool_calls.*.function.arguments"
        | "choices.*.delta.function_call.arguments" => Delta::Piece { json: true },
        _ => Delta::Whole { json: false },
    }
}

pub(super) fn ending(path: &[Step<'_>]) -> Ending {
    match dotted(path).as_str() {
        "choices.*.finish_reason" => Ending::Element(2),
        _ => Ending::None,
    }
}

#[derive(Deserialize)]
struct Answer {
    usage: Option<Tokens>,
}

#[derive(Deserialize)]
struct Tokens {
    #[serde(default)]
    prompt_tokens: u64,
    #[serde(default)]
    completion_tokens: u64,
    #[serde(default)]
    prompt_tokens_details: Option<PromptDetails>,
    #[serde(default)]
    completion_tokens_details: Option<CompletionDetails>,
}

#[derive(Deserialize)]
struct PromptDetails {
    #[serde(default)]
    cached_tokens: Option<u64>,
}

#[derive(Deserialize)]
struct CompletionDetails {
    #[serde(default)]
    reasoning_tokens: Option<u64>,
}

/// OpenAI counts cached tokens inside `prompt_tokens`; in a stream the last event that has
/// `usage` counts.
pub(super) fn usage(json: &[u8], usage: &mut Option<Usage>) {
    let Ok(Answer {
        usage: Some(tokens),
    }) = serde_json::from_slice(json)
    else {
        return;
    };
    *usage = Some(Usage {
        input: tokens.prompt_tokens,
        cache_read: tokens
            .prompt_tokens_details
            .and_then(|d| d.cached_tokens)
            .unwrap_or(0),
        cache_write: 0,
        output: tokens.completion_tokens,
        reasoning: tokens
            .completion_tokens_details
            .and_then(|d| d.reasoning_tokens)
            .unwrap_or(0),
        estimated: false,
    });
}

/// The event that `stream_options.include_usage` asks for has no choices.
pub(super) fn is_usage_only(data: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Event {
        choices: Vec<serde::de::IgnoredAny>,
        usage: Option<serde::de::IgnoredAny>,
    }
    serde_json::from_slice::<Event>(data).is_ok_and(|e| e.choices.is_empty() && e.usage.is_some())
}

pub(super) fn error(refusal: &Refusal) -> serde_json::Value {
    let kind = match refusal.status {
        401 => "authentication_error",
        403 => "permission_error",
        429 => "rate_limit_error",
        400..=499 => "invalid_request_error",
        _ => "api_error",
    };
    json!({"error": {"message": refusal.message, "type": kind, "param": null, "code": refusal.code}})
}
