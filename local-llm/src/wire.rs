//! What a wire must say: how a request is read and how answers and errors are written. The wires
//! know nothing of HTTP connections or of the engine.

use crate::request::{Done, Refusal, Request};
use axum::http::StatusCode;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// One wire format for generating text.
pub(crate) trait Wire: Send + Sync + 'static {
    /// Reads a request's body.
    fn parse(&self, body: &[u8], served: &str) -> Result<Call, Fault>;

    /// The prefix of an answer's id.
    fn id_prefix(&self) -> &'static str;

    /// An answer in one piece.
    fn whole(&self, meta: &Meta, text: &str, done: &Done) -> Value;

    /// How a stream begins.
    fn first(&self, meta: &Meta) -> Vec<Frame>;

    /// More text in a stream.
    fn delta(&self, meta: &Meta, text: &str) -> Frame;

    /// How a stream ends.
    fn last(&self, meta: &Meta, done: &Done) -> Vec<Frame>;

    /// The body of an error.
    fn error(&self, fault: &Fault) -> Value;

    /// How a stream ends that the engine did not finish.
    fn broken(&self, fault: &Fault) -> Frame;
}

/// A request as a wire read it.
pub(crate) struct Call {
    pub(crate) request: Request,
    pub(crate) stream: bool,
    /// Whether a stream ends with token counts, where the wire leaves the choice.
    pub(crate) include_usage: bool,
}

/// What an answer says besides its text.
pub(crate) struct Meta {
    pub(crate) id: String,
    pub(crate) model: String,
    /// Seconds since the Unix epoch.
    pub(crate) created: u64,
    pub(crate) prompt_tokens: u32,
    pub(crate) include_usage: bool,
}

/// One server-sent event.
pub(crate) struct Frame {
    pub(crate) event: Option<&'static str>,
    pub(crate) data: String,
}

impl Frame {
    pub(crate) fn data(value: &Value) -> Self {
        Self {
            event: None,
            data: value.to_string(),
        }
    }
}

/// An error that a caller is told. Its text quotes nothing of the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) status: StatusCode,
    /// OpenAI's error code, where there is one.
    pub(crate) code: Option<&'static str>,
    pub(crate) param: Option<&'static str>,
    pub(crate) message: String,
}

impl Fault {
    pub(crate) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self {
            status,
            code: None,
            param: None,
            message: message.into(),
        }
    }

    pub(crate) fn param(param: &'static str, message: impl Into<String>) -> Self {
        Self {
            param: Some(param),
            ..Self::new(StatusCode::BAD_REQUEST, message)
        }
    }

    /// A parameter that asks for what this engine does not do.
    pub(crate) fn unsupported(param: &'static str, message: impl Into<String>) -> Self {
        Self {
            code: Some("unsupported_parameter"),
            ..Self::param(param, message)
        }
    }

    pub(crate) fn model_not_found(served: &str) -> Self {
        Self {
            code: Some("model_not_found"),
            param: Some("model"),
            ..Self::new(
                StatusCode::NOT_FOUND,
                format!("The model that was asked for is not served here; `{served}` is"),
            )
        }
    }

    /// The engine ended an answer before its end.
    pub(crate) fn engine() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "the model failed before its answer was complete",
        )
    }
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Self {
        let message = refusal.to_string();
        match refusal {
            Refusal::Invalid { param, .. } => Self::param(param, message),
            Refusal::ContextLength { .. } => Self {
                code: Some("context_length_exceeded"),
                ..Self::param("messages", message)
            },
            Refusal::Busy => Self {
                code: Some("rate_limit_exceeded"),
                ..Self::new(StatusCode::TOO_MANY_REQUESTS, message)
            },
            Refusal::Unavailable => Self::new(StatusCode::SERVICE_UNAVAILABLE, message),
        }
    }
}

/// Reads JSON. serde's own message is withheld: it quotes what it found.
pub(crate) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Fault> {
    serde_json::from_slice(body).map_err(|error| {
        let problem = if error.is_data() {
            "The body is JSON and a field is missing or of another type than expected"
        } else {
            "The body is not valid JSON"
        };
        let at = format!(
            "{problem}, at line {} column {}",
            error.line(),
            error.column()
        );
        Fault::new(StatusCode::BAD_REQUEST, at)
    })
}
