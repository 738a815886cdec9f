//! A request as the gate sees it: the untouched body, and every piece of text in it with the way
//! back to its bytes.

use crate::config::Limits;
use crate::error::Refusal;
use crate::json::{self, Duplicates, Event, JsonError, JsonLimits, OffsetMap, Step, Token};
use crate::wire::{self, Api, Operation, Role, Route, WireKind, openai};
use bytes::Bytes;
use http::Method;
use std::ops::Range;
use tollgate_redaction::restore::escape_json;

/// A parsed request.
#[derive(Debug)]
pub struct Prompt {
    route: Route,
    body: Bytes,
    segments: Vec<Segment>,
    opaque: u32,
    model: String,
    /// Where the body names it.
    model_ranges: Vec<Range<usize>>,
    stream: bool,
    stream_options: bool,
    /// Just behind the root object's opening brace.
    root: usize,
}

/// A piece of text of a request.
pub struct Segment {
    text: Source,
    map: OffsetMap,
    kind: Kind,
    /// Whether it stands in JSON within a JSON string.
    nested: bool,
}

enum Source {
    /// The body's own bytes.
    Body(Range<usize>),
    /// Decoded.
    Owned(String),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    String,
    /// A bare number, which is replaced as a whole, by a string.
    Number,
}

/// Digits from which a bare number could be somebody's.
const DIGITS_MIN: usize = 7;

impl Prompt {
    /// Parses a request's body.
    ///
    /// # Errors
    /// 422 with the place of the first fault when the body is not JSON of this wire; 413 when it
    /// holds more than the limits allow.
    pub fn parse(route: &Route, body: Bytes, limits: &Limits) -> Result<Prompt, Refusal> {
        let mut prompt = Prompt {
            route: route.clone(),
            body: body.clone(),
            segments: Vec::new(),
            opaque: 0,
            model: route.model().unwrap_or_default().to_string(),
            model_ranges: Vec::new(),
            stream: route.stream,
            stream_options: false,
            root: 0,
        };
        if route.method() == Method::GET {
            return Ok(prompt);
        }
        let json_limits = JsonLimits {
            bytes_max: limits.body_bytes_max,
            depth_max: limits.json_depth_max,
            duplicates: Duplicates::Refuse,
            ..JsonLimits::default()
        };
        json::scan(&body, &json_limits, |event| {
            prompt.visit(&event, &json_limits, limits.segments_max)
        })?;
        let object = prompt.root > 0;
        let named = route.model.is_some() || !prompt.model_ranges.is_empty();
        match route.operation {
            _ if object && named => Ok(prompt),
            Operation::Moderations if object && !prompt.segments.is_empty() => {
                prompt.model = openai::MODERATION_MODEL.to_string();
                Ok(prompt)
            }
            _ => Err(Refusal::not_inspectable(
                "Expected a JSON object with a string \"model\".",
            )),
        }
    }

    fn visit(
        &mut self,
        event: &Event<'_>,
        limits: &JsonLimits,
        segments_max: usize,
    ) -> Result<(), Refusal> {
        match event.token {
            Token::Bool(value) if is(event.path, "stream") => self.stream = value,
            Token::Bool(true) if self.route.api().asks_for_pieces(event.path) => {
                return Err(Refusal::not_inspectable(
                    "Expected streamFunctionCallArguments to be off: arguments in pieces cannot be restored.",
                ));
            }
            Token::ObjectStart if event.path.is_empty() => self.root = event.range.end,
            Token::Key if is(event.path, "stream_options") => self.stream_options = true,
            Token::String => self.string(event, limits)?,
            Token::Number => match self.route.api().number_role(event.path) {
                Role::Opaque => self.opaque += 1,
                Role::Text if digits(event.raw) >= DIGITS_MIN => {
                    self.number(event.raw, OffsetMap::linear(event.range.start), false)
                }
                _ => {}
            },
            Token::Key if !plain_key(event.raw) => {
                let text = event.decode()?;
                self.push(text.content.into_owned(), text.map, Kind::String, false);
            }
            _ => {}
        }
        if self.segments.len() > segments_max {
            return Err(Refusal::not_inspectable(format!(
                "Expected at most {segments_max} texts in a request."
            )));
        }
        Ok(())
    }

    fn string(&mut self, event: &Event<'_>, limits: &JsonLimits) -> Result<(), Refusal> {
        if self.route.api().names_model(event.path) {
            return self.names_model(event);
        }
        match self.route.api().request_role(event.path) {
            Role::Structural if wire::identifier(event.raw) => {}
            Role::Verbatim if base64(event.raw) => {}
            Role::Opaque => {
                self.opaque += 1;
                // What only points elsewhere is text of its own.
                if !event.raw.starts_with("data:") && event.raw.len() <= 8192 {
                    self.text(event)?;
                }
            }
            Role::NestedJson => self.nested(event, limits)?,
            Role::Structural | Role::Verbatim | Role::Text => self.text(event)?,
        }
        Ok(())
    }

    /// The body names the model, if the path does not; else both must mean the same, unless it is
    /// one that does not count (Azure's).
    fn names_model(&mut self, event: &Event<'_>) -> Result<(), Refusal> {
        let Some(named) = self.route.model() else {
            self.model = event.decode()?.content.into_owned();
            self.model_ranges.push(event.range.clone());
            // What has not the shape of a name is looked at as any other text.
            return match wire::identifier(event.raw) {
                true => Ok(()),
                false => Ok(self.text(event)?),
            };
        };
        let bare = event.raw.strip_prefix("models/").unwrap_or(event.raw);
        if bare == named {
            let end = event.range.end;
            self.model_ranges.push(end - bare.len()..end);
        } else if self.route.wire != WireKind::Azure {
            return Err(Refusal::not_inspectable(
                "Expected the model that the path names wherever the body names one.",
            ));
        } else if !wire::identifier(event.raw) {
            self.text(event)?;
        }
        Ok(())
    }

    fn text(&mut self, event: &Event<'_>) -> Result<(), JsonError> {
        if event.raw.is_empty() {
            return Ok(());
        }
        let text = event.decode()?;
        let source = match text.content {
            std::borrow::Cow::Borrowed(_) => Source::Body(event.range.clone()),
            std::borrow::Cow::Owned(content) => Source::Owned(content),
        };
        self.segments.push(Segment {
            text: source,
            map: text.map,
            kind: Kind::String,
            nested: false,
        });
        Ok(())
    }

    fn push(&mut self, text: String, map: OffsetMap, kind: Kind, nested: bool) {
        self.segments.push(Segment {
            text: Source::Owned(text),
            map,
            kind,
            nested,
        });
    }

    fn number(&mut self, raw: &str, map: OffsetMap, nested: bool) {
        self.push(raw.to_string(), map, Kind::Number, nested);
    }

    /// JSON in a string: its strings are texts. What is not JSON after all is text as a whole.
    fn nested(&mut self, event: &Event<'_>, limits: &JsonLimits) -> Result<(), Refusal> {
        let outer = event.decode()?;
        let before = self.segments.len();
        let inner = json::scan(
            outer.content.as_bytes(),
            limits,
            |inner: Event<'_>| -> Result<(), JsonError> {
                match inner.token {
                    Token::String if inner.raw.is_empty() => {}
                    Token::Key if plain_key(inner.raw) => {}
                    Token::String | Token::Key => {
                        let text = inner.decode()?;
                        self.push(
                            text.content.into_owned(),
                            text.map.compose(&outer.map),
                            Kind::String,
                            true,
                        );
                    }
                    Token::Number if digits(inner.raw) >= DIGITS_MIN => {
                        self.number(
                            inner.raw,
                            OffsetMap::linear(inner.range.start).compose(&outer.map),
                            true,
                        );
                    }
                    _ => {}
                }
                Ok(())
            },
        );
        if inner.is_err() {
            self.segments.truncate(before);
            self.text(event)?;
        }
        Ok(())
    }

    /// The wire that it came on.
    pub fn wire(&self) -> WireKind {
        self.route.wire
    }

    /// The method to send it with.
    pub fn method(&self) -> Method {
        self.route.method()
    }

    /// Path and query below the version segment, for an endpoint that may call the model otherwise.
    pub fn below(&self, model: Option<&str>) -> String {
        self.route.below_with(model)
    }

    /// The body as it came.
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// The pieces of text, in the order of the body.
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// The texts of all segments.
    pub fn texts(&self) -> Vec<&str> {
        self.segments.iter().map(|s| s.text(&self.body)).collect()
    }

    /// Pieces of content that cannot be inspected.
    pub fn opaque(&self) -> u32 {
        self.opaque
    }

    /// The model asked for; empty for a list of models.
    pub fn model(&self) -> &str {
        &self.model
    }

    /// The edits of the body after which it names the model otherwise.
    pub fn rename(&self, model: &str) -> Vec<(Range<usize>, String)> {
        let mut quoted = String::with_capacity(model.len() + 2);
        escape_json(model, &mut quoted);
        if self.route.operation == Operation::Moderations && self.model_ranges.is_empty() {
            let member = format!("\"model\":\"{quoted}\",");
            return vec![(self.root..self.root, member)];
        }
        let ranges = self.model_ranges.iter();
        ranges.map(|r| (r.clone(), quoted.clone())).collect()
    }

    /// Where to ask for the token usage of a stream whose caller left it open: without it, what an
    /// OpenAI stream cost could only be guessed. `None` where usage comes unasked or the caller
    /// has said what it wants.
    pub fn usage_request(&self) -> Option<(usize, &'static str)> {
        let can = self.route.api() == Api::OpenAi && openai::can_be_asked_for_usage(&self.route);
        let open = can && self.stream && !self.stream_options;
        open.then_some((self.root, r#""stream_options":{"include_usage":true},"#))
    }

    /// Whether a stream is asked for.
    pub fn stream(&self) -> bool {
        self.stream
    }
}

impl Segment {
    fn text<'a>(&'a self, body: &'a Bytes) -> &'a str {
        match &self.text {
            // The scan has checked the whole body.
            Source::Body(range) => std::str::from_utf8(&body[range.clone()]).unwrap_or_default(),
            Source::Owned(text) => text,
        }
    }

    /// Whether it can only be replaced as a whole.
    pub fn is_atomic(&self) -> bool {
        self.kind == Kind::Number
    }

    /// The edit of the body that puts `with` in place of a span of the text.
    pub fn edit(&self, span: Range<usize>, with: &str) -> (Range<usize>, String) {
        let mut json = String::with_capacity(with.len() + 2);
        match self.kind {
            Kind::String => escape_json(with, &mut json),
            Kind::Number => {
                json.push('"');
                escape_json(with, &mut json);
                json.push('"');
            }
        }
        if self.nested {
            let mut outer = String::with_capacity(json.len() + 4);
            escape_json(&json, &mut outer);
            json = outer;
        }
        (self.map.raw(span), json)
    }
}

impl std::fmt::Debug for Segment {
    /// Never shows the text.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Segment(..)")
    }
}

impl From<JsonError> for Refusal {
    fn from(error: JsonError) -> Self {
        Refusal::not_inspectable(format!("The request body cannot be inspected: {error}."))
    }
}

fn is(path: &[Step<'_>], key: &str) -> bool {
    matches!(path, [Step::Key(k)] if k == key)
}

/// A key that reads like a program's name for a field. Others (`"anna@example.org": …`) are text.
fn plain_key(raw: &str) -> bool {
    let bytes = raw.as_bytes();
    bytes.len() <= 64
        && bytes
            .first()
            .is_none_or(|b| b.is_ascii_alphabetic() || b"_$".contains(b))
        && bytes
            .iter()
            .all(|b| b.is_ascii_alphanumeric() || b"_-.$".contains(b))
}

fn base64(raw: &str) -> bool {
    raw.bytes()
        .all(|b| b.is_ascii_alphanumeric() || b"+/=-_".contains(&b))
}

fn digits(raw: &str) -> usize {
    raw.bytes().filter(u8::is_ascii_digit).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edit::Edits;

    fn route(wire: WireKind, operation: Operation) -> Route {
        Route {
            wire,
            operation,
            prefix: None,
            below: "/chat/completions".into(),
            model: None,
            stream: false,
            key: None,
        }
    }

    fn parse(wire: WireKind, body: &str) -> Prompt {
        let operation = if body.contains("\"input\":") && wire == WireKind::OpenAi {
            Operation::Embeddings
        } else {
            Operation::Chat
        };
        Prompt::parse(
            &route(wire, operation),
            Bytes::from(body.to_string()),
            &Limits::default(),
        )
        .expect("parses")
    }

    /// Replaces every occurrence of a word by another through the segments.
    fn replace(prompt: &Prompt, word: &str, with: &str) -> String {
        let mut edits = Edits::new();
        for (segment, text) in prompt.segments().iter().zip(prompt.texts()) {
            for (at, _) in text.match_indices(word) {
                let (range, json) = segment.edit(at..at + word.len(), with);
                edits.replace(range, json).expect("disjoint");
            }
        }
        String::from_utf8(edits.apply(prompt.body()).expect("in bounds").to_vec()).expect("UTF-8")
    }

    #[test]
    fn every_string_is_text_unless_the_wire_says_otherwise() {
        let prompt = parse(
            WireKind::OpenAi,
            r#"{
            "model": "gpt-4o", "stream": true, "user": "anna", "brand_new_field": {"x": "y z"},
            "messages": [
                {"role": "system", "content": "s"},
                {"role": "user", "name": "Anna", "content": [{"type": "text", "text": "t"}]},
                {"role": "assistant", "tool_calls": [{"id": "call_1", "type": "function",
                    "function": {"name": "mail", "arguments": "{\"to\": \"anna\\u0040x.org\", \"nr\": 4111111111111111}"}}]},
                {"role": "tool", "tool_call_id": "call_1", "content": "r"}],
            "tools": [{"type": "function", "function": {"name": "mail", "description": "d",
                "parameters": {"type": "object", "properties": {"to": {"type": "string", "description": "e"}}, "required": ["to"]}}}],
            "metadata": {"ticket of Anna": "v"}
        }"#,
        );
        assert_eq!(
            prompt.texts(),
            [
                "anna",
                "y z",
                "s",
                "Anna",
                "t",
                "anna@x.org",
                "4111111111111111",
                "r",
                "d",
                "e",
                "ticket of Anna",
                "v"
            ]
        );
        assert!(prompt.stream() && prompt.model() == "gpt-4o" && prompt.opaque() == 0);
    }

    #[test]
    fn a_structural_string_that_is_no_identifier_is_text() {
        let prompt = parse(
            WireKind::OpenAi,
            r#"{"model":"m","messages":[{"role":"Anna Schmidt, 12 Elm St"}]}"#,
        );
        assert_eq!(prompt.texts(), ["Anna Schmidt, 12 Elm St"]);
    }

    #[test]
    fn edits_keep_every_other_byte() {
        let body = r#"{"model":"m",  "messages":[{"content":"Gr\u00fc\u00dfe an M\u00fcller \ud83d\ude00!","n":1.50}]}"#;
        let prompt = parse(WireKind::OpenAi, body);
        assert_eq!(
            replace(&prompt, "Müller", "[P]"),
            body.replace(r"M\u00fcller", "[P]")
        );
        assert_eq!(
            replace(&prompt, "😀", "\"q\""),
            body.replace(r"\ud83d\ude00", r#"\"q\""#)
        );
    }

    #[test]
    fn edits_reach_into_nested_json() {
        let body = r#"{"model":"m","messages":[{"tool_calls":[{"function":{"arguments":"{\"a\":\"M\\u00fcller\\n\",\"n\":123456789}"}}]}]}"#;
        let prompt = parse(WireKind::OpenAi, body);
        assert_eq!(
            replace(&prompt, "Müller", "[P]"),
            body.replace(r"M\\u00fcller", "[P]")
        );
        assert_eq!(
            replace(&prompt, "123456789", "[N]"),
            body.replace("123456789", r#"\"[N]\""#)
        );
    }

    #[test]
    fn usage_is_asked_for_only_where_it_was_left_open() {
        let asks = |body: &str| {
            parse(WireKind::OpenAi, body)
                .usage_request()
                .map(|(at, _)| at)
        };
        assert_eq!(asks(r#" {"model":"m","stream":true}"#), Some(2));
        assert_eq!(asks(r#"{"model":"m","stream":false}"#), None);
        assert_eq!(
            asks(r#"{"model":"m","stream":true,"stream_options":{}}"#),
            None
        );
        assert_eq!(
            parse(WireKind::Anthropic, r#"{"model":"m","stream":true}"#).usage_request(),
            None
        );
    }

    #[test]
    fn anthropic_blocks() {
        let prompt = parse(
            WireKind::Anthropic,
            r#"{"model":"claude","system":[{"type":"text","text":"s"}],
            "messages":[{"role":"assistant","content":[{"type":"tool_use","id":"toolu_1","name":"mail","input":{"type":"Anna","nr":1234567890}},
                {"type":"thinking","thinking":"h","signature":"AbC+/="}]},
              {"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_1","content":[{"type":"text","text":"r"}]},
                {"type":"image","source":{"type":"base64","media_type":"image/png","data":"AAAA"}}]}]}"#,
        );
        assert_eq!(
            prompt.texts(),
            ["s", "Anna", "1234567890", "h", "r", "AAAA"]
        );
        assert_eq!(prompt.opaque(), 1);
    }

    #[test]
    fn what_could_not_be_restored_is_not_asked_for() {
        let ask = |body: &str| {
            let route = Route {
                model: Some(("g".into(), 8..9)),
                below: "/models/g:generateContent".into(),
                ..route(WireKind::Gemini, Operation::Chat)
            };
            let body = Bytes::from(body.to_string());
            Prompt::parse(&route, body, &Limits::default()).map(|prompt| prompt.opaque())
        };
        for config in [
            r#"{"toolConfig":{"functionCallingConfig":{"streamFunctionCallArguments":true}}}"#,
            r#"{"tool_config":{"function_calling_config":{"stream_function_call_arguments":true}}}"#,
        ] {
            let refusal = ask(config).expect_err(config);
            assert_eq!((refusal.status, refusal.code), (422, "not_inspectable"));
            assert_eq!(ask(&config.replace("true", "false")).expect("off"), 0);
        }
    }

    #[test]
    fn token_arrays_are_opaque() {
        let prompt = parse(
            WireKind::OpenAi,
            r#"{"model":"text-embedding-3-small","input":[[1,2,3]]}"#,
        );
        assert_eq!(prompt.opaque(), 3);
    }

    #[test]
    fn bad_bodies_are_refused_without_being_quoted() {
        let nested = format!(
            "{{\"model\":\"m\",\"messages\":{}{}}}",
            "[".repeat(100),
            "]".repeat(100)
        );
        for (body, expected) in [
            ("", "end of JSON"),
            ("{", "end of JSON"),
            ("[]", "\"model\""),
            ("{\"model\":1}", "\"model\""),
            ("{\"model\":\"a\",\"model\":\"Anna\"}", "duplicate key"),
            (nested.as_str(), "nested"),
            ("{\"model\":\"m\",\"x\":\"Anna\u{1}\"}", "control"),
            ("{\"model\":\"m\",\"x\":\"\\ud800 Anna\"}", "surrogate"),
        ] {
            let refusal = Prompt::parse(
                &route(WireKind::OpenAi, Operation::Chat),
                Bytes::from(body.to_string()),
                &Limits::default(),
            )
            .expect_err(body);
            assert_eq!(refusal.status, 422);
            assert!(
                refusal.message.contains(expected) && !refusal.message.contains("Anna"),
                "{}",
                refusal.message
            );
        }
    }
}
