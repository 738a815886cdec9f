//! Amazon Bedrock's wire: `/model/{model}/converse` and `/model/{model}/converse-stream`.
//!
//! Source of the shapes: Amazon Bedrock Runtime API reference, Converse and ConverseStream. A field
//! that is not named here is text: it is inspected on the way out and restored on the way back.
//! Requests are signed with the endpoint's own credential ([`crate::sigv4`]); streams are binary
//! messages ([`crate::eventstream`]).

use super::openai::schema_role;
use super::route::{Found, is_name};
use super::{Delta, Ending, Operation, Role, WireKind, dotted};
use crate::error::Refusal;
use crate::eventstream::Message;
use crate::json::Step;
use serde::Deserialize;
use serde_json::json;
use tollgate_analytics::record::Usage;

/// What a path below `/model/` asks for. An ARN names what lies at the provider (a stored prompt,
/// an inference profile): an endpoint's `model` or `aliases` may, a caller may not.
pub(super) fn find(below: &str) -> Option<Found> {
    let (encoded, verb) = below.rsplit_once('/')?;
    let stream = match verb {
        "converse" => false,
        "converse-stream" => true,
        _ => return None,
    };
    let model = encoded.replace("%3A", ":").replace("%3a", ":");
    if !is_name(&model) || model.contains('/') || model.starts_with("arn:") {
        return None;
    }
    let found = Found::new(WireKind::Bedrock, Operation::Chat, below);
    Some(
        found
            .with_named_model(0..encoded.len(), model)
            .streaming(stream),
    )
}

/// Strings of a request that are identifiers or enumerations.
const STRUCTURAL: &[&str] = &[
    "messages.*.role",
    "system.*.cachePoint.type",
    "toolConfig.tools.*.toolSpec.name",
    "toolConfig.tools.*.cachePoint.type",
    "toolConfig.toolChoice.tool.name",
    "guardrailConfig.guardrailIdentifier",
    "guardrailConfig.guardrailVersion",
    "guardrailConfig.trace",
    "guardrailConfig.streamProcessingMode",
    "performanceConfig.latency",
    "serviceTier.type",
];

/// Tails of content blocks, at any depth.
const BLOCK_STRUCTURAL: &[&str] = &[
    "toolUse.toolUseId",
    "toolUse.name",
    "toolUse.type",
    "toolResult.toolUseId",
    "toolResult.status",
    "cachePoint.type",
    "image.format",
    "document.format",
    "video.format",
    "audio.format",
];

pub(super) fn request_role(path: &[Step<'_>]) -> Role {
    let text = dotted(path);
    if STRUCTURAL.contains(&text.as_str()) {
        return Role::Structural;
    }
    if let Some(tail) = block_tail(&text) {
        // A tool's input and its result are free-form.
        if tail.starts_with("toolUse.input.") || tail.starts_with("json.") {
            return Role::Text;
        }
        if BLOCK_STRUCTURAL.contains(&tail) {
            return Role::Structural;
        }
        let source = ["image", "document", "video", "audio"]
            .iter()
            .find_map(|kind| tail.strip_prefix(kind)?.strip_prefix(".source."));
        return match (source, tail) {
            // A document may be text; everything else of a source cannot be inspected.
            (Some("text" | "content.*.text"), _) => Role::Text,
            (Some(_), _) => Role::Opaque,
            (
                None,
                "reasoningContent.reasoningText.signature" | "reasoningContent.redactedContent",
            ) => Role::Verbatim,
            _ => Role::Text,
        };
    }
    if text.starts_with("toolConfig.tools.*.toolSpec.inputSchema.json.") {
        return schema_role(path, &text);
    }
    Role::Text
}

/// What follows the last content block of a path.
fn block_tail(path: &str) -> Option<&str> {
    let tail = path.strip_prefix("messages.*.content.*.")?;
    Some(tail.strip_prefix("toolResult.content.*.").unwrap_or(tail))
}

/// Numbers are content, but for settings.
pub(super) fn number_role(path: &[Step<'_>]) -> Role {
    let text = dotted(path);
    match text.starts_with("inferenceConfig.") {
        true => Role::Structural,
        false => Role::Text,
    }
}

pub(super) fn answer_role(path: &str) -> Role {
    match path {
        "stopReason"
        | "output.message.role"
        | "output.message.content.*.toolUse.toolUseId"
        | "output.message.content.*.toolUse.name"
        | "output.message.content.*.reasoningContent.reasoningText.signature"
        | "output.message.content.*.reasoningContent.redactedContent"
        | "performanceConfig.latency" => Role::Structural,
        _ => Role::Text,
    }
}

pub(super) fn delta(path: &str) -> Delta {
    match path {
        "role"
        | "stopReason"
        | "start.toolUse.toolUseId"
        | "start.toolUse.name"
        | "delta.reasoningContent.signature"
        | "delta.reasoningContent.redactedContent"
        // Padding, so that the length of a message tells nothing.
        | "p" => Delta::Structural,
        "delta.text" | "delta.reasoningContent.text" => Delta::Piece { json: false },
        "delta.toolUse.input" => Delta::Piece { json: true },
        _ => Delta::Whole { json: false },
    }
}

/// What a message of this kind ends.
pub(super) fn ending_of_kind(kind: &str) -> Ending {
    match kind {
        "contentBlockStop" => Ending::Element(0),
        "messageStop" => Ending::Texts,
        "metadata" => Ending::Stream,
        _ => Ending::None,
    }
}

#[derive(Deserialize)]
struct Answer {
    usage: Option<Tokens>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Tokens {
    input_tokens: u64,
    output_tokens: u64,
    cache_read_input_tokens: u64,
    cache_write_input_tokens: u64,
}

/// Cache reads and writes are counted apart from `inputTokens`; ours is the total. A stream tells
/// them with its last message.
pub(super) fn usage(json: &[u8], usage: &mut Option<Usage>) {
    let Ok(Answer {
        usage: Some(tokens),
    }) = serde_json::from_slice(json)
    else {
        return;
    };
    *usage = Some(Usage {
        input: tokens
            .input_tokens
            .saturating_add(tokens.cache_read_input_tokens)
            .saturating_add(tokens.cache_write_input_tokens),
        cache_read: tokens.cache_read_input_tokens,
        cache_write: tokens.cache_write_input_tokens,
        output: tokens.output_tokens,
        ..Usage::default()
    });
}

/// The name of a refusal, which the header `x-amzn-errortype` tells.
pub(super) fn error_type(refusal: &Refusal) -> &'static str {
    match refusal.status {
        401 | 403 => "AccessDeniedException",
        404 => "ResourceNotFoundException",
        408 => "ModelTimeoutException",
        429 => "ThrottlingException",
        400..=499 => "ValidationException",
        502..=504 => "ServiceUnavailableException",
        _ => "InternalServerException",
    }
}

pub(super) fn error(refusal: &Refusal) -> serde_json::Value {
    json!({"message": format!("{} ({})", refusal.message, refusal.code)})
}

/// The refusal as the message that breaks a stream off.
pub(super) fn error_event(refusal: &Refusal) -> Message {
    let headers = [
        (":exception-type", "modelStreamErrorException"),
        (":content-type", "application/json"),
        (":message-type", "exception"),
    ];
    Message::new(&headers, error(refusal).to_string().as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_that_cannot_be_inspected() {
        let role = |text: &str| {
            let path: Vec<Step<'_>> = text
                .split('.')
                .map(|key| match key {
                    "*" => Step::Index(0),
                    key => Step::Key(key.into()),
                })
                .collect();
            request_role(&path)
        };
        for (path, expected) in [
            ("messages.*.content.*.text", Role::Text),
            ("messages.*.content.*.image.source.bytes", Role::Opaque),
            (
                "messages.*.content.*.image.source.s3Location.uri",
                Role::Opaque,
            ),
            ("messages.*.content.*.document.source.bytes", Role::Opaque),
            ("messages.*.content.*.document.source.text", Role::Text),
            ("messages.*.content.*.document.name", Role::Text),
            (
                "messages.*.content.*.toolResult.content.*.image.source.bytes",
                Role::Opaque,
            ),
            (
                "messages.*.content.*.toolResult.content.*.json.image.source.bytes",
                Role::Text,
            ),
            (
                "messages.*.content.*.toolUse.input.image.source.bytes",
                Role::Text,
            ),
            ("messages.*.content.*.toolUse.name", Role::Structural),
        ] {
            assert_eq!(role(path), expected, "{path}");
        }
    }

    #[test]
    fn usage_is_a_total() {
        let mut told = None;
        usage(
            br#"{"usage":{"inputTokens":10,"outputTokens":4,"cacheReadInputTokens":90,
                "cacheWriteInputTokens":5,"totalTokens":109}}"#,
            &mut told,
        );
        let told = told.expect("told");
        assert_eq!(
            (told.input, told.cache_read, told.cache_write, told.output),
            (105, 90, 5, 4)
        );
    }
}
