//! A simulated global provider on loopback: every wire, streaming and not, tools, embeddings.
//!
//! It is labelled as simulated wherever it shows: in its `server` header, in every answer's text
//! and in the answer's id. It knows nothing of the gate. It composes its answers from what it
//! received, so that whatever placeholder went out comes back; it counts tokens from the text
//! ([`tokens`]) and keeps what it received, for the leak check.

mod answer;
mod anthropic;
mod bedrock;
mod cohere;
mod embedding;
mod gemini;
mod ollama;
mod openai;
mod pace;
mod prompt;
mod responses;
mod tokens;

pub use answer::placeholders;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderValue, Response, StatusCode, header};
use axum::middleware::{self, Next};
use axum::routing::{get, post};
use serde_json::Value;
use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::TcpListener;

/// What the `server` header of every answer says.
pub const SERVER: &str = "simulated-provider (no real model)";
/// What the text of every answer begins with.
pub const NOTE: &str = "[simulated]";
/// Largest request body taken, bytes.
const BODY_BYTES_MAX: usize = 64 << 20;

/// How long a simulated model takes.
#[derive(Clone, Copy, Debug)]
pub struct Latency {
    /// From the request to the answer's first byte.
    pub first: Duration,
    /// Between two pieces of a stream.
    pub piece: Duration,
}

impl Default for Latency {
    fn default() -> Self {
        Latency {
            first: Duration::from_millis(12),
            piece: Duration::from_micros(1_500),
        }
    }
}

/// One request as it arrived.
#[derive(Clone, Debug)]
pub struct Received {
    /// Request line and headers, one a line.
    pub head: String,
    /// The body's bytes.
    pub body: Bytes,
}

struct Shared {
    latency: Latency,
    received: Mutex<Vec<Received>>,
    /// Prompt prefixes seen, for the prompt cache.
    prefixes: Mutex<HashSet<u64>>,
    answers: AtomicU64,
}

impl Shared {
    /// A number for the next answer's id.
    fn next(&self) -> u64 {
        self.answers.fetch_add(1, Ordering::Relaxed)
    }

    /// How many tokens of these messages' longest known prefix are in the prompt cache, and keeps
    /// all their prefixes.
    fn cached_tokens(&self, messages: &[String]) -> u64 {
        let mut seen = self.prefixes.lock().unwrap_or_else(PoisonError::into_inner);
        tokens::cached(&mut seen, messages)
    }
}

/// The running provider. It stops when this is dropped.
pub struct Provider {
    address: SocketAddr,
    shared: Arc<Shared>,
    task: tokio::task::JoinHandle<()>,
}

impl Provider {
    /// Starts it on a free loopback port.
    ///
    /// # Errors
    /// When no loopback port can be had.
    pub async fn start(latency: Latency) -> std::io::Result<Provider> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            latency,
            received: Mutex::default(),
            prefixes: Mutex::default(),
            answers: AtomicU64::new(0),
        });
        let router = router(Arc::clone(&shared));
        let task = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                tracing::error!(%error, "the simulated provider ended");
            }
        });
        Ok(Provider {
            address,
            shared,
            task,
        })
    }

    /// Base URL of a wire (`openai`, `anthropic`, …), up to where its own paths begin.
    pub fn url(&self, wire: &str) -> String {
        let base = match wire {
            "azure" => "openai",
            "gemini" => "v1beta",
            "ollama" => "api",
            "cohere" => "v2",
            "bedrock" => "model",
            _ => "v1",
        };
        format!("http://{}/{wire}/{base}", self.address)
    }

    /// What arrived so far, in order.
    pub fn received(&self) -> Vec<Received> {
        self.shared
            .received
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/openai/v1/chat/completions", post(openai::chat))
        .route("/openai/v1/responses", post(responses::responses))
        .route("/openai/v1/embeddings", post(embedding::embeddings))
        .route("/openai/v1/models", get(openai::models))
        .route("/openai/v1/models/{model}", get(openai::one_model))
        .route("/openai/v1/completions", post(openai::completions))
        .route("/openai/v1/fim/completions", post(openai::mistral))
        .route("/mistral/v1/chat/completions", post(openai::mistral))
        .route("/mistral/v1/fim/completions", post(openai::mistral))
        .route("/openai/v1/moderations", post(openai::moderations))
        .route(
            "/azure/openai/deployments/{model}/chat/completions",
            post(openai::chat),
        )
        .route(
            "/azure/openai/deployments/{model}/embeddings",
            post(embedding::embeddings),
        )
        .route("/azure/openai/responses", post(responses::responses))
        .route("/azure/openai/v1/chat/completions", post(openai::chat))
        .route("/azure/openai/models", get(openai::models))
        .route("/gemini/v1beta/models", get(gemini::models))
        .route(
            "/gemini/v1beta/models/{asked}",
            post(gemini::ask).get(gemini::one_model),
        )
        .route("/ollama/api/chat", post(ollama::chat))
        .route("/ollama/api/generate", post(ollama::generate))
        .route("/ollama/api/embed", post(ollama::embed))
        .route("/ollama/api/tags", get(ollama::tags))
        .route("/bedrock/model/{model}/converse", post(bedrock::converse))
        .route(
            "/bedrock/model/{model}/converse-stream",
            post(bedrock::converse_stream),
        )
        .route("/cohere/v2/chat", post(cohere::chat))
        .route("/cohere/v2/embed", post(cohere::embed))
        .route("/cohere/v2/rerank", post(cohere::rerank))
        .route("/anthropic/v1/messages", post(anthropic::messages))
        .route(
            "/anthropic/v1/messages/count_tokens",
            post(anthropic::count_tokens),
        )
        .route("/anthropic/v1/models", get(anthropic::models))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(middleware::from_fn_with_state(Arc::clone(&shared), receive))
        .with_state(shared)
}

/// Keeps what arrives and labels what leaves.
async fn receive(
    State(shared): State<Arc<Shared>>,
    request: Request,
    next: Next,
) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let mut head = format!("{} {}\n", parts.method, parts.uri);
    for (name, value) in &parts.headers {
        head += &format!("{name}: {}\n", String::from_utf8_lossy(value.as_bytes()));
    }
    let Ok(body) = axum::body::to_bytes(body, BODY_BYTES_MAX).await else {
        return plain(StatusCode::PAYLOAD_TOO_LARGE);
    };
    let received = Received {
        head,
        body: body.clone(),
    };
    shared
        .received
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(received);
    let mut response = next.run(Request::from_parts(parts, Body::from(body))).await;
    response
        .headers_mut()
        .insert(header::SERVER, HeaderValue::from_static(SERVER));
    response
}

fn plain(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

fn json(status: StatusCode, value: &Value) -> Response<Body> {
    let mut response = Response::new(Body::from(value.to_string()));
    *response.status_mut() = status;
    let kind = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

/// The model asked for: the answer carries the same name, as the real wires' do.
fn model_of(request: &Value) -> &str {
    request["model"].as_str().unwrap_or("unknown")
}

#[cfg(test)]
mod tests;
