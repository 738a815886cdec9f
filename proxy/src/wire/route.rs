//! From a request's head to its route: which wire, which operation, and which model where the path
//! names it. Each wire's file knows its own paths.

use super::{
    Api, Operation, WireKind, anthropic, azure, bedrock, cohere, gemini, identifier, ollama, openai,
};
use crate::error::Refusal;
use crate::secret::Secret;
use http::{HeaderMap, Method, Uri};
use std::fmt::Write as _;
use std::ops::Range;

/// A request that some wire knows.
#[derive(Clone, Debug)]
pub struct Route {
    /// The wire it came on.
    pub wire: WireKind,
    /// What it asks.
    pub operation: Operation,
    /// The endpoint it names by path prefix.
    pub prefix: Option<String>,
    /// Path and query below the version segment, as it is sent upstream.
    pub below: String,
    /// The model's name and where it stands in `below`, on wires that name it there.
    pub model: Option<(String, Range<usize>)>,
    /// Whether it asks for a stream unless its body says otherwise.
    pub stream: bool,
    /// The caller's credential, where it came in the query: it goes on as a header.
    pub key: Option<Secret>,
}

impl Route {
    /// How its bodies are to be read.
    pub fn api(&self) -> Api {
        match (self.wire, self.operation) {
            (WireKind::OpenAi | WireKind::Azure, Operation::Responses) => Api::Responses,
            (WireKind::OpenAi | WireKind::Azure, _) => Api::OpenAi,
            (WireKind::Anthropic, _) => Api::Anthropic,
            (WireKind::Gemini, _) => Api::Gemini,
            (WireKind::Ollama, _) => Api::Ollama,
            (WireKind::Cohere, _) => Api::Cohere,
            (WireKind::Bedrock, _) => Api::Bedrock,
        }
    }

    /// The model that the path names.
    pub fn model(&self) -> Option<&str> {
        self.model.as_ref().map(|(name, _)| name.as_str())
    }

    /// Path and query for an endpoint that calls the model otherwise.
    pub fn below_with(&self, model: Option<&str>) -> String {
        match (&self.model, model) {
            (Some((_, range)), Some(model)) => {
                let (before, behind) = (&self.below[..range.start], &self.below[range.end..]);
                // Amazon's ARNs hold slashes and colons of their own.
                let kept = if self.wire == WireKind::Bedrock {
                    ""
                } else {
                    ":@/"
                };
                format!("{before}{}{behind}", segment(model, kept))
            }
            _ => self.below.clone(),
        }
    }

    /// The method to ask with.
    pub fn method(&self) -> Method {
        match self.operation {
            Operation::Models => Method::GET,
            _ => Method::POST,
        }
    }
}

/// What a wire makes of a path.
pub(super) struct Found {
    pub(super) wire: WireKind,
    pub(super) operation: Operation,
    /// Without its leading slash.
    pub(super) below: String,
    pub(super) model: Option<(String, Range<usize>)>,
    pub(super) stream: bool,
}

impl Found {
    pub(super) fn new(wire: WireKind, operation: Operation, below: impl Into<String>) -> Found {
        Found {
            wire,
            operation,
            below: below.into(),
            model: None,
            stream: false,
        }
    }

    /// The model's name stands there.
    pub(super) fn with_model(self, range: Range<usize>) -> Found {
        let name = self.below[range.clone()].to_string();
        self.with_named_model(range, name)
    }

    /// It stands there in another spelling.
    pub(super) fn with_named_model(self, range: Range<usize>, name: String) -> Found {
        Found {
            model: Some((name, range)),
            ..self
        }
    }

    /// It asks for a stream.
    pub(super) fn streaming(self, stream: bool) -> Found {
        Found { stream, ..self }
    }
}

/// Query parameters that say nothing about anybody.
const QUERY: [&str; 8] = [
    "beta",
    "limit",
    "after_id",
    "before_id",
    "api-version",
    "alt",
    "pageSize",
    "pageToken",
];

/// Finds the wire and the operation of a request, or refuses it. `wire_of` tells the wire of an
/// endpoint by its name.
pub fn route(
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
    wire_of: impl Fn(&str) -> Option<WireKind>,
) -> Result<Route, Refusal> {
    let (prefix, rest) = split(uri.path(), &wire_of);
    let named = prefix.and_then(&wire_of);
    let found = find(rest, named, headers).ok_or_else(Refusal::unknown_route)?;
    let mut route = Route {
        wire: found.wire,
        operation: found.operation,
        prefix: prefix.map(str::to_string),
        below: format!("/{}", found.below),
        model: found
            .model
            .map(|(name, range)| (name, range.start + 1..range.end + 1)),
        stream: found.stream,
        key: None,
    };
    if *method != route.method() {
        return Err(Refusal::method(route.method().as_str()));
    }
    query(&mut route, uri.query().unwrap_or(""))?;
    Ok(route)
}

/// How a request is refused that has no route: as its path and its headers read.
pub fn guess(uri: &Uri, headers: &HeaderMap, wire_of: impl Fn(&str) -> Option<WireKind>) -> Api {
    let (prefix, rest) = split(uri.path(), &wire_of);
    let first = rest.split('/').next().unwrap_or("");
    let by_version = || match first {
        "v1beta" | "v1alpha" | "v1beta1" => WireKind::Gemini,
        "v2" => WireKind::Cohere,
        "api" => WireKind::Ollama,
        "model" => WireKind::Bedrock,
        _ => by_headers(headers),
    };
    match prefix.and_then(&wire_of).unwrap_or_else(by_version) {
        WireKind::Anthropic => Api::Anthropic,
        WireKind::Gemini => Api::Gemini,
        WireKind::Ollama => Api::Ollama,
        WireKind::Cohere => Api::Cohere,
        WireKind::Bedrock => Api::Bedrock,
        WireKind::OpenAi | WireKind::Azure => Api::OpenAi,
    }
}

/// A path's endpoint name, if it has one, and what follows it.
fn split<'a>(
    path: &'a str,
    wire_of: &impl Fn(&str) -> Option<WireKind>,
) -> (Option<&'a str>, &'a str) {
    let path = path.strip_prefix('/').unwrap_or(path);
    match path.split_once('/') {
        // Azure's own first segment may be an endpoint's name as well.
        Some(("openai", rest))
            if !rest.starts_with("v1/") && wire_of("openai") != Some(WireKind::Azure) =>
        {
            (None, path)
        }
        Some((name, rest)) if wire_of(name).is_some() => (Some(name), rest),
        _ => (None, path),
    }
}

fn find(path: &str, named: Option<WireKind>, headers: &HeaderMap) -> Option<Found> {
    if named == Some(WireKind::Azure) {
        return azure::find(path.strip_prefix("openai/").unwrap_or(path));
    }
    let (version, below) = path.split_once('/')?;
    match version {
        "v1" => {
            let asked = gemini::find(below).filter(|found| found.operation != Operation::Models);
            let found = asked
                .or_else(|| openai::find(below))
                .or_else(|| anthropic::find(below))
                .or_else(|| gemini::find(below))?;
            Some(match found.operation {
                Operation::Models => Found {
                    wire: named.unwrap_or_else(|| by_headers(headers)),
                    ..found
                },
                _ => found,
            })
        }
        "v1beta" | "v1alpha" | "v1beta1" => gemini::find(below),
        "v2" => cohere::find(below),
        "api" => ollama::find(below),
        "model" => bedrock::find(below),
        "openai" => azure::find(below),
        _ => None,
    }
}

/// Three wires have paths below `/v1/`, and list their models under the same.
fn by_headers(headers: &HeaderMap) -> WireKind {
    if headers.contains_key("anthropic-version") {
        WireKind::Anthropic
    } else if headers.contains_key("x-goog-api-key") {
        WireKind::Gemini
    } else {
        WireKind::OpenAi
    }
}

/// Takes over the query: what is known to say nothing goes on, a key becomes a credential,
/// everything else is refused.
fn query(route: &mut Route, query: &str) -> Result<(), Refusal> {
    let mut sse = false;
    let mut kept = String::new();
    for parameter in query.split('&').filter(|p| !p.is_empty()) {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        if name == "key" && route.wire == WireKind::Gemini && identifier(value) {
            route.key = Some(Secret::new(value.to_string()));
            continue;
        }
        if !QUERY.contains(&name) || !identifier(value) && !value.is_empty() {
            return Err(Refusal::query());
        }
        sse |= parameter == "alt=sse";
        let separator = if kept.is_empty() { '?' } else { '&' };
        _ = write!(kept, "{separator}{parameter}");
    }
    if route.wire == WireKind::Gemini && route.stream && !sse {
        return Err(Refusal::array_stream());
    }
    route.below.push_str(&kept);
    Ok(())
}

/// Whether a segment of a path can be a model's name.
pub(super) fn is_name(name: &str) -> bool {
    identifier(name) && name.split('/').all(|part| !matches!(part, "" | "." | ".."))
}

/// A name as a part of a path (RFC 3986, section 3.3), with what is not encoded beside the
/// unreserved characters.
fn segment(name: &str, kept: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for byte in name.bytes() {
        match byte {
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => out.push(byte.into()),
            b'-' | b'.' | b'_' | b'~' => out.push(byte.into()),
            _ if kept.as_bytes().contains(&byte) => out.push(byte.into()),
            _ => _ = write!(out, "%{byte:02X}"),
        }
    }
    out
}

#[cfg(test)]
mod tests;
