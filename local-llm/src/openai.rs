//! OpenAI's chat completions and completions.
//!
//! Taken: messages with text (in parts too), `max_tokens`, `max_completion_tokens`,
//! `temperature`, `top_p`, `top_k`, `min_p`, `seed`, the penalties, `stop`, `stream`,
//! `stream_options`, `response_format` of `text` and `json_object`, `tools` (see
//! [`template`](crate::template)). Answers never hold tool calls. What would change an answer and
//! is not done here (`n` above 1, `logprobs`, `logit_bias`, JSON schemas, a forced tool, images
//! and audio) is refused; fields that are not known are left aside, as OpenAI's own server does.

use crate::request::{Done, Finish, Format, Message, Prompt, Request, Role, Sampling, ToolCall};
use crate::wire::{Call, Fault, Frame, Meta, Wire, read};
use serde::Deserialize;
use serde_json::{Value, json};

/// `/v1/chat/completions`.
pub(crate) struct Chat;

/// `/v1/completions`.
pub(crate) struct Completions;

#[derive(Deserialize)]
struct ChatBody {
    messages: Option<Vec<ChatMessage>>,
    #[serde(default)]
    tools: Option<Vec<Value>>,
    tool_choice: Option<Value>,
    functions: Option<Value>,
    max_completion_tokens: Option<u32>,
    logprobs: Option<bool>,
    modalities: Option<Vec<String>>,
    #[serde(flatten)]
    common: Common,
}

#[derive(Deserialize)]
struct CompletionsBody {
    prompt: Option<OneOrMany>,
    suffix: Option<String>,
    echo: Option<bool>,
    best_of: Option<u32>,
    logprobs: Option<Value>,
    #[serde(flatten)]
    common: Common,
}

/// What both have.
#[derive(Deserialize)]
struct Common {
    model: Option<String>,
    max_tokens: Option<u32>,
    temperature: Option<f32>,
    top_p: Option<f32>,
    top_k: Option<u32>,
    min_p: Option<f32>,
    seed: Option<i64>,
    #[serde(alias = "repetition_penalty")]
    repeat_penalty: Option<f32>,
    frequency_penalty: Option<f32>,
    presence_penalty: Option<f32>,
    stop: Option<OneOrMany>,
    n: Option<u32>,
    logit_bias: Option<serde_json::Map<String, Value>>,
    response_format: Option<ResponseFormat>,
    stream: Option<bool>,
    stream_options: Option<StreamOptions>,
}

#[derive(Deserialize)]
struct StreamOptions {
    include_usage: Option<bool>,
}

#[derive(Deserialize)]
struct ResponseFormat {
    r#type: String,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl OneOrMany {
    fn into_vec(self) -> Vec<String> {
        match self {
            OneOrMany::One(one) => vec![one],
            OneOrMany::Many(many) => many,
        }
    }
}

#[derive(Deserialize)]
struct ChatMessage {
    role: String,
    content: Option<Content>,
    tool_calls: Option<Vec<ChatToolCall>>,
    tool_call_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Content {
    Text(String),
    Parts(Vec<Part>),
}

#[derive(Deserialize)]
struct Part {
    r#type: String,
    text: Option<String>,
    refusal: Option<String>,
}

#[derive(Deserialize)]
struct ChatToolCall {
    #[serde(default)]
    id: String,
    function: Function,
}

#[derive(Deserialize)]
struct Function {
    name: String,
    #[serde(default)]
    arguments: String,
}

impl Content {
    fn into_text(self) -> Result<String, Fault> {
        match self {
            Content::Text(text) => Ok(text),
            Content::Parts(parts) => parts.into_iter().map(Part::into_text).collect(),
        }
    }
}

impl Part {
    fn into_text(self) -> Result<String, Fault> {
        match self.r#type.as_str() {
            "text" => self
                .text
                .ok_or_else(|| Fault::param("messages", "a text part has no `text`")),
            "refusal" => Ok(self.refusal.unwrap_or_default()),
            _ => Err(Fault::unsupported(
                "messages",
                "this model reads text only: a content part is of another type",
            )),
        }
    }
}

impl ChatMessage {
    fn into_message(self) -> Result<Message, Fault> {
        let role = match self.role.as_str() {
            "system" | "developer" => Role::System,
            "user" => Role::User,
            "assistant" => Role::Assistant,
            "tool" => Role::Tool,
            _ => {
                let expected = "`role` must be system, developer, user, assistant or tool";
                return Err(Fault::param("messages", expected));
            }
        };
        let calls = self.tool_calls.unwrap_or_default();
        if self.content.is_none() && calls.is_empty() && role != Role::Assistant {
            return Err(Fault::param("messages", "a message has no `content`"));
        }
        let call = |call: ChatToolCall| ToolCall {
            id: call.id,
            name: call.function.name,
            arguments: call.function.arguments,
        };
        Ok(Message {
            role,
            text: self.content.map_or(Ok(String::new()), Content::into_text)?,
            tool_calls: calls.into_iter().map(call).collect(),
            tool_call_id: self.tool_call_id,
        })
    }
}

impl Common {
    fn check(&self, served: &str) -> Result<(), Fault> {
        match self.model.as_deref() {
            None | Some("") => return Err(Fault::param("model", "you must provide a `model`")),
            Some(model) if model != served => return Err(Fault::model_not_found(served)),
            Some(_) => {}
        }
        if self.n.is_some_and(|n| n != 1) {
            return Err(Fault::unsupported(
                "n",
                "this model gives one answer: `n` must be 1",
            ));
        }
        if self
            .logit_bias
            .as_ref()
            .is_some_and(|bias| !bias.is_empty())
        {
            return Err(Fault::unsupported(
                "logit_bias",
                "`logit_bias` is not supported",
            ));
        }
        Ok(())
    }

    fn into_call(self, prompt: Prompt, max_tokens: Option<u32>) -> Result<Call, Fault> {
        let format = match self
            .response_format
            .as_ref()
            .map(|format| format.r#type.as_str())
        {
            None | Some("text") => Format::Text,
            Some("json_object") => Format::JsonObject,
            Some(_) => {
                return Err(Fault::unsupported(
                    "response_format",
                    "`response_format` must be of type text or json_object",
                ));
            }
        };
        Ok(Call {
            request: Request {
                prompt,
                sampling: Sampling {
                    temperature: self.temperature,
                    top_p: self.top_p,
                    top_k: self.top_k,
                    min_p: self.min_p,
                    // The engine's seeds have 32 bits.
                    seed: self.seed.map(|seed| (seed ^ (seed >> 32)) as u32),
                    repeat_penalty: self.repeat_penalty,
                    frequency_penalty: self.frequency_penalty,
                    presence_penalty: self.presence_penalty,
                },
                stop: self.stop.map(OneOrMany::into_vec).unwrap_or_default(),
                max_tokens,
                format,
            },
            stream: self.stream.unwrap_or(false),
            include_usage: self
                .stream_options
                .and_then(|o| o.include_usage)
                .unwrap_or(false),
        })
    }
}

impl Wire for Chat {
    fn parse(&self, body: &[u8], served: &str) -> Result<Call, Fault> {
        let body: ChatBody = read(body)?;
        body.common.check(served)?;
        if body.logprobs == Some(true) {
            return Err(Fault::unsupported(
                "logprobs",
                "`logprobs` is not supported",
            ));
        }
        if body.functions.is_some_and(|functions| !functions.is_null()) {
            return Err(Fault::unsupported(
                "functions",
                "`functions` is not supported; use `tools`",
            ));
        }
        if body
            .modalities
            .is_some_and(|kinds| kinds.iter().any(|kind| kind != "text"))
        {
            return Err(Fault::unsupported(
                "modalities",
                "this model writes text only",
            ));
        }
        let tools = match body.tool_choice {
            None | Some(Value::Null) => body.tools,
            Some(Value::String(choice)) if choice == "auto" => body.tools,
            Some(Value::String(choice)) if choice == "none" => None,
            Some(_) => {
                let message =
                    "`tool_choice` must be auto or none: this model cannot be made to call a tool";
                return Err(Fault::unsupported("tool_choice", message));
            }
        };
        let messages = body.messages.unwrap_or_default();
        if messages.is_empty() {
            return Err(Fault::param(
                "messages",
                "`messages` must hold at least one message",
            ));
        }
        let messages = messages
            .into_iter()
            .map(ChatMessage::into_message)
            .collect::<Result<Vec<_>, _>>()?;
        let prompt = Prompt::Chat {
            messages,
            tools: tools.unwrap_or_default(),
        };
        let max_tokens = body.max_completion_tokens.or(body.common.max_tokens);
        body.common.into_call(prompt, max_tokens)
    }

    fn id_prefix(&self) -> &'static str {
        "chatcmpl-"
    }

    fn whole(&self, meta: &Meta, text: &str, done: &Done) -> Value {
        let message = json!({"role": "assistant", "content": text, "refusal": null});
        whole("chat.completion", meta, json!({"message": message}), done)
    }

    fn first(&self, meta: &Meta) -> Vec<Frame> {
        let delta = json!({"delta": {"role": "assistant", "content": ""}});
        vec![chunk("chat.completion.chunk", meta, delta, None)]
    }

    fn delta(&self, meta: &Meta, text: &str) -> Frame {
        chunk(
            "chat.completion.chunk",
            meta,
            json!({"delta": {"content": text}}),
            None,
        )
    }

    fn last(&self, meta: &Meta, done: &Done) -> Vec<Frame> {
        last("chat.completion.chunk", meta, json!({"delta": {}}), done)
    }

    fn error(&self, fault: &Fault) -> Value {
        error(fault)
    }

    fn broken(&self, fault: &Fault) -> Frame {
        Frame::data(&error(fault))
    }
}

impl Wire for Completions {
    fn parse(&self, body: &[u8], served: &str) -> Result<Call, Fault> {
        let body: CompletionsBody = read(body)?;
        body.common.check(served)?;
        if body.best_of.is_some_and(|best_of| best_of != 1) {
            return Err(Fault::unsupported("best_of", "`best_of` must be 1"));
        }
        if body.echo == Some(true) {
            return Err(Fault::unsupported("echo", "`echo` is not supported"));
        }
        if body.suffix.is_some_and(|suffix| !suffix.is_empty()) {
            return Err(Fault::unsupported("suffix", "`suffix` is not supported"));
        }
        if body.logprobs.is_some_and(|logprobs| !logprobs.is_null()) {
            return Err(Fault::unsupported(
                "logprobs",
                "`logprobs` is not supported",
            ));
        }
        let mut prompts = body.prompt.map(OneOrMany::into_vec).unwrap_or_default();
        let (Some(prompt), true) = (prompts.pop(), prompts.is_empty()) else {
            return Err(Fault::param("prompt", "`prompt` must be one text"));
        };
        let max_tokens = body.common.max_tokens;
        body.common.into_call(Prompt::Text(prompt), max_tokens)
    }

    fn id_prefix(&self) -> &'static str {
        "cmpl-"
    }

    fn whole(&self, meta: &Meta, text: &str, done: &Done) -> Value {
        whole("text_completion", meta, json!({"text": text}), done)
    }

    fn first(&self, _: &Meta) -> Vec<Frame> {
        Vec::new()
    }

    fn delta(&self, meta: &Meta, text: &str) -> Frame {
        chunk("text_completion", meta, json!({"text": text}), None)
    }

    fn last(&self, meta: &Meta, done: &Done) -> Vec<Frame> {
        last("text_completion", meta, json!({"text": ""}), done)
    }

    fn error(&self, fault: &Fault) -> Value {
        error(fault)
    }

    fn broken(&self, fault: &Fault) -> Frame {
        Frame::data(&error(fault))
    }
}

fn finish_reason(done: &Done) -> &'static str {
    match done.finish {
        Finish::EndOfTurn | Finish::Stop(_) => "stop",
        Finish::Length => "length",
    }
}

fn usage(done: &Done) -> Value {
    let (prompt, completion) = (done.usage.prompt_tokens, done.usage.completion_tokens);
    json!({
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
    })
}

/// `choice` with what every choice has.
fn choices(mut choice: Value, finish: Option<&str>) -> Value {
    choice["index"] = json!(0);
    choice["logprobs"] = Value::Null;
    choice["finish_reason"] = json!(finish);
    json!([choice])
}

fn whole(object: &str, meta: &Meta, choice: Value, done: &Done) -> Value {
    json!({
        "id": meta.id,
        "object": object,
        "created": meta.created,
        "model": meta.model,
        "choices": choices(choice, Some(finish_reason(done))),
        "usage": usage(done),
    })
}

fn chunk(object: &str, meta: &Meta, choice: Value, finish: Option<&str>) -> Frame {
    let mut chunk = json!({
        "id": meta.id,
        "object": object,
        "created": meta.created,
        "model": meta.model,
        "choices": choices(choice, finish),
    });
    if meta.include_usage {
        chunk["usage"] = Value::Null;
    }
    Frame::data(&chunk)
}

fn last(object: &str, meta: &Meta, choice: Value, done: &Done) -> Vec<Frame> {
    let mut frames = vec![chunk(object, meta, choice, Some(finish_reason(done)))];
    if meta.include_usage {
        frames.push(Frame::data(&json!({
            "id": meta.id,
            "object": object,
            "created": meta.created,
            "model": meta.model,
            "choices": [],
            "usage": usage(done),
        })));
    }
    frames.push(Frame {
        event: None,
        data: "[DONE]".into(),
    });
    frames
}

/// An error as OpenAI writes it.
pub(crate) fn error(fault: &Fault) -> Value {
    let kind = match fault.status.as_u16() {
        401 => "authentication_error",
        429 => "rate_limit_error",
        500.. => "server_error",
        _ => "invalid_request_error",
    };
    json!({"error": {
        "message": fault.message,
        "type": kind,
        "param": fault.param,
        "code": fault.code,
    }})
}
