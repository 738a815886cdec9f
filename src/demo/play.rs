//! Sends a prompt through the gate as its team would, and looks at what came back.

use super::prompts::{self, Operation, Prompt, Wire};
use super::provider::placeholders;
use serde_json::Value;
use tollgate_analytics::record::Effect;
use uuid::Uuid;

/// What came back for a prompt.
#[derive(Debug)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// The exchange's id, from the reply's header.
    pub exchange: Option<Uuid>,
    /// The answer's text, tool arguments included.
    text: String,
}

/// Something that is not as it must be. No variant holds text of a prompt.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Another decision than the prompt's author expects of the default policy.
    #[error("expected {expected}, was {actual}")]
    Effect {
        /// What the fixture says.
        expected: &'static str,
        /// What the record says.
        actual: String,
    },
    /// Another status than the effect demands.
    #[error("expected status {expected}, was {actual}")]
    Status {
        /// 200, or 403 for what is blocked.
        expected: u16,
        /// What came.
        actual: u16,
    },
    /// The answer holds placeholders.
    #[error("{0} placeholders came back unrestored")]
    Unrestored(usize),
    /// The answer to a redacted prompt holds none of the prompt's own values.
    #[error("no original value came back")]
    NothingRestored,
    /// No reply, or one that names no exchange.
    #[error("no reply that names its exchange")]
    NoReply,
    /// The store has no row for the exchange.
    #[error("the exchange is not in the store")]
    Unrecorded,
}

/// Sends a prompt with a team's key and reads the whole answer.
///
/// # Errors
/// When there is no whole HTTP answer.
pub async fn send(
    client: &reqwest::Client,
    gate: &str,
    key: &str,
    prompt: &Prompt,
) -> reqwest::Result<Reply> {
    let request = client
        .post(format!("{gate}{}", prompt.path()))
        .header("content-type", "application/json");
    let request = match prompt.wire {
        Wire::Openai => request.bearer_auth(key),
        Wire::Anthropic => request
            .header("x-api-key", key)
            .header("anthropic-version", "2023-06-01"),
    };
    let response = request.body(prompt.body.clone()).send().await?;
    let status = response.status().as_u16();
    let header = response
        .headers()
        .get("tollgate-exchange")
        .and_then(|value| value.to_str().ok());
    let exchange = header.and_then(|id| Uuid::parse_str(id).ok());
    let streamed = response
        .headers()
        .get("content-type")
        .is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"));
    let body = response.text().await?;
    let text = if streamed {
        text_of_stream(&body)
    } else {
        text_of_json(&body)
    };
    Ok(Reply {
        status,
        exchange,
        text,
    })
}

/// Compares a reply with what the prompt's author expects. `effect` is the one recorded.
pub fn faults(prompt: &Prompt, reply: &Reply, effect: &str) -> Vec<Fault> {
    let mut faults = Vec::new();
    if effect != prompt.expect.as_str() {
        let expected = prompt.expect.as_str();
        faults.push(Fault::Effect {
            expected,
            actual: effect.to_string(),
        });
    }
    let expected = if prompt.expect == Effect::Block {
        403
    } else {
        200
    };
    if reply.status != expected {
        faults.push(Fault::Status {
            expected,
            actual: reply.status,
        });
    }
    let left = placeholders(&reply.text).len();
    if left > 0 {
        faults.push(Fault::Unrestored(left));
    }
    // The simulated provider repeats what it was given; vectors repeat nothing.
    let repeats = effect == Effect::Redact.as_str()
        && prompt.operation == Operation::Chat
        && !prompt.planted.is_empty();
    if repeats
        && left == 0
        && !prompt
            .planted
            .iter()
            .any(|planted| reply.text.contains(&planted.value))
    {
        faults.push(Fault::NothingRestored);
    }
    faults
}

fn text_of_json(body: &str) -> String {
    serde_json::from_str(body)
        .map(|body| prompts::strings(&body))
        .unwrap_or_default()
}

/// The pieces of a stream's texts, joined.
fn text_of_stream(body: &str) -> String {
    const PIECES: [&str; 4] = [
        "/choices/0/delta/content",
        "/choices/0/delta/tool_calls/0/function/arguments",
        "/delta/text",
        "/delta/partial_json",
    ];
    let mut text = String::new();
    for data in body.lines().filter_map(|line| line.strip_prefix("data:")) {
        let Ok(event) = serde_json::from_str::<Value>(data) else {
            continue;
        };
        for piece in PIECES
            .iter()
            .filter_map(|path| event.pointer(path)?.as_str())
        {
            text += piece;
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::prompts::Planted;

    fn prompt(expect: Effect) -> Prompt {
        Prompt {
            id: "p".into(),
            team: "t".into(),
            language: "en".into(),
            wire: Wire::Openai,
            operation: Operation::Chat,
            expect,
            planted: vec![Planted {
                value: "Ada Muster".into(),
                entity: "PERSON".into(),
            }],
            body: String::new(),
        }
    }

    fn reply(status: u16, text: &str) -> Reply {
        Reply {
            status,
            exchange: None,
            text: text.into(),
        }
    }

    #[test]
    fn each_fault_is_found() {
        let redact = prompt(Effect::Redact);
        assert_eq!(
            faults(&redact, &reply(200, "Dear Ada Muster"), "redact"),
            []
        );
        assert_eq!(
            faults(&redact, &reply(200, "Dear you"), "redact"),
            [Fault::NothingRestored]
        );
        assert_eq!(
            faults(&redact, &reply(200, "[PERSON_K7Q2MX]"), "redact"),
            [Fault::Unrestored(1)]
        );
        let status = Fault::Status {
            expected: 200,
            actual: 403,
        };
        let effect = Fault::Effect {
            expected: "redact",
            actual: "block".into(),
        };
        assert_eq!(
            faults(&redact, &reply(403, "no"), "block"),
            [effect, status]
        );
        assert_eq!(
            faults(&prompt(Effect::Block), &reply(403, "no"), "block"),
            []
        );
    }

    #[test]
    fn a_stream_s_text_is_joined_over_its_events() {
        let stream = "data: {\"choices\":[{\"delta\":{\"content\":\"Ada \"}}]}\n\ndata: {\"choices\":[{\"delta\":{\"content\":\"Muster\"}}]}\n\ndata: [DONE]\n\n";
        assert_eq!(text_of_stream(stream), "Ada Muster");
    }
}
