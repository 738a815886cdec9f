//! The Anthropic wire: `/v1/messages`, `/v1/messages/count_tokens`, `/v1/models`.
//!
//! Source of the shapes: Anthropic API reference, Messages and streaming. A field that is not
//! named here is text: it is inspected on the way out and restored on the way back.

use super::openai::schema_role;
use super::route::Found;
use super::{Delta, Ending, Operation, Role, WireKind, dotted};
use crate::error::Refusal;
use crate::json::Step;
use serde::Deserialize;
use serde_json::json;
use tollgate_analytics::record::Usage;

/// What a path below the version segment asks for; models are told by the caller's headers.
pub(super) fn find(below: &str) -> Option<Found> {
    let operation = match below {
        "messages" => Operation::Chat,
        "messages/count_tokens" => Operation::CountTokens,
        _ => return None,
    };
    Some(Found::new(WireKind::Anthropic, operation, below))
}

/// Strings of a request that are identifiers or enumerations. Content blocks nest (a tool result
/// holds blocks), so their tails are matched.
const STRUCTURAL: &[&str] = &[
    "model",
    "messages.*.role",
    "service_tier",
    "container",
    "system.*.type",
    "tool_choice.type",
    "tool_choice.name",
    "tools.*.type",
    "tools.*.name",
    "thinking.type",
    "output_config.effort",
    "cache_control.type",
    "cache_control.ttl",
];

/// Tails below `messages.*.content.*` (at any depth of blocks).
const BLOCK_STRUCTURAL: &[&str] = &[
    "type",
    "id",
    "name",
    "tool_use_id",
    "cache_control.type",
    "cache_control.ttl",
    "source.type",
    "source.media_type",
    "signature",
];

/// Tails of blocks that cannot be inspected: images, documents, encrypted reasoning.
const BLOCK_OPAQUE: &[&str] = &["source.data", "source.url", "source.file_id"];

pub(super) fn request_role(path: &[Step<'_>]) -> Role {
    let text = dotted(path);
    if STRUCTURAL.contains(&text.as_str()) {
        return Role::Structural;
    }
    if text.ends_with(".cache_control.type") || text.ends_with(".cache_control.ttl") {
        return Role::Structural;
    }
    if let Some(tail) = block_tail(&text) {
        // A tool's input is free-form: whatever its keys are called, its strings are text.
        if tail.starts_with("input.") {
            return Role::Text;
        }
        if BLOCK_STRUCTURAL.contains(&tail) {
            return if tail == "signature" {
                Role::Verbatim
            } else {
                Role::Structural
            };
        }
        if BLOCK_OPAQUE.contains(&tail) {
            return Role::Opaque;
        }
        // The provider's own ciphertext, given back to it.
        if tail == "data" || tail == "encrypted_content" {
            return Role::Verbatim;
        }
        return Role::Text;
    }
    if text.starts_with("tools.*.input_schema.") {
        return schema_role(path, &text);
    }
    Role::Text
}

/// What follows the last content block of a path: `messages.*.content.*.content.*.text` -> `text`.
fn block_tail(path: &str) -> Option<&str> {
    let mut tail = path.strip_prefix("messages.*.content.*.")?;
    while let Some(inner) = tail.strip_prefix("content.*.") {
        tail = inner;
    }
    Some(tail)
}

/// Numbers of messages, metadata and tools are content; the others are settings.
pub(super) fn number_role(path: &[Step<'_>]) -> Role {
    let path = dotted(path);
    let content = ["messages.", "metadata.", "tools."]
        .iter()
        .any(|p| path.starts_with(p));
    if content {
        Role::Text
    } else {
        Role::Structural
    }
}

pub(super) fn answer_role(path: &[Step<'_>]) -> Role {
    match dotted(path).as_str() {
        "id"
        | "type"
        | "role"
        | "model"
        | "stop_reason"
        | "content.*.type"
        | "content.*.id"
        | "content.*.name"
        | "content.*.signature"
        | "content.*.data"
        | "error.type"
        | "request_id"
        | "data.*.id"
        | "data.*.type"
        | "first_id"
        | "last_id"
        | "usage.service_tier" => Role::Structural,
        _ => Role::Text,
    }
}

pub(super) fn delta(path: &str) -> Delta {
    match path {
        "type"
        | "delta.type"
        | "message.id"
        | "message.type"
        | "message.role"
        | "message.model"
        | "delta.stop_reason"
        | "content_block.type"
        | "content_block.id"
        | "content_block.name"
        | "delta.signature"
        | "content_block.signature"
        | "content_block.data"
        | "error.type" => Delta::Structural,
        "delta.text" | "delta.thinking" => Delta::Piece { json: false },
        "delta.partial_json" => Delta::Piece { json: true },
        _ => Delta::Whole { json: false },
    }
}

pub(super) fn ending(path: &[Step<'_>], value: &str) -> Ending {
    match (dotted(path).as_str(), value) {
        ("type", "content_block_stop") => Ending::Element(0),
        ("type", "message_stop") => Ending::Stream,
        _ => Ending::None,
    }
}

#[derive(Deserialize)]
struct Answer {
    usage: Option<Tokens>,
    message: Option<Message>,
}

#[derive(Deserialize)]
struct Message {
    usage: Option<Tokens>,
}

#[derive(Deserialize)]
struct Tokens {
    input_tokens: Option<u64>,
    output_tokens: Option<u64>,
    cache_creation_input_tokens: Option<u64>,
    cache_read_input_tokens: Option<u64>,
}

/// Anthropic counts cache reads and writes apart from `input_tokens`; ours is the total. In a
/// stream `message_start` tells the input and `message_delta` the (cumulative) output; a later
/// figure replaces an earlier one.
pub(super) fn usage(json: &[u8], usage: &mut Option<Usage>) {
    let Ok(Answer {
        usage: own,
        message,
    }) = serde_json::from_slice(json)
    else {
        return;
    };
    let Some(tokens) = own.or(message.and_then(|m| m.usage)) else {
        return;
    };
    let held = usage.get_or_insert_default();
    let fresh = held.input - held.cache_read - held.cache_write;
    let cache_read = tokens.cache_read_input_tokens.unwrap_or(held.cache_read);
    let cache_write = tokens
        .cache_creation_input_tokens
        .unwrap_or(held.cache_write);
    held.input = tokens
        .input_tokens
        .unwrap_or(fresh)
        .saturating_add(cache_read)
        .saturating_add(cache_write);
    held.cache_read = cache_read;
    held.cache_write = cache_write;
    held.output = tokens.output_tokens.unwrap_or(held.output);
}

pub(super) fn error(refusal: &Refusal, exchange: &str) -> serde_json::Value {
    let kind = match refusal.status {
        401 => "authentication_error",
        403 => "permission_error",
        404 => "not_found_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        400..=499 => "invalid_request_error",
        _ => "api_error",
    };
    json!({
        "type": "error",
        "error": {"type": kind, "message": format!("{} ({})", refusal.message, refusal.code)},
        "request_id": exchange,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usage_is_a_total_and_cumulative() {
        let mut told = None;
        usage(br#"{"type":"message_start","message":{"usage":{"input_tokens":10,"cache_read_input_tokens":90,"cache_creation_input_tokens":5,"output_tokens":1}}}"#, &mut told);
        usage(
            br#"{"type":"message_delta","usage":{"output_tokens":42}}"#,
            &mut told,
        );
        let told = told.expect("told");
        assert_eq!(
            (told.input, told.cache_read, told.cache_write, told.output),
            (105, 90, 5, 42)
        );
    }

    #[test]
    fn blocks_nest() {
        assert_eq!(
            block_tail("messages.*.content.*.content.*.source.data"),
            Some("source.data")
        );
        assert_eq!(block_tail("messages.*.content.*.text"), Some("text"));
        assert_eq!(block_tail("system.*.text"), None);
    }
}
