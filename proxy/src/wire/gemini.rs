//! Google's Gemini wire: `/v1beta/models/{model}:generateContent`, `:streamGenerateContent`,
//! `:countTokens`, `:embedContent`, `:batchEmbedContents`, and `/v1beta/models`; the same under
//! Vertex AI's paths.
//!
//! Source of the shapes: Gemini API reference (`v1beta`) and Vertex AI's (`v1`). A field that is
//! not named here is text: it is inspected on the way out and restored on the way back. Both
//! spellings of a field (`inlineData`, `inline_data`) are one, as they are to Google's servers.
//!
//! A Vertex path names a project and a location, and so the law that a prompt is under. That is the
//! endpoint's to say and not the caller's: what is sent is the endpoint's own URL and the model.

use super::openai::schema_role;
use super::route::{Found, is_name};
use super::{Delta, Ending, Operation, Role, WireKind, dotted, identifier, last_key};
use crate::error::Refusal;
use crate::json::Step;
use serde::Deserialize;
use serde_json::json;
use std::borrow::Cow;
use tollgate_analytics::record::Usage;

/// What a path below the version segment asks for.
pub(super) fn find(below: &str) -> Option<Found> {
    let below = vertex(below).unwrap_or(below);
    if below == "models" {
        return Some(Found::new(WireKind::Gemini, Operation::Models, below));
    }
    let rest = below.strip_prefix("models/")?;
    let (model, verb) = rest.split_once(':').unwrap_or((rest, ""));
    let (operation, stream) = match verb {
        "" => (Operation::Models, false),
        "generateContent" => (Operation::Chat, false),
        "streamGenerateContent" => (Operation::Chat, true),
        "countTokens" => (Operation::CountTokens, false),
        "embedContent" | "batchEmbedContents" => (Operation::Embeddings, false),
        _ => return None,
    };
    if !is_name(model) || model.contains('/') {
        return None;
    }
    let at = "models/".len();
    let found = Found::new(WireKind::Gemini, operation, below);
    Some(found.with_model(at..at + model.len()).streaming(stream))
}

/// `projects/{project}/locations/{location}/publishers/google/models/…`, and without project and
/// location in Vertex AI's express mode: `models/…`.
fn vertex(below: &str) -> Option<&str> {
    let rest = match below.strip_prefix("projects/") {
        Some(rest) => {
            let (project, rest) = rest.split_once("/locations/")?;
            let (location, rest) = rest.split_once('/')?;
            let simple = |name: &str| identifier(name) && !name.contains('/');
            if !(simple(project) && simple(location)) {
                return None;
            }
            rest
        }
        None => below,
    };
    rest.strip_prefix("publishers/google/")
}

/// Strings of a request that are identifiers or enumerations.
const STRUCTURAL: &[&str] = &[
    "contents.*.role",
    "contents.role",
    "content.role",
    "systemInstruction.role",
    "tools.*.functionDeclarations.*.name",
    "tools.*.functionDeclarations.*.behavior",
    "toolConfig.functionCallingConfig.mode",
    "toolConfig.functionCallingConfig.allowedFunctionNames.*",
    "safetySettings.*.category",
    "safetySettings.*.threshold",
    "safetySettings.*.method",
    "generationConfig.responseMimeType",
    "generationConfig.responseModalities.*",
    "generationConfig.mediaResolution",
    "generationConfig.thinkingConfig.thinkingLevel",
    "taskType",
];

/// Tails of parts, wherever parts stand.
const PART_STRUCTURAL: &[&str] = &[
    ".inlineData.mimeType",
    ".fileData.mimeType",
    ".executableCode.language",
    ".codeExecutionResult.outcome",
];

/// Tails that stand for what cannot be inspected: attachments, and what lies at the provider.
const PART_OPAQUE: &[&str] = &[".inlineData.data", ".fileData.fileUri"];

/// Where JSON schemas begin.
const SCHEMAS: &[&str] = &[
    "tools.*.functionDeclarations.*.parameters.",
    "tools.*.functionDeclarations.*.parametersJsonSchema.",
    "tools.*.functionDeclarations.*.response.",
    "tools.*.functionDeclarations.*.responseJsonSchema.",
    "generationConfig.responseSchema.",
    "generationConfig.responseJsonSchema.",
];

pub(super) fn request_role(path: &[Step<'_>]) -> Role {
    let whole = camel(dotted(path));
    let text = within(&whole);
    if STRUCTURAL.contains(&text) {
        return Role::Structural;
    }
    // A tool's arguments and results are free-form: whatever their keys are called, they are text.
    for (call, free) in [
        (".functionCall.", "args."),
        (".functionResponse.", "response."),
    ] {
        match text.split_once(call) {
            Some((_, "name" | "id")) => return Role::Structural,
            Some((_, tail)) if tail.starts_with(free) => return Role::Text,
            _ => {}
        }
    }
    let ends = |tails: &[&str]| tails.iter().any(|tail| text.ends_with(tail));
    let stored = ["tools.*.retrieval.", "tools.*.fileSearch."];
    if ends(PART_OPAQUE)
        || text == "cachedContent"
        || stored.iter().any(|start| text.starts_with(start))
    {
        return Role::Opaque;
    }
    if ends(PART_STRUCTURAL) {
        return Role::Structural;
    }
    if text.ends_with(".thoughtSignature") {
        return Role::Verbatim;
    }
    if SCHEMAS.iter().any(|start| text.starts_with(start)) {
        if text.ends_with(".propertyOrdering.*") {
            return Role::Structural;
        }
        return schema_role(path, text);
    }
    Role::Text
}

/// Numbers are content, but for settings.
pub(super) fn number_role(path: &[Step<'_>]) -> Role {
    let whole = camel(dotted(path));
    let text = within(&whole);
    let schema = SCHEMAS.iter().any(|start| text.starts_with(start));
    match text.starts_with("generationConfig.") && !schema || text == "outputDimensionality" {
        true => Role::Structural,
        false => Role::Text,
    }
}

/// Whether a string names the model, beside the path.
pub(super) fn names_model(path: &[Step<'_>]) -> bool {
    last_key(path) == Some("model") && within(&camel(dotted(path))) == "model"
}

/// Whether a `true` asks for arguments in pieces (`partialArgs`): each is at a path of its own, so
/// a placeholder that is cut in two could not be restored.
pub(super) fn asks_for_pieces(path: &[Step<'_>]) -> bool {
    let text = camel(dotted(path));
    within(&text) == "toolConfig.functionCallingConfig.streamFunctionCallArguments"
}

/// A request within another: of a batch, or whose tokens are to be counted.
fn within(path: &str) -> &str {
    ["requests.*.", "generateContentRequest."]
        .iter()
        .find_map(|outer| path.strip_prefix(outer))
        .unwrap_or(path)
}

/// A path with its keys spelled the one way.
fn camel(path: String) -> String {
    if !path.contains('_') {
        return path;
    }
    let mut out = String::with_capacity(path.len());
    let mut upper = false;
    for c in path.chars() {
        match (c, upper) {
            ('_', _) => upper = true,
            (c, true) => {
                out.push(c.to_ascii_uppercase());
                upper = false;
            }
            (c, false) => out.push(c),
        }
    }
    out
}

pub(super) fn answer_role(path: &str) -> Role {
    match path {
        "modelVersion"
        | "responseId"
        | "createTime"
        | "candidates.*.finishReason"
        | "candidates.*.content.role"
        | "candidates.*.content.parts.*.thoughtSignature"
        | "candidates.*.content.parts.*.functionCall.name"
        | "candidates.*.content.parts.*.functionCall.id"
        | "candidates.*.content.parts.*.inlineData.mimeType"
        | "candidates.*.content.parts.*.inlineData.data"
        | "candidates.*.safetyRatings.*.category"
        | "candidates.*.safetyRatings.*.probability"
        | "promptFeedback.blockReason"
        | "usageMetadata.trafficType"
        | "error.status" => Role::Structural,
        _ => Role::Text,
    }
}

pub(super) fn delta(path: &str) -> Delta {
    match (path, answer_role(path)) {
        ("candidates.*.content.parts.*.text", _) => Delta::Piece { json: false },
        (_, Role::Text) => Delta::Whole { json: false },
        _ => Delta::Structural,
    }
}

/// A candidate's text goes on from event to event in whatever part comes next: the position of a
/// part says nothing. Thoughts are a text of their own.
pub(super) fn channel(name: String) -> String {
    let Some((before, rest)) = name.split_once(".content.parts") else {
        return name;
    };
    match rest.strip_prefix('#') {
        Some(_) => format!("{before}.content.thought"),
        None => format!("{before}.content.text"),
    }
}

/// What is said ends with the reason why, and where something other than text begins.
pub(super) fn ending(path: &[Step<'_>]) -> Ending {
    let text = dotted(path);
    let part = text.strip_prefix("candidates.*.content.parts.*.");
    let other = part.is_some_and(|part| !matches!(part, "text" | "thought" | "thoughtSignature"));
    match text == "candidates.*.finishReason" || other {
        true => Ending::Element(2),
        false => Ending::None,
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    usage_metadata: Option<Tokens>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
struct Tokens {
    prompt_token_count: u64,
    cached_content_token_count: u64,
    candidates_token_count: u64,
    thoughts_token_count: u64,
    tool_use_prompt_token_count: u64,
}

/// Cached tokens are counted inside the prompt's, thoughts beside the candidates'; each event of a
/// stream tells the sum so far.
pub(super) fn usage(json: &[u8], usage: &mut Option<Usage>) {
    let Ok(Answer {
        usage_metadata: Some(tokens),
    }) = serde_json::from_slice(json)
    else {
        return;
    };
    *usage = Some(Usage {
        input: tokens
            .prompt_token_count
            .saturating_add(tokens.tool_use_prompt_token_count),
        cache_read: tokens.cached_content_token_count,
        cache_write: 0,
        output: tokens
            .candidates_token_count
            .saturating_add(tokens.thoughts_token_count),
        reasoning: tokens.thoughts_token_count,
        estimated: false,
    });
}

/// `google.rpc.Status`, with the gate's own code as the reason of an `ErrorInfo` (AIP-193).
pub(super) fn error(refusal: &Refusal) -> serde_json::Value {
    let status: Cow<'static, str> = match refusal.status {
        401 => "UNAUTHENTICATED",
        403 => "PERMISSION_DENIED",
        404 => "NOT_FOUND",
        408 => "DEADLINE_EXCEEDED",
        429 => "RESOURCE_EXHAUSTED",
        400..=499 => "INVALID_ARGUMENT",
        502..=504 => "UNAVAILABLE",
        _ => "INTERNAL",
    }
    .into();
    json!({"error": {
        "code": refusal.status,
        "message": refusal.message,
        "status": status,
        "details": [{
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            "reason": refusal.code.to_ascii_uppercase(),
            "domain": "tollgate",
        }],
    }})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_spellings_are_one() {
        for (path, expected) in [
            (["contents", "parts", "inlineData", "data"], Role::Opaque),
            (["contents", "parts", "inline_data", "data"], Role::Opaque),
            (["contents", "parts", "file_data", "file_uri"], Role::Opaque),
            (["contents", "parts", "file_data", "fileUri"], Role::Opaque),
            (
                ["contents", "parts", "functionCall", "name"],
                Role::Structural,
            ),
            (
                ["contents", "parts", "function_call", "name"],
                Role::Structural,
            ),
            (["system_instruction", "parts", "0", "text"], Role::Text),
        ] {
            let path = path.map(|key| Step::Key(key.into()));
            assert_eq!(request_role(&path), expected, "{path:?}");
        }
    }

    #[test]
    fn arguments_are_text_whatever_their_keys_are_called() {
        let keys = ["contents", "functionCall", "args", "inlineData", "data"];
        let path = keys.map(|key| Step::Key(key.into()));
        assert_eq!(request_role(&path), Role::Text);
    }

    #[test]
    fn a_candidates_text_is_one_whatever_part_it_is_in() {
        let of = |name: &str| channel(name.to_string());
        let text = of(".candidates#0.content.parts.0.text");
        assert_eq!(text, of(".candidates#0.content.parts.3.text"));
        assert_ne!(text, of(".candidates#1.content.parts.0.text"));
        assert_ne!(text, of(".candidates#0.content.parts#thought.text"));
    }

    #[test]
    fn thoughts_are_part_of_the_output() {
        let mut told = None;
        usage(
            br#"{"usageMetadata":{"promptTokenCount":30,"cachedContentTokenCount":10,
                "candidatesTokenCount":7,"thoughtsTokenCount":5,"toolUsePromptTokenCount":2}}"#,
            &mut told,
        );
        let told = told.expect("told");
        assert_eq!(
            (told.input, told.cache_read, told.output, told.reasoning),
            (32, 10, 12, 5)
        );
    }
}
