//! What one piece of a stream looks like on each wire.

use serde_json::json;

/// The content type of a wire's streams.
pub fn content_type(wire: &str) -> &'static str {
    match wire {
        "ollama" => "application/x-ndjson",
        "bedrock" => "application/vnd.amazon.eventstream",
        _ => "text/event-stream",
    }
}

/// A piece of the text, in the members that a wire or one of its relatives has for it.
pub fn piece(wire: &str, text: &str) -> String {
    let choice = |delta| json!({"model": "m", "choices": [{"index": 0, "delta": delta}]});
    match wire {
        "ollama" => {
            let message = json!({"role": "assistant", "content": text});
            return format!(
                "{}\n",
                json!({"model": "m", "message": message, "done": false})
            );
        }
        "anthropic" | "cohere" => {
            let (kind, delta) = match wire {
                "cohere" => (
                    "content-delta",
                    json!({"message": {"content": {"text": text}}}),
                ),
                _ => (
                    "content_block_delta",
                    json!({"type": "text_delta", "text": text}),
                ),
            };
            let data = json!({"type": kind, "index": 0, "delta": delta});
            return format!("event: {kind}\ndata: {data}\n\n");
        }
        "gemini" => {
            let content = json!({"role": "model", "parts": [{"text": text}]});
            return format!(
                "data: {}\n\n",
                json!({"candidates": [{"content": content}]})
            );
        }
        _ => {}
    }
    let delta = match wire {
        "deepseek" => json!({"content": null, "reasoning_content": text}),
        "groq" => json!({"reasoning": text}),
        "openrouter" => {
            let detail =
                json!({"type": "reasoning.text", "text": text, "format": null, "index": 0});
            json!({"content": "", "reasoning": text, "reasoning_details": [detail]})
        }
        "mistral" => {
            let thinking =
                json!({"type": "thinking", "thinking": [{"type": "text", "text": text}]});
            json!({"content": [thinking]})
        }
        "completions" => {
            let choice = json!({"index": 0, "text": text});
            return format!("data: {}\n\n", json!({"model": "m", "choices": [choice]}));
        }
        _ => json!({"content": text}),
    };
    format!("data: {}\n\n", choice(delta))
}

/// The beginning of a piece, and then nothing more of it.
pub fn broken(wire: &str) -> String {
    let whole = piece(wire, "no end");
    let half = &whole[..whole.len() - 8];
    match wire {
        "ollama" => format!("{half}\n"),
        _ => format!("{half}\n\n"),
    }
}
