//! What a request says, whichever wire it came on: its texts in order.

use serde_json::Value;

/// A request, reduced to text.
#[derive(Clone, Debug, Default)]
pub struct Prompt {
    /// One text a message, system prompt first.
    pub messages: Vec<String>,
    /// The text of the last message that a person wrote.
    pub ask: String,
    /// Whether the last message carries a tool's result.
    pub answers_tool: bool,
}

impl Prompt {
    /// Reads `system` and `messages` of either wire.
    pub fn read(request: &Value) -> Prompt {
        let mut prompt = Prompt::default();
        if !request["system"].is_null() {
            prompt.messages.push(text_of(&request["system"]));
        }
        for message in request["messages"].as_array().into_iter().flatten() {
            let mut text = text_of(&message["content"]);
            for call in message["tool_calls"].as_array().into_iter().flatten() {
                // JSON in a string; an object on Ollama's wire.
                match &call["function"]["arguments"] {
                    Value::Null => {}
                    Value::String(arguments) => text += arguments,
                    arguments => text += &arguments.to_string(),
                }
            }
            let result = message["role"] == "tool"
                || message["content"]
                    .as_array()
                    .is_some_and(|parts| parts.iter().any(|part| part["type"] == "tool_result"));
            prompt.answers_tool = result;
            if message["role"] == "user" && !result {
                prompt.ask.clone_from(&text);
            }
            prompt.messages.push(text);
        }
        prompt
    }

    /// All text, in order.
    pub fn text(&self) -> String {
        self.messages.join("\n")
    }
}

/// The text of a `content`: a string, or parts that hold text, tool input or tool results.
fn text_of(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts.iter().map(part_text).collect::<Vec<_>>().join("\n"),
        _ => String::new(),
    }
}

fn part_text(part: &Value) -> String {
    match part["type"].as_str() {
        Some("tool_use") => part["input"].to_string(),
        Some("tool_result") => text_of(&part["content"]),
        _ => part["text"].as_str().unwrap_or_default().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn reads_both_wires() {
        let openai = Prompt::read(&json!({"messages": [
            {"role": "system", "content": "be brief"},
            {"role": "user", "content": [{"type": "text", "text": "who"}]},
            {"role": "assistant", "content": null, "tool_calls": [{"function": {"arguments": "{\"a\":1}"}}]},
            {"role": "tool", "content": "found"}]}));
        assert_eq!(openai.messages, ["be brief", "who", "{\"a\":1}", "found"]);
        assert_eq!((openai.ask.as_str(), openai.answers_tool), ("who", true));

        let anthropic = Prompt::read(&json!({"system": "be brief", "messages": [
            {"role": "user", "content": "who"},
            {"role": "assistant", "content": [{"type": "tool_use", "input": {"a": 1}}]},
            {"role": "user", "content": [{"type": "tool_result", "content": [{"type": "text", "text": "found"}]}]}]}));
        assert_eq!(anthropic.messages, openai.messages);
        assert_eq!(
            (anthropic.ask.as_str(), anthropic.answers_tool),
            ("who", true)
        );
    }
}
