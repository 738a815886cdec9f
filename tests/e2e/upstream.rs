//! A scripted upstream: plain HTTP/1.1 over TCP, so that it can also do what no decent server
//! does. What it does is chosen by the first segment of the path, which is the name of the
//! endpoint that the gate was configured with.

mod frames;

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, mpsc};
use tokio::time::sleep;
use tollgate_proxy::eventstream::Message;

/// One request as it arrived, byte for byte.
#[derive(Clone, Debug)]
pub struct Captured {
    /// Request line and headers.
    pub head: String,
    /// The body.
    pub body: Vec<u8>,
    /// Which connection it came on, counted from 0.
    pub connection: usize,
}

/// Something that a test may wait for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A whole request arrived for this script.
    Arrived(String),
    /// The gate closed the connection while this script was still at work.
    Closed(String),
}

#[derive(Default)]
struct Shared {
    captured: Mutex<Vec<Captured>>,
    ill: AtomicBool,
    go_on: Notify,
}

/// The running upstream.
pub struct Upstream {
    address: SocketAddr,
    shared: Arc<Shared>,
    events: mpsc::UnboundedReceiver<Event>,
    task: tokio::task::JoinHandle<()>,
}

impl Upstream {
    pub async fn start() -> Upstream {
        let listener = TcpListener::bind(("127.0.0.1", 0))
            .await
            .expect("a free port");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::new(Shared::default());
        let (sender, events) = mpsc::unbounded_channel();
        let held = Arc::clone(&shared);
        let task = tokio::spawn(async move {
            for number in 0.. {
                let Ok((socket, _)) = listener.accept().await else {
                    return;
                };
                let (shared, sender) = (Arc::clone(&held), sender.clone());
                tokio::spawn(async move {
                    let _ = Connection {
                        socket,
                        number,
                        shared,
                        sender,
                        held: Vec::new(),
                    }
                    .serve()
                    .await;
                });
            }
        });
        Upstream {
            address,
            shared,
            events,
            task,
        }
    }

    /// The URL of an endpoint that follows `script`.
    pub fn url(&self, script: &str) -> String {
        format!("http://{}/{script}/v1", self.address)
    }

    /// All requests so far.
    pub fn captured(&self) -> Vec<Captured> {
        self.shared
            .captured
            .lock()
            .expect("no panic while held")
            .clone()
    }

    /// Waits for an event; anything before it is skipped.
    pub async fn wait_for(&mut self, event: &Event) {
        let wait = async {
            while let Some(seen) = self.events.recv().await {
                if seen == *event {
                    return;
                }
            }
            panic!("the upstream ended");
        };
        tokio::time::timeout(Duration::from_secs(20), wait)
            .await
            .unwrap_or_else(|_| panic!("{event:?} did not happen within 20 s"));
    }

    /// Makes the script `patient` ill or well.
    pub fn set_ill(&self, ill: bool) {
        self.shared.ill.store(ill, Relaxed);
    }

    /// How many requests arrived for a script.
    pub fn count(&self, script: &str) -> usize {
        let start = format!("/{script}/");
        let captured = self.captured();
        let path = |c: &&Captured| {
            c.head
                .split(' ')
                .nth(1)
                .is_some_and(|p| p.starts_with(&start))
        };
        captured.iter().filter(path).count()
    }

    /// Lets the script `stall` finish its answer.
    pub fn go_on(&self) {
        self.shared.go_on.notify_one();
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Connection {
    socket: TcpStream,
    number: usize,
    shared: Arc<Shared>,
    sender: mpsc::UnboundedSender<Event>,
    held: Vec<u8>,
}

impl Connection {
    async fn serve(mut self) -> std::io::Result<()> {
        self.socket.set_nodelay(true)?;
        while let Some(captured) = self.read().await? {
            let path = captured.head.split(' ').nth(1).unwrap_or("/").to_string();
            let script = path.split('/').nth(1).unwrap_or("").to_string();
            self.shared
                .captured
                .lock()
                .expect("no panic while held")
                .push(captured.clone());
            let _ = self.sender.send(Event::Arrived(script.clone()));
            if !self.answer(&script, &captured.body).await? {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Reads one request; `None` when the gate closed the connection.
    async fn read(&mut self) -> std::io::Result<Option<Captured>> {
        let end = loop {
            if let Some(at) = find(&self.held, b"\r\n\r\n") {
                break at + 4;
            }
            if self.more().await? == 0 {
                return Ok(None);
            }
        };
        let head = String::from_utf8_lossy(&self.held[..end]).into_owned();
        self.held.drain(..end);
        let lower = head.to_lowercase();
        let length = lower
            .lines()
            .find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
        let body = if lower.contains("transfer-encoding: chunked") {
            self.chunked().await?
        } else {
            self.take(length.unwrap_or(0)).await?
        };
        Ok(Some(Captured {
            head,
            body,
            connection: self.number,
        }))
    }

    async fn chunked(&mut self) -> std::io::Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let end = loop {
                if let Some(at) = find(&self.held, b"\r\n") {
                    break at;
                }
                if self.more().await? == 0 {
                    return Ok(body);
                }
            };
            let size = String::from_utf8_lossy(&self.held[..end]).into_owned();
            let size = usize::from_str_radix(size.trim(), 16).expect("a chunk size");
            self.held.drain(..end + 2);
            let chunk = self.take(size + 2).await?;
            body.extend_from_slice(&chunk[..size]);
            if size == 0 {
                return Ok(body);
            }
        }
    }

    async fn take(&mut self, length: usize) -> std::io::Result<Vec<u8>> {
        while self.held.len() < length {
            if self.more().await? == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(self.held.drain(..length).collect())
    }

    async fn more(&mut self) -> std::io::Result<usize> {
        self.socket.read_buf(&mut self.held).await
    }

    /// Plays a script. Returns whether the connection may have another request.
    async fn answer(&mut self, script: &str, body: &[u8]) -> std::io::Result<bool> {
        let said = said(body);
        match script {
            // Repeats all text that it was given.
            "echo" | "echo-anthropic" | "on-prem" | "on-prem-anthropic" => {
                let text = format!("You said: {said}");
                let answer = if script.ends_with("anthropic") {
                    message(&text)
                } else {
                    completion(&text)
                };
                self.json(200, "", &answer).await?;
            }
            "stream" => {
                self.head_of_stream().await?;
                for piece in pieces(&said) {
                    self.delta(&piece).await?;
                }
                self.chunk(b"data: [DONE]\n\n").await?;
                self.chunk(b"").await?;
            }
            // One delta, then nothing until the test says so.
            "stall" => {
                self.head_of_stream().await?;
                self.delta("first").await?;
                self.shared.go_on.notified().await;
                self.delta(" second").await?;
                self.chunk(b"data: [DONE]\n\n").await?;
                self.chunk(b"").await?;
            }
            // Never answers; tells when the gate gives up.
            "hang" => return self.until_closed(script).await,
            // Streams on and on until the gate goes away.
            "endless" => {
                self.head_of_stream().await?;
                loop {
                    if self.delta("more ").await.is_err() {
                        let _ = self.sender.send(Event::Closed(script.into()));
                        return Ok(false);
                    }
                    sleep(Duration::from_millis(5)).await;
                }
            }
            "reset" => {
                // Linger 0 makes the close a reset.
                self.socket.set_zero_linger()?;
                return Ok(false);
            }
            "reset-midway" => {
                let text = completion(&said);
                let head = head(200, "content-type: application/json\r\n", text.len());
                self.socket.write_all(head.as_bytes()).await?;
                self.socket
                    .write_all(&text.as_bytes()[..text.len() / 2])
                    .await?;
                return Ok(false);
            }
            "broken-stream" => {
                self.head_of_stream().await?;
                self.delta("a good piece ").await?;
                self.chunk(b"data: {\"choices\":[{\"delta\":{\"content\":\"no end")
                    .await?;
                self.chunk(b"\n\n").await?;
                self.chunk(b"").await?;
            }
            "cut-stream" => {
                self.head_of_stream().await?;
                self.delta("a good piece ").await?;
                return Ok(false);
            }
            "stuck-stream" => {
                self.head_of_stream().await?;
                self.delta("a good piece ").await?;
                return self.until_closed(script).await;
            }
            "no-json" => {
                let text = format!("<html><body>Bad gateway: {said}</body></html>");
                let head = head(200, "content-type: text/html\r\n", text.len());
                self.socket.write_all(head.as_bytes()).await?;
                self.socket.write_all(text.as_bytes()).await?;
            }
            "gzip" => {
                let bytes = gzip(completion(&said).as_bytes());
                let head = head(
                    200,
                    "content-type: application/json\r\ncontent-encoding: gzip\r\n",
                    bytes.len(),
                );
                self.socket.write_all(head.as_bytes()).await?;
                self.socket.write_all(&bytes).await?;
            }
            // Errors of providers like to quote what they were sent.
            "error-500" => {
                self.json(
                    500,
                    "",
                    &error(&format!("cannot work on {said}"), "server_error"),
                )
                .await?
            }
            "error-429" => {
                self.json(
                    429,
                    "retry-after: 7\r\n",
                    &error("slow down", "rate_limit_error"),
                )
                .await?;
            }
            "error-503" => {
                self.json(503, "", &error("no capacity", "server_error"))
                    .await?
            }
            // Says when to come back, and means it.
            "busy-once" if self.is_first(script) => {
                let after = "retry-after-ms: 300\r\n";
                self.json(429, after, &error("slow down", "rate_limit_error"))
                    .await?;
            }
            "patient" if self.shared.ill.load(Relaxed) => {
                self.json(503, "", &error("ill", "server_error")).await?
            }
            "busy-once" | "patient" => {
                let answer = completion(&format!("You said: {said}"));
                self.json(200, "", &answer).await?;
            }
            other => {
                let (script, wire) = other
                    .split_once('.')
                    .unwrap_or_else(|| panic!("no script named {other:?}"));
                self.stream_on(script, wire, &said).await?;
            }
        }
        Ok(true)
    }

    /// Plays a script in the words of any wire: `said.gemini`.
    async fn stream_on(&mut self, script: &str, wire: &str, said: &str) -> std::io::Result<()> {
        let kind = frames::content_type(wire);
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ntransfer-encoding: chunked\r\n\r\n"
        );
        self.socket.write_all(head.as_bytes()).await?;
        match script {
            "said" => {
                for piece in pieces(said) {
                    self.chunk(frames::piece(wire, &piece).as_bytes()).await?;
                }
            }
            "stall" => {
                self.chunk(frames::piece(wire, "first").as_bytes()).await?;
                self.shared.go_on.notified().await;
                self.chunk(frames::piece(wire, " second").as_bytes())
                    .await?;
            }
            // Whole messages, and one that is damaged.
            "broken" if wire == "bedrock" => {
                let headers = [
                    (":event-type", "contentBlockDelta"),
                    (":message-type", "event"),
                ];
                let data = br#"{"contentBlockIndex":0,"delta":{"text":"a good piece "}}"#;
                let message = Message::new(&headers, data);
                self.chunk(message.raw()).await?;
                let mut damaged = message.raw().to_vec();
                damaged[60] ^= 1;
                self.chunk(&damaged).await?;
            }
            "broken" => {
                self.chunk(frames::piece(wire, "a good piece ").as_bytes())
                    .await?;
                self.chunk(frames::broken(wire).as_bytes()).await?;
            }
            other => panic!("no script named {other:?}"),
        }
        self.chunk(b"").await
    }

    /// Whether this is the first request for a script.
    fn is_first(&self, script: &str) -> bool {
        let start = format!("/{script}/");
        let captured = self.shared.captured.lock().expect("no panic while held");
        captured.iter().filter(|c| c.head.contains(&start)).count() == 1
    }

    async fn until_closed(&mut self, script: &str) -> std::io::Result<bool> {
        while matches!(self.more().await, Ok(1..)) {}
        let _ = self.sender.send(Event::Closed(script.into()));
        Ok(false)
    }

    async fn json(&mut self, status: u16, headers: &str, text: &str) -> std::io::Result<()> {
        let head = head(
            status,
            &format!("content-type: application/json\r\n{headers}"),
            text.len(),
        );
        self.socket.write_all(head.as_bytes()).await?;
        self.socket.write_all(text.as_bytes()).await
    }

    async fn head_of_stream(&mut self) -> std::io::Result<()> {
        let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
        self.socket.write_all(head.as_bytes()).await
    }

    async fn delta(&mut self, text: &str) -> std::io::Result<()> {
        let event = serde_json::json!({"id": "chatcmpl-1", "object": "chat.completion.chunk", "model": "m",
            "choices": [{"index": 0, "delta": {"content": text}, "finish_reason": null}]});
        self.chunk(format!("data: {event}\n\n").as_bytes()).await
    }

    async fn chunk(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        let mut chunk = format!("{:x}\r\n", bytes.len()).into_bytes();
        chunk.extend_from_slice(bytes);
        chunk.extend_from_slice(b"\r\n");
        self.socket.write_all(&chunk).await
    }
}

fn head(status: u16, headers: &str, length: usize) -> String {
    format!("HTTP/1.1 {status} Scripted\r\n{headers}content-length: {length}\r\n\r\n")
}

/// The text of all messages or inputs.
fn said(body: &[u8]) -> String {
    let body: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    let of = |key: &str| body[key].as_array().cloned().unwrap_or_default();
    let (messages, contents) = (of("messages"), of("contents"));
    let texts: Vec<&str> = messages
        .iter()
        .filter_map(|message| message["content"].as_str())
        .chain(
            contents
                .iter()
                .filter_map(|c| c["parts"][0]["text"].as_str()),
        )
        .chain(body["prompt"].as_str())
        .collect();
    texts.join("\n")
}

fn completion(text: &str) -> String {
    serde_json::json!({"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "m",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}})
    .to_string()
}

fn message(text: &str) -> String {
    serde_json::json!({"id": "msg_1", "type": "message", "role": "assistant", "model": "m",
        "content": [{"type": "text", "text": text}], "stop_reason": "end_turn", "stop_sequence": null,
        "usage": {"input_tokens": 10, "output_tokens": 5}})
    .to_string()
}

fn error(message: &str, kind: &str) -> String {
    serde_json::json!({"error": {"message": message, "type": kind, "param": null, "code": null}})
        .to_string()
}

/// A text in pieces of three characters.
fn pieces(text: &str) -> Vec<String> {
    let chars: Vec<char> = text.chars().collect();
    chars
        .chunks(3)
        .map(|piece| piece.iter().collect())
        .collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).expect("memory takes it");
    encoder.finish().expect("memory takes it")
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}
