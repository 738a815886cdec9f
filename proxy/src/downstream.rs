//! The caller's side of an exchange: a bounded read of the request, and the answer's way back.

use crate::config::Limits;
use crate::error::Refusal;
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, header};
use pingora_core::apps::{HttpPersistentSettings, ReusedHttpStream};
use pingora_core::protocols::http::ServerSession;
use pingora_http::ResponseHeader;
use std::time::Duration;

/// One request of a caller and the way to answer it. HTTP/1.1 or HTTP/2 makes no difference
/// above this type.
pub struct Downstream {
    session: ServerSession,
    started: bool,
    status: u16,
    bytes_sent: u64,
    body_read: bool,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Downstream {
    /// Takes over a session whose head has been read.
    pub fn new(mut session: ServerSession, limits: &Limits) -> Self {
        let idle = Duration::from_millis(limits.downstream_write_timeout_ms);
        session.set_write_timeout(Some(idle));
        session.set_read_timeout(Some(Duration::from_millis(limits.body_timeout_ms)));
        Downstream {
            session,
            started: false,
            status: 0,
            bytes_sent: 0,
            body_read: false,
            headers: Vec::new(),
        }
    }

    /// Headers that every answer has from here on, in place of an upstream's of the same name.
    pub fn set_headers(&mut self, headers: Vec<(HeaderName, HeaderValue)>) {
        self.headers = headers;
    }

    /// The request's method.
    pub fn method(&self) -> &Method {
        &self.session.req_header().method
    }

    /// The request's target.
    pub fn uri(&self) -> &Uri {
        &self.session.req_header().uri
    }

    /// The request's headers.
    pub fn headers(&self) -> &HeaderMap {
        &self.session.req_header().headers
    }

    /// Whether an answer has begun.
    pub fn started(&self) -> bool {
        self.started
    }

    /// Status sent so far, 0 for none, and the bytes of the answer's body.
    pub fn sent(&self) -> (u16, u64) {
        (self.status, self.bytes_sent)
    }

    /// Reads the whole body, or refuses: too large, too slow, broken off.
    pub async fn read_body(&mut self, limits: &Limits) -> Result<Bytes, Refusal> {
        let declared = self.headers().get(header::CONTENT_LENGTH);
        let declared: Option<usize> = declared.and_then(|v| v.to_str().ok()?.parse().ok());
        if declared.is_some_and(|n| n > limits.body_bytes_max) {
            return Err(Refusal::too_large(limits.body_bytes_max));
        }
        if self
            .headers()
            .get(header::EXPECT)
            .is_some_and(|v| v.as_bytes() == b"100-continue")
        {
            self.session
                .write_continue_response()
                .await
                .map_err(|_| Refusal::gone())?;
        }
        let limit = Duration::from_millis(limits.body_timeout_ms);
        match tokio::time::timeout(limit, self.collect(declared, limits.body_bytes_max)).await {
            Ok(body) => body,
            Err(_) => Err(Refusal::body_timeout()),
        }
    }

    async fn collect(&mut self, declared: Option<usize>, max: usize) -> Result<Bytes, Refusal> {
        let broken = |error: Box<pingora_error::Error>| {
            Refusal::body_broken().because(error.etype().as_str())
        };
        let Some(first) = self.session.read_request_body().await.map_err(broken)? else {
            self.body_read = true;
            return Ok(Bytes::new());
        };
        // Most bodies arrive in one piece, which is then passed on without a copy.
        let mut whole = BytesMut::new();
        let mut pieces = Some(first);
        loop {
            let next = self.session.read_request_body().await.map_err(broken)?;
            match (next, pieces.take()) {
                (None, Some(only)) if whole.is_empty() => {
                    self.body_read = true;
                    return if only.len() > max {
                        Err(Refusal::too_large(max))
                    } else {
                        Ok(only)
                    };
                }
                (next, held) => {
                    if whole.is_empty() {
                        // What a caller declares is reserved only as far as it has sent something.
                        whole.reserve(declared.unwrap_or(0).min(max));
                    }
                    if let Some(held) = held {
                        whole.extend_from_slice(&held);
                    }
                    match next {
                        Some(piece) => whole.extend_from_slice(&piece),
                        None => {
                            self.body_read = true;
                            return Ok(whole.freeze());
                        }
                    }
                    if whole.len() > max {
                        return Err(Refusal::too_large(max));
                    }
                }
            }
        }
    }

    /// Begins the answer. With `length` absent the body is sent in chunks, each at once.
    pub async fn start(
        &mut self,
        status: u16,
        headers: Vec<(HeaderName, HeaderValue)>,
        length: Option<usize>,
    ) -> Result<(), Refusal> {
        let mut head =
            ResponseHeader::build(status, Some(headers.len() + 2)).map_err(|_| Refusal::gone())?;
        for (name, value) in headers {
            head.append_header(name, value)
                .map_err(|_| Refusal::gone())?;
        }
        for (name, value) in std::mem::take(&mut self.headers) {
            head.insert_header(name, value)
                .map_err(|_| Refusal::gone())?;
        }
        match length {
            Some(length) => head.insert_header(header::CONTENT_LENGTH, length),
            None if self.session.is_http2() => Ok(()),
            None => head.insert_header(header::TRANSFER_ENCODING, "chunked"),
        }
        .map_err(|_| Refusal::gone())?;
        if !self.body_read {
            // What is left of a refused body would be taken for the next request.
            self.session.set_keepalive(None);
        }
        self.started = true;
        self.status = status;
        self.session
            .write_response_header(Box::new(head))
            .await
            .map_err(|_| Refusal::gone())
    }

    /// Sends a piece of the answer; `end` with the last.
    pub async fn send(&mut self, piece: Bytes, end: bool) -> Result<(), Refusal> {
        self.bytes_sent += piece.len() as u64;
        if piece.is_empty() && !end {
            return Ok(());
        }
        self.session
            .write_response_body(piece, end)
            .await
            .map_err(|_| Refusal::gone())
    }

    /// Resolves when the caller has left. To be raced against work done for it; only after the
    /// body has been read.
    pub async fn gone(&mut self) {
        loop {
            match self.session.read_body_or_idle(true).await {
                Ok(Some(_)) => continue,
                // A clean end of an HTTP/2 request stream is not a departure.
                Ok(None) if self.session.is_http2() => std::future::pending().await,
                Ok(None) | Err(_) => return,
            }
        }
    }

    /// Ends the answer and gives the connection back for the next request, if it can have one.
    pub async fn finish(self) -> Option<ReusedHttpStream> {
        let settings = HttpPersistentSettings::for_session(&self.session);
        let reusable = self.session.finish().await.ok()??;
        Some(ReusedHttpStream::from_reusable_stream(reusable, settings))
    }

    /// Breaks the connection (HTTP/1.1) or the stream (HTTP/2) off, so that the caller cannot
    /// take half an answer for a whole one.
    pub async fn abort(mut self) {
        self.session.shutdown().await;
    }
}
