//! The only way out: takes a [`Permit`], nothing else.

mod gather;

use crate::endpoint::{Endpoint, Timeouts};
use crate::error::Refusal;
use crate::permit::{Parts, Permit};
use bytes::Bytes;
use gather::Gather;
use http::{HeaderMap, header};
use pingora_core::connectors::TransportConnector;
use pingora_core::connectors::http::Connector;
use pingora_core::protocols::Stream;
use pingora_core::protocols::http::client::HttpSession;
use pingora_core::protocols::http::v1::client::HttpSession as Http1Session;
use pingora_core::tls::x509::X509;
use pingora_core::upstreams::peer::{HttpPeer, Peer};
use pingora_error::ErrorType;
use pingora_http::RequestHeader;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Certificate authorities trusted for one endpoint instead of the system's.
pub(crate) type Authorities = Arc<Box<[X509]>>;

/// Reads a PEM file of certificate authorities.
pub(crate) fn read_authorities(path: &Path) -> Result<Authorities, String> {
    let fail =
        |problem: String| format!("expected PEM certificates in {}: {problem}", path.display());
    let pem = std::fs::read(path).map_err(|e| fail(e.to_string()))?;
    let certificates = X509::stack_from_pem(&pem).map_err(|e| fail(e.to_string()))?;
    if certificates.is_empty() {
        return Err(fail("it holds none".into()));
    }
    Ok(Arc::new(certificates.into_boxed_slice()))
}

/// Upstream connections, pooled per endpoint.
pub struct Egress {
    /// Connections with TLS, HTTP/2 or HTTP/1.1.
    connector: Connector,
    /// Connections without, always HTTP/1.1.
    plain: TransportConnector,
}

/// How long an unused upstream connection is kept.
const POOL_IDLE: Duration = Duration::from_secs(60);
/// What is read of an answer that nobody wants, in bytes, so that its connection can be kept.
const DISCARDED_MAX: usize = 64 << 10;
/// For how long.
const DISCARD_TIMEOUT: Duration = Duration::from_millis(50);

impl Egress {
    /// Makes the way out.
    #[allow(
        clippy::new_without_default,
        reason = "it opens no connection, but is no plain value"
    )]
    pub fn new() -> Self {
        Egress {
            connector: Connector::new(None),
            plain: TransportConnector::new(None),
        }
    }

    /// Sends what the permit permits to where it permits it, and waits for the answer's head.
    pub async fn send(&self, permit: Permit) -> Result<Forwarded<'_>, Refusal> {
        let (endpoint, parts, body) = permit.into_parts();
        let timeouts = endpoint.timeouts();
        let target = endpoint.target().await?;
        let mut peer = HttpPeer::new(target.address, target.tls, target.sni);
        peer.group_key = target.pool;
        peer.options.connection_timeout = Some(timeouts.connect);
        peer.options.total_connection_timeout = Some(timeouts.connect);
        peer.options.read_timeout = Some(timeouts.idle);
        peer.options.write_timeout = Some(timeouts.idle);
        peer.options.ca = target.ca;
        if target.tls {
            peer.options.set_http_version(2, 1);
            peer.options.max_h2_streams = 64;
        }
        let head = head(parts, &body, &endpoint)?;
        // A pooled connection may have been closed by the other side at the very moment we use
        // it. Nothing of an answer has been read then, so the request is sent once more, on a
        // new connection. An exchange is never sent twice after a first answer byte.
        for attempt in 0.. {
            let sent_at = Instant::now();
            let (mut session, reused) = self
                .session(&peer)
                .await
                .map_err(|error| connect_refusal(&endpoint, &error))?;
            match self.request(&mut session, &head, &body, timeouts).await {
                Ok(()) => {
                    let first_byte = sent_at.elapsed();
                    let done = session.response_done();
                    let upstream_bytes = body.len() as u64;
                    return Ok(Forwarded {
                        egress: self,
                        session: Some(session),
                        peer,
                        first_byte,
                        upstream_bytes,
                        done,
                    });
                }
                Err(_) if reused && attempt < 3 => session.shutdown().await,
                Err(refusal) => {
                    session.shutdown().await;
                    return Err(refusal);
                }
            }
        }
        unreachable!("the loop returns")
    }

    /// A connection, and whether it has been used before.
    async fn session(&self, peer: &HttpPeer) -> pingora_error::Result<(HttpSession, bool)> {
        if peer.is_tls() {
            return self.connector.get_http_session(peer).await;
        }
        let (stream, reused) = self.plain.get_stream(peer).await?;
        let stream: Stream = match reused {
            true => stream,
            false => Box::new(Gather::new(stream)),
        };
        let session = Http1Session::new_with_options(stream, peer);
        Ok((HttpSession::H1(session), reused))
    }

    /// Gives a connection back whose answer was read to its end.
    async fn release(&self, session: HttpSession, peer: &HttpPeer) {
        match session {
            HttpSession::H1(mut session) if !peer.is_tls() => {
                session.respect_keepalive();
                if let Some(stream) = session.reuse().await {
                    self.plain
                        .release_stream(stream, peer.reuse_hash(), Some(POOL_IDLE));
                }
            }
            session => {
                self.connector
                    .release_http_session(session, peer, Some(POOL_IDLE))
                    .await;
            }
        }
    }

    async fn request(
        &self,
        session: &mut HttpSession,
        head: &RequestHeader,
        body: &Bytes,
        timeouts: Timeouts,
    ) -> Result<(), Refusal> {
        session.set_read_timeout(Some(timeouts.first_byte));
        session.set_write_timeout(Some(timeouts.idle));
        let exchange = async {
            session.write_request_header(Box::new(head.clone())).await?;
            if !body.is_empty() {
                session.write_request_body(body.clone(), true).await?;
            }
            // HTTP/2 has already ended its stream with the last piece of a body.
            if body.is_empty() || session.as_http1().is_some() {
                session.finish_request_body().await?;
            }
            loop {
                session.read_response_header().await?;
                // 1xx heads come before the answer's own.
                if session
                    .response_header()
                    .is_none_or(|h| !h.status.is_informational())
                {
                    return Ok::<(), Box<pingora_error::Error>>(());
                }
            }
        };
        match tokio::time::timeout(timeouts.first_byte, exchange).await {
            Ok(Ok(())) => {
                session.set_read_timeout(Some(timeouts.idle));
                Ok(())
            }
            Ok(Err(error)) => Err(read_refusal(&error)),
            Err(_) => Err(Refusal::upstream_timeout()),
        }
    }
}

/// The request's head as it is sent.
fn head(parts: Parts, body: &Bytes, endpoint: &Endpoint) -> Result<RequestHeader, Refusal> {
    let bad = |_| Refusal::connect().because("the request head could not be built");
    let path = endpoint.path(&parts.path);
    let mut head =
        RequestHeader::build(parts.method, path.as_bytes(), Some(parts.headers.len() + 4))
            .map_err(bad)?;
    head.insert_header(header::HOST, endpoint.authority())
        .map_err(bad)?;
    for (name, value) in parts.headers {
        head.append_header(name, value).map_err(bad)?;
    }
    // An answer that we cannot read cannot be restored.
    head.insert_header(header::ACCEPT_ENCODING, "identity")
        .map_err(bad)?;
    if !body.is_empty() {
        head.insert_header(header::CONTENT_LENGTH, body.len())
            .map_err(bad)?;
    }
    Ok(head)
}

/// An exchange that has been sent and whose answer has begun.
pub struct Forwarded<'a> {
    egress: &'a Egress,
    session: Option<HttpSession>,
    peer: HttpPeer,
    first_byte: Duration,
    upstream_bytes: u64,
    done: bool,
}

impl Forwarded<'_> {
    /// The answer's status.
    pub fn status(&self) -> u16 {
        self.session()
            .response_header()
            .map_or(502, |h| h.status.as_u16())
    }

    /// The answer's headers.
    pub fn headers(&self) -> &HeaderMap {
        static NONE: std::sync::OnceLock<HeaderMap> = std::sync::OnceLock::new();
        self.session()
            .response_header()
            .map_or_else(|| NONE.get_or_init(HeaderMap::new), |h| &h.headers)
    }

    /// Time from the request sent to the answer's head read.
    pub fn first_byte(&self) -> Duration {
        self.first_byte
    }

    /// Bytes of the request body sent.
    pub fn upstream_bytes(&self) -> u64 {
        self.upstream_bytes
    }

    /// The next piece of the answer; `None` at its end. Safe to cancel.
    pub async fn piece(&mut self) -> Result<Option<Bytes>, Refusal> {
        if self.done {
            return Ok(None);
        }
        let session = self.session.as_mut().expect("present until finished");
        let piece = session
            .read_response_body()
            .await
            .map_err(|error| read_refusal(&error))?;
        self.done = piece.is_none();
        Ok(piece)
    }

    /// Lets go of an answer that nobody is to have. What is left of a short one is read, so that
    /// its connection can be used again.
    pub(crate) async fn discard(mut self) {
        let rest = async {
            let mut read = 0;
            while let Ok(Some(piece)) = self.piece().await {
                read += piece.len();
                if read > DISCARDED_MAX {
                    return;
                }
            }
        };
        tokio::time::timeout(DISCARD_TIMEOUT, rest).await.ok();
        self.finish().await;
    }

    /// Gives the connection back to the pool if the answer was read whole, else closes it, which
    /// tells the upstream to stop working.
    pub async fn finish(mut self) {
        let Some(mut session) = self.session.take() else {
            return;
        };
        if self.done || session.response_done() {
            self.egress.release(session, &self.peer).await;
        } else {
            session.shutdown().await;
        }
    }

    fn session(&self) -> &HttpSession {
        self.session.as_ref().expect("present until finished")
    }
}

fn connect_refusal(endpoint: &Endpoint, error: &pingora_error::Error) -> Refusal {
    let refusal = match error.etype() {
        _ if endpoint.embedded() => Refusal::local_unavailable(),
        ErrorType::ConnectTimedout | ErrorType::TLSHandshakeTimedout => Refusal::upstream_timeout(),
        _ => Refusal::connect(),
    };
    refusal.because(error.etype().as_str())
}

fn read_refusal(error: &pingora_error::Error) -> Refusal {
    let refusal = match error.etype() {
        ErrorType::ReadTimedout | ErrorType::WriteTimedout => Refusal::upstream_timeout(),
        _ => Refusal::upstream_reset(),
    };
    refusal.because(error.etype().as_str())
}
