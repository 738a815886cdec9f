//! Wires: the API dialects of callers and endpoints, one file each.
//!
//! A wire says which paths exist, which JSON strings are structural (everything else is text and
//! is inspected), how its stream carries text, where it counts tokens, and how it words an error.

pub mod anthropic;
mod azure;
pub mod bedrock;
pub mod cohere;
pub mod gemini;
pub mod ollama;
pub mod openai;
pub mod responses;
mod route;

pub use route::{Route, guess, route};

use crate::error::Refusal;
use crate::json::Step;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use serde::Deserialize;
use tollgate_analytics::record::Usage;

/// The dialects that the gate speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WireKind {
    /// OpenAI, and the many that speak as it does: chat completions, completions, responses,
    /// embeddings, moderations, models.
    OpenAi,
    /// Anthropic: messages, models.
    Anthropic,
    /// OpenAI's bodies under Azure's paths.
    Azure,
    /// Google's Gemini API, and Vertex AI.
    Gemini,
    /// Ollama's own.
    Ollama,
    /// Cohere, version 2.
    Cohere,
    /// Amazon Bedrock's converse.
    Bedrock,
}

/// What is asked of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// An answer to a conversation.
    Chat,
    /// An answer to a conversation, by OpenAI's Responses API.
    Responses,
    /// A text that goes on where another ends.
    TextCompletion,
    /// Vectors for texts.
    Embeddings,
    /// Texts in the order in which they fit a question.
    Rerank,
    /// What is objectionable in texts.
    Moderations,
    /// How many tokens a conversation is.
    CountTokens,
    /// The list of models, or one of them.
    Models,
}

impl Operation {
    /// The GenAI operation name, as in records and policies.
    pub fn as_str(self) -> &'static str {
        match self {
            Operation::Chat | Operation::Responses => "chat",
            Operation::TextCompletion => "text_completion",
            Operation::Embeddings => "embeddings",
            Operation::Rerank => "rerank",
            Operation::Moderations => "moderations",
            Operation::CountTokens => "count_tokens",
            Operation::Models => "models",
        }
    }
}

/// How the bodies of a route are to be read: one file each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Api {
    /// OpenAI's chat completions, completions, embeddings, moderations and models.
    OpenAi,
    /// OpenAI's responses.
    Responses,
    /// Anthropic's messages and models.
    Anthropic,
    /// Gemini's contents.
    Gemini,
    /// Ollama's own.
    Ollama,
    /// Cohere's chat, embed and rerank.
    Cohere,
    /// Bedrock's converse.
    Bedrock,
}

/// What a JSON string of a request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// An identifier, an enumeration: passed on as it is if it has the shape of one, inspected
    /// otherwise.
    Structural,
    /// Text.
    Text,
    /// JSON in a string: its own strings are text.
    NestedJson,
    /// The provider's own ciphertext or signature, given back to it unchanged.
    Verbatim,
    /// Something that cannot be inspected (an image, audio, a file).
    Opaque,
}

/// What a JSON string of a stream's event is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delta {
    /// Structural: never touched.
    Structural,
    /// A whole text: restored within the event.
    Whole {
        /// Whether the text is JSON source (tool-call arguments).
        json: bool,
    },
    /// A piece of a text that goes on in later events.
    Piece {
        /// Whether the text is JSON source (tool-call arguments).
        json: bool,
    },
}

/// What a string of an event ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Nothing.
    None,
    /// The texts below the path's first so many steps.
    Element(usize),
    /// The text that the event's own `*_index` members name.
    Text,
    /// All texts so far.
    Texts,
    /// The stream.
    Stream,
}

impl WireKind {
    /// The name in records.
    pub fn as_str(self) -> &'static str {
        match self {
            WireKind::OpenAi => "openai",
            WireKind::Anthropic => "anthropic",
            WireKind::Azure => "azure",
            WireKind::Gemini => "gemini",
            WireKind::Ollama => "ollama",
            WireKind::Cohere => "cohere",
            WireKind::Bedrock => "bedrock",
        }
    }

    /// Whose prices apply, unless an endpoint says otherwise.
    pub fn provider(self) -> &'static str {
        match self {
            WireKind::Gemini => "google",
            WireKind::Bedrock => "aws",
            other => other.as_str(),
        }
    }

    /// The refusal as this wire's error object.
    pub fn error(self, refusal: &Refusal, exchange: &str) -> serde_json::Value {
        match self {
            WireKind::OpenAi | WireKind::Azure => openai::error(refusal),
            WireKind::Anthropic => anthropic::error(refusal, exchange),
            WireKind::Gemini => gemini::error(refusal),
            WireKind::Ollama => ollama::error(refusal),
            WireKind::Cohere => cohere::error(refusal, exchange),
            WireKind::Bedrock => bedrock::error(refusal),
        }
    }

    /// The header that tells a refusal's kind, where the wire has one.
    pub fn error_header(self, refusal: &Refusal) -> Option<(HeaderName, HeaderValue)> {
        let kind = match self {
            WireKind::Bedrock => bedrock::error_type(refusal),
            _ => return None,
        };
        let name = HeaderName::from_static("x-amzn-errortype");
        Some((name, HeaderValue::from_static(kind)))
    }

    /// The headers in which its callers present their credential. Ours goes in the first.
    pub fn credential_headers(self) -> &'static [&'static str] {
        match self {
            WireKind::OpenAi | WireKind::Ollama | WireKind::Cohere | WireKind::Bedrock => {
                &["authorization"]
            }
            WireKind::Anthropic => &["x-api-key", "authorization"],
            WireKind::Azure => &["api-key", "authorization"],
            WireKind::Gemini => &["x-goog-api-key", "authorization"],
        }
    }

    /// Whether a request header belongs to this wire and is passed on.
    pub fn passes(self, name: &HeaderName) -> bool {
        const COMMON: [&str; 4] = ["accept", "content-type", "user-agent", "idempotency-key"];
        let name = name.as_str();
        COMMON.contains(&name)
            || name.starts_with("x-stainless-")
            || match self {
                WireKind::OpenAi | WireKind::Azure => matches!(
                    name,
                    "openai-organization" | "openai-project" | "openai-beta"
                ),
                WireKind::Gemini => name == "x-goog-api-client",
                WireKind::Cohere => name == "x-client-name",
                WireKind::Ollama | WireKind::Bedrock => false,
                WireKind::Anthropic => matches!(name, "anthropic-version" | "anthropic-beta"),
            }
    }
}

impl Api {
    /// The dialect that it belongs to.
    pub fn wire(self) -> WireKind {
        match self {
            Api::OpenAi | Api::Responses => WireKind::OpenAi,
            Api::Anthropic => WireKind::Anthropic,
            Api::Gemini => WireKind::Gemini,
            Api::Ollama => WireKind::Ollama,
            Api::Cohere => WireKind::Cohere,
            Api::Bedrock => WireKind::Bedrock,
        }
    }

    /// Whether a string of a request names its model.
    pub fn names_model(self, path: &[Step<'_>]) -> bool {
        match self {
            Api::Gemini => gemini::names_model(path),
            _ => matches!(path, [Step::Key(key)] if key == "model"),
        }
    }

    /// Whether a `true` in a request asks for an answer in a form that is not restored.
    pub fn asks_for_pieces(self, path: &[Step<'_>]) -> bool {
        self == Api::Gemini && gemini::asks_for_pieces(path)
    }

    /// What a string of a request is, by its path.
    pub fn request_role(self, path: &[Step<'_>]) -> Role {
        match self {
            Api::OpenAi => openai::request_role(path),
            Api::Responses => responses::request_role(path),
            Api::Anthropic => anthropic::request_role(path),
            Api::Gemini => gemini::request_role(path),
            Api::Ollama => ollama::request_role(path),
            Api::Cohere => cohere::request_role(path),
            Api::Bedrock => bedrock::request_role(path),
        }
    }

    /// What a number of a request is, by its path.
    pub fn number_role(self, path: &[Step<'_>]) -> Role {
        match self {
            Api::OpenAi => openai::number_role(path),
            Api::Responses => responses::number_role(path),
            Api::Anthropic => anthropic::number_role(path),
            Api::Gemini => gemini::number_role(path),
            Api::Ollama => ollama::number_role(path),
            Api::Cohere => cohere::number_role(path),
            Api::Bedrock => bedrock::number_role(path),
        }
    }

    /// What a string of a whole answer is, by its path; [`Role::Text`] is restored.
    pub fn answer_role(self, path: &[Step<'_>]) -> Role {
        match self {
            Api::OpenAi => openai::answer_role(path),
            Api::Responses => responses::answer_role(&dotted(path)),
            Api::Anthropic => anthropic::answer_role(path),
            Api::Gemini => gemini::answer_role(&dotted(path)),
            Api::Ollama => ollama::answer_role(&dotted(path)),
            Api::Cohere => cohere::answer_role(&dotted(path)),
            Api::Bedrock => bedrock::answer_role(&dotted(path)),
        }
    }

    /// What a string of a stream's event is, by its dotted path and by what the event says that
    /// it is (its `type`; empty where it has none).
    pub fn delta(self, path: &str, kind: &str) -> Delta {
        match self {
            Api::OpenAi => openai::delta(path),
            Api::Responses => responses::delta(path, kind),
            Api::Anthropic => anthropic::delta(path),
            Api::Gemini => gemini::delta(path),
            Api::Ollama => ollama::delta(path),
            Api::Cohere => cohere::delta(path),
            Api::Bedrock => bedrock::delta(path),
        }
    }

    /// The name of the text that a piece of a stream belongs to, from the piece's own place.
    pub fn channel(self, name: String) -> String {
        match self {
            Api::Gemini => gemini::channel(name),
            _ => name,
        }
    }

    /// What a string of a stream's event, or its `true`, ends.
    pub fn ending(self, path: &[Step<'_>], value: &str) -> Ending {
        match self {
            Api::OpenAi => openai::ending(path),
            Api::Responses => responses::ending(path, value),
            Api::Anthropic => anthropic::ending(path, value),
            Api::Gemini => gemini::ending(path),
            Api::Ollama => ollama::ending(path, value),
            Api::Cohere => cohere::ending(path, value),
            Api::Bedrock => Ending::None,
        }
    }

    /// What a stream's event ends by what its frame says that it is.
    pub fn ending_of_kind(self, kind: &str) -> Ending {
        match self {
            Api::Bedrock => bedrock::ending_of_kind(kind),
            _ => Ending::None,
        }
    }

    /// Whether an event's data is no JSON but the stream's end.
    pub fn is_end_marker(self, data: &str) -> bool {
        matches!(self, Api::OpenAi | Api::Responses | Api::Cohere) && data.trim() == "[DONE]"
    }

    /// What stands in every event that tells tokens.
    pub fn usage_mark(self) -> &'static str {
        match self {
            Api::OpenAi | Api::Responses | Api::Anthropic | Api::Cohere | Api::Bedrock => {
                "\"usage\""
            }
            Api::Gemini => "\"usageMetadata\"",
            Api::Ollama => "eval_count\"",
        }
    }

    /// Whether an event tells the usage and nothing else.
    pub fn is_usage_only(self, data: &[u8]) -> bool {
        self == Api::OpenAi && openai::is_usage_only(data)
    }

    /// Adds what an answer or an event tells of tokens.
    pub fn usage(self, json: &[u8], usage: &mut Option<Usage>) {
        match self {
            Api::OpenAi => openai::usage(json, usage),
            Api::Responses => responses::usage(json, usage),
            Api::Anthropic => anthropic::usage(json, usage),
            Api::Gemini => gemini::usage(json, usage),
            Api::Ollama => ollama::usage(json, usage),
            Api::Cohere => cohere::usage(json, usage),
            Api::Bedrock => bedrock::usage(json, usage),
        }
    }

    /// The refusal as an error event, for a stream that has begun.
    pub fn error_event(self, refusal: &Refusal, exchange: &str) -> Bytes {
        let event = |name, data| format!("event: {name}\ndata: {data}\n\n");
        let text = match self {
            Api::OpenAi => format!("data: {}\n\n", openai::error(refusal)),
            Api::Responses => event("error", responses::error_event(refusal)),
            Api::Anthropic => event("error", anthropic::error(refusal, exchange)),
            Api::Gemini => format!("data: {}\n\n", gemini::error(refusal)),
            Api::Ollama => format!("{}\n", ollama::error(refusal)),
            Api::Cohere => event("message-end", cohere::error_event(refusal)),
            Api::Bedrock => return bedrock::error_event(refusal).raw().clone(),
        };
        Bytes::from(text)
    }
}

/// Whether a string has the shape of an identifier: short, ASCII, no spaces, none of the
/// characters that addresses and phone numbers need.
pub fn identifier(value: &str) -> bool {
    let bytes = value.as_bytes();
    !bytes.is_empty()
        && bytes.len() <= 128
        && bytes
            .iter()
            .all(|b| b.is_ascii_alphanumeric() || b"_-.:/".contains(b))
        && !looks_like_digits(bytes)
}

/// Nine digits or more with nothing but separators between: more a number of a person, a card
/// or an account than an identifier of an API.
fn looks_like_digits(bytes: &[u8]) -> bool {
    bytes.iter().filter(|b| b.is_ascii_digit()).count() >= 9
        && !bytes.iter().any(u8::is_ascii_alphabetic)
}

/// The last key of a path.
pub(crate) fn last_key<'a>(path: &'a [Step<'_>]) -> Option<&'a str> {
    match path.last() {
        Some(Step::Key(key)) => Some(key.as_ref()),
        _ => None,
    }
}

/// A path as a dotted pattern, indices as `*`, to be matched against tables.
pub(crate) fn dotted(path: &[Step<'_>]) -> String {
    let mut text = String::with_capacity(64);
    for step in path {
        if !text.is_empty() {
            text.push('.');
        }
        match step {
            Step::Key(key) => text.push_str(key),
            Step::Index(_) => text.push('*'),
        }
    }
    text
}

/// Checks that a body is what can be inspected: JSON, not compressed.
pub(crate) fn check_content(headers: &HeaderMap) -> Result<(), Refusal> {
    let text = |name| {
        headers
            .get(name)
            .map(|v: &HeaderValue| v.to_str().unwrap_or("?"))
    };
    let kind = text(header::CONTENT_TYPE)
        .unwrap_or("")
        .split(';')
        .next()
        .unwrap_or("")
        .trim();
    if !kind.eq_ignore_ascii_case("application/json") {
        return Err(Refusal::content_type());
    }
    match text(header::CONTENT_ENCODING) {
        None | Some("identity") => Ok(()),
        Some(_) => Err(Refusal::content_encoding()),
    }
}

/// The request headers that are passed on. Everything else stays here: a header can carry a name
/// as well as a body can.
pub(crate) fn forwarded_headers(
    wire: WireKind,
    headers: &HeaderMap,
) -> Vec<(HeaderName, HeaderValue)> {
    let plain = |value: &HeaderValue| value.len() <= 256 && value.to_str().is_ok();
    let passed = headers
        .iter()
        .filter(|(name, value)| wire.passes(name) && plain(value));
    passed
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}
