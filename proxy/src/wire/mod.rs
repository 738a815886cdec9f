//! Wires: the API dialects of callers and endpoints, one file each.
//!
//! A wire says which paths exist, which JSON strings are structural (everything else is text and
//! is inspected), how its stream carries text, where it counts tokens, and how it words an error.

pub mod anthropic;
pub mod openai;
pub mod responses;

use crate::error::Refusal;
use crate::json::Step;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, header};
use serde::Deserialize;
use tollgate_analytics::record::Usage;

/// The dialects that the gate speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WireKind {
    /// OpenAI: chat completions, responses, embeddings, models.
    OpenAi,
    /// Anthropic: messages, models.
    Anthropic,
}

/// What is asked of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// An answer to a conversation.
    Chat,
    /// An answer to a conversation, by OpenAI's Responses API.
    Responses,
    /// Vectors for texts.
    Embeddings,
    /// The list of models.
    Models,
}

impl Operation {
    /// The GenAI operation name, as in records and policies.
    pub fn as_str(self) -> &'static str {
        match self {
            Operation::Chat | Operation::Responses => "chat",
            Operation::Embeddings => "embeddings",
            Operation::Models => "models",
        }
    }
}

/// A request that some wire knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The wire it came on.
    pub wire: WireKind,
    /// What it asks.
    pub operation: Operation,
    /// The endpoint it names by path prefix.
    pub prefix: Option<String>,
    /// Path and query below the version segment, as it is sent upstream.
    pub below: String,
}

impl Route {
    /// How its bodies are to be read.
    pub fn api(&self) -> Api {
        match (self.wire, self.operation) {
            (WireKind::Anthropic, _) => Api::Anthropic,
            (WireKind::OpenAi, Operation::Responses) => Api::Responses,
            (WireKind::OpenAi, _) => Api::OpenAi,
        }
    }
}

/// How the bodies of a route are to be read: one file each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Api {
    /// OpenAI's chat completions, embeddings and models.
    OpenAi,
    /// OpenAI's responses.
    Responses,
    /// Anthropic's messages and models.
    Anthropic,
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
    /// The stream.
    Stream,
}

impl WireKind {
    /// The name in records.
    pub fn as_str(self) -> &'static str {
        match self {
            WireKind::OpenAi => "openai",
            WireKind::Anthropic => "anthropic",
        }
    }

    /// The refusal as this wire's error object.
    pub fn error(self, refusal: &Refusal, exchange: &str) -> serde_json::Value {
        match self {
            WireKind::OpenAi => openai::error(refusal),
            WireKind::Anthropic => anthropic::error(refusal, exchange),
        }
    }

    /// The header in which its callers present their credential, besides `authorization`.
    pub fn credential_headers(self) -> &'static [&'static str] {
        match self {
            WireKind::OpenAi => &["authorization"],
            WireKind::Anthropic => &["x-api-key", "authorization"],
        }
    }

    /// Whether a request header belongs to this wire and is passed on.
    pub fn passes(self, name: &HeaderName) -> bool {
        const COMMON: [&str; 4] = ["accept", "content-type", "user-agent", "idempotency-key"];
        let name = name.as_str();
        COMMON.contains(&name)
            || name.starts_with("x-stainless-")
            || match self {
                WireKind::OpenAi => matches!(
                    name,
                    "openai-organization" | "openai-project" | "openai-beta"
                ),
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
        }
    }

    /// What a string of a request is, by its path.
    pub fn request_role(self, path: &[Step<'_>]) -> Role {
        match self {
            Api::OpenAi => openai::request_role(path),
            Api::Responses => responses::request_role(path),
            Api::Anthropic => anthropic::request_role(path),
        }
    }

    /// What a number of a request is, by its path.
    pub fn number_role(self, path: &[Step<'_>]) -> Role {
        match self {
            Api::OpenAi => openai::number_role(path),
            Api::Responses => responses::number_role(path),
            Api::Anthropic => anthropic::number_role(path),
        }
    }

    /// What a string of a whole answer is, by its path; [`Role::Text`] is restored.
    pub fn answer_role(self, path: &[Step<'_>]) -> Role {
        match self {
            Api::OpenAi => openai::answer_role(path),
            Api::Responses => responses::answer_role(&dotted(path)),
            Api::Anthropic => anthropic::answer_role(path),
        }
    }

    /// What a string of a stream's event is, by its dotted path and by what the event says that
    /// it is (its `type`; empty where it has none).
    pub fn delta(self, path: &str, kind: &str) -> Delta {
        match self {
            Api::OpenAi => openai::delta(path),
            Api::Responses => responses::delta(path, kind),
            Api::Anthropic => anthropic::delta(path),
        }
    }

    /// What a string of a stream's event ends.
    pub fn ending(self, path: &[Step<'_>], value: &str) -> Ending {
        match self {
            Api::OpenAi => openai::ending(path),
            Api::Responses => responses::ending(path, value),
            Api::Anthropic => anthropic::ending(path, value),
        }
    }

    /// Whether an event's data is no JSON but the stream's end.
    pub fn is_end_marker(self, data: &str) -> bool {
        self.wire() == WireKind::OpenAi && data.trim() == "[DONE]"
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
        }
    }

    /// The refusal as an error event, for a stream that has begun.
    pub fn error_event(self, refusal: &Refusal, exchange: &str) -> String {
        match self {
            Api::OpenAi => format!("data: {}\n\n", openai::error(refusal)),
            Api::Responses => format!(
                "event: error\ndata: {}\n\n",
                responses::error_event(refusal)
            ),
            Api::Anthropic => {
                let data = anthropic::error(refusal, exchange);
                format!("event: error\ndata: {data}\n\n")
            }
        }
    }
}

/// Query parameters that say nothing about anybody.
const QUERY: [&str; 5] = ["beta", "limit", "after_id", "before_id", "api-version"];

/// Finds the wire and the operation of a request, or refuses it. `wire_of` tells the wire of an
/// endpoint by its name.
pub fn route(
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
    wire_of: impl Fn(&str) -> Option<WireKind>,
) -> Result<Route, Refusal> {
    let path = uri.path();
    let (prefix, rest) = match path.strip_prefix('/').and_then(|p| p.split_once('/')) {
        Some(("v1", rest)) => (None, rest),
        Some((name, rest)) if wire_of(name).is_some() => {
            let rest = rest
                .strip_prefix("v1/")
                .ok_or_else(Refusal::unknown_route)?;
            (Some(name), rest)
        }
        _ => return Err(Refusal::unknown_route()),
    };
    let named = prefix.and_then(&wire_of);
    let (wire, operation) = match rest {
        "chat/completions" => (WireKind::OpenAi, Operation::Chat),
        "responses" => (WireKind::OpenAi, Operation::Responses),
        "embeddings" => (WireKind::OpenAi, Operation::Embeddings),
        "messages" => (WireKind::Anthropic, Operation::Chat),
        "models" => {
            let by_headers = if headers.contains_key("anthropic-version") {
                WireKind::Anthropic
            } else {
                WireKind::OpenAi
            };
            (named.unwrap_or(by_headers), Operation::Models)
        }
        _ => return Err(Refusal::unknown_route()),
    };
    let expected = if operation == Operation::Models {
        Method::GET
    } else {
        Method::POST
    };
    if *method != expected {
        return Err(Refusal::method(expected.as_str()));
    }
    let query = uri.query().unwrap_or("");
    for parameter in query.split('&').filter(|p| !p.is_empty()) {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        if !QUERY.contains(&name) || !identifier(value) && !value.is_empty() {
            return Err(Refusal::query());
        }
    }
    let below = if query.is_empty() {
        format!("/{rest}")
    } else {
        format!("/{rest}?{query}")
    };
    Ok(Route {
        wire,
        operation,
        prefix: prefix.map(str::to_string),
        below,
    })
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
