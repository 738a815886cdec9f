//! Ollama's own wire: `/api/chat`, `/api/generate`, `/api/embed`, `/api/embeddings`, and the lists
//! `/api/tags`, `/api/ps`, `/api/version`.
//!
//! Source of the shapes: Ollama's API documentation. Its streams are lines of JSON, and streaming
//! is what it does unless told otherwise. A field that is not named here is text: it is inspected
//! on the way out and restored on the way back.

use super::openai::schema_role;
use super::route::Found;
use super::{Delta, Ending, Operation, Role, WireKind, dotted};
use crate::error::Refusal;
use crate::json::Step;
use serde::Deserialize;
use serde_json::json;
use tollgate_analytics::record::Usage;

/// What a path below `/api/` asks for. What changes the server (`pull`, `delete`) is not passed on.
pub(super) fn find(below: &str) -> Option<Found> {
    let (operation, stream) = match below {
        "chat" => (Operation::Chat, true),
        "generate" => (Operation::TextCompletion, true),
        "embed" | "embeddings" => (Operation::Embeddings, false),
        "tags" | "ps" | "version" => (Operation::Models, false),
        _ => return None,
    };
    Some(Found::new(WireKind::Ollama, operation, below).streaming(stream))
}

/// Strings of a request that are identifiers or enumerations.
const STRUCTURAL: &[&str] = &[
    "messages.*.role",
    "messages.*.tool_name",
    "messages.*.tool_calls.*.id",
    "messages.*.tool_calls.*.function.name",
    "tools.*.type",
    "tools.*.function.name",
    "format",
    "think",
    "keep_alive",
];

/// Where JSON schemas begin.
const SCHEMAS: &[&str] = &["tools.*.function.parameters.", "format."];

pub(super) fn request_role(path: &[Step<'_>]) -> Role {
    let text = dotted(path);
    if STRUCTURAL.contains(&text.as_str()) {
        Role::Structural
    } else if matches!(text.as_str(), "messages.*.images.*" | "images.*") {
        Role::Opaque
    } else if SCHEMAS.iter().any(|start| text.starts_with(start)) {
        schema_role(path, &text)
    } else {
        Role::Text
    }
}

/// `context` is an earlier conversation in tokens, which we cannot read. Other numbers are content,
/// but for settings.
pub(super) fn number_role(path: &[Step<'_>]) -> Role {
    let text = dotted(path);
    if ["context.", "input.", "prompt."]
        .iter()
        .any(|start| text.starts_with(start))
    {
        Role::Opaque
    } else if text.starts_with("options.") || matches!(text.as_str(), "keep_alive" | "dimensions") {
        Role::Structural
    } else {
        Role::Text
    }
}

pub(super) fn answer_role(path: &str) -> Role {
    match path {
        "model"
        | "created_at"
        | "done_reason"
        | "message.role"
        | "message.tool_calls.*.id"
        | "message.tool_calls.*.function.name"
        | "models.*.name"
        | "models.*.model"
        | "models.*.digest" => Role::Structural,
        _ => Role::Text,
    }
}

pub(super) fn delta(path: &str) -> Delta {
    match (path, answer_role(path)) {
        ("message.content" | "message.thinking" | "response" | "thinking", _) => {
            Delta::Piece { json: false }
        }
        (_, Role::Text) => Delta::Whole { json: false },
        _ => Delta::Structural,
    }
}

/// The last line says `"done":true`; a call comes whole, behind the text before it.
pub(super) fn ending(path: &[Step<'_>], value: &str) -> Ending {
    match (dotted(path).as_str(), value) {
        ("done", "true") => Ending::Stream,
        ("message.tool_calls.*.function.name", _) => Ending::Texts,
        _ => Ending::None,
    }
}

#[derive(Deserialize)]
struct Answer {
    prompt_eval_count: Option<u64>,
    eval_count: Option<u64>,
}

/// A stream tells its tokens with its last line.
pub(super) fn usage(json: &[u8], usage: &mut Option<Usage>) {
    let Ok(answer) = serde_json::from_slice::<Answer>(json) else {
        return;
    };
    // A prompt that it had in its cache is not counted by some versions.
    if answer.prompt_eval_count.is_some() || answer.eval_count.is_some() {
        *usage = Some(Usage {
            input: answer.prompt_eval_count.unwrap_or(0),
            output: answer.eval_count.unwrap_or(0),
            ..Usage::default()
        });
    }
}

pub(super) fn error(refusal: &Refusal) -> serde_json::Value {
    json!({"error": format!("{} ({})", refusal.message, refusal.code)})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_told_by_the_last_line() {
        let mut told = None;
        usage(br#"{"message":{"content":"a"},"done":false}"#, &mut told);
        assert_eq!(told, None);
        usage(
            br#"{"done":true,"prompt_eval_count":26,"eval_count":9}"#,
            &mut told,
        );
        let told = told.expect("told");
        assert_eq!((told.input, told.output), (26, 9));
    }
}
