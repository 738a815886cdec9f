//! The listener: bounds on what is taken in, then request, engine, reply.

use super::engine::Handle;
use super::reply::{self, Refusal};
use super::request::Request;
use super::{Config, auth};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Query, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::Response;
use axum::routing::get;
use axum::serve::ListenerExt;
use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};

/// A body must have arrived this long after its head.
const BODY_TIME_MAX: Duration = Duration::from_secs(60);

struct Store {
    config: Config,
    engine: Handle,
    /// Bounds the bodies in memory.
    slots: Semaphore,
}

/// Serves until `shutdown`, and requests in work for at most `grace` after it.
pub(super) async fn serve(
    config: &Config,
    engine: Handle,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send + 'static,
    grace: Duration,
) -> io::Result<()> {
    let slots = Semaphore::new(config.requests_max.max(1));
    let store = Arc::new(Store {
        config: config.clone(),
        engine,
        slots,
    });
    let router = Router::new()
        .route(
            "/ping",
            get(|| async { reply::plain(StatusCode::OK, "Ok.\n") }),
        )
        .route("/", get(query).post(query))
        .fallback(|| async { reply::plain(StatusCode::NOT_FOUND, "There is no handle here\n") })
        .with_state(store);
    let listener = listener.tap_io(|stream| {
        // Small answers must not wait for the caller's acknowledgement.
        let _ = stream.set_nodelay(true);
    });
    let (stop, mut stopping) = watch::channel(false);
    let stopped = async move {
        shutdown.await;
        stop.send_replace(true);
    };
    let overdue = async move {
        // An error means that the server ended by itself and dropped `stopped`.
        if stopping.wait_for(|&stop| stop).await.is_ok() {
            tokio::time::sleep(grace).await;
        } else {
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        served = axum::serve(listener, router).with_graceful_shutdown(stopped) => served,
        () = overdue => Ok(()),
    }
}

async fn query(
    State(store): State<Arc<Store>>,
    method: Method,
    headers: HeaderMap,
    Query(parameters): Query<Vec<(String, String)>>,
    body: Body,
) -> Response {
    match handle(&store, &method, &headers, &parameters, body).await {
        Ok(response) => response,
        Err(refusal) => refusal.response(),
    }
}

async fn handle(
    store: &Store,
    method: &Method,
    headers: &HeaderMap,
    parameters: &[(String, String)],
    body: Body,
) -> Result<Response, Refusal> {
    let config = &store.config;
    if !auth::allowed(config.token.as_deref(), headers, parameters) {
        return Err(Refusal::authentication());
    }
    let _slot = store.slots.try_acquire().map_err(|_| Refusal::busy())?;
    let body = tokio::time::timeout(BODY_TIME_MAX, to_bytes(body, config.body_bytes_max)).await;
    let body = body.map_err(|_| Refusal::incomplete())?.map_err(|error| {
        // axum tells the two apart only by the error's source.
        let source = std::error::Error::source(&error).map(ToString::to_string);
        match source {
            Some(source) if source.contains("length limit") => {
                Refusal::too_long(config.body_bytes_max)
            }
            _ => Refusal::incomplete(),
        }
    })?;
    let request = Request::new(config, method, headers, parameters, &body)?;
    drop(body);
    let answer = store
        .engine
        .run(request.job)
        .await
        .ok_or_else(Refusal::closing)?;
    Ok(reply::answer(
        answer,
        &request.format,
        request.query_id.as_deref(),
    ))
}
