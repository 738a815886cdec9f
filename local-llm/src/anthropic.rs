//! Anthropic's Messages.
//!
//! Taken: `system` and messages of text, `tool_use` and `tool_result` blocks (told to the model as
//! its template allows), `max_tokens`, `temperature`, `top_p`, `top_k`, `stop_sequences`,
//! `stream`, `tools`. Thinking blocks of earlier turns and a request to think are left aside:
//! the model does not think. Refused: images and documents, a forced tool, a conversation that
//! ends with the assistant's words.

use crate::request::{Done, Finish, Format, Message, Prompt, Request, Role, Sampling, ToolCall};
use crate::wire::{Call, Fault, Frame, Meta, Wire, read};
use serde::Deserialize;
use serde_json::{Value, json};

/// `/v1/messages`.
pub(crate) struct Messages;

#[derive(Deserialize)]
struct Body {
    model: Option<String>,
    max_tokens: Option<u32>,
    messages: Option<Vec<BodyMessage>>,
    system: Option<Content>,
    temperature: Option<f32>,
    top_p: Option<f32>,
    top_k: Option<u32>,
    stop_sequences: Option<Vec<String>>,
    stream: Option<bool>,
    tools: Option<Vec<Value>>,
    tool_choice: Option<ToolChoice>,
}

#[derive(Deserialize)]
struct ToolChoice {
    r#type: String,
}

#[derive(Deserialize)]
struct BodyMessage {
    role: String,
    content: Content,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Content {
    Text(String),
    Blocks(Vec<Block>),
}

#[derive(Deserialize)]
struct Block {
    r#type: String,
    text: Option<String>,
    #[serde(default)]
    id: String,
    #[serde(default)]
    name: String,
    input: Option<Value>,
    tool_use_id: Option<String>,
    content: Option<Box<Content>>,
}

fn text_only() -> Fault {
    Fault::unsupported(
        "messages",
        "this model reads text only: a content block is of another type",
    )
}

impl Content {
    /// The text, where nothing else may stand.
    fn into_text(self) -> Result<String, Fault> {
        let text = |block: Block| match block.r#type.as_str() {
            "text" => Ok(block.text.unwrap_or_default()),
            _ => Err(text_only()),
        };
        match self {
            Content::Text(text) => Ok(text),
            Content::Blocks(blocks) => {
                let texts = blocks
                    .into_iter()
                    .map(text)
                    .collect::<Result<Vec<_>, _>>()?;
                Ok(texts.join("\n"))
            }
        }
    }
}

impl BodyMessage {
    /// The messages that this one stands for: results of tools become messages of their own.
    fn into_messages(self) -> Result<Vec<Message>, Fault> {
        let role = match self.role.as_str() {
            "user" => Role::User,
            "assistant" => Role::Assistant,
            _ => return Err(Fault::param("messages", "`role` must be user or assistant")),
        };
        let blocks = match self.content {
            Content::Text(text) => return Ok(vec![Message::new(role, text)]),
            Content::Blocks(blocks) => blocks,
        };
        let (mut results, mut texts, mut tool_calls) = (Vec::new(), Vec::new(), Vec::new());
        for block in blocks {
            match (block.r#type.as_str(), role) {
                ("text", _) => texts.push(block.text.unwrap_or_default()),
                ("thinking" | "redacted_thinking", Role::Assistant) => {}
                ("tool_use", Role::Assistant) => tool_calls.push(ToolCall {
                    id: block.id,
                    name: block.name,
                    arguments: block.input.unwrap_or_else(|| json!({})).to_string(),
                }),
                ("tool_result", Role::User) => {
                    let text = block.content.map_or(Ok(String::new()), |c| c.into_text())?;
                    let tool_call_id = block.tool_use_id;
                    results.push(Message {
                        tool_call_id,
                        ..Message::new(Role::Tool, text)
                    });
                }
                _ => return Err(text_only()),
            }
        }
        if !texts.is_empty() || !tool_calls.is_empty() || results.is_empty() {
            results.push(Message {
                tool_calls,
                ..Message::new(role, texts.join("\n"))
            });
        }
        Ok(results)
    }
}

impl Wire for Messages {
    fn parse(&self, body: &[u8], served: &str) -> Result<Call, Fault> {
        let body: Body = read(body)?;
        match body.model.as_deref() {
            None | Some("") => return Err(Fault::param("model", "model: field required")),
            Some(model) if model != served => return Err(Fault::model_not_found(served)),
            Some(_) => {}
        }
        if body.max_tokens.is_none() {
            return Err(Fault::param("max_tokens", "max_tokens: field required"));
        }
        let tools = match body
            .tool_choice
            .as_ref()
            .map(|choice| choice.r#type.as_str())
        {
            None | Some("auto") => body.tools.unwrap_or_default(),
            Some("none") => Vec::new(),
            Some(_) => {
                let message = "tool_choice: this model cannot be made to call a tool";
                return Err(Fault::unsupported("tool_choice", message));
            }
        };
        let messages = body.messages.unwrap_or_default();
        match messages.last() {
            None => {
                return Err(Fault::param(
                    "messages",
                    "messages: at least one is required",
                ));
            }
            Some(last) if last.role == "assistant" => {
                let message =
                    "messages: the last must be the user's; this model cannot continue an answer";
                return Err(Fault::unsupported("messages", message));
            }
            Some(_) => {}
        }
        let mut all = Vec::new();
        if let Some(system) = body.system {
            all.push(Message::new(Role::System, system.into_text()?));
        }
        for message in messages {
            all.extend(message.into_messages()?);
        }
        Ok(Call {
            request: Request {
                prompt: Prompt::Chat {
                    messages: all,
                    tools,
                },
                sampling: Sampling {
                    temperature: body.temperature,
                    top_p: body.top_p,
                    top_k: body.top_k,
                    ..Sampling::default()
                },
                stop: body.stop_sequences.unwrap_or_default(),
                max_tokens: body.max_tokens,
                format: Format::Text,
            },
            stream: body.stream.unwrap_or(false),
            include_usage: true,
        })
    }

    fn id_prefix(&self) -> &'static str {
        "msg_"
    }

    fn whole(&self, meta: &Meta, text: &str, done: &Done) -> Value {
        let (reason, sequence) = stop(done);
        let mut message = message(meta, json!([{"type": "text", "text": text}]));
        message["stop_reason"] = json!(reason);
        message["stop_sequence"] = json!(sequence);
        message["usage"]["output_tokens"] = json!(done.usage.completion_tokens);
        message
    }

    fn first(&self, meta: &Meta) -> Vec<Frame> {
        let block = json!({"type": "text", "text": ""});
        vec![
            frame(
                "message_start",
                json!({"message": message(meta, json!([]))}),
            ),
            frame(
                "content_block_start",
                json!({"index": 0, "content_block": block}),
            ),
        ]
    }

    fn delta(&self, _: &Meta, text: &str) -> Frame {
        let delta = json!({"type": "text_delta", "text": text});
        frame("content_block_delta", json!({"index": 0, "delta": delta}))
    }

    fn last(&self, _: &Meta, done: &Done) -> Vec<Frame> {
        let (reason, sequence) = stop(done);
        let delta = json!({"stop_reason": reason, "stop_sequence": sequence});
        let usage = json!({"output_tokens": done.usage.completion_tokens});
        vec![
            frame("content_block_stop", json!({"index": 0})),
            frame("message_delta", json!({"delta": delta, "usage": usage})),
            frame("message_stop", json!({})),
        ]
    }

    fn error(&self, fault: &Fault) -> Value {
        let kind = match fault.status.as_u16() {
            401 => "authentication_error",
            404 => "not_found_error",
            413 => "request_too_large",
            429 => "rate_limit_error",
            503 => "overloaded_error",
            500.. => "api_error",
            _ => "invalid_request_error",
        };
        json!({"type": "error", "error": {"type": kind, "message": fault.message}})
    }

    fn broken(&self, fault: &Fault) -> Frame {
        Frame {
            event: Some("error"),
            data: self.error(fault).to_string(),
        }
    }
}

/// A message, not yet ended.
fn message(meta: &Meta, content: Value) -> Value {
    json!({
        "id": meta.id,
        "type": "message",
        "role": "assistant",
        "model": meta.model,
        "content": content,
        "stop_reason": null,
        "stop_sequence": null,
        "usage": {
            "input_tokens": meta.prompt_tokens,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
            "output_tokens": 0,
        },
    })
}

fn stop(done: &Done) -> (&'static str, Option<&str>) {
    match &done.finish {
        Finish::EndOfTurn => ("end_turn", None),
        Finish::Stop(sequence) => ("stop_sequence", Some(sequence)),
        Finish::Length => ("max_tokens", None),
    }
}

fn frame(event: &'static str, mut data: Value) -> Frame {
    data["type"] = json!(event);
    Frame {
        event: Some(event),
        data: data.to_string(),
    }
}
