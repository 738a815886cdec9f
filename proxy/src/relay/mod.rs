//! The answer's way back: read from the upstream, restored, passed on.
//!
//! A stream is passed on event by event as it comes ([`stream`]); anything else is read whole
//! ([`whole`]). Either way the last bytes are not sent but handed back, so that the spine can
//! record the exchange before its caller sees it completed.

mod event;
mod frame;
mod restorer;
mod stream;
mod whole;

use crate::config::Limits;
use crate::downstream::Downstream;
use crate::draft::Draft;
use crate::edit::EditError;
use crate::egress::Forwarded;
use crate::error::Refusal;
use crate::eventstream::MessageError;
use crate::json::{Duplicates, JsonError, JsonLimits};
use crate::ndjson::LineTooLarge;
use crate::rescue::{EFFECT, ENDPOINT, EXCHANGE, value};
use crate::sse::EventTooLarge;
use crate::wire::Api;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use tollgate_analytics::record::Usage;
use tollgate_redaction::vault::Vault;

/// An answer, all but its last bytes sent.
pub(crate) struct Answer<'a> {
    /// Tokens, if the answer told them.
    pub(crate) usage: Option<Usage>,
    /// Bytes of its text, if it was a stream.
    pub(crate) streamed_text_bytes: Option<u64>,
    /// Placeholders restored.
    pub(crate) restored: u32,
    /// The last bytes, not sent yet.
    pub(crate) last: Bytes,
    /// The head, if it has not been sent either.
    head: Option<(u16, Vec<(HeaderName, HeaderValue)>)>,
    forwarded: Forwarded<'a>,
}

impl Answer<'_> {
    /// Sends the last bytes and gives the upstream connection back.
    ///
    /// # Errors
    /// When the caller has left.
    pub(crate) async fn finish(self, down: &mut Downstream) -> Result<(), Refusal> {
        self.forwarded.finish().await;
        if let Some((status, headers)) = self.head {
            down.start(status, headers, Some(self.last.len())).await?;
        }
        down.send(self.last, true).await
    }
}

/// What the relay of an answer needs to know of its request.
pub(crate) struct Context<'a> {
    pub(crate) api: Api,
    pub(crate) limits: &'a Limits,
    pub(crate) vault: &'a Vault,
    /// Whether the stream's usage event was asked for by us only.
    pub(crate) drop_usage: bool,
    /// The endpoint's name, for the answer's header.
    pub(crate) endpoint: &'a str,
    /// The effect decided, for the answer's header.
    pub(crate) effect: &'static str,
}

impl Context<'_> {
    /// Answers are somebody else's: a key that stands twice is theirs to explain.
    fn json_limits(&self) -> JsonLimits {
        JsonLimits {
            bytes_max: self.limits.answer_bytes_max,
            depth_max: self.limits.json_depth_max,
            duplicates: Duplicates::Report,
            ..JsonLimits::default()
        }
    }
}

/// What can be wrong with an answer.
#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error(transparent)]
    Json(#[from] JsonError),
    #[error(transparent)]
    Edit(#[from] EditError),
    #[error(transparent)]
    Event(#[from] EventTooLarge),
    #[error(transparent)]
    Line(#[from] LineTooLarge),
    #[error(transparent)]
    Message(#[from] MessageError),
    #[error("an event's data is not UTF-8")]
    Utf8,
}

/// Relays an answer up to its last bytes.
///
/// # Errors
/// When the upstream breaks off, is too slow or sends what its wire does not know; when the
/// caller leaves.
pub(crate) async fn relay<'a>(
    context: &Context<'_>,
    forwarded: Forwarded<'a>,
    down: &mut Downstream,
    draft: &mut Draft,
) -> Result<Answer<'a>, Refusal> {
    let headers = answer_headers(forwarded.headers(), context, draft);
    let encoded = forwarded
        .headers()
        .get(header::CONTENT_ENCODING)
        .is_some_and(|v| v.as_bytes() != b"identity");
    if encoded {
        return Err(Refusal::upstream_malformed(
            "The endpoint compressed its answer although it was asked not to.",
        ));
    }
    match frame::Frames::of(forwarded.headers(), context.limits.event_bytes_max) {
        Some(frames) => stream::relay(context, forwarded, headers, frames, down).await,
        None => whole::relay(context, forwarded, headers, down).await,
    }
}

fn is(headers: &HeaderMap, kind: &str) -> bool {
    let kind_of = headers
        .get(header::CONTENT_TYPE)
        .and_then(|v| v.to_str().ok())
        .unwrap_or("");
    kind_of
        .split(';')
        .next()
        .unwrap_or("")
        .trim()
        .eq_ignore_ascii_case(kind)
}

/// Headers of an answer that end with the connection, or that would tell a caller what is not so
/// any more.
const DROPPED: [&str; 12] = [
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "content-length",
    "content-encoding",
    "set-cookie",
    "alt-svc",
];

fn answer_headers(
    upstream: &HeaderMap,
    context: &Context<'_>,
    draft: &Draft,
) -> Vec<(HeaderName, HeaderValue)> {
    let kept = upstream
        .iter()
        .filter(|(name, _)| !DROPPED.contains(&name.as_str()));
    let mut headers: Vec<_> = kept
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    headers.push((EXCHANGE, value(&draft.exchange().to_string())));
    headers.push((ENDPOINT, value(context.endpoint)));
    headers.push((EFFECT, value(context.effect)));
    headers
}

/// Reads the next piece for as long as the caller is there.
async fn next_piece(
    forwarded: &mut Forwarded<'_>,
    down: &mut Downstream,
) -> Result<Option<Bytes>, Refusal> {
    tokio::select! {
        biased;
        piece = forwarded.piece() => piece,
        () = down.gone() => Err(Refusal::gone()),
    }
}
