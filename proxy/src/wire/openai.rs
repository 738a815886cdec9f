//! The OpenAI wire: `/v1/chat/completions`, `/v1/completions`, `/v1/embeddings`,
//! `/v1/moderations`, `/v1/models`; and Mistral's `/v1/fim/completions`.
//!
//! Source of the shapes: OpenAI API reference, and what compatible providers add to it (Mistral,
//! Groq, OpenRouter, DeepSeek, xAI, vLLM): reasoning beside the content, contents in chunks, more
//! kinds of attachments. A field that is not named here is text: it is inspected on the way out
//! and restored on the way back.

use super::route::{Found, Route, is_name};
use super::{Delta, Ending, Operation, Role, WireKind, dotted, last_key};
use crate::error::Refusal;
use crate::json::Step;
use serde::Deserialize;
use serde_json::json;
use tollgate_analytics::record::Usage;

/// What moderations are asked of where the request names no model.
pub(crate) const MODERATION_MODEL: &str = "omni-moderation-latest";

/// What a path below the version segment asks for.
pub(super) fn find(below: &str) -> Option<Found> {
    let operation = match below {
        "chat/completions" => Operation::Chat,
        "completions" | "fim/completions" => Operation::TextCompletion,
        "responses" => Operation::Responses,
        "embeddings" => Operation::Embeddings,
        "moderations" => Operation::Moderations,
        "models" => Operation::Models,
        _ => {
            let model = below.strip_prefix("models/").filter(|name| is_name(name))?;
            let found = Found::new(WireKind::OpenAi, Operation::Models, below);
            return Some(found.with_model(below.len() - model.len()..below.len()));
        }
    };
    Some(Found::new(WireKind::OpenAi, operation, below))
}

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
    "messages.*.reasoning_details.*.type",
    "messages.*.reasoning_details.*.format",
    "messages.*.reasoning_details.*.id",
    "input.*.type",
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
    // Mistral, OpenRouter, vLLM.
    "messages.*.content.*.image_url",
    "messages.*.content.*.input_audio",
    "messages.*.content.*.document_url",
    "messages.*.content.*.document_url.url",
    "messages.*.content.*.file_id",
    "messages.*.content.*.video_url",
    "messages.*.content.*.video_url.url",
    "messages.*.content.*.audio_url",
    "messages.*.content.*.audio_url.url",
    // Moderations.
    "input.*.image_url.url",
];

/// The provider's own ciphertext, given back to it.
const VERBATIM: &[&str] = &[
    "messages.*.reasoning_details.*.data",
    "messages.*.reasoning_details.*.signature",
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
    } else if VERBATIM.contains(&path_text.as_str()) {
        Role::Verbatim
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
    if ["input.", "prompt."].iter().any(|p| path.starts_with(p)) {
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
        | "choices.*.message.reasoning_details.*.type"
        | "choices.*.message.reasoning_details.*.data"
        | "choices.*.message.reasoning_details.*.signature"
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
        | "choices.*.delta.content.*.type"
        | "choices.*.delta.reasoning_details.*.type"
        | "choices.*.delta.reasoning_details.*.format"
        | "choices.*.delta.reasoning_details.*.id"
        | "choices.*.delta.reasoning_details.*.data"
        | "choices.*.delta.reasoning_details.*.signature"
        | "obfuscation" => Delta::Structural,
        "choices.*.delta.content"
        | "choices.*.delta.refusal"
        // DeepSeek, xAI and vLLM; Groq and OpenRouter.
        | "choices.*.delta.reasoning_content"
        | "choices.*.delta.reasoning"
        | "choices.*.delta.reasoning_details.*.text"
        | "choices.*.delta.reasoning_details.*.summary"
        // Mistral's contents in chunks.
        | "choices.*.delta.content.*.text"
        | "choices.*.delta.content.*.thinking.*.text"
        // Legacy completions.
        | "choices.*.text" => Delta::Piece { json: false },
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

/// Whether a stream tells its usage only if it is asked to. Mistral's own operation tells it
/// unasked, and refuses the question.
pub(crate) fn can_be_asked_for_usage(route: &Route) -> bool {
    matches!(route.operation, Operation::Chat | Operation::TextCompletion)
        && !route.below.contains("/fim/")
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
