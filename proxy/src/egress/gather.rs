//! A stream that sends a request's head and body in one piece.
//!
//! pingora flushes a head before its body is written. Without encryption that is a packet and a
//! system call of its own for each request, and the other side wakes up twice: a fifth of what an
//! exchange costs that is not inspected. Here what is written leaves when it has grown, or when
//! its answer is read.

use async_trait::async_trait;
use pingora_core::protocols::raw_connect::ProxyDigest;
use pingora_core::protocols::{
    GetProxyDigest, GetSocketDigest, GetTimingDigest, Peek, Shutdown, SocketDigest, Ssl, Stream,
    TimingDigest, UniqueID, UniqueIDType,
};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};

/// What is gathered at most, in bytes; larger pieces are written as they come.
const GATHERED_MAX: usize = 64 << 10;

/// A stream of an HTTP/1.1 client, which reads after it has written.
#[derive(Debug)]
pub(super) struct Gather {
    inner: Stream,
    gathered: Vec<u8>,
    /// How much of `gathered` has been written.
    written: usize,
    /// Something was written that the inner stream may hold.
    unflushed: bool,
}

impl Gather {
    pub(super) fn new(inner: Stream) -> Self {
        Gather {
            inner,
            gathered: Vec::new(),
            written: 0,
            unflushed: false,
        }
    }

    /// Writes what was gathered.
    fn poll_drain(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.written < self.gathered.len() {
            let rest = &self.gathered[self.written..];
            match ready!(Pin::new(&mut self.inner).poll_write(cx, rest))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                n => self.written += n,
            }
            self.unflushed = true;
        }
        self.gathered.clear();
        self.written = 0;
        Poll::Ready(Ok(()))
    }

    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_drain(cx))?;
        if self.unflushed {
            ready!(Pin::new(&mut self.inner).poll_flush(cx))?;
            self.unflushed = false;
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Gather {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.written == 0 && self.gathered.len() + bytes.len() <= GATHERED_MAX {
            self.gathered.extend_from_slice(bytes);
            return Poll::Ready(Ok(bytes.len()));
        }
        ready!(self.poll_drain(cx))?;
        self.unflushed = true;
        Pin::new(&mut self.inner).poll_write(cx, bytes)
    }

    /// Puts the flush off until the next read.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_send(cx))?;
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

impl AsyncRead for Gather {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        ready!(self.poll_send(cx))?;
        Pin::new(&mut self.inner).poll_read(cx, buffer)
    }
}

#[async_trait]
impl Shutdown for Gather {
    async fn shutdown(&mut self) {
        let _ = AsyncWriteExt::shutdown(self).await;
    }
}

impl UniqueID for Gather {
    fn id(&self) -> UniqueIDType {
        self.inner.id()
    }
}

/// Only ever around a connection without TLS.
impl Ssl for Gather {}

#[async_trait]
impl Peek for Gather {
    async fn try_peek(&mut self, buffer: &mut [u8]) -> io::Result<bool> {
        self.inner.try_peek(buffer).await
    }
}

impl GetTimingDigest for Gather {
    fn get_timing_digest(&self) -> Vec<Option<TimingDigest>> {
        self.inner.get_timing_digest()
    }
}

impl GetProxyDigest for Gather {
    fn get_proxy_digest(&self) -> Option<Arc<ProxyDigest>> {
        self.inner.get_proxy_digest()
    }
}

impl GetSocketDigest for Gather {
    fn get_socket_digest(&self) -> Option<Arc<SocketDigest>> {
        self.inner.get_socket_digest()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pingora_core::protocols::l4::stream::Stream as TcpStream;
    use tokio::io::AsyncReadExt;
    use tokio::net::TcpListener;

    async fn pair() -> (Gather, tokio::net::TcpStream) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let client = tokio::net::TcpStream::connect(address);
        let (client, server) = tokio::join!(client, listener.accept());
        let client: Stream = Box::new(TcpStream::from(client.expect("connected")));
        (Gather::new(client), server.expect("accepted").0)
    }

    #[tokio::test]
    async fn head_and_body_leave_together_when_the_answer_is_read() {
        let (mut client, mut server) = pair().await;
        client.write_all(b"head").await.expect("written");
        client.flush().await.expect("put off");
        client.write_all(b"body").await.expect("written");
        client.flush().await.expect("put off");
        assert_eq!(client.gathered, b"headbody");
        let (mut asked, mut answer) = ([0; 64], [0; 6]);
        let served = async {
            let n = server.read(&mut asked).await.expect("a request");
            server.write_all(b"answer").await.expect("open");
            n
        };
        let (read, n) = tokio::join!(client.read_exact(&mut answer), served);
        read.expect("an answer");
        assert_eq!((&asked[..n], &answer), (&b"headbody"[..], b"answer"));
    }

    #[tokio::test]
    async fn pieces_of_any_size_arrive_in_order() {
        let (mut client, mut server) = pair().await;
        let pieces: Vec<Vec<u8>> = [3, GATHERED_MAX, 1, GATHERED_MAX - 1, 5 << 20, 7]
            .iter()
            .zip(b'a'..)
            .map(|(&len, byte)| vec![byte; len])
            .collect();
        let whole = pieces.concat();
        let writing = async {
            for piece in &pieces {
                client.write_all(piece).await.expect("written");
                client.flush().await.expect("put off");
            }
            Shutdown::shutdown(&mut client).await;
        };
        let mut arrived = Vec::new();
        let (_, read) = tokio::join!(writing, server.read_to_end(&mut arrived));
        read.expect("read");
        assert!(arrived == whole);
    }
}
