//! Every way an exchange can end without its answer, mapped to one reply in the caller's words.

use crate::downstream::Downstream;
use crate::error::Refusal;
use crate::wire::Api;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, header};

/// The header that names the exchange on every reply.
pub const EXCHANGE: HeaderName = HeaderName::from_static("tollgate-exchange");
/// The header that says where the exchange went.
pub const ENDPOINT: HeaderName = HeaderName::from_static("tollgate-endpoint");
/// The header that says what was decided.
pub const EFFECT: HeaderName = HeaderName::from_static("tollgate-effect");

/// Answers with a refusal: an error object before the answer has begun, an error event in a
/// stream that has. Returns whether the connection is still in order.
pub async fn rescue(down: &mut Downstream, api: Api, refusal: &Refusal, exchange: &str) -> bool {
    if refusal.status == 0 {
        return false;
    }
    if down.started() {
        let event = api.error_event(refusal, exchange);
        return down.send(event, true).await.is_ok();
    }
    let body = Bytes::from(api.wire().error(refusal, exchange).to_string());
    let mut headers = vec![
        (
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        ),
        (EXCHANGE, value(exchange)),
    ];
    headers.extend(api.wire().error_header(refusal));
    if let Some(seconds) = refusal.retry_after_s {
        headers.push((header::RETRY_AFTER, HeaderValue::from(seconds)));
    } else if refusal.status == 429 {
        // The SDKs of OpenAI and Anthropic would try again at once otherwise.
        let never = HeaderValue::from_static("false");
        headers.push((HeaderName::from_static("x-should-retry"), never));
    }
    if refusal.status == 405 {
        headers.push((header::ALLOW, HeaderValue::from_static("GET, POST")));
    }
    down.start(refusal.status, headers, Some(body.len()))
        .await
        .is_ok()
        && down.send(body, true).await.is_ok()
}

/// A header value from text that we made ourselves; empty if it cannot be one.
pub(crate) fn value(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or_else(|_| HeaderValue::from_static(""))
}
