//! What one event of a stream carries: pieces of which texts, and which texts end with it.

use crate::json::{self, Event, JsonError, JsonLimits, Step, Token};
use crate::wire::{Delta, Ending, WireKind};
use std::collections::HashMap;
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

/// Reads an event's data.
pub(super) fn read(wire: WireKind, data: &str, limits: &JsonLimits) -> Result<Read, JsonError> {
    if wire.is_end_marker(data) {
        return Ok(Read {
            strings: Vec::new(),
            ending: Ended::All,
        });
    }
    let mut strings = Vec::new();
    let mut exact_paths = Vec::new();
    let mut endings = Vec::new();
    let mut all = false;
    let mut indices = HashMap::new();
    json::scan(
        data.as_bytes(),
        limits,
        |event: Event<'_>| -> Result<(), JsonError> {
            match event.token {
                Token::Number if matches!(event.path.last(), Some(Step::Key(k)) if k == "index") => {
                    let parent = exact(&event.path[..event.path.len() - 1]);
                    indices.insert(parent, event.raw.to_string());
                }
                Token::String => {
                    match wire.ending(event.path, event.raw) {
                        Ending::None => {}
                        Ending::Element(depth) => endings.push(exact(&event.path[..depth])),
                        Ending::Stream => all = true,
                    }
                    let delta = wire.delta(event.path);
                    if delta != Delta::Structural {
                        let content = event.decode()?.content.into_owned();
                        strings.push(Text {
                            range: event.range,
                            content,
                            delta,
                            channel: String::new(),
                        });
                        exact_paths.push(exact(event.path));
                    }
                }
                _ => {}
            }
            Ok(())
        },
    )?;
    for (string, path) in strings.iter_mut().zip(&exact_paths) {
        string.channel = name(path, &indices);
    }
    let ending = match (all, endings.is_empty()) {
        (true, _) => Ended::All,
        (false, true) => Ended::None,
        (false, false) => {
            Ended::Prefixes(endings.iter().map(|e| name(e, &indices) + ".").collect())
        }
    };
    Ok(Read { strings, ending })
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
        let read = read(WireKind::OpenAi, data, &JsonLimits::default()).expect("JSON");
        assert_eq!(
            read.strings[0].channel,
            ".choices#1.delta.tool_calls#3.function.arguments"
        );
        assert_eq!(read.strings[0].delta, Delta::Piece { json: true });
    }

    #[test]
    fn endings() {
        let ended = |wire, data: &str| {
            read(wire, data, &JsonLimits::default())
                .expect("JSON")
                .ending
        };
        let finish = ended(
            WireKind::OpenAi,
            r#"{"choices":[{"index":2,"delta":{},"finish_reason":"stop"}]}"#,
        );
        assert!(
            finish.ends(".choices#2.delta.content") && !finish.ends(".choices#20.delta.content")
        );
        assert_eq!(ended(WireKind::OpenAi, "[DONE]"), Ended::All);
        let stop = ended(
            WireKind::Anthropic,
            r#"{"type":"content_block_stop","index":1}"#,
        );
        assert!(stop.ends("#1.delta.text") && !stop.ends("#0.delta.text"));
        assert_eq!(
            ended(WireKind::Anthropic, r#"{"type":"message_stop"}"#),
            Ended::All
        );
        assert_eq!(
            ended(WireKind::Anthropic, r#"{"type":"ping"}"#),
            Ended::None
        );
    }
}
