//! What is asked of the engine and what it answers, whichever wire it came by.
//!
//! Nothing here that can hold text of a prompt or of an answer implements `Debug` or `Display`,
//! so that none can be logged by mistake.

use std::ops::RangeInclusive;

/// Most stop sequences of one request.
pub(crate) const STOPS_MAX: usize = 16;
/// Longest stop sequence, in bytes.
pub(crate) const STOP_BYTES_MAX: usize = 1024;

/// One request, checked by the wire that it came by.
pub struct Request {
    /// What to continue.
    pub prompt: Prompt,
    /// How to choose tokens.
    pub sampling: Sampling,
    /// Texts that end the answer; none of them is part of it.
    pub stop: Vec<String>,
    /// Most tokens to generate; `None` or more than the configured most: the configured most.
    pub max_tokens: Option<u32>,
    /// What shape the answer must have.
    pub format: Format,
}

/// What to continue.
pub enum Prompt {
    /// A conversation, rendered by the model's own chat template.
    Chat {
        /// The messages, oldest first.
        messages: Vec<Message>,
        /// Tool definitions as the wire gave them, for a template that knows tools.
        tools: Vec<serde_json::Value>,
    },
    /// Text taken as it is.
    Text(String),
}

/// One message of a conversation.
pub struct Message {
    /// Who speaks.
    pub role: Role,
    /// What is said; text parts joined.
    pub text: String,
    /// Calls that an assistant made.
    pub tool_calls: Vec<ToolCall>,
    /// Which call a tool's message answers.
    pub tool_call_id: Option<String>,
}

impl Message {
    /// A message of text alone.
    pub fn new(role: Role, text: impl Into<String>) -> Self {
        Self {
            role,
            text: text.into(),
            tool_calls: Vec::new(),
            tool_call_id: None,
        }
    }
}

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The operator.
    System,
    /// The person.
    User,
    /// The model.
    Assistant,
    /// A tool, answering a call.
    Tool,
}

/// A call that an assistant made.
pub struct ToolCall {
    /// The call's id.
    pub id: String,
    /// The function.
    pub name: String,
    /// Its arguments, a JSON text.
    pub arguments: String,
}

/// How to choose tokens. `None` leaves the choice to the configuration.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sampling {
    /// 0 (always the most likely token) to 2.
    pub temperature: Option<f32>,
    /// Above 0, at most 1.
    pub top_p: Option<f32>,
    /// Only the k most likely tokens; 0 for all.
    pub top_k: Option<u32>,
    /// Only tokens at least this likely relative to the likeliest; 0 to 1.
    pub min_p: Option<f32>,
    /// Same seed, same request, same load: same answer.
    pub seed: Option<u32>,
    /// Divides the logits of tokens already generated; above 0, at most 2; 1 is none.
    pub repeat_penalty: Option<f32>,
    /// Taken from a token's logit once per time it was generated; -2 to 2.
    pub frequency_penalty: Option<f32>,
    /// Taken from a token's logit if it was generated at all; -2 to 2.
    pub presence_penalty: Option<f32>,
}

/// What shape the answer must have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// Any text.
    #[default]
    Text,
    /// One JSON object, held to by a grammar.
    JsonObject,
}

impl Request {
    /// Checks the limits that hold on every wire.
    ///
    /// # Errors
    /// [`Refusal::Invalid`] names the parameter.
    pub fn validate(&self) -> Result<(), Refusal> {
        let s = &self.sampling;
        within("temperature", s.temperature, 0.0..=2.0, "0 to 2")?;
        within(
            "top_p",
            s.top_p,
            f32::MIN_POSITIVE..=1.0,
            "above 0, at most 1",
        )?;
        within("min_p", s.min_p, 0.0..=1.0, "0 to 1")?;
        within("repeat_penalty", s.repeat_penalty, 0.01..=2.0, "0.01 to 2")?;
        within(
            "frequency_penalty",
            s.frequency_penalty,
            -2.0..=2.0,
            "-2 to 2",
        )?;
        within(
            "presence_penalty",
            s.presence_penalty,
            -2.0..=2.0,
            "-2 to 2",
        )?;
        if self.max_tokens == Some(0) {
            return Err(invalid("max_tokens", "must be at least 1"));
        }
        if self.stop.len() > STOPS_MAX {
            return Err(invalid("stop", "has more than 16 sequences"));
        }
        if self
            .stop
            .iter()
            .any(|s| s.is_empty() || s.len() > STOP_BYTES_MAX)
        {
            return Err(invalid(
                "stop",
                "holds a sequence that is empty or over 1024 bytes",
            ));
        }
        Ok(())
    }
}

fn within(
    param: &'static str,
    value: Option<f32>,
    range: RangeInclusive<f32>,
    expected: &str,
) -> Result<(), Refusal> {
    match value {
        Some(value) if !range.contains(&value) => {
            Err(invalid(param, &format!("must be {expected}")))
        }
        _ => Ok(()),
    }
}

pub(crate) fn invalid(param: &'static str, problem: &str) -> Refusal {
    Refusal::Invalid {
        param,
        message: format!("`{param}` {problem}"),
    }
}

/// Why a request is not worked on. The texts are for the caller and quote nothing of the request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A parameter is out of its limits, or asks for what this engine does not do.
    #[error("{message}")]
    Invalid {
        /// The parameter.
        param: &'static str,
        /// What was expected.
        message: String,
    },
    /// The prompt leaves no room for an answer.
    #[error("{}", context_length(*.context, *.prompt))]
    ContextLength {
        /// Tokens that a request may hold.
        context: u32,
        /// Tokens of the prompt; `None` when it is so long that they were not counted.
        prompt: Option<u32>,
    },
    /// All slots and the whole queue are taken.
    #[error("the model is busy: all slots and the queue are taken; try again")]
    Busy,
    /// The server is ending or the engine has ended.
    #[error("the model is not available")]
    Unavailable,
}

fn context_length(context: u32, prompt: Option<u32>) -> String {
    let found = match prompt {
        Some(tokens) => format!("your prompt has {tokens} tokens"),
        None => "your prompt is far longer than that".to_owned(),
    };
    format!("This model's maximum context length is {context} tokens, and {found}")
}

/// One step of an answer.
pub enum Event {
    /// More text; never empty, never half a character.
    Text(String),
    /// The end. Nothing follows.
    Done(Done),
}

/// How an answer ended.
#[derive(Clone, PartialEq, Eq)]
pub struct Done {
    /// Why it ended.
    pub finish: Finish,
    /// What it took.
    pub usage: Usage,
}

/// Why an answer ended.
#[derive(Clone, PartialEq, Eq)]
pub enum Finish {
    /// The model ended its turn.
    EndOfTurn,
    /// The answer came to this stop sequence.
    Stop(String),
    /// The limit on tokens, or the end of the context.
    Length,
}

/// Tokens of one request, as the model's own tokenizer counts them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// Tokens of the rendered prompt, the template's own included.
    pub prompt_tokens: u32,
    /// Tokens that the model generated, the one that ends its turn included.
    pub completion_tokens: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(sampling: Sampling) -> Request {
        Request {
            prompt: Prompt::Text("a".into()),
            sampling,
            stop: vec![],
            max_tokens: None,
            format: Format::Text,
        }
    }

    #[test]
    fn limits_name_the_parameter() {
        let sampling = [
            (
                "temperature",
                Sampling {
                    temperature: Some(2.1),
                    ..Sampling::default()
                },
            ),
            (
                "temperature",
                Sampling {
                    temperature: Some(f32::NAN),
                    ..Sampling::default()
                },
            ),
            (
                "top_p",
                Sampling {
                    top_p: Some(0.0),
                    ..Sampling::default()
                },
            ),
            (
                "min_p",
                Sampling {
                    min_p: Some(1.5),
                    ..Sampling::default()
                },
            ),
            (
                "repeat_penalty",
                Sampling {
                    repeat_penalty: Some(0.0),
                    ..Sampling::default()
                },
            ),
            (
                "frequency_penalty",
                Sampling {
                    frequency_penalty: Some(3.0),
                    ..Sampling::default()
                },
            ),
            (
                "presence_penalty",
                Sampling {
                    presence_penalty: Some(-3.0),
                    ..Sampling::default()
                },
            ),
        ];
        for (expected, sampling) in sampling {
            let refusal = request(sampling).validate().unwrap_err();
            assert!(matches!(refusal, Refusal::Invalid { param, .. } if param == expected));
        }
        assert!(request(Sampling::default()).validate().is_ok());
        let zero = Request {
            max_tokens: Some(0),
            ..request(Sampling::default())
        };
        assert!(zero.validate().is_err());
        for stop in [
            vec![String::new()],
            vec!["x".repeat(1025)],
            vec!["x".to_owned(); 17],
        ] {
            assert!(
                Request {
                    stop,
                    ..request(Sampling::default())
                }
                .validate()
                .is_err()
            );
        }
    }
}
