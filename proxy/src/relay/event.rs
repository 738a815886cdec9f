//! What one event of a stream carries: pieces of which texts, and which texts end with it.

use crate::json::{self, Event, JsonError, JsonLimits, Step, Token};
use crate::wire::{Api, Delta, Ending, dotted};
use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::ops::Range;

/// An event's data, read.
#[derive(Debug, Default)]
pub(super) struct Read {
    /// The strings that may hold placeholders.
    pub(super) strings: Vec<Text>,
    /// Which channels end with this event.
    pub(super) ending: Ended,
}

/// A string of an event.
#[derive(Debug)]
pub(super) struct Text {
    /// Where it stands in the data, between the quotes.
    pub(super) range: Range<usize>,
    /// Decoded.
    pub(super) content: String,
    /// Whole, or a piece.
    pub(super) delta: Delta,
    /// Which text it is a piece of: its path with each array element named by its own `index`
    /// member, as streams do (`choices#0.delta.tool_calls#1.function.arguments`).
    pub(super) channel: String,
}

/// Which channels an event ends.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) enum Ended {
    /// None.
    #[default]
    None,
    /// Those whose names start so.
    Prefixes(Vec<String>),
    /// All: the stream's last event.
    All,
}

impl Ended {
    /// Whether a channel ends.
    pub(super) fn ends(&self, channel: &str) -> bool {
        match self {
            Ended::None => false,
            Ended::Prefixes(prefixes) => prefixes.iter().any(|p| channel.starts_with(p.as_str())),
            Ended::All => true,
        }
    }
}

/// Reads an event's data. `kind` is what its frame says that it is; empty where the data do.
pub(super) fn read(
    api: Api,
    kind: &str,
    data: &str,
    limits: &JsonLimits,
) -> Result<Read, JsonError> {
    if api.is_end_marker(data) {
        return Ok(Read {
            strings: Vec::new(),
            ending: Ended::All,
        });
    }
    let mut found = Vec::new();
    let mut endings = Vec::new();
    let mut kind = kind.to_string();
    let (mut all, mut texts, mut own_text) = (false, false, false);
    let mut indices = HashMap::new();
    // Of the event itself, as `content_index` and `output_index`.
    let mut own_indices = BTreeMap::new();
    json::scan(
        data.as_bytes(),
        limits,
        |event: Event<'_>| -> Result<(), JsonError> {
            match event.token {
                Token::Number => match event.path {
                    [parent @ .., Step::Key(key)] if key == "index" => {
                        indices.insert(exact(parent), event.raw.to_string());
                    }
                    [Step::Key(key)] if key == "contentBlockIndex" => {
                        indices.insert(String::new(), event.raw.to_string());
                    }
                    [Step::Key(key)] if key.ends_with("_index") => {
                        own_indices.insert(key.to_string(), event.raw.to_string());
                    }
                    _ => {}
                },
                Token::String | Token::Bool(true) => {
                    match api.ending(event.path, event.raw) {
                        Ending::None => {}
                        Ending::Element(depth) => endings.push(exact(&event.path[..depth])),
                        Ending::Text => own_text = true,
                        Ending::Texts => texts = true,
                        Ending::Stream => all = true,
                    }
                    if event.token != Token::String {
                        // A part that says so is a thought, a text of its own.
                        if let [parent @ .., Step::Key(key)] = event.path
                            && key == "thought"
                        {
                            indices.insert(exact(parent), "thought".to_string());
                        }
                        return Ok(());
                    }
                    if matches!(event.path, [Step::Key(key)] if key == "type") {
                        kind = event.raw.to_string();
                    }
                    found.push((dotted(event.path), exact(event.path), event.range.clone()));
                }
                _ => {}
            }
            Ok(())
        },
    )?;
    if !own_indices.is_empty() {
        let own: Vec<String> = own_indices.into_values().collect();
        indices.insert(
            String::new(),
            format!("{}.{}", own.join("/"), text_of(&kind)),
        );
    }
    // What a string is may depend on a type that is told after it.
    let mut strings = Vec::new();
    for (path, exact, range) in found {
        let delta = api.delta(&path, &kind);
        if delta != Delta::Structural {
            strings.push(Text {
                content: json::decode(&data[range.clone()], range.start)?
                    .content
                    .into_owned(),
                range,
                delta,
                channel: api.channel(name(&exact, &indices)),
            });
        }
    }
    match api.ending_of_kind(&kind) {
        Ending::None => {}
        Ending::Element(_) | Ending::Text => own_text = true,
        Ending::Texts => texts = true,
        Ending::Stream => all = true,
    }
    if own_text {
        endings.push(String::new());
    }
    let mut prefixes: Vec<String> = endings.iter().map(|e| name(e, &indices) + ".").collect();
    if texts {
        prefixes.push(String::new());
    }
    let ending = match (all, prefixes.is_empty()) {
        (true, _) => Ended::All,
        (false, true) => Ended::None,
        (false, false) => Ended::Prefixes(prefixes),
    };
    Ok(Read { strings, ending })
}

/// Which text an event is about: `response.refusal` of `response.refusal.delta` and of its `.done`.
fn text_of(kind: &str) -> &str {
    kind.rsplit_once('.').map_or(kind, |(text, _)| text)
}

/// A path with its array positions: `choices.0.delta.content`. The root is empty.
fn exact(path: &[Step<'_>]) -> String {
    let mut text = String::new();
    for step in path {
        if !text.is_empty() {
            text.push('.');
        }
        match step {
            Step::Key(key) => text.push_str(key),
            Step::Index(index) => _ = write!(text, "{index}"),
        }
    }
    text
}

/// A channel's name from an exact path.
fn name(exact: &str, indices: &HashMap<String, String>) -> String {
    let mut name = String::with_capacity(exact.len() + 4);
    if let Some(index) = indices.get("") {
        _ = write!(name, "#{index}");
    }
    let mut end = 0;
    for step in exact.split('.').filter(|s| !s.is_empty()) {
        end += step.len() + usize::from(end > 0);
        let index = indices.get(&exact[..end]);
        let is_position = step.bytes().all(|b| b.is_ascii_digit());
        match index {
            Some(index) if is_position => _ = write!(name, "#{index}"),
            _ => _ = write!(name, ".{step}"),
        }
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_are_named_by_index_members() {
        let data = r#"{"choices":[{"delta":{"tool_calls":[{"function":{"arguments":"{"},"index":3}]},"index":1}]}"#;
        let read = read(Api::OpenAi, "", data, &JsonLimits::default()).expect("JSON");
        assert_eq!(
            read.strings[0].channel,
            ".choices#1.delta.tool_calls#3.function.arguments"
        );
        assert_eq!(read.strings[0].delta, Delta::Piece { json: true });
    }

    #[test]
    fn endings() {
        let ended = |api, data: &str| {
            read(api, "", data, &JsonLimits::default())
                .expect("JSON")
                .ending
        };
        let finish = ended(
            Api::OpenAi,
            r#"{"choices":[{"index":2,"delta":{},"finish_reason":"stop"}]}"#,
        );
        assert!(
            finish.ends(".choices#2.delta.content") && !finish.ends(".choices#20.delta.content")
        );
        assert_eq!(ended(Api::OpenAi, "[DONE]"), Ended::All);
        let stop = ended(Api::Anthropic, r#"{"type":"content_block_stop","index":1}"#);
        assert!(stop.ends("#1.delta.text") && !stop.ends("#0.delta.text"));
        assert_eq!(
            ended(Api::Anthropic, r#"{"type":"message_stop"}"#),
            Ended::All
        );
        assert_eq!(ended(Api::Anthropic, r#"{"type":"ping"}"#), Ended::None);
    }

    #[test]
    fn texts_are_told_apart_by_the_events_own_indices() {
        let of = |data: &str| read(Api::Responses, "", data, &JsonLimits::default()).expect("JSON");
        // The type may come last.
        let text = of(
            r#"{"delta":"a","output_index":1,"content_index":0,"type":"response.output_text.delta"}"#,
        );
        let refusal = of(
            r#"{"type":"response.refusal.delta","output_index":1,"content_index":0,"delta":"b"}"#,
        );
        let other = of(
            r#"{"type":"response.output_text.delta","output_index":10,"content_index":0,"delta":"c"}"#,
        );
        let done = of(
            r#"{"type":"response.output_text.done","content_index":0,"output_index":1,"text":"a"}"#,
        );
        assert_eq!(text.strings[0].delta, Delta::Piece { json: false });
        assert!(done.ending.ends(&text.strings[0].channel));
        assert!(!done.ending.ends(&refusal.strings[0].channel));
        assert!(!done.ending.ends(&other.strings[0].channel));
        assert_eq!(
            of(r#"{"type":"response.completed","response":{}}"#).ending,
            Ended::All
        );
    }
}
