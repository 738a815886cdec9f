//! The HTTP side: routes, authorization, limits, and the life of one exchange.
//!
//! ```text
//! body -> wire.parse -> engine.submit -> Generation -> wire.delta ... wire.last
//! ```
//!
//! A caller who leaves drops the [`Generation`], and with it the request.

use crate::anthropic::Messages;
use crate::config::Config;
use crate::engine::{Engine, Generation};
use crate::error::Error;
use crate::gguf::ModelInfo;
use crate::llama::LlamaEngine;
use crate::openai::{Chat, Completions};
use crate::request::Event;
use crate::wire::{Call, Fault, Frame, Meta, Wire};
use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::sse::{self, KeepAlive, Sse};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::{get, post};
use axum::serve::ListenerExt;
use futures::{Stream, StreamExt, stream};
use serde_json::json;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::sync::{Semaphore, oneshot};

/// Longest request body.
const BODY_BYTES_MAX: usize = 32 << 20;
/// Bodies held at the same time while they are read and turned into tokens; others wait.
const BODIES_MAX: usize = 16;
/// How long a caller may take to send a body.
const BODY_TIME_MAX: Duration = Duration::from_secs(60);
/// When to try again after a 429.
const RETRY_AFTER_SECONDS: &str = "2";

/// Loads the model and serves it on `listener` until `shutdown` completes; then no connection is
/// taken any more and the requests under way have [`Config::drain_seconds`] to end.
///
/// `ready` is called with the address once requests are taken; before that, connections wait.
///
/// # Errors
/// What kept the model from loading, or the socket's failure.
pub async fn serve(
    config: Config,
    listener: TcpListener,
    ready: impl FnOnce(SocketAddr, &ModelInfo),
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), Error> {
    let loading = config.clone();
    let engine = tokio::task::spawn_blocking(move || LlamaEngine::load(&loading))
        .await
        .map_err(|error| Error::Start(error.to_string()))??;
    serve_engine(&config, Arc::new(engine), listener, ready, shutdown).await
}

/// As [`serve`], with an engine of one's own; of `config`, the name, the token and the drain time
/// count.
///
/// # Errors
/// The socket's failure.
pub async fn serve_engine(
    config: &Config,
    engine: Arc<dyn Engine>,
    listener: TcpListener,
    ready: impl FnOnce(SocketAddr, &ModelInfo),
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), Error> {
    listener.set_nonblocking(true).map_err(Error::Socket)?;
    let listener = tokio::net::TcpListener::from_std(listener).map_err(Error::Socket)?;
    let address = listener.local_addr().map_err(Error::Socket)?;
    let listener = listener.tap_io(|connection| {
        // Without it small events wait for the caller's delayed acknowledgement, some 40 ms.
        let _ = connection.set_nodelay(true);
    });
    let (stopping, stopped) = oneshot::channel();
    let closing = engine.clone();
    let shutdown = async move {
        shutdown.await;
        let _ = stopping.send(());
    };
    let server =
        axum::serve(listener, router(config, engine.clone())).with_graceful_shutdown(shutdown);
    ready(address, engine.model());
    let drain_time = Duration::from_secs(config.drain_seconds.into());
    let overdue = async {
        let _ = stopped.await;
        closing.close();
        tokio::time::sleep(drain_time).await;
    };
    tokio::select! {
        ended = server.into_future() => ended.map_err(Error::Socket),
        () = overdue => {
            tracing::warn!("requests under way did not end in time and are dropped");
            engine.abort();
            Ok(())
        }
    }
}

struct App {
    engine: Arc<dyn Engine>,
    config: Config,
    started: u64,
    bodies: Semaphore,
}

type Shared = State<Arc<App>>;

fn router(config: &Config, engine: Arc<dyn Engine>) -> Router {
    let app = App {
        engine,
        config: config.clone(),
        started: unix_seconds(),
        bodies: Semaphore::new(BODIES_MAX),
    };
    Router::new()
        .route(
            "/v1/chat/completions",
            post(async |s: Shared, h: HeaderMap, b: Body| answer(s.0, &Chat, h, b).await),
        )
        .route(
            "/v1/completions",
            post(async |s: Shared, h: HeaderMap, b: Body| answer(s.0, &Completions, h, b).await),
        )
        .route(
            "/v1/messages",
            post(async |s: Shared, h: HeaderMap, b: Body| answer(s.0, &Messages, h, b).await),
        )
        .route("/v1/models", get(models))
        .route("/v1/models/{*model}", get(model))
        .route("/healthz", get(health))
        .route("/metrics", get(metrics))
        .fallback(async || {
            failure(
                &Chat,
                &Fault::new(StatusCode::NOT_FOUND, "there is nothing at this path"),
            )
        })
        .method_not_allowed_fallback(async || {
            failure(
                &Chat,
                &Fault::new(
                    StatusCode::METHOD_NOT_ALLOWED,
                    "this path does not take this method",
                ),
            )
        })
        .with_state(Arc::new(app))
}

async fn answer(
    app: Arc<App>,
    wire: &'static dyn Wire,
    headers: HeaderMap,
    body: Body,
) -> Response {
    match begin(&app, wire, &headers, body).await {
        Err(fault) => failure(wire, &fault),
        Ok((meta, generation, true)) => {
            let frames = frames(wire, meta, generation);
            Sse::new(frames)
                .keep_alive(KeepAlive::default())
                .into_response()
        }
        Ok((meta, generation, false)) => whole(wire, &meta, generation).await,
    }
}

/// Everything up to the engine taking the request on.
async fn begin(
    app: &Arc<App>,
    wire: &'static dyn Wire,
    headers: &HeaderMap,
    body: Body,
) -> Result<(Meta, Generation, bool), Fault> {
    authorize(app, headers)?;
    let Ok(_held) = app.bodies.acquire().await else {
        return Err(Fault::engine());
    };
    let body = read_body(body).await?;
    let taking = app.clone();
    // Parsing and tokenizing a long prompt would hold up the other connections.
    let taken = tokio::task::spawn_blocking(move || {
        let Call {
            request,
            stream,
            include_usage,
        } = wire.parse(&body, &taking.config.name)?;
        drop(body);
        Ok((taking.engine.submit(request)?, stream, include_usage))
    });
    let (generation, stream, include_usage) =
        taken.await.unwrap_or_else(|_| Err(Fault::engine()))?;
    let meta = Meta {
        id: format!("{}{}", wire.id_prefix(), uuid::Uuid::new_v4().simple()),
        model: app.config.name.clone(),
        created: unix_seconds(),
        prompt_tokens: generation.prompt_tokens,
        include_usage,
    };
    Ok((meta, generation, stream))
}

fn authorize(app: &App, headers: &HeaderMap) -> Result<(), Fault> {
    let Some(token) = &app.config.api_token else {
        return Ok(());
    };
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let bearer = header("authorization").and_then(|value| {
        let (scheme, token) = value.split_once(' ')?;
        scheme
            .eq_ignore_ascii_case("bearer")
            .then_some(token.trim_start())
    });
    if [bearer, header("x-api-key")]
        .into_iter()
        .flatten()
        .any(|offered| token.matches(offered))
    {
        return Ok(());
    }
    Err(Fault {
        code: Some("invalid_api_key"),
        ..Fault::new(StatusCode::UNAUTHORIZED, "a valid bearer token is needed")
    })
}

async fn read_body(body: Body) -> Result<Vec<u8>, Fault> {
    let reading = async {
        let mut chunks = body.into_data_stream();
        let mut read = Vec::new();
        while let Some(chunk) = chunks.next().await {
            let broken = |_| Fault::new(StatusCode::BAD_REQUEST, "the body broke off");
            let chunk = chunk.map_err(broken)?;
            if read.len() + chunk.len() > BODY_BYTES_MAX {
                let message = "the body is longer than 32 MiB";
                return Err(Fault::new(StatusCode::PAYLOAD_TOO_LARGE, message));
            }
            read.extend_from_slice(&chunk);
        }
        Ok(read)
    };
    tokio::time::timeout(BODY_TIME_MAX, reading)
        .await
        .unwrap_or_else(|_| {
            Err(Fault::new(
                StatusCode::REQUEST_TIMEOUT,
                "the body did not arrive within 60 seconds",
            ))
        })
}

async fn whole(wire: &'static dyn Wire, meta: &Meta, mut generation: Generation) -> Response {
    let mut answer = String::new();
    loop {
        match generation.next().await {
            Some(Event::Text(text)) => answer.push_str(&text),
            Some(Event::Done(done)) => {
                return Json(wire.whole(meta, &answer, &done)).into_response();
            }
            None => return failure(wire, &Fault::engine()),
        }
    }
}

/// An answer as server-sent events.
fn frames(
    wire: &'static dyn Wire,
    meta: Meta,
    generation: Generation,
) -> impl Stream<Item = Result<sse::Event, Infallible>> {
    let first = VecDeque::from(wire.first(&meta));
    stream::unfold(
        (first, Some(generation)),
        move |(mut ready, mut generation)| {
            let meta = Meta {
                id: meta.id.clone(),
                model: meta.model.clone(),
                ..meta
            };
            async move {
                if let (true, Some(running)) = (ready.is_empty(), &mut generation) {
                    match running.next().await {
                        Some(Event::Text(text)) => ready.push_back(wire.delta(&meta, &text)),
                        Some(Event::Done(done)) => {
                            ready.extend(wire.last(&meta, &done));
                            generation = None;
                        }
                        None => {
                            ready.push_back(wire.broken(&Fault::engine()));
                            generation = None;
                        }
                    }
                }
                let Frame { event, data } = ready.pop_front()?;
                let frame = sse::Event::default().data(data);
                let frame = event.into_iter().fold(frame, sse::Event::event);
                Some((Ok(frame), (ready, generation)))
            }
        },
    )
}

fn failure(wire: &dyn Wire, fault: &Fault) -> Response {
    let mut response = (fault.status, Json(wire.error(fault))).into_response();
    if fault.status == StatusCode::TOO_MANY_REQUESTS {
        let value = HeaderValue::from_static(RETRY_AFTER_SECONDS);
        response.headers_mut().insert(header::RETRY_AFTER, value);
    }
    response
}

fn model_object(app: &App) -> serde_json::Value {
    json!({
        "id": app.config.name,
        "object": "model",
        "created": app.started,
        "owned_by": "local",
        "context_length": app.engine.context_tokens(),
    })
}

async fn models(State(app): Shared, headers: HeaderMap) -> Response {
    match authorize(&app, &headers) {
        Ok(()) => Json(json!({"object": "list", "data": [model_object(&app)]})).into_response(),
        Err(fault) => failure(&Chat, &fault),
    }
}

async fn model(State(app): Shared, Path(name): Path<String>, headers: HeaderMap) -> Response {
    match authorize(&app, &headers) {
        Ok(()) if name == app.config.name => Json(model_object(&app)).into_response(),
        Ok(()) => failure(&Chat, &Fault::model_not_found(&app.config.name)),
        Err(fault) => failure(&Chat, &fault),
    }
}

async fn health(State(app): Shared) -> Response {
    if app.engine.is_open() {
        Json(json!({"status": "ok"})).into_response()
    } else {
        (
            StatusCode::SERVICE_UNAVAILABLE,
            Json(json!({"status": "unavailable"})),
        )
            .into_response()
    }
}

async fn metrics(State(app): Shared) -> Response {
    let kind = [(header::CONTENT_TYPE, "text/plain; version=0.0.4")];
    (kind, app.engine.stats().prometheus()).into_response()
}

fn unix_seconds() -> u64 {
    SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}
